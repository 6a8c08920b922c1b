//! Version 1 frames: a matrix goes out and its factors come in, between the caller's memory and the pipes, with no copy in
//! between.

use std::borrow::Cow;
use std::io::{self, IoSlice, IoSliceMut};
use std::time::Instant;

use super::pipes::{Break, Pipes};
use crate::matrix::{MatrixMut, MatrixRef};
use crate::options::Options;
use crate::protocol::{
    Command, Head, INFO_BYTES, Refusal, Shape, WireElement, check_ipiv, describe_refusal, info_range, ipiv_wire_order,
    refusal_code,
};

/// Sends a request, and returns the `info` of its answer, checked.
pub(super) fn send<T: WireElement>(
    pipes: &mut Pipes,
    a: MatrixRef<'_, T>,
    shape: Shape,
    options: &Options,
    deadline: Option<Instant>,
) -> Result<i64, Break> {
    let head = Head { command: Command::new(T::TYPE, options.threads > 1, options.pivoting), shape }.to_bytes();
    let columns = collect(a.slices().map(wire_order))?;
    let columns = columns.iter().map(|column| IoSlice::new(bytemuck::cast_slice(column)));
    let mut request = collect(std::iter::once(IoSlice::new(&head)).chain(columns))?;
    let mut info = [0; INFO_BYTES];
    let asked = pipes.ask(&mut request, &mut info, INFO_BYTES, deadline)?;
    let info = i64::from_le_bytes(info);
    match refusal_code(info) {
        // The only one that has read the whole request, so that the session goes on.
        Some(code) if code == i64::from(Refusal::Cancelled.code()) && asked.written_whole => {
            Err(Break::Refused { code, message: Some(describe_refusal(code)) })
        }
        Some(code @ 1..=255) => Err(Break::Refused { code, message: None }),
        Some(_) => Err(Break::OutOfStep(format!("expected info, got {info}"))),
        None if asked.written_whole => checked_info(info, shape, options),
        None => Err(Break::OutOfStep(format!("expected it after the whole request, got info {info} before"))),
    }
}

/// An `info`, if a factorization can have it.
pub(super) fn checked_info(info: i64, shape: Shape, options: &Options) -> Result<i64, Break> {
    let range = info_range(shape, options.pivoting);
    if range.contains(&info) {
        Ok(info)
    } else {
        Err(Break::OutOfStep(format!("expected info in {range:?}, got {info}")))
    }
}

/// Row swaps, if a factorization can have them.
pub(super) fn checked_ipiv(ipiv: &[i64], shape: Shape) -> Result<(), Break> {
    check_ipiv(ipiv, shape).map_err(|error| Break::OutOfStep(error.to_string()))
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
    checked_ipiv(ipiv, shape)
}

/// A list of what an iterator gives, unless the system refuses the memory.
pub(super) fn collect<I>(items: impl Iterator<Item = I>) -> Result<Vec<I>, Break> {
    let mut list = Vec::new();
    for item in items {
        let refused = |_| Break::Io("reserve memory for the list of columns", io::ErrorKind::OutOfMemory.into());
        list.try_reserve(1).map_err(refused)?;
        list.push(item);
    }
    Ok(list)
}

/// Elements as they stand on the wire.
pub(super) fn wire_order<T: WireElement>(elements: &[T]) -> Cow<'_, [T]> {
    if cfg!(target_endian = "little") {
        return Cow::Borrowed(elements);
    }
    let mut copy = elements.to_vec();
    T::wire_order(&mut copy);
    Cow::Owned(copy)
}
