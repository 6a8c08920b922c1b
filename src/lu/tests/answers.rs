//! Condition numbers, refined solutions and the bounds of their errors, compared with exact arithmetic.

use testing::exact::{self, Exact, backward_error, exact, float, relative_error};

use super::*;

/// A family of matrices that are hard to solve with, each of any order.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Family {
    Kind(Kind),
    /// Powers of numbers from 0 to 1.
    Vandermonde,
    /// Upper triangular, with pivots that fall slowly while the matrix becomes singular.
    Kahan,
    /// Random with singular values from 1 down to the reciprocal of this condition number.
    Conditioned(f64),
}

fn families() -> Vec<Family> {
    let kinds = [Kind::Uniform, Kind::Graded, Kind::Hilbert, Kind::Wilkinson].map(Family::Kind);
    let mut families: Vec<_> = [Family::Vandermonde, Family::Kahan].into_iter().chain(kinds).collect();
    families.extend((0..=18).step_by(2).map(|digits| Family::Conditioned(10.0_f64.powi(digits))));
    families
}

impl Family {
    /// The matrix of order n, in f64.
    pub(super) fn matrix(self, n: usize, seed: u64) -> Vec<f64> {
        match self {
            Family::Kind(kind) => matrix(kind, n, n, seed),
            Family::Vandermonde => {
                (0..n * n).map(|at| (((at % n) as f64 + 0.5) / n as f64).powi((at / n) as i32)).collect()
            }
            Family::Kahan => (0..n * n)
                .map(|at| {
                    let (i, j) = (at % n, at / n);
                    let (sine, cosine) = 1.2_f64.sin_cos();
                    sine.powi(i as i32)
                        * if i == j {
                            1.0
                        } else if i < j {
                            -cosine
                        } else {
                            0.0
                        }
                })
                .collect(),
            Family::Conditioned(condition) => {
                let mut random = Random::new(seed);
                let step = 1.0 / (n.max(2) - 1) as f64;
                let mut a = DMatrix::from_diagonal(&DVector::from_fn(n, |i, _| condition.powf(-step * i as f64)));
                for _ in 0..2 {
                    // A reflection on either side.
                    let v = DVector::from_fn(n, |_, _| random.unit()).normalize();
                    let w = DVector::from_fn(n, |_, _| random.unit()).normalize();
                    a = &a - &v * (v.transpose() * &a) * 2.0;
                    a = &a - (&a * &w) * w.transpose() * 2.0;
                }
                a.as_slice().to_vec()
            }
        }
    }
}

/// A system of order n with its solution in exact arithmetic.
struct Known<T: Element> {
    a: Vec<T>,
    b: Vec<T>,
    n: usize,
    exact_a: Exact,
    x: Exact,
    inverse: Exact,
}

impl<T: Element + Float> Known<T> {
    /// `None` if the matrix is singular once its elements are rounded to this type.
    fn new(a: &[f64], n: usize, seed: u64) -> Option<Self> {
        let a: Vec<T> = a.iter().map(|&x| T::from_f64(x)).collect();
        let b: Vec<T> = matrix(Kind::Uniform, n, 1, seed + 1);
        let exact_a = exact(&a);
        let inverse = exact::inverse(&exact_a, n)?;
        let x = exact::solve(&exact_a, n, &exact(&b))?;
        Some(Known { a, b, n, exact_a, x, inverse })
    }

    fn matrix(&self) -> DMatrix<T> {
        DMatrix::from_vec(self.n, self.n, self.a.clone())
    }

    /// The condition number in the 1-norm.
    fn condition(&self) -> f64 {
        float(&(exact::norm1(&self.exact_a, self.n) * exact::norm1(&self.inverse, self.n)))
    }
}

/// How much the figures of the tests differ from what they are compared with.
#[derive(Debug, Default)]
struct Seen {
    systems: usize,
    bounded: usize,
    far_off: usize,
}

