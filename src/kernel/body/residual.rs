//! r <- r - A x in twice the precision, and s <- s + |A| |x|: how far x is from a solution, and how far it may be.
//!
//! Each element of r is one sum in rising k. The rounding error of a product, and that of an addition to the sum, are numbers of
//! the same type, and are summed beside it.
//!
//! Source: T. Ogita, S. M. Rump, S. Oishi, "Accurate sum and dot product", SIAM J. Sci. Comput. 26(6), 2005, algorithm 5.3
//! (Dot2).

#![allow(clippy::needless_range_loop)] // registers are named by the indices of the formula

use crate::kernel::scalar::Scalar;
use crate::kernel::signatures::Residual;
use crate::kernel::vector::Vector;

/// Columns of A that one pass over r takes.
const COLUMNS: usize = 4;

/// r <- r - A x and s <- s + |A| |x|.
///
/// # Safety
/// - As [`Residual`] says.
/// - The CPU has the vectors' instruction set.
#[inline(always)]
pub(in crate::kernel) unsafe fn residual<V: Vector>(mut rest: Residual<V::T>) {
    while rest.n > 0 {
        // SAFETY: as many columns as each call takes.
        let done = unsafe {
            if rest.n >= COLUMNS {
                columns::<V, COLUMNS>(rest);
                COLUMNS
            } else {
                columns::<V, 1>(rest);
                1
            }
        };
        rest.a = rest.a.wrapping_add(done * rest.lda);
        rest.x = rest.x.wrapping_add(done);
        rest.n -= done;
    }
}

/// The first NC columns.
///
/// # Safety
/// - As for [`residual`]; there are as many columns.
#[inline(always)]
unsafe fn columns<V: Vector, const NC: usize>(arguments: Residual<V::T>) {
    let Residual { m, a, lda, x, high, low, s, .. } = arguments;
    // SAFETY: NC elements of x; rows i.. of NC columns of A, of r and of s, LANES or the `m - i` that are left.
    unsafe {
        let (mut xk, mut minus_magnitude) = ([V::splat(V::T::ZERO); NC], [V::splat(V::T::ZERO); NC]);
        for k in 0..NC {
            xk[k] = V::splat(*x.add(k));
            minus_magnitude[k] = V::splat((*x.add(k)).abs().neg());
        }
        let mut i = 0;
        while i < m {
            let count = V::LANES.min(m - i);
            let load = |from: *const V::T| {
                if count == V::LANES { V::load(from.add(i)) } else { V::load_partial(from.add(i), count) }
            };
            let (mut sum, mut errors, mut magnitudes) = (load(high), load(low), load(s));
            for k in 0..NC {
                let a = load(a.add(k * lda));
                // a x = product - error
                let product = a.mul(xk[k]);
                let error = product.sub_mul(a, xk[k]);
                // sum - product = difference + rounding
                let difference = sum.sub(product);
                let taken = sum.sub(difference);
                let rounding = sum.sub(difference.add(taken)).add(taken.sub(product));
                sum = difference;
                errors = errors.add(rounding.add(error));
                magnitudes = magnitudes.sub_mul(a.abs(), minus_magnitude[k]);
            }
            for (from, to) in [(sum, high), (errors, low), (magnitudes, s)] {
                if count == V::LANES {
                    from.store(to.add(i));
                } else {
                    from.store_partial(to.add(i), count);
                }
            }
            i += V::LANES;
        }
    }
}
