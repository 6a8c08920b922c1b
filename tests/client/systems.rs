//! Systems through the client: the bits of the library's own functions, with kept factors and without.

use nalgebra::{DMatrix, DVector};
use recfact::client::{Client, Error, Transport};
use recfact::protocol::WireElement;
use recfact::{
    Accuracy, Lu, MatrixMut, Mixed, Norm, Options, Pivoting, Refinement, Transpose, gesv_mixed, norm, solve,
};
use testing::{Float, bits};

use crate::harness::*;

const NORMS: [Norm; 2] = [Norm::One, Norm::Infinity];
const TRANSPOSES: [Transpose; 2] = [Transpose::No, Transpose::Yes];

/// A client with mapped memory, and one without.
fn clients() -> [Client; 2] {
    [true, false].map(|mapped| builder().mapped(mapped).spawn().unwrap())
}

/// The numbers of an accuracy, to be compared by their bits.
fn numbers(accuracy: &[Accuracy]) -> Vec<[u64; 3]> {
    accuracy.iter().map(|x| [x.backward.to_bits(), x.forward.to_bits(), x.steps.into()]).collect()
}

/// The refined solution of the library.
fn refined<T: WireElement + Float>(
    lu: &Lu<T>,
    transpose: Transpose,
    (a, b): (&DMatrix<T>, &DMatrix<T>),
    refinement: &Refinement,
) -> (DMatrix<T>, Vec<[u64; 3]>) {
    let mut x = b.clone();
    solve(transpose, lu.packed(), lu.ipiv(), &mut x, &Options::default()).unwrap();
    let accuracy = lu.refine(transpose, a, b, &mut x, refinement).unwrap();
    (x, numbers(&accuracy))
}

/// Kept factors give what [`Lu`] gives.
fn check_kept<T: WireElement + Float>(client: &Client, a: &DMatrix<T>, b: &DMatrix<T>, options: &Options) {
    let expected = Lu::new(a.clone(), options).unwrap();
    let kept = client.factor_with_a(a, options).unwrap();
    assert_eq!((kept.info(), kept.is_singular(), kept.order()), (0, false, a.nrows()));
    assert_eq!(bits(kept.solve(b).unwrap().as_slice()), bits(expected.solve(b).unwrap().as_slice()));
    let vector = DVector::from_column_slice(b.column(0).as_slice());
    let (x, y) = (kept.solve_transposed(&vector).unwrap(), expected.solve_transposed(&vector).unwrap());
    assert_eq!(bits(x.as_slice()), bits(y.as_slice()));
    for (transpose, refinement) in TRANSPOSES.into_iter().flat_map(|transpose| {
        let refinement = Refinement::new();
        [refinement, refinement.bounds(true), refinement.max_steps(0), refinement.max_steps(5000)]
            .map(|refinement| (transpose, refinement))
    }) {
        let mut x = b.clone();
        let accuracy = kept.solve_refined(transpose, &mut x, &refinement).unwrap();
        let (y, expected) = refined(&expected, transpose, (a, b), &refinement);
        assert_eq!((bits(x.as_slice()), numbers(&accuracy)), (bits(y.as_slice()), expected));
    }
    for of in NORMS {
        let rcond = kept.rcond(of).unwrap();
        assert_eq!(rcond.to_bits(), expected.rcond(of, norm(of, a)).unwrap().to_bits());
    }
    assert_eq!(kept.determinant().unwrap(), expected.determinant().unwrap());
    assert_eq!(bits(kept.inverse().unwrap().as_slice()), bits(expected.inverse().unwrap().as_slice()));
    kept.release().unwrap();
}

