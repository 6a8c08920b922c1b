//! How ill-conditioned a matrix is: what is said must be true, for matrices near to singular ones as well.

use testing::npy::Npy;
use testing::{Float, Kind, matrix};

use crate::accuracy::{Matrix, number_after};
use crate::folder::Folder;
use crate::machine::Mpi;

const WORDS: &str = "reciprocal condition number ";

/// Solves with a matrix, and returns what is said, with the reciprocal condition number.
fn solve<T: Float>(mpi: Mpi, a: &[T], n: usize, options: &str) -> (String, f64) {
    let folder = Folder::new();
    folder.save("a.npy", &Npy::of(n.is_multiple_of(2), &[n, n], a));
    folder.save("b.npy", &Npy::of(true, &[n], &matrix::<T>(Kind::Uniform, n, 1, 5)));
    let said = folder.succeeds(&mut folder.command("solve", &mpi.ranks(2), &format!("a.npy b.npy -o x.npy {options}")));
    let rcond = number_after(&said, WORDS);
    (said, rcond)
}

/// An estimate is a lower bound of the norm of the inverse that is rarely too low by more than a factor of three.
fn check<T: Float>(mpi: Mpi, a: &[T], n: usize, options: &str) {
    let (said, rcond) = solve(mpi, a, n, options);
    let expected = Matrix { n, elements: a, is_transposed: false }.rcond();
    assert!((expected / 3.0..=expected * 3.0).contains(&rcond), "rcond {expected:e}, n = {n}: {said}");
    assert!(!said.contains("warning"), "{said}");
}

/// The matrix with this diagonal, after rows and columns of it have been mixed: Q1 D Q2 with reflections Q1 and Q2.
fn mixed(diagonal: &[f64]) -> Vec<f64> {
    let n = diagonal.len();
    let v = |seed| {
        let v: Vec<f64> = matrix(Kind::Uniform, n, 1, seed);
        let norm = v.iter().map(|x| x * x).sum::<f64>().sqrt();
        v.into_iter().map(|x| x / norm).collect::<Vec<_>>()
    };
    let (u, w) = (v(1), v(2));
    let is = |i: usize, j: usize| f64::from(u8::from(i == j));
    let reflection = |v: &[f64], i: usize, j: usize| is(i, j) - 2.0 * v[i] * v[j];
    let at = |i: usize, j: usize| (0..n).map(|k| reflection(&u, i, k) * diagonal[k] * reflection(&w, k, j)).sum();
    (0..n * n).map(|at_| at(at_ % n, at_ / n)).collect()
}

#[test]
fn the_condition_number_is_right_within_a_factor_of_three() {
    for (number, mpi) in Mpi::present("condition numbers").into_iter().enumerate() {
        let block = ["--block 7", "--block 64 --grid 2x1"][number];
        for smallest in [1e-3, 1e-8, 1e-12] {
            // Singular values from 1 down to the smallest.
            let diagonal: Vec<f64> = (0..60).map(|i| f64::powf(smallest, f64::from(i) / 59.0)).collect();
            check(mpi, &mixed(&diagonal), 60, block);
        }
        check::<f64>(mpi, &matrix(Kind::Graded, 100, 100, 3), 100, block);
        check::<f64>(mpi, &matrix(Kind::Hilbert, 8, 8, 0), 8, block);
        check::<f64>(mpi, &matrix(Kind::Uniform, 300, 300, 4), 300, block);
        check::<f32>(mpi, &matrix(Kind::Hilbert, 4, 4, 0), 4, block);
        check::<f32>(mpi, &matrix(Kind::Uniform, 80, 80, 2), 80, "--transpose");
        check::<f64>(mpi, &[-3.0], 1, block);
        check::<f64>(mpi, &[1e-300], 1, block);
    }
}

/// The identity with one more element has an inverse that is known, and the norm is found in whatever round of bands it is.
#[test]
fn the_norm_of_a_large_matrix_has_the_elements_of_all_rounds() {
    let (n, large) = (1500, 1000.0);
    let b: Vec<f64> = matrix(Kind::Uniform, n, 1, 5);
    for mpi in Mpi::present("norms of matrices of several rounds") {
        let folder = Folder::new();
        folder.save("b.npy", &Npy::of(true, &[n], &b));
        // The first round, rows that have no place in the last one, the last one.
        for (number, (i, j)) in [(3, n - 1), (1000, 4), (n - 1, 5), (7, 1000), (n - 2, n - 1)].into_iter().enumerate() {
            let mut a = vec![0.0; n * n];
            (0..n).for_each(|k| a[k * (n + 1)] = 1.0);
            a[i + j * n] = large;
            for is_fortran in [false, true] {
                folder.save("a.npy", &Npy::of(is_fortran, &[n, n], &a));
                let grid = ["1x2", "2x1"][(number + usize::from(is_fortran)) % 2];
                let args = format!("a.npy b.npy -o x.npy --grid {grid}");
                let said = folder.succeeds(&mut folder.command("solve", &mpi.ranks(2), &args));
                let (rcond, expected) = (number_after(&said, WORDS), 1.0 / (1.0 + large) / (1.0 + large));
                assert!((rcond / expected - 1.0).abs() < 0.01, "{large} at ({i}, {j}), {grid}: {said}");
            }
        }
    }
}

/// Below the precision a solution may be wrong in every digit.
#[test]
fn a_condition_below_the_precision_is_a_warning_and_the_solution_is_saved() {
    for mpi in Mpi::present("the warning of ill-conditioned matrices") {
        let (said, rcond) = solve::<f64>(mpi, &matrix(Kind::Hilbert, 12, 12, 0), 12, "--block 5");
        assert!(said.starts_with("recfact_server solve: warning: a.npy: reciprocal condition number "), "{said}");
        assert!(said.contains("below the precision of f64, 1.11e-16: X may have no correct digit;"), "{said}");
        // The factors of such a matrix are those of another one, so only the order of magnitude can be right.
        assert!((1e-18..1.1e-16).contains(&rcond), "{said}");

        let (said, _) = solve::<f32>(mpi, &matrix(Kind::Hilbert, 8, 8, 0), 8, "");
        assert!(said.contains("below the precision of f32, 5.96e-8: X may have no correct digit;"), "{said}");
    }
}

/// What overflows has no digits, and is said to be so. It is no failure of the ranks.
#[test]
fn an_inverse_that_overflows_is_a_warning() {
    for mpi in Mpi::present("inverses that overflow") {
        let a = [1e300, 0.0, 0.0, 1e-300];
        let (said, rcond) = solve(mpi, &a, 2, "");
        assert!(rcond < 1e-300 && said.contains(" warning: "), "{said}");
    }
}
