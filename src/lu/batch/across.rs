//! The kernels that work on as many matrices at once as a register has lanes, and when they do.

use crate::batch::Geometry;
use crate::element::Element;
use crate::kernel::{BATCH_COLUMNS, BATCH_FACTOR_BYTES, BATCH_LEAST, BatchKernels, FactorGroup, Kernels};
use crate::pivoting::Pivoting;

/// How matrices are worked on as many at once as a register has lanes.
pub(super) struct Across<T: Element> {
    pub(super) kernels: &'static BatchKernels<T>,
    /// Rows of the matrices in work memory: the number that `factor` is made for, else about their own.
    pub(super) rows: usize,
    /// The kernel that factors them. If there is none, each is factored by itself, and only systems are solved at once.
    pub(super) factor: Option<FactorGroup<T>>,
}

impl<T: Element> Across<T> {
    /// The kernels for matrices of this shape, if there are any.
    pub(super) fn choose(kernels: &Kernels<T>, a: Geometry, pivoting: Pivoting) -> Option<Self> {
        let kernels = kernels.batch?;
        let (m, n) = (a.nrows(), a.ncols());
        let is_for = pivoting == Pivoting::Partial && n <= BATCH_COLUMNS;
        if let Some(&(rows, factor)) = kernels.factor.iter().find(|(rows, _)| is_for && m <= *rows) {
            return Some(Across { kernels, rows, factor: Some(factor) });
        }
        // Without matrices the sizes may be any numbers.
        let elements = m.checked_mul(n).and_then(|elements| elements.checked_mul(kernels.lanes));
        let is_small = elements.is_some_and(|elements| elements <= BATCH_FACTOR_BYTES / size_of::<T>());
        // Columns that are a multiple of a page apart would have the same place in a cache.
        let rows = if m.is_multiple_of(16) { m + 1 } else { m };
        (m == n && n > 1 && is_small).then_some(Across { kernels, rows, factor: None })
    }

    /// Matrices of a group.
    pub(super) fn lanes(&self) -> usize {
        self.kernels.lanes
    }

    /// The fewest matrices for which a whole group takes less time than each by itself: it takes the same time for one as
    /// for all.
    pub(super) fn least(&self, has_systems: bool) -> usize {
        if self.factor.is_none() {
            return self.lanes() / 2;
        }
        let least = BATCH_LEAST.into_iter().find(|&(rows, _)| self.rows <= rows);
        let [factors, systems] = least.map_or([1, 1], |(_, least)| least);
        self.lanes().min(if has_systems { systems } else { factors })
    }
}
