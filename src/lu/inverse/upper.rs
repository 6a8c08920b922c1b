//! U^-1 X in place of X, where U stands above the diagonal of X = L^-1.

use bytemuck::cast_slice_mut;

use super::inversion::{Inversion, part};
use super::saved::Saved;
use crate::element::Element;
use crate::kernel::{BatchKernels, GroupTrsm, Lines, MAX_LANES, Strided, Trsv};
use crate::matrix::MatrixMut;

/// Registers with elements of one row of X that are divided one after the other: more hide the time that a division takes.
const REGISTERS: usize = 4;

/// Memory for [`REGISTERS`] registers of each row of X, and for some more rows, which a copy may write; a register has up to
/// 64 bytes.
type Work = [u64; (REGISTERS + 1) * MAX_LANES * 64 / size_of::<u64>()];

impl<T: Element> Inversion<'_, T> {
    /// X <- U^-1 X, by blocks of rows from the first one down: the rows of A are reversed. T(i, k) = U(n - 1 - i, n - 1 - k) is a
    /// lower triangle; its row i stands in row i of A, with the columns in the other order.
    pub(super) fn solve_u(&self, mut a: MatrixMut<'_, T>, saved: &mut [T], triangle: &mut [T]) {
        let n = self.n;
        for r0 in (0..n).step_by(self.blocks.rows) {
            let r1 = n.min(r0 + self.blocks.rows);
            if self.is_cancelled(|| n as f64 * (r1.pow(2) - r0.pow(2)) as f64) {
                return;
            }
            let mut rows = part(a.reborrow(), 0..r1, 0..n);
            let block = part(rows.reborrow(), r0..r1, n - r1..n);
            let t = Saved::new(block.as_ref(), true, self.blocks.tile, saved, self.kernels);
            self.copy_corners(rows.reborrow(), r0, triangle);
            // L^-1 is also where U was: above the diagonal, which is row n - 1 - j of column j, and on it.
            for j in n - r1..n {
                let first = r0.max(n - 1 - j);
                self.write_above(j, n - r1..n - first, true, &mut rows.col_mut(j)[first..]);
            }
            let corners = &*triangle;
            self.for_strips(rows, &|_, strip| self.solve_t(&t, corners, r0, strip));
        }
    }

    /// The order of a corner of T.
    fn order(&self) -> usize {
        self.kernels.lanes.min(self.blocks.tile)
    }

    /// The kernels for many matrices, if there are tiles for them.
    fn batch(&self) -> Option<&BatchKernels<T>> {
        self.kernels.batch.filter(|batch| batch.lanes == self.order())
    }

    /// Copies of each element of a corner: one for each lane of a register.
    fn copies(&self) -> usize {
        self.batch().map_or(1, |batch| batch.lanes)
    }

    /// Copies the corners of T on its diagonal from row `r0` of A on.
    fn copy_corners(&self, mut a: MatrixMut<'_, T>, r0: usize, to: &mut [T]) {
        let (order, end) = (self.order(), a.nrows());
        let mut to = to.chunks_exact_mut(self.copies());
        for first in (r0..end).step_by(order) {
            for k in first..first + order {
                for i in first..first + order {
                    let is_inside = k <= i && i < end;
                    let element = if is_inside { a.col_mut(self.n - 1 - k)[i] } else { T::ZERO };
                    to.next().expect("memory for the corners").fill(element);
                }
            }
        }
    }

    /// X2 <- T22^-1 (X2 - T21 X1), where X2 has the rows from `r0` on, for a strip of columns of X.
    fn solve_t(&self, t: &Saved<'_, T>, corners: &[T], r0: usize, strip: MatrixMut<'_, T>) {
        let (kc, tile, order) = (self.kernels.kc, self.blocks.tile, self.order());
        let (x1, mut x2) = strip.split_at_row(r0);
        let (h, n) = (x2.nrows(), x2.ncols());
        // X2 <- X2 - T21 X1
        for k0 in (0..r0).step_by(kc) {
            let k1 = r0.min(k0 + kc);
            t.sub_product(0..h, k0..k1, x1.as_ref().block(k0, 0, k1 - k0, n), x2.reborrow());
        }
        // X2 <- T22^-1 X2
        let mut work = [0; size_of::<Work>() / size_of::<u64>()];
        for (i, corner) in (0..h).step_by(order).zip(corners.chunks_exact(order * order * self.copies())) {
            // A whole tile is updated with the rows of other tiles, and then its rows with those of their own.
            let within = i % tile;
            let (first, m) = if within == 0 { (0, tile) } else { (i - within, order) };
            let m = m.min(h - i);
            let (solved, next) = x2.reborrow().split_at_row(i);
            let (solved, mut next) = (part(solved, first..i, 0..n), part(next, 0..m, 0..n));
            t.sub_product(i..i + m, r0 + first..r0 + i, solved.as_ref(), next.reborrow());
            self.solve_corner(corner, part(next, 0..order.min(m), 0..n), &mut work);
        }
    }

    /// X <- T^-1 X for a corner T.
    fn solve_corner(&self, corner: &[T], mut x: MatrixMut<'_, T>, work: &mut Work) {
        let (m, n, ldx, order) = (x.nrows(), x.ncols(), x.lda(), self.order());
        assert!(m <= order && corner.len() == order * order * self.copies(), "inverse: sizes do not fit");
        if let Some(batch) = self.batch() {
            return solve_across(batch, corner, x, cast_slice_mut(work));
        }
        let t = Strided { ptr: corner.as_ptr(), row: 1, col: order as isize };
        let solve = Trsv { n: m, nrhs: n, unit: false, t, x: x.as_mut_ptr(), inc: 1, ldx };
        // SAFETY: the corner has at least as many rows and columns as X has rows, and X is borrowed mutably.
        unsafe { (self.kernels.trsv)(solve) };
    }
}

/// X <- T^-1 X, where T has up to as many rows as a register has lanes, and each element as many times. The columns of X are
/// the matrices of a group, so that one division is one of many elements.
fn solve_across<T: Element>(batch: &BatchKernels<T>, corner: &[T], mut x: MatrixMut<'_, T>, work: &mut [T]) {
    let (m, n, ldx, lanes) = (x.nrows(), x.ncols(), x.lda(), batch.lanes);
    assert!(m <= lanes && corner.len() == lanes * lanes * lanes, "inverse: sizes do not fit");
    assert!(work.len() >= lanes * lanes * (REGISTERS + 1), "inverse: too little work memory");
    let (t, x) = (corner.as_ptr(), x.as_mut_ptr());
    let work = work.as_mut_ptr();
    let mut j = 0;
    while j < n {
        let matrices = lanes.min(n - j);
        let lines = if matrices < lanes { 1 } else { REGISTERS.min((n - j) / lanes) };
        let (a, stride, lda) = (x.wrapping_add(j * ldx), ldx, lanes * ldx);
        let columns = Lines { matrices, skipped: 0, stride, length: m, lines, a, lda, work, step: 1, next: lanes };
        let (row, col) = (1, lanes as isize);
        let solve = GroupTrsm { n: m, nrhs: lines, unit: false, t, row, col, x: work, inc: 1, ldx: lanes };
        // SAFETY: X has these columns, `lines` times as many as there are matrices. The work memory has `lanes` vectors for
        // each line and as many more, and T has `lanes` vectors in each of its columns.
        unsafe {
            (batch.interleave)(columns);
            (batch.trsm)(solve);
            (batch.deinterleave)(columns);
        }
        j += lines * matrices;
    }
}
