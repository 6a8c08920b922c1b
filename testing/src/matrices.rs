//! Matrices to test with, the same in every run: a failing case is named by its kind, its sizes and its seed.

use crate::oracle::Float;

/// A small generator of numbers (xorshift64*).
#[derive(Debug)]
pub struct Random(u64);

impl Random {
    /// The numbers of this seed.
    pub fn new(seed: u64) -> Self {
        Random(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1)
    }

    /// Any 64 bits but all zeros.
    fn next_bits(&mut self) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_f491_4f6c_dd1d)
    }

    /// Uniform in [-1, 1).
    pub fn unit(&mut self) -> f64 {
        (self.next_bits() >> 11) as f64 / (1u64 << 52) as f64 - 1.0
    }

    /// Uniform in 0..below.
    pub fn below(&mut self, below: usize) -> usize {
        (self.next_bits() % below.max(1) as u64) as usize
    }
}

/// Kinds of matrices that have gone wrong in one library or another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Uniform in [-1, 1).
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

/// Every kind.
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
    /// Whether L U must give A back within [`residual_bound`](crate::residual_bound): not where numbers are not finite, and not where
    /// elements grow beyond the bound's assumption.
    pub fn is_stable(self) -> bool {
        !matches!(self, Kind::NotFinite | Kind::Wilkinson)
    }
}
