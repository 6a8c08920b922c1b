//! The executable's stdout: one buffered stream for all that a subcommand writes.

use std::io::{self, BufWriter};
use std::os::fd::AsFd;

use super::Failure;
use crate::os::Output;

/// What a subcommand writes to.
pub(super) type Stdout = BufWriter<Output>;

/// Bytes that are written at a time.
const BUFFER_BYTES: usize = 1 << 16;

/// Opens stdout for a subcommand.
pub(super) fn open() -> Result<Stdout, Failure> {
    let descriptor = io::stdout().as_fd().try_clone_to_owned().map_err(|error| Failure::io("stdout", &error))?;
    Ok(BufWriter::with_capacity(BUFFER_BYTES, Output::new(descriptor)))
}
