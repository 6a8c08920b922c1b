//! How good a solution is: its backward error, and bounds of its error.

use super::Accuracy;
use super::refiner::{List, Refiner};
use crate::blas::{Residuals, larger, norm_max};
use crate::element::Element;
use crate::lu::condition::weighted_inverse_norm;
use crate::matrix::{MatrixMut, MatrixRef};

impl<T: Element> Refiner<'_, T> {
    /// Bounds the errors: where R is the residual and D = A^-1 R up to rounding, the error of X is D + A^-1 (R - A D). The
    /// second part is bounded by |A^-1| (|R - A D| + what R - A D may have lost to rounding).
    ///
    /// What |A^-1| is comes from the factors, with which it may be too small: by a factor of 1 / (1 - q), if a correction with them
    /// makes a residual smaller by a factor of q. So a q up to 1/2 is made up for, and no bound is told if q was larger. Rounding
    /// says nothing of q: with it, single precision would have no bounds from n = 60 on.
    pub(super) fn bound(
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
    pub(super) fn bound_for_rounded_data(
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
    pub(super) fn backward(&self, j: usize) -> f64 {
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
