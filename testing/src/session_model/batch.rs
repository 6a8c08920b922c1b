//! The batches: where their operands are, and what they make of them.

use super::operands::{Extent, Found, PAYLOAD, SEGMENT};
use super::{BAD_OPERAND, BAD_SHAPE, Expected, MALFORMED, NOT_FINITE, OVER_LIMIT, Session, Stop};
use crate::frames::*;
use crate::image::Image;
use crate::oracle::{Float, Naive, naive_lu, naive_solve};

/// The operands by number.
const A: usize = 0;
const LU: usize = 1;
const IPIV: usize = 2;
const B: usize = 3;
const X: usize = 4;
const INFO: usize = 5;
const RCOND: usize = 6;
const DET: usize = 7;

const VECTORS: [usize; 4] = [IPIV, INFO, RCOND, DET];

/// A request that has been found well-formed.
struct Request {
    fixed: Batch,
    roles: [u8; 8],
    count: usize,
    m: usize,
    n: usize,
    /// Columns of X.
    columns: usize,
    extents: [Extent; 8],
}

/// The factors of a matrix, its right-hand sides, its solution.
struct Solved<T> {
    lu: Vec<T>,
    ipiv: Vec<i64>,
    info: i64,
    /// `None` if it is not written.
    x: Option<Vec<T>>,
}

impl Request {
    /// Checks what does not depend on segments.
    fn parse(fixed: Batch, max_bytes: u64) -> Result<Self, Stop> {
        let command = fixed.command;
        let roles = *BATCH_ROLES[usize::from(command - BATCH_FACTOR)];
        let has = |operand: usize| roles[operand] != b'.';
        let mut defined = SINGLE | ROW_MAJOR | MUST_BE_FINITE;
        let flags = [(IPIV, NARROW_IPIV), (X, X_ROW_MAJOR), (B, TRANSPOSED), (LU, LU_ROW_MAJOR)];
        defined |= flags.iter().filter(|(operand, _)| has(*operand)).map(|(_, flag)| flag).sum::<u32>();
        defined |= if command == BATCH_SOLVE { 0 } else { NO_PIVOTING };
        let [count, m, n, nrhs] = fixed.sizes;
        if fixed.flags & !defined != 0 || fixed.reserved != 0 || !has(B) && nrhs != 0 {
            return Err(MALFORMED);
        }
        let size: i64 = if fixed.flags & SINGLE == 0 { 8 } else { 4 };
        let one = i128::from(m).checked_mul(n.into()).and_then(|mn| mn.checked_mul(size.into()));
        if fixed.sizes.iter().any(|&size| size < 0) || one.is_none_or(|bytes| bytes >= 1 << 63) {
            return Err(BAD_SHAPE);
        }
        if command != BATCH_FACTOR && m != n || fixed.flags & NARROW_IPIV != 0 && m >= 1 << 31 {
            return Err(BAD_SHAPE);
        }
        check_places(&fixed, &roles)?;
        let columns = if command == BATCH_INVERSE { n } else { nrhs };
        let extents = extents(&fixed, columns)?;
        let mut total = 0;
        for (operand, extent) in extents.iter().enumerate().filter(|(at, _)| fixed.operands[*at].place != 0) {
            let is_replaced =
                [(A, LU), (B, X)].iter().any(|&(a, b)| b == operand && fixed.operands[a] == fixed.operands[b]);
            let elements = (extent.run * extent.count).saturating_mul(extent.matrices);
            total += if is_replaced { 0 } else { elements.saturating_mul(extent.size).min(1 << 100) };
        }
        match total {
            total if total >= 1 << 63 => Err(BAD_SHAPE),
            total if total > max_bytes.into() => Err(OVER_LIMIT),
            _ => {
                let [count, m, n, columns] = [count, m, n, columns].map(|size| size as usize);
                Ok(Request { fixed, roles, count, m, n, columns, extents })
            }
        }
    }

    fn is_set(&self, flag: u32) -> bool {
        self.fixed.flags & flag != 0
    }

    fn replaces(&self, other: usize, at: usize) -> bool {
        [(A, LU), (B, X)].contains(&(other, at)) && self.fixed.operands[other] == self.fixed.operands[at]
    }

    fn bytes(&self, operand: usize) -> usize {
        let Extent { run, count, matrices, size } = self.extents[operand];
        (run * count * matrices * size) as usize
    }

    fn is_sent(&self, operand: usize) -> bool {
        self.roles[operand] == b'i' && self.fixed.operands[operand].place == PAYLOAD
    }

    /// Whether the matrices of an operand are row-major.
    fn by_rows(&self, operand: usize) -> bool {
        self.is_set(match operand {
            A => ROW_MAJOR,
            LU => LU_ROW_MAJOR,
            _ => X_ROW_MAJOR,
        })
    }
}

