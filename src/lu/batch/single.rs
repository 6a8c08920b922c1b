//! One matrix of a batch by itself.

use super::determinant::Determinant;
use super::job::{Block, Job, RightHandSides, Swaps};
use crate::blas::{Triangle, norm_max, solve_triangle, transpose};
use crate::element::Element;
use crate::kernel::INVERSE_BYTES;
use crate::lu::condition::{self, MAX_EXACT_ORDER, inverse_norm, is_well, reciprocal};
use crate::lu::factor::{Cut, factor_cut};
use crate::lu::inverse::invert;
use crate::lu::monitor::Monitor;
use crate::lu::solve::System;
use crate::matrix::{MatrixMut, MatrixRef};
use crate::options::Transpose;

/// Columns of row-major right-hand sides that are copied at once.
const COLUMNS: usize = 64;

/// Matrices with more columns are factored without their right-hand sides: the solution is a small part of the work, and a
/// copy of A would not stay in the L2 cache.
const MAX_JOINED: usize = 128;

/// What is known of a matrix that has been factored: its 1-norm, if that is needed, and its `info`.
pub(super) struct Factored<T> {
    pub(super) norm: T,
    pub(super) info: i64,
}

impl<T: Element> Job<'_, T> {
    /// Elements of memory for a matrix by itself, and its row swaps.
    pub(super) fn memory_of_single(&self) -> (usize, usize) {
        let (m, n, steps) = self.shape();
        let copy = if self.needs_copy() { m * (n + self.joined()) } else { 0 };
        let columns = self.x.filter(|x| x.block.is_row_major()).map_or(0, |_| n * self.nrhs().min(COLUMNS));
        let sums = if self.rcond.is_some() { n.max(condition::memory(n)) } else { 0 };
        let has_swaps = self.given.is_some() || matches!(self.swaps, Swaps::Lapack(_));
        (copy + columns + sums, if has_swaps { 0 } else { steps })
    }

    /// Whether the factors of a matrix are in none of the arguments as column-major.
    fn needs_copy(&self) -> bool {
        match (self.given, &self.lu) {
            (Some(_), _) => self.a.is_row_major(),
            (None, Some(lu)) => lu.is_row_major(),
            (None, None) => true,
        }
    }

    /// The number of right-hand sides that stand beside a copy of A while it is factored, all or none: then they become
    /// L^-1 P B, which is half of their solution. For their sake alone there is no copy.
    pub(super) fn joined(&self) -> usize {
        let (_, n, _) = self.shape();
        let (nrhs, small) = (self.nrhs(), self.recursion.kernels.small);
        // Its own algorithm takes fewer operations.
        let is_inverse = self.inverse().is_some() && n * size_of::<T>() >= INVERSE_BYTES;
        let may_join = self.may_join && self.given.is_none() && self.needs_copy() && !is_inverse;
        let is_for = may_join && !self.transposed && nrhs <= n && n <= MAX_JOINED;
        // Beside a small matrix there must be room for them in the kernel that factors it.
        if is_for && (n > small || n + nrhs <= small) { nrhs } else { 0 }
    }

    /// Work on a matrix by itself.
    ///
    /// # Safety
    /// - No other thread uses this matrix or its results.
    /// - `memory` and `swaps` have the sizes of [`Job::memory_of_single`] at least.
    pub(super) unsafe fn single(&self, index: usize, memory: &mut [T], swaps: &mut [i64]) {
        let (m, n, steps) = self.shape();
        let (r, needs_copy) = (self.joined(), self.needs_copy());
        let (copy, rest) = memory.split_at_mut(if needs_copy { m * (n + r) } else { 0 });
        // SAFETY: the caller vouches for the matrix and its results. Of the views of one matrix one is used after the other.
        unsafe {
            if let Some(ipiv) = self.given {
                let ipiv = std::slice::from_raw_parts(ipiv.add(index * steps), steps);
                return self.solve_single(index, self.given_factors(index, copy).as_ref(), ipiv, rest);
            }
            let ipiv = self.swaps_of(index, swaps);
            let mut whole = match self.lu {
                Some(lu) if !needs_copy => lu.view(index),
                _ => MatrixMut::in_memory(copy, m, n + r, m),
            };
            let Some(Factored { norm, info }) = self.factor_single(index, whole.reborrow(), ipiv) else { return };
            let (factors, mut x) = whole.split_at_col(n);
            self.rcond.inspect(|to| *to.add(index) = self.condition(norm, factors.as_ref(), ipiv, info, rest));
            if info != 0 {
                return;
            }
            if r == 0 {
                return self.solve_or_invert(index, factors, ipiv, rest);
            }
            // X <- U^-1 X: it was L^-1 P B already.
            solve_triangle(&Triangle::upper(factors.as_ref(), false), x.reborrow(), self.kernels);
            self.store(index, 0, x.as_ref());
        }
    }

    /// Watches the solution with the factors of a matrix, unless it is too small for that.
    fn monitor(&self) -> Option<&Monitor> {
        self.recursion.monitor.filter(|_| !self.is_small())
    }

    /// Where A^-1 goes, if it is to be computed.
    fn inverse(&self) -> Option<Block<T>> {
        self.x.filter(|x| x.is_identity && !self.transposed).map(|x| x.block)
    }

    /// X from the factors. If it is the inverse, it takes the place of factors that nobody needs: of those in no argument, or
    /// else of a copy in X.
    ///
    /// # Safety
    /// - No other thread uses the right-hand sides.
    unsafe fn solve_or_invert(&self, index: usize, mut lu: MatrixMut<'_, T>, ipiv: &[i64], memory: &mut [T]) {
        let invert = |lu: MatrixMut<'_, T>| invert(lu, ipiv, self.kernels, self.inner_threads, self.monitor());
        // SAFETY: the caller's promise. X and factors that are in another argument do not overlap.
        unsafe {
            let inverted = match self.inverse() {
                Some(_) if self.needs_copy() => invert(lu.reborrow()).map(|()| self.store(index, 0, lu.as_ref())),
                Some(x) if !x.is_row_major() => {
                    x.view(index).copy_from(lu.as_ref());
                    invert(x.view(index))
                }
                _ => None,
            };
            if inverted.is_none() {
                self.solve_single(index, lu.as_ref(), ipiv, memory);
            }
        }
    }

    /// The factors of a matrix that the caller has factored, as column-major: where they are, or in `copy`.
    ///
    /// # Safety
    /// - Nothing writes the matrix while the view lives, through which only reads are made.
    unsafe fn given_factors<'m>(&self, index: usize, copy: &'m mut [T]) -> MatrixMut<'m, T> {
        let (_, n, _) = self.shape();
        // SAFETY: the caller's promise.
        let lu = unsafe { self.a.view(index) };
        if !self.needs_copy() {
            return lu;
        }
        let mut to = MatrixMut::in_memory(copy, n, n, n);
        transpose(lu.as_ref(), to.reborrow());
        to
    }

    /// Where the row swaps of a matrix are made: where they go, if they go there as LAPACK's.
    ///
    /// # Safety
    /// - Nothing else uses them.
    pub(super) unsafe fn swaps_of<'s>(&self, index: usize, swaps: &'s mut [i64]) -> &'s mut [i64] {
        let (_, _, steps) = self.shape();
        match self.swaps {
            // SAFETY: the row swaps of this matrix.
            Swaps::Lapack(ipiv) => unsafe { std::slice::from_raw_parts_mut(ipiv.add(index * steps), steps) },
            _ => &mut swaps[..steps],
        }
    }

    /// Factors a matrix and stores its results but for those of systems. `whole` is the place where it is factored, and perhaps
    /// that of right-hand sides beside it. Returns `None` if somebody has cancelled the job: then not even the row swaps are rows.
    ///
    /// # Safety
    /// - No other thread uses this matrix or its results.
    pub(super) unsafe fn factor_single(
        &self,
        index: usize,
        mut whole: MatrixMut<'_, T>,
        ipiv: &mut [i64],
    ) -> Option<Factored<T>> {
        let (m, n, _) = self.shape();
        let cut = Cut::choose(m, whole.ncols(), self.inner_threads, self.recursion.kernels);
        // SAFETY: the caller's promise.
        unsafe {
            let norm = self.load_single(index, whole.reborrow());
            let info = factor_cut(&self.recursion, whole.reborrow(), ipiv, cut);
            if self.recursion.is_cancelled() {
                return None;
            }
            self.store_single(index, whole.split_at_col(n).0.as_ref(), ipiv, info);
            Some(Factored { norm, info })
        }
    }

    /// Copies A to where it is factored, unless it is there, and the right-hand sides that stand beside it. Returns |A|, if it
    /// is needed.
    ///
    /// # Safety
    /// - Nothing else uses the matrix and its right-hand sides.
    unsafe fn load_single(&self, index: usize, whole: MatrixMut<'_, T>) -> T {
        let (mut lu, b) = whole.split_at_col(self.shape().1);
        // SAFETY: the caller's promise.
        unsafe {
            let a = self.a.view(index);
            if self.a.is_row_major() {
                transpose(a.as_ref(), lu.reborrow());
            } else if a.as_ref().as_ptr() != lu.as_ref().as_ptr() {
                lu.copy_from(a.as_ref());
            }
            self.load(index, 0, b);
        }
        if self.rcond.is_some() { norm_of(lu) } else { T::ZERO }
    }

    /// Stores factors, row swaps, `info` and the determinant, each if it is wanted and not there yet.
    ///
    /// # Safety
    /// - Nothing else uses the results of this matrix.
    unsafe fn store_single(&self, index: usize, lu: MatrixRef<'_, T>, ipiv: &[i64], info: i64) {
        let (_, _, steps) = self.shape();
        // SAFETY: the caller's promise; the results have elements for this matrix.
        unsafe {
            match self.lu {
                Some(to) if to.is_row_major() => transpose(lu, to.view(index)),
                Some(to) if to.matrix(index).cast_const() != lu.as_ptr() => to.view(index).copy_from(lu),
                _ => {}
            }
            if let Swaps::ZeroBased(piv) = self.swaps {
                let piv = std::slice::from_raw_parts_mut(piv.add(index * steps), steps);
                piv.iter_mut().zip(ipiv).for_each(|(to, &row)| *to = row as i32 - 1);
            }
            self.info.inspect(|to| *to.add(index) = info);
            if let Some(det) = self.det {
                *det.add(index) = Determinant::of_factors(lu, ipiv);
            }
        }
    }

    /// The reciprocal condition number, or a lower bound that is enough.
    fn condition(&self, norm: T, lu: MatrixRef<'_, T>, ipiv: &[i64], info: i64, memory: &mut [T]) -> T {
        let n = lu.ncols();
        // For larger matrices the bound is too low nearly always.
        if info != 0 || n <= MAX_EXACT_ORDER {
            let bound = bound_condition(norm, lu, &mut memory[..n]);
            if info != 0 || is_well(bound) {
                return bound;
            }
        }
        let system = System { transpose: Transpose::No, lu, ipiv, kernels: self.kernels };
        reciprocal(norm, inverse_norm(&system, memory))
    }

    /// Copies columns of the right-hand sides of a matrix, from `first` on, to a column-major matrix.
    ///
    /// # Safety
    /// - Nothing writes them, and there are as many columns.
    unsafe fn load(&self, index: usize, first: usize, mut to: MatrixMut<'_, T>) {
        let Some(RightHandSides { block, is_identity }) = self.x.filter(|_| to.ncols() > 0) else { return };
        if is_identity {
            for j in 0..to.ncols() {
                let column = to.col_mut(j);
                column.fill(T::ZERO);
                column[first + j] = T::ONE;
            }
            return;
        }
        // SAFETY: the caller's promise.
        let b = unsafe { block.view(index) };
        if block.is_row_major() {
            transpose(rows(b, first, to.ncols()).as_ref(), to);
        } else {
            to.copy_from(b.as_ref());
        }
    }

    /// Copies a column-major matrix to columns of X, from `first` on.
    ///
    /// # Safety
    /// - Nothing else uses them, and there are as many columns.
    unsafe fn store(&self, index: usize, first: usize, from: MatrixRef<'_, T>) {
        let Some(RightHandSides { block, .. }) = self.x else { return };
        // SAFETY: the caller's promise.
        let mut x = unsafe { block.view(index) };
        if block.is_row_major() {
            transpose(from, rows(x, first, from.ncols()));
        } else {
            x.copy_from(from);
        }
    }

    /// X for the right-hand sides of a matrix.
    ///
    /// # Safety
    /// - No other thread uses them.
    unsafe fn solve_single(&self, index: usize, lu: MatrixRef<'_, T>, ipiv: &[i64], memory: &mut [T]) {
        let Some(RightHandSides { block, is_identity }) = self.x else { return };
        let transpose_of_a = if self.transposed { Transpose::Yes } else { Transpose::No };
        let system = System { transpose: transpose_of_a, lu, ipiv, kernels: self.kernels };
        let (n, nrhs) = (lu.nrows(), block.geometry.ncols());
        // SAFETY: the caller's promise.
        unsafe {
            if !block.is_row_major() {
                let mut x = block.view(index);
                if is_identity {
                    self.load(index, 0, x.reborrow());
                }
                return system.solve_watched(x, self.inner_threads, self.monitor());
            }
            for j in (0..nrhs).step_by(COLUMNS) {
                let columns = COLUMNS.min(nrhs - j);
                let mut x = MatrixMut::in_memory(memory, n, columns, n);
                self.load(index, j, x.reborrow());
                system.solve_watched(x.reborrow(), self.inner_threads, self.monitor());
                self.store(index, j, x.as_ref());
            }
        }
    }
}

