//! KEEP, SOLVE, CONDITION, DETERMINANT, INVERSE and RELEASE: one matrix, or factors that the session keeps.
//!
//! A comes into memory of its own, where it is factored. B comes into the workspace, column-major, and becomes X there.

use std::io::{Read, Write};
use std::ops::Range;

use super::effort::Effort;
use super::error::Cause;
use super::kept::{self, Factors, Keepable};
use super::operands::{self, Cutter, Shared};
use super::payload::Payload;
use super::state::State;
use super::stats::Phase;
use super::store::Store;
use crate::blas::transpose;
use crate::lu::{
    Accuracy, Determinant, Monitor, Refinement, check_finite, factor_with, flops, inverse, norm, rcond, refine, solve,
    solve_flops,
};
use crate::matrix::{Layout, MatrixMut, MatrixRef};
use crate::options::{Norm, Options, Transpose};
use crate::os::current_cpu;
use crate::protocol::{
    ACCURACY_BYTES, ElementType, Extent, Factors as Source, Place, SYSTEM_BYTES, SystemAnswer, SystemKind,
    SystemOperand, SystemRequest, WireElement,
};

const OPERANDS: usize = SystemOperand::ALL.len();

/// RELEASE.
pub(super) fn release(payload: &mut Payload<'_, impl Read, impl Write>, state: &mut State) -> Result<(), Cause> {
    let handle = payload.fixed()?;
    payload.expect_left(0)?;
    state.store.kept.release(u32::from_le_bytes(handle))?;
    payload.answer(&[])
}

/// The other commands.
pub(super) fn answer(
    kind: SystemKind,
    payload: &mut Payload<'_, impl Read, impl Write>,
    state: &mut State,
) -> Result<(), Cause> {
    let fixed = payload.fixed::<SYSTEM_BYTES>()?;
    let request = SystemRequest::parse(kind, &fixed, state.limits.max_bytes)?;
    payload.expect_left(request.payload_bytes() as u64)?;
    match request.shape.element() {
        ElementType::F64 => compute_and_answer::<f64>(&request, payload, state),
        ElementType::F32 => compute_and_answer::<f32>(&request, payload, state),
    }
}

/// The parts of the workspace. Each is a range of bytes.
struct Parts {
    /// A as it was sent, if it is row-major.
    a: Range<usize>,
    /// B as it was sent, or X as it is answered, if they are row-major.
    rows: Range<usize>,
    /// B, then X.
    x: Range<usize>,
    /// B, if it is needed beside X.
    b: Range<usize>,
    accuracy: Range<usize>,
    bytes: usize,
}

impl Parts {
    fn of(request: &SystemRequest) -> Self {
        use SystemOperand::{A, B, X};
        let mut cutter = Cutter::default();
        let mut part = |is_needed: bool, bytes: usize| cutter.part(if is_needed { bytes } else { 0 });
        let [a, b, x] = [A, B, X].map(|operand| request.extent(operand).bytes());
        let is_here = |operand| request.place(operand) == Some(Place::Payload);
        let by_rows = request.layout_of_x == Layout::RowMajor;
        let needs_b = request.is_refined() || request.factors == Source::Mixed;
        Parts {
            a: part(request.is_sent(A) && request.layout == Layout::RowMajor, a),
            rows: part(by_rows && (is_here(B) || is_here(X)), x),
            x: part(request.place(X).is_some(), x),
            b: part(needs_b, b),
            accuracy: part(
                request.place(SystemOperand::Accuracy).is_some(),
                request.nrhs.saturating_mul(ACCURACY_BYTES),
            ),
            bytes: cutter.bytes(),
        }
    }
}

