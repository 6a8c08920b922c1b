//! y <- y - A x: what a triangular solve with one right-hand side spends its time on, and the one kernel that takes a
//! transposed or reversed A.
//!
//! It follows what is contiguous in memory: down the columns of A, several columns at a time, or along its rows, with several
//! sums in progress.

#![allow(clippy::needless_range_loop)] // registers are named by the indices of the formula

use crate::kernel::scalar::Scalar;
use crate::kernel::signatures::{Gemv, Strided};
use crate::kernel::vector::Vector;

/// Columns of A that one pass over y takes.
const COLUMNS: usize = 4;

/// Elements of y whose sums are in progress at once.
const SUMS: usize = 8;

/// y <- y - A x.
///
/// # Safety
/// - As [`Gemv`] says.
/// - The CPU has the vectors' instruction set.
#[inline(always)]
pub(in crate::kernel) unsafe fn gemv<V: Vector>(mut rest: Gemv<V::T>) {
    let Strided { row, col, .. } = rest.a;
    // SAFETY: the caller's CPU has the instruction set; `rest` has at least the COLUMNS columns, the SUMS rows, or the one
    // that each call takes.
    unsafe {
        if V::LANES > 1 && row == 1 && rest.incy == 1 {
            while rest.n > 0 {
                let done = if rest.n >= COLUMNS {
                    columns::<V, COLUMNS>(rest);
                    COLUMNS
                } else {
                    columns::<V, 1>(rest);
                    1
                };
                rest.a.ptr = rest.a.ptr.wrapping_offset(done as isize * col);
                rest.x = rest.x.wrapping_offset(done as isize * rest.incx);
                rest.n -= done;
            }
        } else {
            while rest.m > 0 {
                let done = if V::LANES > 1 && rest.m >= SUMS {
                    sums::<V::T, SUMS>(rest);
                    SUMS
                } else {
                    sums::<V::T, 1>(rest);
                    1
                };
                rest.a.ptr = rest.a.ptr.wrapping_offset(done as isize * row);
                rest.y = rest.y.wrapping_offset(done as isize * rest.incy);
                rest.m -= done;
            }
        }
    }
}

/// y <- y - A(:, 0:NC) x(0:NC), where the columns of A, and y, are contiguous.
///
/// # Safety
/// - As for [`gemv`]; `n >= NC`, `a.row` and `incy` are 1.
#[inline(always)]
unsafe fn columns<V: Vector, const NC: usize>(arguments: Gemv<V::T>) {
    let Gemv { m, a: Strided { ptr: a, col, .. }, x, incx, y, .. } = arguments;
    // SAFETY: the caller's CPU has the instruction set; NC elements of x; rows i.. of NC columns of A and of y, LANES or the
    // `m - i` that are left.
    unsafe {
        let mut xk = [V::splat(V::T::ZERO); NC];
        for k in 0..NC {
            xk[k] = V::splat(*x.offset(k as isize * incx));
        }
        let mut i = 0;
        while i + V::LANES <= m {
            let mut acc = V::load(y.add(i));
            for k in 0..NC {
                acc = acc.sub_mul(V::load(a.wrapping_offset(k as isize * col).add(i)), xk[k]);
            }
            acc.store(y.add(i));
            i += V::LANES;
        }
        if i < m {
            let mut acc = V::load_partial(y.add(i), m - i);
            for k in 0..NC {
                acc = acc.sub_mul(V::load_partial(a.wrapping_offset(k as isize * col).add(i), m - i), xk[k]);
            }
            acc.store_partial(y.add(i), m - i);
        }
    }
}

/// y(0:NR) <- y(0:NR) - A(0:NR, :) x. Each element is one sum in rising k, which lanes of a vector cannot share.
///
/// # Safety
/// - As for [`gemv`]; `m >= NR`.
#[inline(always)]
unsafe fn sums<T: Scalar, const NR: usize>(arguments: Gemv<T>) {
    let Gemv { n, a: Strided { ptr: a, row, col }, x, incx, y, incy, .. } = arguments;
    // SAFETY: NR elements of y and rows of A; `n` elements of x and of each row of A.
    unsafe {
        // Each row has a register of its own for its address; otherwise each address would be computed from the one before.
        let (mut acc, mut rows) = ([T::ZERO; NR], [a; NR]);
        for i in 0..NR {
            acc[i] = *y.offset(i as isize * incy);
            rows[i] = a.wrapping_offset(i as isize * row);
        }
        let (mut at, mut x) = (0_isize, x);
        for _ in 0..n {
            for i in 0..NR {
                acc[i] = (*rows[i].wrapping_offset(at)).neg().mul_add(*x, acc[i]);
            }
            at = at.wrapping_add(col);
            x = x.wrapping_offset(incx);
        }
        for i in 0..NR {
            *y.offset(i as isize * incy) = acc[i];
        }
    }
}
