//! Solutions made better by their residuals, and how good they are.
//!
//! Residuals are computed in twice the precision, so that a refined solution is about as good as one that was computed in twice the
//! precision and then rounded, unless the matrix is so ill-conditioned that its factors say nothing about it.
//!
//! Source: LAPACK's `DGERFS`; J. Demmel et al., "Error bounds from extra-precise iterative refinement", ACM Trans. Math. Softw.
//! 32(2), 2006.

use super::condition::{self, weighted_inverse_norm};
use super::factor::kernels_for;
use super::solve::{System, check_factors, check_right_hand_sides};
use crate::blas::{Residuals, larger, norm_max, scratch};
use crate::element::Element;
use crate::error::Error;
use crate::matrix::{MatrixMut, MatrixRef};
use crate::options::{Options, Transpose};

/// Right-hand sides that are refined at once, each until it is done.
const MAX_COLUMNS: usize = 16;

/// A matrix, n x n, and the factors that [`crate::factor`] made of it.
#[derive(Debug, Clone, Copy)]
pub struct Factored<'a, T> {
    /// A.
    pub a: MatrixRef<'a, T>,
    /// L and U.
    pub lu: MatrixRef<'a, T>,
    /// The row swaps.
    pub ipiv: &'a [i64],
}

/// How to refine.
///
/// ```
/// use recfact::Refinement;
///
/// // Only tells how good a solution is.
/// let refinement = Refinement::new().max_steps(0).bounds(true);
/// assert_ne!(refinement, Refinement::default());
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Refinement {
    pub(crate) max_steps: u32,
    pub(crate) judged: bool,
    pub(crate) bounds: bool,
    rounded_data: bool,
}

impl Refinement {
    /// Up to 30 steps, with the backward error, without bounds of the error.
    #[must_use]
    pub const fn new() -> Self {
        Refinement { max_steps: 30, judged: true, bounds: false, rounded_data: false }
    }

    /// The largest number of steps. Most solutions take one, and none takes one that makes no progress.
    #[must_use]
    pub const fn max_steps(mut self, max_steps: u32) -> Self {
        self.max_steps = max_steps;
        self
    }

    /// Whether the backward error is told, also of a solution that the last step has changed. Without that a refinement takes about two
    /// thirds of the time, one pass over A less, and [`Accuracy::backward`] may be infinite.
    #[must_use]
    pub const fn judged(mut self, judged: bool) -> Self {
        self.judged = judged;
        self
    }

    /// Whether the error is bounded, which takes about as long as ten solutions with one right-hand side.
    #[must_use]
    pub const fn bounds(mut self, bounds: bool) -> Self {
        self.bounds = bounds;
        self
    }

    /// Whether bounds are for elements of A and b that are known up to rounding alone, as LAPACK's `FERR` is: as if each were off by
    /// n + 1 roundings. Such bounds are not sharp, but they are also told if the matrix is too ill-conditioned for others.
    #[must_use]
    pub const fn rounded_data(mut self, rounded_data: bool) -> Self {
        self.rounded_data = rounded_data;
        self
    }
}

impl Default for Refinement {
    fn default() -> Self {
        Refinement::new()
    }
}

/// How good a solution x of A x = b is.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Accuracy {
    /// The componentwise backward error: the smallest number such that x solves a system exactly whose A and b differ from
    /// these by at most as much, relative to each element (LAPACK: `BERR`). A good solution has about the rounding error, 2^-53 or
    /// 2^-24. It may be infinite if it was not asked for.
    pub backward: f64,
    /// A bound of the error: the largest error of an element of x, divided by the largest magnitude of an element (LAPACK:
    /// `FERR`). Infinite if nothing is known, which also says that the matrix is too ill-conditioned, and if no bound was asked
    /// for. It is computed, not proved: from n = 33 on a part of it is an estimate.
    pub forward: f64,
    /// Steps of refinement that changed x.
    pub steps: u32,
}

impl Accuracy {
    /// Of a solution of which nothing is known.
    pub const UNKNOWN: Accuracy = Accuracy { backward: f64::INFINITY, forward: f64::INFINITY, steps: 0 };
}

