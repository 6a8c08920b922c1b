//! How ill-conditioned a factored matrix is, in the 1-norm.
//!
//! Source of the estimate: N. J. Higham, "FORTRAN codes for estimating the one-norm of a real or complex matrix", ACM Trans.
//! Math. Softw. 14, 1988, algorithm 4.1 (LAPACK: `DLACN2`, `DGECON`).

use super::solve::System;
use crate::element::Element;
use crate::matrix::MatrixMut;
use crate::options::Transpose;

/// Up to this order all columns of the inverse are computed: that takes less time than an estimate.
pub(crate) const MAX_EXACT_ORDER: usize = 32;

/// Elements of memory for [`inverse_norm1`].
pub(super) const fn memory(n: usize) -> usize {
    if n <= MAX_EXACT_ORDER { n * n } else { 3 * n }
}

/// The largest sum of magnitudes in a column; NaN if a column has one.
pub(super) fn norm1<T: Element>(columns: impl Iterator<Item = impl Iterator<Item = T>>) -> T {
    columns.fold(T::ZERO, |largest, column| {
        let sum = sum_of_magnitudes(column);
        if sum <= largest || is_nan(largest) { largest } else { sum }
    })
}

fn sum_of_magnitudes<T: Element>(x: impl Iterator<Item = T>) -> T {
    x.fold(T::ZERO, |sum, x| sum.add(x.abs()))
}

#[allow(clippy::eq_op)] // a NaN is not equal to itself
fn is_nan<T: Element>(x: T) -> bool {
    x != x
}

/// 1 / inverse norm / norm.
pub(super) fn reciprocal<T: Element>(norm: T, inverse_norm: T) -> T {
    T::ONE.div(inverse_norm).div(norm)
}

/// Whether a lower bound of the reciprocal condition number tells that the matrix is well-conditioned: some digits of
/// solutions are right. It is not if the bound is NaN.
pub(super) fn is_well<T: Element>(bound: T) -> bool {
    bound >= T::PRECISION.add(T::PRECISION)
}

/// |A^-1|: exact up to [`MAX_EXACT_ORDER`], beyond it a lower bound that is rarely too low by more than a factor of three. The
/// system is not transposed.
///
/// # Panics
/// If there is less memory than [`memory`] says.
pub(super) fn inverse_norm1<T: Element>(system: &System<'_, T>, memory: &mut [T]) -> T {
    let n = system.lu.nrows();
    if n > MAX_EXACT_ORDER {
        return estimate(system, memory);
    }
    let inverse = &mut memory[..n * n];
    inverse.fill(T::ZERO);
    inverse.iter_mut().step_by(n + 1).for_each(|x| *x = T::ONE);
    system.solve(MatrixMut::in_memory(inverse, n, n, n), 1);
    norm1(inverse.chunks_exact(n).map(|column| column.iter().copied()))
}

fn estimate<T: Element>(system: &System<'_, T>, memory: &mut [T]) -> T {
    let n = system.lu.nrows();
    let adjoint = System { transpose: Transpose::Yes, ..*system };
    let (x, z) = memory[..3 * n].split_at_mut(2 * n);
    // A column of equal numbers; and one of rising numbers with alternating signs, for which no step below would do.
    x[..n].fill(T::rounded(1.0 / n as f64));
    for (i, x) in x[n..].iter_mut().enumerate() {
        let number = 1.0 + i as f64 / (n - 1) as f64;
        *x = T::rounded(if i % 2 == 0 { number } else { -number });
    }
    system.solve(MatrixMut::in_memory(x, n, 2, n), 1);
    let (x, alternating) = x.split_at_mut(n);
    let alternating = sum_of_magnitudes(alternating.iter().copied()).mul(T::rounded(2.0 / (3 * n) as f64));
    let mut norm = sum_of_magnitudes(x.iter().copied());
    let mut row = None;
    for _ in 0..4 {
        for (z, x) in z.iter_mut().zip(&*x) {
            *z = T::ONE.copysign(*x);
        }
        adjoint.solve(MatrixMut::in_memory(z, n, 1, n), 1);
        let next = (1..n).fold(0, |largest, i| if z[i].abs() > z[largest].abs() { i } else { largest });
        if row.is_some_and(|row: usize| z[row].abs() == z[next].abs()) {
            break;
        }
        row = Some(next);
        let signs = |x: &[T], z: &mut [T]| z.iter_mut().zip(x).for_each(|(z, x)| *z = T::ONE.copysign(*x));
        signs(x, z);
        x.fill(T::ZERO);
        x[next] = T::ONE;
        system.solve(MatrixMut::in_memory(x, n, 1, n), 1);
        let sum = sum_of_magnitudes(x.iter().copied());
        let has_same_signs = z.iter().zip(&*x).all(|(sign, x)| *sign == T::ONE.copysign(*x));
        if sum <= norm {
            break;
        }
        norm = sum;
        if has_same_signs {
            break;
        }
    }
    if is_nan(norm) || norm >= alternating { norm } else { alternating }
}

#[cfg(test)]
mod tests {
    use testing::{Float, Kind, matrix};

    use super::*;
    use crate::element::kernels;
    use crate::kernel::Isa;
    use crate::lu::factor;
    use crate::matrix::MatrixRef;
    use crate::options::Options;

    /// The estimate and the exact norm of the inverse.
    fn norms(kind: Kind, n: usize, seed: u64) -> (f64, f64) {
        let mut a: Vec<f64> = matrix(kind, n, n, seed);
        let mut ipiv = vec![0; n];
        factor(MatrixMut::in_memory(&mut a, n, n, n), &mut ipiv, &Options::new()).unwrap();
        let lu = MatrixRef::from_slice(&a, n, n, n).unwrap();
        let system = System { transpose: Transpose::No, lu, ipiv: &ipiv, kernels: kernels(Isa::best()).unwrap() };
        let mut inverse: Vec<f64> = (0..n * n).map(|at| if at % (n + 1) == 0 { 1.0 } else { 0.0 }).collect();
        system.solve(MatrixMut::in_memory(&mut inverse, n, n, n), 1);
        let exact = norm1(inverse.chunks(n).map(|column| column.iter().copied()));
        (estimate(&system, &mut vec![0.0; 3 * n]), exact)
    }

    #[test]
    fn the_estimate_is_a_lower_bound_and_seldom_far_off() {
        let cases = (2..60).flat_map(|n| (0..6).map(move |seed| (n, seed)));
        let ratios: Vec<f64> = cases
            .map(|(n, seed)| {
                let (estimate, exact) = norms(Kind::Uniform, n, seed);
                assert!(estimate <= exact * 1.000_001, "n = {n}: {estimate} over {exact}");
                estimate / exact
            })
            .collect();
        assert!(ratios.iter().all(|ratio| *ratio > 0.1));
        let far_off = ratios.iter().filter(|ratio| **ratio < 1.0 / 3.0).count();
        assert!(far_off * 50 < ratios.len(), "{far_off} of {}", ratios.len());
        assert!(Float::abs(ratios[0]) > 0.0);
    }
}
