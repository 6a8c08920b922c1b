//! Whether all elements are finite: x times zero is zero unless x is NaN or infinite.

use crate::kernel::scalar::Scalar;
use crate::kernel::signatures::Elements;
use crate::kernel::vector::Vector;

/// Vectors that are read before one branch looks at them.
const UNROLLED: usize = 4;

/// Whether all of the elements are finite.
///
/// # Safety
/// - As [`Elements`] says.
/// - The CPU has the vectors' instruction set.
#[inline(always)]
pub(in crate::kernel) unsafe fn all_finite<V: Vector>(Elements { len, x }: Elements<V::T>) -> bool {
    let all = u32::MAX >> (u32::BITS as usize - V::LANES);
    let mut i = 0;
    // SAFETY: the caller's CPU has the instruction set; elements i.. of x, whole vectors or the `len - i` that are left.
    unsafe {
        let zero = V::splat(V::T::ZERO);
        while i + UNROLLED * V::LANES <= len {
            let finite: [u32; UNROLLED] =
                std::array::from_fn(|v| V::load(x.add(i + v * V::LANES)).mul(zero).eq_mask(zero));
            if finite.into_iter().fold(all, |all, finite| all & finite) != all {
                return false;
            }
            i += UNROLLED * V::LANES;
        }
        while i + V::LANES <= len {
            if V::load(x.add(i)).mul(zero).eq_mask(zero) != all {
                return false;
            }
            i += V::LANES;
        }
        // The lanes that are not read are zero.
        V::load_partial(x.add(i), len - i).mul(zero).eq_mask(zero) == all
    }
}
