//! P A = L U of a matrix of a few rows, whose columns are one or two vectors each. For such a matrix every loop over rows
//! would cost more than its work, so a column is in registers whenever it is worked on, and rows are swapped at once.
//!
//! Right-looking: each column of L updates all columns to the right.

use std::mem::MaybeUninit;

use super::column::{lanes_before, load, load_partial, store, store_partial};
use super::pivot::{self, Scaling};
use crate::kernel::scalar::Scalar;
use crate::kernel::signatures::Small;
use crate::kernel::vector::Vector;

/// The largest number of rows, and of columns.
pub(crate) const TINY: usize = 16;

/// P A = L U of a matrix with at most TINY rows and columns, and at most MV * LANES rows. Returns the 1-based index of the
/// first zero pivot, or 0.
///
/// # Safety
/// - As [`Small`] says, but for `work`, which is not used.
/// - The CPU has the vectors' instruction set.
#[inline(always)]
pub(super) unsafe fn tiny<V: Vector, const MV: usize>(arguments: Small<V::T>) -> usize {
    let Small { m, n, a, lda, ipiv, .. } = arguments;
    let ld = MV * V::LANES;
    debug_assert!(m <= ld && m <= TINY && n <= TINY);
    let mut memory = [const { MaybeUninit::<V::T>::uninit() }; 2 * TINY * TINY];
    let w = memory.as_mut_ptr().cast::<V::T>();
    let mut info = 0;
    // SAFETY: rows below m of columns below n of A; whole columns below n <= TINY of `memory`, of ld <= 2 * TINY rows;
    // j < min(m, n) for `ipiv`, and the pivot's row is less than ld.
    unsafe {
        for j in 0..n {
            store(&load_partial::<V, MV>(a.add(j * lda), m), w.add(j * ld));
        }
        let mut x = load::<V, MV>(w);
        for j in 0..m.min(n) {
            let (row, magnitude) = pivot_row(&x, j);
            *ipiv.add(j) = row as i64 + 1;
            let column = w.add(j * ld);
            let (pivot, top) = (*column.add(row), *column.add(j));
            // A(:, j) <- L(:, j), with the pivot on the diagonal.
            let mut l = splice(&x, row, top, &x);
            match pivot::scaling(pivot, magnitude) {
                Scaling::Multiply(reciprocal) => l.iter_mut().for_each(|l| *l = l.mul(V::splat(reciprocal))),
                Scaling::Divide(pivot) => l.iter_mut().for_each(|l| *l = l.div(V::splat(pivot))),
                Scaling::Leave => info = pivot::first_zero(info, j),
            }
            store(&splice(&x, j, pivot, &l), column);
            // L(j, 0:j) <-> L(row, 0:j)
            for jj in 0..j {
                std::ptr::swap(w.add(j + jj * ld), w.add(row + jj * ld));
            }
            for jj in j + 1..n {
                let new = update(w.add(jj * ld), j, row, &l);
                if jj == j + 1 {
                    x = new;
                }
            }
        }
        for j in 0..n {
            store_partial(&load::<V, MV>(w.add(j * ld)), a.add(j * lda), m);
        }
    }
    info
}

/// The row of the pivot of column j, and its magnitude: the first of the rows from j on with the largest magnitude.
///
/// # Safety
/// - The CPU has the vectors' instruction set.
#[inline(always)]
unsafe fn pivot_row<V: Vector, const MV: usize>(x: &[V; MV], j: usize) -> (usize, V::T) {
    // SAFETY: the caller's CPU has the instruction set; lanes are counted up to LANES.
    unsafe {
        let zero = V::splat(V::T::ZERO);
        let mut magnitudes = [zero; MV];
        let mut largest = zero;
        for (v, magnitude) in magnitudes.iter_mut().enumerate() {
            *magnitude = zero.select_prefix(lanes_before::<V>(j, v), x[v].abs());
            largest = largest.max(*magnitude);
        }
        let largest = largest.max_lane();
        let mut rows = 0;
        for (v, &magnitude) in magnitudes.iter().enumerate() {
            rows |= pivot::rows_with(largest, magnitude, v);
        }
        let row = if pivot::keeps_rows(largest) { j } else { rows.trailing_zeros() as usize & (TINY - 1) };
        (row, largest)
    }
}

/// Swaps rows j and `row` of a column to the right of column j and subtracts L(j+1:, j) U(j, :) from what is below row j.
/// Returns the column.
///
/// # Safety
/// - The CPU has the vectors' instruction set.
/// - `column` is valid for reads and writes of MV * LANES elements; j and `row` are less than that.
#[inline(always)]
unsafe fn update<V: Vector, const MV: usize>(column: *mut V::T, j: usize, row: usize, l: &[V; MV]) -> [V; MV] {
    // SAFETY: the caller's CPU has the instruction set; rows j and `row`, and all, of the column.
    unsafe {
        let (u, top) = (*column.add(row), *column.add(j));
        let old = load::<V, MV>(column);
        let mut new = splice(&old, row, top, &old);
        for (new, &l) in new.iter_mut().zip(l) {
            *new = new.sub_mul(l, V::splat(u));
        }
        let new = splice(&old, j, u, &new);
        store(&new, column);
        new
    }
}

/// A column of the rows of `above` before `row`, `element` in that row, and the rows of `below` after it.
///
/// # Safety
/// - The CPU has the vectors' instruction set.
#[inline(always)]
unsafe fn splice<V: Vector, const MV: usize>(above: &[V; MV], row: usize, element: V::T, below: &[V; MV]) -> [V; MV] {
    let mut x = *above;
    for (v, x) in x.iter_mut().enumerate() {
        let (before, through) = (lanes_before::<V>(row, v), lanes_before::<V>(row + 1, v));
        // SAFETY: the caller's CPU has the instruction set; lanes are counted up to LANES.
        *x = unsafe { above[v].select_prefix(before, V::splat(element)).select_prefix(through, below[v]) };
    }
    x
}
