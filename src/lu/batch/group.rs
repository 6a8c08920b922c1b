//! As many matrices at once as a register has lanes.

use super::across::Across;
use super::determinant::Determinant;
use super::job::{Block, Job, RightHandSides, Swaps};
use crate::element::Element;
use crate::kernel::{BATCH_IN_CACHE, BATCH_RHS, Group, GroupNorm, GroupTrsm, Lines};
use crate::lu::condition::{is_well, norm1, reciprocal};
use crate::matrix::Layout;

/// The work memory of a group.
struct Work<T> {
    /// Columns of `rows` vectors: first those of the matrices, then those of right-hand sides.
    columns: *mut T,
    /// For each step the row numbers of the matrices, counted from 1.
    pivots: *mut i32,
    info: *mut i32,
    norm: *mut T,
    /// A column for the bound of the condition number.
    column: *mut T,
}

impl<T: Element> Job<'_, T> {
    /// Columns of right-hand sides that are in work memory at once.
    fn columns_of_x(&self) -> usize {
        let nrhs = self.nrhs();
        if self.x.is_some_and(|x| x.is_identity) { nrhs } else { nrhs.min(BATCH_RHS) }
    }

    /// Columns of work memory behind those of the matrices.
    fn columns_behind(&self) -> usize {
        let columns_of_inverse = if self.rcond.is_some() { BATCH_RHS.min(self.a.geometry.ncols()) } else { 0 };
        self.columns_of_x().max(columns_of_inverse)
    }

    /// Vectors of the columns in work memory: whole blocks are written, which may be larger than the matrices.
    fn vectors_of_columns(&self, across: &Across<T>) -> usize {
        let columns = self.a.geometry.ncols() + self.columns_behind();
        (columns + across.lanes()) * across.rows + across.lanes()
    }

    /// Elements of work memory.
    pub(super) fn memory_of_group(&self, across: &Across<T>) -> usize {
        let (_, _, steps) = self.shape();
        (self.vectors_of_columns(across) + steps + 2 + across.rows) * across.lanes()
    }

    /// Work on `count` matrices from `first` on at once.
    ///
    /// # Safety
    /// - No other thread uses these matrices or their results.
    /// - `memory` has [`Job::memory_of_group`] elements.
    pub(super) unsafe fn group(&self, across: &Across<T>, first: usize, count: usize, memory: &mut [T]) {
        let (m, n, steps) = self.shape();
        let &Across { kernels, rows, .. } = across;
        let lanes = kernels.lanes;
        debug_assert!(memory.len() >= self.memory_of_group(across));
        if rows > m && self.a.is_row_major() {
            // Rows that the matrices do not have are not copied.
            memory[..n * rows * lanes].fill(T::ZERO);
        }
        let columns = memory.as_mut_ptr();
        let norm = columns.wrapping_add(self.vectors_of_columns(across) * lanes);
        let column = norm.wrapping_add(lanes);
        // Integers have at most the size of elements.
        let pivots: *mut i32 = column.wrapping_add(rows * lanes).cast();
        let info = pivots.wrapping_add(steps * lanes);
        let work = Work { columns, pivots, info, norm, column };
        // SAFETY: the caller vouches for the matrices and the results; the parts of the memory are in it, and do not overlap.
        unsafe {
            let a = lines(&self.a, [first, count], [0, n], columns, across);
            (kernels.interleave)(a);
            if let Some(ipiv) = self.given {
                for (at, pivot) in (0..steps * lanes).map(|at| (at, pivots.add(at))) {
                    // The lanes beyond the last matrix have it once more.
                    let index = first + (at % lanes).min(count - 1);
                    *pivot = *ipiv.add(index * steps + at / lanes) as i32;
                }
                self.solve_columns(across, [first, count], 0, &work);
                return;
            }
            if self.rcond.is_some() {
                (kernels.norm1)(GroupNorm { m, n, a: columns, lda: rows, norm });
            }
            // L^-1 P B comes with the factors, if the right-hand sides are there.
            let with_b = self.x.filter(|x| !self.transposed && x.block.geometry.ncols() <= self.columns_of_x());
            let r = with_b.map_or(0, |x| self.load_columns(&x, across, [first, count], [0, self.nrhs()], &work));
            let (next, ahead) = self.ahead(first + count, lanes);
            (across.factor)(Group { m, n: n + r, steps, work: columns, ipiv: pivots, info, next, ahead });
            if let Some(lu) = &self.lu {
                (kernels.deinterleave)(lines(lu, [first, count], [0, n], columns, across));
            }
            let singular = self.store_results(across, [first, count], &work);
            match with_b {
                Some(x) => {
                    self.trsm(across, r, &work, Factor::Upper);
                    let x = lines(&x.block, [first, count], [0, r], self.behind(columns, across), across);
                    (kernels.deinterleave)(Lines { skipped: singular, ..x });
                }
                None => self.solve_columns(across, [first, count], singular, &work),
            }
            if let Some(rcond) = self.rcond {
                self.store_conditions(across, count, singular, rcond.add(first), &work);
            }
        }
    }

    /// Where the next group is, and the cache lines of it for each column of this one; none if the batch is in the L2 cache.
    fn ahead(&self, next: usize, lanes: usize) -> (*const T, usize) {
        let geometry = self.a.geometry;
        let one = geometry.stride() * size_of::<T>();
        let is_in_cache = geometry.count() * one <= BATCH_IN_CACHE;
        let lines = if is_in_cache { 0 } else { (lanes * one).div_ceil(64 * geometry.ncols()) };
        (self.a.matrix(next), lines)
    }

    /// The first column of work memory behind those of the matrices.
    fn behind(&self, columns: *mut T, across: &Across<T>) -> *mut T {
        columns.wrapping_add(self.a.geometry.ncols() * across.rows * across.lanes())
    }

    /// Copies columns of the right-hand sides behind those of the matrices. Returns their number.
    ///
    /// # Safety
    /// As for [`Job::group`].
    unsafe fn load_columns(
        &self,
        x: &RightHandSides<T>,
        across: &Across<T>,
        matrices: [usize; 2],
        columns: [usize; 2],
        work: &Work<T>,
    ) -> usize {
        let (rows, to) = (across.rows, self.behind(work.columns, across));
        let [_, count] = columns;
        // SAFETY: the work memory has room for these columns and for a block more.
        unsafe {
            if x.is_identity {
                self.load_identity(across, columns, work);
                return count;
            }
            if rows > self.a.geometry.nrows() {
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
    unsafe fn load_identity(&self, across: &Across<T>, [first, count]: [usize; 2], work: &Work<T>) {
        let (lanes, rows, to) = (across.lanes(), across.rows, self.behind(work.columns, across));
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
    unsafe fn solve_columns(&self, across: &Across<T>, matrices: [usize; 2], singular: u32, work: &Work<T>) {
        let Some(x) = &self.x else { return };
        for j in (0..self.nrhs()).step_by(self.columns_of_x().max(1)) {
            let columns = [j, self.columns_of_x().min(self.nrhs() - j)];
            // SAFETY: the caller's promise.
            unsafe {
                let r = self.load_columns(x, across, matrices, columns, work);
                self.solve_loaded(across, r, self.transposed, work);
                let x = lines(&x.block, matrices, columns, self.behind(work.columns, across), across);
                (across.kernels.deinterleave)(Lines { skipped: singular, ..x });
            }
        }
    }

    /// X <- A^-1 X, or if `transposed` X <- A^-T X, for r columns behind those of the matrices.
    ///
    /// # Safety
    /// As for [`Job::group`].
    unsafe fn solve_loaded(&self, across: &Across<T>, r: usize, transposed: bool, work: &Work<T>) {
        // SAFETY: the caller's promise.
        unsafe {
            if transposed {
                // X <- P^T L^-T U^-T X
                self.trsm(across, r, work, Factor::UpperTransposed);
                self.trsm(across, r, work, Factor::LowerTransposed);
                self.swap_rows(across, r, true, work);
            } else {
                // X <- U^-1 L^-1 P X
                self.swap_rows(across, r, false, work);
                self.trsm(across, r, work, Factor::Lower);
                self.trsm(across, r, work, Factor::Upper);
            }
        }
    }

    /// P B, or with `back` P^T B, of each matrix.
    ///
    /// # Safety
    /// As for [`Job::group`].
    unsafe fn swap_rows(&self, across: &Across<T>, r: usize, back: bool, work: &Work<T>) {
        let (lanes, (_, _, steps)) = (across.lanes(), self.shape());
        let b = self.behind(work.columns, across);
        for at in 0..steps * lanes {
            let at = if back { steps * lanes - 1 - at } else { at };
            let (k, lane) = (at / lanes, at % lanes);
            // SAFETY: the rows are below n: the kernel has made them, or they were checked.
            unsafe {
                let row = *work.pivots.add(at) as usize - 1;
                if row != k {
                    for j in 0..r {
                        let column = b.add(j * across.rows * lanes + lane);
                        std::ptr::swap(column.add(k * lanes), column.add(row * lanes));
                    }
                }
            }
        }
    }

    /// X <- T^-1 X for r columns behind those of the matrices.
    ///
    /// # Safety
    /// As for [`Job::group`].
    unsafe fn trsm(&self, across: &Across<T>, r: usize, work: &Work<T>, factor: Factor) {
        let x = self.behind(work.columns, across);
        let system = factor.system(self.a.geometry.ncols(), work.columns, x, across);
        // SAFETY: the columns are in work memory.
        unsafe { (across.kernels.trsm)(GroupTrsm { nrhs: r, ..system }) };
    }

    /// Stores row swaps, `info`, determinants and bounds of the condition. Returns a bit for each matrix that is singular.
    ///
    /// # Safety
    /// As for [`Job::group`].
    unsafe fn store_results(&self, across: &Across<T>, [first, count]: [usize; 2], work: &Work<T>) -> u32 {
        let (lanes, (_, n, steps)) = (across.lanes(), self.shape());
        let mut singular = 0;
        // SAFETY: the results have elements for these matrices, and the work memory for every lane.
        unsafe {
            let rows = |lane: usize| (0..steps).map(move |k| *work.pivots.add(k * lanes + lane));
            match self.swaps {
                Swaps::Lapack(ipiv) => {
                    let mut to = ipiv.add(first * steps);
                    for lane in 0..count {
                        for row in rows(lane) {
                            *to = i64::from(row);
                            to = to.add(1);
                        }
                    }
                }
                Swaps::ZeroBased(piv) => {
                    let mut to = piv.add(first * steps);
                    for lane in 0..count {
                        for row in rows(lane) {
                            *to = row - 1;
                            to = to.add(1);
                        }
                    }
                }
                Swaps::Nowhere => {}
            }
            for lane in 0..count {
                let info = *work.info.add(lane);
                singular |= u32::from(info > 0) << lane;
                self.info.inspect(|to| *to.add(first + lane) = i64::from(info));
            }
            if let Some(det) = self.det {
                for lane in 0..count {
                    let pivots = (0..n).map(|k| *work.columns.add(k * (across.rows + 1) * lanes + lane));
                    let swaps = rows(lane).zip(1..).filter(|(row, k)| row != k).count();
                    *det.add(first + lane) = Determinant::of(pivots, swaps);
                }
            }
        }
        singular
    }

    /// Stores the reciprocal condition number of each matrix: a lower bound, where that is enough to tell that the matrix is
    /// well-conditioned.
    ///
    /// # Safety
    /// As for [`Job::group`]; `rcond` is good for `count` elements.
    unsafe fn store_conditions(&self, across: &Across<T>, count: usize, singular: u32, rcond: *mut T, work: &Work<T>) {
        // SAFETY: the caller's promise.
        unsafe {
            self.bound_inverses(across, work);
            let is_known = |lane: usize| singular >> lane & 1 == 1 || is_well(*rcond.add(lane));
            let lanes = across.lanes();
            for lane in 0..count {
                let sums = (0..self.a.geometry.ncols()).map(|k| std::iter::once(*work.column.add(k * lanes + lane)));
                *rcond.add(lane) = reciprocal(*work.norm.add(lane), norm1(sums));
            }
            if (0..count).all(is_known) {
                return;
            }
            self.norms_of_inverses(across, work);
            for lane in (0..count).filter(|&lane| !is_known(lane)) {
                *rcond.add(lane) = reciprocal(*work.norm.add(lane), *work.column.add(lane));
            }
        }
    }

    /// Makes a column of sums that those of the magnitudes in the columns of A^-1 do not exceed. Take L and U with the
    /// magnitudes on their diagonals and the negated magnitudes beside them: their inverses are positive, and at least as
    /// large as L^-1 and U^-1. So one solve with ones is enough.
    ///
    /// # Safety
    /// As for [`Job::group`].
    unsafe fn bound_inverses(&self, across: &Across<T>, work: &Work<T>) {
        let n = self.a.geometry.ncols();
        // SAFETY: the column is in work memory.
        unsafe {
            std::slice::from_raw_parts_mut(work.column, n * across.lanes()).fill(T::ONE);
            for factor in [Factor::UpperTransposed, Factor::LowerTransposed] {
                let system = factor.system(n, work.columns, work.column, across);
                (across.kernels.trsm_magnitudes)(GroupTrsm { nrhs: 1, ..system });
            }
        }
    }

    /// Puts |A^-1| of each matrix into the first vector of the column. What is behind the matrices is lost.
    ///
    /// # Safety
    /// As for [`Job::group`].
    unsafe fn norms_of_inverses(&self, across: &Across<T>, work: &Work<T>) {
        let (n, lanes, rows) = (self.a.geometry.ncols(), across.lanes(), across.rows);
        let x = self.behind(work.columns, across);
        // SAFETY: the work memory has room for these columns.
        unsafe {
            std::slice::from_raw_parts_mut(work.column, lanes).fill(T::ZERO);
            for first in (0..n).step_by(BATCH_RHS) {
                let r = BATCH_RHS.min(n - first);
                self.load_identity(across, [first, r], work);
                self.solve_loaded(across, r, false, work);
                for lane in 0..lanes {
                    let at = |i: usize, j: usize| x.add((i + j * rows) * lanes + lane);
                    let norm = norm1((0..r).map(|j| (0..n).map(move |i| *at(i, j))));
                    let norms = [*work.column.add(lane), norm].map(std::iter::once);
                    *work.column.add(lane) = norm1(norms.into_iter());
                }
            }
        }
    }
}

/// A triangle of a factored matrix.
#[derive(Clone, Copy)]
enum Factor {
    Lower,
    Upper,
    UpperTransposed,
    LowerTransposed,
}

impl Factor {
    /// The system with this triangle of the first n columns of work memory, for one column of X at `x`. Upper triangles are
    /// lower ones if rows and columns are counted from the last.
    fn system<T: Element>(self, n: usize, columns: *mut T, x: *mut T, across: &Across<T>) -> GroupTrsm<T> {
        let (rows, lanes) = (across.rows, across.lanes());
        let (is_rotated, is_transposed, unit) = match self {
            Factor::Lower => (false, false, true),
            Factor::Upper => (true, false, false),
            Factor::UpperTransposed => (false, true, false),
            Factor::LowerTransposed => (true, true, true),
        };
        let (row, col) = if is_transposed { (rows as isize, 1) } else { (1, rows as isize) };
        let upright = GroupTrsm { n, nrhs: 1, unit, t: columns, row, col, x, inc: 1, ldx: rows };
        if !is_rotated {
            return upright;
        }
        let last = n - 1;
        let (t, x) = (columns.wrapping_add(last * (rows + 1) * lanes), x.wrapping_add(last * lanes));
        GroupTrsm { t, row: -row, col: -col, x, inc: -1, ..upright }
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
