//! The factorization against the naive triple loop, bit by bit, with the recursion forced down to small panels.

mod answers;
mod batch;
mod exhaustive;
mod inverse;
mod mixed;
mod monitored;
mod out_of_place;
mod refinement;
mod solve;
mod tall;

use nalgebra::{DMatrix, DVector, Matrix3, Vector3};
use proptest::prelude::*;
use testing::{Float, KINDS, Kind, Naive, Random, bits, matrix, naive_lu, residual, residual_bound};

use super::blocked::Blocking;
use super::factor::{Cut, factor_cut};
use super::recursion::Recursion;
use super::*;
use crate::element::{Element, kernels};
use crate::error::Error;
use crate::kernel::{Crew, Isa, Kernels, Tuning};
use crate::matrix::{Layout, MatrixMut, MatrixRef};
use crate::options::{Norm, Options, Transpose};
use crate::pivoting::Pivoting;

/// The kernels of an instruction set with narrow panels, so that small matrices recurse, and with small cache blocks,
/// so that their seams run through small matrices. A crew divides all that has two rows or columns. It takes memory for good.
fn narrow<T: Element>(kernels: &Kernels<T>, nb: usize) -> Kernels<T> {
    let nb = nb.min(kernels.nb);
    let crew = Crew { panel_bytes: 0, rows: 1, columns: 1, ..kernels.tuning.crew };
    let tuning = Box::leak(Box::new(Tuning { crew, ..*kernels.tuning }));
    Kernels { nb, mc: kernels.mr, kc: 2 * nb, small: 0, tuning, ..*kernels }
}

/// Who cuts a matrix.
#[derive(Debug, Clone, Copy)]
enum Way {
    /// The library, as it ships.
    Chosen,
    /// Blocks of this many columns.
    Blocks(usize),
    /// A crew.
    Rows,
}

/// The instruction sets of this CPU, which the tests find independently of the library.
fn instruction_sets() -> impl Iterator<Item = Isa> {
    let named = |name: &&str| Isa::ALL.into_iter().find(|isa| isa.name() == *name).expect("a name of the library");
    testing::instruction_sets().iter().map(named)
}

#[test]
fn the_library_finds_every_instruction_set_of_this_cpu() {
    assert_eq!(Isa::available(), instruction_sets().collect::<Vec<_>>());
    assert_eq!(Isa::ALL.map(Isa::name), testing::INSTRUCTION_SETS);
}

/// What stands between the columns: a signalling value that arithmetic would change.
const PADDING: f64 = -777.25;

/// A case: the matrix, how it lies in memory, and how it is factored.
#[derive(Debug, Clone, Copy)]
struct Case {
    kind: Kind,
    m: usize,
    n: usize,
    pad: usize,
    /// The width of a panel; `None` for the block sizes as they ship.
    nb: Option<usize>,
    threads: usize,
    way: Way,
    pivoting: bool,
    seed: u64,
}

/// Factors with every instruction set and compares with the naive loop: factors, swaps, info, padding.
fn check<T: Element + Float>(case: Case) {
    let Case { kind, m, n, pivoting, seed, .. } = case;
    let a: Vec<T> = matrix(kind, m, n, seed);
    check_matrix(&a, case);
    let naive = naive_lu(&a, m, n, pivoting);
    if pivoting && kind.is_stable() {
        let (error, bound) = (residual(&a, &naive.lu, &naive.ipiv, m, n), residual_bound(&a, m, n));
        assert!(error <= bound, "residual {error:e} over {bound:e}: {case:?}");
        for j in 0..m.min(n) {
            let l = &naive.lu[(j + 1).min(m) + j * m..(j + 1) * m];
            assert!(l.iter().all(|&x| Float::abs(x) <= <T as Float>::ONE), "|L| > 1: {case:?}");
        }
    }
}

/// As [`check`], for a matrix that is given; bits alone.
fn check_matrix<T: Element + Float>(a: &[T], case: Case) {
    compare(a, &naive_lu(a, case.m, case.n, case.pivoting), case);
}

