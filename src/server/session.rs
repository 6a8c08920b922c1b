//! The loop of a session.

use std::io::{Read, Write};

use super::error::{Cause, SessionError};
use super::factor::{self, Answered};
use super::payload::Payload;
use super::state::{Limits, State};
use super::stats::Phase;
use super::stream::Streams;
use super::watch::Watch;
use super::{about, batch, factor_frame, files, mapping, system};
use crate::kernel::Isa;
use crate::options::Options;
use crate::protocol::{
    Command, EXIT, ElementType, FRAME_HEAD_BYTES, FrameCommand, HEAD_BYTES, Head, Refusal, is_frame, payload_length,
};

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
/// serve(&request[..], &mut response, &Limits { max_bytes: 1000, keep_bytes: 1000, threads: 1, engine: None })?;
/// assert_eq!(response, [0_i64.to_le_bytes(), 7_f64.to_le_bytes(), 1_i64.to_le_bytes()].concat());
/// # Ok::<(), recfact::server::SessionError>(())
/// ```
pub fn serve(input: impl Read, output: impl Write, limits: &Limits) -> Result<(), SessionError> {
    serve_watched(input, output, limits, &Watch::new())
}

/// [`serve`] while others watch.
///
/// # Errors
/// As [`serve`].
pub fn serve_watched(input: impl Read, output: impl Write, limits: &Limits, watch: &Watch) -> Result<(), SessionError> {
    let error = |request, byte, cause| SessionError { request, byte, cause };
    let isa = Isa::in_use().map_err(|unusable| error(1, 0, Cause::Library(unusable)))?;
    let mut session = Session { streams: Streams::new(input, output), state: State::new(limits, watch, isa) };
    loop {
        let start = session.streams.bytes_taken();
        match session.request() {
            Ok(Some(Answered::Request)) => session.state.request += 1,
            Ok(Some(Answered::Label)) => {}
            Ok(None) => return Ok(()),
            Err(cause) => {
                session.refuse(&cause);
                // The place of a refusal is the first byte of the request; of another error, the end of what was read.
                let refused = matches!(cause, Cause::Refused(_));
                let byte = if refused { start } else { session.streams.bytes_taken() };
                return Err(error(session.state.request, byte, cause));
            }
        }
    }
}

/// The two streams of a session and its state.
struct Session<'l, R, W> {
    streams: Streams<R, W>,
    state: State<'l>,
}

impl<R: Read, W: Write> Session<'_, R, W> {
    /// Reads the head of a request, and answers it; `None` at the end of the session.
    fn request(&mut self) -> Result<Option<Answered>, Cause> {
        // The first byte is judged before any other is waited for: an exit command consists of it alone.
        let Some(first) = self.streams.next_byte()?.filter(|&first| first != EXIT) else { return Ok(None) };
        self.state.stats.begin();
        let answered = if is_frame(first) { self.frame(first)? } else { self.version1(first)? };
        self.state.stats.end(Phase::Writing);
        Ok(Some(answered))
    }

    /// A request of version 1. A mistake ends the session.
    fn version1(&mut self, first: u8) -> Result<Answered, Cause> {
        let command = Command::from_byte(first).ok_or(Refusal::UnknownCommand(first))?;
        let mut head = [first; HEAD_BYTES];
        let got = 1 + self.streams.fill(&mut head[1..])?;
        if got < HEAD_BYTES {
            return Err(Cause::EndInHead { expected: HEAD_BYTES, fields: "command, m, n", got });
        }
        let head = Head::parse(&head, self.state.limits.max_bytes)?;
        let options = self.options(command);
        let (streams, state) = (&mut self.streams, &mut self.state);
        let answered = match command.element() {
            ElementType::F64 => factor::answer::<f64>(&head, streams, state, &options),
            ElementType::F32 => factor::answer::<f32>(&head, streams, state, &options),
        };
        if let Err(Cause::Refused(refusal @ Refusal::Cancelled)) = answered {
            // The whole request has been read, so the next one can be found.
            state.stats.count_refused();
            streams.write(&[&refusal.info().to_le_bytes()])?;
            return Ok(Answered::Request);
        }
        state.stats.count_version1();
        answered
    }

    /// An extended frame. After a mistake that is answered the session goes on with the next request.
    fn frame(&mut self, first: u8) -> Result<Answered, Cause> {
        let mut length = [0; FRAME_HEAD_BYTES - 1];
        let got = 1 + self.streams.fill(&mut length)?;
        if got < FRAME_HEAD_BYTES {
            return Err(Cause::EndInHead { expected: FRAME_HEAD_BYTES, fields: "command, length", got });
        }
        let length = payload_length(length, self.state.limits.max_bytes)?;
        let mut payload = Payload::new(&mut self.streams, length);
        match family(first, &mut payload, &mut self.state) {
            Err(Cause::Refused(refusal)) => {
                if payload.left() > 0 {
                    payload.skip()?;
                    self.state.stats.end(Phase::Reading);
                }
                self.state.stats.count_refused();
                payload.refuse(&refusal)?;
            }
            Err(Cause::Engine { code, text }) => {
                self.state.stats.count_refused();
                payload.fail(code, &text)?;
            }
            result => result?,
        }
        Ok(Answered::Request)
    }

    /// How a command is computed.
    fn options(&self, command: Command) -> Options {
        let threads = if command.is_threaded() { self.state.limits.threads } else { 1 };
        Options::new().isa(self.state.isa).pivoting(command.pivoting()).threads(threads)
    }

    /// Tells the client that its request was refused, if that is the cause. A failure to write is ignored: the session ends
    /// in any case.
    fn refuse(&mut self, cause: &Cause) {
        let _ = match cause {
            Cause::Refused(refusal @ Refusal::PayloadTooLong { .. }) => {
                Payload::new(&mut self.streams, 0).refuse(refusal)
            }
            Cause::Refused(refusal) => self.streams.write(&[&refusal.info().to_le_bytes()]),
            _ => Ok(()),
        };
    }
}

/// Dispatches an extended frame to its family.
fn family(first: u8, payload: &mut Payload<'_, impl Read, impl Write>, state: &mut State) -> Result<(), Cause> {
    let command = FrameCommand::from_byte(first).ok_or(Refusal::UnknownFrame(first))?;
    match command {
        FrameCommand::Hello => about::hello(payload, state),
        FrameCommand::Ping => about::ping(payload, state),
        FrameCommand::Stats => about::stats(payload, state),
        FrameCommand::Map => mapping::map(payload, state),
        FrameCommand::Unmap => mapping::unmap(payload, state),
        FrameCommand::Factor => factor_frame::answer(payload, state),
        FrameCommand::System(kind) => system::answer(kind, payload, state),
        FrameCommand::Release => system::release(payload, state),
        FrameCommand::Batch(kind) => batch::answer(kind, payload, state),
        FrameCommand::Files(kind) => files::answer(kind, payload, state),
    }?;
    state.stats.count_frame(command);
    Ok(())
}
