//! Systems in f64 that are solved with factors in f32, which take half the time, and refined.
//!
//! Source: LAPACK's `DSGESV`; J. Langou et al., "Exploiting the performance of 32 bit floating point arithmetic in obtaining 64 bit
//! accuracy", SC 2006.

use super::factor::{factor_with, kernels_for};
use super::factors::zeros;
use super::monitor::Monitor;
use super::solve::{System, check_right_hand_sides, solve_with};
use crate::blas::{gemm, norm_infinity, norm_max};
use crate::element::Element;
use crate::error::Error;
use crate::kernel::{Elements, Kernels};
use crate::matrix::{MatrixMut, MatrixRef};
use crate::options::{Options, Transpose};

/// The largest number of steps.
const MAX_STEPS: u32 = 30;

/// How a system was solved in mixed precision.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Mixed {
    /// LAPACK's `info` of the factors that were used in the end.
    pub info: i64,
    /// The steps of refinement that it took with factors in f32 (LAPACK: `ITER`); `None` if those were not good enough, so that
    /// A was factored in f64.
    pub steps: Option<u32>,
}

/// An element type whose systems can be solved with factors of a narrower one.
pub(crate) trait Wide: Element {
    /// The narrower type.
    type Narrow: Element;
    /// The nearest number of the narrower type, which may be infinite.
    fn narrow(self) -> Self::Narrow;
    /// The same number.
    fn widen(x: Self::Narrow) -> Self;
}

impl Wide for f64 {
    type Narrow = f32;
    fn narrow(self) -> f32 {
        self as f32
    }
    fn widen(x: f32) -> f64 {
        f64::from(x)
    }
}

/// Solves A X = B in f64 with factors in f32 and refinement: A is n x n, B and X are n x (any number).
///
/// Each column of X has a backward error as with factors in f64: |b - A x| is at most sqrt(n) 2^-53 |A| |x|, in the infinity
/// norm. If that is not reached, because A is too ill-conditioned or has numbers beyond the range of f32, A is factored in f64:
/// then `a` and `ipiv` hold those factors, and X is what [`crate::solve`] gives. Otherwise A stays as it is, and `ipiv` holds the
/// row swaps of the factors in f32. Which way it was is in the result. If A is singular, `info` says so, and X holds anything.
///
/// It takes memory for half a copy of A and one and a half of B. If the system refuses it, A is factored in f64, too.
///
/// ```
/// use nalgebra::DMatrix;
/// use recfact::{Options, gesv_mixed};
///
/// let mut a = DMatrix::from_row_slice(2, 2, &[4.0, 3.0, 6.0, 3.0]);
/// let b = DMatrix::from_row_slice(2, 1, &[10.0, 12.0]);
/// let (mut x, mut ipiv) = (DMatrix::zeros(2, 1), [0; 2]);
/// let mixed = gesv_mixed(&mut a, &mut ipiv, &b, &mut x, &Options::default())?;
/// assert!(mixed.info == 0 && mixed.steps.is_some());
/// assert!((x - DMatrix::from_row_slice(2, 1, &[1.0, 2.0])).amax() < 1e-15);
/// # Ok::<(), recfact::Error>(())
/// ```
///
/// # Errors
/// [`Error::NotSquare`]; [`Error::IpivLength`] if `ipiv` has fewer than n elements; [`Error::RightHandSide`]; [`Error::Shape`] if X
/// has not the shape of B; [`Error::InstructionSet`] and [`Error::IsaUnavailable`]. After an error nothing has been written.
pub fn gesv_mixed<'a, 'b>(
    a: impl Into<MatrixMut<'a, f64>>,
    ipiv: &mut [i64],
    b: impl Into<MatrixRef<'b, f64>>,
    x: impl Into<MatrixMut<'b, f64>>,
    options: &Options,
) -> Result<Mixed, Error> {
    gesv_mixed_with(a.into(), ipiv, b.into(), x.into(), options, None)
}

/// [`gesv_mixed`] that somebody may watch and cancel.
///
/// # Errors
/// [`Error::Cancelled`]: A and X hold anything then; those of [`gesv_mixed`].
pub(crate) fn gesv_mixed_with<T: Wide>(
    mut a: MatrixMut<'_, T>,
    ipiv: &mut [i64],
    b: MatrixRef<'_, T>,
    mut x: MatrixMut<'_, T>,
    options: &Options,
    monitor: Option<&Monitor>,
) -> Result<Mixed, Error> {
    let n = check_right_hand_sides(a.as_ref(), b.nrows())?;
    let (expected, found) = ([n, b.ncols()], [x.nrows(), x.ncols()]);
    if expected != found {
        return Err(Error::Shape { name: "X", expected, found });
    }
    let found = ipiv.len();
    let ipiv = ipiv.get_mut(..n).ok_or(Error::IpivLength { expected: n, found })?;
    let kernels = kernels_for(options)?;
    if n == 0 {
        return Ok(Mixed { info: 0, steps: Some(0) });
    }
    if let Some(mut narrowed) = Narrowed::new(a.as_ref(), ipiv, b.ncols(), options, monitor)? {
        let system = System { transpose: Transpose::No, lu: a.as_ref(), ipiv, kernels };
        if let Some(steps) = narrowed.refine(&system, b, x.reborrow(), monitor)? {
            return Ok(Mixed { info: 0, steps: Some(steps) });
        }
    }
    let info = factor_with(a.reborrow(), ipiv, options, monitor)?;
    if info == 0 {
        x.copy_from(b);
        solve_with(Transpose::No, a.as_ref(), ipiv, x, options, monitor)?;
    }
    Ok(Mixed { info, steps: None })
}

