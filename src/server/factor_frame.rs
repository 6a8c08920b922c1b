//! FACTOR: P A = L U of a matrix in the payload or in a segment, to the answer or to a segment.

use std::io::{Read, Write};
use std::ops::Range;

use super::effort::Effort;
use super::error::Cause;
use super::operands::{self, ALIGNMENT, Cutter, Shared};
use super::payload::Payload;
use super::segments::Segments;
use super::state::State;
use super::stats::Phase;
use crate::lu::{Monitor, Source, check_finite, factor_out_of_place, factor_with, flops};
use crate::matrix::{Layout, MatrixMut, MatrixRef};
use crate::options::Options;
use crate::os::current_cpu;
use crate::protocol::{ElementType, FACTOR_BYTES, FactorRequest, Factored, Refusal, WireElement, ipiv_wire_order};

/// FACTOR.
pub(super) fn answer(payload: &mut Payload<'_, impl Read, impl Write>, state: &mut State) -> Result<(), Cause> {
    let fixed = payload.fixed::<FACTOR_BYTES>()?;
    let request = FactorRequest::parse(&fixed, state.limits.max_bytes)?;
    payload.expect_left(request.payload_bytes() as u64)?;
    match request.shape.element() {
        ElementType::F64 => factor_and_answer::<f64>(&request, payload, state),
        ElementType::F32 => factor_and_answer::<f32>(&request, payload, state),
    }
}

/// Where the operands are. Without memory in a segment an operand is in the workspace, and in the payload or the answer.
struct Operands {
    a: Option<Shared>,
    lu: Option<Shared>,
    ipiv: Option<Shared>,
    /// Whether the factors take the place of A.
    same_place: bool,
}

impl Operands {
    /// Finds the operands, and checks that they lie in their segments and do not overlap.
    fn find(request: &FactorRequest, segments: &Segments) -> Result<Self, Refusal> {
        let same_place = request.a == request.lu;
        let operands = [
            (request.a_extent(), Some(request.a)),
            (request.lu_extent(), Some(request.lu)),
            (request.ipiv_extent(), Some(request.ipiv)),
        ];
        let [a, lu, ipiv] = operands::find(&operands, segments, |other, at| same_place && (other, at) == (0, 1))?;
        Ok(Operands { a, lu, ipiv, same_place })
    }
}

/// The parts of the workspace: what is not in a segment. Each is a range of bytes.
struct Parts {
    /// A, unless it is factored in place.
    a: Range<usize>,
    /// The factors; a row-major matrix that is replaced by its factors is factored here, too.
    lu: Range<usize>,
    /// The row swaps, as the library has them: private, since they are indices.
    ipiv: Range<usize>,
    /// The row swaps as they are sent, if those have 32 bits.
    narrow: Range<usize>,
}

impl Parts {
    fn of(request: &FactorRequest, operands: &Operands) -> Self {
        let in_place = operands.same_place && !request.row_major;
        let matrix = request.shape.matrix_bytes();
        let mut cutter = Cutter::default();
        let mut part = |is_needed: bool, bytes: usize| cutter.part(if is_needed { bytes } else { 0 });
        Parts {
            a: part(operands.a.is_none() && !in_place, matrix),
            lu: part(operands.lu.is_none() || operands.same_place && request.row_major, matrix),
            ipiv: part(true, request.shape.ipiv_bytes()),
            narrow: part(operands.ipiv.is_none() && request.narrow_ipiv, request.ipiv_extent().run * size_of::<i32>()),
        }
    }
}

/// Reads what is in the payload, factors, answers.
fn factor_and_answer<T: WireElement>(
    request: &FactorRequest,
    payload: &mut Payload<'_, impl Read, impl Write>,
    state: &mut State,
) -> Result<(), Cause> {
    let operands = Operands::find(request, &state.store.segments)?;
    let parts = Parts::of(request, &operands);
    let work = state.store.workspace.reserve(parts.narrow.end.next_multiple_of(ALIGNMENT))?;
    if operands.a.is_none() {
        let a = &mut work[if parts.a.is_empty() { parts.lu.clone() } else { parts.a.clone() }];
        payload.fill(a)?;
        T::wire_order(bytemuck::cast_slice_mut(a));
    }
    state.stats.end(Phase::Reading);

    let operations = flops(request.shape.m(), request.shape.n());
    let effort = Effort::begin(operations, request.threads, state.limits, &mut state.placement);
    let options = Options::new().isa(state.isa).pivoting(request.pivoting).threads(effort.threads);
    let info = state.watch.during(state.request, operations, |monitor| {
        compute::<T>(request, &operands, &parts, work, &options, monitor)
    })?;
    state.stats.count_operations(operations);
    state.stats.end(Phase::Computing);

    let answer = Factored { info, cpu: request.cpu.and_then(|_| current_cpu()), spin: 0 };
    let lu = if operands.lu.is_none() { parts.lu } else { 0..0 };
    T::wire_order(bytemuck::cast_slice_mut(&mut work[lu.clone()]));
    let ipiv = if operands.ipiv.is_some() {
        0..0
    } else if request.narrow_ipiv {
        parts.narrow
    } else {
        parts.ipiv
    };
    payload.answer(&[&answer.to_bytes(), &work[lu], &work[ipiv]])?;
    effort.end(request.cpu, &mut state.placement);
    Ok(())
}

