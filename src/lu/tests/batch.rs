//! Batches: the bits of single matrices, whatever the way.

use super::*;
use crate::batch::{BatchMut, BatchRef, Geometry};

/// A batch in memory: matrices with padding between lines and matrices.
#[derive(Clone)]
struct Memory<T> {
    data: Vec<T>,
    geometry: Geometry,
    /// The same matrices, column-major.
    matrices: Vec<Vec<T>>,
}

impl<T: Element + Float> Memory<T> {
    /// Matrices of different kinds.
    fn new(count: usize, [m, n]: [usize; 2], layout: Layout, padding: [usize; 2], seed: u64) -> Self {
        let kind = |k: usize| KINDS[(k + seed as usize) % KINDS.len()];
        let matrices: Vec<_> = (0..count).map(|k| matrix(kind(k), m, n, seed + k as u64)).collect();
        Self::of(matrices, [m, n], layout, padding)
    }

    fn of(matrices: Vec<Vec<T>>, [m, n]: [usize; 2], layout: Layout, [line_pad, pad]: [usize; 2]) -> Self {
        let (length, lines) = if layout == Layout::RowMajor { (n, m) } else { (m, n) };
        let (ld, one) = (length + line_pad, (length + line_pad) * lines);
        let geometry = Geometry::new(matrices.len(), [m, n], layout, ld, one + pad).unwrap();
        let data = vec![T::from_f64(PADDING); matrices.len() * (one + pad)];
        let mut memory = Memory { data, geometry, matrices };
        for k in 0..memory.matrices.len() {
            for (at, place) in memory.places(k).into_iter().enumerate() {
                memory.data[place] = memory.matrices[k][at];
            }
        }
        memory
    }

    /// Where the elements of a matrix are, in column-major order.
    fn places(&self, k: usize) -> Vec<usize> {
        let (m, n) = (self.geometry.nrows(), self.geometry.ncols());
        let places = (0..n).flat_map(|j| (0..m).map(move |i| (i, j)));
        let place = |(i, j)| {
            let (line, place) = if self.geometry.layout() == Layout::RowMajor { (i, j) } else { (j, i) };
            k * self.geometry.stride() + line * self.geometry.ld() + place
        };
        places.map(place).collect()
    }

    /// Compares the matrices with others, and all that is between them with what was there.
    fn assert_holds<'e>(&self, expected: impl Iterator<Item = &'e [T]>, case: &str) {
        let mut is_element = vec![false; self.data.len()];
        for (k, expected) in expected.enumerate() {
            let places = self.places(k);
            places.iter().for_each(|&at| is_element[at] = true);
            let found: Vec<_> = places.iter().map(|&at| self.data[at]).collect();
            assert_eq!(bits(&found), bits(expected), "{case}, matrix {k}");
        }
        let padding = self.data.iter().zip(is_element).filter(|(_, is_element)| !is_element);
        assert!(padding.into_iter().all(|(&x, _)| x == T::from_f64(PADDING)), "{case}: the padding is not as it was");
    }

    fn view(&self) -> BatchRef<'_, T> {
        BatchRef::new(&self.data, self.geometry).unwrap()
    }

    fn view_mut(&mut self) -> BatchMut<'_, T> {
        BatchMut::new(&mut self.data, self.geometry).unwrap()
    }

    /// Factors the batch and compares everything with the oracle.
    fn check(&mut self, options: &Options) {
        let (count, m, n) = (self.geometry.count(), self.geometry.nrows(), self.geometry.ncols());
        let steps = m.min(n);
        let (mut ipiv, mut info) = (vec![-7; count * steps + 1], vec![-7; count + 1]);
        factor_batch(self.view_mut(), &mut ipiv[..], &mut info, options).unwrap();
        let case = format!("{:?}, {options:?}", self.geometry);
        assert_eq!((ipiv[count * steps], info[count]), (-7, -7), "{case}: beyond the results");
        let naive = |a: &Vec<T>| naive_lu(a, m, n, options.pivoting == Pivoting::Partial);
        let naive: Vec<_> = self.matrices.iter().map(naive).collect();
        for (k, naive) in naive.iter().enumerate() {
            assert_eq!((&ipiv[k * steps..][..steps], info[k]), (&naive.ipiv[..], naive.info), "{case}, matrix {k}");
        }
        self.assert_holds(naive.iter().map(|naive| &naive.lu[..]), &case);
    }
}

