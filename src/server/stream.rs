//! The two streams of a session. Reads and writes may be short or interrupted; here they are made whole.

use std::io::{self, ErrorKind, IoSlice, Read, Write};

use super::error::Cause;

/// Where requests come from and responses go.
pub(super) struct Streams<R, W> {
    input: R,
    output: W,
    bytes_read: u64,
}

impl<R: Read, W: Write> Streams<R, W> {
    pub(super) fn new(input: R, output: W) -> Self {
        Streams { input, output, bytes_read: 0 }
    }

    /// Bytes of input that have been read.
    pub(super) fn bytes_read(&self) -> u64 {
        self.bytes_read
    }

    /// Reads at least one byte, unless the input has ended, and at most a buffer.
    pub(super) fn read(&mut self, buf: &mut [u8]) -> Result<usize, Cause> {
        loop {
            match self.input.read(buf) {
                Ok(got) => {
                    self.bytes_read += got as u64;
                    return Ok(got);
                }
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return Err(Cause::Unreadable(error)),
            }
        }
    }

    /// Fills a buffer, in as many reads as it takes. Returns the number of bytes, which is less if the input ends.
    pub(super) fn fill(&mut self, buf: &mut [u8]) -> Result<usize, Cause> {
        let mut filled = 0;
        while filled < buf.len() {
            match self.read(&mut buf[filled..])? {
                0 => break,
                got => filled += got,
            }
        }
        Ok(filled)
    }

    /// Writes all of the parts, in as many writes as it takes.
    pub(super) fn write<const N: usize>(&mut self, parts: &[&[u8]; N]) -> Result<(), Cause> {
        let cause = |error: io::Error| match error.kind() {
            ErrorKind::BrokenPipe => Cause::ReaderGone,
            _ => Cause::Unwritable(error),
        };
        let mut slices = parts.map(IoSlice::new);
        let mut slices = &mut slices[..];
        // Leading empty slices are dropped first, so that a write of no bytes means that nothing can be written.
        IoSlice::advance_slices(&mut slices, 0);
        while !slices.is_empty() {
            match self.output.write_vectored(slices) {
                Ok(0) => return Err(cause(ErrorKind::WriteZero.into())),
                Ok(written) => IoSlice::advance_slices(&mut slices, written),
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return Err(cause(error)),
            }
        }
        self.output.flush().map_err(cause)
    }
}
