//! Whole sessions: the bytes that a server reads on stdin.

use recfact::protocol::{Head, label};
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
    InHead,
    InMatrix,
}

/// Every request is answered with the factors of the naive loops, to the bit; the session ends where and as
/// `protocol.md` says; and there is no byte of output beside that.
pub fn session(input: &[u8]) {
    let mut output = Vec::new();
    let ended = serve(input, &mut output, &LIMITS);
    let (mut rest, mut output, mut number) = (input, &output[..], 1);
    let end = loop {
        let (head, request, after) = match next(rest) {
            Ok(next) => next,
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
    assert!(output.is_empty(), "{} bytes of output that answer nothing", output.len());
    // A refusal names the place where its request begins, an early end that of the end.
    let byte = if let End::Refused(_) = end { input.len() - rest.len() } else { input.len() };
    check_end(ended, end, number, byte);
}

/// The head of the next request, what it says, and the bytes after it, of which there are enough for the matrix; or how
/// the session ends here.
fn next(input: &[u8]) -> Result<(&[u8; 17], Request, &[u8]), End> {
    match input.first() {
        None | Some(0xff) => return Err(End::Good),
        Some(8..) => return Err(End::Refused(1)),
        Some(_) => {}
    }
    let (head, rest) = input.split_first_chunk().ok_or(End::InHead)?;
    let request = Request::parse(head, LIMITS.max_bytes).map_err(End::Refused)?;
    if (rest.len() as u128) < request.matrix_bytes() {
        return Err(End::InMatrix);
    }
    Ok((head, request, rest))
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
        Cause::Refused(refusal) => End::Refused(refusal.code()),
        Cause::EndInHead { .. } => End::InHead,
        Cause::EndInMatrix { .. } => End::InMatrix,
        _ => panic!("{error}"),
    };
    assert_eq!((&end, error.request, error.byte), (&expected, number, byte as u64), "{error}");
    assert!(error.to_string().starts_with(&format!("request {number} at byte {byte}: expected ")), "{error}");
}
