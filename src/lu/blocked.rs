//! P A = L U by blocks of columns, on as many threads as come.
//!
//! The work is cut into numbered tasks: the first panel; for each panel the updates of the blocks to its right, in
//! rising order, of which the first also factors its block, the next panel (so that panels are ahead of the other
//! updates); at last the row swaps of the blocks of L. Threads take the next number and wait for what the task needs:
//! its panel, and the same block's update before. All of that has lower numbers, so somebody is at it, and there is
//! no barrier. Which thread does what never shows in the result.

use std::cell::UnsafeCell;
use std::ops::Range;
use std::sync::atomic::{AtomicU32, AtomicUsize, Ordering};

use super::packed::PackedPanel;
use super::recursion::Problem;
use super::swaps::Moves;
use crate::blas::scratch;
use crate::kernel::Kernels;
use crate::matrix::MatrixMut;
use crate::real::Real;
use crate::team;

/// Panels whose packed L is kept at once, so that a thread may be this far ahead of the slowest.
const SLOTS: usize = 2;
/// Blocks of columns that a problem is cut into at most, left of column `min(m, n)` and right of it.
const MOST: usize = 128;

/// Columns of a block below which blocks are not worth the trouble.
const NARROWEST: usize = 16;

/// Scratch memory, in bytes, that any matrix may take; a larger one may take a part of its own size.
const SCRATCH: usize = 8 << 20;
const SCRATCH_PART: usize = 25;

/// How a matrix is cut, and for whom.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Blocking {
    /// Columns of a block.
    pub(crate) width: usize,
    /// Threads that may work at it.
    pub(crate) threads: usize,
}

impl Blocking {
    /// For an `m` by `n` matrix, as measured; `None` where the recursion alone is faster, or would take less memory.
    pub(super) fn choose<T: Real>(m: usize, n: usize, threads: usize, kernels: &Kernels<T>) -> Option<Self> {
        let k = m.min(n);
        // For less work than this, helpers cost more than they bring.
        let worth_helpers = m.saturating_mul(n).saturating_mul(k) >= 96 * 96 * 96;
        let threads = if worth_helpers { threads } else { 1 };
        let width = match (k, threads) {
            // One panel, and a wide rest.
            (16..112, _) if n >= 2 * k && n > kernels.small => k.min(64),
            (0..80, _) => return None,
            (..320, 2..) => 24,
            (..768, _) => 48,
            _ => 96,
        };
        let matrix = m.saturating_mul(n).saturating_mul(size_of::<T>());
        let column = SLOTS * PackedPanel::size(m, 1, kernels) * size_of::<T>();
        let width = width.min(SCRATCH.max(matrix / SCRATCH_PART) / column / 8 * 8);
        (width >= NARROWEST).then_some(Blocking { width, threads })
    }
}

/// The blocks of columns: those of L, which are the panels, and those to the right of them in a wide matrix.
#[derive(Debug, Clone, Copy)]
struct Blocks {
    n: usize,
    k: usize,
    nb: usize,
    wide: usize,
}

impl Blocks {
    fn new(m: usize, n: usize, nb: usize) -> Self {
        let k = m.min(n);
        let width = |columns: usize| nb.max(columns.div_ceil(MOST).next_multiple_of(8));
        Blocks { n, k, nb: width(k), wide: width(n - k) }
    }

    fn panels(&self) -> usize {
        self.k.div_ceil(self.nb)
    }

    fn count(&self) -> usize {
        self.panels() + (self.n - self.k).div_ceil(self.wide)
    }

    fn columns(&self, block: usize) -> Range<usize> {
        match block.checked_sub(self.panels()) {
            None => block * self.nb..self.k.min((block + 1) * self.nb),
            Some(right) => self.k + right * self.wide..self.n.min(self.k + (right + 1) * self.wide),
        }
    }
}

/// A matrix that several threads factor.
struct Shared<'a, T: Real> {
    problem: &'a Problem<'a, T>,
    a: *mut T,
    m: usize,
    lda: usize,
    ipiv: *mut i64,
    blocks: Blocks,
    /// Panel p uses slot p % SLOTS.
    slots: [Slot<'a, T>; SLOTS],
    /// The next task.
    task: AtomicUsize,
    /// Panels that are factored and packed.
    ready: AtomicUsize,
    /// For each block, the panels that it is updated with.
    updated: [AtomicU32; 2 * MOST],
    /// The 1-based index of the first zero pivot, or usize::MAX.
    first_zero: AtomicUsize,
}

/// A packed panel and its memory.
struct Slot<'a, T: Real> {
    rows: *mut [u64],
    elements: *mut [T],
    panel: UnsafeCell<Option<PackedPanel<'a, T>>>,
    /// Updates that still need the panel.
    readers: AtomicUsize,
}

// SAFETY: the order of tasks, which the atomic fields keep, gives each element of A, of ipiv and of the slots to one
// writer at a time, or to readers.
unsafe impl<T: Real> Sync for Shared<'_, T> {}