fn answers_of_known_systems<T: Element + Float>(orders: &[usize]) {
    let unit = <T as Float>::EPSILON / 2.0;
    let mut seen = Seen::default();
    for (number, &n) in orders.iter().enumerate() {
        for family in families() {
            let seed = number as u64;
            let Some(known) = Known::<T>::new(&family.matrix(n, seed), n, seed) else { continue };
            let lu = Lu::new(known.matrix(), &Options::default()).unwrap();
            if lu.is_singular() {
                continue;
            }
            let name = format!("{family:?}, n = {n}");
            let condition = known.condition();
            seen.systems += 1;

            // The reciprocal condition number.
            let rcond = lu.rcond(Norm::One, norm(Norm::One, &known.matrix())).unwrap();
            if condition * unit * (n as f64) < 0.05 {
                let ratio = rcond * condition;
                assert!((0.8..10.0).contains(&ratio), "{name}: rcond {rcond:e}, condition number {condition:e}");
                seen.far_off += usize::from(ratio > 3.0);
            } else {
                assert!(rcond < 100.0 * (n as f64) * unit, "{name}: rcond {rcond:e}, condition number {condition:e}");
            }

            // A solution as it is, and refined.
            let b = DVector::from_vec(known.b.clone());
            let plain = lu.solve(&b).unwrap();
            for max_steps in [0, 30] {
                let refinement = Refinement::new().max_steps(max_steps).bounds(true);
                let mut x = plain.clone();
                let accuracy = lu.refine(Transpose::No, &known.matrix(), &b, &mut x, &refinement).unwrap()[0];
                let exact_x = exact(x.as_slice());
                let backward = backward_error(&known.exact_a, n, &exact_x, &exact(&known.b));
                assert!(
                    (backward - accuracy.backward).abs() <= 1e-3 * backward + 1e-3 * unit,
                    "{name}: {backward:e}, {accuracy:?}"
                );
                let error = relative_error(&exact_x, &known.x);
                assert!(
                    error <= accuracy.forward,
                    "{name}: error {error:e}, {accuracy:?}, condition number {condition:e}"
                );
                assert!(accuracy.steps <= max_steps && (max_steps > 0 || x == plain));
                let is_certain = condition * unit * (n as f64) < 0.01 && family != Family::Kind(Kind::Wilkinson);
                seen.bounded += usize::from(accuracy.forward.is_finite());
                assert!(
                    !is_certain || accuracy.forward.is_finite(),
                    "{name}: {accuracy:?}, condition number {condition:e}"
                );
                if is_certain && max_steps > 0 {
                    // As if computed in twice the precision, and the bound says so.
                    assert!(accuracy.backward <= 2.0 * unit, "{name}: {accuracy:?}");
                    assert!(accuracy.forward <= 4.0 * unit, "{name}: {accuracy:?}, condition number {condition:e}");
                }
            }
        }
    }
    assert!(seen.far_off * 20 <= seen.systems && seen.bounded > seen.systems, "{seen:?}");
    eprintln!("{seen:?}");
}

/// Orders on either side of the one up to which condition numbers are exact.
const ORDERS: [usize; 7] = [1, 2, 3, 5, 8, 12, 34];

#[test]
fn answers_are_as_good_as_they_say_f64() {
    answers_of_known_systems::<f64>(&ORDERS);
}

#[test]
fn answers_are_as_good_as_they_say_f32() {
    answers_of_known_systems::<f32>(&ORDERS);
}

fn scaled_systems<T: Element + Float>(exponent: i32) {
    let n = 9;
    let known = Known::<T>::new(&matrix(Kind::Uniform, n, n, 3), n, 3).unwrap();
    let refinement = Refinement::new().bounds(true);
    let solve = |scale_a: T, scale_b: T| {
        let scaled = |x: &[T], scale| x.iter().map(|x| Float::mul(*x, scale)).collect::<Vec<_>>();
        let a = DMatrix::from_vec(n, n, scaled(&known.a, scale_a));
        let b = DVector::from_vec(scaled(&known.b, scale_b));
        let lu = Lu::new(a.clone(), &Options::default()).unwrap();
        let mut x = lu.solve(&b).unwrap();
        let accuracy = lu.refine(Transpose::No, &a, &b, &mut x, &refinement).unwrap()[0];
        (lu.rcond(Norm::One, norm(Norm::One, &a)).unwrap(), accuracy, lu.determinant().unwrap())
    };
    let (rcond, accuracy, det) = solve(<T as Float>::ONE, <T as Float>::ONE);
    let [up, down] = [exponent, -exponent].map(|exponent| T::from_f64(2.0_f64.powi(exponent)));
    for (scale_a, scale_b) in [(up, up), (down, down), (up, <T as Float>::ONE), (down, <T as Float>::ONE)] {
        let scaled = solve(scale_a, scale_b);
        assert_eq!((scaled.0, scaled.1), (rcond, accuracy), "{scale_a:?}, {scale_b:?}");
        assert_eq!(scaled.2.mantissa, det.mantissa);
        let change = if scale_a == up { exponent } else { -exponent };
        assert_eq!(scaled.2.exponent - det.exponent, n as i64 * i64::from(change));
    }
}

#[test]
fn answers_of_scaled_systems_are_the_same() {
    scaled_systems::<f64>(500);
    scaled_systems::<f32>(60);
}

