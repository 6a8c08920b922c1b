//! Answers to systems as the Rust client reads them.
//!
//! Three bytes follow the four that every input of the target `response` has:
//!
//! | byte | bits | what they say |
//! | --- | --- | --- |
//! | 0 | 0 to 6 | the command, without 0x30, modulo 5 |
//! | | 7 | set: a clear bit asks for a batch |
//! | 1 | 0, 1 | the right-hand sides |
//! | 2 | 0 | SOLVE: the solution is refined |
//! | | 1 | SOLVE: its errors are bounded, if it is refined |
//! | | 2 | SOLVE: mixed precision, and nothing of the above |
//! | | 3 | SOLVE: A^T X = B, unless in mixed precision |
//! | | 4 | KEEP: A is kept as well |
//! | | 5 | CONDITION: in the infinity norm |
//!
//! n stays below 8.

use recfact::client::fuzzing::SystemCall;
use recfact::protocol::WireElement;
use recfact::{Accuracy, MatrixMut, MatrixRef, Norm, Options, Pivoting, Refinement, Transpose};
use testing::frames::*;
use testing::session_model::system_sizes;
use testing::{Float, bits};

use super::batch_answer::greeting;
use super::mapped::computed;
use super::model::{numbers, split_i64};
use super::response::{Outcome, Server, check_last_line, check_silence, outcome, start};

/// Bytes of the fixed part of an answer.
const FIXED_BYTES: usize = 48;

/// What is asked for.
#[derive(Debug)]
struct Request {
    system: System,
    /// Elements between columns.
    padding: usize,
}

impl Request {
    /// The request that these bytes describe, with the flags of the input.
    fn new(flags: u8, n: u8, [command, sizes, wanted]: [u8; 3]) -> Self {
        let command = KEEP + (command & 0x7f) % 5;
        let bit = |byte: u8, bit: u8| byte & (1 << bit) != 0;
        let solves = command == SOLVE;
        let is_mixed = solves && bit(wanted, 2);
        let is_refined = solves && !is_mixed && bit(wanted, 0);
        let all = [
            (bit(flags, 0), SINGLE),
            (bit(flags, 1), NO_PIVOTING),
            (solves && !is_mixed && bit(wanted, 3), TRANSPOSED),
            (is_refined && bit(wanted, 1), BOUNDS),
            (is_mixed, MIXED),
            (command == KEEP && bit(wanted, 4), KEEP_A),
            (command == CONDITION && bit(wanted, 5), INFINITY_NORM),
        ];
        let all = all.into_iter().filter(|(is_set, _)| *is_set).map(|(_, flag)| flag).sum();
        let nrhs = if solves { sizes & 3 } else { 0 };
        let mut system = System::in_payload(command, all, 0, (n % 8).into(), nrhs.into());
        if is_refined {
            (system.operands[3], system.steps) = (Operand::PAYLOAD, 30);
        }
        Request { system, padding: if bit(flags, 2) { 3 } else { 0 } }
    }

    fn is_set(&self, flag: u32) -> bool {
        self.system.flags & flag != 0
    }

    fn is_refined(&self) -> bool {
        self.system.operands[3] != Operand::ABSENT
    }

    /// Rows of A and B, and columns of what becomes X.
    fn sides(&self) -> (usize, usize) {
        let System { command, n, nrhs, .. } = self.system;
        (n as usize, if command == INVERSE { n } else { nrhs } as usize)
    }

    /// Whether an answer with this fixed part is one to this request.
    fn is_good(&self, fixed: &[u8]) -> bool {
        let (info, rest) = split_i64(fixed).expect("the fixed part");
        let n = self.system.n;
        let range = if self.is_set(NO_PIVOTING) { -n..=0 } else { 0..=n };
        let has_handle = rest[8..12] != [0; 4];
        // A negative number of steps is none.
        let has_steps = rest[15] & 0x80 == 0;
        range.contains(&info) && has_handle == (self.system.command == KEEP) && (self.is_set(MIXED) || !has_steps)
    }
}