/// Reads what is in the payload, computes, answers.
fn compute_and_answer<T: Keepable>(
    request: &SystemRequest,
    payload: &mut Payload<'_, impl Read, impl Write>,
    state: &mut State,
) -> Result<(), Cause> {
    let described = SystemOperand::ALL.map(|operand| (request.extent(operand), request.place(operand)));
    let replaces = |other: usize, at: usize| {
        (other, at) == (SystemOperand::B as usize, SystemOperand::X as usize) && request.replaces_b()
    };
    let Store { workspace, segments, kept } = &mut state.store;
    let found = operands::find(&described, segments, replaces)?;
    let with_a = matches!(request.factors, Source::Keep { with_a: true });
    let bytes = kept::bytes(request, with_a);
    if matches!(request.factors, Source::Keep { .. }) {
        kept.check_room(bytes, state.limits.keep_bytes)?;
    }
    let factors = kept.find::<T>(request)?;
    let parts = Parts::of(request);
    let work = workspace.reserve(parts.bytes)?;
    let mut made = match factors {
        Some(_) => None,
        None => Some(Factors::new(request.shape.n(), with_a || request.is_refined())?),
    };
    read_operands(request, &parts, work, made.as_mut(), payload)?;
    state.stats.end(Phase::Reading);

    let operations = operations(request);
    let effort = Effort::begin(operations, request.threads, state.limits, &mut state.placement);
    let options = Options::new().isa(state.isa).pivoting(request.pivoting).threads(effort.threads);
    let mut system = System { request, found, parts: &parts, work, options: &options };
    let mut answer = state.watch.during(state.request, operations, |monitor| {
        // SAFETY: the segments have these operands, as `find` has checked.
        unsafe { system.compute(factors, made.as_mut(), monitor) }
    })?;
    state.stats.count_operations(operations);
    state.stats.end(Phase::Computing);

    if let Some(mut factors) = made.filter(|_| matches!(request.factors, Source::Keep { .. })) {
        factors.a = factors.a.filter(|_| with_a);
        answer.handle = Some(kept.keep(T::into_any(factors), bytes));
    }
    answer.cpu = request.cpu.and_then(|_| current_cpu());
    let here = |operand: SystemOperand, part: &Range<usize>| {
        if found[operand as usize].is_none() && request.place(operand).is_some() { part.clone() } else { 0..0 }
    };
    let x = match request.layout_of_x {
        Layout::ColumnMajor => here(SystemOperand::X, &parts.x),
        Layout::RowMajor => here(SystemOperand::X, &parts.rows),
    };
    let accuracy = here(SystemOperand::Accuracy, &parts.accuracy);
    T::wire_order(bytemuck::cast_slice_mut(&mut work[x.clone()]));
    payload.answer(&[&answer.to_bytes(), &work[x], &work[accuracy]])?;
    effort.end(request.cpu, &mut state.placement);
    Ok(())
}

/// Reads A and B, those of them that are in the payload: A to where it is factored, if it has the order of the factors, B to
/// where X will be, if it has its order.
fn read_operands<T: WireElement>(
    request: &SystemRequest,
    parts: &Parts,
    work: &mut [u8],
    factors: Option<&mut Factors<T>>,
    payload: &mut Payload<'_, impl Read, impl Write>,
) -> Result<(), Cause> {
    if let Some(factors) = factors.filter(|_| request.is_sent(SystemOperand::A)) {
        let a: &mut [u8] = match request.layout {
            Layout::ColumnMajor => bytemuck::cast_slice_mut(&mut factors.lu),
            Layout::RowMajor => &mut work[parts.a.clone()],
        };
        payload.fill(a)?;
        T::wire_order(bytemuck::cast_slice_mut(a));
    }
    if request.is_sent(SystemOperand::B) {
        let part = if request.layout_of_x == Layout::RowMajor { &parts.rows } else { &parts.x };
        let b = &mut work[part.clone()];
        payload.fill(b)?;
        T::wire_order(bytemuck::cast_slice_mut(b));
    }
    Ok(())
}

/// Floating-point operations of a request, to leading order.
fn operations(request: &SystemRequest) -> f64 {
    let n = request.shape.n();
    let factorization = if matches!(request.factors, Source::Kept(_)) { 0.0 } else { flops(n, n) };
    let columns = if request.place(SystemOperand::X).is_some() { request.columns() } else { 0 };
    factorization + solve_flops(n, columns)
}

