//! P A = L U of a small matrix as a whole, in memory of its own that stays in the L1 cache.
//!
//! Matrices whose columns are one or two vectors have a way of their own, in `tiny.rs`. For the others: right-looking, two
//! columns at a time. Rows stay where they are: a row that has become a pivot is copied to U and
//! from then on only masked out of the search for pivots, so that it may be updated like the others, for nothing.
//! The swaps are counted on the side and done once, when the factors are written back.

use std::ops::Range;

use super::tiny::{TINY, tiny};
use crate::kernel::scalar::Scalar;
use crate::kernel::signatures::Small;
use crate::kernel::vector::Vector;

/// The largest number of rows, and of columns.
pub(crate) const MAX_ORDER: usize = 64;

/// Elements of memory that a matrix of at most [`MAX_ORDER`] rows and columns needs.
pub(crate) const WORK: usize = 2 * MAX_ORDER * (MAX_ORDER + 16);

/// Where each row is: the rows of the matrix stay in place, positions are what LAPACK's swaps make of them.
struct Order {
    /// The row at each position.
    row_at: [u8; MAX_ORDER],
    /// The position of each row.
    position_of: [u8; MAX_ORDER],
}

impl Order {
    fn new() -> Self {
        let count = std::array::from_fn(|i| i as u8);
        Order { row_at: count, position_of: count }
    }

    /// Swaps `row` to position `j`; returns the position that it had.
    fn swap_to(&mut self, j: usize, row: usize) -> usize {
        let position = self.position_of[row & (MAX_ORDER - 1)];
        let other = self.row_at[j];
        self.row_at[j] = row as u8;
        self.row_at[position as usize & (MAX_ORDER - 1)] = other;
        self.position_of[other as usize & (MAX_ORDER - 1)] = position;
        self.position_of[row & (MAX_ORDER - 1)] = j as u8;
        position.into()
    }

    /// Of rows given as bits, the one that stands first.
    #[cold]
    fn first_of(&self, mut rows: u64) -> usize {
        let mut first = rows.trailing_zeros() as usize & (MAX_ORDER - 1);
        while rows != 0 {
            let row = rows.trailing_zeros() as usize;
            if self.position_of[row] < self.position_of[first] {
                first = row;
            }
            rows &= rows - 1;
        }
        first
    }
}

/// The matrix while it is factored.
struct Work<T> {
    /// The rows of A, then of L: column-major, `ld` elements from column to column, filled up to whole vectors.
    w: *mut T,
    /// U: column-major like `w`.
    u: *mut T,
    ld: usize,
    /// Vectors in a column.
    vectors: usize,
    /// For each row a mask: all bits but the sign while it is not a pivot, none after that or where there is no row.
    free: [T; MAX_ORDER],
    order: Order,
    info: usize,
}

/// P A = L U of a matrix with 1 to SMALL rows and columns, in place, with partial pivoting. Returns the 1-based index of
/// the first zero pivot, or 0.
///
/// # Safety
/// As [`Small`] says; and the CPU has the vectors' instruction set.
#[inline(always)]
pub(in crate::kernel) unsafe fn small<V: Vector, const SMALL: usize>(arguments: Small<V::T>) -> usize {
    let Small { m, n, a, lda, ipiv, work } = arguments;
    const { assert!(SMALL <= MAX_ORDER) };
    if SMALL == 0 {
        unreachable!("a matrix that no table calls small");
    }
    // SAFETY: the caller's promise.
    unsafe {
        if m.max(n) <= TINY && m <= V::LANES {
            return tiny::<V, 1>(m, n, a, lda, ipiv);
        }
        if m.max(n) <= TINY && m <= 2 * V::LANES {
            return tiny::<V, 2>(m, n, a, lda, ipiv);
        }
    }
    let k = m.min(n);
    let vectors = m.div_ceil(V::LANES);
    // Columns a multiple of the cache's size apart would push each other out.
    let ld = vectors * V::LANES + V::LANES;
    // SAFETY: `work` has two matrices of `ld <= MAX_ORDER + 16` times MAX_ORDER elements; all rows and columns named are
    // those of A, or lie in `work`.
    unsafe {
        let mut s = Work {
            w: work,
            u: work.add(MAX_ORDER * (MAX_ORDER + 16)),
            ld,
            vectors,
            free: [V::T::ZERO; MAX_ORDER],
            order: Order::new(),
            info: 0,
        };
        s.free[..m].fill(V::T::MAGNITUDE_MASK);
        let largest = s.read::<V>(m, n, a, lda);
        let mut p0 = s.pivot::<V>(0, largest, ipiv);
        let mut j = 0;
        // Column j is a column of L with pivot row p0; the columns to the right have all updates but j's.
        while j + 1 < k {
            s.row_of_u::<0>(j, p0, p0, j + 1..n);
            let largest = s.update::<V, 1>(j, j + 1);
            let p1 = s.pivot::<V>(j + 1, largest, ipiv);
            s.row_of_u::<1>(j, p0, p1, j + 2..n);
            if j + 2 == k {
                // There is no third pivot; what is left of a wide matrix belongs to U.
                break;
            }
            let largest = s.update::<V, 2>(j, j + 2);
            p0 = s.pivot::<V>(j + 2, largest, ipiv);
            // These do not wait for the search above, which takes its time.
            s.update_all::<V>(j, j + 3..n);
            j += 2;
        }
        if j + 1 == k {
            s.row_of_u::<0>(j, p0, p0, k..n);
        }
        s.write::<V>(m, n, a, lda);
        s.info
    }
}

