//! The steps of a refinement, some columns at a time, each until it is done.

use super::{Accuracy, Refinement};
use crate::blas::{Residuals, norm_max};
use crate::element::Element;
use crate::lu::condition;
use crate::lu::solve::System;
use crate::matrix::{MatrixMut, MatrixRef};

/// Right-hand sides that are refined at once.
pub(super) const MAX_COLUMNS: usize = 16;

/// A system, and how its solutions are refined.
pub(super) struct Refiner<'a, T: Element> {
    pub(super) a: MatrixRef<'a, T>,
    pub(super) system: System<'a, T>,
    pub(super) refinement: &'a Refinement,
    pub(super) threads: usize,
}

impl<T: Element> Refiner<'_, T> {
    /// Elements of memory for some columns: three for their residuals, one for corrections, and what a bound takes.
    pub(super) fn memory(&self, columns: usize) -> usize {
        let n = self.a.nrows();
        let bound = if self.refinement.bounds { condition::memory(n) } else { 0 };
        n.saturating_mul(4 * columns).saturating_add(bound)
    }

    /// Refines all solutions, some columns at a time.
    pub(super) fn all(
        &self,
        columns: usize,
        b: MatrixRef<'_, T>,
        x: MatrixMut<'_, T>,
        accuracy: &mut [Accuracy],
        memory: &mut [T],
    ) {
        let (n, mut rest) = (b.nrows(), x);
        for (at, accuracy) in accuracy.chunks_mut(columns).enumerate() {
            let (x, later) = rest.split_at_col(accuracy.len());
            rest = later;
            self.columns(b.block(0, at * columns, n, accuracy.len()), x, accuracy, memory);
        }
    }

    /// Refines a few columns.
    fn columns(&self, b: MatrixRef<'_, T>, mut x: MatrixMut<'_, T>, accuracy: &mut [Accuracy], memory: &mut [T]) {
        let (n, nrhs) = (b.nrows(), b.ncols());
        let (sums, memory) = memory.split_at_mut(3 * n * nrhs);
        let (d, memory) = memory.split_at_mut(n * nrhs);
        let (high, sums) = sums.split_at_mut(n * nrhs);
        let (low, s) = sums.split_at_mut(n * nrhs);
        let mut residuals = Residuals { n, high, low, s };
        let mut progress = [Progress { last: 1.0, steps: 0, is_done: self.refinement.max_steps == 0 }; MAX_COLUMNS];
        let mut changed = List::first(nrhs);
        while !changed.is_empty() {
            for &j in changed.iter() {
                accuracy[j] = Accuracy { steps: progress[j].steps, ..Accuracy::UNKNOWN };
            }
            // R <- B - A X
            if !(self.refinement.judged || self.refinement.bounds) {
                changed = changed.filter(|j| !progress[j].is_done);
            }
            changed.iter().for_each(|&j| residuals.start(j, b.col(j)));
            self.subtract(&mut residuals, x.as_ref(), &changed);
            changed.iter().for_each(|&j| accuracy[j].backward = residuals.backward(j));
            let wanted = changed.filter(|j| !progress[j].is_done);
            // D <- A^-1 R
            let d = &mut d[..n * wanted.len()];
            wanted.iter().zip(d.chunks_exact_mut(n)).for_each(|(&j, d)| residuals.round(j, d));
            self.system.solve(MatrixMut::in_memory(d, n, wanted.len(), n), self.threads);
            // X <- X + D, where that is a step forward.
            let corrections: [_; MAX_COLUMNS] = std::array::from_fn(|at| d.get(at * n..(at + 1) * n));
            let mut at = 0;
            changed = wanted.filter(|j| {
                let (d, x) = (corrections[at].expect("a correction for each"), x.col_mut(j));
                at += 1;
                let is_step = progress[j].advance(norm_max(d), norm_max(x), self.refinement.max_steps);
                if is_step {
                    x.iter_mut().zip(d).for_each(|(x, d)| *x = x.add(*d));
                }
                is_step
            });
        }
        if self.refinement.bounds && self.refinement.rounded_data {
            self.bound_for_rounded_data(&mut residuals, x.as_ref(), accuracy, memory);
        } else if self.refinement.bounds {
            self.bound(&mut residuals, x.as_ref(), d, accuracy, memory);
        }
    }

    /// R <- R - A X, and the sums of magnitudes beside it.
    pub(super) fn subtract(&self, residuals: &mut Residuals<'_, T>, x: MatrixRef<'_, T>, systems: &[usize]) {
        residuals.subtract(self.a, self.system.transpose.is_transposed(), x, systems, self.system.kernels);
    }
}

/// How far the refinement of a column has come.
#[derive(Clone, Copy)]
struct Progress {
    /// The last correction, relative to the solution.
    last: f64,
    steps: u32,
    is_done: bool,
}

impl Progress {
    /// Whether a correction of this size is a step forward for a solution of that size: if not, the column is done. It is also
    /// done if the next correction would be smaller than rounding errors.
    fn advance<T: Element>(&mut self, correction: T, solution: T, max_steps: u32) -> bool {
        let is_first_guess = solution == T::ZERO;
        let size = if is_first_guess { 1.0 } else { correction.to_f64() / solution.to_f64() };
        let is_step = correction > T::ZERO && size.is_finite() && (is_first_guess || size <= self.last / 2.0);
        if !is_step {
            self.is_done = true;
            return false;
        }
        self.steps += 1;
        let next = size * (size / self.last);
        self.is_done = self.steps == max_steps || next <= T::PRECISION.to_f64() / 4.0;
        self.last = size;
        true
    }
}

/// Numbers of columns, in rising order.
pub(super) struct List {
    columns: [usize; MAX_COLUMNS],
    count: usize,
}

impl List {
    /// The first of all.
    pub(super) fn first(count: usize) -> Self {
        List { columns: std::array::from_fn(|j| j), count }
    }

    /// Those for which this is true.
    fn filter(&self, mut is_wanted: impl FnMut(usize) -> bool) -> Self {
        let mut list = List { columns: [0; MAX_COLUMNS], count: 0 };
        for &j in self.iter() {
            if is_wanted(j) {
                list.columns[list.count] = j;
                list.count += 1;
            }
        }
        list
    }
}

impl std::ops::Deref for List {
    type Target = [usize];

    fn deref(&self) -> &[usize] {
        &self.columns[..self.count]
    }
}
