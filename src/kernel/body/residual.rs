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
    let Residual { m, x, .. } = arguments;
    // SAFETY: NC elements of x; a whole register of rows, or the rows that are left, which are fewer.
    unsafe {
        let (mut xk, mut minus_magnitude) = ([V::splat(V::T::ZERO); NC], [V::splat(V::T::ZERO); NC]);
        for k in 0..NC {
            xk[k] = V::splat(*x.add(k));
            minus_magnitude[k] = V::splat((*x.add(k)).abs().neg());
        }
        let whole = m - m % V::LANES;
        for i in (0..whole).step_by(V::LANES) {
            rows::<V, NC, false>(&arguments, i, V::LANES, &xk, &minus_magnitude);
        }
        if whole < m {
            rows::<V, NC, true>(&arguments, whole, m - whole, &xk, &minus_magnitude);
        }
    }
}

/// A register of rows from row `i` on, or `count` of them at the EDGE.
///
/// # Safety
/// - As for [`columns`]; there are as many rows.
#[inline(always)]
unsafe fn rows<V: Vector, const NC: usize, const EDGE: bool>(
    arguments: &Residual<V::T>,
    i: usize,
    count: usize,
    x: &[V; NC],
    minus_magnitude: &[V; NC],
) {
    let &Residual { a, lda, high, low, s, .. } = arguments;
    // SAFETY: these rows of NC columns of A, of r and of s.
    unsafe {
        let load = |from: *const V::T| {
            if EDGE { V::load_partial(from.add(i), count) } else { V::load(from.add(i)) }
        };
        let (mut sum, mut errors, mut magnitudes) = (load(high), load(low), load(s));
        for k in 0..NC {
            let a = load(a.add(k * lda));
            // a x = product - error
            let product = a.mul(x[k]);
            let error = product.sub_mul(a, x[k]);
            // sum - product = difference + rounding
            let difference = sum.sub(product);
            let taken = sum.sub(difference);
            let rounding = sum.sub(difference.add(taken)).add(taken.sub(product));
            sum = difference;
            errors = errors.add(rounding.add(error));
            magnitudes = magnitudes.sub_mul(a.abs(), minus_magnitude[k]);
        }
        for (from, to) in [(sum, high), (errors, low), (magnitudes, s)] {
            if EDGE {
                from.store_partial(to.add(i), count);
            } else {
                from.store(to.add(i));
            }
        }
    }
}
