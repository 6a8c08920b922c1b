//! The loop of a session.

use std::io::{Read, Write};

use super::error::{Cause, SessionError};
use super::factor::{self, Answered};
use super::store::Store;
use super::stream::Streams;
use crate::kernel::Isa;
use crate::options::Options;
use crate::protocol::{Command, EXIT, ElementType, HEAD_BYTES, Head, Refusal};

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
/// A refused request is answered (with an `info` near `i64::MIN`) before the error is returned.
///
/// # Errors
/// [`SessionError`] if anything else ended the session.
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
/// # Ok::<(), recfact::server::SessionError>(())
/// ```
pub fn serve(input: impl Read, output: impl Write, limits: &Limits) -> Result<(), SessionError> {
    let error = |request, byte, cause| SessionError { request, byte, cause };
    let isa = Isa::in_use().map_err(|unusable| error(1, 0, Cause::Library(unusable)))?;
    let mut session = Session { streams: Streams::new(input, output), limits, isa, store: Store::default() };
    let mut request = 1;
    loop {
        let start = session.streams.bytes_read();
        match session.request() {
            Ok(Some(Answered::Request)) => request += 1,
            Ok(Some(Answered::Label)) => {}
            Ok(None) => return Ok(()),
            Err(cause) => {
                session.refuse(&cause);
                // The place of a refusal is the first byte of the request; of another error, the end of what was read.
                let refused = matches!(cause, Cause::Refused(_));
                let byte = if refused { start } else { session.streams.bytes_read() };
                return Err(error(request, byte, cause));
            }
        }
    }
}

/// The two streams of a session and what it keeps between requests.
struct Session<'l, R, W> {
    streams: Streams<R, W>,
    limits: &'l Limits,
    isa: Isa,
    store: Store,
}

impl<R: Read, W: Write> Session<'_, R, W> {
    /// Reads the head of a request, and answers it; `None` at the end of the session.
    fn request(&mut self) -> Result<Option<Answered>, Cause> {
        let mut head = [0; HEAD_BYTES];
        // The first byte is judged before any other is waited for: an exit command consists of it alone.
        let got = self.streams.read(&mut head)?;
        if got == 0 || head[0] == EXIT {
            return Ok(None);
        }
        let command = Command::from_byte(head[0]).ok_or(Refusal::UnknownCommand(head[0]))?;
        let got = got + self.streams.fill(&mut head[got..])?;
        if got < HEAD_BYTES {
            return Err(Cause::EndInHead { got });
        }
        let head = Head::parse(&head, self.limits.max_bytes)?;
        let options = self.options(command);
        let (streams, store) = (&mut self.streams, &mut self.store);
        Ok(Some(match command.element() {
            ElementType::F64 => factor::answer::<f64>(&head, streams, store, &options),
            ElementType::F32 => factor::answer::<f32>(&head, streams, store, &options),
        }?))
    }

    /// How a command is computed.
    fn options(&self, command: Command) -> Options {
        let threads = if command.is_threaded() { self.limits.threads } else { 1 };
        Options::new().isa(self.isa).pivoting(command.pivoting()).threads(threads)
    }

    /// Tells the client that its request was refused, if that is the cause. A failure to write is ignored: the session ends
    /// in any case.
    fn refuse(&mut self, cause: &Cause) {
        if let Cause::Refused(refusal) = cause {
            let _ = self.streams.write(&[&refusal.info().to_le_bytes()]);
        }
    }
}
