//! The matrices of a group, to and from work memory.

use crate::kernel::lanes::{Lanes, MAX_LANES};
use crate::kernel::scalar::Scalar;
use crate::kernel::signatures::Lines;

/// Copies the matrices of a group into work memory.
///
/// # Safety
/// - As [`Lines`] says.
/// - The CPU has the lanes' instruction set.
#[inline(always)]
pub(in crate::kernel) unsafe fn interleave<V: Lanes>(arguments: Lines<V::T>) {
    let Lines { matrices, skipped: _, stride, length, lines, a, lda, work, step, next } = arguments;
    for line in 0..lines {
        let mut i = 0;
        while i < length {
            let count = V::LANES.min(length - i);
            // SAFETY: `count` elements from element i of a line on, in each of the matrices; LANES vectors of the work
            // memory, which has room beyond its last line.
            unsafe {
                let from = a.add(line * lda + i);
                let mut block = [V::splat(V::T::ZERO); MAX_LANES];
                for (lane, x) in block.iter_mut().enumerate().take(V::LANES) {
                    // The last matrix fills the lanes that are left.
                    let from = from.add(lane.min(matrices - 1) * stride);
                    *x = if count == V::LANES { V::load(from) } else { V::load_partial(from, count) };
                }
                V::transpose(block.as_mut_ptr());
                let to = work.add((line * next + i * step) * V::LANES);
                for (row, x) in block.iter().enumerate().take(V::LANES) {
                    x.store(to.add(row * step * V::LANES));
                }
            }
            i += V::LANES;
        }
    }
}

/// Copies them back, but for those that are to be skipped.
///
/// # Safety
/// As for [`interleave`].
#[inline(always)]
pub(in crate::kernel) unsafe fn deinterleave<V: Lanes>(arguments: Lines<V::T>) {
    let Lines { matrices, skipped, stride, length, lines, a, lda, work, step, next } = arguments;
    for line in 0..lines {
        let mut i = 0;
        while i < length {
            let count = V::LANES.min(length - i);
            // SAFETY: as in `interleave`; lanes beyond the matrices are not written.
            unsafe {
                let from = work.add((line * next + i * step) * V::LANES);
                let mut block = [V::splat(V::T::ZERO); MAX_LANES];
                for (row, x) in block.iter_mut().enumerate().take(V::LANES) {
                    *x = V::load(from.add(row * step * V::LANES));
                }
                V::transpose(block.as_mut_ptr());
                let to = a.add(line * lda + i);
                for (lane, x) in block.iter().enumerate().take(V::LANES) {
                    if lane < matrices && skipped >> lane & 1 == 0 {
                        let to = to.add(lane * stride);
                        if count == V::LANES { x.store(to) } else { x.store_partial(to, count) }
                    }
                }
            }
            i += V::LANES;
        }
    }
}
