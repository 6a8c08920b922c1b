//! P A = L U of a small matrix as a whole, in memory of its own that stays in the L1 cache: the recursion's calls, panels and
//! swaps would cost as much as the arithmetic.
//!
//! Matrices whose columns are one vector are left to `registers.rs` if they have few rows, those of one or two to `tiny.rs`. The
//! others are factored right-looking, two columns at a time. Rows stay where they are: a row that has become a pivot is copied
//! to U, and is from then on masked out of the search for pivots, so that whole vectors can be updated without a test. What
//! LAPACK's swaps would do to the rows is recorded in [`Order`], and is done once, when the factors are written back.

use std::ops::Range;

use super::order::Order;
use super::pivot::{self, Scaling};
use super::registers::{self, registers};
use super::tiny::{TINY, tiny};
use crate::kernel::scalar::Scalar;
use crate::kernel::signatures::Small;
use crate::kernel::vector::Vector;

/// The largest number of rows, and of columns.
pub(crate) const MAX_ORDER: usize = 64;

/// The largest leading dimension: a column of MAX_ORDER rows and one vector, of at most 16 elements.
const MAX_LD: usize = MAX_ORDER + 16;

/// Elements of memory that a matrix of at most [`MAX_ORDER`] rows and columns needs.
pub(crate) const WORK: usize = 2 * MAX_ORDER * MAX_LD;

/// The matrix while it is factored.
struct Work<T> {
    /// The rows of A, then of L: column-major, `ld` elements from column to column, filled up to whole vectors with zeros.
    w: *mut T,
    /// U, column-major with the same `ld`.
    u: *mut T,
    ld: usize,
    /// Vectors in a column.
    vectors: usize,
    /// A mask for each row, which turns an element into its magnitude while the row is free. It is zero for a row that has
    /// become a pivot, and for the rows that fill up the last vector.
    free: [T; MAX_ORDER],
    order: Order<MAX_ORDER>,
    info: usize,
}

/// P A = L U of a matrix with 1 to SMALL rows and columns, in place, with partial pivoting. Returns the 1-based index of
/// the first zero pivot, or 0.
///
/// # Safety
/// - As [`Small`] says.
/// - The CPU has the vectors' instruction set.
#[inline(always)]
pub(in crate::kernel) unsafe fn small<V: Vector, const SMALL: usize>(arguments: Small<V::T>) -> usize {
    const { assert!(SMALL <= MAX_ORDER) };
    if SMALL == 0 {
        unreachable!("a matrix that no table calls small");
    }
    let Small { m, n, a, lda, ipiv, work } = arguments;
    // SAFETY: what the caller promises is what each of the four ways needs, and the sizes of the first three are checked;
    // 1 <= m <= SMALL.
    unsafe {
        if m.max(n) <= V::LANES.min(registers::MAX) {
            return if V::LANES <= 4 {
                registers::<V, 4>(arguments)
            } else {
                registers::<V, { registers::MAX }>(arguments)
            };
        }
        if m.max(n) <= TINY && m <= 2 * V::LANES {
            return if TINY <= V::LANES || m <= V::LANES { tiny::<V, 1>(arguments) } else { tiny::<V, 2>(arguments) };
        }
        let mut matrix = Work::new::<V>(n, m.div_ceil(V::LANES), work);
        matrix.mask_padding::<V>(m);
        matrix.read::<V>(m, n, a, lda);
        matrix.factor::<V>(m.min(n), n, ipiv);
        matrix.write::<V>(m, n, a, lda);
        matrix.info
    }
}

impl<T: Scalar> Work<T> {
    /// For an `n`-column matrix with `vectors` vectors in a column.
    ///
    /// # Safety
    /// - `n` is 1 to MAX_ORDER, and `vectors` vectors have at most MAX_LD - V::LANES elements.
    /// - `work` is valid for reads and writes of [`WORK`] elements.
    #[inline(always)]
    unsafe fn new<V: Vector<T = T>>(n: usize, vectors: usize, work: *mut T) -> Self {
        // Columns a multiple of the cache's size apart would push each other out.
        let ld = vectors * V::LANES + V::LANES;
        // SAFETY: `work` has room for two matrices of n <= MAX_ORDER columns of ld <= MAX_LD elements.
        let u = unsafe { work.add(n * ld) };
        Work { w: work, u, ld, vectors, free: [T::MAGNITUDE_MASK; MAX_ORDER], order: Order::new(), info: 0 }
    }

