//! How ill-conditioned a factored matrix is, in the 1-norm and in the infinity norm.
//!
//! Source of the estimate: N. J. Higham, "FORTRAN codes for estimating the one-norm of a real or complex matrix", ACM Trans.
//! Math. Softw. 14, 1988, algorithm 4.1 (LAPACK: `DLACN2`, `DGECON`).

use super::factor::kernels_for;
use super::solve::{System, check_factors};
use crate::blas::{is_nan, larger, norm_infinity, norm1, scratch};
use crate::element::Element;
use crate::error::Error;
use crate::kernel::MAX_LANES;
use crate::matrix::{MatrixMut, MatrixRef};
use crate::options::{Norm, Options, Transpose};

/// Up to this order all columns of the inverse are computed: that takes less time than an estimate.
pub(crate) const MAX_EXACT_ORDER: usize = 32;

/// Elements of memory for [`inverse_norm`].
pub(super) const fn memory(n: usize) -> usize {
    if n <= MAX_EXACT_ORDER { n * n } else { 3 * n }
}

/// |A| of an m x n matrix (LAPACK: `DLANGE`): 0 if it is empty, NaN if it has a NaN. The sums are of the type of the elements, in
/// the order of the rows or of the columns.
///
/// ```
/// use nalgebra::DMatrix;
/// use recfact::{Norm, norm};
///
/// let a = DMatrix::from_row_slice(2, 2, &[4.0, 3.0, -6.0, 3.0]);
/// assert_eq!((norm(Norm::One, &a), norm(Norm::Infinity, &a)), (10.0, 9.0));
/// ```
pub fn norm<'a, T: Element>(norm: Norm, a: impl Into<MatrixRef<'a, T>>) -> f64 {
    let a = a.into();
    let norm = match norm {
        Norm::One => norm1(a),
        Norm::Infinity => norm_infinity(a),
    };
    norm.to_f64()
}

