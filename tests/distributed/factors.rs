//! A X = B from factors that are in files already.

use testing::frames::Files;
use testing::npy::Npy;
use testing::{Float, Kind, matrix, naive_lu};

use crate::accuracy::{Matrix, number_after};
use crate::folder::Folder;
use crate::machine::Mpi;
use crate::session::{Session, chosen};

/// How ranks are arranged: a launcher and options.
struct Ranks<'a> {
    launcher: &'a str,
    options: &'a str,
}

impl Ranks<'_> {
    fn run(&self, folder: &Folder, subcommand: &str, args: &str) -> String {
        folder.succeeds(&mut folder.command(subcommand, self.launcher, &format!("{args} {}", self.options)))
    }
}

/// Saves a system of order n, has some ranks factor A and others solve with the factors, and checks X and what is said.
fn check<T: Float>(factored: &Ranks, solved: &Ranks, n: usize, options: &str) {
    let (a, b) = (matrix::<T>(Kind::Uniform, n, n, n as u64), matrix::<T>(Kind::Uniform, n, 3, 99));
    let folder = Folder::new();
    folder.save("a.npy", &Npy::of(n.is_multiple_of(3), &[n, n], &a));
    folder.save("b.npy", &Npy::of(n.is_multiple_of(2), &[n, 3], &b));
    factored.run(&folder, "factor", "a.npy -o f");
    let said = solved.run(&folder, "solve", &format!("--factors f a.npy b.npy -o x.npy {options}"));

    let case = format!("n = {n}, {}, {}, {options}: {said}", factored.options, solved.options);
    let a = Matrix { n, elements: &a, is_transposed: options.contains("--transpose") };
    let error = a.backward_error(&folder.load("x.npy").columns(), &b);
    let most = if options.contains("--refine") { 4 } else { n };
    assert!(error <= most as f64 * T::EPSILON, "backward error {error:e}, {case}");
    let (rcond, expected) = (number_after(&said, "reciprocal condition number "), a.rcond());
    assert!((expected / 3.0..=expected * 3.0).contains(&rcond), "rcond {expected:e}, {case}");
    assert!(said.ends_with(" s with the factors f") && !said.contains("warning"), "{case}");
}

#[test]
fn factors_of_one_grid_solve_systems_on_another() {
    for mpi in Mpi::present("systems whose matrix has been factored") {
        let (one, two) = (mpi.ranks(1), mpi.ranks(2));
        let [by_one, by_row, by_column] =
            [(&one, "--block 5"), (&two, "--grid 1x2 --block 7"), (&two, "--grid 2x1 --block 4")]
                .map(|(launcher, options)| Ranks { launcher, options });
        let as_it_is = Ranks { launcher: &two, options: "" };
        check::<f64>(&by_one, &by_row, 30, "");
        check::<f64>(&by_row, &by_column, 31, "--transpose");
        check::<f32>(&by_column, &by_one, 33, "--refine");
        check::<f64>(&by_column, &by_row, 1, "--refine --transpose");
        check::<f32>(&by_row, &by_column, 64, "--transpose");
        // A and the factors are read in several rounds of bands.
        check::<f64>(&as_it_is, &as_it_is, 1100, "");
    }
}

/// They are what the same ranks would have computed.
#[test]
fn factors_in_files_give_the_bits_that_factoring_gives() {
    let n = 150;
    let (a, b) = (matrix::<f64>(Kind::Uniform, n, n, 1), matrix::<f64>(Kind::Uniform, n, 2, 2));
    for mpi in Mpi::present("bits of systems whose matrix has been factored") {
        let folder = Folder::new();
        folder.save("a.npy", &Npy::of(false, &[n, n], &a));
        folder.save("b.npy", &Npy::of(true, &[n, 2], &b));
        let launcher = mpi.ranks(2);
        let ranks = Ranks { launcher: &launcher, options: "--block 16" };
        ranks.run(&folder, "factor", "a.npy -o f");
        ranks.run(&folder, "solve", "a.npy b.npy -o x.npy");
        ranks.run(&folder, "solve", "a.npy b.npy -o y.npy --factors f");
        assert!(folder.load("x.npy").data == folder.load("y.npy").data);
    }
}

