//! b - A x in twice the precision.

use super::transpose::transpose;
use crate::element::Element;
use crate::kernel::{Kernels, Residual};
use crate::matrix::{MatrixMut, MatrixRef};

/// Columns of A that are read for all right-hand sides, one after the other: they stay in the cache meanwhile.
const COLUMNS: usize = 16;

/// Rows and columns of a tile of A^T, which stays in the L1 cache.
const TILE: usize = 32;

/// Residuals of several systems, n x (their number) each without padding: b - A x is `high + low`, and s is |b| + |A| |x|.
#[derive(Debug)]
pub(crate) struct Residuals<'a, T> {
    pub(crate) n: usize,
    pub(crate) high: &'a mut [T],
    pub(crate) low: &'a mut [T],
    pub(crate) s: &'a mut [T],
}

impl<T: Element> Residuals<'_, T> {
    /// Sets those of system j to b, for x = 0.
    pub(crate) fn start(&mut self, j: usize, b: &[T]) {
        let rows = j * self.n..(j + 1) * self.n;
        self.high[rows.clone()].copy_from_slice(b);
        self.low[rows.clone()].fill(T::ZERO);
        self.s[rows].iter_mut().zip(b).for_each(|(s, b)| *s = b.abs());
    }

    /// r <- r - A x and s <- s + |A| |x|, or the same with A^T, for the systems of this list. `x` has a column for each
    /// system, whether it is in the list or not.
    ///
    /// # Panics
    /// If a size does not fit.
    pub(crate) fn subtract(
        &mut self,
        a: MatrixRef<'_, T>,
        transposed: bool,
        x: MatrixRef<'_, T>,
        systems: &[usize],
        kernels: &Kernels<T>,
    ) {
        let n = self.n;
        assert!(a.nrows() == n && a.ncols() == n && x.nrows() == n, "residual: sizes do not fit");
        if !transposed {
            for first in (0..n).step_by(COLUMNS) {
                let count = COLUMNS.min(n - first);
                systems.iter().for_each(|&j| {
                    self.block(a.block(0, first, n, count), 0, x.block(first, j, count, 1), j, kernels);
                });
            }
            return;
        }
        let mut tile = [T::ZERO; TILE * TILE];
        for i in (0..n).step_by(TILE) {
            let rows = TILE.min(n - i);
            for first in (0..n).step_by(TILE) {
                let count = TILE.min(n - first);
                let mut tile = MatrixMut::in_memory(&mut tile, rows, count, TILE);
                transpose(a.block(first, i, count, rows), tile.reborrow());
                for &j in systems {
                    self.block(tile.as_ref(), i, x.block(first, j, count, 1), j, kernels);
                }
            }
        }
    }

    /// r <- r - A x and s <- s + |A| |x| for a block of A, whose rows begin at row `first` of system j.
    fn block(&mut self, a: MatrixRef<'_, T>, first: usize, x: MatrixRef<'_, T>, j: usize, kernels: &Kernels<T>) {
        let (m, n, start) = (a.nrows(), a.ncols(), j * self.n + first);
        let rows = start..start + m;
        let [high, low, s] =
            [&mut *self.high, &mut *self.low, &mut *self.s].map(|part| part[rows.clone()].as_mut_ptr());
        let residual = Residual { m, n, a: a.as_ptr(), lda: a.lda(), x: x.as_ptr(), high, low, s };
        // SAFETY: A has these rows and columns, x as many elements as A has columns, and the parts of the residual the rows
        // of A; they are borrowed mutably, so nothing else overlaps them.
        unsafe { (kernels.residual)(residual) };
    }

    /// b - A x of system j, rounded, to `to`.
    pub(crate) fn round(&self, j: usize, to: &mut [T]) {
        let rows = j * self.n..(j + 1) * self.n;
        let parts = self.high[rows.clone()].iter().zip(&self.low[rows]);
        to.iter_mut().zip(parts).for_each(|(to, (high, low))| *to = high.add(*low));
    }
}