/// The reciprocal of the condition number of A, 1 / (|A| |A^-1|), from the factors that [`crate::factor`] left in `lu` (n x n) and
/// `ipiv`, and from |A| in the same norm ([`norm`]; LAPACK: `DGECON`).
///
/// Up to n = 32 it is computed from all of A^-1. Above, |A^-1| is a lower bound that is rarely too low by more than a factor of three,
/// so that the result is an upper bound. It is 1 if n is 0; 0 if |A| is 0 or infinite, or if A is singular or so nearly singular that A^-1 overflows; NaN
/// if |A| is NaN.
///
/// ```
/// use nalgebra::DMatrix;
/// use recfact::{Lu, Norm, Options, norm, rcond};
///
/// let a = DMatrix::from_row_slice(2, 2, &[1.0, 0.0, 0.0, 0.5]);
/// let anorm = norm(Norm::One, &a);
/// let lu = Lu::new(a, &Options::default())?;
/// assert_eq!(rcond(Norm::One, lu.packed(), lu.ipiv(), anorm, &Options::default())?, 0.5);
/// # Ok::<(), recfact::Error>(())
/// ```
///
/// # Errors
/// [`Error::NotSquare`]; [`Error::IpivLength`]; [`Error::Pivot`] if `ipiv` names a row outside the matrix; [`Error::OutOfMemory`];
/// [`Error::InstructionSet`] and [`Error::IsaUnavailable`].
pub fn rcond<'a, T: Element>(
    norm: Norm,
    lu: impl Into<MatrixRef<'a, T>>,
    ipiv: &[i64],
    anorm: f64,
    options: &Options,
) -> Result<f64, Error> {
    let lu = lu.into();
    let n = check_factors(lu, ipiv)?;
    let transpose = match norm {
        Norm::One => Transpose::No,
        Norm::Infinity => Transpose::Yes,
    };
    let system = System { transpose, lu, ipiv, kernels: kernels_for(options)? };
    if n == 0 {
        return Ok(1.0);
    }
    let refused = Error::OutOfMemory { bytes: memory(n) * size_of::<T>() };
    let inverse_norm = scratch::with(memory(n), |memory| inverse_norm(&system, memory)).ok_or(refused)?;
    let rcond = if is_nan(inverse_norm) { 0.0 } else { 1.0 / inverse_norm.to_f64() / anorm };
    // The smallest numbers have a reciprocal that is no number: |A| is then 0 as well.
    Ok(if anorm.is_nan() {
        anorm
    } else if rcond.is_finite() {
        rcond
    } else {
        0.0
    })
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

/// The 1-norm of A^-1; that of A^-T, if the system is transposed, which is the infinity norm of A^-1. It is exact up to
/// [`MAX_EXACT_ORDER`], beyond it a lower bound that is rarely too low by more than a factor of three.
///
/// # Panics
/// If there is less memory than [`memory`] says.
pub(super) fn inverse_norm<T: Element>(system: &System<'_, T>, memory: &mut [T]) -> T {
    let n = system.lu.nrows();
    if n > MAX_EXACT_ORDER {
        return estimate(system, None, memory);
    }
    norm1(system.inverse(memory).as_ref())
}

/// The infinity norm of |A^-1| w, or of |A^-T| w if the system is transposed: as [`inverse_norm`] is. No weight is negative.
///
/// # Panics
/// If there is less memory than [`memory`] says.
pub(super) fn weighted_inverse_norm<T: Element>(system: &System<'_, T>, weights: &[T], memory: &mut [T]) -> T {
    let n = system.lu.nrows();
    if n > MAX_EXACT_ORDER {
        // The 1-norm of W A^-T.
        return estimate(&system.flipped(), Some(weights), memory);
    }
    let inverse = system.inverse(memory);
    let mut sums = [T::ZERO; MAX_EXACT_ORDER];
    for (j, weight) in weights.iter().enumerate() {
        sums.iter_mut().zip(inverse.as_ref().col(j)).for_each(|(sum, x)| *sum = sum.add(x.abs().mul(*weight)));
    }
    sums.into_iter().fold(T::ZERO, larger)
}

/// The estimate for one matrix: of the 1-norm of A^-1, or of W A^-1 for a diagonal matrix W.
fn estimate<T: Element>(system: &System<'_, T>, weights: Option<&[T]>, memory: &mut [T]) -> T {
    let n = system.lu.nrows();
    let (x, signs) = memory[..3 * n].split_at_mut(2 * n);
    let mut norm = [T::ZERO];
    let weigh = |x: &mut [T]| {
        for column in x.chunks_exact_mut(n) {
            let pairs = column.iter_mut().zip(weights.into_iter().flatten());
            pairs.for_each(|(x, weight)| *x = x.mul(*weight));
        }
    };
    estimate_norms(n, x, signs, &mut norm, |transpose, x| {
        let columns = x.len() / n;
        if transpose.is_transposed() {
            // A^-T W
            weigh(x);
            system.flipped().solve(MatrixMut::in_memory(x, n, columns, n), 1);
        } else {
            // W A^-1
            system.solve(MatrixMut::in_memory(x, n, columns, n), 1);
            weigh(x);
        }
    });
    norm[0]
}

/// What is known of the inverse of a matrix while its norm is estimated.
#[derive(Clone, Copy)]
struct Estimate<T> {
    norm: T,
    /// The last column of the inverse that was looked at.
    column: Option<usize>,
    is_final: bool,
}

/// Estimates |A^-1| of matrices of order n, as many at once as there are norms. `solve` gets one or two columns of right-hand
/// sides and solves the systems of A or A^T: the element of matrix k in row i is at `i * norms.len() + k` of a column. `x` has
/// two columns, `signs` one.
///
/// # Panics
/// - If there are more than `MAX_LANES` matrices, or n is 1.
pub fn estimate_norms<T: Element>(
    n: usize,
    x: &mut [T],
    signs: &mut [T],
    norms: &mut [T],
    mut solve: impl FnMut(Transpose, &mut [T]),
) {
    let lanes = norms.len();
    let (x, signs) = (&mut x[..2 * n * lanes], &mut signs[..n * lanes]);
    // A column of equal numbers; and one of rising numbers with alternating signs, for which no step below would do.
    x[..n * lanes].fill(T::rounded(1.0 / n as f64));
    for (i, row) in x[n * lanes..].chunks_exact_mut(lanes).enumerate() {
        let number = 1.0 + i as f64 / (n - 1) as f64;
        row.fill(T::rounded(if i % 2 == 0 { number } else { -number }));
    }
    solve(Transpose::No, x);
    let (x, alternating) = x.split_at_mut(n * lanes);
    let sums = sums_of_magnitudes(x, lanes);
    let mut estimates = sums.map(|norm| Estimate { norm, column: None, is_final: false });
    for _ in 0..4 {
        for (sign, x) in signs.iter_mut().zip(&mut *x) {
            *sign = T::ONE.copysign(*x);
            *x = *sign;
        }
        solve(Transpose::Yes, x);
        let largest = largest_rows(x, lanes);
        for (lane, estimate) in estimates[..lanes].iter_mut().enumerate() {
            let magnitude = |row: usize| x[row * lanes + lane].abs();
            let is_no_larger = estimate.column.is_some_and(|column| magnitude(column) == magnitude(largest[lane]));
            estimate.is_final |= is_no_larger;
            estimate.column = Some(largest[lane]);
        }
        if estimates[..lanes].iter().all(|estimate| estimate.is_final) {
            break;
        }
        x.fill(T::ZERO);
        for (lane, row) in largest[..lanes].iter().enumerate() {
            x[row * lanes + lane] = T::ONE;
        }
        solve(Transpose::No, x);
        let sums = sums_of_magnitudes(x, lanes);
        for (lane, estimate) in estimates[..lanes].iter_mut().enumerate().filter(|(_, estimate)| !estimate.is_final) {
            estimate.is_final = sums[lane] <= estimate.norm;
            if !estimate.is_final {
                estimate.norm = sums[lane];
                let mut pairs = signs[lane..].iter().step_by(lanes).zip(x[lane..].iter().step_by(lanes));
                estimate.is_final = pairs.all(|(sign, x)| *sign == T::ONE.copysign(*x));
            }
        }
    }
    let sums = sums_of_magnitudes(alternating, lanes);
    for ((to, Estimate { norm, .. }), sum) in norms.iter_mut().zip(estimates).zip(sums) {
        let alternating = sum.mul(T::rounded(2.0 / (3 * n) as f64));
        *to = if is_nan(norm) || norm >= alternating { norm } else { alternating };
    }
}

/// The sums of the magnitudes in a column of each matrix.
fn sums_of_magnitudes<T: Element>(x: &[T], lanes: usize) -> [T; MAX_LANES] {
    let mut sums = [T::ZERO; MAX_LANES];
    for row in x.chunks_exact(lanes) {
        sums.iter_mut().zip(row).for_each(|(sum, x)| *sum = sum.add(x.abs()));
    }
    sums
}

/// The first row of the largest magnitude in a column of each matrix.
fn largest_rows<T: Element>(x: &[T], lanes: usize) -> [usize; MAX_LANES] {
    let (mut rows, mut largest) = ([0; MAX_LANES], [T::ZERO; MAX_LANES]);
    largest.iter_mut().zip(x).for_each(|(largest, x)| *largest = x.abs());
    for (i, row) in x.chunks_exact(lanes).enumerate() {
        for ((at, largest), x) in rows.iter_mut().zip(&mut largest).zip(row) {
            if x.abs() > *largest {
                (*at, *largest) = (i, x.abs());
            }
        }
    }
    rows
}

#[cfg(test)]
mod tests {
    use testing::{Float, Kind, matrix};

    use super::*;
    use crate::element::kernels;
    use crate::kernel::Isa;
    use crate::lu::factor;
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
        let exact = norm1(MatrixRef::from_slice(&inverse, n, n, n).unwrap());
        (estimate(&system, None, &mut vec![0.0; 3 * n]), exact)
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

    #[test]
    fn estimates_of_several_matrices_are_those_of_each() {
        let kinds = [Kind::Uniform, Kind::Hilbert, Kind::NotFinite, Kind::Graded, Kind::DuplicateRows];
        for n in [2, 5, 33, 50] {
            let mut factors: Vec<(Vec<f64>, Vec<i64>)> = Vec::new();
            for (seed, kind) in kinds.into_iter().cycle().take(8).enumerate() {
                let (mut a, mut ipiv) = (matrix(kind, n, n, seed as u64), vec![0; n]);
                factor(MatrixMut::in_memory(&mut a, n, n, n), &mut ipiv, &Options::new()).unwrap();
                factors.push((a, ipiv));
            }
            let systems = factors.iter().map(|(a, ipiv)| {
                let lu = MatrixRef::from_slice(a, n, n, n).unwrap();
                System { transpose: Transpose::No, lu, ipiv, kernels: kernels(Isa::best()).unwrap() }
            });
            let systems: Vec<_> = systems.collect();
            let (lanes, mut norms) = (systems.len(), vec![0.0; systems.len()]);
            let (mut x, mut signs) = (vec![0.0; 2 * n * lanes], vec![0.0; n * lanes]);
            estimate_norms(n, &mut x, &mut signs, &mut norms, |transpose, x| {
                for (lane, system) in systems.iter().enumerate() {
                    let mut own: Vec<_> = x[lane..].iter().step_by(lanes).copied().collect();
                    let columns = own.len() / n;
                    System { transpose, ..*system }.solve(MatrixMut::in_memory(&mut own, n, columns, n), 1);
                    x[lane..].iter_mut().step_by(lanes).zip(own).for_each(|(x, own)| *x = own);
                }
            });
            for (norm, system) in norms.iter().zip(&systems) {
                let alone = estimate(system, None, &mut vec![0.0; 3 * n]);
                assert!(
                    norm.to_bits() == alone.to_bits() || (norm.is_nan() && alone.is_nan()),
                    "n = {n}: {norm}, {alone}"
                );
            }
        }
    }
}
