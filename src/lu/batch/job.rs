//! What is computed for each matrix of a batch, and where it is.

use std::sync::atomic::AtomicUsize;

use super::across::Across;
use super::determinant::Determinant;
use crate::batch::{BatchMut, BatchRef, Geometry};
use crate::element::Element;
use crate::kernel::Kernels;
use crate::lu::recursion::Recursion;
use crate::matrix::{Layout, MatrixMut};

/// The matrices of a view without its lifetime.
#[derive(Debug, Clone, Copy)]
pub(super) struct Block<T> {
    ptr: *mut T,
    pub(super) geometry: Geometry,
}

impl<T: Element> Block<T> {
    pub(super) fn mutable(mut batch: BatchMut<'_, T>) -> Self {
        Block { ptr: batch.as_mut_ptr(), geometry: batch.geometry() }
    }

    /// Only reads are made through it.
    pub(super) fn shared(batch: BatchRef<'_, T>) -> Self {
        Block { ptr: batch.as_ptr().cast_mut(), geometry: batch.geometry() }
    }

    /// The first element of a matrix.
    pub(super) fn matrix(&self, index: usize) -> *mut T {
        self.ptr.wrapping_add(index * self.geometry.stride())
    }

    /// The memory of a matrix as a column-major view: of its transpose, if it is row-major.
    ///
    /// # Safety
    /// - Nothing else writes the matrix while the view lives. If the block is shared, only reads are made.
    pub(super) unsafe fn view<'a>(&self, index: usize) -> MatrixMut<'a, T> {
        let (length, lines) = self.geometry.lines();
        // SAFETY: the caller vouches for this matrix of the batch.
        unsafe { MatrixMut::from_raw_parts(self.matrix(index), length, lines, self.geometry.ld()) }
    }

    pub(super) fn is_row_major(&self) -> bool {
        self.geometry.layout() == Layout::RowMajor
    }
}

/// Where row swaps go.
#[derive(Debug, Clone, Copy)]
pub(super) enum Swaps {
    Lapack(*mut i64),
    ZeroBased(*mut i32),
    Nowhere,
}

/// Right-hand sides, which become X.
#[derive(Debug, Clone, Copy)]
pub(super) struct RightHandSides<T> {
    pub(super) block: Block<T>,
    /// They are the identity, whatever the memory holds.
    pub(super) is_identity: bool,
}

/// What is computed for each matrix of a batch.
pub(super) struct Job<'k, T: Element> {
    pub(super) recursion: Recursion<'k, T>,
    /// The kernels for whatever else is done with one matrix.
    pub(super) kernels: &'k Kernels<T>,
    pub(super) across: Option<Across<T>>,
    /// Right-hand sides may stand beside a copy of their matrix.
    pub(super) may_join: bool,
    pub(super) a: Block<T>,
    /// A holds factors already, with these row swaps.
    pub(super) given: Option<*const i64>,
    /// The systems are those of A^T.
    pub(super) transposed: bool,
    pub(super) lu: Option<Block<T>>,
    pub(super) swaps: Swaps,
    pub(super) info: Option<*mut i64>,
    pub(super) x: Option<RightHandSides<T>>,
    pub(super) rcond: Option<*mut T>,
    pub(super) det: Option<*mut Determinant>,
    /// Threads that work on one matrix, which has more than one block.
    pub(super) inner_threads: usize,
    /// The first matrix that no thread has taken.
    pub(super) next: AtomicUsize,
}

// SAFETY: each thread works on the matrices that it has taken, which no other takes, and on their results.
unsafe impl<T: Element> Sync for Job<'_, T> {}

impl<'k, T: Element> Job<'k, T> {
    pub(super) fn for_matrices(
        a: Block<T>,
        recursion: Recursion<'k, T>,
        kernels: &'k Kernels<T>,
        across: Option<Across<T>>,
    ) -> Self {
        Job {
            recursion,
            kernels,
            across,
            may_join: true,
            a,
            given: None,
            transposed: false,
            lu: None,
            swaps: Swaps::Nowhere,
            info: None,
            x: None,
            rcond: None,
            det: None,
            inner_threads: 1,
            next: AtomicUsize::new(0),
        }
    }

    /// Rows, columns and pivots of each matrix.
    pub(super) fn shape(&self) -> (usize, usize, usize) {
        let (m, n) = (self.a.geometry.nrows(), self.a.geometry.ncols());
        (m, n, m.min(n))
    }

    /// The number of right-hand sides.
    pub(super) fn nrhs(&self) -> usize {
        self.x.map_or(0, |x| x.block.geometry.ncols())
    }

    /// The results of matrices without pivots.
    pub(super) fn answer_empty(&self) {
        let count = self.a.geometry.count();
        // SAFETY: the results have an element for each matrix.
        unsafe {
            self.info.inspect(|&info| std::slice::from_raw_parts_mut(info, count).fill(0));
            self.rcond.inspect(|&rcond| std::slice::from_raw_parts_mut(rcond, count).fill(T::ONE));
            self.det.inspect(|&det| std::slice::from_raw_parts_mut(det, count).fill(Determinant::ONE));
        }
    }
}
