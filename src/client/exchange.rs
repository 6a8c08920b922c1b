//! A matrix goes out and its factors come in, between the caller's memory and the pipes, with no copy in between.

use std::borrow::Cow;
use std::io::{IoSlice, IoSliceMut};
use std::time::Instant;

use super::pipes::{Break, Pipes};
use crate::matrix::{MatrixMut, MatrixRef};
use crate::options::Options;
use crate::protocol::{Command, Head, Shape, WireElement, check_info, check_ipiv, ipiv_wire_order};

/// The head of the request for a matrix.
///
/// # Panics
/// If the matrix has more bytes than an address space, as no matrix in memory has.
fn head<T: WireElement>(a: MatrixRef<'_, T>, options: &Options) -> Head {
    let shape = Shape::new(a.nrows() as i64, a.ncols() as i64, T::TYPE).expect("a matrix in memory");
    Head { command: Command::new(T::TYPE, options.threads > 1, options.pivoting), shape }
}

/// Sends a request and returns the `info` of its answer, checked.
pub(super) fn send<T: WireElement>(
    pipes: &mut Pipes,
    a: MatrixRef<'_, T>,
    options: &Options,
    deadline: Option<Instant>,
) -> Result<i64, Break> {
    let head = head(a, options);
    let start = head.to_bytes();
    let columns: Vec<Cow<'_, [T]>> = a.slices().map(wire_order).collect();
    let columns = columns.iter().map(|column| IoSlice::new(bytemuck::cast_slice(column)));
    let mut request: Vec<IoSlice<'_>> = std::iter::once(IoSlice::new(&start)).chain(columns).collect();
    let info = pipes.ask(&mut request, deadline)?;
    match check_info(info, head.shape, options.pivoting) {
        Ok(()) => Ok(info),
        Err(error) => Err(Break::OutOfStep(error.to_string())),
    }
}

/// Receives what follows an `info`: the factors, and the row swaps, checked.
pub(super) fn receive<T: WireElement>(
    pipes: &mut Pipes,
    a: MatrixMut<'_, T>,
    ipiv: &mut [i64],
    deadline: Option<Instant>,
) -> Result<(), Break> {
    let shape = head(a.as_ref(), &Options::default()).shape;
    let mut columns: Vec<&mut [T]> = a.into_slices().collect();
    let bytes = columns.iter_mut().map(|column| IoSliceMut::new(bytemuck::cast_slice_mut(column)));
    let swaps = std::iter::once(IoSliceMut::new(bytemuck::cast_slice_mut(ipiv)));
    pipes.receive(&mut bytes.chain(swaps).collect::<Vec<_>>(), deadline)?;
    columns.iter_mut().for_each(|column| T::wire_order(column));
    ipiv_wire_order(ipiv);
    check_ipiv(ipiv, shape).map_err(|error| Break::OutOfStep(error.to_string()))
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