/// The factors in the narrower type, and memory for residuals and corrections.
struct Narrowed<T: Wide> {
    lu: Vec<T::Narrow>,
    corrections: Vec<T::Narrow>,
    residuals: Vec<T>,
    kernels: &'static Kernels<T::Narrow>,
    threads: usize,
}

impl<T: Wide> Narrowed<T> {
    /// Factors A in the narrower type; `None` if the system refuses memory, if that type cannot hold A, or if A is singular in it.
    ///
    /// # Errors
    /// [`Error::Cancelled`]; [`Error::InstructionSet`] and [`Error::IsaUnavailable`].
    fn new(
        a: MatrixRef<'_, T>,
        ipiv: &mut [i64],
        nrhs: usize,
        options: &Options,
        monitor: Option<&Monitor>,
    ) -> Result<Option<Self>, Error> {
        let (n, kernels) = (a.nrows(), kernels_for(options)?);
        let (Some(matrix), Some(columns)) = (n.checked_mul(n), n.checked_mul(nrhs)) else { return Ok(None) };
        let (Ok(lu), Ok(corrections), Ok(residuals)) = (zeros(matrix), zeros(columns), zeros(columns)) else {
            return Ok(None);
        };
        let mut narrowed = Narrowed { lu, corrections, residuals, kernels, threads: options.threads };
        for (j, to) in narrowed.lu.chunks_exact_mut(n).enumerate() {
            to.iter_mut().zip(a.col(j)).for_each(|(to, x)| *to = x.narrow());
        }
        if !narrowed.is_finite(&narrowed.lu) {
            return Ok(None);
        }
        let info = factor_with(MatrixMut::in_memory(&mut narrowed.lu, n, n, n), ipiv, options, monitor)?;
        Ok((info == 0).then_some(narrowed))
    }

    fn is_finite(&self, x: &[T::Narrow]) -> bool {
        // SAFETY: the elements of a slice.
        unsafe { (self.kernels.all_finite)(Elements { len: x.len(), x: x.as_ptr() }) }
    }

    /// Solves until no column has a residual above what factors in the wider type would leave; `None` if that is not reached. The
    /// system has A in the place of its factors.
    ///
    /// # Errors
    /// [`Error::Cancelled`].
    fn refine(
        &mut self,
        system: &System<'_, T>,
        b: MatrixRef<'_, T>,
        mut x: MatrixMut<'_, T>,
        monitor: Option<&Monitor>,
    ) -> Result<Option<u32>, Error> {
        let (a, ipiv, kernels) = (system.lu, system.ipiv, system.kernels);
        let limit = T::rounded((a.nrows() as f64).sqrt() / 2.0).mul(T::PRECISION).mul(norm_infinity(a));
        let (n, nrhs) = (b.nrows(), b.ncols());
        (0..nrhs).for_each(|j| x.col_mut(j).fill(T::ZERO));
        MatrixMut::in_memory(&mut self.residuals, n, nrhs, n).copy_from(b);
        let mut last = None;
        for step in 0..=MAX_STEPS {
            // X <- X + A^-1 R, with the factors in the narrower type.
            Monitor::check(monitor)?;
            if self.correct(ipiv, x.reborrow()).is_none() {
                break;
            }
            // R <- B - A X
            let mut r = MatrixMut::in_memory(&mut self.residuals, n, nrhs, n);
            r.copy_from(b);
            subtract_product(a, x.as_ref(), r.reborrow(), kernels);
            // The largest residual of a column relative to what it may be.
            let excess = (0..nrhs).map(|j| {
                let (residual, allowed) = (norm_max(r.col_mut(j)), norm_max(x.col_mut(j)).mul(limit));
                if residual <= allowed { 0.0 } else { residual.to_f64() / allowed.to_f64() }
            });
            let excess = excess.fold(0.0, |worst: f64, excess| if excess <= worst { worst } else { excess });
            if excess == 0.0 {
                return Ok(Some(step));
            }
            if !excess.is_finite() || last.is_some_and(|last| excess > last / 2.0) {
                break;
            }
            last = Some(excess);
        }
        Ok(None)
    }

    /// X <- X + A^-1 R; `None` if the narrower type cannot hold a residual.
    fn correct(&mut self, ipiv: &[i64], mut x: MatrixMut<'_, T>) -> Option<()> {
        let (n, nrhs) = (x.nrows(), x.ncols());
        self.corrections.iter_mut().zip(&self.residuals).for_each(|(to, r)| *to = r.narrow());
        if !self.is_finite(&self.corrections) {
            return None;
        }
        let lu = MatrixRef::from_slice(&self.lu, n, n, n).ok()?;
        let system = System { transpose: Transpose::No, lu, ipiv, kernels: self.kernels };
        system.solve(MatrixMut::in_memory(&mut self.corrections, n, nrhs, n), self.threads);
        for (j, d) in self.corrections.chunks_exact(n).enumerate() {
            x.col_mut(j).iter_mut().zip(d).for_each(|(x, d)| *x = x.add(T::widen(*d)));
        }
        Some(())
    }
}

/// R <- R - A X, some columns of A at a time: for few right-hand sides gemm then reads A where it is.
fn subtract_product<T: Element>(
    a: MatrixRef<'_, T>,
    x: MatrixRef<'_, T>,
    mut r: MatrixMut<'_, T>,
    kernels: &Kernels<T>,
) {
    let n = a.nrows();
    for k in (0..n).step_by(kernels.kc) {
        let count = kernels.kc.min(n - k);
        gemm(a.block(0, k, n, count), x.block(k, 0, count, x.ncols()), r.reborrow(), kernels);
    }
}
