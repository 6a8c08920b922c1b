//! y <- y - A x: the product of a triangular solve with one right-hand side.
//!
//! It goes along what is contiguous: down the columns of A, a few of them at a time, or along its rows, with a few sums in
//! progress.

#![allow(clippy::needless_range_loop)] // registers are named by the indices of the formula

use super::vector::Vector;
use crate::real::Real;

/// Columns that pass over y at once, and elements of y that are in progress at once.
const COLUMNS: usize = 4;
const SUMS: usize = 8;

/// y <- y - A x: A is `m` by `n`, its element (i, k) stands at `i * row + k * col` from `a`; those of x and of y are
/// `incx` and `incy` apart.
///
/// # Safety
/// `a`, `x` and `y` are good for those elements; `y` overlaps neither of the others; the CPU has the vectors' instruction
/// set.
#[inline(always)]
#[allow(clippy::too_many_arguments)] // BLAS's own argument list
pub(super) unsafe fn gemv<V: Vector>(
    m: usize,
    n: usize,
    a: *const V::T,
    row: isize,
    col: isize,
    x: *const V::T,
    incx: isize,
    y: *mut V::T,
    incy: isize,
) {
    // SAFETY: the caller's promise, for as many columns or rows as there are, or one.
    unsafe {
        if V::LANES > 1 && row == 1 && incy == 1 {
            let (mut a, mut x, mut rest) = (a, x, n);
            while rest > 0 {
                let some = if rest >= COLUMNS {
                    columns::<V, COLUMNS>(m, a, col, x, incx, y);
                    COLUMNS
                } else {
                    columns::<V, 1>(m, a, col, x, incx, y);
                    1
                };
                a = a.wrapping_offset(some as isize * col);
                x = x.wrapping_offset(some as isize * incx);
                rest -= some;
            }
        } else {
            let (mut a, mut y, mut rest) = (a, y, m);
            while rest > 0 {
                let some = if V::LANES > 1 && rest >= SUMS {
                    sums::<V::T, SUMS>(n, a, row, col, x, incx, y, incy);
                    SUMS
                } else {
                    sums::<V::T, 1>(n, a, row, col, x, incx, y, incy);
                    1
                };
                a = a.wrapping_offset(some as isize * row);
                y = y.wrapping_offset(some as isize * incy);
                rest -= some;
            }
        }
    }
}

/// NC columns of A, in which elements are next to each other, as those of y are.
///
/// # Safety
/// As for [`gemv`].
#[inline(always)]
unsafe fn columns<V: Vector, const NC: usize>(
    m: usize,
    a: *const V::T,
    col: isize,
    x: *const V::T,
    incx: isize,
    y: *mut V::T,
) {
    // SAFETY: NC elements of x and columns of A; rows i.. of those columns and of y, of which there are LANES or `m - i`.
    unsafe {
        let mut xk = [V::splat(V::T::ZERO); NC];
        for k in 0..NC {
            xk[k] = V::splat(*x.offset(k as isize * incx));
        }
        let mut i = 0;
        while i + V::LANES <= m {
            let mut acc = V::load(y.add(i));
            for k in 0..NC {
                acc = acc.minus_product(V::load(a.wrapping_offset(k as isize * col).add(i)), xk[k]);
            }
            acc.store(y.add(i));
            i += V::LANES;
        }
        if i < m {
            let mut acc = V::load_partial(y.add(i), m - i);
            for k in 0..NC {
                acc = acc.minus_product(V::load_partial(a.wrapping_offset(k as isize * col).add(i), m - i), xk[k]);
            }
            acc.store_partial(y.add(i), m - i);
        }
    }
}

/// NR elements of y. Each is one sum in rising k, which lanes of a vector cannot share.
///
/// # Safety
/// As for [`gemv`].
#[inline(always)]
#[allow(clippy::too_many_arguments)] // as above
unsafe fn sums<T: Real, const NR: usize>(
    n: usize,
    a: *const T,
    row: isize,
    col: isize,
    x: *const T,
    incx: isize,
    y: *mut T,
    incy: isize,
) {
    // SAFETY: NR elements of y and rows of A; `n` elements of x and of each row.
    unsafe {
        // Each row has a register of its own for its address: else one is computed from the other, a chain.
        let (mut acc, mut rows) = ([T::ZERO; NR], [a; NR]);
        for i in 0..NR {
            acc[i] = *y.offset(i as isize * incy);
            rows[i] = a.wrapping_offset(i as isize * row);
        }
        let (mut at, mut x) = (0_isize, x);
        for _ in 0..n {
            for i in 0..NR {
                acc[i] = (*rows[i].wrapping_offset(at)).negate().mul_add(*x, acc[i]);
            }
            at = at.wrapping_add(col);
            x = x.wrapping_offset(incx);
        }
        for i in 0..NR {
            *y.offset(i as isize * incy) = acc[i];
        }
    }
}
