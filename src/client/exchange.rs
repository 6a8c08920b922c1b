//! A matrix goes out and its factors come in, between the caller's memory and the pipes, with no copy in between.

use std::borrow::Cow;
use std::io::{IoSlice, IoSliceMut};
use std::time::Instant;

use super::pipes::{Break, Pipes};
use crate::lu::{Options, check_info, check_pivots};
use crate::matrix::{MatrixMut, MatrixRef};
use crate::protocol::{Command, request_header};
use crate::real::Real;

/// Sends a request and returns the `info` of its answer, checked.
pub(super) fn send<T: Real>(
    pipes: &mut Pipes,
    a: MatrixRef<'_, T>,
    options: &Options,
    deadline: Option<Instant>,
) -> Result<i64, Break> {
    let (m, n) = (a.nrows(), a.ncols());
    let header = request_header(Command::new(T::PRECISION, options.threads > 1, options.pivoting), m, n);
    let columns: Vec<Cow<'_, [T]>> = a.slices().map(wire_order).collect();
    let columns = columns.iter().map(|column| IoSlice::new(bytemuck::cast_slice(column)));
    let mut request: Vec<IoSlice<'_>> = std::iter::once(IoSlice::new(&header)).chain(columns).collect();
    let info = pipes.ask(&mut request, deadline)?;
    let k = m.min(n);
    match check_info(info, k) {
        Ok(()) if info == 0 || (info > 0) == options.pivoting => Ok(info),
        _ => {
            let range = if options.pivoting { format!("0..={k}") } else { format!("-{k}..=0") };
            Err(Break::OutOfStep(format!("expected info in {range}, got {info}")))
        }
    }
}

/// Receives what follows an `info`: the factors, and as many row swaps as `ipiv` is long, checked.
pub(super) fn receive<T: Real>(
    pipes: &mut Pipes,
    a: MatrixMut<'_, T>,
    ipiv: &mut [i64],
    deadline: Option<Instant>,
) -> Result<(), Break> {
    let m = a.nrows();
    let mut columns: Vec<&mut [T]> = a.into_slices().collect();
    let bytes = columns.iter_mut().map(|column| IoSliceMut::new(bytemuck::cast_slice_mut(column)));
    let swaps = std::iter::once(IoSliceMut::new(bytemuck::cast_slice_mut(ipiv)));
    pipes.receive(&mut bytes.chain(swaps).collect::<Vec<_>>(), deadline)?;
    columns.iter_mut().for_each(|column| T::wire_order(column));
    ipiv.iter_mut().for_each(|row| *row = i64::from_le(*row));
    check_pivots(ipiv, m).map_err(|error| Break::OutOfStep(error.to_string()))
}

/// Elements as they stand on the wire.
fn wire_order<T: Real>(elements: &[T]) -> Cow<'_, [T]> {
    if cfg!(target_endian = "little") {
        return Cow::Borrowed(elements);
    }
    let mut copy = elements.to_vec();
    T::wire_order(&mut copy);
    Cow::Owned(copy)
}
