//! Requests whose operands are memory of the caller, in extended frames: what a batch and a system have in common. The operands
//! are all in the segment, or all in the payload.

use std::borrow::Cow;
use std::io::{IoSlice, IoSliceMut};
use std::ptr;
use std::time::Instant;

use super::frame;
use super::mapped::Mapped;
use super::operands::Matrices;
use super::pipes::{Break, Pipes};
use super::version1::{collect, wire_order};
use crate::protocol::{ANSWER_HEAD_BYTES, FrameCommand, WireElement};

/// A part of what is sent behind the fixed part of a request.
pub(super) enum Input<'a, T> {
    Elements(&'a [T]),
    Swaps(&'a [i64]),
}

impl<'a, T: WireElement> Input<'a, T> {
    /// As it stands on the wire.
    fn bytes(self) -> Cow<'a, [u8]> {
        match self {
            Input::Elements(elements) => match wire_order(elements) {
                Cow::Borrowed(elements) => Cow::Borrowed(bytemuck::cast_slice(elements)),
                Cow::Owned(elements) => Cow::Owned(bytemuck::cast_slice(&elements).to_vec()),
            },
            Input::Swaps(ipiv) if cfg!(target_endian = "little") => Cow::Borrowed(bytemuck::cast_slice(ipiv)),
            Input::Swaps(ipiv) => Cow::Owned(ipiv.iter().flat_map(|row| row.to_le_bytes()).collect()),
        }
    }
}

/// A part of what follows the fixed part of an answer.
pub(super) enum Output<'a, T> {
    Elements(&'a mut [T]),
    /// They stay in the order of the wire.
    Bytes(&'a mut [u8]),
}

/// Sends a request with its operands in the payload, and reads the head and the fixed part of the answer, together `N` bytes.
/// Results of this size follow.
pub(super) fn ask<'a, T: WireElement, const N: usize>(
    pipes: &mut Pipes,
    command: FrameCommand,
    fixed: &[u8],
    inputs: impl Iterator<Item = Input<'a, T>>,
    results: usize,
    deadline: Option<Instant>,
) -> Result<[u8; N], Break> {
    let inputs = collect(inputs.map(Input::bytes))?;
    let head = command.head(fixed.len() + inputs.iter().map(|input| input.len()).sum::<usize>());
    let inputs = inputs.iter().map(|input| &input[..]);
    let mut request = collect([&head[..], fixed].into_iter().chain(inputs).map(IoSlice::new))?;

    let mut answer = [0; N];
    let asked = pipes.ask(&mut request, &mut answer, ANSWER_HEAD_BYTES, deadline)?;
    frame::check_written(&asked)?;
    frame::begin_results(pipes, &mut answer, asked.got, results, deadline)?;
    Ok(answer)
}

/// Receives results in the payload.
pub(super) fn receive<'a, T: WireElement>(
    pipes: &mut Pipes,
    outputs: impl Iterator<Item = Output<'a, T>>,
    deadline: Option<Instant>,
) -> Result<(), Break> {
    let mut outputs = collect(outputs)?;
    let slices = outputs.iter_mut().map(|output| match output {
        Output::Elements(elements) => IoSliceMut::new(bytemuck::cast_slice_mut(elements)),
        Output::Bytes(bytes) => IoSliceMut::new(bytes),
    });
    pipes.receive(&mut collect(slices)?, deadline)?;
    for output in &mut outputs {
        if let Output::Elements(elements) = output {
            T::wire_order(elements);
        }
    }
    Ok(())
}

/// Copies matrices into the segment.
pub(super) fn store<T: WireElement>(mapped: &Mapped, offset: usize, matrices: Matrices<'_, T>) {
    // SAFETY: the memory is checked to have as many bytes.
    unsafe { matrices.copy_to(mapped.memory_at(offset, matrices.bytes())) };
}

/// Copies bytes into the segment.
pub(super) fn store_bytes(mapped: &Mapped, offset: usize, bytes: &[u8]) {
    let to = mapped.memory_at(offset, bytes.len());
    // SAFETY: the memory is checked to have as many bytes; no reference to the segment exists.
    unsafe { ptr::copy_nonoverlapping(bytes.as_ptr(), to, bytes.len()) };
}

/// Copies matrices out of the segment.
///
/// # Safety
/// - The matrices are those of a mutable view, and nothing else reads or writes them meanwhile.
pub(super) unsafe fn load<T: WireElement>(mapped: &Mapped, offset: usize, matrices: Matrices<'_, T>) {
    // SAFETY: the memory is checked to have as many bytes, and the caller vouches for the matrices.
    unsafe { matrices.copy_from(mapped.memory_at(offset, matrices.bytes())) };
}

/// Copies bytes out of the segment.
pub(super) fn load_bytes(mapped: &Mapped, offset: usize, bytes: &mut [u8]) {
    let from = mapped.memory_at(offset, bytes.len());
    // SAFETY: the memory is checked to have as many bytes; no reference to the segment exists.
    unsafe { ptr::copy_nonoverlapping(from, bytes.as_mut_ptr(), bytes.len()) };
}
