//! P A = L U by blocks of columns, on up to `threads` threads.
//!
//! The work is cut into numbered tasks: the first panel; then for each panel the updates of the blocks to its right, in
//! rising order; at last the row swaps of the blocks of L. The first update of a panel also factors its block, which is the
//! next panel, so that panels are ahead of the other updates. A thread takes the next number, and waits for what the task
//! needs: its panel, and the previous update of the same block. Those have lower numbers, so a thread is working on them
//! already, and no barrier is needed. Which thread does which task does not change the result.

use std::cell::UnsafeCell;
use std::ops::Range;
use std::sync::atomic::{AtomicU32, AtomicUsize, Ordering};

use bytemuck::cast_slice_mut;

use super::monitor::{flops, update_flops};
use super::moves::Moves;
use super::packed::PackedPanel;
use super::recursion::Recursion;
use crate::blas::scratch;
use crate::element::Element;
use crate::kernel::Kernels;
use crate::matrix::MatrixMut;
use crate::team;

/// Panels whose packed L is kept at the same time: the fastest thread may be this far ahead of the slowest.
const SLOTS: usize = 2;
/// The largest number of blocks of columns to the left of column `min(m, n)`, and again to its right.
const MAX_BLOCKS: usize = 128;

/// The limit of scratch memory for packed panels: this many bytes, or the size of the matrix divided by
/// `SCRATCH_DIVISOR`, whichever is more. `include/recfact.h` promises both.
const MAX_SCRATCH_BYTES: usize = 8 << 20;
const SCRATCH_DIVISOR: usize = 25;

/// How a matrix is cut into blocks of columns, and how many threads work on it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Blocking {
    /// Columns of a block.
    pub(crate) width: usize,
    /// Threads that may work on it.
    pub(crate) threads: usize,
}

impl Blocking {
    /// For an `m` by `n` matrix, by the measured crossovers; `None` if the recursion alone is faster, or if blocks that are
    /// worth their packing would take more scratch memory than allowed.
    pub(super) fn choose<T: Element>(m: usize, n: usize, threads: usize, kernels: &Kernels<T>) -> Option<Self> {
        let k = m.min(n);
        let tuning = &kernels.tuning.blocks;
        let is_wide = n >= 2 * k && n > kernels.small;
        let width = match k {
            _ if is_wide && (tuning.wide_from..tuning.wide_below).contains(&k) => k.min(tuning.wide_width),
            _ if k < tuning.min_order => return None,
            _ => {
                let widths = if threads > 1 { tuning.shared_widths } else { tuning.widths };
                widths.iter().find(|&&(below, _)| k < below).expect("the last one is for all orders").1
            }
        };
        let matrix = m.saturating_mul(n).saturating_mul(size_of::<T>());
        let column = SLOTS * PackedPanel::size(m, 1, kernels) * size_of::<T>();
        let width = width.min(MAX_SCRATCH_BYTES.max(matrix / SCRATCH_DIVISOR) / column / 8 * 8);
        (width >= tuning.min_width).then_some(Blocking { width, threads })
    }
}

/// The blocks of columns: those of L, which are the panels, and those to the right of them in a wide matrix.
#[derive(Debug, Clone, Copy)]
struct Blocks {
    n: usize,
    k: usize,
    /// Columns of the first panel, of the others, and of a block to the right.
    first: usize,
    nb: usize,
    wide: usize,
}

impl Blocks {
    fn new(m: usize, n: usize, blocking: Blocking) -> Self {
        let k = m.min(n);
        let width = |columns: usize| blocking.width.max(columns.div_ceil(MAX_BLOCKS - 1).next_multiple_of(8));
        let nb = width(k);
        // While one thread factors the first panel, the others wait.
        let first = if blocking.threads > 1 && k > 2 * nb { (nb / 2).next_multiple_of(8).min(nb) } else { nb };
        Blocks { n, k, first, nb, wide: width(n - k) }
    }

    fn panels(&self) -> usize {
        1 + self.k.saturating_sub(self.first).div_ceil(self.nb)
    }

    fn count(&self) -> usize {
        self.panels() + (self.n - self.k).div_ceil(self.wide)
    }

    fn columns(&self, block: usize) -> Range<usize> {
        match block.checked_sub(self.panels()) {
            None if block == 0 => 0..self.k.min(self.first),
            None => self.first + (block - 1) * self.nb..self.k.min(self.first + block * self.nb),
            Some(right) => self.k + right * self.wide..self.n.min(self.k + (right + 1) * self.wide),
        }
    }
}

