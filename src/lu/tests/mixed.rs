//! Systems in mixed precision.

use super::answers::Family;
use super::*;

/// max |b - A x| / (|A| |x|) in the infinity norm, over all columns.
fn normwise_backward_error(a: &DMatrix<f64>, x: &DMatrix<f64>, b: &DMatrix<f64>) -> f64 {
    let residual = b - a * x;
    let errors = residual.column_iter().zip(x.column_iter()).map(|(r, x)| r.amax() / x.amax());
    errors.fold(0.0, f64::max) / norm(Norm::Infinity, a)
}

#[test]
fn mixed_precision_is_as_good_as_f64_or_falls_back_to_it() {
    for (n, nrhs) in [(1, 1), (5, 2), (64, 1), (130, 3), (130, 9)] {
        for condition in [1.0, 1e3, 1e5, 1e11, 1e14] {
            let a = DMatrix::from_vec(n, n, Family::Conditioned(condition).matrix(n, 7));
            let b = DMatrix::from_vec(n, nrhs, matrix::<f64>(Kind::Uniform, n, nrhs, 8));
            let (mut factors, mut x, mut ipiv) = (a.clone(), DMatrix::zeros(n, nrhs), vec![0; n]);
            let mixed = gesv_mixed(&mut factors, &mut ipiv, &b, &mut x, &Options::default()).unwrap();
            assert_eq!(mixed.info, 0);
            if n > 1 {
                assert_eq!(
                    mixed.steps.is_some(),
                    condition < 1e6,
                    "n = {n}, condition number {condition:e}: {mixed:?}"
                );
            }
            match mixed.steps {
                Some(_) => {
                    assert_eq!(factors, a);
                    let bound = (n as f64).sqrt() * f64::EPSILON;
                    assert!(normwise_backward_error(&a, &x, &b) <= bound, "n = {n}, condition number {condition:e}");
                }
                None => {
                    let lu = Lu::new(a, &Options::default()).unwrap();
                    assert_eq!((&factors, &ipiv[..]), (lu.packed(), lu.ipiv()));
                    assert_eq!(lu.solve(&b).unwrap(), x);
                }
            }
        }
    }
}

#[test]
fn mixed_precision_falls_back_if_f32_cannot_hold_the_matrix() {
    let n = 20;
    let a = DMatrix::from_vec(n, n, matrix::<f64>(Kind::Uniform, n, n, 3));
    let b = DMatrix::from_element(n, 1, 1.0);
    for (scale, falls_back) in [(1.0, false), (1e10, false), (1e60, true), (1e-60, true), (f64::NAN, true)] {
        let (mut factors, mut x, mut ipiv) = (&a * scale, DMatrix::zeros(n, 1), vec![0; n]);
        let mixed = gesv_mixed(&mut factors, &mut ipiv, &b, &mut x, &Options::default()).unwrap();
        assert_eq!(mixed.steps.is_none(), falls_back, "{scale:e}");
        assert!(scale.is_nan() || normwise_backward_error(&(&a * scale), &x, &b) < 1e-14, "{scale:e}");
    }
    let mut singular = DMatrix::<f64>::from_element(3, 3, 1.0);
    let mut x = DMatrix::zeros(3, 1);
    let mixed = gesv_mixed(&mut singular, &mut [0; 3], &DMatrix::zeros(3, 1), &mut x, &Options::default()).unwrap();
    assert_eq!(mixed, Mixed { info: 2, steps: None });
}

#[test]
fn mixed_precision_has_the_same_bits_on_any_instruction_set_and_number_of_threads() {
    for (n, nrhs) in [(3, 1), (50, 2), (97, 7)] {
        let a = DMatrix::from_vec(n, n, matrix::<f64>(Kind::Uniform, n, n, 1));
        let b = DMatrix::from_vec(n, nrhs, matrix::<f64>(Kind::Uniform, n, nrhs, 2));
        let solve = |options: &Options| {
            let (mut x, mut ipiv) = (DMatrix::zeros(n, nrhs), vec![0; n]);
            let mixed = gesv_mixed(&mut a.clone(), &mut ipiv, &b, &mut x, options).unwrap();
            (mixed, ipiv, bits(x.as_slice()))
        };
        let expected = solve(&Options::new().isa(Isa::Portable));
        for isa in instruction_sets() {
            assert_eq!(solve(&Options::new().isa(isa).threads(2)), expected, "{isa:?} n = {n}");
        }
    }
}
