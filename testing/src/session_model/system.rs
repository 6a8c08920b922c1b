//! KEEP, SOLVE, CONDITION, DETERMINANT, INVERSE and RELEASE: what is kept, and what is made of it. Refined solutions, bounds and
//! condition numbers are not predicted.

use std::collections::BTreeMap;

use super::batch::{determinant, ordered};
use super::operands::{Extent, Found, PAYLOAD};
use super::{BAD_OPERAND, BAD_SHAPE, Expected, MALFORMED, NO_FACTORS, NO_ROOM, NOT_FINITE, OVER_LIMIT, Session, Stop};
use crate::frames::*;
use crate::image::Image;
use crate::oracle::{Float, Naive, naive_lu, naive_solve};

const A: usize = 0;
const B: usize = 1;
const X: usize = 2;
const ACCURACY: usize = 3;

/// Factors of one type.
#[derive(Debug, Clone)]
enum Factors {
    F64(Naive<f64>),
    F32(Naive<f32>),
}

/// What is kept under a handle.
#[derive(Debug, Clone)]
struct Entry {
    factors: Factors,
    n: usize,
    with_a: bool,
    bytes: u64,
}

/// Everything that is kept.
#[derive(Debug, Default)]
pub(super) struct Kept {
    entries: BTreeMap<u32, Entry>,
    last: u32,
}

impl Kept {
    pub(super) fn count(&self) -> u64 {
        self.entries.len() as u64
    }

    pub(super) fn bytes(&self) -> u64 {
        self.entries.values().map(|entry| entry.bytes).sum()
    }
}

/// An element type of which factors are kept.
trait Kind: Float {
    fn factors(naive: Naive<Self>) -> Factors;
    fn naive(factors: &Factors) -> Option<&Naive<Self>>;
}

impl Kind for f64 {
    fn factors(naive: Naive<f64>) -> Factors {
        Factors::F64(naive)
    }
    fn naive(factors: &Factors) -> Option<&Naive<f64>> {
        if let Factors::F64(naive) = factors { Some(naive) } else { None }
    }
}

impl Kind for f32 {
    fn factors(naive: Naive<f32>) -> Factors {
        Factors::F32(naive)
    }
    fn naive(factors: &Factors) -> Option<&Naive<f32>> {
        if let Factors::F32(naive) = factors { Some(naive) } else { None }
    }
}

/// A request that has been found well-formed.
struct Request {
    fixed: System,
    n: usize,
    nrhs: usize,
    extents: [Extent; 4],
}

