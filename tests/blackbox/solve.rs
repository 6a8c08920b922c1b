//! `recfact_server solve`: systems in files of every kind and shape, with the bits of the oracle, and every mistake.

use std::path::Path;

use testing::{Float, Kind, bits, matrix, naive_lu, naive_solve};

use crate::harness::*;

#[test]
fn a_system_from_stdin_and_a_file_is_solved_and_printed() {
    let folder = Folder::new();
    folder.write("b.csv", "10\n12\n").write("c.csv", "10,1\n12,0\n");
    let output = folder.run("solve", "- b.csv", b"4 3\n6 3\n");
    assert_eq!(text(&output), "  1\n  2\n");
    assert_eq!(said(&output), "recfact_server solve: stdin: reciprocal condition number at least 0.0667\n");
    folder.write("a.txt", "4 3\n6 3\n");
    assert_eq!(text(&folder.run("solve", "a.txt -", b"10\n12\n")), "  1\n  2\n");
    assert_eq!(text(&folder.run("solve", "a.txt c.csv", &[])), "  1  -0.5\n  2     1\n");
    assert_eq!(text(&folder.run("solve", "--transpose a.txt b.csv", &[])), "   7\n  -3\n");
    folder.write("b.csv", "1,9\n1,1\n");
    assert_eq!(
        text(&folder.run("solve", "--transpose a.txt b.csv", &[])),
        "        0.5     -3.5\n  -0.166667  3.83333\n"
    );
    assert_eq!(text(&folder.run("solve", "--transpose a.txt b.csv --digits 2", &[])), "    0.5  -3.5\n  -0.17   3.8\n");
    folder.write("b.csv", "1\n");
    assert_eq!(text(&folder.run("solve", "--f32 --digits 9 - b.csv", b"3")), "  0.333333343\n");
}

/// The elements of a .npy file of this shape in C order.
fn elements<T: Float>(file: &[u8], shape: &[usize]) -> Vec<T> {
    let (header, data) = npy_parts(file);
    let header = header.replace(' ', "").replace(",)", ")");
    let sizes: Vec<String> = shape.iter().map(usize::to_string).collect();
    for part in [format!("'<f{}'", size_of::<T>()), "'fortran_order':False".into(), format!("({})", sizes.join(","))] {
        assert!(header.contains(&part), "{header} has no {part}");
    }
    data.chunks_exact(size_of::<T>()).map(T::from_le).collect()
}

/// The shapes of A, B and X, in the way of NumPy 2.
const SHAPES: [[&[usize]; 3]; 11] = [
    [&[5, 5], &[5], &[5]],
    [&[5, 5], &[5, 1], &[5, 1]],
    [&[5, 5], &[5, 3], &[5, 3]],
    [&[40, 40], &[40, 7], &[40, 7]],
    [&[4, 5, 5], &[5], &[4, 5]],
    [&[4, 5, 5], &[5, 3], &[4, 5, 3]],
    [&[4, 5, 5], &[4, 5, 3], &[4, 5, 3]],
    // Two dimensions are a matrix for all, even if the first is the number of matrices.
    [&[5, 5, 5], &[5, 5], &[5, 5, 5]],
    [&[4, 5, 5], &[1, 5, 3], &[4, 5, 3]],
    [&[5, 5], &[4, 5, 3], &[4, 5, 3]],
    [&[1, 40, 40], &[3, 40, 2], &[3, 40, 2]],
];

