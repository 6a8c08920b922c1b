//! A matrix goes out and its factors come in, between the caller's memory and the pipes, with no copy in between.

use std::borrow::Cow;
use std::io::{self, IoSlice, IoSliceMut};
use std::time::Instant;

use super::pipes::{Break, Pipes};
use crate::matrix::{MatrixMut, MatrixRef};
use crate::options::Options;
use crate::protocol::{Command, Head, Refusal, Shape, WireElement, check_ipiv, info_range, ipiv_wire_order};

/// The head of the request for a matrix. (A matrix without elements may have a side that no request can name.)
fn head<T: WireElement>(a: MatrixRef<'_, T>, options: &Options) -> Result<Head, Break> {
    let (m, n) = (a.nrows() as i64, a.ncols() as i64);
    let refusal = Refusal::BadShape { m, n, element: T::TYPE };
    let shape = Shape::new(m, n, T::TYPE).ok_or(Break::Refused(refusal.code().into()))?;
    Ok(Head { command: Command::new(T::TYPE, options.threads > 1, options.pivoting), shape })
}

/// Sends a request, and returns the `info` of its answer, checked, and the shape that was asked for.
pub(super) fn send<T: WireElement>(
    pipes: &mut Pipes,
    a: MatrixRef<'_, T>,
    options: &Options,
    deadline: Option<Instant>,
) -> Result<(i64, Shape), Break> {
    let head = head(a, options)?;
    let start = head.to_bytes();
    let columns = collect(a.slices().map(wire_order))?;
    let columns = columns.iter().map(|column| IoSlice::new(bytemuck::cast_slice(column)));
    let mut request = collect(std::iter::once(IoSlice::new(&start)).chain(columns))?;
    let info = pipes.ask(&mut request, deadline)?;
    let range = info_range(head.shape, options.pivoting);
    if !range.contains(&info) {
        return Err(Break::OutOfStep(format!("expected info in {range:?}, got {info}")));
    }
    Ok((info, head.shape))
}

/// Receives what follows an `info`: the factors, and the row swaps, checked.
pub(super) fn receive<T: WireElement>(
    pipes: &mut Pipes,
    a: MatrixMut<'_, T>,
    ipiv: &mut [i64],
    shape: Shape,
    deadline: Option<Instant>,
) -> Result<(), Break> {
    let mut columns = collect(a.into_slices())?;
    let bytes = columns.iter_mut().map(|column| IoSliceMut::new(bytemuck::cast_slice_mut(column)));
    let swaps = std::iter::once(IoSliceMut::new(bytemuck::cast_slice_mut(ipiv)));
    pipes.receive(&mut collect(bytes.chain(swaps))?, deadline)?;
    columns.iter_mut().for_each(|column| T::wire_order(column));
    ipiv_wire_order(ipiv);
    check_ipiv(ipiv, shape).map_err(|error| Break::OutOfStep(error.to_string()))
}

/// A list of what an iterator gives, unless the system refuses the memory.
fn collect<I>(items: impl Iterator<Item = I>) -> Result<Vec<I>, Break> {
    let mut list = Vec::new();
    for item in items {
        let refused = |_| Break::Io("reserve memory for the columns", io::ErrorKind::OutOfMemory.into());
        list.try_reserve(1).map_err(refused)?;
        list.push(item);
    }
    Ok(list)
}

/// Elements as they stand on the wire.
fn wire_order<T: WireElement>(elements: &[T]) -> Cow<'_, [T]> {
    if cfg!(target_endian = "little") {
        return Cow::Borrowed(elements);
    }
    let mut copy = elements.to_vec();
    T::wire_order(&mut copy);
    Cow::Owned(copy)
}
