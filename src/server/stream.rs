//! The two streams of a session. Reads and writes may be short or interrupted; here they are made whole.

use std::io::{self, ErrorKind, IoSlice, Read, Write};

use super::error::Cause;

/// Bytes that are read ahead of what is asked for, so that the head of a request, the longest fixed part and a small matrix come
/// in one read.
const AHEAD_BYTES: usize = 512;

/// Bytes that are skipped at a time.
const SKIP_BYTES: usize = 16 << 10;

/// Where requests come from and responses go.
pub(super) struct Streams<R, W> {
    input: R,
    output: W,
    /// What has been read ahead, from `start` to `end`.
    ahead: [u8; AHEAD_BYTES],
    start: usize,
    end: usize,
    bytes_taken: u64,
    bytes_written: u64,
}

impl<R: Read, W: Write> Streams<R, W> {
    pub(super) fn new(input: R, output: W) -> Self {
        Streams { input, output, ahead: [0; AHEAD_BYTES], start: 0, end: 0, bytes_taken: 0, bytes_written: 0 }
    }

    /// Bytes of input that have been taken.
    pub(super) fn bytes_taken(&self) -> u64 {
        self.bytes_taken
    }

    /// Bytes of output that have been written.
    pub(super) fn bytes_written(&self) -> u64 {
        self.bytes_written
    }

    /// The next byte; `None` at the end of the input.
    pub(super) fn next_byte(&mut self) -> Result<Option<u8>, Cause> {
        let mut byte = [0];
        Ok((self.fill(&mut byte)? == 1).then_some(byte[0]))
    }

    /// Fills a buffer, in as many reads as it takes. Returns the number of bytes, which is less if the input ends.
    pub(super) fn fill(&mut self, buf: &mut [u8]) -> Result<usize, Cause> {
        let mut filled = 0;
        while filled < buf.len() {
            let rest = &mut buf[filled..];
            let got = if self.start < self.end {
                let got = rest.len().min(self.end - self.start);
                rest[..got].copy_from_slice(&self.ahead[self.start..][..got]);
                self.start += got;
                got
            } else if rest.len() < AHEAD_BYTES {
                (self.start, self.end) = (0, read(&mut self.input, &mut self.ahead)?);
                if self.end == 0 {
                    break;
                }
                continue;
            } else {
                read(&mut self.input, rest)?
            };
            if got == 0 {
                break;
            }
            self.bytes_taken += got as u64;
            filled += got;
        }
        Ok(filled)
    }

    /// Takes `count` bytes and forgets them. Returns their number, which is less if the input ends.
    pub(super) fn skip(&mut self, count: u64) -> Result<u64, Cause> {
        let mut buf = [0; SKIP_BYTES];
        let mut left = count;
        while left > 0 {
            let wanted = buf.len().min(usize::try_from(left).unwrap_or(usize::MAX));
            let got = self.fill(&mut buf[..wanted])?;
            left -= got as u64;
            if got < wanted {
                break;
            }
        }
        Ok(count - left)
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
                Ok(written) => {
                    self.bytes_written += written as u64;
                    IoSlice::advance_slices(&mut slices, written);
                }
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return Err(cause(error)),
            }
        }
        self.output.flush().map_err(cause)
    }
}

/// Reads at least one byte, unless the input has ended, and at most a buffer.
fn read(input: &mut impl Read, buf: &mut [u8]) -> Result<usize, Cause> {
    loop {
        match input.read(buf) {
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            result => return result.map_err(Cause::Unreadable),
        }
    }
}