fn check_shapes<T: Float>(folder: &Folder, args: &str, transposed: bool) {
    for [shape_of_a, shape_of_b, shape_of_x] in SHAPES {
        let n = *shape_of_a.last().unwrap();
        let columns = if shape_of_b.len() == 1 { 1 } else { *shape_of_b.last().unwrap() };
        let counts = [shape_of_a, shape_of_b].map(|shape| if shape.len() == 3 { shape[0] } else { 1 });
        let a: Vec<T> = (0..counts[0]).flat_map(|k| matrix(Kind::Uniform, n, n, k as u64 + 1)).collect();
        let b: Vec<T> = (0..counts[1]).flat_map(|k| matrix(Kind::Uniform, n, columns, k as u64 + 77)).collect();
        // The one of a single matrix belongs to each of the others.
        let one = |k: usize| {
            let naive = naive_lu(&a[k % counts[0] * n * n..][..n * n], n, n, true);
            naive_solve(&naive.lu, &naive.ipiv, n, transposed, &b[k % counts[1] * n * columns..][..n * columns])
        };
        let count = counts[0].max(counts[1]);
        let expected: Vec<T> = (0..count).flat_map(one).collect();
        let expected = npy_of(false, &[count, n, columns], &expected);
        let expected: Vec<T> = elements(&expected, &[count, n, columns]);
        for (fortran, threads) in [(false, 1), (true, 2)] {
            folder.write("a.npy", npy_of(fortran, shape_of_a, &a)).write("b.npy", npy_of(fortran, shape_of_b, &b));
            let output = folder.run("solve", &format!("{args} --threads {threads} a.npy b.npy -o x.npy"), &[]);
            assert_eq!(text(&output), "");
            let x: Vec<T> = elements(&folder.read("x.npy"), shape_of_x);
            assert_eq!(bits(&x), bits(&expected), "{shape_of_a:?} {shape_of_b:?} {args} fortran {fortran}");
        }
    }
}

#[test]
fn systems_of_every_shape_and_order_have_the_bits_of_the_oracle() {
    let folder = Folder::new();
    check_shapes::<f64>(&folder, "", false);
    check_shapes::<f64>(&folder, "--transpose", true);
    check_shapes::<f32>(&folder, "--f32", false);
    check_shapes::<f32>(&folder, "--f32 --transpose", true);
}

#[test]
fn text_and_csv_files_hold_numbers_that_are_the_same_when_they_are_read_again() {
    let folder = Folder::new();
    let (a, b): (Vec<f64>, Vec<f64>) = (matrix(Kind::Uniform, 6, 6, 1), matrix(Kind::Uniform, 6, 2, 2));
    folder.write("a.npy", npy_of(true, &[6, 6], &a)).write("b.npy", npy_of(true, &[6, 2], &b));
    for option in ["", "--f32"] {
        let again = |name: &str| {
            text(&folder.run("solve", &format!("{option} a.npy b.npy -o {name}"), &[]));
            let encode = ["encode", "--bare", "--cmd", if option.is_empty() { "f64" } else { "f32" }, name];
            run(command(&encode).current_dir(folder.0.path()), &[]).stdout
        };
        let expected = again("x.npy");
        for name in ["x.csv", "x.txt", "x", "X.CSV"] {
            assert_eq!(again(name), expected, "{name} {option}");
        }
    }
    assert!(folder.read("X.CSV").contains(&b','));
    let short = folder.run("solve", "a.npy b.npy -o x.txt --digits 2", &[]);
    assert_eq!(text(&short), "");
    assert!(folder.read("x.txt").len() < 12 * 9, "{}", String::from_utf8_lossy(&folder.read("x.txt")));
}

#[test]
fn the_solutions_of_a_stack_stand_one_below_the_other_as_text() {
    let folder = Folder::new();
    folder.write("a.npy", array("(2, 2, 2)", &[4.0, 3.0, 6.0, 3.0, 2.0, 0.0, 0.0, 4.0]));
    folder.write("b.npy", array("(2,)", &[10.0, 12.0])).write("c.csv", "10\n12\n");
    // A vector gives a vector for each matrix, a row of X.
    let output = folder.run("solve", "a.npy b.npy", &[]);
    assert_eq!(text(&output), "  1  2\n  5  3\n");
    let smallest = "reciprocal condition number at least 0.0667, the smallest in slice 1";
    assert_eq!(said(&output), format!("recfact_server solve: a.npy: {smallest}\n"));
    assert_eq!(text(&folder.run("solve", "a.npy c.csv", &[])), "# slice 1\n  1\n  2\n# slice 2\n  5\n  3\n");
    folder.write("a.npy", array("(2, 2, 2)", &[2.0, 0.0, 0.0, 2.0, 0.5, 0.0, 0.0, 4.0]));
    text(&folder.run("solve", "a.npy c.csv -o x.csv", &[]));
    assert_eq!(folder.read("x.csv"), b"5\n6\n20\n3\n");
    text(&folder.run("solve", "a.npy b.npy -o x.csv", &[]));
    assert_eq!(folder.read("x.csv"), b"5,6\n20,3\n");
}

