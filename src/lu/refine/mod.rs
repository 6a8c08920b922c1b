//! Solutions made better by their residuals, and how good they are.
//!
//! Residuals are computed in twice the precision, so that a refined solution is about as good as one that was computed in twice the
//! precision and then rounded, unless the matrix is so ill-conditioned that its factors say nothing about it.
//!
//! Source: LAPACK's `DGERFS`; J. Demmel et al., "Error bounds from extra-precise iterative refinement", ACM Trans. Math. Softw.
//! 32(2), 2006.

mod bounds;
mod refiner;

use super::factor::kernels_for;
use super::solve::{System, check_factors, check_right_hand_sides};
use crate::blas::scratch;
use crate::element::Element;
use crate::error::Error;
use crate::matrix::{MatrixMut, MatrixRef};
use crate::options::{Options, Transpose};
use refiner::{MAX_COLUMNS, Refiner};

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
