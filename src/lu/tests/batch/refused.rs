//! Arguments that do not fit together, batches of nothing, and numbers that are not finite.

use super::*;

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