impl Request {
    fn parse(fixed: System, max_bytes: u64) -> Result<Self, Stop> {
        let (command, is_kept) = (fixed.command, fixed.handle != 0);
        let (solves, inverts) = (command == SOLVE, command == INVERSE);
        let is_set = |flag: u32| fixed.flags & flag != 0;
        let defined = [
            (true, SINGLE | MUST_BE_FINITE),
            (!is_kept, NO_PIVOTING | ROW_MAJOR | KEEP_A),
            (!is_kept && command != KEEP, KEEP_FACTORS),
            (!is_kept && solves, MIXED),
            (solves, TRANSPOSED | BOUNDS),
            (solves || inverts, X_ROW_MAJOR),
            (command == CONDITION, INFINITY_NORM),
        ];
        let defined: u32 = defined.iter().filter(|(is_there, _)| *is_there).map(|(_, flags)| flags).sum();
        if fixed.flags & !defined != 0 || fixed.reserved != 0 {
            return Err(MALFORMED);
        }
        if !solves && (fixed.nrhs != 0 || fixed.steps != 0) || command == KEEP && is_kept {
            return Err(MALFORMED);
        }
        let size: u128 = if is_set(SINGLE) { 4 } else { 8 };
        let matrix = (fixed.n as u128).saturating_mul(fixed.n as u128).saturating_mul(size);
        if fixed.n < 0 || fixed.nrhs < 0 || matrix >= 1 << 63 {
            return Err(BAD_SHAPE);
        }
        let keeps = command == KEEP || is_set(KEEP_FACTORS);
        if is_set(KEEP_FACTORS) && is_set(MIXED) || is_set(KEEP_A) && !keeps {
            return Err(MALFORMED);
        }
        for (operand, is_needed) in [(A, !is_kept), (B, solves), (X, solves || inverts)] {
            let description = &fixed.operands[operand];
            if is_needed != description.is_description() || !is_needed && *description != Operand::ABSENT {
                return Err(BAD_OPERAND);
            }
        }
        let accuracy = &fixed.operands[ACCURACY];
        if *accuracy != Operand::ABSENT && !(solves && accuracy.is_description()) {
            return Err(BAD_OPERAND);
        }
        let is_refined = fixed.steps > 0 || *accuracy != Operand::ABSENT;
        if is_set(MIXED) && (fixed.flags & (SINGLE | NO_PIVOTING | TRANSPOSED | BOUNDS) != 0 || is_refined) {
            return Err(MALFORMED);
        }
        let extents = extents(&fixed, size);
        let bytes = extents.map(|extent| extent.run.saturating_mul(extent.count).saturating_mul(extent.size));
        let is_counted =
            |at: usize| fixed.operands[at].place != 0 && !(at == X && solves && fixed.operands[B] == fixed.operands[X]);
        match (0..4).filter(|&at| is_counted(at)).map(|at| bytes[at].min(1 << 100)).sum::<u128>() {
            total if total >= 1 << 63 => Err(BAD_SHAPE),
            total if total > max_bytes.into() => Err(OVER_LIMIT),
            _ => Ok(Request { n: fixed.n as usize, nrhs: fixed.nrhs as usize, fixed, extents }),
        }
    }

    fn is_set(&self, flag: u32) -> bool {
        self.fixed.flags & flag != 0
    }

    fn keeps(&self) -> bool {
        self.fixed.command == KEEP || self.is_set(KEEP_FACTORS)
    }

    fn is_refined(&self) -> bool {
        self.fixed.steps > 0 || self.fixed.operands[ACCURACY] != Operand::ABSENT
    }

    fn is_sent(&self, operand: usize) -> bool {
        operand <= B && self.fixed.operands[operand].place == PAYLOAD
    }

    fn bytes(&self, operand: usize) -> usize {
        let Extent { run, count, size, .. } = self.extents[operand];
        if self.extents[operand].is_empty() { 0 } else { (run * count * size) as usize }
    }

    /// Bytes that the factors count for.
    fn kept_bytes(&self) -> u64 {
        let matrices = if self.is_set(KEEP_A) { 2 } else { 1 };
        let size = if self.is_set(SINGLE) { 4 } else { 8 };
        (matrices * self.n * self.n * size + 8 * self.n + 256) as u64
    }
}

/// How the operands lie in memory.
fn extents(fixed: &System, size: u128) -> [Extent; 4] {
    let (n, nrhs) = (fixed.n as u128, fixed.nrhs as u128);
    let columns = if fixed.command == INVERSE { n } else { nrhs };
    let matrix = |columns: u128, flag: u32| {
        let (run, count) = if fixed.flags & flag == 0 { (n, columns) } else { (columns, n) };
        Extent { run, count, matrices: 1, size }
    };
    let accuracy = Extent { run: nrhs.saturating_mul(3), count: 1, matrices: 1, size: 8 };
    [matrix(n, ROW_MAJOR), matrix(nrhs, X_ROW_MAJOR), matrix(columns, X_ROW_MAJOR), accuracy]
}

/// How the operands of a request lie in memory: the elements of a run, the runs, the bytes of an element.
///
/// # Errors
/// The status with which a server with this limit refuses it.
pub fn system_sizes(fixed: &System, max_bytes: u64) -> Result<[[u128; 3]; 4], i64> {
    match Request::parse(*fixed, max_bytes) {
        Ok(request) => Ok(request.extents.map(|Extent { run, count, size, .. }| [run, count, size])),
        Err(Stop::Status(status)) => Err(status),
        Err(Stop::Unpredictable) => unreachable!("no memory is read"),
    }
}

