//! One matrix of a batch by itself.

use super::determinant::Determinant;
use super::group::rcond;
use super::job::{Block, Job, RightHandSides, Swaps};
use crate::blas::transpose;
use crate::element::Element;
use crate::lu::blocked::Blocking;
use crate::lu::factor::by_blocks;
use crate::lu::solve::System;
use crate::matrix::{MatrixMut, MatrixRef};
use crate::options::Transpose;

/// Columns of row-major right-hand sides that are copied at once.
const COLUMNS: usize = 64;

impl<T: Element> Job<'_, T> {
    /// Elements of memory for a matrix by itself, and its row swaps.
    pub(super) fn memory_of_single(&self) -> (usize, usize) {
        let (m, n, steps) = self.shape();
        let copy = if self.needs_copy() { m * n } else { 0 };
        let columns = self.x.filter(|x| x.block.is_row_major()).map_or(0, |_| n * self.nrhs().min(COLUMNS));
        let sums = if self.rcond.is_some() { n } else { 0 };
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

    /// Work on a matrix by itself.
    ///
    /// # Safety
    /// - No other thread uses this matrix or its results.
    /// - `memory` and `swaps` have the sizes of [`Job::memory_of_single`] at least.
    pub(super) unsafe fn single(&self, index: usize, memory: &mut [T], swaps: &mut [i64]) {
        let (m, n, steps) = self.shape();
        let (copy, rest) = memory.split_at_mut(if self.needs_copy() { m * n } else { 0 });
        // SAFETY: the caller vouches for the matrix and its results. Of the views of one matrix one is used after the other.
        unsafe {
            if let Some(ipiv) = self.given {
                let ipiv = std::slice::from_raw_parts(ipiv.add(index * steps), steps);
                let lu = if self.a.is_row_major() {
                    transpose(self.a.view(index).as_ref(), MatrixMut::in_memory(copy, n, n, n));
                    MatrixMut::in_memory(copy, n, n, n)
                } else {
                    self.a.view(index)
                };
                self.solve_single(index, lu.as_ref(), ipiv, rest);
                return;
            }
            let ipiv = match self.swaps {
                Swaps::Lapack(ipiv) => std::slice::from_raw_parts_mut(ipiv.add(index * steps), steps),
                _ => &mut swaps[..steps],
            };
            let mut lu = match self.lu {
                Some(lu) if !lu.is_row_major() => lu.view(index),
                _ => MatrixMut::in_memory(copy, m, n, m),
            };
            let a = self.a.view(index);
            if self.a.is_row_major() {
                transpose(a.as_ref(), lu.reborrow());
            } else if !self.lu.is_some_and(|lu| lu.is(&self.a)) || self.needs_copy() {
                lu.copy_from(a.as_ref());
            }
            let norm = if self.rcond.is_some() { norm1(lu.reborrow()) } else { T::ZERO };
            let blocking = Blocking::choose(m, n, self.inner_threads, self.recursion.kernels);
            let info = by_blocks(&self.recursion, lu.reborrow(), ipiv, blocking);
            if self.recursion.is_cancelled() {
                // Not even the row swaps are rows.
                return;
            }
            if let Some(to) = self.lu.filter(Block::is_row_major) {
                transpose(lu.as_ref(), to.view(index));
            }
            if let Swaps::ZeroBased(_) = self.swaps {
                for (k, &row) in ipiv.iter().enumerate() {
                    self.swaps.store(index * steps + k, row as usize);
                }
            }
            self.info.inspect(|to| *to.add(index) = info);
            if let Some(det) = self.det {
                let pivots: *mut T = lu.reborrow().as_mut_ptr();
                let swaps = ipiv.iter().zip(1..).filter(|&(&row, k)| row != k).count();
                *det.add(index) = Determinant::of((0..n).map(|k| *pivots.add(k * (lu.lda() + 1))), swaps);
            }
            if let Some(to) = self.rcond {
                *to.add(index) = bound_condition(norm, lu.reborrow(), &mut rest[..n]);
            }
            if info == 0 {
                self.solve_single(index, lu.as_ref(), ipiv, rest);
            }
        }
    }

    /// X for the right-hand sides of a matrix.
    ///
    /// # Safety
    /// - No other thread uses them.
    unsafe fn solve_single(&self, index: usize, lu: MatrixRef<'_, T>, ipiv: &[i64], memory: &mut [T]) {
        let Some(RightHandSides { block, is_identity }) = self.x else { return };
        let transpose_of_a = if self.transposed { Transpose::Yes } else { Transpose::No };
        let system = System { transpose: transpose_of_a, lu, ipiv, kernels: self.recursion.kernels };
        let n = lu.nrows();
        let identity = |mut x: MatrixMut<'_, T>, first: usize| {
            for j in 0..x.ncols() {
                let column = x.col_mut(j);
                column.fill(T::ZERO);
                column[first + j] = T::ONE;
            }
        };
        // SAFETY: the caller's promise.
        let mut b = unsafe { block.view(index) };
        if !block.is_row_major() {
            if is_identity {
                identity(b.reborrow(), 0);
            }
            return system.solve(b, self.inner_threads);
        }
        let nrhs = block.geometry.ncols();
        for j in (0..nrhs).step_by(COLUMNS) {
            let columns = COLUMNS.min(nrhs - j);
            let mut x = MatrixMut::in_memory(memory, n, columns, n);
            let mut rows = b.reborrow().split_at_row(j).1.split_at_row(columns).0;
            if is_identity {
                identity(x.reborrow(), j);
            } else {
                transpose(rows.as_ref(), x.reborrow());
            }
            system.solve(x.reborrow(), self.inner_threads);
            transpose(x.as_ref(), rows.reborrow());
        }
    }
}

/// The largest sum of magnitudes in a column; a column that has a NaN does not count.
fn norm1<T: Element>(mut a: MatrixMut<'_, T>) -> T {
    let sum = |column: &[T]| column.iter().fold(T::ZERO, |sum, x| x.abs().mul_add(T::ONE, sum));
    (0..a.ncols()).fold(T::ZERO, |largest, j| {
        let sum = sum(a.col_mut(j));
        if sum > largest { sum } else { largest }
    })
}

/// The bound of [`Job::group`]'s matrices, in the same order of operations.
fn bound_condition<T: Element>(norm: T, mut lu: MatrixMut<'_, T>, sums: &mut [T]) -> T {
    let n = sums.len();
    for i in 0..n {
        let column = &lu.col_mut(i)[..=i];
        let above = sums[..i].iter().zip(column).fold(T::ONE, |sum, (x, u)| u.abs().mul_add(*x, sum));
        sums[i] = above.div(column[i].abs());
    }
    for i in (0..n).rev() {
        let column = &lu.col_mut(i)[i..];
        let below = sums[i..].iter().zip(column).skip(1).rev();
        sums[i] = below.fold(sums[i], |sum, (x, l)| l.abs().mul_add(*x, sum));
    }
    rcond(norm, sums.iter().copied())
}
