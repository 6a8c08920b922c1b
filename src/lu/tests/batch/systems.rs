//! Solutions, inverses, condition numbers and determinants of batches.

use super::*;

/// Systems A X = B with what single calls give for each.
struct Systems<T> {
    a: Memory<T>,
    b: Memory<T>,
    options: Options,
    lu: Vec<Naive<T>>,
    /// X of A X = B, and of A^T X = B. Where A is singular it is B.
    x: [Vec<Vec<T>>; 2],
}

impl<T: Element + Float> Systems<T> {
    fn new(count: usize, [n, nrhs]: [usize; 2], layouts: [Layout; 2], padding: [usize; 2], options: Options) -> Self {
        let seed = (count + 50 * n + nrhs) as u64;
        let a = Memory::<T>::new(count, [n, n], layouts[0], padding, seed);
        let b = (0..count).map(|k| matrix(Kind::Uniform, n, nrhs, 1000 + seed + k as u64)).collect();
        let b = Memory::of(b, [n, nrhs], layouts[1], padding);
        let lu: Vec<_> = a.matrices.iter().map(|a| naive_lu(a, n, n, options.pivoting == Pivoting::Partial)).collect();
        let x = [Transpose::No, Transpose::Yes].map(|transpose| {
            let pairs = lu.iter().zip(&b.matrices);
            pairs.map(|(lu, b)| if lu.info == 0 { solved(lu, transpose, b) } else { b.clone() }).collect()
        });
        Systems { a, b, options, lu, x }
    }

    fn check(&self) {
        let geometry = self.a.geometry;
        let (count, n) = (geometry.count(), geometry.nrows());
        let case = &format!("{:?}, {:?}, {:?}", geometry, self.b.geometry, self.options);
        let lu: Vec<&[T]> = self.lu.iter().map(|lu| &lu.lu[..]).collect();
        let expected_info: Vec<_> = self.lu.iter().map(|lu| lu.info).collect();
        let expected_ipiv: Vec<_> = self.lu.iter().flat_map(|lu| lu.ipiv.clone()).collect();
        let x = |transpose: bool| self.x[usize::from(transpose)].iter().map(|x| &x[..]);

        // Factors in the place of A.
        let (mut a, mut b, mut ipiv, mut info) = (self.a.clone(), self.b.clone(), vec![-7; count * n], vec![-7; count]);
        gesv_batch(a.view_mut(), &mut ipiv[..], b.view_mut(), &mut info, &self.options).unwrap();
        assert_eq!((&info, &ipiv), (&expected_info, &expected_ipiv), "{case}");
        a.assert_holds(lu.iter().copied(), case);
        b.assert_holds(x(false), case);

        // From the factors: of singular matrices, too.
        for transpose in [Transpose::No, Transpose::Yes] {
            let mut b = self.b.clone();
            solve_batch(transpose, a.view(), &ipiv, b.view_mut(), &self.options).unwrap();
            let x: Vec<_> = self.lu.iter().zip(&b.matrices).map(|(lu, b)| solved(lu, transpose, b)).collect();
            b.assert_holds(x.iter().map(|x| &x[..]), case);
        }

        // A stays, with all that can be had.
        for transpose in [Transpose::No, Transpose::Yes] {
            let (mut b, mut rcond, mut info) = (self.b.clone(), vec![T::from_f64(0.0); count], vec![-7; count]);
            let system = BatchSystem { transpose, x: Solution::Of(b.view_mut()), rcond: Some(&mut rcond) };
            let a = Coefficients::Kept(self.a.view());
            system_batch(a, Swaps::Nowhere, system, &mut info, &self.options).unwrap();
            assert_eq!(info, expected_info, "{case}");
            b.assert_holds(x(transpose.is_transposed()), case);
            self.check_bounds(&rcond, case);
        }

        // Factors at another place.
        let packed = vec![vec![T::from_f64(0.0); n * n]; count];
        let mut copy = Memory::of(packed, [n, n], self.b.geometry.layout(), [0, 0]);
        let (mut piv, mut b) = (vec![-7; count * n], self.b.clone());
        let a = Coefficients::Copied { a: self.a.view(), lu: copy.view_mut() };
        gesv_batch(a, Swaps::ZeroBased(&mut piv), b.view_mut(), &mut info, &self.options).unwrap();
        assert!(piv.iter().map(|&row| i64::from(row) + 1).eq(expected_ipiv), "{case}");
        copy.assert_holds(lu.iter().copied(), case);
        b.assert_holds(x(false), case);

        self.check_inverses_and_determinants(case);
    }

