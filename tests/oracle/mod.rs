//! What the tests hold the factorization against. It shares no code with the library.
#![allow(dead_code)] // each test program uses a part of it

use std::fmt::Debug;

/// An element type, for the oracle alone.
pub trait Float: Copy + PartialOrd + Debug + Into<f64> + 'static {
    const ZERO: Self;
    const ONE: Self;
    const SAFE_MIN: Self;
    const MAX: Self;
    const EPSILON: f64;
    const SMALLEST_SUBNORMAL: f64;
    fn fma(self, b: Self, c: Self) -> Self;
    fn abs(self) -> Self;
    fn neg(self) -> Self;
    fn mul(self, b: Self) -> Self;
    fn div(self, b: Self) -> Self;
    fn from_f64(x: f64) -> Self;
    /// The bits, with every NaN the same: which NaN comes out is not promised.
    fn bits(self) -> u64;
    fn le_bytes(self) -> Vec<u8>;
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
    pub lu: Vec<T>,
    pub ipiv: Vec<i64>,
    pub info: i64,
}

/// P A = L U by three loops; `a` is `m` by `n`, column-major, without padding.
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

/// A small generator of numbers (xorshift64*), so that a failing case is named by its seed.
pub struct Random(u64);

impl Random {
    pub fn new(seed: u64) -> Self {
        Random(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1)
    }

    pub fn next(&mut self) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_f491_4f6c_dd1d)
    }

    /// Uniform in [-1, 1).
    pub fn unit(&mut self) -> f64 {
        (self.next() >> 11) as f64 / (1u64 << 52) as f64 - 1.0
    }

    /// Uniform in 0..below.
    pub fn below(&mut self, below: usize) -> usize {
        (self.next() % below.max(1) as u64) as usize
    }
}

/// Kinds of matrices that have gone wrong in one library or another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    Uniform,
    /// Entries -1, 0 and 1: exact ties in every column.
    Ties,
    /// All zero.
    Zero,
    /// Some columns are zero.
    ZeroColumns,
    /// Some rows are equal, so pivots become exactly zero.
    DuplicateRows,
    /// Rows and columns of very different size.
    Graded,
    /// Entries below the safe minimum.
    Subnormal,
    /// Entries near the overflow threshold.
    Huge,
    /// 1 / (i + j + 1): nearly singular.
    Hilbert,
    /// Ones on the diagonal and in the last column, -1 below: the pivots grow like 2^n.
    Wilkinson,
    /// Some entries are NaN or infinite.
    NotFinite,
}

pub const KINDS: [Kind; 11] = [
    Kind::Uniform,
    Kind::Ties,
    Kind::Zero,
    Kind::ZeroColumns,
    Kind::DuplicateRows,
    Kind::Graded,
    Kind::Subnormal,
    Kind::Huge,
    Kind::Hilbert,
    Kind::Wilkinson,
    Kind::NotFinite,
];

/// A matrix of a kind, column-major without padding.
pub fn matrix<T: Float>(kind: Kind, m: usize, n: usize, seed: u64) -> Vec<T> {
    let mut random = Random::new(seed);
    let mut a: Vec<f64> = (0..m * n).map(|_| random.unit()).collect();
    let max: f64 = T::MAX.into();
    let min: f64 = T::SAFE_MIN.into();
    match kind {
        Kind::Uniform => {}
        Kind::Ties => a.iter_mut().for_each(|x| *x = (*x * 1.5).round()),
        Kind::Zero => a.fill(0.0),
        Kind::ZeroColumns => {
            for j in 0..n {
                if random.below(3) == 0 {
                    a[j * m..(j + 1) * m].fill(0.0);
                }
            }
        }
        Kind::DuplicateRows => {
            for i in 1..m {
                if random.below(3) == 0 {
                    let from = random.below(i);
                    (0..n).for_each(|j| a[i + j * m] = a[from + j * m]);
                }
            }
        }
        Kind::Graded => {
            for j in 0..n {
                for i in 0..m {
                    a[i + j * m] *= (10.0_f64).powi(-((i % 7 + j % 5) as i32));
                }
            }
        }
        Kind::Subnormal => a.iter_mut().for_each(|x| *x *= min / 4.0),
        Kind::Huge => a.iter_mut().for_each(|x| *x *= max / 1e4),
        Kind::Hilbert => (0..m * n).for_each(|at| a[at] = 1.0 / (at % m + at / m + 1) as f64),
        Kind::Wilkinson => (0..m * n).for_each(|at| {
            let (i, j) = (at % m, at / m);
            a[at] = if i == j || j == n - 1 { 1.0 } else { -f64::from(u8::from(i > j)) };
        }),
        Kind::NotFinite => a.iter_mut().for_each(|x| match random.below(12) {
            0 => *x = f64::NAN,
            1 => *x = f64::INFINITY,
            2 => *x = f64::NEG_INFINITY,
            _ => {}
        }),
    }
    a.into_iter().map(T::from_f64).collect()
}

impl Kind {
    /// Whether L U must give A back within [`residual_bound`]: not where numbers are not finite, and not where
    /// elements grow beyond the bound's assumption.
    pub fn is_stable(self) -> bool {
        !matches!(self, Kind::NotFinite | Kind::Wilkinson)
    }
}