/// Options for every instruction set of this CPU, and the layouts.
fn ways() -> impl Iterator<Item = (Options, Layout)> {
    let options = instruction_sets().map(|isa| Options::new().isa(isa));
    options.flat_map(|options| [Layout::ColumnMajor, Layout::RowMajor].map(|layout| (options, layout)))
}

fn every_shape<T: Element + Float>() {
    for (options, layout) in ways() {
        for (m, n) in (0..=26).flat_map(|m| (0..=26).map(move |n| (m, n))) {
            let seed = (27 * m + n) as u64;
            for (count, padding) in [(1, [0, 0]), (17, [2, 3]), (33, [0, 0])] {
                Memory::<T>::new(count, [m, n], layout, padding, seed).check(&options);
            }
        }
        for shape in [[16, 64], [16, 65], [3, 70], [40, 40], [25, 17], [100, 3], [70, 90]] {
            Memory::<T>::new(9, shape, layout, [1, 1], 5).check(&options);
        }
    }
}

#[test]
fn batches_of_every_shape_have_the_bits_of_single_matrices() {
    every_shape::<f64>();
    every_shape::<f32>();
}

#[test]
fn threads_share_a_batch_and_change_no_bit() {
    for (options, layout) in ways() {
        for threads in [2, 3, 8] {
            for (count, shape) in [(1000, [8, 8]), (500, [16, 13]), (100, [33, 33]), (5000, [4, 4]), (1, [5, 5])] {
                Memory::<f64>::new(count, shape, layout, [0, 0], 3).check(&options.threads(threads));
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, failure_persistence: None, ..ProptestConfig::default() })]
    #[test]
    fn any_batch_has_the_bits_of_single_matrices(
        count in 0_usize..70,
        shape in [0_usize..24, 0_usize..24],
        by_rows: bool,
        padding in [0_usize..4, 0_usize..9],
        pivots: bool,
        threads in 1_usize..4,
        seed in 0_u64..1000,
    ) {
        let layout = if by_rows { Layout::RowMajor } else { Layout::ColumnMajor };
        let pivoting = if pivots { Pivoting::Partial } else { Pivoting::None };
        for isa in instruction_sets() {
            let options = Options::new().isa(isa).threads(threads).pivoting(pivoting);
            Memory::<f64>::new(count, shape, layout, padding, seed).check(&options);
            Memory::<f32>::new(count, shape, layout, padding, seed).check(&options);
        }
    }
}

