//! Answers to batches as the Rust client reads them.
//!
//! Three bytes follow the four that every input of the target `response` has:
//!
//! | byte | bits | what they say |
//! | --- | --- | --- |
//! | 0 | 0 to 6 | the command, without 0x40, modulo 5 |
//! | | 7 | clear: a set bit asks for a system, see `system.rs` |
//! | 1 | 0, 1 | the number of matrices |
//! | | 2, 3 | the right-hand sides of each |
//! | 2 | 0 to 2 | A, X, the factors are row-major |
//! | | 3 | A^T X = B |
//! | | 4, 5 | where the factors go: 0 to the place of A, 1 to matrices of their own, 2 and 3 nowhere |
//! | | 6, 7 | row swaps: 0 counted from 1, 1 counted from 0, 2 and 3 none |
//!
//! m and n stay below 8.

use recfact::client::fuzzing::BatchCall;
use recfact::protocol::WireElement;
use recfact::{BatchMut, BatchRef, Coefficients, Determinant, Geometry, Layout, Options, Pivoting, Swaps, Transpose};
use testing::frames::*;
use testing::{Float, bits};

use super::batch_answer::{A, B, Bytes, IPIV, LU, RCOND, Results, X, results, roles, zeros};
use super::model::numbers;
use super::response::{Outcome, Server, check_last_line, check_silence, outcome, start};

/// Where the factors go.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Factors {
    /// To the place of A.
    Overwrite,
    /// To matrices of their own.
    Copy,
    /// Nowhere.
    Drop,
}

/// What is asked for.
#[derive(Debug)]
struct Request {
    batch: Batch,
    factors: Factors,
    /// Elements between columns, and between matrices.
    padding: usize,
}

impl Request {
    /// The request that these bytes describe, with the flags of the input.
    fn new(flags: u8, [m, n]: [u8; 2], [command, sizes, wanted]: [u8; 3]) -> Self {
        let command = BATCH_FACTOR + command % 5;
        let roles = roles(command);
        let bit = |byte: u8, bit: u8| byte & (1 << bit) != 0;
        let factors = match wanted >> 4 & 3 {
            _ if roles[LU] == b'.' => Factors::Drop,
            0 => Factors::Overwrite,
            1 => Factors::Copy,
            _ => Factors::Drop,
        };
        let swaps = if roles[IPIV] == b'w' { wanted >> 6 } else { 0 };
        let lu_by_rows = match factors {
            Factors::Overwrite => bit(wanted, 0),
            Factors::Copy => bit(wanted, 2),
            Factors::Drop => false,
        };
        let flags_of_batch = [
            (bit(flags, 0), SINGLE),
            (bit(flags, 1) && command != BATCH_SOLVE, NO_PIVOTING),
            (bit(wanted, 0), ROW_MAJOR),
            (bit(wanted, 1) && roles[X] == b'r', X_ROW_MAJOR),
            (lu_by_rows, LU_ROW_MAJOR),
            (bit(wanted, 3) && command == BATCH_SOLVE, TRANSPOSED),
            (swaps == 1, NARROW_IPIV),
        ];
        let flags_of_batch = flags_of_batch.into_iter().filter(|(is_set, _)| *is_set).map(|(_, flag)| flag).sum();
        let n = usize::from(n % 8);
        let m = if command == BATCH_FACTOR { (m % 8).into() } else { n };
        let nrhs = if roles[B] == b'i' { (sizes >> 2 & 3).into() } else { 0 };
        let mut batch = Batch::in_payload(command, flags_of_batch, [(sizes & 3).into(), m, n, nrhs]);
        for (operand, is_absent) in [(LU, factors == Factors::Drop), (IPIV, swaps > 1), (RCOND, true)] {
            if is_absent {
                batch.operands[operand] = Operand::ABSENT;
            }
        }
        Request { batch, factors, padding: if bit(flags, 2) { 3 } else { 0 } }
    }

    fn is_set(&self, flag: u32) -> bool {
        self.batch.flags & flag != 0
    }
}

/// Matrices, and the elements between them.
#[derive(Clone)]
struct Memory<T> {
    data: Vec<T>,
    geometry: Geometry,
}

