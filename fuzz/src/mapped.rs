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

/// What a server can do, and the largest matrix that it takes.
pub struct Welcome {
    features: u8,
    pub max_bytes: u64,
}

impl Welcome {
    fn parse(bytes: &[u8]) -> Self {
        let max_bytes = u64::from_le_bytes(*bytes[20..].first_chunk().expect("8 bytes"));
        Welcome { features: bytes[12], max_bytes }
    }

    /// Whether a bit of the features is set.
    pub fn has(&self, bit: u8) -> bool {
        self.features & (1 << bit) != 0
    }
}

/// What the server said to HELLO and MAP.
pub struct Greeting<'a> {
    /// `None` if it knows no HELLO.
    pub welcome: Option<Welcome>,
    pub is_mapped: bool,
    pub rest: &'a [u8],
}

/// The fixed part of the answer to HELLO, if that is no refusal, and the bytes after the answer.
fn answer_to_hello<'a>(server: &Server, answer: &'a [u8]) -> Result<(Option<&'a [u8]>, &'a [u8]), Outcome> {
    let Some((first, _)) = split_i64(answer) else { return Err(server.too_short()) };
    if first == i64::MIN + 1 {
        return Err(Outcome::Version1);
    }
    // An answer to a request that the server has not read is none.
    if server.closed_stdin || server.full_stdin {
        return Err(Outcome::OutOfStep);
    }
    match split(answer, 32, server)? {
        Answer::Success { fixed, text, rest } => match rest.split_at_checked(text as usize) {
            Some((_, rest)) => Ok((Some(fixed), rest)),
            None => Err(server.too_short()),
        },
        Answer::Refused { rest, .. } => Ok((None, rest)),
    }
}

fn parse_welcome(fixed: Option<&[u8]>) -> Result<Option<Welcome>, Outcome> {
    let is_good = fixed.is_none_or(|fixed| fixed.starts_with(b"RECFACT\0"));
    if is_good { Ok(fixed.map(Welcome::parse)) } else { Err(Outcome::OutOfStep) }
}

/// What the server said to HELLO alone, and the bytes after that.
pub fn hello<'a>(server: &Server, answer: &'a [u8]) -> Result<(Option<Welcome>, &'a [u8]), Outcome> {
    let (fixed, rest) = answer_to_hello(server, answer)?;
    Ok((parse_welcome(fixed)?, rest))
}

/// What the server said to HELLO and MAP.
pub fn greeting<'a>(server: &Server, answer: &'a [u8]) -> Result<Greeting<'a>, Outcome> {
    let (fixed, rest) = answer_to_hello(server, answer)?;
    let (has_segment, rest) = match split(rest, 4, server)? {
        Answer::Success { text: 0, rest, .. } => (true, rest),
        Answer::Success { .. } => return Err(Outcome::OutOfStep),
        Answer::Refused { rest, .. } => (false, rest),
    };
    let welcome = parse_welcome(fixed)?;
    let is_mapped = has_segment && welcome.as_ref().is_some_and(|welcome| welcome.has(0));
    Ok(Greeting { welcome, is_mapped, rest })
}

/// Whether the server has mapped the memory.
pub fn is_mapped(answer: &[u8]) -> bool {
    let server = Server { closed_stdin: false, full_stdin: false, open_stdout: false, is_asked: true };
    greeting(&server, answer).is_ok_and(|greeting| greeting.is_mapped)
}

/// The fixed part of the answer to a computation, the length of what follows it, and the bytes that do.
pub fn computed<'a>(
    server: &Server,
    answer: &'a [u8],
    fixed_bytes: usize,
) -> Result<(&'a [u8], u64, &'a [u8]), Outcome> {
    match split(answer, fixed_bytes, server)? {
        Answer::Success { fixed, text, rest } => Ok((fixed, text, rest)),
        // The client reads as many bytes at once as a success would have.
        Answer::Refused { rest, .. } if !rest.is_empty() && answer.len() - rest.len() < 16 + fixed_bytes => {
            Err(Outcome::OutOfStep)
        }
        Answer::Refused { code, .. } => Err(Outcome::RefusedWithWords(code)),
    }
}

/// What a client makes of the answers.
pub fn expected(request: &Request, server: &Server, answer: &[u8]) -> Outcome {
    factored(request, server, answer).unwrap_or_else(|outcome| outcome)
}

fn factored(request: &Request, server: &Server, answer: &[u8]) -> Result<Outcome, Outcome> {
    let Greeting { welcome, is_mapped, rest } = greeting(server, answer)?;
    let Some(welcome) = welcome.filter(|_| is_mapped) else { return Ok(version1(request, server, rest)) };
    if request.matrix_bytes() > welcome.max_bytes.into() {
        return Err(Outcome::RefusedWithWords(3));
    }
    match computed(server, rest, 16)? {
        // Row swaps of zero are none.
        (fixed, 0, _) if request.pivots() == 0 => {
            good_info(request, fixed).map(Outcome::Info).ok_or(Outcome::OutOfStep)
        }
        _ => Err(Outcome::OutOfStep),
    }
}
