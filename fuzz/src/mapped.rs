//! What `protocol.md` makes of the bytes that answer HELLO, MAP and FACTOR, written down a second time.

use super::model::{Request, split_i64};
use super::response::{Outcome, Server, good_info, version1};

/// The longest text after the fixed part of an answer that a client reads.
const MAX_TEXT: u64 = 1 << 16;

/// An answer to a frame, and the bytes after it.
enum Answer<'a> {
    Success { fixed: &'a [u8], text: u64, rest: &'a [u8] },
    Refused { code: i64, rest: &'a [u8] },
}

/// Splits an answer off whose fixed part has this size.
fn split<'a>(answer: &'a [u8], fixed: usize, server: &Server) -> Result<Answer<'a>, Outcome> {
    let head = split_i64(answer).and_then(|(status, rest)| Some((status, split_i64(rest)?)));
    let Some((status, (length, payload))) = head else { return Err(server.too_short()) };
    let length = length as u64;
    if length > fixed as u64 + MAX_TEXT || !(-255..=0).contains(&status) || status == 0 && length < fixed as u64 {
        return Err(Outcome::OutOfStep);
    }
    if status == 0 {
        let Some((fixed, rest)) = payload.split_at_checked(fixed) else { return Err(server.too_short()) };
        return Ok(Answer::Success { fixed, text: length - fixed.len() as u64, rest });
    }
    let Some((_, rest)) = payload.split_at_checked(length as usize) else { return Err(server.too_short()) };
    Ok(Answer::Refused { code: -status, rest })
}

/// What the server said to HELLO and MAP.
enum Greeting<'a> {
    Mapped { max_bytes: u64, rest: &'a [u8] },
    NotMapped { rest: &'a [u8] },
}

fn greeting<'a>(server: &Server, answer: &'a [u8]) -> Result<Greeting<'a>, Outcome> {
    let Some((first, _)) = split_i64(answer) else { return Err(server.too_short()) };
    if first == i64::MIN + 1 {
        return Err(Outcome::Version1);
    }
    // An answer to a request that the server has not read is none.
    if server.closed_stdin || server.full_stdin {
        return Err(Outcome::OutOfStep);
    }
    let (welcome, rest) = match split(answer, 32, server)? {
        Answer::Success { fixed, text, rest } => match rest.split_at_checked(text as usize) {
            Some((_, rest)) => (Some(fixed), rest),
            None => return Err(server.too_short()),
        },
        Answer::Refused { rest, .. } => (None, rest),
    };
    let (is_mapped, rest) = match split(rest, 4, server)? {
        Answer::Success { text: 0, rest, .. } => (true, rest),
        Answer::Success { .. } => return Err(Outcome::OutOfStep),
        Answer::Refused { rest, .. } => (false, rest),
    };
    match welcome {
        Some(welcome) if !welcome.starts_with(b"RECFACT\0") => Err(Outcome::OutOfStep),
        Some(welcome) if is_mapped && welcome[12] & 1 == 1 => {
            Ok(Greeting::Mapped { max_bytes: u64::from_le_bytes(*welcome[20..].first_chunk().expect("8 bytes")), rest })
        }
        _ => Ok(Greeting::NotMapped { rest }),
    }
}

/// Whether the server has mapped the memory.
pub fn is_mapped(answer: &[u8]) -> bool {
    let server = Server { closed_stdin: false, full_stdin: false, open_stdout: false, is_asked: true };
    matches!(greeting(&server, answer), Ok(Greeting::Mapped { .. }))
}

/// What a client makes of the answers.
pub fn expected(request: &Request, server: &Server, answer: &[u8]) -> Outcome {
    let (max_bytes, rest) = match greeting(server, answer) {
        Ok(Greeting::Mapped { max_bytes, rest }) => (max_bytes, rest),
        Ok(Greeting::NotMapped { rest }) => return version1(request, server, rest),
        Err(outcome) => return outcome,
    };
    if request.matrix_bytes() > max_bytes.into() {
        return Outcome::RefusedWithWords(3);
    }
    match split(rest, 16, server) {
        Ok(Answer::Success { text: 1.., .. }) => Outcome::OutOfStep,
        // Row swaps of zero are none.
        Ok(Answer::Success { fixed, .. }) => match good_info(request, fixed) {
            Some(info) if request.pivots() == 0 => Outcome::Info(info),
            _ => Outcome::OutOfStep,
        },
        // The client reads as many bytes at once as a success would have.
        Ok(Answer::Refused { rest: more, .. }) if !more.is_empty() && rest.len() - more.len() < 32 => {
            Outcome::OutOfStep
        }
        Ok(Answer::Refused { code, .. }) => Outcome::RefusedWithWords(code),
        Err(outcome) => outcome,
    }
}
