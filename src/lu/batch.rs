//! P A = L U of many small matrices of one shape.
//!
//! Matrices of few rows are factored as many at once as a register has lanes; the others, and a rest of a few, one after the
//! other. The bits are those of [`factor`](super::factor()) either way. Threads take pieces of the batch in turn.

use std::sync::atomic::{AtomicUsize, Ordering};

use super::blocked::Blocking;
use super::factor::by_blocks;
use super::recursion::Recursion;
use crate::batch::BatchMut;
use crate::blas::{scratch, transpose};
use crate::element::{Element, kernels};
use crate::error::Error;
use crate::kernel::{BATCH_COLUMNS, BATCH_ROWS, BatchKernels, Group, Isa, Lines};
use crate::matrix::{Layout, MatrixMut, MatrixRef};
use crate::options::Options;
use crate::pivoting::Pivoting;
use crate::team;

/// Bytes of matrices that a thread takes at a time: they stay in its L1 cache with their work memory.
const PIECE_BYTES: usize = 32 << 10;

/// P A = L U of each matrix of a batch, in place. The factors, row swaps and `info` of each are those that
/// [`factor`](super::factor()) gives for it, to the bit: L below the diagonal, U on and above it, in the layout of the batch.
///
/// `ipiv` receives `min(m, n)` 1-based row swaps for each matrix, one matrix after the other, and `info` one number for each. A
/// matrix that is singular does not stop the others. [`Options::threads`] above 1 share the batch; then a matrix is factored
/// by one thread.
///
/// ```
/// use recfact::{BatchMut, Layout, Options, factor_batch};
///
/// // The rows (4, 3) and (6, 3); and a matrix of ones, which is singular.
/// let mut data = [4.0, 3.0, 6.0, 3.0, 1.0, 1.0, 1.0, 1.0];
/// let (mut ipiv, mut info) = ([0; 4], [0; 2]);
/// let batch = BatchMut::from_slice(&mut data, 2, [2, 2], Layout::RowMajor)?;
/// factor_batch(batch, &mut ipiv, &mut info, &Options::default())?;
/// assert_eq!(data[..3], [6.0, 3.0, 4.0 / 6.0]);
/// assert_eq!((ipiv, info), ([2, 2, 1, 2], [0, 2]));
/// # Ok::<(), recfact::Error>(())
/// ```
///
/// # Errors
/// [`Error::BatchResults`] if `ipiv` or `info` is too short; [`Error::InstructionSet`] and [`Error::IsaUnavailable`];
/// [`Error::OutOfMemory`] if the matrices are row-major, and the system refuses memory for one of them. Then nothing has
/// been written.
pub fn factor_batch<T: Element>(
    mut a: BatchMut<'_, T>,
    ipiv: &mut [i64],
    info: &mut [i64],
    options: &Options,
) -> Result<(), Error> {
    let isa = options.isa.map_or_else(Isa::in_use, Ok)?;
    let (count, m, n) = (a.count(), a.nrows(), a.ncols());
    let steps = m.min(n);
    // No overflow: there are no more pivots than elements, which the slice of the batch has.
    let ipiv = results("ipiv", ipiv, count * steps)?;
    let info = results("info", info, count)?;
    if steps == 0 {
        info.fill(0);
        return Ok(());
    }
    let recursion = Recursion { kernels: kernels::<T>(isa)?, pivoting: options.pivoting, monitor: None };
    let mut job = Job {
        a: a.as_mut_ptr(),
        layout: a.layout(),
        ld: a.ld(),
        stride: a.stride(),
        count,
        m,
        n,
        ipiv: ipiv.as_mut_ptr(),
        info: info.as_mut_ptr(),
        lanes: Across::choose(isa, m, n, options.pivoting),
        recursion,
        next: AtomicUsize::new(0),
    };
    if job.run(options.threads) {
        return Ok(());
    }
    // Without memory column-major matrices are factored where they are.
    job.lanes = None;
    if job.run(options.threads) { Ok(()) } else { Err(Error::OutOfMemory { bytes: job.memory() * size_of::<T>() }) }
}