/// As [`check_matrix`], where the naive factors are known.
fn compare<T: Element + Float>(a: &[T], naive: &Naive<T>, case: Case) {
    let Case { m, n, pad, nb, threads, way, pivoting, .. } = case;
    for isa in instruction_sets() {
        let lda = m + pad;
        let padding = T::from_f64(PADDING);
        // Not at a vector's or a cache line's beginning either.
        let mut memory = vec![padding; pad + lda * n];
        let data = &mut memory[pad..];
        for j in 0..n {
            data[j * lda..j * lda + m].copy_from_slice(&a[j * m..(j + 1) * m]);
        }
        let shipped = kernels::<T>(isa).unwrap();
        let kernels = nb.map_or(Kernels { ..*shipped }, |nb| narrow(shipped, nb));
        let pivoting = if pivoting { Pivoting::Partial } else { Pivoting::None };
        let mut ipiv = vec![-1; m.min(n)];
        let view = MatrixMut::from_slice(data, m, n, lda).unwrap();
        let cut = match way {
            Way::Chosen => Cut::choose(m, n, threads, &kernels),
            Way::Blocks(width) => Cut::Blocks(Blocking { width, threads }),
            Way::Rows => Cut::Rows(threads),
        };
        let recursion = Recursion { kernels: &kernels, pivoting, monitor: None, crew: None };
        let info = factor_cut(&recursion, view, &mut ipiv, cut);

        assert_eq!(ipiv, naive.ipiv, "ipiv: {isa:?} {case:?}");
        assert_eq!(info, naive.info, "info: {isa:?} {case:?}");
        for j in 0..n {
            let column = &data[j * lda..(j + 1) * lda];
            assert_eq!(bits(&column[..m]), bits(&naive.lu[j * m..(j + 1) * m]), "column {j}: {isa:?} {case:?}");
            assert!(column[m..].iter().all(|&x| x == padding), "padding of column {j}: {isa:?} {case:?}");
        }
        assert!(memory[..pad].iter().all(|&x| x == padding), "before the matrix: {isa:?} {case:?}");
    }
}

fn case(m: impl Strategy<Value = usize>, n: impl Strategy<Value = usize>) -> impl Strategy<Value = Case> {
    let nb = prop::sample::select(vec![Some(1), Some(2), Some(3), Some(8), None]);
    let threads = prop::sample::select(vec![1, 2, 3, 8]);
    let ways = [Way::Chosen, Way::Chosen, Way::Blocks(1), Way::Blocks(4), Way::Blocks(9), Way::Rows, Way::Rows];
    let way = prop::sample::select(ways.to_vec());
    (prop::sample::select(KINDS.to_vec()), m, n, 0..4usize, nb, threads, way, any::<bool>(), any::<u64>()).prop_map(
        |(kind, m, n, pad, nb, threads, way, pivoting, seed)| Case {
            kind,
            m,
            n,
            pad,
            nb,
            threads,
            way,
            pivoting,
            seed,
        },
    )
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 3000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn small_factors_are_the_naive_ones_to_the_bit_f64(case in case(0..40usize, 0..40usize)) {
        check::<f64>(case);
    }

    #[test]
    fn small_factors_are_the_naive_ones_to_the_bit_f32(case in case(0..40usize, 0..40usize)) {
        check::<f32>(case);
    }
}

/// The block sizes as they ship, in shapes around them.
#[test]
fn larger_factors_are_the_naive_ones_to_the_bit() {
    let shapes = [
        (64, 64),
        (65, 63),
        (100, 100),
        (127, 129),
        (200, 100),
        (100, 200),
        (257, 255),
        (300, 40),
        (40, 300),
        (600, 570),
    ];
    for (seed, (m, n)) in (1..).zip(shapes) {
        for pivoting in [true, false] {
            let case =
                Case { kind: Kind::Uniform, m, n, pad: 3, nb: None, threads: 2, way: Way::Chosen, pivoting, seed };
            check::<f64>(case);
            check::<f32>(case);
        }
    }
}

#[test]
fn nan_and_inf_in_every_position_spread_as_in_the_naive_loop() {
    not_finite_anywhere::<f64>();
    not_finite_anywhere::<f32>();
}

fn not_finite_anywhere<T: Element + Float>() {
    for (m, n) in [(5, 5), (4, 7), (7, 4)] {
        for at in 0..m * n {
            for bad in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
                for (kind, pivoting) in [(Kind::Uniform, true), (Kind::Uniform, false), (Kind::Ties, true)] {
                    let case = Case {
                        kind,
                        m,
                        n,
                        pad: 1,
                        nb: Some(2),
                        threads: 2,
                        way: Way::Blocks(2),
                        pivoting,
                        seed: at as u64,
                    };
                    let mut a: Vec<T> = matrix(kind, m, n, case.seed);
                    a[at] = T::from_f64(bad);
                    check_matrix(&a, case);
                    for &row in &naive_lu(&a, m, n, pivoting).ipiv {
                        assert!((1..=m as i64).contains(&row));
                    }
                }
            }
        }
    }
}

