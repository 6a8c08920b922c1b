//! Files that cannot be used: the message names the file and says what was expected, and nothing else happens.

use nix::sys::stat::Mode;
use nix::unistd::mkfifo;
use testing::npy::Npy;
use testing::{Kind, matrix};

use crate::folder::Folder;
use crate::machine::Mpi;

const N: usize = 10;

fn random(shape: &[usize]) -> Npy {
    Npy::of::<f64>(true, shape, &matrix(Kind::Uniform, shape[0], shape.get(1).copied().unwrap_or(1), 1))
}

/// A folder with a good system, and some files that are none.
fn folder() -> Folder {
    let folder = Folder::new();
    folder.save("a.npy", &random(&[N, N]));
    folder.save("b.npy", &random(&[N, 2]));
    folder
}

/// Solves with these arguments by one MPI after the other: each must fail with this message, which comes after the name
/// of a rank.
fn fail(folder: &Folder, what: &str, cases: &[(&str, String)]) {
    let mpis = Mpi::present(what);
    for (number, (args, message)) in cases.iter().enumerate() {
        let Some(mpi) = mpis.get(number % mpis.len().max(1)) else { return };
        let command = if args.contains(".npy ") { "solve" } else { "factor" };
        let output = if command == "solve" { "x.npy" } else { "f" };
        let mut command = folder.command(command, &mpi.ranks(2), &format!("{args} -o {output} --block 3"));
        folder.fails(&mut command, 65, &[" of 2 on ", message]);
    }
}

#[test]
fn a_file_that_is_missing_or_is_no_matrix_is_named() {
    let folder = folder();
    std::fs::create_dir(folder.file("folder.npy")).unwrap();
    folder.write("text.npy", "1 2\n3 4\n");
    folder.write("empty.npy", "");
    folder.write("header.npy", &random(&[N, N]).to_bytes()[..50]);
    folder.write("wrong.npy", random(&[N, N]).to_bytes().replace_first(b"descr", b"decsr"));
    folder.save("stack.npy", &Npy { shape: vec![2, 5, N], ..random(&[N, N]) });
    folder.save("number.npy", &Npy { shape: vec![], data: vec![0; 8], ..random(&[N, N]) });
    mkfifo(&folder.file("pipe.npy"), Mode::S_IRUSR | Mode::S_IWUSR).unwrap();
    let missing = "missing.npy: No such file or directory";
    let not_a_file = |name: &str| format!("{name}: expected a file, got a folder, a pipe or a device");
    let cases = [
        ("missing.npy", missing.to_owned()),
        ("a.npy missing.npy", missing.into()),
        ("missing.npy b.npy", missing.into()),
        ("folder.npy", not_a_file("folder.npy")),
        ("a.npy folder.npy", not_a_file("folder.npy")),
        // Nobody waits for one who writes into it.
        ("pipe.npy", not_a_file("pipe.npy")),
        ("/dev/zero", not_a_file("/dev/zero")),
        ("text.npy", "text.npy: expected a .npy header, got the end of the file inside it".into()),
        ("/proc/self/maps", "/proc/self/maps: expected a .npy file, got one that does not begin as such".into()),
        ("empty.npy", "empty.npy: expected a .npy header, got the end of the file inside it".into()),
        ("header.npy", "header.npy: expected a .npy header, got the end of the file inside it".into()),
        ("wrong.npy", "wrong.npy: expected a .npy header, got one with".into()),
        ("stack.npy", format!("stack.npy: expected an array of one or two dimensions, got 2 x 5 x {N}")),
        ("a.npy stack.npy", format!("stack.npy: expected an array of one or two dimensions, got 2 x 5 x {N}")),
        ("number.npy", "number.npy: expected an array of one or two dimensions, got".into()),
    ];
    fail(&folder, "files that are no matrices", &cases);
}

#[test]
fn a_file_that_is_too_short_or_too_long_is_named_with_its_bytes() {
    let folder = folder();
    let a = random(&[N, N]).to_bytes();
    let bytes = a.len();
    folder.write("short.npy", &a[..bytes - 1]);
    folder.write("long.npy", [&a[..], &[0]].concat());
    folder.write("bare.npy", random(&[N, N]).header());
    folder.save("overflow.npy", &Npy { shape: vec![1 << 62, 1 << 62], ..random(&[N, N]) });
    let expected = format!("expected {bytes} bytes for {N} x {N} of <f8, got");
    let cases = [
        ("short.npy", format!("short.npy: {expected} {}", bytes - 1)),
        ("short.npy b.npy", format!("short.npy: {expected} {}", bytes - 1)),
        ("a.npy short.npy", format!("short.npy: {expected} {}", bytes - 1)),
        ("long.npy", format!("long.npy: {expected} {}", bytes + 1)),
        ("bare.npy", format!("bare.npy: {expected} {}", bytes - 8 * N * N)),
        ("overflow.npy", format!("overflow.npy: expected fewer bytes for {0} x {0} of <f8, got {bytes}", 1_u64 << 62)),
    ];
    fail(&folder, "files of another length", &cases);
}

