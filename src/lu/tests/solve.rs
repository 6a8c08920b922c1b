//! Solves against plain substitution, bit by bit, on every instruction set of this CPU.

use proptest::prelude::*;
use testing::naive_solve;

use super::*;
use crate::lu::solve::System;
use crate::matrix::MatrixRef;

/// A system: its order, right-hand sides, padding of both leading dimensions, and how it is solved.
#[derive(Debug, Clone, Copy)]
struct Case {
    kind: Kind,
    n: usize,
    nrhs: usize,
    pad: usize,
    transposed: bool,
    threads: usize,
    seed: u64,
}

/// The columns of a matrix with `pad` elements below each.
fn padded<T: Float>(a: &[T], m: usize, pad: usize) -> Vec<T> {
    let mut memory = vec![T::from_f64(PADDING); (m + pad) * (a.len() / m.max(1))];
    for (to, from) in memory.chunks_exact_mut((m + pad).max(1)).zip(a.chunks_exact(m.max(1))) {
        to[..m].copy_from_slice(from);
    }
    memory
}

fn check<T: Element + Float>(case: Case) {
    let Case { kind, n, nrhs, pad, transposed, threads, seed } = case;
    let naive = naive_lu(&matrix::<T>(kind, n, n, seed), n, n, true);
    let b: Vec<T> = matrix(Kind::Uniform, n, nrhs, seed + 1);
    let expected = padded(&naive_solve(&naive.lu, &naive.ipiv, n, transposed, &b), n, pad);
    let mut lu = padded(&naive.lu, n, pad);
    let lu = MatrixMut::from_slice(&mut lu, n, n, n + pad).unwrap();
    for isa in instruction_sets() {
        let mut x = padded(&b, n, pad);
        let transpose = if transposed { Transpose::Yes } else { Transpose::No };
        let lu: MatrixRef<'_, T> = lu.as_ref();
        System { transpose, lu, ipiv: &naive.ipiv, kernels: kernels(isa).unwrap() }
            .solve(MatrixMut::from_slice(&mut x, n, nrhs, n + pad).unwrap(), threads);
        assert_eq!(bits(&x), bits(&expected), "{isa:?} {case:?}");
    }
}

fn case(n: std::ops::Range<usize>) -> impl Strategy<Value = Case> {
    let kinds = prop::sample::select(vec![Kind::Uniform, Kind::Ties, Kind::ZeroColumns, Kind::Graded, Kind::NotFinite]);
    let nrhs = prop_oneof![Just(1), 0..20usize];
    (kinds, n, nrhs, 0..4usize, any::<bool>(), any::<u32>()).prop_map(|(kind, n, nrhs, pad, transposed, seed)| Case {
        kind,
        n,
        nrhs,
        pad,
        transposed,
        threads: 1,
        seed: seed.into(),
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn solutions_are_the_naive_ones_to_the_bit(case in case(0..80)) {
        check::<f64>(case);
        check::<f32>(case);
    }
}

/// Every number of right-hand sides around the sizes of vectors and groups, and orders around those of tiles and blocks.
#[test]
fn all_counts_of_right_hand_sides_give_the_naive_bits() {
    let orders = (1..=18).chain([31, 32, 33, 63, 64, 65, 100, 129]);
    for (n, nrhs) in orders.flat_map(|n| (0..=40).map(move |nrhs| (n, nrhs))) {
        for transposed in [false, true] {
            let pad = (n + nrhs) % 3;
            let case = Case { kind: Kind::Uniform, n, nrhs, pad, transposed, threads: 1, seed: n as u64 };
            check::<f64>(case);
            check::<f32>(case);
        }
    }
}

#[test]
fn larger_solutions_are_the_naive_ones_to_the_bit_on_any_number_of_threads() {
    for (n, nrhs, threads) in [
        (129, 1, 1),
        (320, 1, 1),
        (321, 3, 1),
        (250, 7, 1),
        (700, 5, 1),
        (1100, 30, 1),
        (300, 97, 1),
        (150, 500, 2),
        (260, 200, 8),
        (0, 3, 2),
    ] {
        for transposed in [false, true] {
            let case = Case { kind: Kind::Uniform, n, nrhs, pad: 3, transposed, threads, seed: n as u64 };
            check::<f64>(case);
            check::<f32>(case);
        }
    }
}

#[test]
fn a_solution_leaves_a_small_residual() {
    let n = 200;
    let a = DMatrix::from_vec(n, n, matrix::<f64>(Kind::Uniform, n, n, 1));
    let b = DMatrix::from_vec(n, 5, matrix::<f64>(Kind::Uniform, n, 5, 2));
    let lu = Lu::new(a.clone(), &Options::default()).unwrap();
    for (x, a) in [(lu.solve(&b).unwrap(), a.clone()), (lu.solve_transposed(&b).unwrap(), a.transpose())] {
        // N. Higham, Accuracy and Stability of Numerical Algorithms, theorem 9.4, for little growth.
        let bound = 20.0 * n as f64 * f64::EPSILON * a.amax() * x.amax() * n as f64;
        assert!((&a * &x - &b).amax() <= bound);
    }
}

#[test]
fn what_does_not_fit_is_refused_and_nothing_is_written() {
    let lu = DMatrix::<f64>::identity(3, 3);
    let solve = |lu: &DMatrix<f64>, ipiv: &[i64], rows: usize| {
        let mut b = DMatrix::<f64>::from_element(rows, 2, 7.0);
        let refused = solve(Transpose::No, lu, ipiv, &mut b, &Options::default());
        assert!(refused.is_ok() || b.iter().all(|&x| x == 7.0));
        refused
    };
    assert_eq!(solve(&lu, &[1, 2, 3], 3), Ok(()));
    assert_eq!(solve(&lu, &[3, 1, 1], 3), Ok(()), "rows above are LAPACK's to accept");
    assert_eq!(solve(&lu, &[1, 2, 3], 2), Err(Error::RightHandSide { expected: 3, found: 2 }));
    assert_eq!(solve(&lu, &[1, 2], 3), Err(Error::IpivLength { expected: 3, found: 2 }));
    assert_eq!(solve(&DMatrix::zeros(3, 2), &[1, 2], 3), Err(Error::NotSquare { m: 3, n: 2 }));
    for row in [0, 4, -1, i64::MIN, i64::MAX] {
        assert_eq!(solve(&lu, &[1, row, 3], 3), Err(Error::Pivot { index: 2, row, m: 3 }));
    }
}