#[test]
fn a_singular_matrix_is_an_error_and_nothing_is_written() {
    let folder = Folder::new();
    folder.write("b.csv", "1\n1\n").write("a.csv", "1,2\n2,4\n");
    folder.fails(
        "solve",
        "a.csv b.csv -o x.npy",
        65,
        "a.csv: expected a nonsingular matrix, but U(2,2) is exactly zero",
    );
    let stack = |singular: &[usize]| {
        let one = |k| if singular.contains(&k) { [0.0, 1.0, 0.0, 1.0] } else { [1.0, 0.0, 0.0, 1.0] };
        array("(20, 2, 2)", &(1..=20).flat_map(one).collect::<Vec<_>>())
    };
    folder.write("a.npy", stack(&[7]));
    let one = "a.npy: slice 7: expected a nonsingular matrix, but U(1,1) is exactly zero";
    folder.fails("solve", "a.npy b.csv -o x.npy", 65, one);
    let several = |slices| format!("a.npy: expected nonsingular matrices, but a pivot is exactly zero in {slices}");
    folder.write("a.npy", stack(&[7, 9]));
    folder.fails("solve", "a.npy b.csv -o x.npy", 65, &several("slices 7, 9"));
    folder.write("a.npy", stack(&[1, 2, 3, 5, 8, 13, 20]));
    folder.fails("solve", "a.npy b.csv -o x.npy", 65, &several("slices 1, 2, 3, 5, 8, .. (7 in all)"));
    assert!(!folder.0.path().join("x.npy").exists());
}

#[test]
fn an_ill_conditioned_matrix_is_a_warning() {
    let folder = Folder::new();
    folder.write("b.csv", "1\n1\n").write("a.csv", "1,1\n1,1.0000000000000002\n").write("c.csv", "1,1\n1,1.0001\n");
    let line = |file: &str, text: &str| format!("recfact_server solve: {file}{text}\n");
    let lost = "X may have no correct digit";
    let output = folder.run("solve", "a.csv b.csv", &[]);
    assert_eq!(text(&output), "  1\n  0\n");
    let expected = line(
        "warning: a.csv: ",
        &format!("reciprocal condition number 5.55e-17, below the precision of f64, 1.11e-16: {lost}"),
    );
    assert_eq!(said(&output), expected);
    let output = folder.run("solve", "c.csv b.csv", &[]);
    assert_eq!(said(&output), line("c.csv: ", "reciprocal condition number at least 2.5e-5"));
    folder.write("c.csv", "1,1\n1,1.0000001\n");
    let output = folder.run("solve", "--f32 c.csv b.csv", &[]);
    assert!(output.status.success());
    let expected = line(
        "warning: c.csv: ",
        &format!("reciprocal condition number 2.98e-8, below the precision of f32, 5.96e-8: {lost}"),
    );
    assert_eq!(said(&output), expected);
    let ill = [1.0, 1.0, 1.0, 1.0 + f64::EPSILON];
    folder.write("a.npy", array("(3, 2, 2)", &[ill, [1.0, 0.0, 0.0, 1.0], ill].concat()));
    let output = folder.run("solve", "a.npy b.csv", &[]);
    assert!(output.status.success());
    let expected = line(
        "warning: a.npy: ",
        &format!("reciprocal condition number below the precision of f64, 1.11e-16, in slices 1, 3: {lost}"),
    );
    assert_eq!(said(&output), expected);
    // Above order 32 it is an estimate.
    let identity = (0..40 * 40).map(|at| f64::from(u8::from(at % 41 == 0))).collect::<Vec<_>>();
    folder.write("a.npy", array("(40, 40)", &identity)).write("b.npy", array("(40,)", &[1.0; 40]));
    let output = folder.run("solve", "a.npy b.npy -o x.npy", &[]);
    assert_eq!(said(&output), line("a.npy: ", "reciprocal condition number about 1"));
}

#[test]
fn numbers_that_are_not_finite_are_refused_with_their_place() {
    let folder = Folder::new();
    folder.write("a.csv", "4,3\n6,3\n").write("nan.csv", "# x\n4,3\nnan,3\n").write("b.csv", "1\n2\n");
    folder.fails("solve", "nan.csv b.csv", 65, "nan.csv: row 2, column 1: expected a finite number, got NaN");
    folder.write("c.csv", "1,1,1\n2,2,-inf\n");
    folder.fails("solve", "a.csv c.csv", 65, "c.csv: row 2, column 3: expected a finite number, got -inf");
    folder.write("b.npy", array("(2,)", &[1.0, f64::INFINITY]));
    folder.fails("solve", "a.csv b.npy", 65, "b.npy: element 2: expected a finite number, got inf");
    let numbers = [1.0, 0.0, 0.0, 1.0, 1.0, f64::NAN, 0.0, 1.0];
    folder.write("a.npy", array("(2, 2, 2)", &numbers));
    folder.fails("solve", "a.npy b.csv", 65, "a.npy: slice 2, row 1, column 2: expected a finite number, got NaN");
}

