//! Responses as the Rust client reads them, from real pipes.
//!
//! An input is the flags of [`Server`], m, n and the number of bytes on stderr, one byte each; then those bytes; then what
//! the server writes to stdout. m and n stay below 16, so that everything fits into the smallest pipe. If the client asks
//! the server to map memory, nobody writes into that memory: it holds the matrix that was sent, and zeros after it.
//!
//! Bit 7 of the flags asks for a batch, or for a system: see `batch.rs` and `system.rs`.

use std::io::{PipeReader, PipeWriter, Write, pipe};
use std::time::{Duration, Instant};

use nix::fcntl::{FcntlArg, fcntl};
use recfact::client::fuzzing::{Break, Conversation};
use recfact::protocol::WireElement;
use recfact::{MatrixMut, Options, Pivoting};

use super::model::{Request, numbers, split_i64};
use super::{batch, mapped, system};
use testing::{Float, bits};

/// The smallest pipe that Linux makes.
const PIPE_BYTES: usize = 4096;
/// A client that takes longer than this to read what is already there hangs.
const PATIENCE: Duration = Duration::from_secs(60);
/// The time-out of a client whose server leaves stdout open.
const SHORT_TIMEOUT: Duration = Duration::from_millis(1);

/// How the server at the other end of the pipes behaves.
#[derive(Debug)]
pub(super) struct Server {
    /// Bit 3 of the flags: it has closed its stdin.
    pub(super) closed_stdin: bool,
    /// Bit 4: it does not read, and the pipe to it is full.
    pub(super) full_stdin: bool,
    /// Bit 5: it leaves its stdout open after the last byte.
    pub(super) open_stdout: bool,
    /// Bit 6: it is asked to map memory.
    pub(super) is_asked: bool,
}

/// What a request comes to.
#[derive(Debug, PartialEq)]
pub(super) enum Outcome {
    Info(i64),
    Refused(i64),
    /// The request was refused, and the server goes on.
    RefusedWithWords(i64),
    /// The server knows version 1 only.
    Version1,
    /// The server knows no batches, or no systems.
    Lacks {
        has_ended: bool,
    },
    /// The results of a batch or a system.
    Results,
    OutOfStep,
    Ended,
    TimedOut,
}

/// The client returns what the bytes say if they are an answer, and the error that describes them if not; always in time,
/// and without writing to memory that the answer does not fill.
pub fn response(data: &[u8]) {
    let Some((&[flags, m, n, stderr_bytes], rest)) = data.split_first_chunk() else { return };
    let bit = |bit: u8| flags & (1 << bit) != 0;
    let (batch, rest) = match rest.split_first_chunk::<3>() {
        Some((batch, rest)) if bit(7) => (Some(batch), rest),
        None if bit(7) => return,
        _ => (None, rest),
    };
    let (stderr, answer) = rest.split_at(rest.len().min(stderr_bytes.into()));
    let answer = &answer[..answer.len().min(PIPE_BYTES)];
    let server = Server { closed_stdin: bit(3), full_stdin: bit(4), open_stdout: bit(5), is_asked: bit(6) };
    if let Some(&bytes) = batch {
        if bytes[0] & 0x80 != 0 {
            return system::check(flags, n, bytes, &server, stderr, answer);
        }
        return batch::check(flags, [m, n], bytes, &server, stderr, answer);
    }
    let (m, n) = ((m % 16).into(), (n % 16).into());
    let request = Request { single: bit(0), threaded: false, pivoting: !bit(1), m, n };
    let padding = if bit(2) { 3 } else { 0 };
    if request.single {
        ask::<f32>(&request, padding, &server, stderr, answer);
    } else {
        ask::<f64>(&request, padding, &server, stderr, answer);
    }
}

/// Asks for the factors of a matrix with `padding` unused elements between its columns, and checks what comes.
fn ask<T: Float + WireElement>(request: &Request, padding: usize, server: &Server, stderr: &[u8], answer: &[u8]) {
    let (m, n, k) = (request.m as usize, request.n as usize, request.pivots() as usize);
    let lda = m + padding;
    let sent: Vec<T> = (0..lda * n).map(|i| T::from_f64(i as f64)).collect();
    let (mut a, mut ipiv) = (sent.clone(), vec![i64::MAX; k]);

    let (mut conversation, _open_ends) = start(server, stderr, answer);
    let pivoting = if request.pivoting { Pivoting::Partial } else { Pivoting::None };
    let matrix = MatrixMut::from_slice(&mut a, m, n, lda).expect("a slice of this size");
    let result = conversation.lu_in_place(matrix, &mut ipiv, &Options::new().pivoting(pivoting), server.deadline());

    let outcome = outcome(result.map(Outcome::Info));
    let expected =
        if server.is_asked { mapped::expected(request, server, answer) } else { version1(request, server, answer) };
    // On a busy machine a short time is up before the client has read what is there.
    let timed_out = server.open_stdout && outcome == Outcome::TimedOut;
    assert!(outcome == expected || timed_out, "expected {expected:?}, got {outcome:?} for {request:?} of {server:?}");
    if server.is_asked {
        // A version 1 answer may follow, of which the other branches say more.
        assert!(bits(&a) == bits(&sent) || !mapped::is_mapped(answer), "the memory holds what was sent");
    } else if let Outcome::Info(_) = outcome {
        let (factors, swaps) = answer[8..].split_at(request.matrix_bytes() as usize);
        let factors: Vec<T> = factors.chunks_exact(size_of::<T>()).map(T::from_le).collect();
        assert_eq!(bits(&columns(&a, 0..m, lda)), bits(&factors));
        assert_eq!(ipiv, numbers(&swaps[..8 * k]));
        let more = answer.len() as u128 > request.response_bytes();
        check_silence(&mut conversation, server, more);
    } else if good_info(request, answer).is_none() {
        assert!(bits(&a) == bits(&sent) && ipiv.iter().all(|&row| row == i64::MAX), "written without a good info");
    }
    assert_eq!(bits(&columns(&a, m..lda, lda)), bits(&columns(&sent, m..lda, lda)), "written between the columns");
    check_last_line(&mut conversation);
}

