//! What comes through the client is what the library computes in process, to the bit.

use nalgebra::DMatrix;
use recfact::client::{Builder, Client, Error, Transport};
use recfact::protocol::WireElement;
use recfact::{Lu, MatrixMut, MatrixRef, Options, Pivoting, factor};
use testing::{Float, KINDS, Kind, bits, instruction_sets, matrix};

use crate::harness::*;

const SHAPES: [(usize, usize); 9] = [(1, 1), (2, 3), (3, 2), (17, 17), (40, 9), (9, 40), (0, 3), (3, 0), (0, 0)];

/// Every way to factor.
fn ways() -> impl Iterator<Item = Options> {
    let each = [(Pivoting::Partial, 1), (Pivoting::Partial, 2), (Pivoting::None, 1), (Pivoting::None, 2)];
    each.into_iter().map(|(pivoting, threads)| Options::new().pivoting(pivoting).threads(threads))
}

/// Clients that use mapped memory, and that use version 1 frames.
fn both(builder: Builder) -> [Client; 2] {
    [true, false].map(|mapped| {
        let client = builder.clone().mapped(mapped).spawn().expect("the server starts");
        assert!(works(&client));
        assert_eq!(client.transport() == Transport::Mapped, mapped, "{}", client.transport());
        client
    })
}

/// Both for each instruction set of this CPU; the library in this process uses the best one.
fn clients() -> impl Iterator<Item = Client> {
    instruction_sets().iter().flat_map(|isa| both(builder_on(isa)))
}

/// Compares both calls with the library.
fn agree<T: WireElement + Float>(client: &Client, a: &DMatrix<T>, options: &Options) {
    let expected = Lu::new(a.clone(), options).unwrap();
    let lu = client.lu(a, options).unwrap();
    assert_eq!((lu.info(), lu.ipiv()), (expected.info(), expected.ipiv()), "{:?} {options:?}", a.shape());
    assert_eq!(bits(lu.packed().as_slice()), bits(expected.packed().as_slice()), "{:?} {options:?}", a.shape());

    let (mut place, mut ipiv) = (a.clone(), vec![-7; expected.ipiv().len() + 1]);
    let info = client.lu_in_place(&mut place, &mut ipiv, options).unwrap();
    assert_eq!((info, &ipiv[..expected.ipiv().len()]), (expected.info(), expected.ipiv()));
    assert_eq!(ipiv.last(), Some(&-7), "only min(m, n) row swaps are written");
    assert_eq!(bits(place.as_slice()), bits(expected.packed().as_slice()), "{:?} {options:?}", a.shape());
}

fn all_ways<T: WireElement + Float>() {
    for client in clients() {
        for (m, n) in SHAPES {
            ways().for_each(|options| agree::<T>(&client, &random(m, n), &options));
        }
        for kind in KINDS {
            let a = DMatrix::from_vec(12, 10, matrix::<T>(kind, 12, 10, 1));
            ways().for_each(|options| agree(&client, &a, &options));
        }
    }
}

#[test]
fn every_shape_and_kind_in_double_precision_has_the_bits_of_the_library() {
    all_ways::<f64>();
}

#[test]
fn every_shape_and_kind_in_single_precision_has_the_bits_of_the_library() {
    all_ways::<f32>();
}

#[test]
fn matrices_larger_than_a_pipe_go_through_whole() {
    for client in clients() {
        for (m, n) in [(300, 300), (20_000, 3), (3, 20_000), (700, 600)] {
            agree::<f64>(&client, &random(m, n), &Options::new().threads(2));
            agree::<f32>(&client, &random(m, n), &Options::default());
        }
    }
}

#[test]
fn singular_matrices_report_the_first_zero_pivot() {
    for client in both(builder()) {
        let zero = DMatrix::from_vec(4, 4, matrix::<f64>(Kind::Zero, 4, 4, 1));
        assert_eq!(client.lu(&zero, &Options::default()).unwrap().info(), 1);
        let mut ipiv = [0; 4];
        let options = Options::new().pivoting(Pivoting::None);
        assert_eq!(client.lu_in_place(&mut zero.clone(), &mut ipiv, &options).unwrap(), -1);
        let rank_one = DMatrix::from_element(3, 3, 1.0_f32);
        assert_eq!(client.lu(&rank_one, &Options::default()).unwrap().info(), 2);
    }
}

#[test]
fn what_stands_between_the_columns_is_left_alone() {
    for client in both(builder()) {
        for (m, n, lda) in [(2, 2, 3), (5, 3, 8), (100, 90, 101), (1, 5000, 2), (3, 1, 9)] {
            let a: DMatrix<f64> = random(m, n);
            let mut data = vec![f64::MAX; lda * n];
            (0..n).for_each(|j| data[j * lda..j * lda + m].copy_from_slice(a.column(j).as_slice()));
            let (mut expected, mut expected_ipiv) = (data.clone(), vec![0; m.min(n)]);
            let view = MatrixMut::from_slice(&mut expected, m, n, lda).unwrap();
            let expected_info = factor(view, &mut expected_ipiv, &Options::default()).unwrap();

            let lu = client.lu(MatrixRef::from_slice(&data, m, n, lda).unwrap(), &Options::default()).unwrap();
            assert_eq!(lu, Lu::new(a, &Options::default()).unwrap());

            let mut ipiv = vec![0; m.min(n)];
            let view = MatrixMut::from_slice(&mut data, m, n, lda).unwrap();
            let info = client.lu_in_place(view, &mut ipiv, &Options::default()).unwrap();
            assert_eq!((info, &ipiv), (expected_info, &expected_ipiv));
            assert_eq!(bits(&data), bits(&expected), "{m} x {n} in {lda}");
        }
    }
}

#[test]
fn parts_of_a_matrix_are_factored_where_they_stand() {
    for client in both(builder()) {
        let whole: DMatrix<f64> = random(30, 20);
        let part = whole.view((3, 4), (20, 10));
        let expected = Lu::new(part.into_owned(), &Options::default()).unwrap();
        assert_eq!(client.lu(part, &Options::default()).unwrap(), expected);

        let mut place = whole.clone();
        let mut ipiv = [0; 10];
        client.lu_in_place(place.view_mut((3, 4), (20, 10)), &mut ipiv, &Options::default()).unwrap();
        assert_eq!(place.view((3, 4), (20, 10)), *expected.packed());
        place.view_mut((3, 4), (20, 10)).copy_from(&part);
        assert_eq!(place, whole, "nothing else was written");
    }
}

#[test]
fn too_short_an_ipiv_is_refused_before_anything_is_sent() {
    let client = client();
    let server = client.server_id();
    let mut a: DMatrix<f64> = random(4, 3);
    let error = client.lu_in_place(&mut a, &mut [0; 2], &Options::default()).unwrap_err();
    assert!(matches!(error, Error::Argument(recfact::Error::IpivLength { expected: 3, found: 2 })), "{error}");
    assert_eq!(a, random(4, 3));
    assert!(works(&client));
    assert_eq!(client.server_id(), server);
}