#[test]
fn what_does_not_fit_is_refused_and_nothing_is_written() {
    let view = |len: usize, count, shape, layout, ld, stride| {
        let mut data = vec![1.0; len];
        Geometry::new(count, shape, layout, ld, stride)
            .and_then(|geometry| BatchMut::new(&mut data, geometry).map(drop))
    };
    let (columns, rows) = (Layout::ColumnMajor, Layout::RowMajor);
    assert_eq!(view(12, 2, [2, 3], columns, 2, 6), Ok(()));
    assert_eq!(view(11, 2, [2, 3], columns, 2, 6), Err(Error::SliceTooShort { expected: Some(12), found: 11 }));
    assert_eq!(view(12, 2, [2, 3], columns, 2, 5), Err(Error::Stride { expected: 6, found: 5 }));
    assert_eq!(view(12, 2, [2, 3], columns, 1, 6), Err(Error::LeadingDimension { m: 2, lda: 1 }));
    assert_eq!(view(12, 2, [2, 3], rows, 2, 6), Err(Error::LeadingDimension { m: 3, lda: 2 }));
    assert_eq!(view(6, 1, [2, 3], rows, 3, 0), Ok(()));
    assert_eq!(view(0, 0, [2, 3], rows, 3, 0), Ok(()));
    assert_eq!(view(0, usize::MAX, [0, 3], columns, 0, 0), Ok(()));
    let overflow = Err(Error::SliceTooShort { expected: None, found: 0 });
    assert_eq!(view(0, usize::MAX, [2, 2], columns, 2, 4), overflow);
    assert_eq!(view(0, 1, [2, usize::MAX], columns, 2, 4), overflow);
    let mut none: [f64; 0] = [];
    let whole = BatchMut::from_slice(&mut none, 1, [usize::MAX, 2], columns).map(drop);
    assert_eq!(whole, overflow);

    let mut data = matrix::<f64>(Kind::Uniform, 2, 4, 1);
    let before = data.clone();
    for (ipiv, info, expected) in [
        (3, 2, Error::BatchResults { name: "ipiv", expected: 4, found: 3 }),
        (4, 1, Error::BatchResults { name: "info", expected: 2, found: 1 }),
    ] {
        let batch = BatchMut::from_slice(&mut data, 2, [2, 2], columns).unwrap();
        let result = factor_batch(batch, &mut vec![0; ipiv][..], &mut vec![0; info], &Options::new());
        assert_eq!(result, Err(expected));
        assert_eq!(data, before);
    }
    let mut info = [7; 3];
    let empty = BatchMut::<f64>::from_slice(&mut [], 3, [0, 5], rows).unwrap();
    factor_batch(empty, Swaps::Nowhere, &mut info, &Options::new()).unwrap();
    assert_eq!(info, [0; 3]);
}

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

        let mut det = vec![Determinant::from(7.0); count];
        det_batch(self.a.view(), &mut det, &self.options).unwrap();
        for (lu, det) in self.lu.iter().zip(det) {
            let swaps = lu.ipiv.iter().zip(1..).filter(|&(&row, k)| row != k).count();
            let expected = Determinant::of((0..n).map(|k| lu.lu[k * (n + 1)]), swaps);
            let same = det == expected || det.mantissa.is_nan() && expected.mantissa.is_nan();
            assert!(same, "{case}: {det:?}, not {expected:?}");
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

const LAYOUTS: [Layout; 2] = [Layout::ColumnMajor, Layout::RowMajor];

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
            Systems::<T>::new(17, [n, 3], [layout, of_b], [2, 3], options).check();
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

#[test]
fn systems_that_do_not_fit_are_refused() {
    let options = Options::new();
    let a = [1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0];
    let view = |count, shape| BatchRef::from_slice(&a, count, shape, Layout::RowMajor).unwrap();
    let mut x = [0.0; 8];
    let mut info = [0; 2];
    let mut solve = |a: BatchRef<'_, f64>, count, shape, ipiv: &[i64]| {
        let b = BatchMut::from_slice(&mut x, count, shape, Layout::RowMajor).unwrap();
        solve_batch(Transpose::No, a, ipiv, b, &options)
    };
    assert_eq!(solve(view(2, [1, 2]), 2, [1, 1], &[]), Err(Error::NotSquare { m: 1, n: 2 }));
    let shape = Error::BatchShape { name: "B", expected: [2, 2, 1], found: [1, 2, 1] };
    assert_eq!(solve(view(2, [2, 2]), 1, [2, 1], &[]), Err(shape));
    let shape = Error::BatchShape { name: "B", expected: [2, 2, 1], found: [2, 3, 1] };
    assert_eq!(solve(view(2, [2, 2]), 2, [3, 1], &[]), Err(shape));
    let few = Error::BatchResults { name: "ipiv", expected: 4, found: 3 };
    assert_eq!(solve(view(2, [2, 2]), 2, [2, 1], &[1, 2, 1]), Err(few));
    for row in [0, 3, -1, i64::MIN, i64::MAX] {
        let pivot = Error::Pivot { index: 2, row, m: 2 };
        assert_eq!(solve(view(2, [2, 2]), 2, [2, 1], &[1, 2, 1, row]), Err(pivot));
    }
    let mut det = [Determinant::ONE];
    let few = Error::BatchResults { name: "det", expected: 2, found: 1 };
    assert_eq!(det_batch(view(2, [2, 2]), &mut det, &options), Err(few));
    assert_eq!(det_batch(view(1, [2, 3]), &mut det, &options), Err(Error::NotSquare { m: 2, n: 3 }));
    let inverse = BatchMut::from_slice(&mut x, 2, [2, 1], Layout::RowMajor).unwrap();
    let shape = Error::BatchShape { name: "the inverses", expected: [2, 2, 2], found: [2, 2, 1] };
    assert_eq!(inverse_batch(view(2, [2, 2]), inverse, &mut info, &options), Err(shape));
    let lu = BatchMut::from_slice(&mut x, 1, [2, 2], Layout::RowMajor).unwrap();
    let shape = Error::BatchShape { name: "L and U", expected: [2, 2, 2], found: [1, 2, 2] };
    let copied = Coefficients::Copied { a: view(2, [2, 2]), lu };
    assert_eq!(factor_batch(copied, Swaps::Nowhere, &mut info, &options), Err(shape));
    assert_eq!(check_batch_finite(view(2, [2, 2]), &options), Ok(()));
}

