//! The batches: many matrices of one shape, each operand in the payload or in a segment.
//!
//! Vectors (row swaps, `info`, ..) are in the workspace whatever their place is, and are copied from and to segments: what is
//! an index must be private.

use std::io::{Read, Write};
use std::ops::Range;

use super::effort::Effort;
use super::error::Cause;
use super::operands::{self, Cutter, Shared};
use super::payload::Payload;
use super::state::State;
use super::stats::Phase;
use crate::batch::{BatchMut, BatchRef, Geometry};
use crate::lu::{
    BatchSystem, Coefficients, Monitor, Solution, Swaps, check_batch_finite, det_batch_with, factor_batch_with,
    first_bad_row, flops, inverse_flops, solve_batch_with, solve_flops, system_batch_with,
};
use crate::matrix::{MatrixMut, MatrixRef};
use crate::options::{Options, Transpose};
use crate::os::current_cpu;
use crate::protocol::{
    BATCH_BYTES, BatchKind, BatchOperand, BatchRequest, ElementType, Extent, Factored, Place, Problem, Refusal, Role,
    WireElement,
};

const OPERANDS: usize = BatchOperand::ALL.len();

/// A batch.
pub(super) fn answer(
    kind: BatchKind,
    payload: &mut Payload<'_, impl Read, impl Write>,
    state: &mut State,
) -> Result<(), Cause> {
    let fixed = payload.fixed::<BATCH_BYTES>()?;
    let request = BatchRequest::parse(kind, &fixed, state.limits.max_bytes)?;
    payload.expect_left(request.payload_bytes() as u64)?;
    match request.shape.element() {
        ElementType::F64 => compute_and_answer::<f64>(&request, payload, state),
        ElementType::F32 => compute_and_answer::<f32>(&request, payload, state),
    }
}

/// Reads what is in the payload, computes, answers.
fn compute_and_answer<T: WireElement>(
    request: &BatchRequest,
    payload: &mut Payload<'_, impl Read, impl Write>,
    state: &mut State,
) -> Result<(), Cause> {
    let described = BatchOperand::ALL.map(|operand| (request.extent(operand), request.place(operand)));
    let replaces = |other: usize, at: usize| {
        let [other, operand] = [other, at].map(|at| BatchOperand::ALL[at]);
        operand.may_replace() == Some(other) && request.replaces(operand)
    };
    let found = operands::find(&described, &state.store.segments, replaces)?;
    let parts = Parts::of(request);
    let work = state.store.workspace.reserve(parts.bytes)?;
    for operand in BatchOperand::ALL.into_iter().filter(|&operand| request.is_sent(operand)) {
        let sent = &mut work[parts.of_operand(operand)];
        payload.fill(sent)?;
        wire_order(sent, request.extent(operand).size);
    }
    state.stats.end(Phase::Reading);

    let effort = Effort::begin(operations(request), request.threads, state.limits, &mut state.placement);
    let options = Options::new().isa(state.isa).pivoting(request.pivoting).threads(effort.threads);
    let batch = Batch { request, found, parts: &parts, work: work.as_mut_ptr() };
    let singular = state.watch.during(state.request, effort.operations, |monitor| {
        // SAFETY: the workspace has these parts, and the segments these operands, as `find` has checked.
        unsafe { batch.compute::<T>(&options, monitor) }
    })?;
    state.stats.count_operations(effort.operations);
    state.stats.end(Phase::Computing);

    let fixed = Factored { info: singular, cpu: request.cpu.and_then(|_| current_cpu()), spin: 0 }.to_bytes();
    let answered = || BatchOperand::ALL.into_iter().filter(|&operand| request.is_answered(operand));
    for operand in answered() {
        wire_order(&mut work[parts.of_operand(operand)], request.extent(operand).size);
    }
    let (mut results, mut count) = ([&fixed[..]; 1 + OPERANDS], 1);
    for operand in answered() {
        results[count] = &work[parts.of_operand(operand)];
        count += 1;
    }
    payload.answer(&results[..count])?;
    effort.end(request.cpu, &mut state.placement);
    Ok(())
}