/// So do functions that keep nothing. B has numbers between its columns, which stay.
fn check_once<T: WireElement + Float>(client: &Client, a: &DMatrix<T>, b: &DMatrix<T>, options: &Options) {
    let (n, nrhs) = b.shape();
    let lu = Lu::new(a.clone(), options).unwrap();
    let padded = || DMatrix::from_fn(n + 2, nrhs, |i, j| if i < n { b[(i, j)] } else { T::from_f64(7.0) });
    let mut x = padded();
    let view = MatrixMut::from_slice(x.as_mut_slice(), n, nrhs, n + 2).unwrap();
    assert_eq!(client.gesv(a, view, options).unwrap(), 0);
    let mut expected = padded();
    expected.rows_mut(0, n).copy_from(&lu.solve(b).unwrap());
    assert_eq!(bits(x.as_slice()), bits(expected.as_slice()));
    for transpose in TRANSPOSES {
        let (mut x, refinement) = (b.clone(), Refinement::new().bounds(true));
        let (info, accuracy) = client.gesv_refined(transpose, a, &mut x, &refinement, options).unwrap();
        let (y, expected) = refined(&lu, transpose, (a, b), &refinement);
        assert_eq!((info, bits(x.as_slice()), numbers(&accuracy)), (0, bits(y.as_slice()), expected));
    }
    for of in NORMS {
        let expected = lu.rcond(of, norm(of, a)).unwrap();
        assert_eq!(client.rcond(of, a, options).unwrap().to_bits(), expected.to_bits());
    }
    assert_eq!(client.determinant(a, options).unwrap(), lu.determinant().unwrap());
    let mut inverse = a.clone();
    assert_eq!(client.inverse(&mut inverse, options).unwrap(), 0);
    assert_eq!(bits(inverse.as_slice()), bits(lu.inverse().unwrap().as_slice()));
}

fn all_sizes<T: WireElement + Float>() {
    for (client, transport) in clients().iter().zip([true, false]) {
        for (at, n) in [0, 1, 2, 33, 200].into_iter().enumerate() {
            let (a, b) = (random::<T>(n, n), random::<T>(n, 1 + 2 * at));
            let options = Options::new().threads(1 + at % 2);
            check_kept(client, &a, &b, &options);
            check_once(client, &a, &b, &options);
        }
        let (a, options) = (random::<T>(20, 20), Options::new().pivoting(Pivoting::None));
        check_kept(client, &a, &random(20, 2), &options);
        assert_eq!(client.transport() == Transport::Mapped, transport);
    }
}

#[test]
fn every_result_in_double_precision_has_the_bits_of_the_library() {
    all_sizes::<f64>();
}

#[test]
fn every_result_in_single_precision_has_the_bits_of_the_library() {
    all_sizes::<f32>();
}

#[test]
fn mixed_precision_goes_the_way_of_the_library() {
    let hilbert = DMatrix::from_fn(12, 12, |i, j| 1.0 / (i + j + 1) as f64);
    for client in clients() {
        for a in [random(100, 100), hilbert.clone(), random(0, 0)] {
            let b = random(a.nrows(), 2);
            let (mut copy, mut ipiv, mut expected) = (a.clone(), vec![0; a.nrows()], b.clone());
            let mixed = gesv_mixed(&mut copy, &mut ipiv, &b, &mut expected, &Options::default()).unwrap();
            assert_eq!(mixed.steps.is_none(), a.nrows() == 12, "both ways are taken");
            let mut x = b.clone();
            assert_eq!(client.gesv_mixed(&a, &mut x, &Options::default()).unwrap(), mixed);
            assert_eq!(bits(x.as_slice()), bits(expected.as_slice()));
        }
        let unpivoted = Options::new().pivoting(Pivoting::None);
        let error = client.gesv_mixed(&hilbert, &mut random(12, 1), &unpivoted).unwrap_err();
        assert!(matches!(error, Error::Refused { code: 6, message: Some(_), .. }), "{error}");
    }
}

#[test]
fn a_singular_matrix_is_told_by_info_and_the_memory_of_the_caller_stays() {
    let singular = |error| matches!(error, Error::Argument(recfact::Error::Singular { index: 2 }));
    for client in clients() {
        for (pivoting, info) in [(Pivoting::Partial, 2), (Pivoting::None, -2)] {
            let (a, b, options) = (DMatrix::from_element(3, 3, 1.0), random(3, 2), Options::new().pivoting(pivoting));
            let kept = client.factor_with_a(&a, &options).unwrap();
            assert_eq!((kept.info(), kept.is_singular()), (info, true));
            let mut x = b.clone();
            assert!(singular(kept.solve(&b).unwrap_err()) && singular(kept.inverse().unwrap_err()));
            assert!(singular(kept.solve_refined(Transpose::No, &mut x, &Refinement::new()).unwrap_err()));
            assert_eq!((kept.determinant().unwrap().value(), kept.rcond(Norm::One).unwrap()), (0.0, 0.0));

            assert_eq!(client.gesv(&a, &mut x, &options).unwrap(), info);
            let refinement = Refinement::new().bounds(true);
            let (got, accuracy) = client.gesv_refined(Transpose::Yes, &a, &mut x, &refinement, &options).unwrap();
            assert_eq!((got, &accuracy[..]), (info, &[Accuracy::UNKNOWN; 2][..]));
            let mut place = a.clone();
            assert_eq!(client.inverse(&mut place, &options).unwrap(), info);
            assert!(place == a && x == b, "nothing was written");
            assert_eq!(client.determinant(&a, &options).unwrap().value(), 0.0);
        }
        let (a, mut x) = (DMatrix::from_element(3, 3, 1.0), random(3, 1));
        assert_eq!(client.gesv_mixed(&a, &mut x, &Options::default()).unwrap(), Mixed { info: 2, steps: None });
        assert!(x == random(3, 1) && works(&client));
    }
}

