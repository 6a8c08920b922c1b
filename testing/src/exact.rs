//! Linear systems in exact arithmetic: what solutions, bounds of their errors, and condition numbers are compared with.

use num_rational::{BigRational, Ratio};
use num_traits::{One, Signed, ToPrimitive, Zero};

/// A matrix of n rows by columns, in exact numbers.
pub type Exact = Vec<BigRational>;

/// The exact values of some elements.
///
/// # Panics
/// If one is not finite.
pub fn exact<T: Into<f64> + Copy>(x: &[T]) -> Exact {
    x.iter().map(|&x| BigRational::from_float(x.into()).expect("a finite number")).collect()
}

/// The X with A X = B: A is n x n, B n x (any number), both column-major. `None` if A is singular.
///
/// Elimination without fractions (E. H. Bareiss, "Sylvester's identity and multistep integer-preserving Gaussian elimination",
/// Math. Comp. 22, 1968), after all elements have become integers.
pub fn solve(a: &Exact, n: usize, b: &Exact) -> Option<Exact> {
    let (scale_a, scale_b) = (common_denominator(a), common_denominator(b));
    let integers = |x: &Exact, scale: &BigRational| x.iter().map(|x| (x * scale).to_integer()).collect::<Vec<_>>();
    let mut columns = integers(a, &scale_a);
    columns.extend(integers(b, &scale_b));
    let width = columns.len().checked_div(n).unwrap_or(0);
    let mut last = One::one();
    for k in 0..n {
        let pivot_row = (k..n).find(|&i| !columns[i + k * n].is_zero())?;
        (0..width).for_each(|j| columns.swap(k + j * n, pivot_row + j * n));
        let pivot = columns[k + k * n].clone();
        for i in (0..n).filter(|&i| i != k) {
            let factor = columns[i + k * n].clone();
            for j in 0..width {
                columns[i + j * n] = (&pivot * &columns[i + j * n] - &factor * &columns[k + j * n]) / &last;
            }
        }
        last = pivot;
    }
    // A became d I.
    let scale = scale_a / scale_b;
    Some(columns[n * n..].iter().map(|x| Ratio::new(x.clone(), last.clone()) * &scale).collect())
}

/// The inverse of A, n x n. `None` if it is singular.
pub fn inverse(a: &Exact, n: usize) -> Option<Exact> {
    let identity = (0..n * n).map(|at| if at % (n + 1) == 0 { One::one() } else { Zero::zero() }).collect();
    solve(a, n, &identity)
}

/// A^T of A, n x n.
pub fn transposed(a: &Exact, n: usize) -> Exact {
    (0..n * n).map(|at| a[at / n + at % n * n].clone()).collect()
}

/// The 1-norm of A, n x n.
pub fn norm1(a: &Exact, n: usize) -> BigRational {
    let sums = a.chunks_exact(n).map(|column| column.iter().map(Signed::abs).sum());
    sums.max().unwrap_or_else(Zero::zero)
}

/// The largest magnitude.
pub fn norm_max(x: &[BigRational]) -> BigRational {
    x.iter().map(Signed::abs).max().unwrap_or_else(Zero::zero)
}

/// The largest |x - y|, relative to the largest |x|, as a float.
pub fn relative_error(x: &[BigRational], y: &[BigRational]) -> f64 {
    let differences: Exact = x.iter().zip(y).map(|(x, y)| x - y).collect();
    float(&(norm_max(&differences) / norm_max(x)))
}

/// The componentwise backward error of x as a solution of A x = b: the largest |b - A x| / (|A| |x| + |b|) of a row.
pub fn backward_error(a: &Exact, n: usize, x: &[BigRational], b: &[BigRational]) -> f64 {
    let row = |i: usize| {
        let products: Exact = (0..n).map(|j| &a[i + j * n] * &x[j]).collect();
        let residual = products.iter().fold(b[i].clone(), |sum, product| sum - product).abs();
        let size: BigRational = products.iter().map(Signed::abs).sum::<BigRational>() + b[i].abs();
        if residual.is_zero() { residual } else { residual / size }
    };
    (0..n).map(|i| float(&row(i))).fold(0.0, f64::max)
}

/// The nearest float.
pub fn float(x: &BigRational) -> f64 {
    x.to_f64().expect("a float")
}

/// A number that makes integers of all elements.
fn common_denominator(x: &Exact) -> BigRational {
    // All denominators are powers of two, so the largest is a multiple of each.
    let largest = x.iter().map(BigRational::denom).max().cloned();
    BigRational::from_integer(largest.unwrap_or_else(One::one))
}