/// A matrix that several threads factor.
struct Shared<'a, T: Element> {
    recursion: &'a Recursion<'a, T>,
    a: *mut T,
    m: usize,
    lda: usize,
    ipiv: *mut i64,
    blocks: Blocks,
    threads: usize,
    /// The matrix is expected to come from memory.
    is_far: bool,
    /// Panel p uses slot p % SLOTS.
    slots: [Slot<'a, T>; SLOTS],
    /// The next task.
    task: AtomicUsize,
    /// Panels that are factored and packed.
    ready: AtomicUsize,
    /// For each block, the number of panels that it has been updated with.
    updated: [AtomicU32; 2 * MAX_BLOCKS],
    /// The 1-based index of the first zero pivot, or usize::MAX.
    first_zero: AtomicUsize,
}

/// A packed panel and its memory.
struct Slot<'a, T: Element> {
    rows: *mut [u64],
    elements: *mut [T],
    panel: UnsafeCell<Option<PackedPanel<'a, T>>>,
    /// Updates that still need the panel.
    readers: AtomicUsize,
}

// SAFETY: the order of tasks, which the atomic fields keep, gives each element of A, of ipiv and of the slots to one
// writer at a time, or to readers.
unsafe impl<T: Element> Sync for Shared<'_, T> {}

/// P A = L U in place. Returns the 1-based index of the first zero pivot, or 0; `None` if the system refuses the scratch
/// memory, and nothing was done.
pub(super) fn factor<T: Element>(
    recursion: &Recursion<'_, T>,
    mut a: MatrixMut<'_, T>,
    ipiv: &mut [i64],
    blocking: Blocking,
) -> Option<usize> {
    let (m, n, lda) = (a.nrows(), a.ncols(), a.lda());
    assert!(ipiv.len() == m.min(n));
    let blocks = Blocks::new(m, n, blocking);
    let (rows, elements) = (Moves::size(blocks.nb), PackedPanel::size(m, blocks.nb, recursion.kernels));
    let own = own_memory(m, &blocks, recursion.kernels);
    scratch::with(SLOTS * rows, |all_rows: &mut [u64]| {
        scratch::with(SLOTS * elements, |all_elements: &mut [T]| {
            scratch::with(own, |memory: &mut [u64]| {
                let mut slots = all_rows.chunks_mut(rows).zip(all_elements.chunks_mut(elements));
                let slots = std::array::from_fn(|_| {
                    let (rows, elements) = slots.next().expect("memory for each slot");
                    Slot { rows, elements, panel: UnsafeCell::new(None), readers: AtomicUsize::new(0) }
                });
                let is_far =
                    size_of::<T>().saturating_mul(m.saturating_mul(n)) >= recursion.kernels.tuning.blocks.far_bytes;
                let threads = blocking.threads.min(blocks.count());
                let shared = Shared {
                    recursion,
                    a: a.as_mut_ptr(),
                    m,
                    lda,
                    ipiv: ipiv.as_mut_ptr(),
                    blocks,
                    threads,
                    is_far,
                    slots,
                    task: AtomicUsize::new(0),
                    ready: AtomicUsize::new(0),
                    updated: [const { AtomicU32::new(0) }; 2 * MAX_BLOCKS],
                    first_zero: AtomicUsize::new(usize::MAX),
                };
                // A helper that gets no memory leaves the work to the others.
                let helper = || {
                    let _ = scratch::with(own, |memory| shared.work(memory));
                };
                team::run(threads, flops(m, n), &mut || shared.work(memory), &helper);
                match shared.first_zero.into_inner() {
                    usize::MAX => 0,
                    first => first,
                }
            })
        })
    })
    .flatten()
    .flatten()
}

/// Words of memory that each thread needs for one task at a time. An update needs a chunk of U12; a panel the order of its
/// rows; the row swaps of L need their moves, and beside those first the order of the rows and then a column.
fn own_memory<T: Element>(m: usize, blocks: &Blocks, kernels: &Kernels<T>) -> usize {
    let update = (PackedPanel::update_size(blocks.nb, kernels) * size_of::<T>()).div_ceil(size_of::<u64>());
    update.max(Moves::size(blocks.k) + m)
}

