//! The kernels that work on as many matrices at once as a register has lanes, and when they do.

use crate::batch::Geometry;
use crate::element::Element;
use crate::kernel::{BATCH_COLUMNS, BATCH_LEAST, BatchKernels, FactorGroup, Isa};
use crate::pivoting::Pivoting;

/// How matrices are worked on as many at once as a register has lanes.
pub(super) struct Across<T: Element> {
    pub(super) kernels: &'static BatchKernels<T>,
    /// The number of rows that the kernel is made for.
    pub(super) rows: usize,
    pub(super) factor: FactorGroup<T>,
}

impl<T: Element> Across<T> {
    /// The kernels for matrices of this shape, if there are any.
    pub(super) fn choose(isa: Isa, a: Geometry, pivoting: Pivoting) -> Option<Self> {
        let is_for = pivoting == Pivoting::Partial && a.ncols() <= BATCH_COLUMNS;
        let kernels = T::batch_kernels(isa).filter(|_| is_for)?;
        let &(rows, factor) = kernels.factor.iter().find(|(rows, _)| a.nrows() <= *rows)?;
        Some(Across { kernels, rows, factor })
    }

    /// Matrices of a group.
    pub(super) fn lanes(&self) -> usize {
        self.kernels.lanes
    }

    /// The fewest matrices for which a whole group takes less time than each by itself: it takes the same time for one as
    /// for all.
    pub(super) fn least(&self, has_systems: bool) -> usize {
        let least = BATCH_LEAST.into_iter().find(|&(rows, _)| self.rows <= rows);
        let [factors, systems] = least.map_or([1, 1], |(_, least)| least);
        self.lanes().min(if has_systems { systems } else { factors })
    }
}
