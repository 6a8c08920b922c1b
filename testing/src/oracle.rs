//! What the tests compare the factorization with: plain loops, which share no code with the library.

use std::fmt::Debug;

/// An element type, for the oracle alone.
pub trait Float: Copy + PartialOrd + Debug + Into<f64> + 'static {
    /// 0.
    const ZERO: Self;
    /// 1.
    const ONE: Self;
    /// The smallest number whose reciprocal does not overflow (LAPACK: `DLAMCH('S')`).
    const SAFE_MIN: Self;
    /// The largest finite number.
    const MAX: Self;
    /// The distance from 1 to the next number.
    const EPSILON: f64;
    /// The smallest number above 0.
    const SMALLEST_SUBNORMAL: f64;
    /// self * b + c, rounded once.
    #[must_use]
    fn fma(self, b: Self, c: Self) -> Self;
    /// The magnitude.
    #[must_use]
    fn abs(self) -> Self;
    /// -self.
    #[must_use]
    fn neg(self) -> Self;
    /// self * b.
    #[must_use]
    fn mul(self, b: Self) -> Self;
    /// self / b.
    #[must_use]
    fn div(self, b: Self) -> Self;
    /// The nearest number.
    fn from_f64(x: f64) -> Self;
    /// The bits, with every NaN the same: which NaN comes out is not promised.
    fn bits(self) -> u64;
    /// The bytes, as the wire has them.
    fn le_bytes(self) -> Vec<u8>;
    /// The number that has these bytes.
    ///
    /// # Panics
    /// If there are more bytes or fewer than it has.
    fn from_le(bytes: &[u8]) -> Self;
}

macro_rules! float {
    ($t:ident, $smallest:expr) => {
        impl Float for $t {
            const ZERO: Self = 0.0;
            const ONE: Self = 1.0;
            const SAFE_MIN: Self = $t::MIN_POSITIVE;
            const MAX: Self = $t::MAX;
            const EPSILON: f64 = $t::EPSILON as f64;
            const SMALLEST_SUBNORMAL: f64 = $smallest;
            fn fma(self, b: Self, c: Self) -> Self {
                self.mul_add(b, c)
            }
            fn abs(self) -> Self {
                $t::abs(self)
            }
            fn neg(self) -> Self {
                -self
            }
            fn mul(self, b: Self) -> Self {
                self * b
            }
            fn div(self, b: Self) -> Self {
                self / b
            }
            fn from_f64(x: f64) -> Self {
                x as $t
            }
            fn bits(self) -> u64 {
                if self.is_nan() { u64::MAX } else { self.to_bits().into() }
            }
            fn le_bytes(self) -> Vec<u8> {
                self.to_le_bytes().to_vec()
            }
            fn from_le(bytes: &[u8]) -> Self {
                $t::from_le_bytes(bytes.try_into().unwrap())
            }
        }
    };
}

float!(f64, 5e-324);
float!(f32, 1.401298464324817e-45);

/// The bits of a list of elements.
pub fn bits<T: Float>(a: &[T]) -> Vec<u64> {
    a.iter().map(|x| x.bits()).collect()
}

/// The factors of the naive triple loop, their row swaps (1-based) and `info`.
#[derive(Debug, Clone)]
pub struct Naive<T> {
    /// L below the diagonal, U on and above it; column-major, without padding.
    pub lu: Vec<T>,
    /// The row swaps, in order.
    pub ipiv: Vec<i64>,
    /// The first zero pivot, 1-based, or 0; negative without pivoting.
    pub info: i64,
}

