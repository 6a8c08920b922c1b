//! The requests of version 1: P A = L U of a matrix that is read from the stream, and whose factors are written to it.

use std::io::{Read, Write};

use super::error::Cause;
use super::state::State;
use super::stats::Phase;
use super::stream::Streams;
use crate::lu::{factor_with, flops};
use crate::matrix::MatrixMut;
use crate::options::Options;
use crate::protocol::{Head, Response, WireElement, ipiv_wire_order, label};

/// What was answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Answered {
    /// A request of the client.
    Request,
    /// A label, which belongs to the next request.
    Label,
}

/// Reads a matrix, factors it, writes the response. The matrix is read straight into the memory in which it is factored
/// and from which it is written.
pub(super) fn answer<T: WireElement>(
    head: &Head,
    streams: &mut Streams<impl Read, impl Write>,
    state: &mut State,
    options: &Options,
) -> Result<Answered, Cause> {
    let shape = head.shape;
    let (m, n, expected) = (shape.m(), shape.n(), shape.matrix_bytes());
    let (matrix, ipiv) = state.store.workspace.matrix(shape)?;

    let got = streams.fill(matrix)?;
    if got < expected {
        return Err(Cause::EndInMatrix { m, n, expected, got });
    }
    let answered = if label::is_label(head, matrix) { Answered::Label } else { Answered::Request };

    state.stats.end(Phase::Reading);
    state.placement.let_go();

    let a: &mut [T] = bytemuck::cast_slice_mut(matrix);
    T::wire_order(a);
    let lu = MatrixMut::in_memory(&mut *a, m, n, m);
    let operations = flops(m, n);
    let info =
        state.watch.during(state.request, operations, |monitor| factor_with(lu, ipiv, options, Some(monitor)))?;
    T::wire_order(a);
    ipiv_wire_order(ipiv);

    state.stats.count_operations(operations);
    state.stats.end(Phase::Computing);

    let (matrix, ipiv) = (bytemuck::cast_slice(a), bytemuck::cast_slice(ipiv));
    streams.write(&Response { info: info.to_le_bytes(), matrix, ipiv }.parts())?;
    Ok(answered)
}