/// Factors, and puts the row swaps where they are wanted. Returns `info`.
fn compute<T: WireElement>(
    request: &FactorRequest,
    operands: &Operands,
    parts: &Parts,
    work: &mut [u8],
    options: &Options,
    monitor: &Monitor,
) -> Result<i64, Cause> {
    let (m, n) = (request.shape.m(), request.shape.n());
    if request.shape.pivots() == 0 {
        // A matrix without rows may have 2^63 - 1 columns, more than a loop has time for.
        return Ok(0);
    }
    let start = work.as_mut_ptr();
    let in_work = |part: &Range<usize>, ld: usize| Shared { start: start.wrapping_add(part.start), ld, distance: 0 };
    let place = operands.lu.unwrap_or_else(|| in_work(&parts.lu, m));
    let lu = if parts.lu.is_empty() { place } else { in_work(&parts.lu, m) };
    let a_extent = request.a_extent();
    let a = operands.a.unwrap_or_else(|| if parts.a.is_empty() { lu } else { in_work(&parts.a, a_extent.run) });

    // SAFETY: the workspace has these parts, which do not overlap; a segment has these elements, aligned, as `find` has
    // checked, and they overlap nothing but A and L U, which are then the same. A segment may be changed by its client at
    // any moment: the library trusts no element, and takes no index from one without a check.
    let (a_view, ipiv, mut lu_view) = unsafe {
        (
            MatrixRef::<T>::from_raw_parts(a.start.cast(), a_extent.run, a_extent.count, a.ld),
            std::slice::from_raw_parts_mut(start.add(parts.ipiv.start).cast::<i64>(), request.shape.pivots()),
            MatrixMut::<T>::from_raw_parts(lu.start.cast(), m, n, lu.ld),
        )
    };
    let info = if a.start == lu.start {
        if request.must_be_finite {
            check_finite(a_view, options)?;
        }
        factor_with(lu_view.reborrow(), ipiv, options, Some(monitor))
    } else {
        let layout = if request.row_major { Layout::RowMajor } else { Layout::ColumnMajor };
        let source = Source { view: a_view, layout, must_be_finite: request.must_be_finite };
        factor_out_of_place(&source, lu_view.reborrow(), ipiv, options, Some(monitor))
    }?;
    if place.start != lu.start {
        // SAFETY: as above; the factors are in the workspace, and this is their place in the segment.
        let mut place = unsafe { MatrixMut::<T>::from_raw_parts(place.start.cast(), m, n, place.ld) };
        place.copy_from(lu_view.as_ref());
    }
    let narrow = request.narrow_ipiv.then(|| in_work(&parts.narrow, 0).start);
    // SAFETY: the place of the row swaps, in the segment or in the workspace, has room for them.
    unsafe { place_ipiv(ipiv, operands.ipiv.map(|shared| shared.start), narrow) };
    Ok(info)
}

/// Copies the row swaps to a segment, or to the part of the workspace for swaps of 32 bits. Without either, or where they
/// stay in the workspace as they are, they only get the order of bytes of the wire.
///
/// # Safety
/// - `shared` and `narrow` are good for `ipiv.len()` swaps of the size that is wanted: 32 bits if there is a `narrow`.
unsafe fn place_ipiv(ipiv: &mut [i64], shared: Option<*mut u8>, narrow: Option<*mut u8>) {
    match (shared, narrow) {
        (Some(to), None) => {
            // SAFETY: the caller's promise.
            unsafe { std::ptr::copy_nonoverlapping(ipiv.as_ptr(), to.cast(), ipiv.len()) };
        }
        (None, None) => ipiv_wire_order(ipiv),
        (to, Some(narrow)) => {
            for (i, &row) in ipiv.iter().enumerate() {
                // The caller has checked that m fits.
                let row = row as i32 - 1;
                match to {
                    // SAFETY: the caller's promise.
                    Some(to) => unsafe { to.cast::<i32>().add(i).write(row) },
                    // SAFETY: the caller's promise.
                    None => unsafe { narrow.cast::<i32>().add(i).write(row.to_le()) },
                }
            }
        }
    }
}