#[test]
fn a_matrix_of_nan_alone_keeps_its_rows_in_place() {
    let mut a = DMatrix::from_element(3, 3, f64::NAN);
    let mut ipiv = [0; 3];
    assert_eq!(factor(&mut a, &mut ipiv, &Options::default()), Ok(0));
    assert_eq!(ipiv, [1, 2, 3]);
}

#[test]
fn a_zero_column_reports_its_index_and_the_factorization_goes_on() {
    let a = DMatrix::from_row_slice(3, 3, &[2.0, 0.0, 1.0, 4.0, 0.0, 1.0, 8.0, 0.0, 4.0]);
    let lu = Lu::new(a.clone(), &Options::default()).unwrap();
    assert_eq!(lu.info(), 2);
    assert!(lu.is_singular());
    assert_eq!(lu.l().unwrap() * lu.u().unwrap(), a.select_rows(&lu.permutation().unwrap()));
    assert_eq!(lu.solve(&DMatrix::zeros(3, 1)), Err(Error::Singular { index: 2 }));
    assert_eq!(lu.det(), Ok(0.0));
}

#[test]
fn without_pivoting_a_zero_pivot_is_negative_and_ipiv_counts_up() {
    let lu = Lu::new(
        DMatrix::from_row_slice(2, 3, &[0.0, 1.0, 2.0, 3.0, 4.0, 5.0]),
        &Options::new().pivoting(Pivoting::None),
    )
    .unwrap();
    assert_eq!((lu.info(), lu.ipiv()), (-1, &[1, 2][..]));
}

/// The reciprocal of such a pivot is infinite.
#[test]
fn a_subnormal_pivot_divides_and_does_not_overflow() {
    let tiny = 5e-324;
    let lu = Lu::new(DMatrix::from_column_slice(2, 1, &[2.0 * tiny, tiny]), &Options::default()).unwrap();
    assert_eq!(lu.packed().as_slice(), [2.0 * tiny, 0.5]);
    let tiny = f32::from_bits(1);
    let lu = Lu::new(DMatrix::from_column_slice(2, 1, &[4.0 * tiny, tiny]), &Options::default()).unwrap();
    assert_eq!(lu.packed().as_slice(), [4.0 * tiny, 0.25]);
}

#[test]
fn of_equal_magnitudes_the_first_row_is_the_pivot() {
    let lu = Lu::new(DMatrix::from_column_slice(3, 1, &[1.0, -2.0, 2.0]), &Options::default()).unwrap();
    assert_eq!(lu.ipiv(), [2]);
}

#[test]
fn wilkinson_growth_is_exact_while_it_is_an_integer() {
    let n = 30;
    let a: Vec<f64> = matrix(Kind::Wilkinson, n, n, 0);
    let lu = Lu::new(DMatrix::from_column_slice(n, n, &a), &Options::default()).unwrap();
    assert_eq!(lu.packed()[(n - 1, n - 1)], 2.0_f64.powi(n as i32 - 1));
    assert_eq!(residual(&a, lu.packed().as_slice(), lu.ipiv(), n, n), 0.0);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, failure_persistence: None, ..ProptestConfig::default() })]

    /// Columns of one dominant element each, in any order of rows: the pivots are known and the problem is well
    /// conditioned, so that two stable algorithms may differ by a few roundings an element only.
    #[test]
    fn well_conditioned_factors_agree_with_nalgebra(m in 1..40usize, n in 1..40usize, seed in any::<u64>()) {
        let mut random = Random::new(seed);
        let mut order: Vec<usize> = (0..m).collect();
        (1..m).for_each(|i| order.swap(i, random.below(i + 1)));
        let dominant = 2.0 * m.max(n) as f64;
        let a = DMatrix::from_fn(m, n, |i, j| random.unit() + if order.get(j) == Some(&i) { dominant } else { 0.0 });
        let lu = Lu::new(a.clone(), &Options::default()).unwrap();
        let theirs = a.clone().lu();
        let bound = 20.0 * m.max(n) as f64 * f64::EPSILON * a.amax();
        prop_assert!((lu.u().unwrap() - theirs.u()).amax() <= bound);
        prop_assert!((lu.l().unwrap() - theirs.l()).amax() <= bound);
        if m == n {
            let b = DMatrix::from_fn(n, 3, |_, _| random.unit());
            let x = lu.solve(&b).unwrap();
            prop_assert!((&a * &x - &b).amax() <= bound);
            let (det, expected) = (lu.det().unwrap(), theirs.determinant());
            prop_assert!((det - expected).abs() <= bound * expected.abs());
        }
    }
}