/// Refines solutions X of A X = B or A^T X = B, all n x (any number), in place, and tells how good they are: one [`Accuracy`] for
/// each column.
///
/// X may be any first guess, and is usually what [`crate::solve`] gives. A step solves for the residual, which is computed in
/// twice the precision, and adds the solution, as long as the last step was at least twice as large. The result for a column
/// depends on nothing but the matrix, its factors, and that column of B and X, to the bit.
///
/// ```
/// use nalgebra::DMatrix;
/// use recfact::{Accuracy, Factored, Lu, Options, Refinement, Transpose, refine};
///
/// // The Hilbert matrix of order 8: a solution keeps 6 digits of 16.
/// let a = DMatrix::from_fn(8, 8, |i, j| 1.0 / (i + j + 1) as f64);
/// let b = DMatrix::from_element(8, 1, 1.0);
/// let lu = Lu::new(a.clone(), &Options::default())?;
/// let (mut x, mut accuracy) = (lu.solve(&b)?, [Accuracy::UNKNOWN]);
/// let factored = Factored { a: (&a).into(), lu: lu.packed().into(), ipiv: lu.ipiv() };
/// let refinement = Refinement::new().bounds(true);
/// refine(Transpose::No, &factored, &b, &mut x, &mut accuracy, &refinement, &Options::default())?;
/// assert!(accuracy[0].backward < 2e-16 && accuracy[0].forward < 2e-16);
/// # Ok::<(), recfact::Error>(())
/// ```
///
/// # Errors
/// [`Error::NotSquare`]; [`Error::Shape`] if the factors do not have the shape of A or X not that of B; [`Error::RightHandSide`];
/// [`Error::IpivLength`]; [`Error::Pivot`]; [`Error::AccuracyLength`]; [`Error::OutOfMemory`] if the system refuses memory for four
/// columns; [`Error::InstructionSet`] and [`Error::IsaUnavailable`]. After an error nothing has been written.
pub fn refine<'b, T: Element>(
    transpose: Transpose,
    factored: &Factored<'_, T>,
    b: impl Into<MatrixRef<'b, T>>,
    x: impl Into<MatrixMut<'b, T>>,
    accuracy: &mut [Accuracy],
    refinement: &Refinement,
    options: &Options,
) -> Result<(), Error> {
    let (Factored { a, lu, ipiv }, b, x) = (*factored, b.into(), x.into());
    let n = check_factors(lu, ipiv)?;
    check_right_hand_sides(lu, b.nrows())?;
    let shape = |name, expected: [usize; 2], found: [usize; 2]| {
        if expected == found { Ok(()) } else { Err(Error::Shape { name, expected, found }) }
    };
    shape("A", [n, n], [a.nrows(), a.ncols()])?;
    let nrhs = b.ncols();
    shape("X", [n, nrhs], [x.nrows(), x.ncols()])?;
    let found = accuracy.len();
    let accuracy = accuracy.get_mut(..nrhs).ok_or(Error::AccuracyLength { expected: nrhs, found })?;
    let system = System { transpose, lu, ipiv, kernels: kernels_for(options)? };
    if n == 0 {
        accuracy.fill(Accuracy { backward: 0.0, forward: 0.0, steps: 0 });
        return Ok(());
    }
    let refiner = Refiner { a, system, refinement, threads: options.threads };
    let mut x = Some(x);
    for columns in [MAX_COLUMNS.min(nrhs.max(1)), 1] {
        let done = scratch::with(refiner.memory(columns), |memory| {
            let Some(x) = x.take() else { return };
            refiner.all(columns, b, x, accuracy, memory);
        });
        if done.is_some() {
            return Ok(());
        }
    }
    Err(Error::OutOfMemory { bytes: refiner.memory(1).saturating_mul(size_of::<T>()) })
}

/// A system, and how its solutions are refined.
struct Refiner<'a, T: Element> {
    a: MatrixRef<'a, T>,
    system: System<'a, T>,
    refinement: &'a Refinement,
    threads: usize,
}

