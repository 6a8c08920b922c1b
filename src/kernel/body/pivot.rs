//! The one rule of pivots, for every kernel that factors.
//!
//! - The pivot of a column is the element of the largest magnitude; of equal ones the first in the order of rows that the
//!   swaps so far have made. A NaN is never larger than what is held, so a column of NaN and zeros keeps its rows.
//! - The rest of the column is multiplied by the reciprocal of the pivot, or divided by the pivot if the reciprocal could
//!   overflow; below a zero pivot it stays as it is (LAPACK: `DGETF2`).
//!
//! The kernels differ in where a column is (memory, or registers) and in which row is the first (that which stands
//! first, or that which the swaps would have put first), and do those parts themselves.

use crate::kernel::scalar::Scalar;
use crate::kernel::vector::Vector;

/// Whether a column keeps its rows because its largest magnitude is zero. Then there is no row to search for: all elements
/// may be NaN, which equals nothing.
#[inline(always)]
pub(super) fn keeps_rows<T: Scalar>(largest: T) -> bool {
    largest == T::ZERO
}

/// The rows of vector `v` of a column whose magnitude equals the largest: one bit per row of the column, the lowest for
/// the first.
///
/// # Safety
/// - The CPU has the vectors' instruction set.
#[inline(always)]
pub(super) unsafe fn rows_with<V: Vector>(largest: V::T, magnitudes: V, v: usize) -> u64 {
    // SAFETY: the caller's CPU has the instruction set.
    u64::from(unsafe { magnitudes.eq_mask(V::splat(largest)) }) << (v * V::LANES)
}

/// The pivot's row in a column of `m >= 1` elements whose largest magnitude is known.
///
/// # Safety
/// - The CPU has the vectors' instruction set.
/// - `x` is valid for reads of `m` elements.
#[inline(always)]
pub(super) unsafe fn first_row<V: Vector>(m: usize, x: *const V::T, largest: V::T) -> usize {
    if keeps_rows(largest) {
        return 0;
    }
    let mut i = 0;
    // SAFETY: the caller's CPU has the instruction set; rows i.. of the column, LANES or the `m - i` that are left.
    unsafe {
        while i + V::LANES <= m {
            let rows = rows_with(largest, V::load(x.add(i)).abs(), 0);
            if rows != 0 {
                return i + rows.trailing_zeros() as usize;
            }
            i += V::LANES;
        }
        // Lanes beyond the column are zero, which `largest` is not.
        let rows = rows_with(largest, V::load_partial(x.add(i), m - i).abs(), 0);
        (i + rows.trailing_zeros() as usize).min(m - 1)
    }
}

/// What makes the rest of a column a column of L.
#[derive(Debug, Clone, Copy)]
pub(super) enum Scaling<T> {
    /// Multiply by this, the reciprocal of the pivot.
    Multiply(T),
    /// Divide by this, the pivot.
    Divide(T),
    /// The pivot is zero: change nothing.
    Leave,
}

/// How a pivot of this magnitude scales the rest of its column. If the pivot is NaN, `magnitude` is NaN or less than the
/// safe minimum.
///
/// The magnitude is often known before the pivot's row is; then the division need not wait for the row.
#[inline(always)]
pub(super) fn scaling<T: Scalar>(pivot: T, magnitude: T) -> Scaling<T> {
    if magnitude >= T::SAFE_MIN {
        // 1 / pivot
        Scaling::Multiply(T::ONE.div(magnitude).copysign(pivot))
    } else if pivot == T::ZERO {
        Scaling::Leave
    } else {
        Scaling::Divide(pivot)
    }
}

/// `info` after a zero pivot in column j: the 1-based index of the first one.
#[inline(always)]
pub(super) fn first_zero(info: usize, j: usize) -> usize {
    if info == 0 { j + 1 } else { info }
}