/// How the operands of a batch lie in memory: the elements of a run, the runs of a matrix, the matrices, the bytes of an
/// element.
///
/// # Errors
/// The status with which a server with this limit refuses it.
pub fn batch_sizes(fixed: &Batch, max_bytes: u64) -> Result<[[u128; 4]; 8], i64> {
    match Request::parse(*fixed, max_bytes) {
        Ok(request) => Ok(request.extents.map(|Extent { run, count, matrices, size }| [run, count, matrices, size])),
        Err(Stop::Status(status)) => Err(status),
        Err(Stop::Unpredictable) => unreachable!("no memory is read"),
    }
}

/// Whether each operand is described as the command wants it.
fn check_places(fixed: &Batch, roles: &[u8; 8]) -> Result<(), Stop> {
    for (at, (operand, role)) in fixed.operands.iter().zip(roles).enumerate() {
        let described =
            if VECTORS.contains(&at) { operand.is_description() } else { operand.is_description_of_matrices() };
        let is_good = match role {
            b'.' => *operand == Operand::ABSENT,
            b'w' => described || *operand == Operand::ABSENT,
            _ => described,
        };
        if !is_good {
            return Err(BAD_OPERAND);
        }
    }
    let [a, lu, ..] = fixed.operands;
    let orders = [ROW_MAJOR, LU_ROW_MAJOR].map(|flag| fixed.flags & flag != 0);
    let is_empty = fixed.sizes[..3].contains(&0);
    if !is_empty && a.place == SEGMENT && a == lu && orders[0] != orders[1] { Err(BAD_OPERAND) } else { Ok(()) }
}

/// How the operands lie in memory.
fn extents(fixed: &Batch, columns: i64) -> Result<[Extent; 8], Stop> {
    let [count, m, n, _] = fixed.sizes.map(|size| size as u128);
    let columns = columns as u128;
    let is_set = |flag: u32| fixed.flags & flag != 0;
    let size = if is_set(SINGLE) { 4 } else { 8 };
    let matrix = |rows: u128, columns: u128, flag: u32| {
        let (run, lines) = if is_set(flag) { (columns, rows) } else { (rows, columns) };
        Extent { run, count: lines, matrices: count, size }
    };
    let vector = |run: u128, size: u128| Extent { run: run.saturating_mul(count), count: 1, matrices: 1, size };
    let x = matrix(n, columns, X_ROW_MAJOR);
    if fixed.operands[X].place != 0 && (x.run * x.count).saturating_mul(size) >= 1 << 63 {
        return Err(BAD_SHAPE);
    }
    let ipiv = vector(m.min(n), if is_set(NARROW_IPIV) { 4 } else { 8 });
    let (a, lu) = (matrix(m, n, ROW_MAJOR), matrix(m, n, LU_ROW_MAJOR));
    Ok([a, lu, ipiv, x, x, vector(1, 8), vector(1, size), vector(2, 8)])
}

impl Session {
    pub(super) fn batch(&mut self, command: u8, payload: &[u8]) -> Result<Expected, Stop> {
        let fixed = Batch::parse(command, payload.get(..BATCH_BYTES).ok_or(MALFORMED)?);
        let request = Request::parse(fixed, self.max_bytes)?;
        let sent: usize = (0..8).filter(|&at| request.is_sent(at)).map(|at| request.bytes(at)).sum();
        if payload.len() != BATCH_BYTES + sent {
            return Err(MALFORMED);
        }
        if request.is_set(SINGLE) {
            self.batch_of::<f32>(&request, &payload[BATCH_BYTES..])
        } else {
            self.batch_of::<f64>(&request, &payload[BATCH_BYTES..])
        }
    }

    fn batch_of<T: Float>(&mut self, request: &Request, mut payload: &[u8]) -> Result<Expected, Stop> {
        let found = self.find(&request.fixed.operands, &request.extents, |other, at| request.replaces(other, at))?;
        let mut inputs: [Vec<u8>; 8] = Default::default();
        for operand in [A, IPIV, B].into_iter().filter(|&operand| request.roles[operand] == b'i') {
            inputs[operand] = if request.is_sent(operand) {
                payload.split_off(..request.bytes(operand)).expect("a length that was checked").to_vec()
            } else {
                self.input::<T>(request, operand, found[operand].as_ref())?
            };
        }
        let [a, b] = [A, B].map(|at| matrices::<T>(request, at, &inputs[at]));
        let is_finite = |matrices: &[Vec<T>]| matrices.iter().flatten().all(|&x| x.into().is_finite());
        if request.is_set(MUST_BE_FINITE) && !(is_finite(&a) && is_finite(&b)) {
            return Err(NOT_FINITE);
        }
        let given = given_swaps(request, &inputs[IPIV])?;
        // There may be more matrices without elements than a loop has time for.
        let is_empty = (0..8).all(|at| request.fixed.operands[at].place == 0 || request.extents[at].is_empty());
        let count = if is_empty { 0 } else { request.count };
        let solved: Vec<Solved<T>> = (0..count).map(|k| solve(request, k, &a, &b, &given)).collect();
        Ok(self.results(request, &found, &solved))
    }