    /// Masks the rows from `m` on that fill up the last vector. (Not in `new`, whose result would then be copied.)
    ///
    /// # Safety
    /// - The CPU has the vectors' instruction set.
    /// - `m` is 1 to MAX_ORDER, and its last row lies in the last vector.
    #[inline(always)]
    unsafe fn mask_padding<V: Vector<T = T>>(&mut self, m: usize) {
        let last = (self.vectors - 1) * V::LANES;
        // SAFETY: the caller's CPU has the instruction set; the last vector of m <= MAX_ORDER rows lies in `free`.
        unsafe {
            let mask = V::splat(T::MAGNITUDE_MASK).select_prefix(m - last, V::splat(T::ZERO));
            mask.store(self.free.as_mut_ptr().add(last));
        }
    }

    /// P A = L U of the matrix in `w`, with `k` pivots and `n` columns.
    ///
    /// # Safety
    /// - As for [`small`].
    #[inline(always)]
    unsafe fn factor<V: Vector<T = T>>(&mut self, k: usize, n: usize, ipiv: *mut i64) {
        // SAFETY: the caller's CPU has the instruction set; columns j < k are columns below n.
        unsafe {
            let largest = self.largest::<V>();
            let mut p0 = self.pivot::<V>(0, largest, ipiv);
            let mut j = 0;
            // Column j is a column of L with pivot row p0; the columns to the right have all updates but j's.
            loop {
                // U(j, j+1:) <- A(p0, j+1:)
                self.copy_row_of_u(j, p0, j + 1..n);
                if j + 1 == k {
                    return;
                }
                // A(:, j+1) <- A(:, j+1) - L(:, j) U(j, j+1), and its pivot row p1
                let largest = self.update::<V, 1>(j, j + 1);
                let p1 = self.pivot::<V>(j + 1, largest, ipiv);
                // U(j+1, j+2:) <- A(p1, j+2:) - L(p1, j) U(j, j+2:)
                self.update_row_of_u(j, p1, j + 2..n);
                if j + 2 == k {
                    return;
                }
                // A(:, j+2) <- A(:, j+2) - L(:, j:j+2) U(j:j+2, j+2), and its pivot row
                let largest = self.update::<V, 2>(j, j + 2);
                p0 = self.pivot::<V>(j + 2, largest, ipiv);
                // A(:, j+3:) likewise; this need not wait for the search above, which is a long chain.
                self.update_all::<V>(j, j + 3..n);
                j += 2;
            }
        }
    }

    /// w <- A.
    ///
    /// # Safety
    /// - As for [`small`].
    #[inline(always)]
    unsafe fn read<V: Vector<T = T>>(&mut self, m: usize, n: usize, a: *const T, lda: usize) {
        for j in 0..n {
            for v in 0..self.vectors {
                let rows = m - v * V::LANES;
                // SAFETY: rows below m of column j < n of A; a whole vector of `w`.
                unsafe {
                    let (from, to) = (a.add(v * V::LANES + j * lda), self.w.add(v * V::LANES + j * self.ld));
                    if rows >= V::LANES { V::load(from) } else { V::load_partial(from, rows) }.store(to);
                }
            }
        }
    }

    /// The largest magnitude of column 0.
    ///
    /// # Safety
    /// - The CPU has the vectors' instruction set.
    #[inline(always)]
    unsafe fn largest<V: Vector<T = T>>(&self) -> T {
        // SAFETY: the caller's CPU has the instruction set; whole vectors of column 0.
        unsafe {
            let mut largest = V::splat(T::ZERO);
            for v in 0..self.vectors {
                largest = largest.max(V::load(self.w.add(v * V::LANES)).abs());
            }
            largest.max_lane()
        }
    }

