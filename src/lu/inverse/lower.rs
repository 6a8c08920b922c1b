//! L^-1 in place of L, below the diagonal; U stays on it and above.

use super::inversion::Inversion;
use super::saved::Saved;
use crate::element::Element;
use crate::kernel::Trsm;
use crate::matrix::MatrixMut;

/// The largest order of a corner of L^-1 on its diagonal that is copied at once, and an upper bound on the columns of a tile.
const MAX_CORNER: usize = 16;

impl<T: Element> Inversion<'_, T> {
    /// L <- L^-1 = Y, by blocks of rows from the first one down.
    pub(super) fn invert_l(&self, mut a: MatrixMut<'_, T>, saved: &mut [T], triangle: &mut [T]) {
        for r0 in (0..self.n).step_by(self.blocks.rows) {
            let h = self.blocks.rows.min(self.n - r0);
            let rows = a.reborrow().split_at_row(r0 + h).0.split_at_col(r0 + h).0;
            let block = rows.as_ref().block(r0, 0, h, r0 + h);
            let l = Saved::new(block, false, self.blocks.tile, saved, self.tables.kernels);
            // Y22 <- L22^-1, as a whole
            let mut y22 = MatrixMut::in_memory(triangle, h, h, h);
            for j in 0..h {
                y22.col_mut(j).fill(T::ZERO);
                y22.col_mut(j)[j] = T::ONE;
            }
            self.subtract_zeros(&l, r0, y22.reborrow());
            self.solve_l22(&l, r0, y22.reborrow());
            let (left, mut right) = rows.split_at_col(r0);
            for j in 0..h {
                right.col_mut(j)[r0 + j + 1..].copy_from_slice(&y22.col_mut(j)[j + 1..]);
            }
            // Y21 <- L22^-1 (0 - L21 Y11)
            self.for_strips(left, &|first, strip| self.solve_l(&l, first, r0, strip));
        }
    }

    /// Y2 <- L22^-1 (0 - L21 Y1), where Y2 has the rows from `r0` on, for the columns of Y from `first` on. None of them is to the
    /// right of the rows above, and each begins on the diagonal.
    fn solve_l(&self, l: &Saved<'_, T>, first: usize, r0: usize, strip: MatrixMut<'_, T>) {
        let (kernels, end) = (self.tables.kernels, first + strip.ncols());
        let (mut y1, mut y2) = strip.split_at_row(r0);
        (first..end).for_each(|j| y2.col_mut(j - first).fill(T::ZERO));
        let nr = kernels.tuning.shape.nr;
        let width = MAX_CORNER / nr * nr;
        for k0 in (first..r0).step_by(kernels.kc) {
            let k1 = r0.min(k0 + kernels.kc);
            // Columns to the left of k0. Y2 <- Y2 - L(:, k0..k1) Y(k0..k1, :)
            let n = k0.min(end) - first;
            l.sub_product(0..l.rows(), k0..k1, y1.as_ref().block(k0, 0, k1 - k0, n), y2.reborrow().split_at_col(n).0);
            for j0 in (k0..k1.min(end)).step_by(width) {
                let j1 = k1.min(end).min(j0 + width);
                let (j, n) = (j0 - first, j1 - j0);
                let mut y2 = y2.reborrow().split_at_col(j).1.split_at_col(n).0;
                self.subtract_zeros(l, j0, y2.reborrow());
                // Y2 <- Y2 - L(:, j0..j1) Y(j0..j1, :), where U stands above the diagonal of Y
                let mut corner = [T::ZERO; MAX_CORNER * MAX_CORNER];
                let corner = self.corner_of_l(y1.reborrow().split_at_col(j).1.split_at_col(n).0, j0, &mut corner);
                l.sub_product(0..l.rows(), j0..j1, corner.as_ref(), y2.reborrow());
                // Y2 <- Y2 - L(:, j1..k1) Y(j1..k1, :)
                l.sub_product(0..l.rows(), j1..k1, y1.as_ref().block(j1, j, k1 - j1, n), y2);
            }
        }
        self.solve_l22(l, r0, y2);
    }

    /// The corner of L^-1 in the rows from `i0` on, whose first column is that of `a`.
    fn corner_of_l<'m>(&self, mut a: MatrixMut<'_, T>, i0: usize, memory: &'m mut [T]) -> MatrixMut<'m, T> {
        let n = a.ncols();
        let mut corner = MatrixMut::in_memory(memory, n, n, n);
        for j in 0..n {
            let column = corner.col_mut(j);
            (0..j).for_each(|i| column[i] = self.above_diagonal(i0 + i));
            column[j] = self.on_diagonal(i0 + j);
            column[j + 1..].copy_from_slice(&a.col_mut(j)[i0 + j + 1..i0 + n]);
        }
        corner
    }

    /// Y2 <- Y2 - L(:, 0..end) Y(0..end, :), where Y is above its diagonal, and not stored. If L is finite that changes nothing.
    fn subtract_zeros(&self, l: &Saved<'_, T>, end: usize, mut y2: MatrixMut<'_, T>) {
        if self.first_bad == self.n {
            return;
        }
        for k0 in (0..end).step_by(MAX_CORNER) {
            let k1 = end.min(k0 + MAX_CORNER);
            let mut y: [T; MAX_CORNER] = std::array::from_fn(|k| self.above_diagonal(k0 + k));
            for j in 0..y2.ncols() {
                let y = MatrixMut::in_memory(&mut y, k1 - k0, 1, k1 - k0);
                l.sub_product(0..l.rows(), k0..k1, y.as_ref(), y2.reborrow().split_at_col(j).1.split_at_col(1).0);
            }
        }
    }

    /// Y2 <- L22^-1 Y2, where the columns of L22 are those of L from `r0` on.
    fn solve_l22(&self, l: &Saved<'_, T>, r0: usize, mut y2: MatrixMut<'_, T>) {
        let (h, n, ldb, tile) = (y2.nrows(), y2.ncols(), y2.lda(), self.blocks.tile);
        assert!(h == l.rows(), "inverse: sizes do not fit");
        let b = y2.as_mut_ptr();
        for k in (0..h).step_by(tile) {
            let (m, x, tiles) = (tile.min(h - k), b.wrapping_add(k), l.tiles(k, r0));
            let solve = Trsm { m, n, k, l: tiles.ptr, ldl: tiles.col, b, ldb, x, ldx: ldb };
            // SAFETY: the tile has these rows of L22 and its columns up to the diagonal; k rows of Y2 are solved.
            unsafe { (self.tables.kernels.trsm_unit)(solve) };
        }
    }
}