    /// The bound is one, and has the same bits whatever the instruction set.
    fn check_bounds(&self, rcond: &[T], case: &str) {
        let n = self.a.geometry.nrows();
        let portable = {
            let mut rcond = vec![T::from_f64(0.0); rcond.len()];
            let (mut b, mut info) = (self.b.clone(), vec![0; rcond.len()]);
            let x = Solution::Of(b.view_mut());
            let system = BatchSystem { transpose: Transpose::No, x, rcond: Some(&mut rcond) };
            let options = self.options.isa(Isa::Portable);
            system_batch(Coefficients::Kept(self.a.view()), Swaps::Nowhere, system, &mut info, &options).unwrap();
            rcond
        };
        assert_eq!(bits(rcond), bits(&portable), "{case}");
        let norm = |a: &[T]| {
            let sums = a.chunks(n.max(1)).map(|column| column.iter().map(|&x| x.to_f64().abs()).sum::<f64>());
            sums.fold(0.0, f64::max)
        };
        for ((a, lu), rcond) in self.a.matrices.iter().zip(&self.lu).zip(rcond) {
            let inverse = solved(lu, Transpose::No, &identity(n));
            let exact = 1.0 / norm(a) / norm(&inverse);
            let rcond = rcond.to_f64();
            // No sum overflows or is lost, in f32 either.
            let is_usual = |x: &[T]| x.iter().all(|x| x.to_f64().is_finite()) && (1e-30..1e30).contains(&norm(x));
            let is_usual = is_usual(a) && is_usual(&inverse);
            if n == 0 || n > 32 || lu.info != 0 || !is_usual {
                let is_possible = n == 0 || !is_usual || rcond.is_nan() || rcond <= exact * 10.0;
                assert!(is_possible, "{case}: {rcond} over {exact}");
            } else {
                // Either a bound that is good enough, or exact.
                let is_bound = rcond >= 2.0 * T::PRECISION.to_f64() && rcond <= exact * 1.001;
                let is_exact = (rcond - exact).abs() <= exact * 0.001;
                assert!(is_bound || is_exact, "{case}: {rcond}, not {exact}");
            }
        }
    }

    fn check_inverses_and_determinants(&self, case: &str) {
        let (count, n) = (self.a.geometry.count(), self.a.geometry.nrows());
        let layout = self.b.geometry.layout();
        let mut inverse = Memory::of(vec![vec![T::from_f64(3.5); n * n]; count], [n, n], layout, [1, 2]);
        let mut info = vec![-7; count];
        inverse_batch(self.a.view(), inverse.view_mut(), &mut info, &self.options).unwrap();
        let inverted = |lu: &Naive<T>| match lu.info {
            0 => solved(lu, Transpose::No, &identity(n)),
            _ => vec![T::from_f64(3.5); n * n],
        };
        let expected: Vec<_> = self.lu.iter().map(inverted).collect();
        inverse.assert_holds(expected.iter().map(|x| &x[..]), case);
        if count < 10 {
            // More of them take long, and are no other case.
            self.check_inverses_beside_factors(case);
        }

        let mut det = vec![Determinant::from(7.0); count];
        det_batch(self.a.view(), &mut det, &self.options).unwrap();
        for (lu, det) in self.lu.iter().zip(det) {
            let swaps = lu.ipiv.iter().zip(1..).filter(|&(&row, k)| row != k).count();
            let expected = Determinant::of((0..n).map(|k| lu.lu[k * (n + 1)]), swaps);
            let same = det == expected || det.mantissa.is_nan() && expected.mantissa.is_nan();
            assert!(same, "{case}: {det:?}, not {expected:?}");
        }
    }