/// Rows of a matrix from `first` on.
fn rows<T: Element>(a: MatrixMut<'_, T>, first: usize, count: usize) -> MatrixMut<'_, T> {
    a.split_at_row(first).1.split_at_row(count).0
}

/// The 1-norm; a column that has a NaN does not count.
fn norm_of<T: Element>(mut a: MatrixMut<'_, T>) -> T {
    let sum = |column: &[T]| column.iter().fold(T::ZERO, |sum, x| sum.add(x.abs()));
    (0..a.ncols()).fold(T::ZERO, |largest, j| {
        let sum = sum(a.col_mut(j));
        if sum > largest { sum } else { largest }
    })
}

/// The bound of [`Job::group`]'s matrices, in the same order of operations. Several sums are in progress at once.
fn bound_condition<T: Element>(norm: T, lu: MatrixRef<'_, T>, sums: &mut [T]) -> T {
    const SUMS: usize = 4;
    let n = sums.len();
    assert!(lu.nrows() == n && lu.ncols() == n, "bound: sizes do not fit");
    // SAFETY: the callers' rows and columns are below n.
    let magnitude = |i: usize, j: usize| unsafe { (*lu.as_ptr().add(i + j * lu.lda())).abs() };
    for first in (0..n).step_by(SUMS) {
        let count = SUMS.min(n - first);
        let mut tile = [T::ONE; SUMS];
        // The last column once more, where there are fewer.
        let columns = [0, 1, 2, 3].map(|j: usize| first + j.min(count - 1));
        for (k, &x) in sums[..first].iter().enumerate() {
            for (sum, j) in tile.iter_mut().zip(columns) {
                *sum = sum.add(magnitude(k, j).mul(x));
            }
        }
        for j in 0..count {
            for k in 0..j {
                tile[j] = tile[j].add(magnitude(first + k, first + j).mul(tile[k]));
            }
            tile[j] = tile[j].div(magnitude(first + j, first + j));
        }
        sums[first..first + count].copy_from_slice(&tile[..count]);
    }
    // From the last row up.
    for last in (0..n).rev().step_by(SUMS) {
        let count = SUMS.min(last + 1);
        let mut tile = [T::ZERO; SUMS];
        (0..count).for_each(|j| tile[j] = sums[last - j]);
        let columns = [0, 1, 2, 3].map(|j: usize| last - j.min(count - 1));
        for k in (last + 1..n).rev() {
            for (sum, j) in tile.iter_mut().zip(columns) {
                *sum = sum.add(magnitude(k, j).mul(sums[k]));
            }
        }
        for j in 0..count {
            for k in 0..j {
                tile[j] = tile[j].add(magnitude(last - k, last - j).mul(tile[k]));
            }
            sums[last - j] = tile[j];
        }
    }
    reciprocal(norm, norm_max(sums))
}