#[test]
fn elements_of_another_type_are_named_with_what_makes_the_right_ones() {
    let folder = folder();
    for descr in ["<i8", ">f8", "<c16", "<f2", "|b1", "|O"] {
        let name = descr.trim_start_matches(['<', '>', '|']);
        folder.save(&format!("{name}.npy"), &Npy { descr: descr.into(), ..random(&[N, N]) });
    }
    folder.save("single.npy", &Npy::of::<f32>(true, &[N, N], &matrix(Kind::Uniform, N, N, 1)));
    let expected = |name: &str, descr: &str, wanted: &str| {
        format!(
            "{name}: expected elements of {wanted}, got dtype {descr}; numpy.save(name, a.astype('{wanted}')) makes"
        )
    };
    let cases = [
        ("i8.npy", expected("i8.npy", "<i8", "<f8")),
        ("f8.npy", expected("f8.npy", ">f8", "<f8")),
        ("c16.npy", expected("c16.npy", "<c16", "<f8")),
        ("f2.npy", expected("f2.npy", "<f2", "<f8")),
        ("b1.npy", expected("b1.npy", "|b1", "<f8")),
        ("O.npy", expected("O.npy", "|O", "<f8")),
        ("a.npy i8.npy", expected("i8.npy", "<i8", "<f8")),
        // Both must have the same type: that of A.
        ("a.npy single.npy", expected("single.npy", "<f4", "<f8")),
        ("single.npy a.npy", expected("a.npy", "<f8", "<f4")),
    ];
    fail(&folder, "elements of other types", &cases);
}

#[test]
fn shapes_that_do_not_fit_are_named() {
    let folder = folder();
    folder.save("wide.npy", &random(&[N, N + 1]));
    folder.save("tall.npy", &random(&[N + 1, N]));
    folder.save("vector.npy", &random(&[N]));
    folder.save("longer.npy", &random(&[N + 1]));
    let rows = format!("expected {N} rows, since a.npy is {N} x {N}, got");
    let cases = [
        ("vector.npy", format!("vector.npy: expected a matrix, got a vector of {N}")),
        ("vector.npy b.npy", format!("vector.npy: expected a matrix, got a vector of {N}")),
        ("wide.npy b.npy", format!("wide.npy: expected a square matrix, got {N} x {}", N + 1)),
        ("tall.npy b.npy", format!("tall.npy: expected a square matrix, got {} x {N}", N + 1)),
        ("a.npy tall.npy", format!("tall.npy: {rows} {} x {N}", N + 1)),
        ("a.npy longer.npy", format!("longer.npy: {rows} {}", N + 1)),
    ];
    fail(&folder, "shapes that do not fit", &cases);
}

/// In files of both orders, on whichever rank they are read: the first one in the file is named, counted from 1.
#[test]
fn numbers_that_are_not_finite_are_named_by_row_and_column() {
    let folder = folder();
    let cases = [
        ("a", f64::NAN, 0, 0, "NaN"),
        ("a", f64::INFINITY, N - 1, N - 1, "inf"),
        ("b", f64::NEG_INFINITY, 3, 1, "-inf"),
        ("b", f64::NAN, N - 1, 0, "NaN"),
    ];
    for is_fortran in [false, true] {
        for (file, x, i, j, text) in cases {
            let n = if file == "a" { N } else { 2 };
            let mut elements: Vec<f64> = matrix(Kind::Uniform, N, n, 1);
            elements[i + j * N] = x;
            folder.save("bad.npy", &Npy::of(is_fortran, &[N, n], &elements));
            let args = if file == "a" { "bad.npy b.npy" } else { "a.npy bad.npy" };
            let (row, column) = (i + 1, j + 1);
            let message = format!("bad.npy: row {row}, column {column}: expected a finite number, got {text}");
            fail(&folder, "numbers that are not finite", &[(args, message)]);
        }
    }
    let mut elements: Vec<f32> = matrix(Kind::Uniform, N, N, 1);
    elements[7] = f32::NAN;
    folder.save("bad.npy", &Npy::of(false, &[N, N], &elements));
    let message = "bad.npy: row 8, column 1: expected a finite number, got NaN".to_owned();
    fail(&folder, "numbers that are not finite", &[("bad.npy", message)]);
}

#[test]
fn a_singular_system_has_no_solution_and_the_first_pivot_is_named() {
    let folder = folder();
    for (number, mpi) in Mpi::present("singular systems").into_iter().enumerate() {
        for (n, zero, block) in [(1, 1, 3), (10, 10, 3), (10, 4, 3), (70, 66, 64)] {
            let mut a: Vec<f64> = matrix(Kind::Uniform, n, n, 1);
            a[(zero - 1) * n..zero * n].fill(0.0);
            folder.save("singular.npy", &Npy::of(number == 0, &[n, n], &a));
            folder.save("b.npy", &random(&[n, 2]));
            let args = format!("singular.npy b.npy -o x.npy --block {block} --refine");
            let line = format!("singular.npy: expected a nonsingular matrix, but U({zero},{zero}) is exactly zero");
            folder.fails(&mut folder.command("solve", &mpi.ranks(2), &args), 65, &[&line]);
        }
    }
}

trait ReplaceFirst {
    fn replace_first(self, from: &[u8], to: &[u8]) -> Self;
}

impl ReplaceFirst for Vec<u8> {
    fn replace_first(mut self, from: &[u8], to: &[u8]) -> Self {
        let at = self.windows(from.len()).position(|window| window == from).expect("it is there");
        self[at..at + from.len()].copy_from_slice(to);
        self
    }
}
