//! What is computed, and where.
//!
//! A comes into memory of its own, where it is factored. B comes into the workspace, column-major, and becomes X there.

use std::ops::Range;

use crate::blas::transpose;
use crate::lu::{
    Accuracy, Determinant, Monitor, Refinement, check_finite, factor_with, inverse_with, norm, rcond, refine,
    solve_with,
};
use crate::matrix::{Layout, MatrixMut, MatrixRef};
use crate::options::{Norm, Options, Transpose};
use crate::protocol::{
    ACCURACY_BYTES, Extent, Factors as Source, Place, Refusal, SystemAnswer, SystemKind, SystemOperand, SystemRequest,
};
use crate::server::error::Cause;
use crate::server::kept::{Factors, Keepable};
use crate::server::operands::{Cutter, Shared};

const OPERANDS: usize = SystemOperand::ALL.len();

/// The parts of the workspace. Each is a range of bytes.
pub(super) struct Parts {
    /// A as it was sent, if it is row-major.
    pub(super) a: Range<usize>,
    /// B as it was sent, or X as it is answered, if they are row-major.
    pub(super) rows: Range<usize>,
    /// B, then X.
    pub(super) x: Range<usize>,
    /// B, if it is needed beside X.
    pub(super) b: Range<usize>,
    pub(super) accuracy: Range<usize>,
    pub(super) bytes: usize,
}

impl Parts {
    pub(super) fn of(request: &SystemRequest) -> Self {
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

/// A request with the memory of its operands.
pub(super) struct System<'r> {
    pub(super) request: &'r SystemRequest,
    pub(super) found: [Option<Shared>; OPERANDS],
    pub(super) parts: &'r Parts,
    pub(super) work: &'r mut [u8],
    pub(super) options: &'r Options,
}

/// The functions of a system view memory of segments as if it were this process's own, only to copy it. A segment may be changed
/// by its client at any moment: what was copied is private.
///
/// # Safety
/// - The segments have the operands, aligned. They do not overlap, except B and X.
impl System<'_> {
    /// Computes the results, and puts those that are in segments there. `kept` or `made` has the factors.
    pub(super) unsafe fn compute<T: Keepable>(
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
                        self.solve_mixed(made, &mut answer, monitor)?;
                    } else {
                        self.factor(made, monitor)?;
                    }
                    made
                }
                (None, None) => return Ok(answer),
            };
            if self.request.factors != Source::Mixed {
                answer.info = factors.info;
                self.answer(factors, &mut answer, monitor)?;
            }
            self.store_results::<T>(answer.info);
        }
        Ok(answer)
    }

    /// What is computed from the factors.
    fn answer<T: Keepable>(
        &mut self,
        factors: &Factors<T>,
        answer: &mut SystemAnswer,
        monitor: &Monitor,
    ) -> Result<(), Cause> {
        let n = factors.n;
        match self.request.kind {
            SystemKind::Keep => {}
            SystemKind::Solve => self.solve(factors, monitor)?,
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
                    inverse_with(MatrixMut::from_slice(x, n, n, n)?, &factors.ipiv, self.options, Some(monitor))?;
                } else {
                    x.fill(T::ZERO);
                }
            }
        }
        Ok(())
    }

    /// Solves in the place of B, and refines.
    fn solve<T: Keepable>(&mut self, factors: &Factors<T>, monitor: &Monitor) -> Result<(), Cause> {
        let (request, n, nrhs) = (self.request, factors.n, self.request.nrhs);
        let transpose = if request.transposed { Transpose::Yes } else { Transpose::No };
        let [x, b, to] = parts(self.work, [&self.parts.x, &self.parts.b, &self.parts.accuracy]);
        let mut x = MatrixMut::<T>::from_slice(bytemuck::cast_slice_mut(x), n, nrhs, n)?;
        if factors.info == 0 {
            solve_with(transpose, factors.lu(), &factors.ipiv, x.reborrow(), self.options, Some(monitor))?;
        }
        to.fill(0);
        // Without rows there may be more columns than a loop has time for.
        let Some(factored) = factors.factored().filter(|_| request.is_refined() && n > 0) else { return Ok(()) };
        let b = MatrixRef::<T>::from_slice(bytemuck::cast_slice(b), n, nrhs, n)?;
        let is_judged = !to.is_empty();
        let bounds = request.bounds && is_judged;
        let refinement = Refinement::new().max_steps(request.max_steps).judged(is_judged).bounds(bounds);
        // A few columns at a time, since there is no memory for the accuracy of all but that in the order of the wire.
        const COLUMNS: usize = 16;
        let mut rest = x;
        for first in (0..nrhs).step_by(COLUMNS) {
            if monitor.is_cancelled() {
                return Err(Refusal::Cancelled.into());
            }
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
    fn solve_mixed<T: Keepable>(
        &mut self,
        factors: &mut Factors<T>,
        answer: &mut SystemAnswer,
        monitor: &Monitor,
    ) -> Result<(), Cause> {
        let (n, nrhs) = (factors.n, self.request.nrhs);
        let [x, b] = parts(self.work, [&self.parts.x, &self.parts.b]);
        let mut x = MatrixMut::<T>::from_slice(bytemuck::cast_slice_mut(x), n, nrhs, n)?;
        let b = MatrixRef::<T>::from_slice(bytemuck::cast_slice(b), n, nrhs, n)?;
        let a = MatrixMut::from_slice(&mut factors.lu, n, n, n)?;
        if let Some(mixed) = T::gesv_mixed(a, &mut factors.ipiv, b, x.reborrow(), self.options, monitor) {
            let mixed = mixed?;
            (answer.info, answer.mixed_steps) = (mixed.info, mixed.steps);
            if mixed.info != 0 {
                x.copy_from(b);
            }
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
        let sent = &self.work[self.parts.a.clone()];
        load(in_segment, sent, extent, self.request.layout, factors.lu_mut())?;
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
        load(in_segment, rows, extent, self.request.layout_of_x, x.reborrow())?;
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
        match (in_segment, self.request.layout_of_x) {
            (Some(_), _) if self.request.kind == SystemKind::Inverse && info != 0 => {}
            (Some(mut place), Layout::ColumnMajor) => place.copy_from(x),
            (Some(place), Layout::RowMajor) => transpose(x, place),
            (None, Layout::RowMajor) => {
                let rows = bytemuck::cast_slice_mut(rows);
                let place = MatrixMut::from_slice(rows, extent.run, extent.count, extent.run);
                transpose(x, place.expect("the part of rows"));
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

/// Copies an operand to where it is column-major: from its segment, or from where it was sent by rows. If it was sent by columns, it is
/// there.
fn load<T: Keepable>(
    in_segment: Option<MatrixMut<'_, T>>,
    sent: &[u8],
    extent: Extent,
    layout: Layout,
    mut to: MatrixMut<'_, T>,
) -> Result<(), Cause> {
    match (in_segment, layout) {
        (Some(from), Layout::ColumnMajor) => to.copy_from(from.as_ref()),
        (Some(from), Layout::RowMajor) => transpose(from.as_ref(), to),
        (None, Layout::RowMajor) => {
            let rows = MatrixRef::from_slice(bytemuck::cast_slice(sent), extent.run, extent.count, extent.run)?;
            transpose(rows, to);
        }
        (None, Layout::ColumnMajor) => {}
    }
    Ok(())
}

/// Parts of the workspace, which do not overlap, in any order.
fn parts<'w, const N: usize>(work: &'w mut [u8], ranges: [&Range<usize>; N]) -> [&'w mut [u8]; N] {
    work.get_disjoint_mut(ranges.map(Clone::clone)).expect("parts do not overlap")
}
