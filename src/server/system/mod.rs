//! KEEP, SOLVE, CONDITION, DETERMINANT, INVERSE and RELEASE: one matrix, or factors that the session keeps.

mod compute;

use std::io::{Read, Write};
use std::ops::Range;

use super::effort::Effort;
use super::error::Cause;
use super::kept::{self, Factors, Keepable};
use super::operands;
use super::payload::Payload;
use super::state::State;
use super::stats::Phase;
use super::store::Store;
use crate::lu::{flops, inverse_flops, solve_flops};
use crate::matrix::Layout;
use crate::options::Options;
use crate::os::current_cpu;
use crate::protocol::{
    ElementType, Factors as Source, SYSTEM_BYTES, SystemKind, SystemOperand, SystemRequest, WireElement,
};
use compute::{Parts, System};

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
    let (keeps, with_a) = match request.factors {
        Source::Keep { with_a } => (true, with_a),
        _ => (false, false),
    };
    let bytes = kept::bytes(request, with_a);
    if keeps {
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

    if let Some(mut factors) = made.filter(|_| keeps) {
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
    factorization
        + match request.kind {
            SystemKind::Inverse => inverse_flops(n),
            _ => solve_flops(n, request.nrhs),
        }
}
