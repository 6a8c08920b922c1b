//! L^-1 in place of L, below the diagonal; U stays on it and above.

use super::inversion::{Inversion, part};
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
            if self.is_cancelled(|| (r0 + h).pow(3) as f64 / 3.0 - r0.pow(3) as f64 / 3.0) {
                return;
            }
            let block = part(a.reborrow(), r0..r0 + h, 0..r0 + h);
            let l = Saved::new(block.as_ref(), false, self.blocks.tile, saved, self.kernels);
            // Y22 <- L22^-1, as a whole
            let mut y22 = MatrixMut::in_memory(triangle, h, h, h);
            for j in 0..h {
                y22.col_mut(j).fill(T::ZERO);
                y22.col_mut(j)[j] = T::ONE;
            }
            if self.first_bad < self.n {
                self.subtract_zeros(&l, r0, y22.reborrow());
            }
            self.solve_l22(&l, r0, y22.reborrow());
            for j in 0..h {
                a.col_mut(r0 + j)[r0 + j + 1..r0 + h].copy_from_slice(&y22.col_mut(j)[j + 1..]);
            }
            // Y21 <- L22^-1 (0 - L21 Y11)
            self.for_strips(part(a.reborrow(), 0..r0 + h, 0..r0), &|first, strip| self.solve_l(&l, first, r0, strip));
        }
    }

    /// Y2 <- L22^-1 (0 - L21 Y1), where Y2 has the rows from `r0` on, for the columns of Y from `first` on. None of them is to the
    /// right of the rows above, and each begins on the diagonal.
    fn solve_l(&self, l: &Saved<'_, T>, first: usize, r0: usize, strip: MatrixMut<'_, T>) {
        let (kernels, end) = (self.kernels, first + strip.ncols());
        let h = l.rows();
        let (mut y1, mut y2) = strip.split_at_row(r0);
        (first..end).for_each(|j| y2.col_mut(j - first).fill(T::ZERO));
        let nr = kernels.tuning.shape.nr;
        let width = MAX_CORNER / nr * nr;
        for k0 in (first..r0).step_by(kernels.kc) {
            let k1 = r0.min(k0 + kernels.kc);
            // Columns to the left of k0. Y2 <- Y2 - L(:, k0..k1) Y(k0..k1, :)
            let n = k0.min(end) - first;
            l.sub_product(0..h, k0..k1, y1.as_ref().block(k0, 0, k1 - k0, n), part(y2.reborrow(), 0..h, 0..n));
            for j0 in (k0..k1.min(end)).step_by(width) {
                let j1 = k1.min(end).min(j0 + width);
                let (j, n) = (j0 - first, j1 - j0);
                let mut y2 = part(y2.reborrow(), 0..h, j..j + n);
                if self.first_bad < self.n {
                    self.subtract_zeros(l, j0, y2.reborrow());
                }
                // Y2 <- Y2 - L(:, j0..j1) Y(j0..j1, :), where U stands above the diagonal of Y
                let mut corner = [T::ZERO; MAX_CORNER * MAX_CORNER];
                let corner = self.corner_of_l(part(y1.reborrow(), j0..j1, j..j + n), j0, &mut corner);
                l.sub_product(0..h, j0..j1, corner.as_ref(), y2.reborrow());
                // Y2 <- Y2 - L(:, j1..k1) Y(j1..k1, :)
                l.sub_product(0..h, j1..k1, y1.as_ref().block(j1, j, k1 - j1, n), y2);
            }
        }
        self.solve_l22(l, r0, y2);
    }

    /// The corner of L^-1 that stands in `a`, from row `i0` of L^-1 on.
    fn corner_of_l<'m>(&self, mut a: MatrixMut<'_, T>, i0: usize, memory: &'m mut [T]) -> MatrixMut<'m, T> {
        let n = a.ncols();
        let mut corner = MatrixMut::in_memory(memory, n, n, n);
        for j in 0..n {
            let column = corner.col_mut(j);
            let (above, below) = column.split_at_mut(j + 1);
            self.write_above(i0 + j, i0..i0 + j + 1, false, above);
            below.copy_from_slice(&a.col_mut(j)[j + 1..]);
        }
        corner
    }

    /// Y2 <- Y2 - L(:, 0..end) Y(0..end, :), where Y is above its diagonal, and not stored. It changes nothing if L is finite.
    #[cold]
    #[inline(never)]
    fn subtract_zeros(&self, l: &Saved<'_, T>, end: usize, mut y2: MatrixMut<'_, T>) {
        for k0 in (0..end).step_by(MAX_CORNER) {
            let k1 = end.min(k0 + MAX_CORNER);
            let mut y = [T::ZERO; MAX_CORNER];
            self.write_above(self.n, k0..k1, false, &mut y[..k1 - k0]);
            for j in 0..y2.ncols() {
                let y = MatrixMut::in_memory(&mut y, k1 - k0, 1, k1 - k0);
                l.sub_product(0..l.rows(), k0..k1, y.as_ref(), part(y2.reborrow(), 0..l.rows(), j..j + 1));
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
            unsafe { (self.kernels.trsm_unit)(solve) };
        }
    }
}
