//! The one rule of pivots, for every kernel that factors.
//!
//! - The pivot of a column is the element of the largest magnitude; of equal ones the first in the order of rows that the
//!   swaps so far have made. A NaN is never larger than what is held, so a column of NaN and zeros keeps its rows.
//! - The rest of the column is multiplied by the reciprocal of the pivot, or divided by the pivot where the reciprocal
//!   could overflow; under a zero pivot it stays as it is (LAPACK: `DGETF2`).

use crate::kernel::scalar::Scalar;

/// What makes the rest of a column a column of L.
#[derive(Debug, Clone, Copy)]
pub(super) enum Scaling<T> {
    /// Multiply by this, the reciprocal of the pivot.
    Multiply(T),
    /// Divide by this, the pivot.
    Divide(T),
    /// The pivot is zero: leave it.
    Leave,
}

/// What a pivot of this magnitude does to the rest of its column. For a NaN pivot any magnitude below the safe minimum, or
/// NaN, will do.
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