#[test]
fn shapes_that_do_not_fit_are_named_with_their_files() {
    let folder = Folder::new();
    folder
        .write("a.csv", "4,3\n6,3\n")
        .write("wide.csv", "4,3\n")
        .write("b.csv", "1\n2\n3\n")
        .write("row.csv", "1 2\n");
    let square = "expected a square matrix, or a stack of them, got";
    folder.fails("solve", "wide.csv b.csv", 65, &format!("wide.csv: {square} 1 x 2"));
    folder.fails("solve", "a.csv b.csv", 65, "b.csv: expected 2 rows, since a.csv is 2 x 2, got 3 x 1");
    let advice = "a vector in text has one number a line";
    folder.fails(
        "solve",
        "a.csv row.csv",
        65,
        &format!("row.csv: expected 2 rows, since a.csv is 2 x 2, got 1 x 2; {advice}"),
    );
    folder.write("v.npy", array("(1,)", &[1.0])).write("a.npy", array("(2, 1, 1)", &[1.0, 2.0]));
    folder.fails("solve", "v.npy b.csv", 65, &format!("v.npy: {square} a vector of 1"));
    folder.fails("solve", "a.csv v.npy", 65, "v.npy: expected 2 rows, since a.csv is 2 x 2, got a vector of 1");
    folder.write("b.npy", array("(3, 1, 2)", &[1.0; 6]));
    folder.fails("solve", "a.npy b.npy", 65, "b.npy: expected 2 matrices, since a.npy is 2 x 1 x 1, got 3 x 1 x 2");
    folder.write("a.npy", array("(3, 1, 2)", &[1.0; 6]));
    folder.fails("solve", "a.npy b.npy", 65, &format!("a.npy: {square} 3 x 1 x 2"));
    folder.write("c.npy", array("(1, 1, 1, 1)", &[1.0]));
    let line = "c.npy: expected an array of one to three dimensions, got shape [1, 1, 1, 1]";
    folder.fails("solve", "c.npy b.csv", 65, line);
    let side = 1_u64 << 40;
    let (a, b) = (array("(0, 0)", &[]), array(&format!("({side}, 0, {side})"), &[]));
    folder.write("a.npy", a).write("b.npy", b);
    let line = format!("b.npy: expected sizes of X that can be counted, since a.npy is 0 x 0, got {side} x 0 x {side}");
    folder.fails("solve", "a.npy b.npy", 65, &line);
}

#[test]
fn empty_systems_have_empty_solutions() {
    let folder = Folder::new();
    for (a, b, x) in [
        ("(0, 0)", "(0,)", &[0][..]),
        ("(0, 0)", "(0, 3)", &[0, 3]),
        ("(2, 2)", "(2, 0)", &[2, 0]),
        ("(0, 2, 2)", "(2, 3)", &[0, 2, 3]),
        ("(0, 2, 2)", "(2,)", &[0, 2]),
        ("(2, 2)", "(0, 2, 3)", &[0, 2, 3]),
        ("(3, 0, 0)", "(0, 3)", &[3, 0, 3]),
        ("(1099511627776, 0, 0)", "(0, 1)", &[1 << 40, 0, 1]),
    ] {
        let numbers = |shape: &str, numbers: &[f64]| array(shape, if shape.contains('0') { &[] } else { numbers });
        folder
            .write("a.npy", numbers(a, &[4.0, 3.0, 6.0, 3.0]))
            .write("b.npy", numbers(b, &[1.0; 6][..if b == "(2,)" { 2 } else { 6 }]));
        text(&folder.run("solve", "a.npy b.npy -o x.npy", &[]));
        assert_eq!(bits(&elements::<f64>(&folder.read("x.npy"), x)), bits::<f64>(&[]), "{a} {b}");
        text(&folder.run("solve", "a.npy b.npy -o x.csv", &[]));
        assert_eq!(folder.read("x.csv"), b"", "{a} {b}");
        let sizes: Vec<String> = x.iter().map(usize::to_string).collect();
        assert_eq!(
            text(&folder.run("solve", "a.npy b.npy", &[])),
            format!("# empty: {}\n", sizes.join(" x ")),
            "{a} {b}"
        );
    }
}