/// The first `expected` elements of a result.
fn results<'r>(name: &'static str, memory: &'r mut [i64], expected: usize) -> Result<&'r mut [i64], Error> {
    let found = memory.len();
    memory.get_mut(..expected).ok_or(Error::BatchResults { name, expected, found })
}

/// How matrices are factored as many at once as a register has lanes.
struct Across<T: Element> {
    kernels: &'static BatchKernels<T>,
    /// The number of rows that the kernel is made for.
    rows: usize,
    kernel: unsafe fn(Group<T>),
}

impl<T: Element> Across<T> {
    /// The kernel for matrices of this shape, if there is one.
    fn choose(isa: Isa, m: usize, n: usize, pivoting: Pivoting) -> Option<Self> {
        let kernels = T::batch_kernels(isa).filter(|_| pivoting == Pivoting::Partial && n <= BATCH_COLUMNS)?;
        let mut sizes = BATCH_ROWS.into_iter().zip(kernels.factor);
        let (rows, kernel) = sizes.find(|&(rows, _)| m <= rows)?;
        Some(Across { kernels, rows, kernel })
    }

    /// Vectors of work memory for matrices of n columns: whole blocks are written, which may be larger than the matrices.
    fn vectors(&self, n: usize) -> usize {
        (n + self.kernels.lanes) * self.rows + self.kernels.lanes
    }

    /// The fewest matrices for which a whole group takes less time than each by itself.
    fn least(&self) -> usize {
        self.kernels.lanes.div_ceil(4)
    }
}

/// A batch that threads factor piece by piece.
struct Job<'a, T: Element> {
    a: *mut T,
    layout: Layout,
    ld: usize,
    stride: usize,
    count: usize,
    m: usize,
    n: usize,
    ipiv: *mut i64,
    info: *mut i64,
    lanes: Option<Across<T>>,
    recursion: Recursion<'a, T>,
    /// The first matrix that no thread has taken.
    next: AtomicUsize,
}

// SAFETY: each thread works on the matrices that it has taken, which no other takes, and on their results.
unsafe impl<T: Element> Sync for Job<'_, T> {}