#[test]
fn a_matrix_larger_than_a_pipe_goes_through_whole() {
    let (a, b) = (random::<f64>(700, 700), random(700, 40));
    let expected = Lu::new(a.clone(), &Options::default()).unwrap().solve(&b).unwrap();
    for client in clients() {
        let kept = client.factor(&a, &Options::new().threads(2)).unwrap();
        let mut x = b.clone();
        kept.solve_in_place(Transpose::No, &mut x).unwrap();
        assert!(x == expected);
        let mut x = b.clone();
        client.gesv(&a, &mut x, &Options::new().threads(2)).unwrap();
        assert!(x == expected);
    }
}

#[test]
fn a_pool_has_the_same_functions() {
    let (a, b, options) = (random::<f64>(9, 9), random(9, 2), Options::default());
    let lu = Lu::new(a.clone(), &options).unwrap();
    for mapped in [true, false] {
        let pool = builder().mapped(mapped).pool(2);
        let (plain, kept) = (pool.factor(&a, &options).unwrap(), pool.factor_with_a(&a, &options).unwrap());
        assert_eq!(plain.solve(&b).unwrap(), lu.solve(&b).unwrap());
        let refinement = Refinement::new();
        let (expected, _) = refined(&lu, Transpose::No, (&a, &b), &refinement);
        let [mut x, mut y, mut z, mut mixed] = [(); 4].map(|()| b.clone());
        kept.solve_refined(Transpose::No, &mut x, &refinement).unwrap();
        pool.gesv_refined(Transpose::No, &a, &mut y, &refinement, &options).unwrap();
        pool.gesv(&a, &mut z, &options).unwrap();
        assert!(x == expected && y == expected && z == lu.solve(&b).unwrap());
        assert!(pool.gesv_mixed(&a, &mut mixed, &options).unwrap().steps.is_some());
        assert_eq!(pool.rcond(Norm::One, &a, &options).unwrap(), plain.rcond(Norm::One).unwrap());
        assert_eq!(pool.determinant(&a, &options).unwrap(), lu.determinant().unwrap());
        let mut inverse = a.clone();
        pool.inverse(&mut inverse, &options).unwrap();
        assert_eq!(inverse, lu.inverse().unwrap());
    }
}

#[test]
fn arguments_that_do_not_fit_are_refused_before_anything_is_sent() {
    let (client, options) = (client(), Options::default());
    let (a, wide) = (random::<f64>(4, 4), random::<f64>(4, 5));
    let kept = client.factor(&a, &options).unwrap();
    let argument = |error| matches!(error, Error::Argument(_));
    assert!(argument(client.factor(&wide, &options).unwrap_err()));
    assert!(argument(client.determinant(&wide, &options).unwrap_err()));
    assert!(argument(client.inverse(&mut wide.clone(), &options).unwrap_err()));
    assert!(argument(client.gesv(&a, &mut random::<f64>(5, 1), &options).unwrap_err()));
    assert!(argument(kept.solve(&random::<f64>(3, 1)).unwrap_err()));
    let error = kept.solve_refined(Transpose::No, &mut random::<f64>(4, 1), &Refinement::new()).unwrap_err();
    assert!(matches!(&error, Error::Refused { code: 11, .. }) && error.to_string().contains("without A"), "{error}");
    assert!(kept.solve(&random::<f64>(4, 1)).is_ok());
}