/// From another program, in C order, with names that are no plain words.
#[test]
fn factors_of_another_program_are_as_good() {
    let n = 40;
    let (a, b) = (matrix::<f64>(Kind::Uniform, n, n, 1), matrix::<f64>(Kind::Uniform, n, 1, 2));
    let naive = naive_lu(&a, n, n, true);
    for mpi in Mpi::present("factors of another program") {
        let folder = Folder::new();
        folder.save("a.npy", &Npy::of(true, &[n, n], &a));
        folder.save("b.npy", &Npy::of(true, &[n], &b));
        folder.save("my factors; %41-lu.npy", &Npy::of(false, &[n, n], &naive.lu));
        folder.save("my factors; %41-ipiv.npy", &Npy::of_integers(&naive.ipiv));
        let mut command = folder.command("solve", &mpi.ranks(2), "a.npy b.npy -o x.npy --block 8");
        folder.succeeds(command.args(["--factors", "my factors; %41"]));
        let error =
            Matrix { n, elements: &a, is_transposed: false }.backward_error(&folder.load("x.npy").columns(), &b);
        assert!(error <= n as f64 * f64::EPSILON, "{error:e}");
    }
}

/// L and U that have a zero on the diagonal of U, or that are those of another matrix.
#[test]
fn factors_of_a_singular_matrix_and_of_another_one_are_errors() {
    for mpi in Mpi::present("factors of other matrices") {
        let folder = Folder::new();
        folder.save("a.npy", &Npy::of(true, &[2, 2], &[4.0, 6.0, 3.0, 3.0]));
        folder.save("b.npy", &Npy::of(true, &[2], &[10.0, 12.0]));
        folder.save("f-ipiv.npy", &Npy::of_integers(&[1, 2]));
        let fails = |lu: &[f64], options: &str, words: &[&str]| {
            folder.save("f-lu.npy", &Npy::of(true, &[2, 2], lu));
            let args = format!("a.npy b.npy -o x.npy --factors f --block 1 {options}");
            folder.fails(&mut folder.command("solve", &mpi.ranks(2), &args), 65, words);
        };
        let words = "f-lu.npy: expected a nonsingular matrix, but U(2,2) is exactly zero";
        fails(&[4.0, 0.5, 2.0, 0.0], "", &[words]);
        for options in ["", "--transpose"] {
            let words = ["f-lu.npy: expected the factors of a.npy, got others: ", " a normwise backward error of "];
            fails(&[4.0, 0.5, 2.0, 5.0], options, &words);
            // A relative change of 10^-6.
            fails(&[4.0, 1.5, 3.0, -1.500_003], options, &words);
        }
    }
}

/// Elements of X that should be zero are not, which is a componentwise backward error of 1.
#[test]
fn factors_are_those_of_the_matrix_if_only_small_elements_of_x_are_wrong() {
    let (n, of_block) = (60, 30);
    let a: Vec<f64> = matrix(Kind::Uniform, n, n, 7);
    let upper: Vec<f64> =
        (0..n * n).map(|at| if at % n >= of_block && at / n < of_block { 0.0 } else { a[at] }).collect();
    let b: Vec<f64> = (0..n).map(|i| if i < of_block { 1.0 } else { 0.0 }).collect();
    for mpi in Mpi::present("factors of block triangular matrices") {
        for options in ["", "--transpose"] {
            let folder = Folder::new();
            folder.save("a.npy", &Npy::of(true, &[n, n], &upper));
            folder.save("b.npy", &Npy::of(true, &[n], &b));
            let launcher = mpi.ranks(2);
            let ranks = Ranks { launcher: &launcher, options: "--block 8" };
            ranks.run(&folder, "factor", "a.npy -o f");
            let said = ranks.run(&folder, "solve", &format!("a.npy b.npy -o x.npy --factors f {options}"));
            assert!(said.ends_with(" with the factors f"), "{said}");
        }
    }
}

