//! A column becomes one of L, by the rule of [`crate::kernel::body::pivot`] in each lane.

use crate::kernel::lanes::Lanes;
use crate::kernel::scalar::Scalar;

/// Columns of at most this many rows stay in registers while the pivots are searched: for more the code for each step is
/// too long.
pub(super) const IN_REGISTERS: usize = 12;

/// Makes column J one of L, with the pivots on the diagonal. Returns the pivots' rows, counted from 1, and the lanes in which
/// each row is the pivot's.
///
/// # Safety
/// - The CPU has the lanes' instruction set.
#[inline(always)]
pub(super) unsafe fn in_registers<V: Lanes, const M: usize, const J: usize>(
    x: &mut [V; M],
    masks: &mut [V::Mask; M],
    info: &mut V,
) -> V {
    // SAFETY: the caller's CPU has the instruction set.
    unsafe {
        let zero = V::splat(V::T::ZERO);
        let first = index::<V>(J + 1);
        let largest = largest::<V, M, J>(x);
        let reciprocal = V::splat(V::T::ONE).div(largest);
        let top = x[J];
        // From the last row up, so that the first of equals stays.
        let (mut pivot, mut row) = (top, first);
        for i in (J..M).rev() {
            let is_largest = x[i].abs().equals(largest);
            pivot = V::select(is_largest, x[i], pivot);
            row = V::select(is_largest, index::<V>(i + 1), row);
        }
        // A column of zeros and NaN keeps its rows.
        let keeps_rows = zero.equals(largest);
        pivot = V::select(keeps_rows, top, pivot);
        row = V::select(keeps_rows, first, row);
        x[J] = pivot;
        let scale = reciprocal.with_sign(pivot);
        for i in J + 1..M {
            masks[i] = row.equals(index::<V>(i + 1));
            x[i] = V::select(masks[i], top, x[i]);
        }
        let is_tiny = largest.is_less(V::splat(V::T::SAFE_MIN));
        if V::any(is_tiny) {
            let is_zero = pivot.equals(zero);
            for x in &mut x[J + 1..] {
                let divided = V::select(is_zero, *x, x.div(pivot));
                *x = V::select(is_tiny, divided, x.mul(scale));
            }
            let is_first = V::both(is_zero, info.equals(zero));
            *info = V::select(is_first, first, *info);
        } else {
            for x in &mut x[J + 1..] {
                *x = x.mul(scale);
            }
        }
        row
    }
}

/// The largest magnitude from row J on; zero if all are NaN. By pairs, which takes fewer steps than one after the other.
///
/// # Safety
/// - The CPU has the lanes' instruction set.
#[inline(always)]
unsafe fn largest<V: Lanes, const M: usize, const J: usize>(x: &[V; M]) -> V {
    // SAFETY: the caller's CPU has the instruction set.
    unsafe {
        let mut tree = [V::splat(V::T::ZERO); M];
        let mut width = (M - J).div_ceil(2);
        for i in 0..width {
            tree[i] = tree[i].max(x[J + i].abs());
            if width + i < M - J {
                tree[i] = tree[i].max(x[J + width + i].abs());
            }
        }
        while width > 1 {
            let half = width.div_ceil(2);
            for i in 0..width - half {
                tree[i] = tree[i].max(tree[half + i]);
            }
            width = half;
        }
        tree[0]
    }
}

/// A number in all lanes.
///
/// # Safety
/// - The CPU has the lanes' instruction set.
#[inline(always)]
unsafe fn index<V: Lanes>(i: usize) -> V {
    const { assert!(super::MAX_ROWS < 32) };
    // From memory, since a conversion would take longer.
    // SAFETY: the caller's CPU has the instruction set.
    unsafe { V::splat(V::T::INDICES[i]) }
}

/// The same for column j < m in memory, with masks up to row m.
///
/// # Safety
/// - `column` is good for m vectors.
/// - The CPU has the lanes' instruction set.
#[inline(always)]
pub(super) unsafe fn in_memory<V: Lanes>(
    j: usize,
    m: usize,
    column: *mut V::T,
    masks: &mut [V::Mask],
    info: &mut V,
) -> V {
    let masks = &mut masks[..m];
    // SAFETY: rows j..m of the column.
    unsafe {
        let zero = V::splat(V::T::ZERO);
        let at = |i: usize| column.add(i * V::LANES);
        let top = V::load(at(j));
        // Two chains take half the time of one.
        let (mut largest, mut other, mut i) = (zero.max(top.abs()), zero, j + 1);
        while i + 1 < m {
            largest = largest.max(V::load(at(i)).abs());
            other = other.max(V::load(at(i + 1)).abs());
            i += 2;
        }
        if i < m {
            other = other.max(V::load(at(i)).abs());
        }
        let largest = largest.max(other);
        let reciprocal = V::splat(V::T::ONE).div(largest);
        let first = index::<V>(j + 1);
        // From the last row up, so that the first of equals stays.
        let (mut pivot, mut row) = (top, first);
        for i in (j..m).rev() {
            let x = V::load(at(i));
            let is_largest = x.abs().equals(largest);
            pivot = V::select(is_largest, x, pivot);
            row = V::select(is_largest, index::<V>(i + 1), row);
        }
        // A column of zeros and NaN keeps its rows.
        let keeps_rows = zero.equals(largest);
        pivot = V::select(keeps_rows, top, pivot);
        row = V::select(keeps_rows, first, row);
        pivot.store(at(j));
        let is_tiny = largest.is_less(V::splat(V::T::SAFE_MIN));
        let scale = reciprocal.with_sign(pivot);
        if !V::any(is_tiny) {
            for (i, mask) in masks.iter_mut().enumerate().skip(j + 1) {
                *mask = row.equals(index::<V>(i + 1));
                V::select(*mask, top, V::load(at(i))).mul(scale).store(at(i));
            }
            return row;
        }
        let is_zero = pivot.equals(zero);
        for (i, mask) in masks.iter_mut().enumerate().skip(j + 1) {
            *mask = row.equals(index::<V>(i + 1));
            let x = V::select(*mask, top, V::load(at(i)));
            let divided = V::select(is_zero, x, x.div(pivot));
            V::select(is_tiny, divided, x.mul(scale)).store(at(i));
        }
        let is_first = V::both(is_zero, info.equals(zero));
        *info = V::select(is_first, first, *info);
        row
    }
}
