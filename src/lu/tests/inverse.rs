//! Inverses against plain substitution with the identity, bit by bit, on every instruction set of this CPU.

use proptest::prelude::*;
use testing::naive_solve;

use super::*;
use crate::lu::inverse::{Blocks, invert_by};

/// An inversion: the matrix, and how it is inverted.
#[derive(Debug, Clone, Copy)]
struct Case {
    kind: Kind,
    n: usize,
    pad: usize,
    pivoting: bool,
    /// Rows of a block; 0 for a row each in the least memory, `None` for the block sizes as they ship.
    rows: Option<usize>,
    threads: usize,
    seed: u64,
}

/// The identity.
fn identity<T: Float>(n: usize) -> Vec<T> {
    let mut a = vec![T::ZERO; n * n];
    a.iter_mut().step_by(n + 1).for_each(|x| *x = T::ONE);
    a
}

/// Columns of n elements with `pad` more below each.
fn padded<T: Float>(a: &[T], n: usize, pad: usize) -> Vec<T> {
    let columns = a.chunks_exact(n.max(1));
    columns.flat_map(|column| column.iter().copied().chain([T::from_f64(PADDING)].repeat(pad))).collect()
}

fn check<T: Element + Float>(case: Case) {
    let Case { kind, n, pivoting, seed, .. } = case;
    check_factors(&naive_lu::<T>(&matrix(kind, n, n, seed), n, n, pivoting), case);
}

fn check_factors<T: Element + Float>(factors: &Naive<T>, case: Case) {
    let Case { n, pad, rows, threads, .. } = case;
    let zero = (0..n).find(|k| factors.lu[k * (n + 1)] == <T as Float>::ZERO).map_or(0, |k| k as i64 + 1);
    // If U has a zero on its diagonal, nothing is written. The substitution divides by it all the same.
    let x = naive_solve(&factors.lu, &factors.ipiv, n, false, &identity(n));
    let expected = padded(if zero == 0 { &x } else { &factors.lu }, n, pad);
    for isa in instruction_sets() {
        let mut a = padded(&factors.lu, n, pad);
        let view = MatrixMut::from_slice(&mut a, n, n, n + pad).unwrap();
        match rows {
            Some(rows) if zero == 0 => {
                let shipped = kernels(isa).unwrap();
                let kernels = Kernels { kc: 5, ..*shipped };
                let blocks = if rows == 0 { Blocks::by_rows(n) } else { Blocks::new(n, rows, &kernels) };
                let mut memory = vec![T::from_f64(PADDING); blocks.memory()];
                invert_by(blocks, view, &factors.ipiv, &kernels, (threads, None), &mut memory);
            }
            _ => {
                let options = Options::new().isa(isa).threads(threads);
                assert_eq!(inverse(view, &factors.ipiv, &options), Ok(zero), "{isa:?} {case:?}");
            }
        }
        assert_eq!(bits(&a), bits(&expected), "{isa:?} {case:?}");
    }
}

#[test]
fn inverses_of_every_order_and_kind_are_the_naive_ones_to_the_bit() {
    for (n, kind) in (0..=70).flat_map(|n| KINDS.map(|kind| (n, kind))) {
        for (pivoting, rows) in [(true, None), (false, Some(1)), (true, Some(0))] {
            let case = Case { kind, n, pad: n % 4, pivoting, rows, threads: 1, seed: n as u64 };
            check::<f64>(case);
            check::<f32>(case);
        }
    }
}

fn case() -> impl Strategy<Value = Case> {
    let rows = prop::sample::select(vec![None, Some(0), Some(1), Some(30), Some(100)]);
    let kinds = prop::sample::select(KINDS.to_vec());
    let threads = prop::sample::select(vec![1, 2, 3, 8]);
    (kinds, 0..150usize, 0..4usize, any::<bool>(), rows, threads, any::<u32>()).prop_map(
        |(kind, n, pad, pivoting, rows, threads, seed)| Case {
            kind,
            n,
            pad,
            pivoting,
            rows,
            threads,
            seed: seed.into(),
        },
    )
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn inverses_by_any_blocks_are_the_naive_ones_to_the_bit(case in case()) {
        check::<f64>(case);
        check::<f32>(case);
    }
}

#[test]
fn larger_inverses_are_the_naive_ones_to_the_bit_on_any_number_of_threads() {
    for (n, threads) in
        [(95, 2), (96, 1), (97, 2), (191, 3), (192, 8), (193, 2), (289, 8), (300, 3), (513, 1), (530, 2)]
    {
        for kind in [Kind::Uniform, Kind::Graded, Kind::NotFinite] {
            let case = Case { kind, n, pad: n % 3, pivoting: true, rows: None, threads, seed: n as u64 };
            check::<f64>(case);
            check::<f32>(case);
        }
    }
}