/// Floating-point operations of a batch, to leading order.
fn operations(request: &BatchRequest) -> f64 {
    let (m, n) = (request.shape.m(), request.shape.n());
    let factorization = if request.kind == BatchKind::Solve { 0.0 } else { flops(m, n) };
    let solution = match request.kind {
        BatchKind::Inverse => inverse_flops(n),
        _ if request.place(BatchOperand::X).is_some() => solve_flops(n, request.sides(BatchOperand::X)[1]),
        _ => 0.0,
    };
    request.count as f64 * (factorization + solution)
}

/// Converts numbers of `size` bytes from the byte order of the wire to that of the CPU, or back.
fn wire_order(bytes: &mut [u8], size: usize) {
    if cfg!(target_endian = "big") {
        bytes.chunks_exact_mut(size).for_each(<[u8]>::reverse);
    }
}

/// The parts of the workspace. Each is a range of bytes.
struct Parts {
    operands: [Range<usize>; OPERANDS],
    /// The row swaps of a solution as the library has them, if those of the request have 32 bits.
    swaps: Range<usize>,
    bytes: usize,
}

impl Parts {
    fn of(request: &BatchRequest) -> Self {
        let mut cutter = Cutter::default();
        let mut operands = [const { 0..0 }; OPERANDS];
        for operand in BatchOperand::ALL {
            let is_here = match request.place(operand) {
                None => false,
                Some(Place::Payload) => true,
                Some(Place::Segment { .. }) => operand.is_vector(),
            };
            operands[operand as usize] = match operand.may_replace().filter(|_| is_replaced(request, operand)) {
                Some(replaced) => operands[replaced as usize].clone(),
                None if is_here => cutter.part(request.extent(operand).bytes()),
                None => 0..0,
            };
        }
        let is_widened = request.kind == BatchKind::Solve && request.narrow_ipiv;
        let swaps = if is_widened { request.extent(BatchOperand::Ipiv).run * size_of::<i64>() } else { 0 };
        Parts { operands, swaps: cutter.part(swaps), bytes: cutter.bytes() }
    }

    fn of_operand(&self, operand: BatchOperand) -> Range<usize> {
        self.operands[operand as usize].clone()
    }
}

/// Whether a result is computed where the input was: in its place, and in its order.
fn is_replaced(request: &BatchRequest, result: BatchOperand) -> bool {
    let same_order = result.may_replace().is_some_and(|input| request.layout(input) == request.layout(result));
    same_order && request.replaces(result)
}

/// A request with the memory of its operands.
struct Batch<'r> {
    request: &'r BatchRequest,
    found: [Option<Shared>; OPERANDS],
    parts: &'r Parts,
    work: *mut u8,
}