/// A request with the memory of its operands.
struct System<'r> {
    request: &'r SystemRequest,
    found: [Option<Shared>; OPERANDS],
    parts: &'r Parts,
    work: &'r mut [u8],
    options: &'r Options,
}

/// The functions of a system view memory of segments as if it were this process's own, only to copy it. A segment may be changed
/// by its client at any moment: what was copied is private.
///
/// # Safety
/// - The segments have the operands, aligned. They do not overlap, except B and X.
impl System<'_> {
    /// Computes the results, and puts those that are in segments there. `kept` or `made` has the factors.
    unsafe fn compute<T: Keepable>(
        &mut self,
        kept: Option<&Factors<T>>,
        made: Option<&mut Factors<T>>,
        monitor: &Monitor,
    ) -> Result<SystemAnswer, Cause> {
        let mut answer =
            SystemAnswer { info: 0, cpu: None, handle: None, mixed_steps: None, rcond: 0.0, det: (0.0, 0) };
        // SAFETY: the caller's promise.
        unsafe {
            self.load_b::<T>()?;
            let factors = match (kept, made) {
                (Some(kept), _) => kept,
                (None, Some(made)) => {
                    self.load_a(made)?;
                    if self.request.factors == Source::Mixed {
                        self.solve_mixed(made, &mut answer)?;
                    } else {
                        self.factor(made, monitor)?;
                    }
                    made
                }
                (None, None) => return Ok(answer),
            };
            if self.request.factors != Source::Mixed {
                answer.info = factors.info;
                self.answer(factors, &mut answer)?;
            }
            self.store_results::<T>(answer.info);
        }
        Ok(answer)
    }

    /// What is computed from the factors.
    fn answer<T: Keepable>(&mut self, factors: &Factors<T>, answer: &mut SystemAnswer) -> Result<(), Cause> {
        let n = factors.n;
        match self.request.kind {
            SystemKind::Keep => {}
            SystemKind::Solve => self.solve(factors)?,
            SystemKind::Condition => {
                let norm = self.request.norm;
                let anorm = factors.norms[usize::from(norm == Norm::Infinity)];
                answer.rcond = rcond(norm, factors.lu(), &factors.ipiv, anorm, self.options)?;
            }
            SystemKind::Determinant => {
                let det = Determinant::of_factors(factors.lu(), &factors.ipiv);
                answer.det = (det.mantissa, det.exponent);
            }
            SystemKind::Inverse => {
                let x = bytemuck::cast_slice_mut(&mut self.work[self.parts.x.clone()]);
                if factors.info == 0 {
                    x.copy_from_slice(&factors.lu);
                    inverse(MatrixMut::from_slice(x, n, n, n)?, &factors.ipiv, self.options)?;
                } else {
                    x.fill(T::ZERO);
                }
            }
        }
        Ok(())
    }

    /// Solves in the place of B, and refines.
    fn solve<T: Keepable>(&mut self, factors: &Factors<T>) -> Result<(), Cause> {
        let (request, n, nrhs) = (self.request, factors.n, self.request.nrhs);
        let transpose = if request.transposed { Transpose::Yes } else { Transpose::No };
        let [x, b, to] = parts(self.work, [&self.parts.x, &self.parts.b, &self.parts.accuracy]);
        let mut x = MatrixMut::<T>::from_slice(bytemuck::cast_slice_mut(x), n, nrhs, n)?;
        if factors.info == 0 {
            solve(transpose, factors.lu(), &factors.ipiv, x.reborrow(), self.options)?;
        }
        to.fill(0);
        // Without rows there may be more columns than a loop has time for.
        let Some(factored) = factors.factored().filter(|_| request.is_refined() && n > 0) else { return Ok(()) };
        let b = MatrixRef::<T>::from_slice(bytemuck::cast_slice(b), n, nrhs, n)?;
        let refinement = Refinement::new().max_steps(request.max_steps).bounds(request.bounds);
        // A few columns at a time, since there is no memory for the accuracy of all but that in the order of the wire.
        const COLUMNS: usize = 16;
        let mut rest = x;
        for first in (0..nrhs).step_by(COLUMNS) {
            let count = COLUMNS.min(nrhs - first);
            let (x, later) = rest.split_at_col(count);
            rest = later;
            let mut accuracy = [Accuracy::UNKNOWN; COLUMNS];
            if factors.info == 0 {
                let b = b.block(0, first, n, count);
                refine(transpose, &factored, b, x, &mut accuracy, &refinement, self.options)?;
            }
            for (to, accuracy) in to.chunks_exact_mut(ACCURACY_BYTES).skip(first).zip(&accuracy[..count]) {
                to[..8].copy_from_slice(&accuracy.backward.to_le_bytes());
                to[8..16].copy_from_slice(&accuracy.forward.to_le_bytes());
                to[16..].copy_from_slice(&u64::from(accuracy.steps).to_le_bytes());
            }
        }
        Ok(())
    }

    /// Solves with factors in the narrower type, or if need be in this one.
    fn solve_mixed<T: Keepable>(&mut self, factors: &mut Factors<T>, answer: &mut SystemAnswer) -> Result<(), Cause> {
        let (n, nrhs) = (factors.n, self.request.nrhs);
        let [x, b] = parts(self.work, [&self.parts.x, &self.parts.b]);
        let x = MatrixMut::<T>::from_slice(bytemuck::cast_slice_mut(x), n, nrhs, n)?;
        let b = MatrixRef::<T>::from_slice(bytemuck::cast_slice(b), n, nrhs, n)?;
        let a = MatrixMut::from_slice(&mut factors.lu, n, n, n)?;
        if let Some(mixed) = T::gesv_mixed(a, &mut factors.ipiv, b, x, self.options) {
            let mixed = mixed?;
            (answer.info, answer.mixed_steps) = (mixed.info, mixed.steps);
        }
        Ok(())
    }

    /// Factors A, which is in the place of its factors.
    fn factor<T: Keepable>(&self, factors: &mut Factors<T>, monitor: &Monitor) -> Result<(), Cause> {
        if let Some(a) = &mut factors.a {
            a.copy_from_slice(&factors.lu);
        }
        if matches!(self.request.factors, Source::Keep { .. }) || self.request.kind == SystemKind::Condition {
            factors.norms = [Norm::One, Norm::Infinity].map(|of| norm(of, factors.lu()));
        }
        let lu = MatrixMut::from_slice(&mut factors.lu, factors.n, factors.n, factors.n)?;
        factors.info = factor_with(lu, &mut factors.ipiv, self.options, Some(monitor))?;
        Ok(())
    }

    /// Brings A to where it is factored, unless it is there, and checks that it is finite if that is wanted.
    unsafe fn load_a<T: Keepable>(&self, factors: &mut Factors<T>) -> Result<(), Cause> {
        let extent = self.request.extent(SystemOperand::A);
        // SAFETY: the caller's promise.
        let in_segment = unsafe { self.in_segment::<T>(SystemOperand::A, extent) };
        let by_rows = || {
            MatrixRef::from_slice(
                bytemuck::cast_slice(&self.work[self.parts.a.clone()]),
                extent.run,
                extent.count,
                extent.run,
            )
        };
        match (in_segment, self.request.layout) {
            (Some(a), Layout::ColumnMajor) => factors.lu_mut().copy_from(a.as_ref()),
            (Some(a), Layout::RowMajor) => transpose(a.as_ref(), factors.lu_mut()),
            (None, Layout::RowMajor) => transpose(by_rows()?, factors.lu_mut()),
            (None, Layout::ColumnMajor) => {}
        }
        if self.request.must_be_finite {
            check_finite(factors.lu(), self.options)?;
        }
        Ok(())
    }

    /// Brings B, column-major, to where X will be, and to a place of its own if it is needed later; checks that it is finite if that
    /// is wanted.
    unsafe fn load_b<T: Keepable>(&mut self) -> Result<(), Cause> {
        let extent = self.request.extent(SystemOperand::B);
        if self.request.place(SystemOperand::B).is_none() || extent.is_empty() {
            return Ok(());
        }
        let (n, nrhs) = (self.request.shape.n(), self.request.nrhs);
        // SAFETY: the caller's promise.
        let in_segment = unsafe { self.in_segment::<T>(SystemOperand::B, extent) };
        let [x, b, rows] = parts(self.work, [&self.parts.x, &self.parts.b, &self.parts.rows]);
        let mut x = MatrixMut::<T>::from_slice(bytemuck::cast_slice_mut(x), n, nrhs, n)?;
        let by_rows = || MatrixRef::from_slice(bytemuck::cast_slice(rows), extent.run, extent.count, extent.run);
        match (in_segment, self.request.layout_of_x) {
            (Some(b), Layout::ColumnMajor) => x.copy_from(b.as_ref()),
            (Some(b), Layout::RowMajor) => transpose(b.as_ref(), x.reborrow()),
            (None, Layout::RowMajor) => transpose(by_rows()?, x.reborrow()),
            (None, Layout::ColumnMajor) => {}
        }
        if self.request.must_be_finite {
            check_finite(x.as_ref(), self.options)?;
        }
        if !b.is_empty() {
            MatrixMut::<T>::from_slice(bytemuck::cast_slice_mut(b), n, nrhs, n)?.copy_from(x.as_ref());
        }
        Ok(())
    }

    /// Puts X and the accuracy where they are wanted. There is no inverse of a singular matrix.
    unsafe fn store_results<T: Keepable>(&mut self, info: i64) {
        if let Some(Shared { start, .. }) = self.found[SystemOperand::Accuracy as usize] {
            let accuracy = &self.work[self.parts.accuracy.clone()];
            // SAFETY: the segment has as many bytes, which overlap no memory of this process.
            unsafe { std::ptr::copy_nonoverlapping(accuracy.as_ptr(), start, accuracy.len()) };
        }
        let extent = self.request.extent(SystemOperand::X);
        if self.request.place(SystemOperand::X).is_none() || extent.is_empty() {
            return;
        }
        // SAFETY: the caller's promise.
        let in_segment = unsafe { self.in_segment::<T>(SystemOperand::X, extent) };
        let (n, columns) = (self.request.shape.n(), self.request.columns());
        let [x, rows] = parts(self.work, [&self.parts.x, &self.parts.rows]);
        let x = MatrixRef::<T>::from_slice(bytemuck::cast_slice(x), n, columns, n).expect("the part of X");
        let is_missing = self.request.kind == SystemKind::Inverse && info != 0;
        match (in_segment, self.request.layout_of_x) {
            (Some(_), _) if is_missing => {}
            (Some(mut place), Layout::ColumnMajor) => place.copy_from(x),
            (Some(place), Layout::RowMajor) => transpose(x, place),
            (None, Layout::RowMajor) => {
                let rows = bytemuck::cast_slice_mut(rows);
                transpose(
                    x,
                    MatrixMut::from_slice(rows, extent.run, extent.count, extent.run).expect("the part of rows"),
                );
            }
            (None, Layout::ColumnMajor) => {}
        }
    }

    /// An operand in a segment, as it lies there.
    unsafe fn in_segment<'v, T: Keepable>(&self, operand: SystemOperand, extent: Extent) -> Option<MatrixMut<'v, T>> {
        let Shared { start, ld, .. } = self.found[operand as usize]?;
        // SAFETY: the caller's promise.
        Some(unsafe { MatrixMut::from_raw_parts(start.cast(), extent.run, extent.count, ld) })
    }
}

/// Parts of the workspace, which do not overlap, in any order.
fn parts<'w, const N: usize>(work: &'w mut [u8], ranges: [&Range<usize>; N]) -> [&'w mut [u8]; N] {
    work.get_disjoint_mut(ranges.map(Clone::clone)).expect("parts do not overlap")
}