    /// Makes a row the pivot of column j, whose largest magnitude is known, and scales the column to L. Returns the row.
    ///
    /// # Safety
    /// - The CPU has the vectors' instruction set.
    /// - j is less than min(m, n); `ipiv` is valid for writes of that many elements.
    #[inline(always)]
    unsafe fn pivot<V: Vector<T = T>>(&mut self, j: usize, largest: T, ipiv: *mut i64) -> usize {
        // SAFETY: the caller's CPU has the instruction set; column j of `w`; `row` is below m, since it is one of the free
        // ones; element (j, j) of U.
        unsafe {
            let column = self.w.add(j * self.ld);
            let row = self.pivot_row::<V>(j, largest, column);
            self.free[row] = T::ZERO;
            *ipiv.add(j) = self.order.swap_to(j, row) as i64 + 1;
            let pivot = *column.add(row);
            *self.u.add(j + j * self.ld) = pivot;
            // L(:, j) <- A(:, j) / U(j, j)
            match pivot::scaling(pivot, largest) {
                Scaling::Multiply(reciprocal) => {
                    let reciprocal = V::splat(reciprocal);
                    for v in 0..self.vectors {
                        let at = column.add(v * V::LANES);
                        V::load(at).mul(reciprocal).store(at);
                    }
                }
                Scaling::Divide(pivot) => {
                    for v in 0..self.vectors {
                        let at = column.add(v * V::LANES);
                        V::load(at).div(V::splat(pivot)).store(at);
                    }
                }
                Scaling::Leave => self.info = pivot::first_zero(self.info, j),
            }
            row
        }
    }

    /// The row of the pivot of column j. Rows are not swapped, so the first of several is the one with the first position,
    /// and the row that a column of zeros keeps is the one at position j.
    ///
    /// # Safety
    /// - The CPU has the vectors' instruction set.
    /// - `column` is column j of `w`.
    #[inline(always)]
    unsafe fn pivot_row<V: Vector<T = T>>(&self, j: usize, largest: T, column: *const T) -> usize {
        let mut rows = 0;
        for v in 0..self.vectors {
            // SAFETY: the caller's CPU has the instruction set; whole vectors of column j and of the masks.
            unsafe {
                let free = V::load(self.free.as_ptr().add(v * V::LANES));
                rows |= pivot::rows_with(largest, V::load(column.add(v * V::LANES)).and(free), v);
            }
        }
        if pivot::keeps_rows(largest) {
            self.order.rows()[j].into()
        } else if rows & rows.wrapping_sub(1) == 0 {
            rows.trailing_zeros() as usize & (MAX_ORDER - 1)
        } else {
            self.order.first_of(rows)
        }
    }

    /// U(j, jj) <- A(p0, jj) for all `columns` jj: row p0 has all of its updates.
    ///
    /// # Safety
    /// - `p0` is a row, j and `columns` are columns of the matrix.
    #[inline(always)]
    unsafe fn copy_row_of_u(&mut self, j: usize, p0: usize, columns: Range<usize>) {
        for jj in columns {
            // SAFETY: row p0 of column jj; row j of column jj of U.
            unsafe { *self.u.add(j + jj * self.ld) = *self.w.add(p0 + jj * self.ld) };
        }
    }

    /// U(j+1, jj) <- A(p1, jj) - L(p1, j) U(j, jj) for all `columns` jj: row p1 lacks its last update.
    ///
    /// # Safety
    /// - `p1` is a row, j, j + 1 and `columns` are columns of the matrix.
    #[inline(always)]
    unsafe fn update_row_of_u(&mut self, j: usize, p1: usize, columns: Range<usize>) {
        for jj in columns {
            // SAFETY: row p1 of columns j and jj; rows j and j + 1 of column jj of U.
            unsafe {
                let u = self.u.add(j + jj * self.ld);
                *u.add(1) = (*self.w.add(p1 + j * self.ld)).neg().mul_add(*u, *self.w.add(p1 + jj * self.ld));
            }
        }
    }

