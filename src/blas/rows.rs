//! Columns of B with their rows contiguous, so that a register has a lane for each column: for solves with several
//! right-hand sides.

use super::scratch;
use super::transpose::transpose;
use crate::element::Element;
use crate::kernel::{BatchKernels, Kernels, Lines};
use crate::matrix::MatrixMut;

/// Some columns of B in memory of their own, in groups of whole vectors of columns. The rows of a group stand one after the
/// other; what the last vector has beyond the columns does not matter.
pub(crate) struct Rows<'a, T: Element> {
    n: usize,
    columns: usize,
    memory: &'a mut [T],
    kernels: &'a Kernels<T>,
}

/// Calls `f` with all columns of B by rows, as many at once as fit the memory, and copies back what it makes of them. `None`
/// if B has too few columns for that, or if the system refuses the memory; then `f` is not called. `transposed` says that it is the
/// rows of the triangles that are contiguous.
pub(crate) fn by_rows<T: Element>(
    mut b: MatrixMut<'_, T>,
    transposed: bool,
    kernels: &Kernels<T>,
    f: &mut dyn FnMut(&mut Rows<'_, T>),
) -> Option<()> {
    let (n, lanes) = (b.nrows(), kernels.lanes);
    let tuning = &kernels.tuning.solve;
    let few = match n.saturating_mul(n * size_of::<T>()) {
        _ if transposed || n < tuning.large => tuning.few,
        // Columns are solved two at once where they are: so T is read more often than for all columns by rows.
        bytes if bytes > tuning.cached => tuning.few.max(lanes / 2),
        _ => tuning.few.max(lanes / 2 + 1),
    };
    if n == 0 || b.ncols() < few {
        return None;
    }
    // As many columns as `bytes` has room for, in whole groups, at least one.
    let group = kernels.row_vectors * lanes;
    let room = (tuning.bytes / (n * group * size_of::<T>())).max(1) * group;
    let columns = b.ncols().div_ceil(b.ncols().div_ceil(room)).next_multiple_of(lanes);
    // The kernels that copy write up to `lanes` rows beyond the last one.
    scratch::with((n + lanes) * columns.max(group), |memory| {
        for j in (0..b.ncols()).step_by(columns) {
            let columns = columns.min(b.ncols() - j);
            let b = b.reborrow().split_at_col(j).1.split_at_col(columns).0;
            Rows { n, columns, memory: &mut *memory, kernels }.with_copy(b, f);
        }
    })
}

/// Whole vectors of columns.
struct Group {
    /// Where it begins in memory.
    start: usize,
    /// Its first column.
    column: usize,
    /// Elements of a row: a multiple of `lanes`.
    width: usize,
}

/// The groups of `columns` columns: each has as many vectors as the others, or one more.
fn groups<T: Element>(n: usize, columns: usize, kernels: &Kernels<T>) -> impl Iterator<Item = Group> {
    let lanes = kernels.lanes;
    let vectors = columns.div_ceil(lanes);
    let count = vectors.div_ceil(kernels.row_vectors);
    let mut column = 0;
    (0..count).map(move |group| {
        let width = (vectors / count + usize::from(group < vectors % count)) * lanes;
        let start = n * column;
        column += width;
        Group { start, column: column - width, width }
    })
}

impl<T: Element> Rows<'_, T> {
    /// Rows <- B, `f`, B <- rows.
    fn with_copy(&mut self, mut b: MatrixMut<'_, T>, f: &mut dyn FnMut(&mut Rows<'_, T>)) {
        match self.kernels.batch {
            Some(BatchKernels { interleave, deinterleave, .. }) => {
                self.copy_by_lanes(b.reborrow(), *interleave);
                f(self);
                self.copy_by_lanes(b, *deinterleave);
            }
            None => {
                self.for_each_block(b.reborrow(), &mut |rows, columns| transpose(columns.as_ref(), rows));
                f(self);
                self.for_each_block(b, &mut |rows, columns| transpose(rows.as_ref(), columns));
            }
        }
    }

    /// Copies B to the rows or back, a vector of columns after the other.
    #[inline(never)] // one copy is enough
    fn copy_by_lanes(&mut self, mut b: MatrixMut<'_, T>, copy: unsafe fn(Lines<T>)) {
        let Rows { n, columns, ref mut memory, kernels: &Kernels { lanes, .. } } = *self;
        assert!(b.nrows() == n && b.ncols() == columns, "rows: sizes do not fit");
        for Group { start, column, width } in groups(n, columns, self.kernels) {
            assert!(start + (n + lanes) * width <= memory.len(), "rows: no room");
            for lane in (0..width).step_by(lanes) {
                let from = column + lane;
                let a = b.as_mut_ptr().wrapping_add(from * b.lda());
                let work = memory.as_mut_ptr().wrapping_add(start + lane);
                let (matrices, stride, step) = (lanes.min(columns - from), b.lda(), width / lanes);
                let lines =
                    Lines { matrices, skipped: 0, stride, length: n, lines: 1, a, lda: stride, work, step, next: 0 };
                // SAFETY: these columns of B have n elements, and they are lanes of every row. The memory has `lanes` more
                // rows; what they hold is overwritten by the next group, or is no part of any.
                unsafe { copy(lines) };
            }
        }
    }

    /// Calls `f` with the rows and the columns of each group: a matrix of as many rows as columns, and part of B.
    #[inline(never)] // one copy is enough
    fn for_each_block(&mut self, mut b: MatrixMut<'_, T>, f: &mut dyn FnMut(MatrixMut<'_, T>, MatrixMut<'_, T>)) {
        let mut j = 0;
        for mut rows in self.groups() {
            let columns = rows.nrows().min(b.ncols() - j);
            for i in 0..rows.ncols() {
                // Numbers with which arithmetic is not slow.
                rows.col_mut(i)[columns..].fill(T::ZERO);
            }
            let block = b.reborrow().split_at_col(j).1.split_at_col(columns).0;
            f(rows.split_at_row(columns).0, block);
            j += columns;
        }
    }

    /// Each group as a matrix: column i is row i of B, a multiple of `lanes` elements.
    pub(super) fn groups(&mut self) -> impl Iterator<Item = MatrixMut<'_, T>> {
        let n = self.n;
        let mut rest = &mut *self.memory;
        groups(n, self.columns, self.kernels).map(move |Group { width, .. }| {
            let (memory, later) = std::mem::take(&mut rest).split_at_mut(n * width);
            rest = later;
            MatrixMut::in_memory(memory, width, n, width)
        })
    }

    /// Swaps pairs of rows, one pair after the other.
    ///
    /// # Panics
    /// If a row is outside of B.
    #[inline(never)] // one copy is enough
    pub(crate) fn swap(&mut self, pairs: impl Iterator<Item = (usize, usize)> + Clone) {
        for mut group in self.groups() {
            let (n, width, x) = (group.ncols(), group.nrows(), group.as_mut_ptr());
            for (i, j) in pairs.clone() {
                assert!(i < n && j < n, "rows: no such row");
                let (one, other) = (x.wrapping_add(i * width), x.wrapping_add(j * width));
                // SAFETY: whole rows, which may be the same one.
                unsafe {
                    if width.is_multiple_of(4) {
                        let (one, other) = (one.cast::<[T; 4]>(), other.cast::<[T; 4]>());
                        (0..width / 4).for_each(|at| std::ptr::swap(one.add(at), other.add(at)));
                    } else {
                        (0..width).for_each(|at| std::ptr::swap(one.add(at), other.add(at)));
                    }
                }
            }
        }
    }
}