impl Session {
    pub(super) fn release(&mut self, payload: &[u8]) -> Result<Expected, Stop> {
        let handle = payload.try_into().map(u32::from_le_bytes).map_err(|_| MALFORMED)?;
        self.kept.entries.remove(&handle).ok_or(NO_FACTORS)?;
        Ok(Expected::Data(Image::default()))
    }

    pub(super) fn system(&mut self, command: u8, payload: &[u8]) -> Result<Expected, Stop> {
        let fixed = System::parse(command, payload.get(..SYSTEM_BYTES).ok_or(MALFORMED)?);
        let request = Request::parse(fixed, self.max_bytes)?;
        let sent: usize = (0..4).filter(|&at| request.is_sent(at)).map(|at| request.bytes(at)).sum();
        if payload.len() != SYSTEM_BYTES + sent {
            return Err(MALFORMED);
        }
        let payload = &payload[SYSTEM_BYTES..];
        if request.is_set(SINGLE) {
            self.system_of::<f32>(&request, payload)
        } else {
            self.system_of::<f64>(&request, payload)
        }
    }

    fn system_of<T: Kind>(&mut self, request: &Request, payload: &[u8]) -> Result<Expected, Stop> {
        let operands = &request.fixed.operands;
        let replaces = |other: usize, at: usize| (other, at) == (B, X) && operands[B] == operands[X];
        let found = self.find(operands, &request.extents, replaces)?;
        if request.keeps() && self.kept.bytes() + request.kept_bytes() > self.keep_bytes {
            return Err(NO_ROOM);
        }
        let kept = self.factors::<T>(request)?.cloned();
        let (of_a, of_b) = payload.split_at(if request.is_sent(A) { request.bytes(A) } else { 0 });
        let (n, nrhs) = (request.n, request.nrhs);
        let b = self.elements::<T>(request, B, found[B].as_ref(), of_b)?;
        let b = by_columns(&b, n, nrhs, request.is_set(X_ROW_MAJOR));
        let a = self.elements::<T>(request, A, found[A].as_ref(), of_a)?;
        let a = by_columns(&a, n, n, request.is_set(ROW_MAJOR));
        if request.is_set(MUST_BE_FINITE) && a.iter().chain(&b).any(|&x| !x.into().is_finite()) {
            return Err(NOT_FINITE);
        }
        let naive = kept.unwrap_or_else(|| naive_lu(&a, n, n, !request.is_set(NO_PIVOTING)));
        let answer = self.answer(request, &naive, &b, &found);
        if request.keeps() {
            self.kept.last += 1;
            let (factors, with_a, bytes) = (T::factors(naive), request.is_set(KEEP_A), request.kept_bytes());
            self.kept.entries.insert(self.kept.last, Entry { factors, n, with_a, bytes });
        }
        Ok(Expected::Data(answer))
    }

    /// The factors that a request names, if it names any.
    fn factors<T: Kind>(&self, request: &Request) -> Result<Option<&Naive<T>>, Stop> {
        if request.fixed.handle == 0 {
            return Ok(None);
        }
        let entry = self.kept.entries.get(&request.fixed.handle).ok_or(NO_FACTORS)?;
        let fits = entry.n == request.n && (entry.with_a || !request.is_refined());
        T::naive(&entry.factors).filter(|_| fits).map(Some).ok_or(NO_FACTORS)
    }

    /// The elements of an input, in the order of their memory.
    fn elements<T: Kind>(
        &self,
        request: &Request,
        operand: usize,
        found: Option<&Found>,
        payload: &[u8],
    ) -> Result<Vec<T>, Stop> {
        match found {
            None if request.is_sent(operand) => Ok(payload.chunks_exact(size_of::<T>()).map(T::from_le).collect()),
            None => Ok(Vec::new()),
            Some(found) => {
                let image = self.file(found.descriptor);
                let elements = request.extents[operand].elements(found).map(|at| image.element(at));
                elements.collect::<Option<_>>().ok_or(Stop::Unpredictable)
            }
        }
    }

