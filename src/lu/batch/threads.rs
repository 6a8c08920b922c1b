//! Threads that work on a batch piece by piece.

use std::sync::atomic::{AtomicUsize, Ordering};

use super::across::Across;
use super::job::Job;
use crate::blas::scratch;
use crate::element::Element;
use crate::lu::monitor::{flops, inverse_flops, solve_flops};
use crate::pivoting::Pivoting;
use crate::team;

/// Bytes of matrices that a thread takes at a time: they stay in its L1 cache with their work memory.
const PIECE_BYTES: usize = 32 << 10;

impl<T: Element> Job<'_, T> {
    /// Works on all matrices. Returns `false`, and has done nothing, if the system refuses memory.
    pub(super) fn run(&mut self, threads: usize) -> bool {
        let count = self.a.geometry.count();
        let (m, n, steps) = self.shape();
        let work = count.saturating_mul(m * n).saturating_mul(steps + self.nrhs());
        let is_worth_helpers = work >= self.recursion.kernels.tuning.blocks.min_work_for_helpers;
        let threads = if is_worth_helpers { threads.min(team::cores()) } else { 1 };
        self.inner_threads = if count < threads && self.groups().is_none() { threads } else { 1 };
        self.next = AtomicUsize::new(0);
        let job = &*self;
        let outer = if job.inner_threads > 1 { 1 } else { threads };
        let own = |memory: &mut [T], swaps: &mut [i64]| {
            // A helper that gets no memory leaves the work to the others.
            let helper = || {
                let _ = job.with_memory(|memory, swaps| job.work(memory, swaps));
            };
            team::run(outer, work as f64, &mut || job.work(memory, swaps), &helper);
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
        (one.max(self.groups().map_or(0, |across| self.memory_of_group(across))), swaps)
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
        let n = self.a.geometry.ncols();
        if self.x.is_some_and(|x| x.is_identity) { inverse_flops(n) } else { solve_flops(n, self.nrhs()) }
    }

    /// Operations for a matrix of a group that the recursion does not count.
    fn flops_of_group(&self, across: &Across<T>) -> f64 {
        let is_counted = across.factor.is_none() && !self.is_small();
        self.solve_flops() + if is_counted { 0.0 } else { self.factor_flops() }
    }

    /// Operations for a matrix by itself that the recursion does not count.
    fn uncounted_flops(&self) -> f64 {
        match (self.is_small(), self.joined()) {
            (true, _) => self.factor_flops() + self.solve_flops(),
            // See `Job::monitor`.
            (false, 0) => 0.0,
            // Half of the solution was a part of the factorization.
            (false, _) => self.solve_flops() / 2.0,
        }
    }

    /// Whether the recursion factors a matrix by itself with one kernel, which does not count.
    pub(super) fn is_small(&self) -> bool {
        let (m, n, _) = self.shape();
        self.recursion.pivoting == Pivoting::Partial && m.max(n) <= self.recursion.kernels.small
    }

    /// How groups are worked on, if they are better than each matrix by itself.
    fn groups(&self) -> Option<&Across<T>> {
        // For a few right-hand sides alone it takes longer to interleave factors than to solve: for one a fifth of the
        // whole call, at n = 24 and 32 with AVX2 (a Xeon of family 6, model 167, f64, on 2026-11-29).
        let has_systems = self.x.is_some() && (self.given.is_some() || self.rcond.is_some() || self.nrhs() >= 4);
        self.across.as_ref().filter(|across| across.factor.is_some() || has_systems)
    }

    /// Takes pieces of the batch and works on them until none is left, or somebody cancels the job.
    fn work(&self, memory: &mut [T], swaps: &mut [i64]) {
        let lanes = self.groups().map_or(1, Across::lanes);
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
            index += match self.groups() {
                Some(across) if left >= across.least(self.x.is_some()) => {
                    let count = left.min(across.lanes());
                    // SAFETY: these matrices are this thread's, and the memory has the size for a group.
                    unsafe { self.group(across, [index, count], memory, swaps) };
                    self.recursion.count(|| count as f64 * self.flops_of_group(across));
                    count
                }
                _ => {
                    // SAFETY: this matrix is this thread's, and the memory has the size for one.
                    unsafe { self.single(index, memory, swaps) };
                    self.recursion.count(|| self.uncounted_flops());
                    1
                }
            }
        }
    }
}
