//! The bodies of the kernels, generic over the element type.
//!
//! They are `#[inline(always)]`, so that each instantiation is compiled for the instruction set of the function
//! that it is inlined into.

use std::slice::{from_raw_parts, from_raw_parts_mut};

use crate::real::Real;

/// y <- y - alpha x, one fused multiply-subtract an element.
#[inline(always)]
fn axpy<T: Real>(alpha: T, x: &[T], y: &mut [T]) {
    let minus = alpha.negate();
    for (y, &x) in y.iter_mut().zip(x) {
        *y = x.mul_add(minus, *y);
    }
}

/// See [`super::GemmTile`].
///
/// # Safety
/// As there.
#[inline(always)]
pub(super) unsafe fn gemm_tile<T: Real, const MR: usize, const NR: usize>(
    k: usize,
    a: *const T,
    lda: usize,
    b: *const T,
    ldb: usize,
    c: *mut T,
    ldc: usize,
) {
    // SAFETY: the caller vouches for MR rows in each column of A and C, k rows in each of the NR columns of B.
    unsafe {
        // acc <- C
        let mut acc = [[T::ZERO; MR]; NR];
        for (j, acc) in acc.iter_mut().enumerate() {
            acc.copy_from_slice(from_raw_parts(c.add(j * ldc), MR));
        }
        // acc <- acc - A(:, p) B(p, :), p rising
        for p in 0..k {
            let a = &*a.add(p * lda).cast::<[T; MR]>();
            for (j, acc) in acc.iter_mut().enumerate() {
                axpy(*b.add(p + j * ldb), a, acc);
            }
        }
        // C <- acc
        for (j, acc) in acc.iter().enumerate() {
            from_raw_parts_mut(c.add(j * ldc), MR).copy_from_slice(acc);
        }
    }
}

/// See [`super::GemmEdge`].
///
/// # Safety
/// As there.
#[inline(always)]
#[allow(clippy::too_many_arguments)] // BLAS's own argument list
pub(super) unsafe fn gemm_edge<T: Real>(
    m: usize,
    n: usize,
    k: usize,
    a: *const T,
    lda: usize,
    b: *const T,
    ldb: usize,
    c: *mut T,
    ldc: usize,
) {
    for j in 0..n {
        // SAFETY: the caller vouches for m rows in each column of A and C, k rows in each of the n columns of B.
        let c = unsafe { from_raw_parts_mut(c.add(j * ldc), m) };
        for p in 0..k {
            // C(:, j) <- C(:, j) - A(:, p) B(p, j)
            // SAFETY: as above; C overlaps neither A nor B.
            unsafe { axpy(*b.add(p + j * ldb), from_raw_parts(a.add(p * lda), m), c) };
        }
    }
}

/// See [`super::Trsm`].
///
/// # Safety
/// As there.
#[inline(always)]
pub(super) unsafe fn trsm<T: Real>(m: usize, n: usize, l: *const T, ldl: usize, b: *mut T, ldb: usize) {
    for j in 0..n {
        // SAFETY: the caller vouches for m rows in each of the n columns of B.
        let b = unsafe { from_raw_parts_mut(b.add(j * ldb), m) };
        for p in 0..m {
            // B(p+1:, j) <- B(p+1:, j) - L(p+1:, p) B(p, j)
            let (top, below) = b.split_at_mut(p + 1);
            // SAFETY: rows p+1..m of column p of L, which does not overlap B.
            axpy(top[p], unsafe { from_raw_parts(l.add(p * ldl + p + 1), m - p - 1) }, below);
        }
    }
}

/// The row of the pivot in a column, counted from its first element: the largest magnitude; of equal ones the
/// first; a NaN is never larger than what is held.
#[inline(always)]
fn iamax<T: Real>(column: &[T]) -> usize {
    let mut largest = T::ZERO;
    for x in column {
        let x = x.magnitude();
        largest = if x > largest { x } else { largest };
    }
    if largest == T::ZERO {
        return 0;
    }
    column.iter().position(|x| x.magnitude() == largest).unwrap_or(0)
}

/// L(:) <- L(:) / pivot, by the reciprocal where it is sure to be finite (LAPACK: `DGETF2`).
#[inline(always)]
fn scale<T: Real>(pivot: T, column: &mut [T]) {
    if pivot.magnitude() >= T::SAFE_MIN {
        let reciprocal = T::ONE.over(pivot);
        column.iter_mut().for_each(|x| *x = x.times(reciprocal));
    } else {
        column.iter_mut().for_each(|x| *x = x.over(pivot));
    }
}

/// See [`super::Panel`].
///
/// # Safety
/// As there.
#[inline(always)]
pub(super) unsafe fn panel<T: Real, const PIVOTING: bool>(
    m: usize,
    n: usize,
    a: *mut T,
    lda: usize,
    ipiv: *mut i64,
) -> usize {
    let mut info = 0;
    for j in 0..m.min(n) {
        // SAFETY: column j of A; the slice ends before the columns to the right are touched.
        let column = unsafe { from_raw_parts_mut(a.add(j * lda), m) };
        let pivot_row = if PIVOTING { j + iamax(&column[j..]) } else { j };
        // SAFETY: j < min(m, n) elements of ipiv.
        unsafe { *ipiv.add(j) = pivot_row as i64 + 1 };
        if pivot_row != j {
            // A(j, :) <-> A(pivot_row, :)
            for jj in 0..n {
                // SAFETY: both rows are below m, and jj < n.
                unsafe { std::ptr::swap(a.add(j + jj * lda), a.add(pivot_row + jj * lda)) };
            }
        }
        // SAFETY: column j again, read after the swap; columns to the right are other memory.
        let column = unsafe { from_raw_parts_mut(a.add(j * lda), m) };
        let (top, l) = column.split_at_mut(j + 1);
        let pivot = top[j];
        if pivot != T::ZERO {
            // L(j+1:, j) <- A(j+1:, j) / U(j, j)
            scale(pivot, l);
        } else if info == 0 {
            info = j + 1;
        }
        for jj in j + 1..n {
            // SAFETY: column jj > j, disjoint from column j.
            let right = unsafe { from_raw_parts_mut(a.add(jj * lda), m) };
            let (top, below) = right.split_at_mut(j + 1);
            // A(j+1:, jj) <- A(j+1:, jj) - L(j+1:, j) U(j, jj)
            axpy(top[j], l, below);
        }
    }
    info
}
