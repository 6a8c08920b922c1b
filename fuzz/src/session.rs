//! Whole sessions: the bytes that a server reads on stdin.

use recfact::protocol::{Head, Refusal, label};
use recfact::server::{Cause, Limits, SessionError, serve};

use super::model::{Request, numbers, split_i64};
use testing::{Float, bits, naive_lu};

/// Small enough for the naive factorization of every matrix.
const LIMITS: Limits = Limits { max_bytes: 1 << 16, threads: 1 };

/// How a session ends.
#[derive(Debug, PartialEq)]
enum End {
    /// By the exit command or the end of the input.
    Good,
    Refused(u8),
    /// After a frame whose payload is too long.
    TooLong,
    InHead,
    InMatrix,
    InPayload,
}

/// The next request.
enum Next<'a> {
    /// One of version 1: its head, what it says, and the bytes after it, of which there are enough for the matrix.
    Version1(&'a [u8; 17], Request, &'a [u8]),
    /// An extended one: its command, its payload, and the bytes after it.
    Frame(u8, &'a [u8], &'a [u8]),
}

/// Every request is answered with the factors of the naive loops, to the bit; the session ends where and as
/// `protocol.md` says; and there is no byte of output beside that.
pub fn session(input: &[u8]) {
    let mut output = Vec::new();
    let ended = serve(input, &mut output, &LIMITS);
    let (mut rest, mut output, mut number) = (input, &output[..], 1);
    let end = loop {
        let (head, request, after) = match next(rest) {
            Ok(Next::Version1(head, request, after)) => (head, request, after),
            Ok(Next::Frame(command, payload, after)) => {
                output = check_frame(command, payload, output);
                (rest, number) = (after, number + 1);
                continue;
            }
            Err(end) => break end,
        };
        let (elements, after) = after.split_at(request.matrix_bytes() as usize);
        let answer = output.split_off(..request.response_bytes() as usize).expect("a whole answer");
        if request.single {
            check_answer::<f32>(&request, elements, answer);
        } else {
            check_answer::<f64>(&request, elements, answer);
        }
        // A label is no request of its own.
        let head = Head::parse(head, LIMITS.max_bytes).expect("the server has answered it");
        number += u64::from(!label::is_label(&head, elements));
        rest = after;
    };
    if let End::Refused(code) = end {
        let (info, after) = split_i64(output).expect("a refusal");
        assert_eq!(info, i64::MIN + i64::from(code));
        output = after;
    }
    if end == End::TooLong {
        let (status, _, after) = split_answer(output);
        assert_eq!(status, -10);
        output = after;
    }
    assert!(output.is_empty(), "{} bytes of output that answer nothing", output.len());
    // A refusal names the place where its request begins, an early end that of the end.
    let byte = if matches!(end, End::Refused(_) | End::TooLong) { input.len() - rest.len() } else { input.len() };
    check_end(ended, end, number, byte);
}

/// The next request, or how the session ends here.
fn next(input: &[u8]) -> Result<Next<'_>, End> {
    match input.first() {
        None | Some(0xff) => return Err(End::Good),
        Some(8..=0x0f) => return Err(End::Refused(1)),
        Some(&command @ 0x10..) => {
            let (length, rest) = input[1..].split_first_chunk().ok_or(End::InHead)?;
            let length = u64::from_le_bytes(*length);
            if length > 1 << 30 {
                return Err(End::TooLong);
            }
            let (payload, after) = rest.split_at_checked(length as usize).ok_or(End::InPayload)?;
            return Ok(Next::Frame(command, payload, after));
        }
        Some(_) => {}
    }
    let (head, rest) = input.split_first_chunk().ok_or(End::InHead)?;
    let request = Request::parse(head, LIMITS.max_bytes).map_err(End::Refused)?;
    if (rest.len() as u128) < request.matrix_bytes() {
        return Err(End::InMatrix);
    }
    Ok(Next::Version1(head, request, rest))
}

/// Splits an answer to a frame off: its status, its payload, what follows.
fn split_answer(output: &[u8]) -> (i64, &[u8], &[u8]) {
    let (status, rest) = split_i64(output).expect("a status");
    let (length, rest) = split_i64(rest).expect("a length");
    let (payload, after) = rest.split_at_checked(length as usize).expect("a whole payload");
    if status < 0 {
        assert!(std::str::from_utf8(payload).is_ok_and(|words| words.contains("expected ")), "{status}");
    }
    (status, payload, after)
}