#[test]
fn numbers_near_the_ends_of_their_range_have_answers() {
    for (kind, n) in [(Kind::Huge, 6), (Kind::Subnormal, 6), (Kind::Huge, 40), (Kind::Subnormal, 40)] {
        let a = DMatrix::from_vec(n, n, matrix::<f64>(kind, n, n, 2));
        let lu = Lu::new(a.clone(), &Options::default()).unwrap();
        let rcond = lu.rcond(Norm::Infinity, norm(Norm::Infinity, &a)).unwrap();
        assert!((0.0..0.5).contains(&rcond), "{kind:?}: {rcond:e}");
        let b = DVector::from_element(n, 1.0);
        let mut x = lu.solve(&b).unwrap();
        let accuracy = lu.refine(Transpose::Yes, &a, &b, &mut x, &Refinement::new().bounds(true)).unwrap()[0];
        assert!(accuracy.backward >= 0.0 || accuracy.backward.is_nan(), "{kind:?}: {accuracy:?}");
    }
}

#[test]
fn what_is_not_finite_has_no_bound_and_changes_nothing() {
    let (n, refinement) = (40, Refinement::new().bounds(true));
    for (seed, kind) in (0..).zip([Kind::NotFinite, Kind::Uniform, Kind::Uniform]) {
        let mut a = DMatrix::from_vec(n, n, matrix::<f64>(kind, n, n, seed));
        if seed == 2 {
            a[(3, 5)] = f64::NAN;
        }
        let mut b = DMatrix::from_vec(n, 2, matrix(Kind::Uniform, n, 2, seed));
        b[(7, 1)] = f64::INFINITY;
        let lu = Lu::new(a.clone(), &Options::default()).unwrap();
        let mut x = lu.solve(&b).unwrap();
        let before = x.clone();
        let accuracy = lu.refine(Transpose::No, &a, &b, &mut x, &refinement).unwrap();
        assert_eq!(accuracy[1].forward, f64::INFINITY, "{accuracy:?}");
        assert!(accuracy[1].steps == 0 && bits(x.column(1).as_slice()) == bits(before.column(1).as_slice()));
        let rcond = lu.rcond(Norm::One, norm(Norm::One, &a)).unwrap();
        assert_eq!(
            (rcond.is_nan(), accuracy[0].forward.is_finite()),
            (kind == Kind::NotFinite || seed == 2, seed == 1)
        );
    }
}

#[test]
fn a_singular_matrix_has_no_condition_and_no_refinement() {
    let a = DMatrix::from_row_slice(2, 2, &[1.0, 2.0, 2.0, 4.0]);
    let lu = Lu::new(a.clone(), &Options::default()).unwrap();
    for norm_of in [Norm::One, Norm::Infinity] {
        assert_eq!(lu.rcond(norm_of, norm(norm_of, &a)), Ok(0.0));
    }
    let (b, mut x) = (DVector::from_element(2, 1.0), DVector::from_element(2, 7.0));
    let refused = lu.refine(Transpose::No, &a, &b, &mut x, &Refinement::new());
    assert_eq!(refused, Err(Error::Singular { index: 2 }));
    let factored = Factored { a: (&a).into(), lu: lu.packed().into(), ipiv: lu.ipiv() };
    let mut accuracy = [Accuracy::UNKNOWN];
    let refinement = Refinement::new().bounds(true);
    refine(Transpose::No, &factored, &b, &mut x, &mut accuracy, &refinement, &Options::default()).unwrap();
    assert_eq!((accuracy[0].forward, accuracy[0].steps, x.as_slice()), (f64::INFINITY, 0, &[7.0, 7.0][..]));
}

#[test]
fn empty_systems_have_answers() {
    let lu = Lu::new(DMatrix::<f64>::zeros(0, 0), &Options::default()).unwrap();
    assert_eq!(lu.rcond(Norm::One, 0.0), Ok(1.0));
    assert_eq!(lu.determinant(), Ok(Determinant::ONE));
    let (a, b, mut x) = (DMatrix::zeros(0, 0), DMatrix::zeros(0, 3), DMatrix::zeros(0, 3));
    let accuracy = lu.refine(Transpose::No, &a, &b, &mut x, &Refinement::new()).unwrap();
    assert_eq!(accuracy, [Accuracy { backward: 0.0, forward: 0.0, steps: 0 }; 3]);
    let lu = Lu::new(DMatrix::<f64>::identity(3, 3), &Options::default()).unwrap();
    let (b, mut x) = (DMatrix::zeros(3, 2), DMatrix::zeros(3, 2));
    let refinement = Refinement::new().bounds(true);
    let accuracy = lu.refine(Transpose::No, &DMatrix::identity(3, 3), &b, &mut x, &refinement).unwrap();
    assert_eq!(accuracy, [Accuracy { backward: 0.0, forward: 0.0, steps: 0 }; 2]);
}