impl<T: Float + WireElement> Memory<T> {
    /// Elements that count from `first`.
    fn new(request: &Request, [m, n]: [usize; 2], flag: u32, first: usize) -> Self {
        let (count, padding) = (request.batch.sizes[0] as usize, request.padding);
        let (layout, length, lines) =
            if request.is_set(flag) { (Layout::RowMajor, n, m) } else { (Layout::ColumnMajor, m, n) };
        let ld = length + padding;
        let geometry = Geometry::new(count, [m, n], layout, ld, ld * lines + padding).expect("room for a matrix");
        let span = geometry.span().expect("small sizes") + padding;
        Memory { data: (first..first + span).map(|x| T::from_f64(x as f64)).collect(), geometry }
    }

    fn view(&self) -> BatchRef<'_, T> {
        BatchRef::new(&self.data, self.geometry).expect("memory of this size")
    }

    fn view_mut(&mut self) -> BatchMut<'_, T> {
        BatchMut::new(&mut self.data, self.geometry).expect("memory of this size")
    }

    /// The number of its matrix and the place of each element, in the order of the wire.
    fn places(&self) -> impl Iterator<Item = (usize, usize)> + use<T> {
        let geometry = self.geometry;
        let by_rows = geometry.layout() == Layout::RowMajor;
        let (m, n) = (geometry.nrows(), geometry.ncols());
        let (length, lines) = if by_rows { (n, m) } else { (m, n) };
        (0..geometry.count() * lines * length).map(move |at| {
            let (k, line) = (at / length / lines, at / length % lines);
            (k, k * geometry.stride() + line * geometry.ld() + at % length)
        })
    }

    fn bytes(&self) -> Vec<u8> {
        self.places().flat_map(|(_, at)| self.data[at].le_bytes()).collect()
    }

    /// Stores the elements of some matrices.
    fn store(&mut self, bytes: &[u8], is_stored: impl Fn(usize) -> bool) {
        for ((k, at), x) in self.places().zip(bytes.chunks_exact(size_of::<T>())) {
            if is_stored(k) {
                self.data[at] = T::from_le(x);
            }
        }
    }
}

/// The memory of the caller. Each vector has one number more than the batch.
#[derive(Clone)]
struct Caller<T> {
    a: Memory<T>,
    lu: Memory<T>,
    /// B, or where the inverses go.
    x: Memory<T>,
    ipiv: Vec<i64>,
    piv: Vec<i32>,
    info: Vec<i64>,
    det: Vec<Determinant>,
}

impl<T: Float + WireElement> Caller<T> {
    fn new(request: &Request) -> Self {
        let [count, m, n, nrhs] = request.batch.sizes.map(|size| size as usize);
        let columns = if request.batch.command == BATCH_INVERSE { n } else { nrhs };
        let pivots = count * m.min(n) + 1;
        Caller {
            a: Memory::new(request, [m, n], ROW_MAJOR, 0),
            lu: Memory::new(request, [m, n], LU_ROW_MAJOR, 1000),
            x: Memory::new(request, [n, columns], X_ROW_MAJOR, 2000),
            // Row swaps that can be sent.
            ipiv: (0..pivots).map(|at| (at % n.max(1)) as i64 + 1).collect(),
            piv: vec![i32::MAX; pivots],
            info: vec![i64::MAX; count + 1],
            det: vec![Determinant { mantissa: 7.0, exponent: i64::MAX }; count + 1],
        }
    }