/// P A = L U in place. Returns the 1-based index of the first zero pivot, or 0; `None` where there is no memory for it,
/// and nothing was done.
pub(super) fn factor<T: Real>(
    problem: &Problem<'_, T>,
    mut a: MatrixMut<'_, T>,
    ipiv: &mut [i64],
    blocking: Blocking,
) -> Option<usize> {
    let (m, n, lda) = (a.nrows(), a.ncols(), a.lda());
    assert_eq!(ipiv.len(), m.min(n));
    let blocks = Blocks::new(m, n, blocking.width);
    let (rows, elements) = (Moves::size(blocks.nb), PackedPanel::size(m, blocks.nb, problem.kernels));
    scratch::with(SLOTS * rows, |all_rows: &mut [u64]| {
        scratch::try_with(SLOTS * elements, |all_elements: &mut [T]| {
            let mut memory = all_rows.chunks_mut(rows).zip(all_elements.chunks_mut(elements));
            let slots = std::array::from_fn(|_| {
                let (rows, elements) = memory.next().expect("memory for each slot");
                Slot { rows, elements, panel: UnsafeCell::new(None), readers: AtomicUsize::new(0) }
            });
            let shared = Shared {
                problem,
                a: a.as_mut_ptr(),
                m,
                lda,
                ipiv: ipiv.as_mut_ptr(),
                blocks,
                slots,
                task: AtomicUsize::new(0),
                ready: AtomicUsize::new(0),
                updated: [const { AtomicU32::new(0) }; 2 * MOST],
                first_zero: AtomicUsize::new(usize::MAX),
            };
            team::run(blocking.threads.min(blocks.count()), &|| shared.work());
            match shared.first_zero.into_inner() {
                usize::MAX => 0,
                first => first,
            }
        })
    })
}

impl<T: Real> Shared<'_, T> {
    /// Takes tasks until none is left.
    fn work(&self) {
        let (panels, count) = (self.blocks.panels(), self.blocks.count());
        // The number of the first task that belongs to panel p.
        let (mut p, mut first) = (0, 1);
        loop {
            let task = self.task.fetch_add(1, Ordering::Relaxed);
            while p < panels && task >= first + (count - 1 - p) {
                first += count - 1 - p;
                p += 1;
            }
            if task == 0 {
                self.panel(0);
            } else if p < panels {
                let block = p + 1 + (task - first);
                self.update(p, block);
                if block == p + 1 && block < panels {
                    self.panel(block);
                }
            } else if task - first < panels - 1 {
                self.swap_left(task - first);
            } else {
                return;
            }
        }
    }

    /// These rows and columns of A.
    ///
    /// # Safety
    /// They lie in A, and nobody else writes these elements (or has them, where the view is written) while it lives.
    unsafe fn view(&self, rows: Range<usize>, columns: Range<usize>) -> MatrixMut<'_, T> {
        // SAFETY: the block lies in A.
        unsafe {
            let first = self.a.add(rows.start + columns.start * self.lda);
            MatrixMut::from_raw_parts(first, rows.len(), columns.len(), self.lda)
        }
    }

    /// Factors panel p, which all panels before have updated, and packs it for its updates.
    fn panel(&self, p: usize) {
        let columns = self.blocks.columns(p);
        let (j, w) = (columns.start, columns.len());
        // SAFETY: the block and its pivots are this task's until the panel is ready.
        let (mut a, ipiv) =
            unsafe { (self.view(j..self.m, columns), std::slice::from_raw_parts_mut(self.ipiv.add(j), w)) };
        let zero = self.problem.recurse(a.reborrow(), ipiv);
        if zero > 0 {
            self.first_zero.fetch_min(j + zero, Ordering::Relaxed);
        }
        ipiv.iter_mut().for_each(|row| *row += j as i64);
        let updates = self.blocks.count() - 1 - p;
        if updates > 0 {
            let slot = &self.slots[p % SLOTS];
            team::wait_until(|| slot.readers.load(Ordering::Acquire) == 0);
            // SAFETY: nobody reads the slot now, and the panel that was in it goes before its memory is used again.
            unsafe {
                *slot.panel.get() = None;
                let (rows, elements) = (&mut *slot.rows, &mut *slot.elements);
                let panel = PackedPanel::new(a.as_ref(), ipiv, j, rows, elements, self.problem.kernels);
                *slot.panel.get() = Some(panel);
            }
            slot.readers.store(updates, Ordering::Relaxed);
        }
        self.ready.store(p + 1, Ordering::Release);
    }

    /// Updates a block of columns with panel p: row swaps, U12 and A22.
    fn update(&self, p: usize, block: usize) {
        team::wait_until(|| self.ready.load(Ordering::Acquire) > p);
        team::wait_until(|| self.updated[block].load(Ordering::Acquire) as usize == p);
        let slot = &self.slots[p % SLOTS];
        let (j, columns) = (self.blocks.columns(p).start, self.blocks.columns(block));
        // SAFETY: nobody writes the slot while this update is counted among its readers; the block is this task's.
        let (panel, a) = unsafe { ((*slot.panel.get()).as_ref(), self.view(j..self.m, columns)) };
        panel.expect("a panel that is ready").update(a, self.problem.kernels);
        slot.readers.fetch_sub(1, Ordering::Release);
        self.updated[block].store(p as u32 + 1, Ordering::Release);
    }

    /// The swaps of all later panels in a block of L.
    fn swap_left(&self, block: usize) {
        team::wait_until(|| self.ready.load(Ordering::Acquire) == self.blocks.panels());
        let columns = self.blocks.columns(block);
        let first = columns.end;
        // SAFETY: updates read the packed panel, so nobody has these rows of L any more; all pivots are there.
        let (a, ipiv) = unsafe {
            let ipiv = std::slice::from_raw_parts(self.ipiv.add(first), self.blocks.k - first);
            (self.view(first..self.m, columns), ipiv)
        };
        scratch::with(Moves::size(ipiv.len()), |rows: &mut [u64]| {
            Moves::new(self.m - first, ipiv, first, rows).permute(a);
        });
    }
}
