//! `inv`, `det`, `cond`, and what `solve` says of the error of X.

use testing::exact::{self, exact, relative_error};
use testing::{Float, Kind, bits, matrix, naive_lu, naive_solve};

use crate::harness::*;

/// The Hilbert matrix of order n.
fn hilbert(n: usize) -> Vec<f64> {
    matrix(Kind::Hilbert, n, n, 1)
}

/// The numbers of text.
fn numbers(text: &str) -> Vec<f64> {
    text.split_whitespace().map(|number| number.parse().unwrap()).collect()
}

#[test]
fn a_refined_solution_is_as_good_as_one_in_twice_the_precision_and_says_so() {
    let folder = Folder::new();
    let (n, a) = (8, hilbert(8));
    let b = vec![1.0; n];
    folder.write("a.npy", npy_of(true, &[n, n], &a)).write("b.npy", npy_of(true, &[n], &b));
    let exact_x = exact::solve(&exact(&a), n, &exact(&b)).unwrap();
    let error = |args: &str| {
        let output = folder.run("solve", &format!("--digits 17 {args} a.npy b.npy"), &[]);
        (relative_error(&exact(&numbers(&text(&output))), &exact_x), said(&output))
    };
    let (plain, _) = error("");
    let (refined, line) = error("--refine");
    assert!(plain > 1e-12 && refined < 2.3e-16, "{plain:e}, {refined:e}");
    let (head, steps) = line.rsplit_once(", ").unwrap();
    assert_eq!(steps, "2 steps of refinement\n");
    let condition = "recfact_server solve: a.npy: reciprocal condition number 2.95e-11; relative error of X at most ";
    let bounds: Vec<f64> =
        head.strip_prefix(condition).unwrap().split(", backward error ").map(|bound| bound.parse().unwrap()).collect();
    assert!(refined <= bounds[0] * 1.01 && bounds[0] < 5e-16 && bounds[1] < 2e-16, "{refined:e} {line}");
    // In f32 nothing is known of the error.
    let (_, line) = error("--f32 --refine");
    assert!(line.starts_with("recfact_server solve: warning: a.npy: reciprocal condition number"), "{line}");
    assert!(line.contains("; no bound of the error of X is known, backward error "), "{line}");
}

#[test]
fn every_matrix_of_a_stack_is_refined_and_transposed_systems_too() {
    let folder = Folder::new();
    let n = 40;
    let a: Vec<f64> = (0..3).flat_map(|k| matrix::<f64>(Kind::Uniform, n, n, k + 1)).collect();
    let b: Vec<f64> = (0..3).flat_map(|k| matrix::<f64>(Kind::Uniform, n, 2, k + 9)).collect();
    folder.write("a.npy", npy_of(true, &[3, n, n], &a)).write("b.npy", npy_of(true, &[3, n, 2], &b));
    for transpose in ["", "--transpose"] {
        let output = folder.run("solve", &format!("--refine {transpose} a.npy b.npy -o x.npy"), &[]);
        assert_eq!(text(&output), "");
        let line = said(&output);
        assert!(line.contains(", the smallest in slice ") && line.contains("; relative error of X at most "), "{line}");
        let file = folder.read("x.npy");
        let (_, data) = npy_parts(&file);
        // X is in C order: slice, row, column.
        let x: Vec<f64> = data.chunks_exact(8).map(f64::from_le).collect();
        for k in 0..3 {
            let mut exact_a = exact(&a[k * n * n..(k + 1) * n * n]);
            if !transpose.is_empty() {
                exact_a = exact::transposed(&exact_a, n);
            }
            let exact_x = exact::solve(&exact_a, n, &exact(&b[k * 2 * n..(k + 1) * 2 * n])).unwrap();
            for j in 0..2 {
                let column: Vec<f64> = (0..n).map(|i| x[(k * n + i) * 2 + j]).collect();
                assert!(relative_error(&exact(&column), &exact_x[j * n..(j + 1) * n]) < 1.2e-16);
            }
        }
    }
}

#[test]
fn mixed_precision_says_in_which_one_it_factored() {
    let folder = Folder::new();
    let n = 30;
    let (a, b): (Vec<f64>, Vec<f64>) = (matrix(Kind::Uniform, n, n, 1), matrix(Kind::Uniform, n, 1, 2));
    folder.write("a.npy", npy_of(true, &[n, n], &a)).write("b.npy", npy_of(true, &[n, 1], &b));
    for (option, transposed) in [("", false), ("--transpose", true)] {
        let output = folder.run("solve", &format!("--mixed {option} --digits 17 a.npy b.npy"), &[]);
        let line = said(&output);
        assert!(line.starts_with("recfact_server solve: a.npy: factored in f32, "), "{line}");
        let naive = naive_lu(&a, n, n, true);
        let expected = naive_solve(&naive.lu, &naive.ipiv, n, transposed, &b);
        assert!(relative_error(&exact(&numbers(&text(&output))), &exact(&expected)) < 1e-12);
    }
    folder.write("a.npy", npy_of(true, &[12, 12], &hilbert(12))).write("b.npy", npy_of(true, &[12], &[1.0; 12]));
    let output = folder.run("solve", "--mixed --digits 17 a.npy b.npy", &[]);
    assert_eq!(said(&output), "recfact_server solve: a.npy: factored in f64, since f32 was not enough\n");
    let naive = naive_lu(&hilbert(12), 12, 12, true);
    let expected = naive_solve(&naive.lu, &naive.ipiv, 12, false, &[1.0; 12]);
    assert_eq!(bits(&numbers(&text(&output))), bits(&expected));
    let both = array("(2, 1, 1)", &[4.0, 1e60]);
    folder.write("a.npy", both).write("b.npy", array("(1,)", &[1.0]));
    let output = folder.run("solve", "--mixed a.npy b.npy", &[]);
    let expected = "factored in f32, 0 steps of refinement; in f64 where that was not enough, slice 2";
    assert_eq!(said(&output), format!("recfact_server solve: a.npy: {expected}\n"));
    folder.write("s.csv", "1 2\n2 4\n").write("c.csv", "1\n1\n");
    for option in ["--mixed", "--refine"] {
        let line = "s.csv: expected a nonsingular matrix, but U(2,2) is exactly zero";
        folder.fails("solve", &format!("{option} s.csv c.csv"), 65, line);
    }
    for options in ["--mixed --f32", "--mixed --refine"] {
        let output = folder.run("solve", &format!("{options} s.csv c.csv"), &[]);
        assert_eq!(output.status.code(), Some(64), "{}", report(&output));
    }
}