#[test]
fn without_matrices_the_other_sizes_may_be_any_numbers() {
    let options = Options::new();
    let (mut none, mut x): ([f64; 0], [f64; 0]) = ([], []);
    for shape in [[1 << 32, 1 << 32], [usize::MAX, usize::MAX], [usize::MAX, 3]] {
        let view = |data| BatchMut::from_slice(data, 0, shape, Layout::ColumnMajor).unwrap();
        factor_batch(view(&mut none), Swaps::Nowhere, &mut [], &options).unwrap();
        let a = BatchRef::from_slice(&x, 0, shape, Layout::RowMajor).unwrap();
        check_batch_finite(a, &options).unwrap();
        let square = BatchRef::from_slice(&[0.0; 0], 0, [shape[0]; 2], Layout::RowMajor).unwrap();
        det_batch(square, &mut [], &options).unwrap();
        inverse_batch(
            square,
            BatchMut::from_slice(&mut none, 0, [shape[0]; 2], Layout::RowMajor).unwrap(),
            &mut [],
            &options,
        )
        .unwrap();
    }
    let lu = BatchRef::from_slice(&[0.0; 0], usize::MAX, [0, 0], Layout::RowMajor).unwrap();
    let b = BatchMut::from_slice(&mut x, usize::MAX, [0, 1], Layout::RowMajor).unwrap();
    solve_batch(Transpose::No, lu, &[], b, &options).unwrap();
}

#[test]
fn what_is_not_finite_is_found_in_the_matrices_and_not_between_them() {
    for (at, is_finite) in (0..26).map(|at| (at, ![0, 1, 3, 4, 13, 14, 16, 17].contains(&at))) {
        let mut data = [1.0_f32; 26];
        data[at] = if at % 2 == 0 { f32::NAN } else { f32::NEG_INFINITY };
        let geometry = Geometry::new(2, [2, 2], Layout::ColumnMajor, 3, 13).unwrap();
        let expected = if is_finite { Ok(()) } else { Err(Error::NotFinite) };
        assert_eq!(check_batch_finite(BatchRef::new(&data, geometry).unwrap(), &Options::new()), expected);
        let packed = BatchRef::from_slice(&data, 2, [1, 13], Layout::RowMajor).unwrap();
        assert_eq!(check_batch_finite(packed, &Options::new()), Err(Error::NotFinite));
    }
}
