//! A batch that threads work on piece by piece.

use std::sync::atomic::{AtomicUsize, Ordering};

use super::determinant::Determinant;
use super::group::Across;
use crate::batch::{BatchMut, BatchRef, Geometry};
use crate::blas::scratch;
use crate::element::Element;
use crate::lu::monitor::{flops, solve_flops};
use crate::lu::recursion::Recursion;
use crate::matrix::{Layout, MatrixMut};
use crate::pivoting::Pivoting;
use crate::team;

/// Bytes of matrices that a thread takes at a time: they stay in its L1 cache with their work memory.
const PIECE_BYTES: usize = 32 << 10;

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

    /// Whether it is the same memory.
    pub(super) fn is(&self, other: &Self) -> bool {
        self.ptr == other.ptr
    }
}

/// Where row swaps go.
#[derive(Debug, Clone, Copy)]
pub(super) enum Swaps {
    Lapack(*mut i64),
    ZeroBased(*mut i32),
    Nowhere,
}

impl Swaps {
    /// Stores row `row`, counted from 1, as swap number `at` of the batch.
    ///
    /// # Safety
    /// - The results have that element, and no other thread uses it.
    #[inline(always)]
    pub(super) unsafe fn store(self, at: usize, row: usize) {
        // SAFETY: the caller's promise.
        unsafe {
            match self {
                Swaps::Lapack(ipiv) => *ipiv.add(at) = row as i64,
                Swaps::ZeroBased(piv) => *piv.add(at) = row as i32 - 1,
                Swaps::Nowhere => {}
            }
        }
    }
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
    pub(super) across: Option<Across<T>>,
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
    next: AtomicUsize,
}

// SAFETY: each thread works on the matrices that it has taken, which no other takes, and on their results.
unsafe impl<T: Element> Sync for Job<'_, T> {}

impl<'k, T: Element> Job<'k, T> {
    pub(super) fn for_matrices(a: Block<T>, recursion: Recursion<'k, T>, across: Option<Across<T>>) -> Self {
        Job {
            recursion,
            across,
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
        if self.info.is_none() && self.det.is_none() {
            // There may be more matrices without elements than a loop has time for.
            return;
        }
        for k in 0..self.a.geometry.count() {
            // SAFETY: the results have an element for each matrix.
            unsafe {
                self.info.inspect(|info| *info.add(k) = 0);
                self.rcond.inspect(|rcond| *rcond.add(k) = T::ONE);
                self.det.inspect(|det| *det.add(k) = Determinant::ONE);
            }
        }
    }

    /// Works on all matrices. Returns `false`, and has done nothing, if the system refuses memory.
    pub(super) fn run(&mut self, threads: usize) -> bool {
        let count = self.a.geometry.count();
        let (m, n, steps) = self.shape();
        let work = count.saturating_mul(m * n).saturating_mul(steps + self.nrhs());
        let is_worth_helpers = work >= self.recursion.kernels.tuning.blocks.min_work_for_helpers;
        let threads = if is_worth_helpers { threads.min(team::cores()) } else { 1 };
        self.inner_threads = if count < threads && self.across.is_none() { threads } else { 1 };
        self.next = AtomicUsize::new(0);
        let job = &*self;
        let outer = if job.inner_threads > 1 { 1 } else { threads };
        let own = |memory: &mut [T], swaps: &mut [i64]| {
            // A helper that gets no memory leaves the work to the others.
            let helper = || {
                let _ = job.with_memory(|memory, swaps| job.work(memory, swaps));
            };
            team::run(outer, &mut || job.work(memory, swaps), &helper);
        };
        job.with_memory(own).is_some()
    }

    /// Calls a function with the memory that a thread needs.
    fn with_memory(&self, f: impl FnOnce(&mut [T], &mut [i64])) -> Option<()> {
        let (elements, swaps) = self.memory();
        let mut f = Some(f);
        let mut call = |elements: &mut [T], swaps: &mut [i64]| f.take().map(|f| f(elements, swaps));
        match (elements, swaps) {
            (0, 0) => call(&mut [], &mut []),
            (_, 0) => scratch::with(elements, |memory| call(memory, &mut []))?,
            _ => scratch::with(elements, |memory| scratch::with(swaps, |swaps| call(memory, swaps)))??,
        }
    }

    /// Elements, and swaps, that each thread needs.
    fn memory(&self) -> (usize, usize) {
        let (one, swaps) = self.memory_of_single();
        (one.max(self.across.as_ref().map_or(0, |across| self.memory_of_group(across))), swaps)
    }

    /// Bytes of the memory that each thread needs.
    pub(super) fn memory_bytes(&self) -> usize {
        let (elements, swaps) = self.memory();
        elements.saturating_mul(size_of::<T>()).saturating_add(swaps * size_of::<i64>())
    }

    /// Operations of the factorization of a matrix, if it is to be factored.
    fn factor_flops(&self) -> f64 {
        let (m, n, _) = self.shape();
        if self.given.is_none() { flops(m, n) } else { 0.0 }
    }

    /// Operations of the solution for the right-hand sides of a matrix.
    fn solve_flops(&self) -> f64 {
        solve_flops(self.a.geometry.ncols(), self.nrhs())
    }

    /// Whether the recursion factors a matrix with one kernel, whose operations it does not count.
    fn is_small(&self) -> bool {
        let (m, n, _) = self.shape();
        self.recursion.pivoting == Pivoting::Partial && m.max(n) <= self.recursion.kernels.small
    }

    /// Takes pieces of the batch and works on them until none is left, or somebody cancels the job.
    fn work(&self, memory: &mut [T], swaps: &mut [i64]) {
        let lanes = self.across.as_ref().map_or(1, Across::lanes);
        let (m, n, _) = self.shape();
        let group_bytes = lanes * (m * n + n * self.nrhs()) * size_of::<T>();
        let piece = (PIECE_BYTES / group_bytes).max(1) * lanes;
        let count = self.a.geometry.count();
        loop {
            let first = self.next.fetch_add(piece, Ordering::Relaxed);
            if first >= count || self.recursion.is_cancelled() {
                return;
            }
            self.work_on(first, count.min(first + piece), memory, swaps);
        }
    }

    /// Works on the matrices from `first` to before `end`.
    fn work_on(&self, first: usize, end: usize, memory: &mut [T], swaps: &mut [i64]) {
        let mut index = first;
        while index < end {
            let left = end - index;
            index += match &self.across {
                Some(across) if left >= across.least() => {
                    let count = left.min(across.lanes());
                    // SAFETY: these matrices are this thread's, and the memory has the size for a group.
                    unsafe { self.group(across, index, count, memory) };
                    self.recursion.count(|| count as f64 * (self.factor_flops() + self.solve_flops()));
                    count
                }
                _ => {
                    // SAFETY: this matrix is this thread's, and the memory has the size for one.
                    unsafe { self.single(index, memory, swaps) };
                    self.recursion
                        .count(|| self.solve_flops() + if self.is_small() { self.factor_flops() } else { 0.0 });
                    1
                }
            }
        }
    }
}