#[test]
fn files_that_cannot_be_used_and_mistakes_in_the_arguments_are_one_line() {
    let folder = Folder::new();
    folder.write("a.csv", "4,3\n6,3\n").write("b.csv", "1\n2\n").write("bad.csv", "1\nx\n");
    folder.fails(
        "solve",
        "a.csv bad.csv",
        65,
        "bad.csv: line 2, column 1: expected a number, got \"x\"; a line of names must start with #",
    );
    folder.fails("solve", "a.csv none.csv", 74, "none.csv: No such file or directory (os error 2)");
    folder.fails("solve", "- -", 64, "expected A or B to be a file, got - for both; stdin is read once");
    for name in ["none/x.npy", "none/x.csv", "none/x.txt"] {
        let output = folder.run("solve", &format!("a.csv b.csv -o {name}"), &[]);
        assert_eq!(output.status.code(), Some(74), "{}", report(&output));
        let line = format!("recfact_server solve: {name}: No such file or directory (os error 2)");
        assert_eq!(said(&output).lines().last(), Some(&line[..]));
    }
    for args in ["a.csv", "a.csv b.csv c.csv", "--digits 18 a.csv b.csv", "--threads 0 a.csv b.csv"] {
        let output = folder.run("solve", args, &[]);
        assert_eq!(output.status.code(), Some(64), "{args} {}", report(&output));
        assert!(said(&output).starts_with("recfact_server solve: ") && said(&output).lines().count() == 1, "{args}");
    }
    folder.write("large.csv", "1e39,0\n0,1\n");
    let line = "large.csv: line 1, column 1: expected a number in the range of f32, got \"1e39\"";
    folder.fails("solve", "--f32 large.csv b.csv", 65, line);
}

/// At limits from the least that the process can start with to the need.
#[test]
fn too_little_memory_is_an_error_and_not_an_abort() {
    let folder = Folder::new();
    let n = 1000;
    let identity: Vec<f64> = (0..n * n).map(|at| f64::from(u8::from(at % (n + 1) == 0))).collect();
    folder
        .write("a.npy", array(&format!("({n}, {n})"), &identity))
        .write("b.npy", array(&format!("({n},)"), &vec![1.0; n]));
    let path = |name: &str| folder.0.path().join(name).to_str().unwrap().to_owned();
    let (a, b) = (path("a.npy"), path("b.npy"));
    let mut succeeded = 0;
    for kib in (12_000..50_000).step_by(1900) {
        let output = run(&mut limited(&format!("-v {kib}"), &["solve", "--threads", "1", &a, &b]), &[]);
        let line = said(&output);
        match output.status.code() {
            Some(0) => succeeded += 1,
            Some(4) => assert!(
                line.starts_with("recfact_server solve: ")
                    && line.ends_with("got none from the system\n")
                    && line.lines().count() == 1,
                "{kib} {line}"
            ),
            _ => panic!("{kib} {}", report(&output)),
        }
    }
    assert!((1..20).contains(&succeeded), "some limits suffice, others do not: {succeeded}");
    // A B for all matrices of a stack may need more memory than both.
    let one = array("(1000000, 1, 1)", &vec![1.0; 1_000_000]);
    folder.write("a.npy", one).write("b.npy", array("(1, 1000000)", &vec![1.0; 1_000_000]));
    let output = folder.run("solve", "a.npy b.npy", &[]);
    assert_eq!(output.status.code(), Some(4), "{}", report(&output));
    let expected = "a.npy: expected 8000000000000 bytes of memory for the solution, got none from the system";
    assert!(said(&output).ends_with(&format!("{expected}\n")), "{}", said(&output));
}

#[test]
fn a_closed_stdout_ends_it_quietly() {
    let folder = Folder::new();
    folder.write("a.csv", "1\n").write("b.csv", "1 ".repeat(50_000));
    let mut command = command(&["solve", "a.csv", "b.csv"]);
    let output = run(command.current_dir(Path::new(folder.0.path())).stdout(pipe_without_reader()), &[]);
    assert_eq!(output.status.code(), Some(8), "{}", report(&output));
}
