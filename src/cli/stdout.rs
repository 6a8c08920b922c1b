//! The executable's stdout: one buffered stream for all that a subcommand writes, and an error if it is closed.
//!
//! Before `main` Rust's runtime opens `/dev/null` for each standard descriptor that is closed, and what is written there
//! is lost without an error. So whether stdout is open has to be seen before the runtime starts. (`/dev/null` itself
//! does not tell: a parent may want the output to be lost.)

use std::fs::File;
use std::io::{self, BufWriter};
use std::os::fd::AsFd;
use std::sync::atomic::{AtomicBool, Ordering};

use nix::libc;
use nix::unistd::dup2_stdout;

use super::Failure;
use crate::os::Output;

/// What a subcommand writes to.
pub(super) type Stdout = BufWriter<Output>;

/// Bytes that are written at a time.
const BUFFER_BYTES: usize = 1 << 16;

/// Whether stdout was closed when the process started.
static WAS_CLOSED: AtomicBool = AtomicBool::new(false);

/// Looks whether stdout is open. To be called before Rust's runtime starts.
pub extern "C" fn before_main() {
    // SAFETY: F_GETFD takes no further argument, and reads a flag of a descriptor that need not be open.
    let flags = unsafe { libc::fcntl(libc::STDOUT_FILENO, libc::F_GETFD) };
    WAS_CLOSED.store(flags == -1, Ordering::Relaxed);
}

/// If stdout was closed, makes every write to it fail again, with the error that a closed descriptor gives: what stands in
/// for it can only be read.
pub(super) fn fail_if_closed() -> Result<(), Failure> {
    if !WAS_CLOSED.load(Ordering::Relaxed) {
        return Ok(());
    }
    let replace = || dup2_stdout(&File::open("/dev/null")?).map_err(io::Error::from);
    replace().map_err(|error| Failure::io("expected to set up the closed stdout, got", &error))
}

/// Opens stdout for a subcommand.
pub(super) fn open() -> Result<Stdout, Failure> {
    let descriptor = io::stdout().as_fd().try_clone_to_owned().map_err(|error| Failure::io("stdout", &error))?;
    Ok(BufWriter::with_capacity(BUFFER_BYTES, Output::new(descriptor)))
}
