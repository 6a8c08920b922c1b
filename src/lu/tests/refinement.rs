//! What may be asked of a refinement.

use super::*;

#[test]
fn larger_systems_in_single_precision_have_bounds_too() {
    for (n, most) in [(60, 1e-6), (150, 1e-5), (400, 1e-4)] {
        let a = DMatrix::from_vec(n, n, matrix::<f32>(Kind::Uniform, n, n, 3));
        let b = DVector::from_vec(matrix::<f32>(Kind::Uniform, n, 1, 4));
        let refinement = Refinement::new().bounds(true);
        let lu = Lu::new(a.clone(), &Options::default()).unwrap();
        let mut x = lu.solve(&b).unwrap();
        let accuracy = lu.refine(Transpose::No, &a, &b, &mut x, &refinement).unwrap()[0];

        let (a, b) = (a.cast::<f64>(), b.cast::<f64>());
        let lu = Lu::new(a.clone(), &Options::default()).unwrap();
        let mut expected = lu.solve(&b).unwrap();
        let known = lu.refine(Transpose::No, &a, &b, &mut expected, &refinement).unwrap()[0];
        let error = (x.cast::<f64>() - &expected).amax() / expected.amax();
        assert!(error <= accuracy.forward && accuracy.forward < most, "n = {n}: {accuracy:?}, error {error:e}");
        assert!(known.forward <= 2.0_f64.powi(-51), "n = {n}: {known:?}");
    }
}

#[test]
fn a_refinement_that_is_not_judged_gives_the_same_solution() {
    let n = 60;
    let a = DMatrix::from_vec(n, n, matrix::<f64>(Kind::Uniform, n, n, 3));
    let b = DMatrix::from_vec(n, 20, matrix::<f64>(Kind::Uniform, n, 20, 4));
    let lu = Lu::new(a.clone(), &Options::default()).unwrap();
    let refined = |refinement: Refinement| {
        let mut x = lu.solve(&b).unwrap();
        let accuracy = lu.refine(Transpose::No, &a, &b, &mut x, &refinement).unwrap();
        (x, accuracy)
    };
    let (expected, judged) = refined(Refinement::new());
    let (x, accuracy) = refined(Refinement::new().judged(false));
    assert_eq!(bits(x.as_slice()), bits(expected.as_slice()));
    for (accuracy, judged) in accuracy.iter().zip(&judged) {
        assert_eq!((accuracy.steps, accuracy.backward, judged.steps), (1, f64::INFINITY, 1));
        assert!(judged.backward < 1e-16);
    }
    let bounded = refined(Refinement::new().judged(false).bounds(true));
    assert_eq!((bits(bounded.0.as_slice()), bounded.1), {
        let (x, accuracy) = refined(Refinement::new().bounds(true));
        (bits(x.as_slice()), accuracy)
    });
}

#[test]
fn bounds_for_rounded_data_are_told_for_every_regular_matrix() {
    for (kind, n) in [(Kind::Uniform, 20), (Kind::Hilbert, 12), (Kind::Hilbert, 15), (Kind::Uniform, 60)] {
        let a = DMatrix::from_vec(n, n, matrix::<f64>(kind, n, n, 3));
        let b = DVector::from_element(n, 1.0);
        let lu = Lu::new(a.clone(), &Options::default()).unwrap();
        let bound = |refinement: Refinement| {
            let mut x = lu.solve(&b).unwrap();
            lu.refine(Transpose::No, &a, &b, &mut x, &refinement.bounds(true)).unwrap()[0].forward
        };
        let (sharp, classic) = (bound(Refinement::new()), bound(Refinement::new().rounded_data(true)));
        // |A^-1| |A| |x| is at least |x|.
        assert!(classic >= (n + 1) as f64 * 2.0_f64.powi(-54) && classic.is_finite(), "{kind:?}, {n}: {classic:e}");
        assert!(sharp < classic || sharp == f64::INFINITY, "{kind:?}, {n}: {sharp:e}, {classic:e}");
    }
}