/// A client whose server has already said everything, and the ends of pipes that stay open.
pub(super) fn start(
    server: &Server,
    stderr: &[u8],
    answer: &[u8],
) -> (Conversation, (Option<PipeReader>, Option<PipeWriter>)) {
    let (from_client, mut stdin) = pipe().expect("a pipe");
    let (stdout, mut to_client) = pipe().expect("a pipe");
    let (errors, mut log) = pipe().expect("a pipe");
    if server.full_stdin {
        let bytes = fcntl(&stdin, FcntlArg::F_SETPIPE_SZ(PIPE_BYTES as i32)).expect("a smaller pipe");
        stdin.write_all(&vec![0; bytes as usize]).expect("room for as many bytes as the pipe has");
    }
    to_client.write_all(answer).expect("room in the pipe");
    log.write_all(stderr).expect("room in the pipe");
    let new = if server.is_asked { Conversation::mapped } else { Conversation::new };
    let conversation = new(stdin.into(), stdout.into(), errors.into()).expect("pipes and memory");
    (conversation, ((!server.closed_stdin).then_some(from_client), server.open_stdout.then_some(to_client)))
}

pub(super) fn outcome(result: Result<Outcome, Break>) -> Outcome {
    match result {
        Ok(outcome) => outcome,
        Err(Break::Refused { code, message: None }) => Outcome::Refused(code),
        Err(Break::Refused { code, message: Some(_) }) => Outcome::RefusedWithWords(code),
        Err(Break::Version1) => Outcome::Version1,
        Err(Break::Lacks { has_ended, .. }) => Outcome::Lacks { has_ended },
        Err(Break::OutOfStep(reason)) => {
            assert!(reason.starts_with("expected "), "{reason}");
            Outcome::OutOfStep
        }
        Err(Break::Ended) => Outcome::Ended,
        Err(Break::TimedOut) => Outcome::TimedOut,
        Err(Break::Io(operation, error)) => panic!("{operation}: {error}"),
    }
}

impl Server {
    /// What a client makes of an answer that ends too early.
    pub(super) fn too_short(&self) -> Outcome {
        if self.open_stdout { Outcome::TimedOut } else { Outcome::Ended }
    }

    /// When the client is to give up.
    pub(super) fn deadline(&self) -> Instant {
        Instant::now() + if self.open_stdout { SHORT_TIMEOUT } else { PATIENCE }
    }
}

/// What `protocol.md` makes of the bytes after a version 1 request.
pub(super) fn version1(request: &Request, server: &Server, answer: &[u8]) -> Outcome {
    let too_short = server.too_short();
    let Some((info, rest)) = split_i64(answer) else { return too_short };
    if info < -(1 << 62) {
        let code = i128::from(info) - i128::from(i64::MIN);
        return if (1..=255).contains(&code) { Outcome::Refused(code as i64) } else { Outcome::OutOfStep };
    }
    // An answer to a request that the server has not read is none.
    if server.closed_stdin || server.full_stdin || good_info(request, answer).is_none() {
        return Outcome::OutOfStep;
    }
    if (answer.len() as u128) < request.response_bytes() {
        return too_short;
    }
    let swaps = &rest[request.matrix_bytes() as usize..][..8 * request.pivots() as usize];
    let good = numbers(swaps).into_iter().zip(1..).all(|(row, i)| i <= row && row <= request.m as i64);
    if good { Outcome::Info(info) } else { Outcome::OutOfStep }
}

/// The `info`, if a factorization can have it.
pub(super) fn good_info(request: &Request, answer: &[u8]) -> Option<i64> {
    let (info, _) = split_i64(answer)?;
    let k = request.pivots() as i64;
    let range = if request.pivoting { 0..=k } else { -k..=0 };
    range.contains(&info).then_some(info)
}

/// Errors show one line of stderr.
pub(super) fn check_last_line(conversation: &mut Conversation) {
    if let Some(line) = conversation.last_line() {
        assert!(!line.is_empty() && !line.contains('\n') && line == line.trim_end(), "{line:?}");
    }
}

/// Bytes after an answer are found before the next request is sent.
pub(super) fn check_silence(conversation: &mut Conversation, server: &Server, more: bool) {
    match conversation.check_silence() {
        Ok(()) => assert!(!more && server.open_stdout),
        Err(Break::OutOfStep(_)) => assert!(more),
        Err(Break::Ended) => assert!(!more && !server.open_stdout),
        Err(other) => panic!("{other:?}"),
    }
}

/// The elements of these rows, column by column.
fn columns<T: Float>(a: &[T], rows: std::ops::Range<usize>, lda: usize) -> Vec<T> {
    a.chunks_exact(lda.max(1)).flat_map(|column| &column[rows.clone()]).copied().collect()
}
