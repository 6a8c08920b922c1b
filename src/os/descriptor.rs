//! Copies of descriptors.

use std::os::fd::{AsFd, FromRawFd, OwnedFd};

use nix::fcntl::{FcntlArg, fcntl};

/// A copy of a descriptor above those of stdin, stdout and stderr, which other code may use; close-on-exec.
pub(crate) fn above_stderr(fd: impl AsFd) -> nix::Result<OwnedFd> {
    let copy = fcntl(fd, FcntlArg::F_DUPFD_CLOEXEC(3))?;
    // SAFETY: the descriptor has just been made, and nothing else owns it.
    Ok(unsafe { OwnedFd::from_raw_fd(copy) })
}