impl<T: Element> Refiner<'_, T> {
    /// Elements of memory for some columns: three for their residuals, one for corrections, and what a bound takes.
    fn memory(&self, columns: usize) -> usize {
        let n = self.a.nrows();
        let bound = if self.refinement.bounds { condition::memory(n) } else { 0 };
        n.saturating_mul(4 * columns).saturating_add(bound)
    }

    /// Refines all solutions, some columns at a time.
    fn all(
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
        match self.refinement {
            Refinement { bounds: false, .. } => {}
            Refinement { rounded_data: false, .. } => self.bound(&mut residuals, x.as_ref(), d, accuracy, memory),
            _ => self.bound_for_rounded_data(&mut residuals, x.as_ref(), accuracy, memory),
        }
    }

    /// R <- R - A X, and the sums of magnitudes beside it.
    fn subtract(&self, residuals: &mut Residuals<'_, T>, x: MatrixRef<'_, T>, systems: &[usize]) {
        residuals.subtract(self.a, self.system.transpose.is_transposed(), x, systems, self.system.kernels);
    }

    /// Bounds the errors: where R is the residual and D = A^-1 R up to rounding, the error of X is D + A^-1 (R - A D). The
    /// second part is bounded by |A^-1| (|R - A D| + what R - A D may have lost to rounding).
    ///
    /// What |A^-1| is comes from the factors, with which it may be too small: by a factor of 1 / (1 - q), if a correction with them
    /// makes a residual smaller by a factor of q. So a q up to 1/2 is made up for, and no bound is told if q was larger. Rounding
    /// says nothing of q: with it, single precision would have no bounds from n = 60 on.
    fn bound(
        &self,
        residuals: &mut Residuals<'_, T>,
        x: MatrixRef<'_, T>,
        d: &mut [T],
        accuracy: &mut [Accuracy],
        memory: &mut [T],
    ) {
        let (n, nrhs) = (x.nrows(), x.ncols());
        let systems = List::first(nrhs);
        d.chunks_exact_mut(n).enumerate().for_each(|(j, d)| residuals.round(j, d));
        let mut d = MatrixMut::in_memory(d, n, nrhs, n);
        self.system.solve(d.reborrow(), self.threads);
        self.subtract(residuals, d.as_ref(), &systems);
        let rounding = (n + 2) as f64 * T::PRECISION.to_f64();
        let rounding = T::rounded(rounding * rounding);
        for (j, accuracy) in accuracy.iter_mut().enumerate() {
            let (correction, size) = (norm_max(d.col_mut(j)).to_f64(), norm_max(x.col(j)).to_f64());
            let (r, with_rounding) = residuals.magnitudes(j, rounding);
            let mut norm = |weights: &[T]| weighted_inverse_norm(&self.system, weights, memory).to_f64();
            let is_small = |rest: f64| rest <= correction.max(size * T::PRECISION.to_f64()) / 2.0;
            let rest = norm(with_rounding);
            accuracy.forward = match is_small(rest) || is_small(norm(r)) {
                true => forward(correction + 2.0 * rest, size),
                false => f64::INFINITY,
            };
        }
    }

    /// Bounds the errors as `DGERFS` does: by |A^-1| (|R| + (n + 1) roundings of |B| + |A| |X|).
    fn bound_for_rounded_data(
        &self,
        residuals: &mut Residuals<'_, T>,
        x: MatrixRef<'_, T>,
        accuracy: &mut [Accuracy],
        memory: &mut [T],
    ) {
        let rounding = T::rounded((x.nrows() + 1) as f64 / 2.0).mul(T::PRECISION);
        for (j, accuracy) in accuracy.iter_mut().enumerate() {
            let (_, weights) = residuals.magnitudes(j, rounding);
            let error = weighted_inverse_norm(&self.system, weights, memory).to_f64();
            accuracy.forward = relative(error, norm_max(x.col(j)).to_f64());
        }
    }
}

/// An error relative to a solution of some size.
fn relative(error: f64, size: f64) -> f64 {
    if error == 0.0 { 0.0 } else { error / size }
}

/// An error relative to a solution of some size; infinite if it is too large to say anything.
fn forward(error: f64, size: f64) -> f64 {
    let bound = relative(error, size);
    if bound < MAX_BOUND { bound } else { f64::INFINITY }
}

/// The largest bound that is told.
const MAX_BOUND: f64 = 0.1;

impl<T: Element> Residuals<'_, T> {
    /// The componentwise backward error of system j: the largest |r| / s, in which numbers near the smallest ones are made larger
    /// so that they can be divided.
    fn backward(&self, j: usize) -> f64 {
        let rows = j * self.n..(j + 1) * self.n;
        let least = T::rounded((self.n + 1) as f64).mul(T::SAFE_MIN);
        let is_small = |s: T| s <= least.div(T::PRECISION);
        let parts = self.high[rows.clone()].iter().zip(&self.low[rows.clone()]).zip(&self.s[rows]);
        let errors = parts.map(|((high, low), s)| match high.add(*low).abs() {
            r if r == T::ZERO && *s == T::ZERO => r,
            r if is_small(*s) => r.add(least).div(s.add(least)),
            r => r.div(*s),
        });
        errors.fold(T::ZERO, larger).to_f64()
    }

    /// |r| of system j, and |r| + rounding s.
    fn magnitudes(&mut self, j: usize, rounding: T) -> (&[T], &[T]) {
        let rows = j * self.n..(j + 1) * self.n;
        let (high, low) = (&mut self.high[rows.clone()], &mut self.low[rows.clone()]);
        for ((high, low), s) in high.iter_mut().zip(&mut *low).zip(&self.s[rows]) {
            *high = high.add(*low).abs();
            *low = rounding.mul_add(*s, *high);
        }
        (high, low)
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
struct List {
    columns: [usize; MAX_COLUMNS],
    count: usize,
}

impl List {
    /// The first of all.
    fn first(count: usize) -> Self {
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