    /// A(:, jj) <- A(:, jj) - L(:, j) U(j, jj), and for N = 2 - L(:, j+1) U(j+1, jj). Returns the largest magnitude of
    /// the free rows.
    ///
    /// # Safety
    /// - The CPU has the vectors' instruction set.
    /// - Columns j to j + N and jj are columns of the matrix.
    #[inline(always)]
    unsafe fn update<V: Vector<T = T>, const N: usize>(&mut self, j: usize, jj: usize) -> T {
        // SAFETY: the caller's CPU has the instruction set; whole vectors of columns j, j + N - 1 and jj, and of the masks;
        // rows j to j + N of column jj of U.
        unsafe {
            let (l, x) = (self.w.add(j * self.ld), self.w.add(jj * self.ld));
            let u: [V; N] = std::array::from_fn(|i| V::splat(*self.u.add(j + i + jj * self.ld)));
            let mut largest = V::splat(T::ZERO);
            for v in 0..self.vectors {
                let at = x.add(v * V::LANES);
                let mut y = V::load(at);
                for (i, &u) in u.iter().enumerate() {
                    y = y.sub_mul(V::load(l.add(v * V::LANES + i * self.ld)), u);
                }
                y.store(at);
                largest = largest.max(y.and(V::load(self.free.as_ptr().add(v * V::LANES))));
            }
            largest.max_lane()
        }
    }

    /// [`Work::update`] by two columns of L for many columns of A, up to four vectors of rows at a time.
    ///
    /// # Safety
    /// - The CPU has the vectors' instruction set.
    /// - j, j + 1 and `columns` are columns of the matrix.
    #[inline(always)]
    unsafe fn update_all<V: Vector<T = T>>(&mut self, j: usize, columns: Range<usize>) {
        let mut v = 0;
        // SAFETY: the caller's CPU has the instruction set; each call takes its vectors from v on, up to `vectors`.
        unsafe {
            while v + 4 <= self.vectors {
                self.update_rows::<V, 4>(j, v, columns.clone());
                v += 4;
            }
            if v + 2 <= self.vectors {
                self.update_rows::<V, 2>(j, v, columns.clone());
                v += 2;
            }
            if v < self.vectors {
                self.update_rows::<V, 1>(j, v, columns);
            }
        }
    }

    /// A(:, jj) <- A(:, jj) - L(:, j) U(j, jj) - L(:, j+1) U(j+1, jj) for all `columns` jj, in the rows of MV vectors from
    /// vector `v` on; L stays in registers.
    ///
    /// # Safety
    /// - The CPU has the vectors' instruction set.
    /// - `v + MV` is at most `vectors`; j, j + 1 and `columns` are columns of the matrix.
    #[inline(always)]
    unsafe fn update_rows<V: Vector<T = T>, const MV: usize>(&self, j: usize, v: usize, columns: Range<usize>) {
        // SAFETY: the caller's CPU has the instruction set; whole vectors of columns j, j + 1 and `columns`; rows j and j + 1
        // of U.
        unsafe {
            let l = self.w.add(v * V::LANES + j * self.ld);
            let l0: [V; MV] = std::array::from_fn(|i| V::load(l.add(i * V::LANES)));
            let l1: [V; MV] = std::array::from_fn(|i| V::load(l.add(i * V::LANES + self.ld)));
            let mut x = self.w.add(v * V::LANES + columns.start * self.ld);
            let mut u = self.u.add(j + columns.start * self.ld);
            for _ in columns {
                let (u0, u1) = (V::splat(*u), V::splat(*u.add(1)));
                for i in 0..MV {
                    let at = x.add(i * V::LANES);
                    V::load(at).sub_mul(l0[i], u0).sub_mul(l1[i], u1).store(at);
                }
                x = x.wrapping_add(self.ld);
                u = u.wrapping_add(self.ld);
            }
        }
    }

    /// A <- U and, below its diagonal, the rows of L in their final order.
    ///
    /// # Safety
    /// - As for [`small`].
    #[inline(always)]
    unsafe fn write<V: Vector<T = T>>(&self, m: usize, n: usize, a: *mut T, lda: usize) {
        let k = m.min(n);
        for j in 0..n {
            // SAFETY: rows below m of column j < n; the rows in `order` at positions below m are below m.
            unsafe {
                let (to, w, u) = (a.add(j * lda), self.w.add(j * self.ld), self.u.add(j * self.ld));
                let top = k.min(j + 1);
                // Whole vectors of U while they fit; L then replaces what they wrote below the diagonal.
                let mut i = 0;
                while i < top && i + V::LANES <= m {
                    V::load(u.add(i)).store(to.add(i));
                    i += V::LANES;
                }
                if i < top {
                    V::load(u.add(i)).store_partial(to.add(i), top - i);
                }
                for (i, &row) in (top..m).zip(&self.order.rows()[top..m]) {
                    *to.add(i) = *w.add(row.into());
                }
            }
        }
    }
}
