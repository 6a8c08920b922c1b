//! Rows of a triangle, whose place the rows of the result take.

use std::ops::Range;

use crate::element::Element;
use crate::kernel::{Gemm, Kernels, Pack, Tiles};
use crate::matrix::{MatrixMut, MatrixRef};

/// Rows of a lower triangle T, with the columns up to the diagonal of the last one, in tiles.
pub(super) struct Saved<'a, T: Element> {
    rows: usize,
    columns: usize,
    tile: usize,
    /// The columns stand in the other order.
    reversed: bool,
    elements: &'a [T],
    kernels: &'a Kernels<T>,
}

impl<'a, T: Element> Saved<'a, T> {
    /// Saves A as rows of T, with its columns in the other order if `reversed`, in tiles of `tile` rows: those of the kernels, or
    /// one row.
    ///
    /// # Panics
    /// If there is too little memory.
    pub(super) fn new(
        a: MatrixRef<'_, T>,
        reversed: bool,
        tile: usize,
        memory: &'a mut [T],
        kernels: &'a Kernels<T>,
    ) -> Self {
        let (rows, columns) = (a.nrows(), a.ncols());
        let elements = &mut memory[..rows.next_multiple_of(tile) * columns];
        if tile == kernels.mr {
            let pack = Pack { m: rows, k: columns, a: a.as_ptr(), lda: a.lda(), to: elements.as_mut_ptr() };
            // SAFETY: the view A has this size, and `elements` has room for its whole tiles.
            unsafe { (kernels.pack)(pack) };
        } else {
            assert!(tile == 1 && rows == 1, "inverse: tiles of another size");
            MatrixMut::in_memory(elements, 1, columns, 1).copy_from(a);
        }
        Saved { rows, columns, tile, reversed, elements, kernels }
    }

    /// The number of rows.
    pub(super) fn rows(&self) -> usize {
        self.rows
    }

    /// The tiles from row `i` and column `k` on. Within a tile there is only the rest of that one.
    ///
    /// # Panics
    /// If the row or the column is not there.
    pub(super) fn tiles(&self, i: usize, k: usize) -> Tiles<T> {
        assert!(i < self.rows && k < self.columns, "inverse: no such element");
        let at = if self.reversed { self.columns - 1 - k } else { k };
        // The distance between columns may be negative; it is added modulo 2^64.
        let col = if self.reversed { self.tile.wrapping_neg() } else { self.tile };
        let within = i % self.tile;
        let ptr = self.elements[(i - within) * self.columns + at * self.tile + within..].as_ptr();
        Tiles { ptr, tile: self.tile * self.columns, col }
    }

    /// C <- C - T(rows, columns) B. Rows that do not begin with a tile end with it.
    ///
    /// # Panics
    /// If the sizes do not fit each other.
    pub(super) fn sub_product(
        &self,
        rows: Range<usize>,
        columns: Range<usize>,
        b: MatrixRef<'_, T>,
        mut c: MatrixMut<'_, T>,
    ) {
        let (m, n, k, ldb, ldc) = (rows.len(), c.ncols(), columns.len(), b.lda(), c.lda());
        assert!(rows.end <= self.rows && columns.end <= self.columns, "inverse: no such block");
        assert!(c.nrows() == m && b.nrows() == k && b.ncols() == n, "inverse: sizes do not fit");
        if m == 0 || n == 0 || k == 0 {
            return;
        }
        let within = rows.start % self.tile;
        assert!(within == 0 || within + m <= self.tile, "inverse: rows of two tiles");
        let a = self.tiles(rows.start, columns.start);
        // SAFETY: the tiles have these rows and columns, as asserted, and the views have their sizes. C is borrowed mutably,
        // so it overlaps neither B nor the saved rows.
        unsafe { (self.kernels.gemm)(Gemm { m, n, k, a, b: b.as_ptr(), ldb, c: c.as_mut_ptr(), ldc }) };
    }
}
