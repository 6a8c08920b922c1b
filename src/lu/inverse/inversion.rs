//! What the steps of an inversion have in common: the blocks of rows, the strips of columns, and L^-1 above its diagonal.

use std::ops::Range;

use crate::element::Element;
use crate::kernel::{INVERSE_COLUMNS, INVERSE_ROWS, Kernels};
use crate::lu::monitor::{Monitor, inverse_flops};
use crate::lu::strips::for_strips;
use crate::matrix::MatrixMut;

/// How a matrix is cut into blocks of rows.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Blocks {
    /// Rows of a block: whole tiles.
    pub(super) rows: usize,
    /// Rows of a tile.
    pub(super) tile: usize,
    /// Elements of memory for the saved rows, and for the triangle on the diagonal.
    pub(super) saved: usize,
    pub(super) triangle: usize,
}

impl Blocks {
    /// Blocks of at least one tile, with about `rows` rows.
    pub(crate) fn new<T: Element>(n: usize, rows: usize, kernels: &Kernels<T>) -> Self {
        let rows = rows.min(n).max(1).next_multiple_of(kernels.mr);
        // The triangle is a matrix in one step, and in the other corners of as many rows as a register has lanes, with as many
        // copies of each element.
        let triangle = rows * rows.max(kernels.lanes * kernels.lanes);
        Blocks { rows, tile: kernels.mr, saved: rows * n, triangle }
    }

    /// The fastest ones.
    pub(super) fn choose<T: Element>(n: usize, kernels: &Kernels<T>) -> Self {
        let rows = INVERSE_ROWS.into_iter().find(|&(below, _)| n < below).map_or(1, |(_, rows)| rows);
        Blocks::new(n, rows, kernels)
    }

    /// Those that take the least memory: a row each.
    pub(crate) fn by_rows(n: usize) -> Self {
        Blocks { rows: 1, tile: 1, saved: n, triangle: 1 }
    }

    /// Elements of memory.
    pub(crate) fn memory(&self) -> usize {
        self.saved + self.triangle
    }
}

/// An inversion of a matrix of order n.
pub(super) struct Inversion<'a, T: Element> {
    pub(super) n: usize,
    pub(super) blocks: Blocks,
    pub(super) threads: usize,
    /// The first row of L that is not finite, or n. Each product with a zero above the diagonal of L^-1 is NaN from there on.
    pub(super) first_bad: usize,
    pub(super) kernels: &'a Kernels<T>,
    /// If it says that the inversion is cancelled, the rest is left out.
    pub(super) monitor: Option<&'a Monitor>,
}

impl<T: Element> Inversion<'_, T> {
    /// Writes a part of a column of L^-1 from its diagonal up, or from above it: `rows` are the numbers of the rows.
    #[inline(never)] // one copy for all callers
    pub(super) fn write_above(&self, j: usize, rows: Range<usize>, is_reversed: bool, column: &mut [T]) {
        assert!(rows.len() == column.len() && rows.end <= j + 1, "inverse: sizes do not fit");
        let position = |i: usize| if is_reversed { rows.end - 1 - i } else { i - rows.start };
        column.fill(T::ZERO);
        if rows.contains(&j) {
            column[position(j)] = T::ONE;
        }
        (self.first_bad.max(rows.start)..rows.end).for_each(|i| column[position(i)] = T::rounded(f64::NAN));
    }

    /// Counts operations. Returns whether it is cancelled.
    pub(super) fn is_cancelled(&self, flops: impl FnOnce() -> f64) -> bool {
        self.monitor.is_some_and(|monitor| {
            monitor.count(flops());
            monitor.is_cancelled()
        })
    }

    /// The last row becomes the first one.
    pub(super) fn reverse_rows(&self, a: MatrixMut<'_, T>) {
        self.for_strips(a, &|_, mut strip| (0..strip.ncols()).for_each(|j| strip.col_mut(j).reverse()));
    }

    /// Calls `work` with strips of columns of A, together all of them, and with the number of the first column of each.
    pub(super) fn for_strips(&self, a: MatrixMut<'_, T>, work: &(dyn Fn(usize, MatrixMut<'_, T>) + Sync)) {
        let tuning = &self.kernels.tuning.solve;
        let threads = self.threads.min(a.ncols().div_ceil(tuning.columns_per_thread));
        let width = if threads > 1 { tuning.columns_per_thread } else { INVERSE_COLUMNS };
        // All steps together decide whether helpers are woken: they follow each other.
        for_strips(a, width, (threads, inverse_flops(self.n)), self.monitor, work);
    }
}

/// These rows and columns of A.
///
/// # Panics
/// If A does not have them.
#[inline(never)] // one copy for all callers
pub(super) fn part<T: Element>(a: MatrixMut<'_, T>, rows: Range<usize>, columns: Range<usize>) -> MatrixMut<'_, T> {
    let a = a.split_at_row(rows.end).0.split_at_row(rows.start).1;
    a.split_at_col(columns.end).0.split_at_col(columns.start).1
}
