//! B <- T^-1 B for the triangles of a factored matrix: L, U and their transposes.
//!
//! U and L^T are solved from their last row on: turned by half a circle they are lower triangles as the others are. So
//! there is one solve, for a lower triangle whose elements stand at any distances.

use std::marker::PhantomData;
use std::ops::Range;

use super::scratch;
use crate::kernel::{Kernels, Tiles};
use crate::matrix::{MatrixMut, MatrixRef};
use crate::real::Real;

/// Rows that are solved before the later ones are updated with them.
const ROWS: usize = 128;

/// A lower triangle of order `n`, in the order in which its rows are solved: element (i, k) stands at
/// `i * row + k * col` from the first.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Triangle<'a, T> {
    first: *const T,
    n: usize,
    row: isize,
    col: isize,
    /// Row i of the triangle belongs to row n - 1 - i of B.
    turned: bool,
    /// The diagonal is one, and not stored.
    unit: bool,
    owner: PhantomData<&'a T>,
}

// SAFETY: a triangle is a shared reference to elements.
unsafe impl<T: Sync> Sync for Triangle<'_, T> {}

impl<'a, T: Real> Triangle<'a, T> {
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

    fn new(lu: MatrixRef<'a, T>, transposed: bool, turned: bool) -> Self {
        let n = lu.nrows();
        assert_eq!(lu.ncols(), n, "a triangle is square");
        // Where there is one column, or none, its distance to the next means nothing, and may be anything.
        let lda = if n > 1 { lu.lda() as isize } else { 1 };
        let (row, col) = if transposed { (lda, 1) } else { (1, lda) };
        let upright = Triangle { first: lu.as_ptr(), n, row, col, turned, unit: false, owner: PhantomData };
        if !turned || n == 0 {
            return upright;
        }
        // Counted from the last element backwards.
        Triangle { first: lu.block(n - 1, n - 1, 1, 1).as_ptr(), row: -row, col: -col, ..upright }
    }

    /// B <- T^-1 B. In the order in which the rows are solved, each element takes one fused multiply-subtract for each
    /// element of T to the left of the diagonal, and is then divided by the diagonal, unless that is one.
    ///
    /// # Panics
    /// If B has not n rows.
    pub(crate) fn solve(&self, mut b: MatrixMut<'_, T>, kernels: &Kernels<T>) {
        assert_eq!(b.nrows(), self.n, "triangle: sizes do not fit");
        if self.n == 0 {
            return;
        }
        if self.turned {
            (0..b.ncols()).for_each(|j| b.col_mut(j).reverse());
        }
        // Whole tiles.
        let most = (ROWS / kernels.mr * kernels.mr).min(self.n.next_multiple_of(kernels.mr));
        scratch::with((kernels.lanes + kernels.mc) * most, |memory: &mut [T]| {
            let (tile, panel) = memory.split_at_mut(kernels.lanes * most);
            for k in (0..self.n).step_by(most) {
                let rows = k..self.n.min(k + most);
                self.solve_rows(rows.clone(), b.reborrow(), tile, kernels);
                self.update(rows, b.reborrow(), panel, kernels);
            }
        });
        if self.turned {
            (0..b.ncols()).for_each(|j| b.col_mut(j).reverse());
        }
    }

    /// B1 <- T11^-1 B1, where T11 has these rows and columns, and B1 these rows.
    fn solve_rows(&self, rows: Range<usize>, b: MatrixMut<'_, T>, tile: &mut [T], kernels: &Kernels<T>) {
        let (lanes, n, ldb) = (kernels.lanes, b.ncols(), b.lda());
        let mut b1 = b.split_at_row(rows.start).1;
        let b1 = b1.as_mut_ptr();
        for i in (0..rows.len()).step_by(lanes) {
            let next = rows.start + i..rows.end.min(rows.start + i + lanes);
            self.pack(next.clone(), rows.start..next.end, lanes, tile);
            if self.unit {
                (0..next.len()).for_each(|d| tile[d + (i + d) * lanes] = T::ONE);
            }
            // SAFETY: the tile has these rows of T11 and its columns up to the diagonal; i rows of B1 are solved.
            unsafe { (kernels.trsm)(next.len(), n, i, tile.as_ptr(), lanes, b1, ldb, b1.wrapping_add(i), ldb) };
        }
    }

    /// B2 <- B2 - T21 B1, where T21 has these columns and the rows after them.
    fn update(&self, columns: Range<usize>, b: MatrixMut<'_, T>, panel: &mut [T], kernels: &Kernels<T>) {
        let (n, k, mr, ldb) = (b.ncols(), columns.len(), kernels.mr, b.lda());
        let (b1, mut b2) = b.split_at_row(columns.start).1.split_at_row(k);
        let b1 = b1.as_ref();
        for i in (0..b2.nrows()).step_by(kernels.mc) {
            let rows = kernels.mc.min(b2.nrows() - i);
            for tile in (0..rows).step_by(mr) {
                let first = columns.end + i + tile;
                self.pack(first..first + mr.min(rows - tile), columns.clone(), mr, &mut panel[tile * k..]);
            }
            let mut c = b2.reborrow().split_at_row(i).1;
            let tiles = Tiles { ptr: panel.as_ptr(), tile: mr * k, col: mr };
            // SAFETY: the tiles hold these rows of T21, B1 has as many rows as they have columns; C is rows of B2.
            unsafe { (kernels.gemm)(rows, n, k, tiles, b1.as_ptr(), ldb, c.as_mut_ptr(), ldb) };
        }
    }

    /// A block of T into a tile of `mr` rows, column after column, filled up with zeros.
    #[inline(never)] // one copy is enough
    fn pack(&self, rows: Range<usize>, columns: Range<usize>, mr: usize, tile: &mut [T]) {
        assert!(rows.len() <= mr && rows.end <= self.n && columns.end <= self.n && columns.len() * mr <= tile.len());
        for (k, to) in columns.zip(tile.chunks_exact_mut(mr)) {
            let (to, rest) = to.split_at_mut(rows.len());
            for (i, to) in rows.clone().zip(to) {
                // SAFETY: element (i, k) of an n by n matrix, from whichever corner it is counted.
                *to = unsafe { *self.first.offset(i as isize * self.row + k as isize * self.col) };
            }
            rest.fill(T::ZERO);
        }
    }
}