impl<T: Scalar> Work<T> {
    /// Copies A; returns the largest magnitude of column 0.
    ///
    /// # Safety
    /// As for [`small`].
    #[inline(always)]
    unsafe fn read<V: Vector<T = T>>(&mut self, m: usize, n: usize, a: *const T, lda: usize) -> T {
        // SAFETY: rows below m of columns below n; whole vectors of `w`.
        unsafe {
            for j in 0..n {
                for v in 0..self.vectors {
                    let (from, to) = (a.add(v * V::LANES + j * lda), self.w.add(v * V::LANES + j * self.ld));
                    let rows = m - v * V::LANES;
                    if rows >= V::LANES { V::load(from) } else { V::load_partial(from, rows) }.store(to);
                }
            }
            let mut largest = V::splat(T::ZERO);
            for v in 0..self.vectors {
                largest = largest.max(V::load(self.w.add(v * V::LANES)).abs());
            }
            largest.max_lane()
        }
    }

    /// Makes a row the pivot of column j, where the largest magnitude is known, and scales the column to L.
    ///
    /// # Safety
    /// As for [`small`].
    #[inline(always)]
    unsafe fn pivot<V: Vector<T = T>>(&mut self, j: usize, largest: T, ipiv: *mut i64) -> usize {
        // SAFETY: whole vectors of column j; `row` is below m, since it is one of the free ones.
        unsafe {
            let column = self.w.add(j * self.ld);
            let wanted = V::splat(largest);
            let mut rows = 0_u64;
            for v in 0..self.vectors {
                let x = V::load(column.add(v * V::LANES)).and(V::load(self.free.as_ptr().add(v * V::LANES)));
                rows |= u64::from(x.eq_mask(wanted)) << (v * V::LANES);
            }
            let row = if largest == T::ZERO {
                self.order.row_at[j].into()
            } else if rows & rows.wrapping_sub(1) == 0 {
                rows.trailing_zeros() as usize & (MAX_ORDER - 1)
            } else {
                self.order.first_of(rows)
            };
            self.free[row] = T::ZERO;
            *ipiv.add(j) = self.order.swap_to(j, row) as i64 + 1;
            let pivot = *column.add(row);
            *self.u.add(j + j * self.ld) = pivot;
            if largest >= T::SAFE_MIN {
                // 1 / pivot; its magnitude is there before the row is known.
                let scale = V::splat(T::ONE.div(largest).copysign(pivot));
                for v in 0..self.vectors {
                    let at = column.add(v * V::LANES);
                    V::load(at).mul(scale).store(at);
                }
            } else if pivot == T::ZERO {
                self.info = if self.info == 0 { j + 1 } else { self.info };
            } else {
                for i in 0..self.vectors * V::LANES {
                    *column.add(i) = (*column.add(i)).div(pivot);
                }
            }
            row
        }
    }

    /// Row j + I of U in some columns: that of A in row p0 for I = 0; for I = 1 that in row p1, less L(p1, j) U(j, :).
    ///
    /// # Safety
    /// As for [`small`].
    #[inline(always)]
    unsafe fn row_of_u<const I: usize>(&mut self, j: usize, p0: usize, p1: usize, columns: Range<usize>) {
        for jj in columns {
            // SAFETY: rows p0 and p1 of column jj; column j; rows j and j + 1 of U.
            unsafe {
                let (x, u) = (self.w.add(jj * self.ld), self.u.add(j + jj * self.ld));
                if I == 0 {
                    *u = *x.add(p0);
                } else {
                    *u.add(1) = (*self.w.add(p1 + j * self.ld)).neg().mul_add(*u, *x.add(p1));
                }
            }
        }
    }

    /// A(:, jj) <- A(:, jj) - L(:, j) U(j, jj), and for N = 2 - L(:, j+1) U(j+1, jj). Returns the largest magnitude of
    /// the free rows.
    ///
    /// # Safety
    /// As for [`small`].
    #[inline(always)]
    unsafe fn update<V: Vector<T = T>, const N: usize>(&mut self, j: usize, jj: usize) -> T {
        // SAFETY: whole vectors of columns j, j + N - 1 and jj.
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

    /// [`Work::update`] by two columns of L for many columns of A, a few vectors of rows at a time.
    ///
    /// # Safety
    /// As for [`small`].
    #[inline(always)]
    unsafe fn update_all<V: Vector<T = T>>(&mut self, j: usize, columns: Range<usize>) {
        let mut v = 0;
        // SAFETY: vectors below `vectors`.
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

    /// MV vectors of rows, from vector `v` on; L stays in registers.
    ///
    /// # Safety
    /// As for [`small`].
    #[inline(always)]
    unsafe fn update_rows<V: Vector<T = T>, const MV: usize>(&self, j: usize, v: usize, columns: Range<usize>) {
        // SAFETY: whole vectors of columns j, j + 1 and `columns`.
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
                x = x.add(self.ld);
                u = u.add(self.ld);
            }
        }
    }

    /// Writes U and the rows of L in their final order to A.
    ///
    /// # Safety
    /// As for [`small`].
    #[inline(always)]
    unsafe fn write<V: Vector<T = T>>(&self, m: usize, n: usize, a: *mut T, lda: usize) {
        let k = m.min(n);
        for j in 0..n {
            // SAFETY: rows below m of columns below n; the rows in `order` are below m.
            unsafe {
                let (to, w, u) = (a.add(j * lda), self.w.add(j * self.ld), self.u.add(j * self.ld));
                let top = k.min(j + 1);
                // Whole vectors of U as far as they fit; L then takes what they wrote below the diagonal.
                let mut i = 0;
                while i < top && i + V::LANES <= m {
                    V::load(u.add(i)).store(to.add(i));
                    i += V::LANES;
                }
                for i in i..top {
                    *to.add(i) = *u.add(i);
                }
                for i in top..m {
                    *to.add(i) = *w.add(self.order.row_at[i].into());
                }
            }
        }
    }
}
