//! As many matrices at once as a register has lanes.

mod condition;
mod factor;
mod solve;

use super::across::Across;
use super::job::{Block, Job};
use crate::element::Element;
use crate::kernel::{BATCH_RHS, Lines};
use crate::matrix::Layout;
use solve::Columns;

/// The work memory of a group.
struct Work<T> {
    /// Columns of `rows` vectors: first those of the matrices, then those of right-hand sides.
    columns: *mut T,
    /// For each step the row numbers of the matrices, counted from 1.
    pivots: *mut i32,
    info: *mut i32,
    norm: *mut T,
    /// A column for the condition numbers.
    column: *mut T,
    /// The matrices that are factored by themselves, one after the other.
    apart: *mut T,
}

impl<T: Element> Job<'_, T> {
    /// Columns of right-hand sides that are in work memory at once.
    fn columns_of_x(&self, across: &Across<T>) -> usize {
        let nrhs = self.nrhs();
        let may_come_with_factors = across.factor.is_some() && self.x.is_some_and(|x| x.is_identity);
        if may_come_with_factors { nrhs } else { nrhs.min(BATCH_RHS) }
    }

    /// Columns of work memory behind those of the matrices.
    fn columns_behind(&self, across: &Across<T>) -> usize {
        let columns_of_inverse = if self.rcond.is_some() { BATCH_RHS.min(self.a.geometry.ncols()) } else { 0 };
        self.columns_of_x(across).max(columns_of_inverse)
    }

    /// Vectors of the columns in work memory: whole blocks are written, which may be larger than the matrices.
    fn vectors_of_columns(&self, across: &Across<T>) -> usize {
        let columns = self.a.geometry.ncols() + self.columns_behind(across);
        (columns + across.lanes()) * across.rows + across.lanes()
    }

    /// Elements of work memory.
    pub(super) fn memory_of_group(&self, across: &Across<T>) -> usize {
        let (m, n, steps) = self.shape();
        let apart = if across.factor.is_none() && self.given.is_none() { m * n } else { 0 };
        (self.vectors_of_columns(across) + steps + 2 + across.rows + apart) * across.lanes()
    }

    /// The parts of work memory.
    fn parts_of(&self, across: &Across<T>, memory: &mut [T]) -> Work<T> {
        debug_assert!(memory.len() >= self.memory_of_group(across));
        let ((_, _, steps), lanes) = (self.shape(), across.lanes());
        let columns = memory.as_mut_ptr();
        let norm = columns.wrapping_add(self.vectors_of_columns(across) * lanes);
        let column = norm.wrapping_add(lanes);
        // Integers have at most the size of elements.
        let pivots = column.wrapping_add(across.rows * lanes);
        let info = pivots.wrapping_add(steps * lanes);
        let apart = info.wrapping_add(lanes);
        Work { columns, pivots: pivots.cast(), info: info.cast(), norm, column, apart }
    }

    /// Work on `count` matrices from `first` on at once.
    ///
    /// # Safety
    /// - No other thread uses these matrices or their results.
    /// - `memory` has [`Job::memory_of_group`] elements, and `swaps` the number of [`Job::memory_of_single`].
    pub(super) unsafe fn group(
        &self,
        across: &Across<T>,
        [first, count]: [usize; 2],
        memory: &mut [T],
        swaps: &mut [i64],
    ) {
        let work = self.parts_of(across, memory);
        // SAFETY: the caller vouches for the matrices and the results; the parts of the memory are in it, and do not overlap.
        unsafe {
            if self.given.is_some() {
                self.load_factors(across, [first, count], &work);
                self.solve_columns(across, [first, count], 0, &work);
                return;
            }
            let singular = match across.factor {
                Some(factor) => self.factor_group(across, factor, [first, count], &work),
                None => {
                    let Some(singular) = self.factor_apart(across, [first, count], &work, swaps) else { return };
                    self.solve_columns(across, [first, count], singular, &work);
                    singular
                }
            };
            if let Some(rcond) = self.rcond {
                self.store_conditions(across, count, singular, rcond.add(first), &work);
            }
        }
    }

    /// Copies the matrices to work memory.
    ///
    /// # Safety
    /// As for [`Job::group`].
    unsafe fn load_matrices(&self, across: &Across<T>, matrices: [usize; 2], work: &Work<T>) {
        let (m, n, _) = self.shape();
        // SAFETY: the caller's promise.
        unsafe {
            if across.factor.is_some() && across.rows > m && self.a.is_row_major() {
                // Rows that the matrices do not have are not copied, but the kernel that factors reads them.
                std::slice::from_raw_parts_mut(work.columns, n * across.rows * across.lanes()).fill(T::ZERO);
            }
            (across.kernels.interleave)(lines(&self.a, matrices, [0, n], work.columns, across));
        }
    }

    /// Copies factors that the caller has, and their row swaps, to work memory.
    ///
    /// # Safety
    /// As for [`Job::group`].
    unsafe fn load_factors(&self, across: &Across<T>, [first, count]: [usize; 2], work: &Work<T>) {
        let (lanes, (_, _, steps)) = (across.lanes(), self.shape());
        let Some(ipiv) = self.given else { return };
        // SAFETY: the caller's promise.
        unsafe {
            self.load_matrices(across, [first, count], work);
            for at in 0..steps * lanes {
                // The lanes beyond the last matrix have it once more.
                let index = first + (at % lanes).min(count - 1);
                *work.pivots.add(at) = *ipiv.add(index * steps + at / lanes) as i32;
            }
        }
    }

    /// Columns of work memory behind those of the matrices.
    fn behind(&self, work: &Work<T>, across: &Across<T>, count: usize) -> Columns<T> {
        let first = work.columns.wrapping_add(self.a.geometry.ncols() * across.rows * across.lanes());
        Columns { count, first, ld: across.rows }
    }
}

/// Columns of matrices and their place in work memory; both are given by the first and the number.
fn lines<T: Element>(
    block: &Block<T>,
    [first, matrices]: [usize; 2],
    [column, columns]: [usize; 2],
    work: *mut T,
    across: &Across<T>,
) -> Lines<T> {
    let geometry = block.geometry;
    let (m, ld, rows) = (geometry.nrows(), geometry.ld(), across.rows);
    let (length, lines, step, next, distance) = match geometry.layout() {
        // Columns without padding on either side are one line.
        Layout::ColumnMajor if ld == m && rows == m => (m * columns, 1, 1, 0, ld),
        Layout::ColumnMajor => (m, columns, 1, rows, ld),
        // One column whose elements are next to each other.
        Layout::RowMajor if geometry.ncols() == 1 && ld == 1 => (m, 1, 1, 0, 1),
        Layout::RowMajor => (columns, m, rows, 1, 1),
    };
    let a = block.matrix(first).wrapping_add(column * distance);
    Lines { matrices, skipped: 0, stride: geometry.stride(), length, lines, a, lda: ld, work, step, next }
}