impl<T: Element> Job<'_, T> {
    /// Factors all matrices. Returns `false`, and has done nothing, if the system refuses memory.
    fn run(&self, threads: usize) -> bool {
        let work = self.count.saturating_mul(self.m * self.n).saturating_mul(self.m.min(self.n));
        let is_worth_helpers = work >= self.recursion.kernels.tuning.blocks.min_work_for_helpers;
        let threads = if is_worth_helpers { threads.min(team::cores()) } else { 1 };
        let own = |memory: &mut [T]| {
            // A helper that gets no memory leaves the work to the others.
            let helper = || {
                let _ = scratch::with(self.memory(), |memory| self.work(memory));
            };
            team::run(threads, &mut || self.work(memory), &helper);
        };
        match self.memory() {
            0 => own(&mut []),
            len => return scratch::with(len, own).is_some(),
        }
        true
    }

    /// Elements of memory that each thread needs.
    fn memory(&self) -> usize {
        let one = if self.layout == Layout::RowMajor { self.m * self.n } else { 0 };
        let group = self
            .lanes
            .as_ref()
            .map_or(0, |across| (across.vectors(self.n) + self.m.min(self.n) + 1) * across.kernels.lanes);
        one.max(group)
    }

    /// Takes pieces of the batch and factors them until none is left.
    fn work(&self, memory: &mut [T]) {
        let lanes = self.lanes.as_ref().map_or(1, |across| {
            // The rows of a kernel that the matrices do not have are zero.
            memory.fill(T::ZERO);
            across.kernels.lanes
        });
        let group_bytes = lanes * self.m * self.n * size_of::<T>();
        let piece = (PIECE_BYTES / group_bytes).max(1) * lanes;
        loop {
            let first = self.next.fetch_add(piece, Ordering::Relaxed);
            if first >= self.count {
                return;
            }
            self.factor(first, self.count.min(first + piece), memory);
        }
    }

    /// Factors the matrices from `first` to before `end`.
    fn factor(&self, first: usize, end: usize, memory: &mut [T]) {
        let mut index = first;
        while index < end {
            let left = end - index;
            index += match &self.lanes {
                Some(across) if left >= across.least() => {
                    let count = left.min(across.kernels.lanes);
                    // SAFETY: these matrices are this thread's, and the memory has the size for a group.
                    unsafe { self.group(across, index, count, memory) };
                    count
                }
                _ => {
                    // SAFETY: this matrix is this thread's.
                    unsafe { self.one(index, memory) };
                    1
                }
            }
        }
    }

    /// Factors `count` matrices from `first` on at once.
    ///
    /// # Safety
    /// - No other thread uses these matrices or their results.
    /// - `memory` has [`Job::memory`] elements.
    unsafe fn group(&self, across: &Across<T>, first: usize, count: usize, memory: &mut [T]) {
        let &Job { m, n, stride, ld, .. } = self;
        let &Across { kernels, rows, kernel } = across;
        let steps = m.min(n);
        let (work, pivots) = memory.split_at_mut(across.vectors(n) * kernels.lanes);
        let (pivots, zeros) = pivots.split_at_mut(steps * kernels.lanes);
        let (length, lines, step, next) = match self.layout {
            // Columns without padding on either side are one line.
            Layout::ColumnMajor if ld == m && rows == m => (m * n, 1, 1, 0),
            Layout::ColumnMajor => (m, n, 1, rows),
            Layout::RowMajor => (n, m, rows, 1),
        };
        // SAFETY: the caller vouches for the matrices; the memory has room for a group.
        unsafe {
            let a = self.a.add(first * stride);
            let work = work.as_mut_ptr();
            let copy = Lines { matrices: count, stride, length, lines, a, lda: ld, work, step, next };
            (kernels.interleave)(copy);
            kernel(Group { m, n, work, ipiv: pivots.as_mut_ptr(), info: zeros.as_mut_ptr() });
            (kernels.deinterleave)(copy);
            for (k, pivots) in pivots.chunks_exact(kernels.lanes).enumerate() {
                for (lane, pivot) in pivots.iter().enumerate().take(count) {
                    *self.ipiv.add((first + lane) * steps + k) = pivot.to_index() as i64;
                }
            }
            for (lane, zero) in zeros.iter().enumerate().take(count) {
                *self.info.add(first + lane) = zero.to_index() as i64;
            }
        }
    }

    /// Factors a matrix by itself.
    ///
    /// # Safety
    /// - No other thread uses this matrix or its results.
    unsafe fn one(&self, index: usize, memory: &mut [T]) {
        let &Job { m, n, ld, .. } = self;
        let steps = m.min(n);
        let blocking = Blocking::choose(m, n, 1, self.recursion.kernels);
        // SAFETY: the caller vouches for the matrix and its results. The views of a row-major matrix are used one after the
        // other.
        unsafe {
            let a = self.a.add(index * self.stride);
            let ipiv = std::slice::from_raw_parts_mut(self.ipiv.add(index * steps), steps);
            let info = match self.layout {
                Layout::ColumnMajor => {
                    by_blocks(&self.recursion, MatrixMut::from_raw_parts(a, m, n, ld), ipiv, blocking)
                }
                Layout::RowMajor => {
                    transpose(MatrixRef::from_raw_parts(a, n, m, ld), MatrixMut::in_memory(memory, m, n, m));
                    let info = by_blocks(&self.recursion, MatrixMut::in_memory(memory, m, n, m), ipiv, blocking);
                    let lu = MatrixMut::in_memory(memory, m, n, m);
                    transpose(lu.as_ref(), MatrixMut::from_raw_parts(a, n, m, ld));
                    info
                }
            };
            *self.info.add(index) = info;
        }
    }
}