    fn call<'c>(&'c mut self, request: &Request) -> BatchCall<'c, T> {
        let Caller { a, lu, x, ipiv, piv, info, det } = self;
        let Batch { command, operands, .. } = request.batch;
        let swaps = |ipiv: &'c mut Vec<i64>, piv: &'c mut Vec<i32>| match operands[IPIV] {
            Operand::ABSENT => Swaps::Nowhere,
            _ if request.is_set(NARROW_IPIV) => Swaps::ZeroBased(piv),
            _ => Swaps::Lapack(ipiv),
        };
        let coefficients = |a: &'c mut Memory<T>, lu: &'c mut Memory<T>| match request.factors {
            Factors::Overwrite => Coefficients::Overwritten(a.view_mut()),
            Factors::Copy => Coefficients::Copied { a: a.view(), lu: lu.view_mut() },
            Factors::Drop => Coefficients::Kept(a.view()),
        };
        let transpose = if request.is_set(TRANSPOSED) { Transpose::Yes } else { Transpose::No };
        let call = match command {
            BATCH_FACTOR => BatchCall::factor(coefficients(a, lu), swaps(ipiv, piv), info),
            BATCH_SOLVE => BatchCall::solve(transpose, a.view(), ipiv, x.view_mut()),
            BATCH_GESV => BatchCall::gesv(coefficients(a, lu), swaps(ipiv, piv), x.view_mut(), info),
            BATCH_INVERSE => BatchCall::inverse(a.view(), x.view_mut(), info),
            _ => BatchCall::det(a.view(), det),
        };
        call.expect("arguments that fit together")
    }

    /// The operands that are sent.
    fn inputs(&self) -> Bytes {
        let mut inputs = Bytes::default();
        (inputs[A], inputs[B]) = (self.a.bytes(), self.x.bytes());
        inputs
    }

    /// Stores results.
    fn store(&mut self, request: &Request, [_, lu, ipiv, _, x, info, _, det]: &Bytes) {
        match request.factors {
            Factors::Overwrite => self.a.store(lu, |_| true),
            Factors::Copy => self.lu.store(lu, |_| true),
            Factors::Drop => {}
        }
        if request.is_set(NARROW_IPIV) {
            let rows = ipiv.chunks_exact(4).map(|row| i32::from_le_bytes(row.try_into().expect("4 bytes")));
            self.piv.iter_mut().zip(rows).for_each(|(to, row)| *to = row);
        } else {
            self.ipiv.iter_mut().zip(numbers(ipiv)).for_each(|(to, row)| *to = row);
        }
        // A singular matrix has no inverse.
        let info = numbers(info);
        self.x.store(x, |k| request.batch.command != BATCH_INVERSE || info[k] == 0);
        self.info.iter_mut().zip(info).for_each(|(to, info)| *to = info);
        for (to, det) in self.det.iter_mut().zip(numbers(det).chunks_exact(2)) {
            *to = Determinant { mantissa: f64::from_bits(det[0] as u64), exponent: det[1] };
        }
    }

    /// Everything that is there, as bits.
    fn image(&self) -> Vec<u64> {
        let matrices = [&self.a, &self.lu, &self.x].into_iter().flat_map(|memory| bits(&memory.data));
        let integers = self.ipiv.iter().chain(&self.info).copied().chain(self.piv.iter().map(|&row| row.into()));
        let det = self.det.iter().flat_map(|det| [det.mantissa.to_bits(), det.exponent as u64]);
        matrices.chain(integers.map(|x| x as u64)).chain(det).collect()
    }
}

/// Asks for what the bytes describe, and checks what comes.
pub fn check(flags: u8, sides: [u8; 2], bytes: [u8; 3], server: &Server, stderr: &[u8], answer: &[u8]) {
    let request = Request::new(flags, sides, bytes);
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
    let result = conversation.batch(after.call(request), &options, server.deadline());
    let outcome = outcome(result.map(|()| Outcome::Results));

    // The memory is known unless a part of the results is written, or results that are found bad.
    let (expected, memory, more) = match results(&request.batch, &before.inputs(), server, answer) {
        Results::None(outcome) => (outcome, Some(before.clone()), false),
        Results::Cut(outcome) => (outcome, None, false),
        Results::Whole { is_good: false, .. } => (Outcome::OutOfStep, None, false),
        Results::Whole { bytes, rest, .. } => {
            let mut stored = before.clone();
            stored.store(request, &bytes);
            (Outcome::Results, Some(stored), !rest.is_empty())
        }
    };
    // On a busy machine a short time is up before the client has read what is there.
    let timed_out = server.open_stdout && outcome == Outcome::TimedOut;
    assert!(outcome == expected || timed_out, "expected {expected:?}, got {outcome:?} for {request:?} of {server:?}");
    match memory.filter(|_| expected != Outcome::Results || !timed_out) {
        Some(memory) => assert!(after.image() == memory.image(), "the memory after {outcome:?} for {request:?}"),
        None => {
            let zeroed = [before, after].map(|mut caller| {
                caller.store(request, &zeros(&request.batch));
                caller.image()
            });
            assert!(zeroed[0] == zeroed[1], "written beside the results of {request:?}");
        }
    }
    if outcome == Outcome::Results {
        check_silence(&mut conversation, server, more);
    }
    check_last_line(&mut conversation);
}