#[test]
fn matrices_of_any_storage_and_vectors_are_taken() {
    let a = Matrix3::new(4.0, 3.0, 1.0, 6.0, 3.0, 2.0, 1.0, 1.0, 5.0);
    let whole = DMatrix::from_column_slice(3, 3, a.as_slice());
    let expected = Lu::new(whole.clone(), &Options::default()).unwrap();
    let (mut fixed, mut ipiv) = (a, [0; 3]);
    assert_eq!(factor(&mut fixed, &mut ipiv, &Options::default()), Ok(0));
    assert_eq!((fixed.as_slice(), &ipiv[..]), (expected.packed().as_slice(), expected.ipiv()));

    let b = DVector::from_vec(vec![1.0, 2.0, 3.0]);
    let x: DVector<f64> = expected.solve(&b).unwrap();
    assert_eq!(expected.solve(&DMatrix::from_column_slice(3, 1, b.as_slice())).unwrap().as_slice(), x.as_slice());
    assert_eq!(expected.solve(&DMatrix::from_fn(3, 4, |i, _| b[i]).column(2)).unwrap(), x);
    let mut in_place = Vector3::new(1.0, 2.0, 3.0);
    assert_eq!(solve(Transpose::No, &fixed, &ipiv, &mut in_place, &Options::default()), Ok(()));
    assert_eq!(in_place.as_slice(), x.as_slice());

    let (lu, ipiv, info) = expected.clone().into_parts();
    assert_eq!(Lu::from_parts(lu, ipiv, info), Ok(expected));
}

#[test]
fn empty_matrices_are_legal() {
    for (m, n) in [(0, 0), (0, 5), (5, 0)] {
        let lu = Lu::new(DMatrix::<f64>::zeros(m, n), &Options::default()).unwrap();
        assert_eq!(
            (lu.info(), lu.ipiv().len(), lu.l().unwrap().shape(), lu.u().unwrap().shape()),
            (0, 0, (m, 0), (0, n))
        );
    }
    assert_eq!(Lu::new(DMatrix::<f64>::zeros(0, 0), &Options::default()).unwrap().det(), Ok(1.0));
}

/// A leading dimension says nothing where there is no element, however large it is.
#[test]
fn views_without_elements_are_safe() {
    for (m, n) in [(0, 2), (0, 5), (3, 0)] {
        let mut none: [f64; 0] = [];
        let mut view = MatrixMut::from_slice(&mut none, m, n, usize::MAX).unwrap();
        assert!((0..n).all(|j| view.col_mut(j).is_empty()));
        let (left, right) = view.reborrow().split_at_col(n.min(1));
        assert_eq!((left.nrows(), right.ncols()), (m, n - n.min(1)));
        assert_eq!(factor(view, &mut [], &Options::default()), Ok(0));
    }
}

#[test]
fn wrong_arguments_are_refused_by_name_and_nothing_is_written() {
    let mut data = [3.0, 1.0, 2.0, 4.0];
    let mut ipiv = [9; 1];
    let view = MatrixMut::from_slice(&mut data, 2, 2, 2).unwrap();
    let refused = factor(view, &mut ipiv, &Options::default());
    assert_eq!(refused, Err(Error::IpivLength { expected: 2, found: 1 }));
    assert_eq!((data, ipiv), ([3.0, 1.0, 2.0, 4.0], [9]));

    let error = |m, n, lda| MatrixMut::from_slice(&mut [0.0; 4], m, n, lda).unwrap_err();
    assert_eq!(error(3, 1, 2), Error::LeadingDimension { m: 3, lda: 2 });
    assert_eq!(error(2, 3, 2), Error::SliceTooShort { expected: Some(6), found: 4 });
    assert_eq!(error(1, usize::MAX, usize::MAX), Error::SliceTooShort { expected: None, found: 4 });

    let wide = Lu::new(DMatrix::<f64>::zeros(2, 3), &Options::default()).unwrap();
    assert_eq!(wide.det(), Err(Error::NotSquare { m: 2, n: 3 }));
    let square = Lu::new(DMatrix::<f64>::identity(2, 2), &Options::default()).unwrap();
    assert_eq!(square.solve(&DMatrix::zeros(3, 1)), Err(Error::RightHandSide { expected: 2, found: 3 }));
    let forged = Lu::from_parts(DMatrix::<f64>::identity(2, 2), vec![2, 1], 0);
    assert_eq!(forged, Err(Error::Pivot { index: 2, row: 1, m: 2 }));
    let forged = Lu::from_parts(DMatrix::<f64>::identity(2, 2), vec![1, 2], 3);
    assert_eq!(forged, Err(Error::Info { info: 3, k: 2 }));
}