    /// The factors are wanted as well, in either order of elements, and the inverse may be that of A^T.
    fn check_inverses_beside_factors(&self, case: &str) {
        let (count, n) = (self.a.geometry.count(), self.a.geometry.nrows());
        let memory = |layout| Memory::of(vec![vec![T::from_f64(3.5); n * n]; count], [n, n], layout, [1, 2]);
        let layouts = [Layout::ColumnMajor, Layout::RowMajor];
        for (transpose, layout) in [Transpose::No, Transpose::Yes].into_iter().zip(layouts) {
            let (mut copy, mut inverse) = (memory(layout), memory(self.b.geometry.layout()));
            let (mut rcond, mut info) = (vec![T::from_f64(0.0); count], vec![-7; count]);
            let a = Coefficients::Copied { a: self.a.view(), lu: copy.view_mut() };
            let x = Solution::Inverse(inverse.view_mut());
            let system = BatchSystem { transpose, x, rcond: Some(&mut rcond) };
            system_batch(a, Swaps::Nowhere, system, &mut info, &self.options).unwrap();
            let case = &format!("{case}, {transpose:?}, factors {layout:?}");
            copy.assert_holds(self.lu.iter().map(|lu| &lu.lu[..]), case);
            let inverted = |lu: &Naive<T>| match lu.info {
                0 => solved(lu, transpose, &identity(n)),
                _ => vec![T::from_f64(3.5); n * n],
            };
            let expected: Vec<_> = self.lu.iter().map(inverted).collect();
            inverse.assert_holds(expected.iter().map(|x| &x[..]), case);
            self.check_bounds(&rcond, case);
        }
    }
}

fn identity<T: Element + Float>(n: usize) -> Vec<T> {
    (0..n * n).map(|at| if at % (n + 1) == 0 { T::from_f64(1.0) } else { T::from_f64(0.0) }).collect()
}

/// What `solve` gives for one matrix.
fn solved<T: Element>(lu: &Naive<T>, transpose: Transpose, b: &[T]) -> Vec<T> {
    let n = lu.ipiv.len();
    let mut x = b.to_vec();
    if let Some(nrhs) = b.len().checked_div(n) {
        let view = MatrixRef::from_slice(&lu.lu, n, n, n).unwrap();
        let x = MatrixMut::from_slice(&mut x, n, nrhs, n).unwrap();
        solve(transpose, view, &lu.ipiv, x, &Options::new().isa(Isa::Portable)).unwrap();
    }
    x
}

fn systems_of_every_order<T: Element + Float>() {
    for (options, layout) in ways() {
        for n in 0..=26 {
            for (count, nrhs, padding) in
                [(1, 1, [0, 0]), (17, 3, [2, 3]), (33, 1, [0, 0]), (9, 19, [1, 0]), (7, 0, [0, 0])]
            {
                for of_b in LAYOUTS {
                    Systems::<T>::new(count, [n, nrhs], [layout, of_b], padding, options).check();
                }
            }
        }
        // Groups of factors, up to the largest on each instruction set, and beyond.
        for (n, of_b) in [27, 31, 32, 33, 40, 48, 63, 64, 65, 90, 91].into_iter().zip(LAYOUTS.into_iter().cycle()) {
            Systems::<T>::new(17, [n, 5], [layout, of_b], [2, 3], options).check();
            Systems::<T>::new(9, [n, 19], [layout, of_b], [0, 0], options.pivoting(Pivoting::None)).check();
        }
        Systems::<T>::new(9, [5, 1], [layout, layout], [0, 0], options.pivoting(Pivoting::None)).check();
        Systems::<T>::new(3, [40, 70], [layout, layout], [1, 1], options).check();
        Systems::<T>::new(5, [33, 2], [layout, layout], [0, 0], options.threads(2)).check();
        Systems::<T>::new(700, [6, 2], [layout, layout], [0, 0], options.threads(3)).check();
    }
}

#[test]
fn systems_of_every_order_have_the_bits_of_single_ones() {
    systems_of_every_order::<f64>();
    systems_of_every_order::<f32>();
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 100, failure_persistence: None, ..ProptestConfig::default() })]
    #[test]
    fn any_systems_have_the_bits_of_single_ones(
        count in 0_usize..40,
        n in 0_usize..24,
        nrhs in 0_usize..40,
        by_rows: [bool; 2],
        padding in [0_usize..4, 0_usize..9],
        pivots: bool,
        threads in 1_usize..4,
    ) {
        let layouts = by_rows.map(|by_rows| LAYOUTS[usize::from(by_rows)]);
        let pivoting = if pivots { Pivoting::Partial } else { Pivoting::None };
        for isa in instruction_sets() {
            let options = Options::new().isa(isa).threads(threads).pivoting(pivoting);
            Systems::<f64>::new(count, [n, nrhs], layouts, padding, options).check();
            Systems::<f32>::new(count, [n, nrhs], layouts, padding, options).check();
        }
    }
}