    /// The bytes of an input in a segment, without what is between them.
    fn input<T: Float>(&self, request: &Request, operand: usize, found: Option<&Found>) -> Result<Vec<u8>, Stop> {
        let (found, extent) = (found.expect("an input in a segment"), request.extents[operand]);
        let image = self.file(found.descriptor);
        let mut bytes = Vec::new();
        for at in extent.elements(found) {
            let element = if operand == IPIV {
                image.known(at, extent.size as usize).map(<[u8]>::to_vec)
            } else {
                image.element::<T>(at).map(Float::le_bytes)
            };
            bytes.extend(element.ok_or(Stop::Unpredictable)?);
        }
        Ok(bytes)
    }

    /// Writes the results to their places in segments, and returns the answer with the others.
    fn results<T: Float>(&mut self, request: &Request, found: &[Option<Found>; 8], solved: &[Solved<T>]) -> Expected {
        let has_info = request.roles[INFO] == b'r';
        let singular = solved.iter().filter(|one| has_info && one.info != 0).count() as i64;
        let mut answer = Image::from(singular.to_le_bytes().to_vec());
        // The server tells its CPU to a client that tells its own; it does not look for the next request.
        answer.extend(&(-1_i32).to_le_bytes());
        if request.fixed.cpu >= 0 {
            answer.forget(8, 4);
        }
        answer.extend(&0_u32.to_le_bytes());
        for operand in (0..8).filter(|&at| request.roles[at] != b'i' && request.fixed.operands[at].place != 0) {
            let results = result(request, operand, solved);
            match &found[operand] {
                None => results.into_iter().for_each(|value| value.add_to(&mut answer)),
                Some(place) => {
                    let image = self.image(place);
                    let places = request.extents[operand].elements(place);
                    places.zip(results).for_each(|(at, value)| value.write(image, at));
                }
            }
        }
        Expected::Data(answer)
    }
}

/// A number of a result.
enum Value<T> {
    Element(T),
    Bytes(Vec<u8>),
    /// Of a size in bytes, with bits that the model does not know.
    Unknown(usize),
    /// It is not written; in the payload it is a zero.
    Unwritten,
}

impl<T: Float> Value<T> {
    fn add_to(self, image: &mut Image) {
        match self {
            Value::Element(x) => image.extend_element(x),
            Value::Bytes(bytes) => image.extend(&bytes),
            Value::Unknown(size) => {
                image.extend(&[0; 8][..size]);
                image.forget(image.len() - size, size);
            }
            Value::Unwritten => image.extend_element(T::ZERO),
        }
    }

    fn write(self, image: &mut Image, at: usize) {
        match self {
            Value::Element(x) => image.write_element(at, x),
            Value::Bytes(bytes) => image.write(at, &bytes),
            Value::Unknown(size) => image.forget(at, size),
            Value::Unwritten => {}
        }
    }
}

/// The numbers of a result, in the order of its memory.
fn result<T: Float>(request: &Request, operand: usize, solved: &[Solved<T>]) -> Vec<Value<T>> {
    let (m, n) = (request.m, request.n);
    let one = |one: &Solved<T>| -> Vec<Value<T>> {
        let elements = |x: Vec<T>| x.into_iter().map(Value::Element).collect();
        match operand {
            LU => elements(ordered(&one.lu, m, n, request.by_rows(LU))),
            X => match &one.x {
                Some(x) => elements(ordered(x, n, request.columns, request.by_rows(X))),
                None => (0..n * n).map(|_| Value::Unwritten).collect(),
            },
            IPIV => one.ipiv.iter().map(|&row| Value::Bytes(swap_bytes(request, row))).collect(),
            INFO => vec![Value::Bytes(one.info.to_le_bytes().to_vec())],
            RCOND if n == 0 => vec![Value::Element(T::ONE)],
            RCOND => vec![Value::Unknown(size_of::<T>())],
            DET => {
                let (mantissa, exponent) = determinant(&one.lu, &one.ipiv);
                // Which NaN a NaN is, is not known, nor whether it is one.
                let bytes =
                    if mantissa.is_nan() { Value::Unknown(8) } else { Value::Bytes(mantissa.to_le_bytes().to_vec()) };
                vec![bytes, Value::Bytes(exponent.to_le_bytes().to_vec())]
            }
            _ => unreachable!("no result"),
        }
    };
    solved.iter().flat_map(one).collect()
}