/// The functions of a batch view memory of segments as if it were this process's own. A segment may be changed by its client
/// at any moment: the library trusts no element of a matrix, and takes no index from one without a check. Vectors are in the
/// workspace.
///
/// # Safety
/// - `work` has the parts, and the segments have the operands, aligned. They do not overlap, except a result that has the
///   place of its input.
/// - Of a result and the input that it replaces, only one is viewed at a time.
impl Batch<'_> {
    /// Computes the results, and puts them where they are wanted. Returns the number of matrices whose `info` is not 0.
    unsafe fn compute<T: WireElement>(&self, options: &Options, monitor: &Monitor) -> Result<i64, Cause> {
        if self.request.count == 0 {
            // Matrices of which there is none may be larger than a number.
            return Ok(0);
        }
        // SAFETY: the caller's promise.
        unsafe {
            self.check_finite::<T>(options)?;
            if self.request.kind == BatchKind::Solve {
                self.take_swaps()?;
            }
            self.copy_right_hand_sides::<T>();
            self.call_library::<T>(options, monitor)?;
            let singular = self.vector::<i64>(BatchOperand::Info).iter().filter(|&&info| info != 0).count();
            if singular > 0 && self.request.kind == BatchKind::Inverse {
                self.clear_inverses::<T>();
            }
            self.place_vectors();
            Ok(singular as i64)
        }
    }

    unsafe fn call_library<T: WireElement>(&self, options: &Options, monitor: &Monitor) -> Result<(), Cause> {
        use BatchOperand::{A, B, Det, Info, Ipiv, Rcond, X};
        let request = self.request;
        let transpose = if request.transposed { Transpose::Yes } else { Transpose::No };
        let monitor = Some(monitor);
        // SAFETY: the caller's promise; each operand is viewed once.
        unsafe {
            match request.kind {
                BatchKind::Factor => {
                    let info = self.vector(Info);
                    factor_batch_with(self.coefficients::<T>(), self.swaps(), info, options, monitor)
                }
                BatchKind::Solve => {
                    let ipiv: &[i64] =
                        if request.narrow_ipiv { self.part(&self.parts.swaps) } else { self.vector(Ipiv) };
                    solve_batch_with(transpose, self.matrices::<T>(A), ipiv, self.matrices_mut(X), options, monitor)
                }
                BatchKind::Gesv | BatchKind::Inverse => {
                    let x = self.matrices_mut(X);
                    let x = if self.request.place(B).is_some() { Solution::Of(x) } else { Solution::Inverse(x) };
                    let rcond = request.place(Rcond).map(|_| self.vector(Rcond));
                    let system = BatchSystem { transpose, x, rcond };
                    let info = self.vector(Info);
                    system_batch_with(self.coefficients::<T>(), self.swaps(), system, info, options, monitor)
                }
                BatchKind::Det => det_batch_with(self.matrices::<T>(A), self.vector(Det), options, monitor),
            }
        }?;
        Ok(())
    }

    /// The matrices, and where their factors go.
    unsafe fn coefficients<T: WireElement>(&self) -> Coefficients<'_, T> {
        use BatchOperand::{A, Lu};
        // SAFETY: the caller's promise.
        unsafe {
            if self.request.place(Lu).is_none() {
                Coefficients::Kept(self.matrices(A))
            } else if is_replaced(self.request, Lu) {
                Coefficients::Overwritten(self.matrices_mut(A))
            } else {
                Coefficients::Copied { a: self.matrices(A), lu: self.matrices_mut(Lu) }
            }
        }
    }

    /// Where the row swaps go.
    unsafe fn swaps(&self) -> Swaps<'_> {
        // SAFETY: the caller's promise.
        unsafe {
            match self.request.place(BatchOperand::Ipiv) {
                None => Swaps::Nowhere,
                Some(_) if self.request.narrow_ipiv => Swaps::ZeroBased(self.vector(BatchOperand::Ipiv)),
                Some(_) => Swaps::Lapack(self.vector(BatchOperand::Ipiv)),
            }
        }
    }

    /// Checks that A and B are finite, if that is wanted.
    unsafe fn check_finite<T: WireElement>(&self, options: &Options) -> Result<(), Cause> {
        let inputs = [BatchOperand::A, BatchOperand::B].into_iter();
        for operand in inputs.filter(|&operand| self.request.must_be_finite && self.has_elements(operand)) {
            // SAFETY: the caller's promise.
            check_batch_finite(unsafe { self.matrices::<T>(operand) }, options)?;
        }
        Ok(())
    }

    /// Makes the row swaps that the client sends, or has in a segment, those of the library, and checks them.
    unsafe fn take_swaps(&self) -> Result<(), Refusal> {
        let (request, ipiv) = (self.request, BatchOperand::Ipiv);
        let part = self.parts.of_operand(ipiv);
        if let Some(shared) = self.found[ipiv as usize] {
            // SAFETY: the segment has as many bytes.
            unsafe { std::ptr::copy_nonoverlapping(shared.start, self.work.add(part.start), part.len()) };
        }
        let n = request.shape.n();
        // SAFETY: the caller's promise; the two parts do not overlap.
        let swaps: &[i64] = unsafe {
            if request.narrow_ipiv {
                let swaps: &mut [i64] = self.part(&self.parts.swaps);
                let sent: &[i32] = self.part(&part);
                swaps.iter_mut().zip(sent).for_each(|(row, &sent)| *row = i64::from(sent) + 1);
                swaps
            } else {
                self.part(&part)
            }
        };
        let Some(at) = first_bad_row(swaps, n) else { return Ok(()) };
        let first = i64::from(!request.narrow_ipiv);
        let rows = [first, n as i64 - 1 + first];
        let problem = Problem::Row { index: at + 1, row: swaps[at].wrapping_add(first - 1), rows };
        Err(Refusal::Operand { name: request.extent(ipiv).name, problem })
    }

    /// Copies B to the place of X, which is where the library solves.
    unsafe fn copy_right_hand_sides<T: WireElement>(&self) {
        use BatchOperand::{B, X};
        if self.request.replaces(X) || self.request.place(B).is_none() || !self.has_elements(B) {
            return;
        }
        let [b, x] = [B, X].map(|operand| self.geometry(operand));
        let [from, to] = [B, X].map(|operand| self.memory(operand).cast::<T>());
        let Extent { run, count, .. } = self.request.extent(B);
        for k in 0..self.request.count {
            // SAFETY: matrix k of both operands, which do not overlap.
            unsafe {
                let mut x = MatrixMut::from_raw_parts(to.add(k * x.stride()), run, count, x.ld());
                x.copy_from(MatrixRef::from_raw_parts(from.add(k * b.stride()), run, count, b.ld()));
            }
        }
    }

    /// Fills the inverses of singular matrices that go to the payload with zeros.
    unsafe fn clear_inverses<T: WireElement>(&self) {
        let order = self.request.shape.n();
        // SAFETY: the caller's promise.
        let (info, inverses) = unsafe {
            (self.vector::<i64>(BatchOperand::Info), self.part::<T>(&self.parts.of_operand(BatchOperand::X)))
        };
        for (inverse, _) in inverses.chunks_exact_mut(order * order).zip(info).filter(|(_, info)| **info != 0) {
            inverse.fill(T::ZERO);
        }
    }

    /// Copies those vectors that are results to their places in segments.
    unsafe fn place_vectors(&self) {
        let vectors = BatchOperand::ALL.into_iter().filter(|operand| operand.is_vector());
        for operand in vectors.filter(|&operand| self.request.kind.role(operand) != Role::Input) {
            if let Some(shared) = self.found[operand as usize] {
                let part = self.parts.of_operand(operand);
                // SAFETY: the segment has as many bytes.
                unsafe { std::ptr::copy_nonoverlapping(self.work.add(part.start), shared.start, part.len()) };
            }
        }
    }

    fn has_elements(&self, operand: BatchOperand) -> bool {
        self.request.place(operand).is_some() && !self.request.extent(operand).is_empty()
    }

    /// The first element of an operand.
    fn memory(&self, operand: BatchOperand) -> *mut u8 {
        let in_work = || self.work.wrapping_add(self.parts.operands[operand as usize].start);
        self.found[operand as usize].map_or_else(in_work, |shared| shared.start)
    }

    fn geometry(&self, operand: BatchOperand) -> Geometry {
        let (count, sides, layout) = (self.request.count, self.request.sides(operand), self.request.layout(operand));
        match self.found[operand as usize] {
            Some(Shared { ld, distance, .. }) => {
                Geometry::new(count, sides, layout, ld, distance).expect("what was checked when it was found")
            }
            None => Geometry::packed(count, sides, layout),
        }
    }

    unsafe fn matrices<T: WireElement>(&self, operand: BatchOperand) -> BatchRef<'_, T> {
        // SAFETY: the caller's promise.
        unsafe { BatchRef::from_raw_parts(self.memory(operand).cast(), self.geometry(operand)) }
    }

    unsafe fn matrices_mut<T: WireElement>(&self, operand: BatchOperand) -> BatchMut<'_, T> {
        // SAFETY: the caller's promise.
        unsafe { BatchMut::from_raw_parts(self.memory(operand).cast(), self.geometry(operand)) }
    }

    /// A vector; empty if the command does not have it.
    #[expect(clippy::mut_from_ref, reason = "the memory is not that of the batch")]
    unsafe fn vector<V>(&self, operand: BatchOperand) -> &mut [V] {
        // SAFETY: the caller's promise.
        unsafe { self.part(&self.parts.operands[operand as usize]) }
    }

    #[expect(clippy::mut_from_ref, reason = "the memory is not that of the batch")]
    unsafe fn part<V>(&self, part: &Range<usize>) -> &mut [V] {
        // SAFETY: a part of the workspace, aligned to a cache line.
        unsafe { std::slice::from_raw_parts_mut(self.work.add(part.start).cast(), part.len() / size_of::<V>()) }
    }
}