/// The memory of the caller.
#[derive(Clone)]
struct Caller<T> {
    a: Vec<T>,
    b: Vec<T>,
}

impl<T: Float + WireElement> Caller<T> {
    fn new(request: &Request) -> Self {
        let (n, columns) = request.sides();
        let ld = n + request.padding;
        let elements = |first: usize, columns: usize| (first..first + ld * columns).map(|x| T::from_f64(x as f64));
        Caller { a: elements(0, n).collect(), b: elements(1000, columns).collect() }
    }

    fn call<'c>(&'c mut self, request: &Request) -> SystemCall<'c, T> {
        let (n, columns) = request.sides();
        let ld = n + request.padding;
        let transpose = if request.is_set(TRANSPOSED) { Transpose::Yes } else { Transpose::No };
        let norm = if request.is_set(INFINITY_NORM) { Norm::Infinity } else { Norm::One };
        if request.system.command == INVERSE {
            return SystemCall::inverse(MatrixMut::from_slice(&mut self.a, n, n, ld).expect("n columns"))
                .expect("n x n");
        }
        let a = MatrixRef::from_slice(&self.a, n, n, ld).expect("n columns");
        let b = MatrixMut::from_slice(&mut self.b, n, columns, ld).expect("as many columns");
        let call = match request.system.command {
            KEEP => SystemCall::keep(a, request.is_set(KEEP_A)),
            SOLVE if request.is_set(MIXED) => SystemCall::gesv_mixed(a, b),
            SOLVE => SystemCall::gesv(a, transpose, b),
            CONDITION => SystemCall::rcond(norm, a),
            _ => SystemCall::determinant(a),
        };
        let call = call.expect("n x n, and as many rows");
        let refinement = Refinement::new().bounds(request.is_set(BOUNDS));
        if request.is_refined() { call.refined(&refinement) } else { call }
    }

    /// Where X goes.
    fn x(&mut self, request: &Request) -> &mut Vec<T> {
        if request.system.command == INVERSE { &mut self.a } else { &mut self.b }
    }

    /// Stores what an answer has for X.
    fn store(&mut self, request: &Request, bytes: &[u8]) {
        let (n, _) = request.sides();
        let ld = n + request.padding;
        for (at, x) in bytes.chunks_exact(size_of::<T>()).enumerate() {
            self.x(request)[at / n * ld + at % n] = T::from_le(x);
        }
    }

    fn image(&self) -> Vec<u64> {
        [bits(&self.a), bits(&self.b)].concat()
    }
}

/// What an answer comes to.
enum Expected<'a> {
    /// There are no results, and the client returns this.
    None(Outcome),
    /// They end too early, or are no accuracy, and the client returns this.
    Bad(Outcome),
    /// The fixed part, X unless it stays, the accuracy, and the bytes after them.
    Results { fixed: &'a [u8], x: Option<Vec<u8>>, accuracy: Vec<[u64; 3]>, rest: &'a [u8] },
}