/// P A = L U by three loops; `a` is `m` by `n`, column-major, without padding.
///
/// # Panics
/// If `a` does not have m n elements.
pub fn naive_lu<T: Float>(a: &[T], m: usize, n: usize, pivoting: bool) -> Naive<T> {
    assert_eq!(a.len(), m * n);
    let mut a = a.to_vec();
    let mut ipiv = Vec::new();
    let mut info = 0;
    for k in 0..m.min(n) {
        let mut p = k;
        if pivoting {
            let mut largest = T::ZERO;
            for i in k..m {
                if a[i + k * m].abs() > largest {
                    largest = a[i + k * m].abs();
                    p = i;
                }
            }
        }
        ipiv.push(p as i64 + 1);
        for j in 0..n {
            a.swap(k + j * m, p + j * m);
        }
        let pivot = a[k + k * m];
        if pivot == T::ZERO {
            if info == 0 {
                info = if pivoting { k as i64 + 1 } else { -(k as i64 + 1) };
            }
        } else {
            for i in k + 1..m {
                let x = a[i + k * m];
                a[i + k * m] = if pivot.abs() >= T::SAFE_MIN { x.mul(T::ONE.div(pivot)) } else { x.div(pivot) };
            }
        }
        for j in k + 1..n {
            for i in k + 1..m {
                a[i + j * m] = a[i + k * m].neg().fma(a[k + j * m], a[i + j * m]);
            }
        }
    }
    Naive { lu: a, ipiv, info }
}

/// A X = B, or with `transposed` A^T X = B, from naive factors of order `n`, by columns; `b` has `n` rows.
pub fn naive_solve<T: Float>(lu: &[T], ipiv: &[i64], n: usize, transposed: bool, b: &[T]) -> Vec<T> {
    let mut x = b.to_vec();
    let element = |i: usize, j: usize| if transposed { lu[j + i * n] } else { lu[i + j * n] };
    // L (or U^T) from the first row on, U (or L^T) from the last; U and U^T divide by their diagonals.
    let forward = |x: &mut [T]| {
        for k in 0..n {
            if transposed {
                x[k] = x[k].div(element(k, k));
            }
            for i in k + 1..n {
                x[i] = element(i, k).neg().fma(x[k], x[i]);
            }
        }
    };
    let backward = |x: &mut [T]| {
        for k in (0..n).rev() {
            if !transposed {
                x[k] = x[k].div(element(k, k));
            }
            for i in 0..k {
                x[i] = element(i, k).neg().fma(x[k], x[i]);
            }
        }
    };
    for x in x.chunks_exact_mut(n.max(1)) {
        let swaps = ipiv.iter().enumerate().map(|(i, &row)| (i, row as usize - 1));
        if !transposed {
            swaps.clone().for_each(|(i, row)| x.swap(i, row));
        }
        forward(x);
        backward(x);
        if transposed {
            swaps.rev().for_each(|(i, row)| x.swap(i, row));
        }
    }
    x
}

/// The rows of A in the order of P A, 0-based.
pub fn rows(m: usize, ipiv: &[i64]) -> Vec<usize> {
    let mut rows: Vec<usize> = (0..m).collect();
    for (i, &p) in ipiv.iter().enumerate() {
        rows.swap(i, p as usize - 1);
    }
    rows
}

/// max |P A - L U|, computed in double precision; NaN where any difference is.
pub fn residual<T: Float>(a: &[T], lu: &[T], ipiv: &[i64], m: usize, n: usize) -> f64 {
    let rows = rows(m, ipiv);
    let mut worst: f64 = 0.0;
    for j in 0..n {
        for i in 0..m {
            let mut sum: f64 = 0.0;
            for k in 0..=i.min(j).min(m.min(n).saturating_sub(1)) {
                let l = if k == i { 1.0 } else { lu[i + k * m].into() };
                sum = f64::mul_add(l, lu[k + j * m].into(), sum);
            }
            let error = (sum - a[rows[i] + j * m].into()).abs();
            if error.is_nan() {
                return error;
            }
            worst = worst.max(error);
        }
    }
    worst
}

/// The largest residual that a backward stable factorization of a matrix with little growth may leave.
pub fn residual_bound<T: Float>(a: &[T], m: usize, n: usize) -> f64 {
    let largest = a.iter().fold(0.0, |w: f64, &x| w.max(x.abs().into()));
    let order = m.max(n) as f64;
    // Each of the roundings may lose a whole subnormal where the entries are that small.
    20.0 * order * T::EPSILON * largest + order * T::SMALLEST_SUBNORMAL
}
