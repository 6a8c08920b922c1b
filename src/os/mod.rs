//! Calls of the operating system that the server and the client need. This module knows no wire and no matrix.

mod disposition;
#[cfg(feature = "cli")]
mod mapping;
#[cfg(feature = "cli")]
mod placement;
#[cfg(feature = "cli")]
mod shared;
#[cfg(feature = "cli")]
mod signals;
#[cfg(feature = "cli")]
mod stdio;

#[cfg(feature = "client")]
pub(crate) use disposition::is_ignored;
#[cfg(feature = "cli")]
pub(crate) use mapping::{Mapping, physical_memory};
#[cfg(feature = "cli")]
pub(crate) use placement::{Placement, current_cpu};
#[cfg(feature = "cli")]
pub(crate) use shared::{SharedMemory, Unmappable, inherited, of_process, resident_memory};
#[cfg(feature = "cli")]
pub(crate) use signals::end_on_signals;
#[cfg(feature = "cli")]
pub(crate) use stdio::{Input, Output};

use std::os::fd::{AsFd, FromRawFd, OwnedFd};

use nix::fcntl::{FcntlArg, fcntl};

/// A copy of a descriptor above those of stdin, stdout and stderr, which other code may use; close-on-exec.
pub(crate) fn above_stderr(fd: impl AsFd) -> nix::Result<OwnedFd> {
    let copy = fcntl(fd, FcntlArg::F_DUPFD_CLOEXEC(3))?;
    // SAFETY: the descriptor has just been made, and nothing else owns it.
    Ok(unsafe { OwnedFd::from_raw_fd(copy) })
}