/// Checks the answer to a frame, and returns the output after it. No segment can be mapped: the descriptors of the process
/// are no sealed memfds.
fn check_frame<'a>(command: u8, payload: &[u8], output: &'a [u8]) -> &'a [u8] {
    let (status, answer, after) = split_answer(output);
    match command {
        0x10 if payload.len() >= 4 => assert!(status == 0 && answer.starts_with(b"RECFACT\0")),
        0x11 if payload.len() as u64 <= LIMITS.max_bytes => assert!(status == 0 && answer == payload),
        0x11 => assert_eq!(status, -3),
        0x12 if payload.is_empty() => assert!(status == 0 && answer.contains(&b'=')),
        0x18 if payload.len() == 24 => assert!([-3, -6, -8].contains(&status), "{status}"),
        0x19 if payload.len() == 4 => assert_eq!(status, -8),
        0x20 if payload.len() >= 128 && status == 0 => check_factors(payload, answer),
        0x20 if payload.len() >= 128 => assert!([-2, -3, -6, -7, -8, -9].contains(&status), "{status}"),
        0x10 | 0x12 | 0x18 | 0x19 | 0x20 => assert_eq!(status, -6),
        _ => assert_eq!(status, -1),
    }
    after
}

/// The factors of a matrix in the payload are those of the naive loops.
fn check_factors(payload: &[u8], answer: &[u8]) {
    let (fixed, elements) = payload.split_at(128);
    let flags = u32::from_le_bytes(*fixed.first_chunk().expect("4 bytes"));
    let sizes = [8, 16].map(|at| u128::try_from(split_i64(&fixed[at..]).expect("a size").0).expect("not negative"));
    let is_set = |flag: u32| flags & flag != 0;
    let request = Request { single: is_set(1), threaded: false, pivoting: !is_set(4), m: sizes[0], n: sizes[1] };
    assert_eq!(request.matrix_bytes(), elements.len() as u128);
    let (m, n) = (request.m as usize, request.n as usize);
    let size = if request.single { 4 } else { 8 };
    let columns: Vec<u8> = if is_set(0x100) && !elements.is_empty() {
        let element = |at: usize| &elements[(at / m + at % m * n) * size..][..size];
        (0..m * n).flat_map(element).copied().collect()
    } else {
        elements.to_vec()
    };
    let (info, factors) = (&answer[..8], &answer[16..]);
    let (factors, swaps) = factors.split_at(elements.len());
    let ipiv: Vec<u8> = if is_set(0x400) {
        let wide = |row: &[u8]| i64::from(i32::from_le_bytes(*row.first_chunk().expect("4 bytes"))) + 1;
        swaps.chunks(4).flat_map(|row| wide(row).to_le_bytes()).collect()
    } else {
        swaps.to_vec()
    };
    let version1 = [info, factors, &ipiv].concat();
    if request.single {
        check_answer::<f32>(&request, &columns, &version1);
    } else {
        check_answer::<f64>(&request, &columns, &version1);
    }
}

fn check_answer<T: Float>(request: &Request, elements: &[u8], answer: &[u8]) {
    let read = |bytes: &[u8]| -> Vec<T> { bytes.chunks_exact(size_of::<T>()).map(T::from_le).collect() };
    let (info, parts) = split_i64(answer).expect("info");
    let (factors, ipiv) = parts.split_at(elements.len());
    let naive = naive_lu(&read(elements), request.m as usize, request.n as usize, request.pivoting);
    assert_eq!((info, numbers(ipiv)), (naive.info, naive.ipiv), "{request:?}");
    assert!(bits(&read(factors)) == bits(&naive.lu), "{request:?}: the bits of the factors");
}

fn check_end(ended: Result<(), SessionError>, expected: End, number: u64, byte: usize) {
    let Err(error) = ended else { return assert_eq!(expected, End::Good) };
    let end = match error.cause {
        Cause::Refused(Refusal::PayloadTooLong { .. }) => End::TooLong,
        Cause::Refused(refusal) => End::Refused(refusal.code()),
        Cause::EndInHead { .. } => End::InHead,
        Cause::EndInMatrix { .. } => End::InMatrix,
        Cause::EndInPayload { .. } => End::InPayload,
        _ => panic!("{error}"),
    };
    assert_eq!((&end, error.request, error.byte), (&expected, number, byte as u64), "{error}");
    assert!(error.to_string().starts_with(&format!("request {number} at byte {byte}: expected ")), "{error}");
}
