//! The 1-norm of each matrix of a group: the largest sum of magnitudes in a column.

use crate::kernel::lanes::Lanes;
use crate::kernel::scalar::Scalar;
use crate::kernel::signatures::GroupNorm;

/// The 1-norms. A column that has a NaN does not count, or if `is_strict` it makes the norm a NaN.
///
/// # Safety
/// - As [`GroupNorm`] says.
/// - The CPU has the lanes' instruction set.
#[inline(always)]
pub(in crate::kernel) unsafe fn norm1<V: Lanes>(arguments: GroupNorm<V::T>) {
    let GroupNorm { m, n, a, lda, norm, is_strict } = arguments;
    // SAFETY: the caller vouches for n columns of m vectors, and for the norm.
    unsafe {
        let (zero, minus_one) = (V::splat(V::T::ZERO), V::splat(V::T::ONE.neg()));
        let mut largest = V::load(norm);
        // No sum of magnitudes is a NaN if none of them is.
        let mut total = largest;
        for j in 0..n {
            let column = a.add(j * lda * V::LANES);
            let mut sum = zero;
            for i in 0..m {
                sum = sum.sub_mul(V::load(column.add(i * V::LANES)).abs(), minus_one);
            }
            largest = largest.max(sum);
            total = total.sub_mul(sum, minus_one);
        }
        if is_strict {
            largest = V::select(total.equals(total), largest, total);
        }
        largest.store(norm);
    }
}