    /// The answer, with the results that are in segments written there.
    fn answer<T: Kind>(&mut self, request: &Request, naive: &Naive<T>, b: &[T], found: &[Option<Found>; 4]) -> Image {
        let (n, is_mixed) = (request.n, request.is_set(MIXED));
        let mut answer = fixed_part(request, naive, if request.keeps() { self.kept.last + 1 } else { 0 });
        let solve = |b: &[T]| naive_solve(&naive.lu, &naive.ipiv, n, request.is_set(TRANSPOSED), b);
        let x = match (request.fixed.command, naive.info) {
            (SOLVE, 0) => Some(solve(b)),
            (SOLVE, _) => Some(b.to_vec()),
            (INVERSE, 0) => {
                Some(solve(&(0..n * n).map(|at| if at % (n + 1) == 0 { T::ONE } else { T::ZERO }).collect::<Vec<_>>()))
            }
            _ => None,
        };
        // What a refinement makes of X is not known, and what mixed precision does neither.
        let is_known = naive.info != 0 || !is_mixed && request.fixed.steps == 0;
        let columns = if request.fixed.command == INVERSE { n } else { request.nrhs };
        if request.fixed.operands[X].place != 0 {
            let zeros = || vec![T::ZERO; n * n];
            let elements = ordered(&x.clone().unwrap_or_else(zeros), n, columns, request.is_set(X_ROW_MAJOR));
            match &found[X] {
                None => {
                    let start = answer.len();
                    elements.iter().for_each(|&x| answer.extend_element(x));
                    let count = answer.len() - start;
                    answer.forget(start, if is_known { 0 } else { count });
                }
                Some(place) if x.is_some() => {
                    let image = self.image(place);
                    for (at, x) in request.extents[X].elements(place).zip(elements) {
                        image.write_element(at, x);
                        image.forget(at, if is_known { 0 } else { size_of::<T>() });
                    }
                }
                Some(_) => {}
            }
        }
        if request.fixed.operands[ACCURACY].place != 0 {
            let bytes = request.bytes(ACCURACY);
            match &found[ACCURACY] {
                None => {
                    answer.extend(&vec![0; bytes]);
                    answer.forget(answer.len() - bytes, bytes);
                }
                Some(place) => self.image(place).forget(place.range.start, bytes),
            }
        }
        answer
    }
}

/// The fixed part of an answer.
fn fixed_part<T: Kind>(request: &Request, naive: &Naive<T>, handle: u32) -> Image {
    let mut answer = Image::from(naive.info.to_le_bytes().to_vec());
    // The server tells its CPU to a client that tells its own; it does not look for the next request.
    answer.extend(&(-1_i32).to_le_bytes());
    if request.fixed.cpu >= 0 {
        answer.forget(8, 4);
    }
    answer.extend(&0_u32.to_le_bytes());
    answer.extend(&handle.to_le_bytes());
    answer.extend(&(-1_i32).to_le_bytes());
    if request.is_set(MIXED) {
        answer.forget(0, 8);
        answer.forget(20, 4);
    }
    answer.extend(&[0; 8]);
    if request.fixed.command == CONDITION {
        answer.forget(24, 8);
    }
    let (mantissa, exponent) =
        if request.fixed.command == DETERMINANT { determinant(&naive.lu, &naive.ipiv) } else { (0.0, 0) };
    answer.extend(&mantissa.to_le_bytes());
    if mantissa.is_nan() {
        answer.forget(32, 8);
    }
    answer.extend(&exponent.to_le_bytes());
    answer
}

/// A matrix of `rows` by `columns`, by columns, from the order of its memory.
fn by_columns<T: Float>(elements: &[T], rows: usize, columns: usize, by_rows: bool) -> Vec<T> {
    if by_rows { ordered(elements, columns, rows, true) } else { elements.to_vec() }
}