/// What `protocol.md` makes of an answer. If the system is in mapped memory, which nobody writes, X is B, or zeros.
fn read<'a>(request: &Request, server: &Server, answer: &'a [u8]) -> Result<Expected<'a>, Outcome> {
    let (max_bytes, is_mapped, rest) = greeting(server, answer, 3)?;
    let sizes = system_sizes(&request.system, max_bytes).map_err(|status| Outcome::RefusedWithWords(-status))?;
    let bytes = |at: usize| {
        let is_there = request.system.operands[at] != Operand::ABSENT;
        if is_there { sizes[at].iter().product::<u128>() as usize } else { 0 }
    };
    let (x_bytes, accuracy_bytes) = (bytes(2), bytes(3));
    let length = if is_mapped { 0 } else { x_bytes + accuracy_bytes };
    let (fixed, got, rest) = computed(server, rest, FIXED_BYTES)?;
    if got != length as u64 || !request.is_good(fixed) {
        return Err(Outcome::OutOfStep);
    }
    let (info, _) = split_i64(fixed).expect("the fixed part");
    let Some((results, rest)) = rest.split_at_checked(length) else { return Ok(Expected::Bad(server.too_short())) };
    let unknown = [Accuracy::UNKNOWN.backward, Accuracy::UNKNOWN.forward, 0.0].map(f64::to_bits);
    if info != 0 {
        return Ok(Expected::Results { fixed, x: None, accuracy: vec![unknown; accuracy_bytes / 24], rest });
    }
    let (x, accuracy) = match (is_mapped, request.system.command) {
        (true, INVERSE) => (Some(vec![0; x_bytes]), vec![0; accuracy_bytes]),
        (true, _) => (None, vec![0; accuracy_bytes]),
        (false, _) => (Some(results[..x_bytes].to_vec()), results[x_bytes..].to_vec()),
    };
    let accuracy: Vec<[u64; 3]> = accuracy
        .chunks_exact(24)
        .map(|x| <[i64; 3]>::try_from(numbers(x)).expect("three numbers").map(|x| x as u64))
        .collect();
    if accuracy.iter().any(|[.., steps]| *steps > u32::MAX.into()) {
        return Ok(Expected::Bad(Outcome::OutOfStep));
    }
    Ok(Expected::Results { fixed, x, accuracy, rest })
}

/// Asks for what the bytes describe, and checks what comes.
pub fn check(flags: u8, n: u8, bytes: [u8; 3], server: &Server, stderr: &[u8], answer: &[u8]) {
    let request = Request::new(flags, n, bytes);
    if request.is_set(SINGLE) {
        ask::<f32>(&request, server, stderr, answer);
    } else {
        ask::<f64>(&request, server, stderr, answer);
    }
}

fn ask<T: Float + WireElement>(request: &Request, server: &Server, stderr: &[u8], answer: &[u8]) {
    let before = Caller::<T>::new(request);
    let mut after = before.clone();
    let (mut conversation, _open_ends) = start(server, stderr, answer);
    let pivoting = if request.is_set(NO_PIVOTING) { Pivoting::None } else { Pivoting::Partial };
    let options = Options::new().pivoting(pivoting);
    let mut got = None;
    let result = conversation.system(after.call(request), &options, server.deadline());
    let outcome = outcome(result.map(|results| {
        got = Some(results);
        Outcome::Results
    }));

    let mut stored = before;
    let (expected, is_known) = match read(request, server, answer).unwrap_or_else(Expected::None) {
        Expected::None(outcome) => (outcome, true),
        Expected::Bad(outcome) => (outcome, false),
        Expected::Results { fixed, x, accuracy, rest } => {
            stored.store(request, &x.unwrap_or_default());
            if let Some((got, accuracies)) = got {
                let same = got.to_bytes();
                assert_eq!((&same[..8], &same[16..20], &same[24..]), (&fixed[..8], &fixed[16..20], &fixed[24..]));
                let numbers = |x: &Accuracy| [x.backward.to_bits(), x.forward.to_bits(), x.steps.into()];
                assert_eq!(accuracies.iter().map(numbers).collect::<Vec<_>>(), accuracy);
                check_silence(&mut conversation, server, !rest.is_empty());
            }
            (Outcome::Results, true)
        }
    };
    // On a busy machine a short time is up before the client has read what is there.
    let timed_out = server.open_stdout && outcome == Outcome::TimedOut;
    assert!(outcome == expected || timed_out, "expected {expected:?}, got {outcome:?} for {request:?} of {server:?}");
    if !is_known || expected == Outcome::Results && timed_out {
        let (n, columns) = request.sides();
        let zeros = vec![0; n * columns * size_of::<T>()];
        stored.store(request, &zeros);
        after.store(request, &zeros);
    }
    assert!(after.image() == stored.image(), "the memory after {outcome:?} for {request:?}");
    check_last_line(&mut conversation);
}
