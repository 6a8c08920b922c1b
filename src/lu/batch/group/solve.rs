//! Systems with the factors of a group.

use super::{Work, lines};
use crate::element::Element;
use crate::kernel::{GroupTrsm, Lines};
use crate::lu::batch::across::Across;
use crate::lu::batch::job::{Job, RightHandSides};

/// Columns of vectors in work memory: their number, the first of them, and the vectors from one to the next.
#[derive(Clone, Copy)]
pub(super) struct Columns<T> {
    pub(super) count: usize,
    pub(super) first: *mut T,
    pub(super) ld: usize,
}

impl<T: Element> Job<'_, T> {
    /// Copies columns of the right-hand sides behind those of the matrices. Returns their number.
    ///
    /// # Safety
    /// As for [`Job::group`].
    pub(super) unsafe fn load_columns(
        &self,
        x: &RightHandSides<T>,
        across: &Across<T>,
        matrices: [usize; 2],
        columns: [usize; 2],
        work: &Work<T>,
    ) -> usize {
        let ([_, count], rows) = (columns, across.rows);
        let to = self.behind(work, across, count).first;
        // SAFETY: the work memory has room for these columns and for a block more.
        unsafe {
            if x.is_identity {
                self.load_identity(across, columns, work);
                return count;
            }
            if across.factor.is_some() && rows > self.a.geometry.nrows() {
                std::slice::from_raw_parts_mut(to, count * rows * across.lanes()).fill(T::ZERO);
            }
            (across.kernels.interleave)(lines(&x.block, matrices, columns, to, across));
        }
        count
    }

    /// Puts columns of the identity, given by the first and the number, behind those of the matrices.
    ///
    /// # Safety
    /// As for [`Job::group`].
    pub(super) unsafe fn load_identity(&self, across: &Across<T>, [first, count]: [usize; 2], work: &Work<T>) {
        let (lanes, rows, to) = (across.lanes(), across.rows, self.behind(work, across, count).first);
        // SAFETY: the work memory has room for these columns.
        unsafe {
            std::slice::from_raw_parts_mut(to, count * rows * lanes).fill(T::ZERO);
            for j in 0..count {
                std::slice::from_raw_parts_mut(to.add((j * rows + first + j) * lanes), lanes).fill(T::ONE);
            }
        }
    }

    /// X for right-hand sides that were not there when the matrices were factored, some columns at a time.
    ///
    /// # Safety
    /// As for [`Job::group`].
    pub(super) unsafe fn solve_columns(&self, across: &Across<T>, matrices: [usize; 2], singular: u32, work: &Work<T>) {
        let Some(x) = &self.x else { return };
        let most = self.columns_of_x(across);
        for j in (0..self.nrhs()).step_by(most.max(1)) {
            let columns = [j, most.min(self.nrhs() - j)];
            // SAFETY: the caller's promise.
            unsafe {
                let r = self.load_columns(x, across, matrices, columns, work);
                let loaded = self.behind(work, across, r);
                self.solve_loaded(across, work, loaded, self.transposed);
                let x = lines(&x.block, matrices, columns, loaded.first, across);
                (across.kernels.deinterleave)(Lines { skipped: singular, ..x });
            }
        }
    }

    /// X <- A^-1 X, or X <- A^-T X.
    ///
    /// # Safety
    /// As for [`Job::group`]; the columns are in work memory.
    pub(super) unsafe fn solve_loaded(&self, across: &Across<T>, work: &Work<T>, x: Columns<T>, transposed: bool) {
        // SAFETY: the caller's promise.
        unsafe {
            if transposed {
                self.trsm(across, work, x, Factor::UpperTransposed);
                self.trsm(across, work, x, Factor::LowerTransposed);
                self.swap_rows(across, work, x, true);
            } else {
                self.swap_rows(across, work, x, false);
                self.trsm(across, work, x, Factor::Lower);
                self.trsm(across, work, x, Factor::Upper);
            }
        }
    }

    /// P X, or with `back` P^T X, of each matrix.
    ///
    /// # Safety
    /// As for [`Job::solve_loaded`].
    pub(super) unsafe fn swap_rows(&self, across: &Across<T>, work: &Work<T>, x: Columns<T>, back: bool) {
        let (lanes, (_, _, steps)) = (across.lanes(), self.shape());
        for at in 0..steps * lanes {
            let at = if back { steps * lanes - 1 - at } else { at };
            let (k, lane) = (at / lanes, at % lanes);
            // SAFETY: the rows are below n: the kernel has made them, or they were checked.
            unsafe {
                let row = *work.pivots.add(at) as usize - 1;
                if row != k {
                    for j in 0..x.count {
                        let column = x.first.add(j * x.ld * lanes + lane);
                        std::ptr::swap(column.add(k * lanes), column.add(row * lanes));
                    }
                }
            }
        }
    }

    /// X <- T^-1 X.
    ///
    /// # Safety
    /// As for [`Job::solve_loaded`].
    pub(super) unsafe fn trsm(&self, across: &Across<T>, work: &Work<T>, x: Columns<T>, factor: Factor) {
        let system = factor.system(self.a.geometry.ncols(), work.columns, x, across);
        // SAFETY: the columns are in work memory.
        unsafe { (across.kernels.trsm)(system) };
    }
}

/// A triangle of a factored matrix.
#[derive(Clone, Copy)]
pub(super) enum Factor {
    Lower,
    Upper,
    UpperTransposed,
    LowerTransposed,
}

impl Factor {
    /// The system with this triangle of the first n columns of work memory. Upper triangles are lower ones if rows and columns
    /// are counted from the last.
    pub(super) fn system<T: Element>(
        self,
        n: usize,
        columns: *mut T,
        x: Columns<T>,
        across: &Across<T>,
    ) -> GroupTrsm<T> {
        let (rows, lanes) = (across.rows, across.lanes());
        let (is_rotated, is_transposed, unit) = match self {
            Factor::Lower => (false, false, true),
            Factor::Upper => (true, false, false),
            Factor::UpperTransposed => (false, true, false),
            Factor::LowerTransposed => (true, true, true),
        };
        let (row, col) = if is_transposed { (rows as isize, 1) } else { (1, rows as isize) };
        let (nrhs, x, ldx) = (x.count, x.first, x.ld);
        let upright = GroupTrsm { n, nrhs, unit, t: columns, row, col, x, inc: 1, ldx };
        if !is_rotated {
            return upright;
        }
        let last = n - 1;
        let (t, x) = (columns.wrapping_add(last * (rows + 1) * lanes), x.wrapping_add(last * lanes));
        GroupTrsm { t, row: -row, col: -col, x, inc: -1, ..upright }
    }
}