fn swap_bytes(request: &Request, row: i64) -> Vec<u8> {
    if request.is_set(NARROW_IPIV) { (row as i32 - 1).to_le_bytes().to_vec() } else { row.to_le_bytes().to_vec() }
}

/// Each matrix of an input by columns.
fn matrices<T: Float>(request: &Request, operand: usize, bytes: &[u8]) -> Vec<Vec<T>> {
    let elements: Vec<T> = bytes.chunks_exact(size_of::<T>()).map(T::from_le).collect();
    let (rows, columns) = if operand == A { (request.m, request.n) } else { (request.n, request.columns) };
    let by_rows = request.by_rows(operand);
    // A matrix by rows is its transpose by columns.
    let [p, q] = if by_rows { [columns, rows] } else { [rows, columns] };
    elements.chunks_exact((rows * columns).max(1)).map(|one| ordered(one, p, q, by_rows)).collect()
}

/// A p x q matrix by columns, as it is or by rows.
pub(super) fn ordered<T: Float>(a: &[T], p: usize, q: usize, by_rows: bool) -> Vec<T> {
    if !by_rows || a.is_empty() {
        return a.to_vec();
    }
    (0..p).flat_map(|i| (0..q).map(move |j| i + j * p)).map(|at| a[at]).collect()
}

/// The row swaps of a BATCH_SOLVE, counted from 1.
fn given_swaps(request: &Request, bytes: &[u8]) -> Result<Vec<i64>, Stop> {
    let swaps: Vec<i64> = if request.is_set(NARROW_IPIV) {
        let narrow = bytes.chunks_exact(4).map(|row| i32::from_le_bytes(row.try_into().expect("4 bytes")));
        narrow.map(|row| i64::from(row) + 1).collect()
    } else {
        bytes.chunks_exact(8).map(|row| i64::from_le_bytes(row.try_into().expect("8 bytes"))).collect()
    };
    let good = swaps.iter().all(|&row| (1..=request.n as i64).contains(&row));
    if good { Ok(swaps) } else { Err(BAD_OPERAND) }
}

/// The results for matrix k. Matrices without elements are in no list.
fn solve<T: Float>(request: &Request, k: usize, a: &[Vec<T>], b: &[Vec<T>], given: &[i64]) -> Solved<T> {
    let (m, n) = (request.m, request.n);
    let of = |matrices: &[Vec<T>]| matrices.get(k).cloned().unwrap_or_default();
    let Naive { lu, ipiv, info } = if request.roles[IPIV] == b'i' {
        Naive { lu: of(a), ipiv: given[k * n..][..n].to_vec(), info: 0 }
    } else if m.min(n) == 0 {
        Naive { lu: Vec::new(), ipiv: Vec::new(), info: 0 }
    } else {
        naive_lu(&of(a), m, n, !request.is_set(NO_PIVOTING))
    };
    let solution = |b: &[T]| naive_solve(&lu, &ipiv, n, request.is_set(TRANSPOSED), b);
    let x = match (request.roles[B], info) {
        (b'i', 0) => Some(solution(&of(b))),
        (b'i', _) => Some(of(b)),
        (_, 0) if request.roles[X] == b'r' => {
            let identity: Vec<T> = (0..n * n).map(|at| if at % (n + 1) == 0 { T::ONE } else { T::ZERO }).collect();
            Some(solution(&identity))
        }
        _ => None,
    };
    Solved { lu, ipiv, info, x }
}

/// A mantissa and an exponent of two. One pivot that is zero makes it zero, also beside a NaN.
pub(super) fn determinant<T: Float>(lu: &[T], ipiv: &[i64]) -> (f64, i64) {
    let n = ipiv.len();
    if (0..n).any(|k| lu[k + k * n].into() == 0.0) {
        return (0.0, 0);
    }
    let split = |x: f64| {
        let (mut x, mut exponent) = (x, 0);
        if x == 0.0 || !x.is_finite() {
            return (x, 0);
        }
        while x.abs() >= 1.0 {
            (x, exponent) = (x / 2.0, exponent + 1);
        }
        while x.abs() < 0.5 {
            (x, exponent) = (x * 2.0, exponent - 1);
        }
        (x, exponent)
    };
    let swaps = ipiv.iter().zip(1..).filter(|&(&row, k)| row != k).count();
    let mut det = (if swaps % 2 == 0 { 0.5 } else { -0.5 }, 1);
    for k in 0..n {
        let pivot = split(lu[k + k * n].into());
        let product = split(det.0 * pivot.0);
        let is_regular = product.0 != 0.0 && product.0.is_finite();
        det = (product.0, if is_regular { product.1 + det.1 + pivot.1 } else { 0 });
    }
    det
}
