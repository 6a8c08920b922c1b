//! B <- T^-1 B for the triangles of a factored matrix: L, U and their transposes. Few columns are solved where they are, more of
//! them by rows (`rows.rs`).
//!
//! U and L^T are solved from their last row up. Rotated by 180 degrees (rows and columns reversed) they are lower triangles
//! like L and U^T. So there is one solve, for a lower triangle with arbitrary distances between its elements. The rows of B
//! stay where they are.

use std::marker::PhantomData;
use std::ops::Range;

use super::rows::{Rows, by_rows};
use crate::element::Element;
use crate::kernel::{Kernels, RowsTrsm, Strided, Trsv};
use crate::matrix::{MatrixMut, MatrixRef};

/// A block of rows of T has a multiple of this many, which is a multiple of the rows of every tile.
const BLOCK_ROWS: usize = 64;

/// A lower triangle of order `n`, with its rows in the order in which they are solved: element (i, k) is
/// `i * row + k * col` elements from the first.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Triangle<'a, T> {
    first: *const T,
    n: usize,
    row: isize,
    col: isize,
    /// Row i of the triangle belongs to row n - 1 - i of B.
    rotated: bool,
    /// The diagonal is one, and not stored.
    unit: bool,
    owner: PhantomData<&'a T>,
}

// SAFETY: a triangle is a shared reference to elements, which threads only read.
unsafe impl<T: Sync> Sync for Triangle<'_, T> {}

impl<'a, T: Element> Triangle<'a, T> {
    /// L of a factored matrix, or with `transposed` L^T.
    ///
    /// # Panics
    /// If the matrix is not square.
    pub(crate) fn lower(lu: MatrixRef<'a, T>, transposed: bool) -> Self {
        Triangle { unit: true, ..Self::new(lu, transposed, transposed) }
    }

    /// U of a factored matrix, or with `transposed` U^T.
    ///
    /// # Panics
    /// If the matrix is not square.
    pub(crate) fn upper(lu: MatrixRef<'a, T>, transposed: bool) -> Self {
        Self::new(lu, transposed, !transposed)
    }

    fn new(lu: MatrixRef<'a, T>, transposed: bool, rotated: bool) -> Self {
        let n = lu.nrows();
        assert!(lu.ncols() == n, "a triangle is square");
        // With one column or none, the leading dimension has no meaning and may be any number.
        let lda = if n > 1 { lu.lda() as isize } else { 1 };
        let (row, col) = if transposed { (lda, 1) } else { (1, lda) };
        let upright = Triangle { first: lu.as_ptr(), n, row, col, rotated, unit: false, owner: PhantomData };
        if !rotated || n == 0 {
            return upright;
        }
        // Elements are counted backwards from the last one.
        Triangle { first: lu.block(n - 1, n - 1, 1, 1).as_ptr(), row: -row, col: -col, ..upright }
    }

    /// B <- T^-1 B, one or a few columns after the others. It takes no memory.
    ///
    /// # Panics
    /// If B does not have the rows of the triangle.
    #[inline(never)] // one copy is enough
    pub(crate) fn solve_columns(&self, mut b: MatrixMut<'_, T>, kernels: &Kernels<T>) {
        assert!(b.nrows() == self.n, "triangle: sizes do not fit");
        if self.n == 0 || b.ncols() == 0 {
            return;
        }
        let (nrhs, ldx, t) = (b.ncols(), b.lda(), Strided { ptr: self.first, row: self.row, col: self.col });
        let (first, inc) = if self.rotated { (self.n - 1, -1) } else { (0, 1) };
        let x = b.as_mut_ptr().wrapping_add(first);
        // SAFETY: T is a view, of which one distance is `inc`, and B has its rows; B is borrowed mutably.
        unsafe { (kernels.trsv)(Trsv { n: self.n, nrhs, unit: self.unit, t, x, inc, ldx }) };
    }

    /// X <- T^-1 X.
    ///
    /// # Panics
    /// If X does not have the rows of the triangle.
    #[inline(never)] // one copy is enough
    pub(crate) fn solve_rows(&self, x: &mut Rows<'_, T>, kernels: &Kernels<T>) {
        let tuning = &kernels.tuning.solve;
        let columns = if self.col.abs() == 1 { tuning.block_of_rows } else { tuning.block };
        let rows = (tuning.block_bytes / (columns * size_of::<T>())).next_multiple_of(BLOCK_ROWS);
        let mut solved = 0;
        while solved < self.n {
            // The block with fewer rows comes first, so that all later ones are whole tiles.
            let end = solved + (self.n - solved - 1) % columns + 1;
            // X1 <- T11^-1 X1
            self.on_rows(x, (solved, solved), solved..end, kernels);
            // X2 <- X2 - T21 X1, for all of X with a block of T21 while that is in the cache
            for first in (end..self.n).step_by(rows) {
                self.on_rows(x, (solved, end), first..self.n.min(first + rows), kernels);
            }
            solved = end;
        }
    }

    /// X2 <- X2 - T21 X1, where X2 are these rows of X, and X1 those that are known; X2 <- T22^-1 X2 if none are.
    #[inline(never)] // one copy is enough
    fn on_rows(&self, x: &mut Rows<'_, T>, known: (usize, usize), rows: Range<usize>, kernels: &Kernels<T>) {
        let t = Strided { ptr: self.first, row: self.row, col: self.col };
        for mut group in x.groups() {
            assert!(group.ncols() == self.n && known.0 <= known.1 && known.1 <= rows.start && rows.end <= self.n);
            let (inc, vectors) = (group.lda() as isize, group.nrows() / kernels.lanes);
            let (first, inc) = if self.rotated { ((self.n - 1) as isize * inc, -inc) } else { (0, inc) };
            let x = group.as_mut_ptr().wrapping_offset(first);
            let (first, end, solves, unit) = (rows.start, rows.end, known.0 == known.1, self.unit);
            // SAFETY: a group has up to `row_vectors` vectors in each of n rows, as many as T. T is a view, and the group is
            // borrowed mutably.
            unsafe { (kernels.trsm_rows)(RowsTrsm { known, first, end, solves, vectors, unit, t, x, inc }) };
        }
    }
}

/// B <- T^-1 B.
///
/// # Panics
/// If B does not have the rows of the triangle.
pub(crate) fn solve_triangle<T: Element>(triangle: &Triangle<'_, T>, mut b: MatrixMut<'_, T>, kernels: &Kernels<T>) {
    if by_rows(b.reborrow(), triangle.col.abs() == 1, kernels, &mut |x| triangle.solve_rows(x, kernels)).is_none() {
        triangle.solve_columns(b, kernels);
    }
}