/// Refined solutions and condition numbers of a system with several right-hand sides.
fn answers<T: Element + Float>(a: &DMatrix<T>, b: &DMatrix<T>, transpose: Transpose, options: &Options) -> Vec<u64> {
    let lu = Lu::new(a.clone(), options).unwrap();
    let refinement = Refinement::new().bounds(true);
    let mut answers = Vec::new();
    for norm_of in [Norm::One, Norm::Infinity] {
        answers.push(lu.rcond(norm_of, norm(norm_of, a)).unwrap().to_bits());
    }
    let mut x = if transpose == Transpose::No { lu.solve(b) } else { lu.solve_transposed(b) }.unwrap();
    let accuracy = lu.refine(transpose, a, b, &mut x, &refinement).unwrap();
    answers.extend(bits(x.as_slice()));
    for accuracy in accuracy {
        answers.extend([accuracy.backward.to_bits(), accuracy.forward.to_bits(), accuracy.steps.into()]);
    }
    answers
}

fn bits_of_answers<T: Element + Float>() {
    for (n, nrhs) in [(1, 1), (7, 3), (31, 20), (32, 1), (33, 2), (70, 35), (150, 5)] {
        for kind in [Kind::Uniform, Kind::Hilbert, Kind::Graded] {
            let a = DMatrix::from_vec(n, n, matrix::<T>(kind, n, n, n as u64));
            let b = DMatrix::from_vec(n, nrhs, matrix::<T>(Kind::Uniform, n, nrhs, 5));
            for transpose in [Transpose::No, Transpose::Yes] {
                let expected = answers(&a, &b, transpose, &Options::new().isa(Isa::Portable));
                for isa in instruction_sets() {
                    for threads in [1, 3] {
                        let found = answers(&a, &b, transpose, &Options::new().isa(isa).threads(threads));
                        assert_eq!(found, expected, "{isa:?} {threads} n = {n} {kind:?} {transpose:?}");
                    }
                }
                // A column alone has the bits that it has beside others.
                let alone = answers(&a, &b.columns(nrhs - 1, 1).into_owned(), transpose, &Options::new());
                let (x, accuracy) = (2 + n * (nrhs - 1), expected.len() - 3);
                assert_eq!(
                    (&alone[2..2 + n], &alone[2 + n..]),
                    (&expected[x..x + n], &expected[accuracy..]),
                    "n = {n}"
                );
            }
        }
    }
}

#[test]
fn answers_have_the_same_bits_on_any_instruction_set_and_number_of_threads() {
    bits_of_answers::<f64>();
    bits_of_answers::<f32>();
}

#[test]
fn a_refinement_that_does_not_fit_is_refused_and_nothing_is_written() {
    let (a, three, two) = (DMatrix::<f64>::identity(3, 3), DMatrix::zeros(3, 2), DMatrix::zeros(2, 2));
    let try_it = |a: &DMatrix<f64>, ipiv: &[i64], b: &DMatrix<f64>, columns: usize, count: usize| {
        let lu = DMatrix::<f64>::identity(3, 3);
        let (mut x, mut accuracy) = (DMatrix::from_element(3, columns, 7.0), vec![Accuracy::UNKNOWN; count]);
        let factored = Factored { a: a.into(), lu: (&lu).into(), ipiv };
        let refinement = Refinement::new();
        let result = refine(Transpose::No, &factored, b, &mut x, &mut accuracy, &refinement, &Options::new());
        assert!(result.is_ok() || x.iter().all(|&x| x == 7.0) && accuracy.iter().all(|&a| a == Accuracy::UNKNOWN));
        result
    };
    let ipiv = [1, 2, 3];
    assert_eq!(try_it(&a, &ipiv, &three, 2, 2), Ok(()));
    assert_eq!(try_it(&a, &[1, 2], &three, 2, 2), Err(Error::IpivLength { expected: 3, found: 2 }));
    assert_eq!(try_it(&a, &[1, 9, 3], &three, 2, 2), Err(Error::Pivot { index: 2, row: 9, m: 3 }));
    assert_eq!(try_it(&two, &ipiv, &three, 2, 2), Err(Error::Shape { name: "A", expected: [3, 3], found: [2, 2] }));
    assert_eq!(try_it(&a, &ipiv, &two, 2, 2), Err(Error::RightHandSide { expected: 3, found: 2 }));
    assert_eq!(try_it(&a, &ipiv, &three, 1, 2), Err(Error::Shape { name: "X", expected: [3, 2], found: [3, 1] }));
    assert_eq!(try_it(&a, &ipiv, &three, 2, 1), Err(Error::AccuracyLength { expected: 2, found: 1 }));
}
