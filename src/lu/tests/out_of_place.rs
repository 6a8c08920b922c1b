//! The factorization at another place has the bits of the one in place.

use testing::{Kind, bits, matrix};

use super::*;

fn agrees_with_the_one_in_place<T: Element + Float>(m: usize, n: usize, isa: Isa, pivoting: Pivoting) {
    let options = Options::new().isa(isa).pivoting(pivoting);
    let a: Vec<T> = matrix(Kind::Ties, m, n, (m * 100 + n) as u64);
    let by_rows: Vec<T> = (0..m * n).map(|at| a[at / n + at % n * m]).collect();
    let (mut expected, mut expected_ipiv) = (a.clone(), vec![0; m.min(n)]);
    let in_place = MatrixMut::from_slice(&mut expected, m, n, m).unwrap();
    let expected_info = factor(in_place, &mut expected_ipiv, &options).unwrap();
    for (memory, rows, columns, layout) in [(&a, m, n, Layout::ColumnMajor), (&by_rows, n, m, Layout::RowMajor)] {
        let view = MatrixRef::from_slice(memory, rows, columns, rows).unwrap();
        let source = Source { view, layout, must_be_finite: true };
        let (mut lu, mut ipiv) = (vec![T::from_f64(PADDING); (m + 2) * n], vec![0; m.min(n)]);
        let to = MatrixMut::from_slice(&mut lu, m, n, m + 2).unwrap();
        let info = factor_out_of_place(&source, to, &mut ipiv, &options, None).unwrap();
        assert_eq!((info, &ipiv), (expected_info, &expected_ipiv), "{m}x{n} {layout:?}");
        for (lu, expected) in lu.chunks(m + 2).zip(expected.chunks(m)) {
            assert_eq!(bits(&lu[..m]), bits(expected), "{m}x{n} {layout:?}");
            assert!(lu[m..].iter().all(|&x| x == T::from_f64(PADDING)), "{m}x{n} {layout:?}");
        }
    }
}

#[test]
fn a_factorization_at_another_place_has_the_bits_of_the_one_in_place() {
    for isa in instruction_sets() {
        for (m, n) in [(1, 1), (7, 7), (5, 20), (20, 5), (64, 64), (65, 100), (130, 67)] {
            for pivoting in [Pivoting::Partial, Pivoting::None] {
                agrees_with_the_one_in_place::<f64>(m, n, isa, pivoting);
                agrees_with_the_one_in_place::<f32>(m, n, isa, pivoting);
            }
        }
    }
}

#[test]
fn a_matrix_that_is_not_finite_is_refused_if_that_is_wanted() {
    let a = [1.0, 2.0, f64::INFINITY, 7.0, 4.0, f64::NAN];
    let finite = MatrixRef::from_slice(&a, 2, 2, 3).unwrap();
    assert_eq!(check_finite(finite, &Options::new()), Ok(()), "padding is not looked at");
    let view = MatrixRef::from_slice(&a, 3, 2, 3).unwrap();
    for (must_be_finite, layout) in [(true, Layout::ColumnMajor), (true, Layout::RowMajor), (false, Layout::RowMajor)] {
        let (mut lu, mut ipiv) = ([PADDING; 6], [0; 2]);
        let (m, n) = if layout == Layout::RowMajor { (2, 3) } else { (3, 2) };
        let to = MatrixMut::from_slice(&mut lu, m, n, m).unwrap();
        let source = Source { view, layout, must_be_finite };
        let result = factor_out_of_place(&source, to, &mut ipiv, &Options::new(), None);
        assert_eq!(result, if must_be_finite { Err(Error::NotFinite) } else { Ok(0) });
        assert_eq!(lu == [PADDING; 6], must_be_finite);
    }
}
