//! What the kernels for batches are written in: a register whose lanes belong to different matrices.

use super::vector::Vector;

/// The most lanes that any register has.
pub(crate) const MAX_LANES: usize = 16;

/// A register with one element of each of `LANES` matrices: what is done to one lane is decided by that lane alone.
///
/// # Safety
/// As for [`Vector`].
pub(crate) trait Lanes: Vector {
    /// A truth value for each lane.
    type Mask: Copy;

    /// Whether `self == x`; not where one of them is NaN.
    unsafe fn equals(self, x: Self) -> Self::Mask;
    /// Whether `self < x`; not where one of them is NaN.
    unsafe fn is_less(self, x: Self) -> Self::Mask;
    /// `a` and `b`.
    unsafe fn both(a: Self::Mask, b: Self::Mask) -> Self::Mask;
    /// Whether any lane is true.
    unsafe fn any(mask: Self::Mask) -> bool;
    /// The lanes of `yes` where `mask` is true, of `no` where it is not.
    unsafe fn select(mask: Self::Mask, yes: Self, no: Self) -> Self;
    /// The magnitude of `self` with the sign of `sign`. `self` is not negative.
    unsafe fn with_sign(self, sign: Self) -> Self;
    /// The lanes as integers: they are whole numbers that fit.
    ///
    /// # Safety
    /// - `to` is valid for writes of `LANES` elements.
    unsafe fn store_indices(self, to: *mut i32);
    /// Lane j of register i becomes lane i of register j, for `LANES` registers.
    ///
    /// # Safety
    /// - `block` is valid for reads and writes of `LANES` registers.
    unsafe fn transpose(block: *mut Self);
}
