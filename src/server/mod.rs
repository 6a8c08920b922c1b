//! The session: read a request, factor, write the response, until the input ends or an exit command comes.
//!
//! It works over any [`Read`] and [`Write`]; [`crate::os`] has those of a process. A request's matrix is read
//! straight into the memory in which it is factored and from which it is written.

mod workspace;

use std::io::{self, ErrorKind, IoSlice, Read, Write};

use crate::lu::{Options, factor};
use crate::matrix::MatrixMut;
use crate::protocol::{Command, EXIT, Fault, HEADER_BYTES, Precision, SessionError, Shape};
use crate::real::Real;
use workspace::Workspace;

/// What a session may use.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// The largest matrix, in bytes.
    pub max_bytes: u64,
    /// Threads for the threaded commands.
    pub threads: usize,
}

/// Serves requests until the exit command or the end of the input.
///
/// A refused request is answered (with an `info` near `i64::MIN`) before the error comes back.
///
/// # Errors
/// What ended the session otherwise, and where in the input.
///
/// # Panics
/// If `RECFACT_ISA` names an instruction set that this CPU has not; [`crate::Isa::in_use`] tells beforehand.
///
/// # Examples
/// ```
/// use recfact::server::{Limits, serve};
///
/// let mut request = vec![0x00];
/// request.extend(1_i64.to_le_bytes()); // m
/// request.extend(1_i64.to_le_bytes()); // n
/// request.extend(7_f64.to_le_bytes()); // A
/// let mut response = Vec::new();
/// serve(&request[..], &mut response, &Limits { max_bytes: 1000, threads: 1 })?;
/// assert_eq!(response, [0_i64.to_le_bytes(), 7_f64.to_le_bytes(), 1_i64.to_le_bytes()].concat());
/// # Ok::<(), recfact::protocol::SessionError>(())
/// ```
pub fn serve(input: impl Read, output: impl Write, limits: &Limits) -> Result<(), SessionError> {
    let mut session =
        Session { input: Counted { inner: input, bytes: 0 }, output, limits, workspace: Workspace::default() };
    for request in 1.. {
        let start = session.input.bytes;
        match session.request() {
            Ok(true) => {}
            Ok(false) => break,
            Err(fault) => {
                // A refused request is refused for its first bytes, an unreadable one where the input stopped.
                let byte = if fault.answer().is_some() { start } else { session.input.bytes };
                session.answer(&fault);
                return Err(SessionError { request, byte, fault });
            }
        }
    }
    Ok(())
}

/// The two ends of a session and what it keeps between requests.
struct Session<'l, R, W> {
    input: Counted<R>,
    output: W,
    limits: &'l Limits,
    workspace: Workspace,
}

impl<R: Read, W: Write> Session<'_, R, W> {
    /// Serves one request. Returns whether another may follow.
    fn request(&mut self) -> Result<bool, Fault> {
        let mut header = [0; HEADER_BYTES];
        // The first byte decides before any other is waited for: an exit command has no more of them.
        let got = self.input.read(&mut header)?;
        if got == 0 || header[0] == EXIT {
            return Ok(false);
        }
        let command = Command::from_byte(header[0]).ok_or(Fault::UnknownCommand(header[0]))?;
        let got = got + self.input.fill(&mut header[got..])?;
        if got < HEADER_BYTES {
            return Err(Fault::EndInHeader { got });
        }
        let shape = Shape::from_header(&header, command.precision(), self.limits.max_bytes)?;
        match command.precision() {
            Precision::Double => self.factor::<f64>(command, shape),
            Precision::Single => self.factor::<f32>(command, shape),
        }?;
        Ok(true)
    }

    /// Reads a matrix, factors it, writes the response.
    fn factor<T: Real>(&mut self, command: Command, shape: Shape) -> Result<(), Fault> {
        let (m, n) = (shape.m(), shape.n());
        let expected = shape.matrix_bytes();
        // The swaps follow the matrix at the next multiple of 8 bytes.
        let ipiv_at = expected.next_multiple_of(8);
        let memory = self.workspace.reserve(ipiv_at + shape.ipiv_bytes())?;
        let (matrix, ipiv) = memory.split_at_mut(ipiv_at);
        let matrix = &mut matrix[..expected];

        let got = self.input.fill(matrix)?;
        if got < expected {
            return Err(Fault::EndInMatrix { m, n, expected, got });
        }

        let a: &mut [T] = bytemuck::cast_slice_mut(matrix);
        let ipiv: &mut [i64] = bytemuck::cast_slice_mut(ipiv);
        T::wire_order(a);
        let options =
            Options { pivoting: command.pivoting(), threads: if command.threaded() { self.limits.threads } else { 1 } };
        let view = MatrixMut::in_memory(a, m, n, m);
        let info = factor(view, ipiv, &options).unwrap_or_else(|error| panic!("{error}")).to_le_bytes();
        T::wire_order(a);
        ipiv.iter_mut().for_each(|row| *row = row.to_le());

        let (matrix, ipiv) = (bytemuck::cast_slice(a), bytemuck::cast_slice(ipiv));
        write_all(&mut self.output, &mut [IoSlice::new(&info), IoSlice::new(matrix), IoSlice::new(ipiv)])
    }

    /// Tells the client that its request was refused, if there is one to tell. The session ends in any case, so a
    /// failure to write adds nothing.
    fn answer(&mut self, fault: &Fault) {
        if let Some(info) = fault.answer() {
            let _ = write_all(&mut self.output, &mut [IoSlice::new(&info.to_le_bytes())]);
        }
    }
}

/// An input that counts what was read.
struct Counted<R> {
    inner: R,
    bytes: u64,
}

impl<R: Read> Counted<R> {
    /// Reads at least one byte unless the input has ended, and at most a buffer.
    fn read(&mut self, buf: &mut [u8]) -> Result<usize, Fault> {
        loop {
            match self.inner.read(buf) {
                Ok(got) => {
                    self.bytes += got as u64;
                    return Ok(got);
                }
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return Err(Fault::Unreadable(error)),
            }
        }
    }

    /// Fills a buffer, however the bytes are split into reads. Returns how many came before the input ended.
    fn fill(&mut self, buf: &mut [u8]) -> Result<usize, Fault> {
        let mut filled = 0;
        while filled < buf.len() {
            match self.read(&mut buf[filled..])? {
                0 => break,
                got => filled += got,
            }
        }
        Ok(filled)
    }
}

/// Writes all of the slices, however the output splits them.
fn write_all(output: &mut impl Write, mut slices: &mut [IoSlice<'_>]) -> Result<(), Fault> {
    let fault = |error: io::Error| match error.kind() {
        ErrorKind::BrokenPipe => Fault::ReaderGone,
        _ => Fault::Unwritable(error),
    };
    // Empty slices are dropped first, so that nothing written means that nothing can be.
    IoSlice::advance_slices(&mut slices, 0);
    while !slices.is_empty() {
        match output.write_vectored(slices) {
            Ok(0) => return Err(fault(ErrorKind::WriteZero.into())),
            Ok(written) => IoSlice::advance_slices(&mut slices, written),
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) => return Err(fault(error)),
        }
    }
    output.flush().map_err(fault)
}

#[cfg(test)]
mod tests;