#[test]
fn factors_that_are_none_of_the_matrix_are_refused() {
    let lu = || Npy::of(true, &[2, 2], &[6.0, 2.0 / 3.0, 3.0, 1.0]);
    let mistakes: [(Npy, Npy, &[&str]); 9] = [
        (
            Npy::of(true, &[2, 3], &[1.0; 6]),
            Npy::of_integers(&[2, 2]),
            &["f-lu.npy: expected 2 x 2, since a.npy is 2 x 2, got 2 x 3"],
        ),
        (
            Npy::of(true, &[4], &[1.0; 4]),
            Npy::of_integers(&[2, 2]),
            &["f-lu.npy: expected 2 x 2, since a.npy is 2 x 2, got 4"],
        ),
        (
            Npy::of(true, &[2, 2], &[1.0_f32; 4]),
            Npy::of_integers(&[2, 2]),
            &["f-lu.npy: expected elements of <f8, got dtype <f4"],
        ),
        (
            Npy::of(true, &[2, 2], &[1.0, f64::NAN, 1.0, 1.0]),
            Npy::of_integers(&[2, 2]),
            &["f-lu.npy: row 2, column 1: expected a finite number, got NaN"],
        ),
        (lu(), Npy::of_integers(&[2]), &["f-ipiv.npy: expected 2, since a.npy is 2 x 2, got 1"]),
        (lu(), Npy::of(true, &[2], &[2.0, 2.0]), &["f-ipiv.npy: expected elements of <i8, got dtype <f8"]),
        (lu(), Npy::of_integers(&[3, 2]), &["f-ipiv.npy: swap 1: expected a row from 1 to 2, counted from 1, got 3"]),
        (lu(), Npy::of_integers(&[0, 2]), &["f-ipiv.npy: swap 1: expected a row from 1 to 2, counted from 1, got 0"]),
        (lu(), Npy::of_integers(&[2, 1]), &["f-ipiv.npy: swap 2: expected a row from 2 to 2, counted from 1, got 1"]),
    ];
    for mpi in Mpi::present("factors that are none of the matrix") {
        let folder = Folder::new();
        folder.save("a.npy", &Npy::of(true, &[2, 2], &[4.0, 6.0, 3.0, 3.0]));
        folder.save("b.npy", &Npy::of(true, &[2], &[10.0, 12.0]));
        for (lu, ipiv, words) in &mistakes {
            folder.save("f-lu.npy", lu);
            folder.save("f-ipiv.npy", ipiv);
            folder.fails(&mut folder.command("solve", &mpi.ranks(2), "--factors f a.npy b.npy -o x.npy"), 65, words);
        }
        let words = ["g-lu.npy: No such file or directory"];
        folder.fails(&mut folder.command("solve", &mpi.ranks(2), "--factors g a.npy b.npy -o x.npy"), 65, &words);
    }
}

/// By frames, too: A is factored once, and many systems are solved with it.
#[test]
fn a_session_factors_once_and_solves_again_and_again() {
    let n = 30;
    let (a, b) = (matrix::<f64>(Kind::Uniform, n, n, 1), matrix::<f64>(Kind::Uniform, n, 2, 2));
    for mpi in Mpi::present("sessions with factors in files") {
        let folder = Folder::new();
        folder.save("a.npy", &Npy::of(true, &[n, n], &a));
        folder.save("b.npy", &Npy::of(false, &[n, 2], &b));
        let mut session = Session::start(&folder, Some(&mpi.ranks(2)));
        session.computes(&Files::of("a.npy", "", "f"));
        for (transposed, block) in [(false, 0), (true, 7)] {
            let plain = Files::of("a.npy", "b.npy", "x.npy").with_factors("f");
            let answer = session.computes(&if transposed { chosen(plain, [2, 1], block) } else { plain });
            assert_eq!((answer.info, answer.sizes), (0, [n as i64, n as i64, 2]));
            assert!(answer.factor_seconds == 0.0 && answer.gflops == 0.0, "{answer:?}");
            let a = Matrix { n, elements: &a, is_transposed: transposed };
            let error = a.backward_error(&folder.load("x.npy").columns(), &b);
            assert!(error <= n as f64 * f64::EPSILON && answer.backward_error < 1e-13, "{error:e} {answer:?}");
        }
        session.finish();
    }
}