#[test]
fn inverses_are_printed_and_saved_with_the_bits_of_the_oracle() {
    let folder = Folder::new();
    let output = folder.run("inv", "-", b"4 3\n6 3\n");
    assert_eq!(text(&output), "  -0.5        0.5\n     1  -0.666667\n");
    assert_eq!(said(&output), "recfact_server inv: stdin: reciprocal condition number at least 0.0667\n");
    for (count, n) in [(1, 5), (3, 7), (1, 70)] {
        let a: Vec<f64> = (0..count).flat_map(|k| matrix(Kind::Uniform, n, n, k as u64)).collect();
        let identity: Vec<f64> = (0..n * n).map(|at| f64::from(u8::from(at % (n + 1) == 0))).collect();
        let inverse = |a: &[f64]| {
            let naive = naive_lu(a, n, n, true);
            naive_solve(&naive.lu, &naive.ipiv, n, false, &identity)
        };
        let expected: Vec<f64> = a.chunks_exact(n * n).flat_map(inverse).collect();
        folder.write("a.npy", npy_of(false, &[count, n, n], &a));
        text(&folder.run("inv", "a.npy -o x.npy", &[]));
        assert_eq!(folder.read("x.npy"), npy_of(false, &[count, n, n], &expected), "{count} of {n}");
    }
    folder.write("s.csv", "1 2\n2 4\n").write("wide.csv", "1 2\n");
    folder.fails("inv", "s.csv", 65, "s.csv: expected a nonsingular matrix, but U(2,2) is exactly zero");
    folder.fails("inv", "wide.csv", 65, "wide.csv: expected a square matrix, or a stack of them, got 1 x 2");
}

#[test]
fn determinants_are_printed_whatever_their_size() {
    let folder = Folder::new();
    assert_eq!(text(&folder.run("det", "-", b"4 3\n6 3\n")), "-6\n");
    assert_eq!(text(&folder.run("det", "-", b"1 2\n2 4\n")), "0\n");
    assert_eq!(text(&folder.run("det", "--log --digits 4 -", b"4 3\n6 3\n")), "-1 1.792\n");
    assert_eq!(text(&folder.run("det", "--log -", b"0\n")), "0 -inf\n");
    folder.write("a.npy", array("(3, 1, 1)", &[2.0, -0.5, 0.0]));
    assert_eq!(text(&folder.run("det", "a.npy", &[])), "2\n-0.5\n0\n");
    let n = 200;
    let diagonal = |x: f64| (0..n * n).map(|at| if at % (n + 1) == 0 { x } else { 0.0 }).collect::<Vec<_>>();
    folder
        .write("a.npy", npy_of(true, &[n, n], &diagonal(1e5)))
        .write("b.npy", npy_of(true, &[n, n], &diagonal(-1e-4)));
    assert_eq!(text(&folder.run("det", "a.npy", &[])), "1e1000\n");
    assert_eq!(text(&folder.run("det", "--digits 9 b.npy", &[])), "1e-800\n");
    folder.write("a.npy", npy_of(true, &[0, 0], &[] as &[f64]));
    assert_eq!(text(&folder.run("det", "a.npy", &[])), "1\n");
    folder.write("nan.csv", "nan\n");
    folder.fails("det", "nan.csv", 65, "nan.csv: row 1, column 1: expected a finite number, got NaN");
}

#[test]
fn condition_numbers_are_printed_in_either_norm() {
    let folder = Folder::new();
    // The inverse has the rows (-0.5, 0.5) and (1, -2/3).
    assert_eq!(text(&folder.run("cond", "-", b"4 3\n6 3\n")), "15\n");
    assert_eq!(text(&folder.run("cond", "--norm inf --digits 5 -", b"4 3\n6 3\n")), "15\n");
    assert_eq!(text(&folder.run("cond", "--norm inf -", b"1 2\n0 1\n")), "9\n");
    assert_eq!(text(&folder.run("cond", "-", b"1 2\n2 4\n")), "inf\n");
    folder.write("a.npy", array("(2, 1, 1)", &[2.0, 0.0]));
    assert_eq!(text(&folder.run("cond", "a.npy", &[])), "1\ninf\n");
    let (n, a) = (50, matrix::<f64>(Kind::Uniform, 50, 50, 3));
    folder.write("a.npy", npy_of(true, &[n, n], &a));
    let output = folder.run("cond", "a.npy", &[]);
    assert_eq!(said(&output), "recfact_server cond: a.npy: estimated, since the order is above 32\n");
    let inverse = exact::inverse(&exact(&a), n).unwrap();
    let condition = exact::float(&(exact::norm1(&exact(&a), n) * exact::norm1(&inverse, n)));
    let printed = numbers(&text(&output))[0];
    assert!((condition / 3.0..condition * 1.01).contains(&printed), "{printed} {condition}");
}
