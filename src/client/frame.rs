//! Extended frames, and the answers to them: a status, a length, a payload.

use std::io::{IoSlice, IoSliceMut};
use std::time::Instant;

use super::pipes::{Asked, Break, Pipes};
use crate::options::Options;
use crate::protocol::{ANSWER_HEAD_BYTES, FrameCommand, parse_answer_head};

/// The longest text in an answer, a message for example, in bytes. It is far more than a server sends.
const MAX_TEXT_BYTES: usize = 1 << 16;

/// The largest number of threads that a request asks for.
pub(super) fn threads(options: &Options) -> u32 {
    u32::try_from(options.threads).unwrap_or(u32::MAX).max(1)
}

/// The whole answer to a frame whose payload has no text: `N` bytes with their head.
pub(super) fn ask<const N: usize>(
    pipes: &mut Pipes,
    command: FrameCommand,
    payload: &[u8],
    deadline: Option<Instant>,
) -> Result<[u8; N], Break> {
    let (head, mut answer) = (command.head(payload.len()), [0; N]);
    let mut request = [IoSlice::new(&head), IoSlice::new(payload)];
    let asked = pipes.ask(&mut request, &mut answer, ANSWER_HEAD_BYTES, deadline)?;
    check_written(&asked)?;
    complete(pipes, &mut answer, asked.got, deadline)?;
    Ok(answer)
}

/// Checks that an answer has come after the whole request.
pub(super) fn check_written(asked: &Asked) -> Result<(), Break> {
    if asked.written_whole {
        return Ok(());
    }
    Err(Break::OutOfStep("expected an answer after the whole request, got one before".into()))
}

/// Completes an answer of a known length.
///
/// # Errors
/// What [`begin`] says, and an answer that is longer.
pub(super) fn complete(
    pipes: &mut Pipes,
    answer: &mut [u8],
    got: usize,
    deadline: Option<Instant>,
) -> Result<(), Break> {
    begin_results(pipes, answer, got, 0, deadline)
}

/// Reads the head and the fixed part of an answer into `answer`, which holds the first `got` bytes. Results of this size follow.
///
/// # Errors
/// What [`begin`] says, and an answer of another size.
pub(super) fn begin_results(
    pipes: &mut Pipes,
    answer: &mut [u8],
    got: usize,
    results: usize,
    deadline: Option<Instant>,
) -> Result<(), Break> {
    let rest = begin_before(pipes, answer, got, results.max(MAX_TEXT_BYTES), deadline)?;
    if rest == results {
        return Ok(());
    }
    let fixed = answer.len() - ANSWER_HEAD_BYTES;
    let (expected, got) = (fixed.saturating_add(results), fixed + rest);
    Err(Break::OutOfStep(format!("expected a payload of {expected} bytes, got {got}")))
}

/// Reads the head and the fixed part of an answer into `answer`, which holds the first `got` bytes. Returns the length of
/// the text that follows.
///
/// # Errors
/// [`Break::Refused`] with the words of the server, which goes on; [`Break::OutOfStep`] for what no server sends.
pub(super) fn begin(
    pipes: &mut Pipes,
    answer: &mut [u8],
    got: usize,
    deadline: Option<Instant>,
) -> Result<usize, Break> {
    begin_before(pipes, answer, got, MAX_TEXT_BYTES, deadline)
}

/// [`begin`] for an answer of which up to `max_rest` bytes follow.
fn begin_before(
    pipes: &mut Pipes,
    answer: &mut [u8],
    got: usize,
    max_rest: usize,
    deadline: Option<Instant>,
) -> Result<usize, Break> {
    let at = got.max(ANSWER_HEAD_BYTES);
    fill(pipes, &mut answer[got..at], deadline)?;
    let (head, fixed) = answer.split_first_chunk_mut().expect("room for the head");
    let (status, length) = parse_answer_head(head);
    let got = at - ANSWER_HEAD_BYTES;
    let out_of_step =
        |expected: &str| Err(Break::OutOfStep(format!("expected {expected}, got status {status}, length {length}")));
    let max = |rest: usize| fixed.len().saturating_add(rest);
    let Some(length) = usize::try_from(length).ok().filter(|&length| length <= max(max_rest)) else {
        return out_of_step("a short answer");
    };
    let is_short = length <= max(MAX_TEXT_BYTES);
    match status {
        0 if length < fixed.len() => out_of_step("the length of an answer"),
        0 => {
            fill(pipes, &mut fixed[got..], deadline)?;
            Ok(length - fixed.len())
        }
        -255..0 if length >= got && is_short => {
            let mut message = fixed[..got].to_vec();
            message.resize(length, 0);
            fill(pipes, &mut message[got..], deadline)?;
            Err(Break::Refused { code: -status, message: Some(String::from_utf8_lossy(&message).into_owned()) })
        }
        _ => out_of_step("the status and the length of an answer"),
    }
}

/// Reads a text that is of no use here.
pub(super) fn skip(pipes: &mut Pipes, mut bytes: usize, deadline: Option<Instant>) -> Result<(), Break> {
    let mut text = [0; 1024];
    while bytes > 0 {
        let part = bytes.min(text.len());
        fill(pipes, &mut text[..part], deadline)?;
        bytes -= part;
    }
    Ok(())
}

fn fill(pipes: &mut Pipes, bytes: &mut [u8], deadline: Option<Instant>) -> Result<(), Break> {
    pipes.receive(&mut [IoSliceMut::new(bytes)], deadline)
}