#[test]
fn nan_and_inf_in_every_position_of_the_factors_spread_as_in_the_naive_substitution() {
    not_finite_anywhere::<f64>(7, &[f64::NAN, f64::INFINITY, f64::NEG_INFINITY]);
    not_finite_anywhere::<f32>(7, &[f64::NAN, f64::INFINITY, f64::NEG_INFINITY]);
    not_finite_anywhere::<f64>(29, &[f64::INFINITY]);
    not_finite_anywhere::<f32>(29, &[f64::NEG_INFINITY]);
}

fn not_finite_anywhere<T: Element + Float>(n: usize, values: &[f64]) {
    let factors = naive_lu::<T>(&matrix(Kind::Uniform, n, n, 3), n, n, true);
    for (at, &bad) in (0..n * n).flat_map(|at| values.iter().map(move |bad| (at, bad))) {
        let mut factors = factors.clone();
        factors.lu[at] = T::from_f64(bad);
        for rows in [None, Some(0), Some(1)] {
            let case = Case { kind: Kind::NotFinite, n, pad: 1, pivoting: true, rows, threads: 1, seed: at as u64 };
            check_factors(&factors, case);
        }
    }
}

#[test]
fn swaps_with_rows_above_are_those_of_a_solve() {
    let mut random = Random::new(5);
    for n in [3, 20, 50] {
        let mut factors = naive_lu::<f64>(&matrix(Kind::Uniform, n, n, 4), n, n, true);
        factors.ipiv.iter_mut().for_each(|row| *row = random.below(n) as i64 + 1);
        let case = Case { kind: Kind::Uniform, n, pad: 0, pivoting: true, rows: None, threads: 1, seed: 4 };
        check_factors(&factors, case);
    }
}

#[test]
fn the_inverse_of_factors_is_the_solution_for_the_identity_in_new_memory_or_in_their_own() {
    let n = 40;
    let lu = Lu::new(DMatrix::from_vec(n, n, matrix::<f64>(Kind::Uniform, n, n, 1)), &Options::default()).unwrap();
    let x = lu.solve(&DMatrix::identity(n, n)).unwrap();
    assert_eq!(lu.inverse().unwrap(), x);
    assert_eq!(lu.into_inverse().unwrap(), x);

    let ones = Lu::new(DMatrix::from_element(2, 2, 1.0), &Options::default()).unwrap();
    assert_eq!(ones.inverse(), Err(Error::Singular { index: 2 }));
    assert_eq!(ones.clone().into_inverse(), Err(Error::Singular { index: 2 }));
    // The zero counts, whatever the caller says of it.
    let (lu, ipiv, _) = ones.into_parts();
    assert_eq!(Lu::from_parts(lu, ipiv, 0).unwrap().inverse(), Err(Error::Singular { index: 2 }));
    let wide = Lu::new(DMatrix::from_element(2, 3, 1.0), &Options::default()).unwrap();
    assert_eq!(wide.inverse(), Err(Error::NotSquare { m: 2, n: 3 }));
    assert_eq!(wide.into_inverse(), Err(Error::NotSquare { m: 2, n: 3 }));
}

#[test]
fn an_inverse_leaves_a_small_residual() {
    let n = 200;
    let a = DMatrix::from_vec(n, n, matrix::<f64>(Kind::Uniform, n, n, 1));
    let x = Lu::new(a.clone(), &Options::default()).unwrap().into_inverse().unwrap();
    // That of n solutions: see `a_solution_leaves_a_small_residual`.
    let bound = 20.0 * n as f64 * f64::EPSILON * a.amax() * x.amax() * n as f64;
    assert!((&a * &x - DMatrix::identity(n, n)).amax() <= bound);
}

#[test]
fn what_does_not_fit_is_refused_and_the_factors_stay() {
    let invert = |m: usize, n: usize, ipiv: &[i64]| {
        let mut lu = DMatrix::<f64>::from_element(m, n, 7.0);
        let refused = inverse(&mut lu, ipiv, &Options::default());
        assert!(refused.is_ok() || lu.iter().all(|&x| x == 7.0));
        refused
    };
    assert_eq!(invert(3, 3, &[3, 1, 1]), Ok(0));
    assert_eq!(invert(3, 3, &[1, 2]), Err(Error::IpivLength { expected: 3, found: 2 }));
    assert_eq!(invert(3, 2, &[1, 2]), Err(Error::NotSquare { m: 3, n: 2 }));
    for row in [0, 4, -1, i64::MIN, i64::MAX] {
        assert_eq!(invert(3, 3, &[1, row, 3]), Err(Error::Pivot { index: 2, row, m: 3 }));
    }
}