impl<T: Element> Shared<'_, T> {
    /// Takes tasks until none is left.
    fn work(&self, memory: &mut [u64]) {
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
                self.panel(0, memory);
            } else if p < panels {
                let block = p + 1 + (task - first);
                self.update(p, block, memory);
                if block == p + 1 && block < panels {
                    self.panel(block, memory);
                }
            } else if task - first < panels - 1 {
                self.swap_left(task - first, memory);
            } else {
                return;
            }
        }
    }

    /// These rows and columns of A.
    ///
    /// # Safety
    /// - They lie in A.
    /// - Nothing else writes these elements while the view lives, and if the view is written, nothing else reads them.
    unsafe fn view(&self, rows: Range<usize>, columns: Range<usize>) -> MatrixMut<'_, T> {
        // SAFETY: the block lies in A, and is not shared in a way that conflicts: the caller's promise.
        unsafe {
            let first = self.a.add(rows.start + columns.start * self.lda);
            MatrixMut::from_raw_parts(first, rows.len(), columns.len(), self.lda)
        }
    }

    /// Factors panel p, which all earlier panels have updated, and packs it for its updates.
    fn panel(&self, p: usize, memory: &mut [u64]) {
        let columns = self.blocks.columns(p);
        let (j, w) = (columns.start, columns.len());
        // SAFETY: the block and its pivots are this task's until the panel is ready.
        let (mut a, ipiv) =
            unsafe { (self.view(j..self.m, columns), std::slice::from_raw_parts_mut(self.ipiv.add(j), w)) };
        let zero = self.recursion.factor(a.reborrow(), ipiv);
        if zero > 0 {
            self.first_zero.fetch_min(j + zero, Ordering::Relaxed);
        }
        // After a cancellation the pivots may be no rows at all.
        ipiv.iter_mut().for_each(|row| *row = row.wrapping_add(j as i64));
        let updates = self.blocks.count() - 1 - p;
        if updates > 0 {
            let slot = &self.slots[p % SLOTS];
            // After a cancellation there may be readers that are not counted down.
            team::wait_until(|| slot.readers.load(Ordering::Acquire) == 0 || self.recursion.is_cancelled());
            if self.recursion.is_cancelled() {
                // Who sees that the panel is ready sees this as well, and does not use it.
                self.ready.store(p + 1, Ordering::Release);
                return;
            }
            // SAFETY: no update reads the slot now, and the old panel is dropped before its memory is used again.
            unsafe {
                *slot.panel.get() = None;
                let (rows, elements) = (&mut *slot.rows, &mut *slot.elements);
                let moves = Moves::new(a.nrows(), ipiv, j, rows, memory);
                *slot.panel.get() = Some(PackedPanel::new(a.as_ref(), moves, elements, self.recursion.kernels));
            }
            slot.readers.store(updates, Ordering::Relaxed);
        }
        self.ready.store(p + 1, Ordering::Release);
    }

    /// Updates a block of columns with panel p: row swaps, U12 and A22.
    fn update(&self, p: usize, block: usize, memory: &mut [u64]) {
        team::wait_until(|| self.ready.load(Ordering::Acquire) > p);
        team::wait_until(|| self.updated[block].load(Ordering::Acquire) as usize == p);
        if self.recursion.is_cancelled() {
            self.updated[block].store(p as u32 + 1, Ordering::Release);
            return;
        }
        let slot = &self.slots[p % SLOTS];
        let (j, columns) = (self.blocks.columns(p).start, self.blocks.columns(block));
        // SAFETY: the slot is not written while this update is counted among its readers; the block is this task's.
        let (panel, a) = unsafe { ((*slot.panel.get()).as_ref(), self.view(j..self.m, columns)) };
        // With equally fast threads this one is next to update the block that follows those of the others.
        let next = block + self.threads;
        let next = (next < self.blocks.count())
            .then(|| self.a.cast_const().wrapping_add(j + self.blocks.columns(next).start * self.lda));
        panel.expect("a panel that is ready").update(a, self.is_far, next, cast_slice_mut(memory));
        let (w, n) = (self.blocks.columns(p).len(), self.blocks.columns(block).len());
        self.recursion.count(|| update_flops(self.m - j, n, w));
        slot.readers.fetch_sub(1, Ordering::Release);
        self.updated[block].store(p as u32 + 1, Ordering::Release);
    }

    /// The swaps of all later panels in a block of L.
    fn swap_left(&self, block: usize, memory: &mut [u64]) {
        team::wait_until(|| self.ready.load(Ordering::Acquire) == self.blocks.panels());
        if self.recursion.is_cancelled() {
            return;
        }
        let columns = self.blocks.columns(block);
        let first = columns.end;
        // SAFETY: updates read the packed panel, so nothing else uses these rows of L by now; all pivots are written.
        let (a, ipiv) = unsafe {
            let ipiv = std::slice::from_raw_parts(self.ipiv.add(first), self.blocks.k - first);
            (self.view(first..self.m, columns), ipiv)
        };
        let (rows, memory) = memory.split_at_mut(Moves::size(ipiv.len()));
        Moves::new(self.m - first, ipiv, first, rows, memory).permute(a, memory);
    }
}
