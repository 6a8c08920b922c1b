//! Stacks of matrices at a shell: .npy files of three dimensions become one request, and its answer becomes text or files.

use std::fs;
use std::path::Path;
use std::process::Output;

use tempfile::tempdir;
use testing::frames::{BATCH_FACTOR, Batch, NO_PIVOTING, SINGLE};
use testing::{Float, Kind, matrix, naive_lu};

use crate::harness::*;

const COUNT: usize = 7;
/// No two sizes are equal, so that none is taken for another.
const SHAPES: [[usize; 2]; 4] = [[3, 3], [2, 4], [4, 2], [40, 30]];

/// Matrices one after the other, each column by column; the third one is singular.
fn stack<T: Float>(count: usize, [m, n]: [usize; 2]) -> Vec<T> {
    let kind = |k| if k == 2 { Kind::Zero } else { Kind::Uniform };
    (0..count).flat_map(|k| matrix::<T>(kind(k), m, n, k as u64 + 1)).collect()
}

fn bytes<T: Float>(a: &[T]) -> Vec<u8> {
    a.iter().flat_map(|x| x.le_bytes()).collect()
}

/// `encode ARGS | recfact_server | decode ARGS`; the first two must end well.
fn pipeline(encode: &[&str], decode: &[&str], stdin: &[u8]) -> Output {
    let requests = run(command(&["encode"]).args(encode), stdin);
    assert!(requests.status.success(), "{}", report(&requests));
    run(command(&["decode"]).args(decode), &session(&[], &requests.stdout))
}

#[test]
fn a_stack_of_any_order_and_type_becomes_one_request() {
    for (flags, threads, name) in [
        (0, 1, "f64"),
        (SINGLE, 1, "f32"),
        (NO_PIVOTING, 1, "f64-nopiv"),
        (SINGLE | NO_PIVOTING, 0, "f32-threaded-nopiv"),
        (0, 0, "f64-threaded"),
    ] {
        for shape @ [m, n] in SHAPES {
            let a: Vec<f32> = stack(COUNT, shape);
            let wide: Vec<f64> = a.iter().map(|&x| x.into()).collect();
            let elements = if flags & SINGLE == 0 { bytes(&wide) } else { bytes(&a) };
            let fixed = Batch { threads, ..Batch::in_payload(BATCH_FACTOR, flags, [COUNT, m, n, 0]) };
            let expected = fixed.frame(&elements);
            for fortran in [false, true] {
                for file in [npy_of(fortran, &[COUNT, m, n], &wide), npy_of(fortran, &[COUNT, m, n], &a)] {
                    let output = run(&mut command(&["encode", "--bare", "--cmd", name]), &file);
                    assert!(output.status.success(), "{}", report(&output));
                    assert!(output.stdout == expected, "{name}, {m} x {n}, fortran {fortran}");
                }
            }
        }
    }
    let integers = npy("|i1", false, "(2, 1, 2)", &[1, 2, 3, 4]);
    let output = run(&mut command(&["encode", "--bare"]), &integers);
    let fixed = Batch::in_payload(BATCH_FACTOR, 0, [2, 1, 2, 0]);
    assert_eq!(output.stdout, fixed.frame(&bytes(&[1.0, 2.0, 3.0, 4.0])));
}

/// The labels are requests of version 1 that any server answers, and they count as part of the request after them.
#[test]
fn two_labels_stand_before_a_stack() {
    let row = |numbers: [f64; 3]| {
        let magic = f64::from_bits(u64::from_be_bytes(*b"RecFact\x01"));
        request(0, 1, 4, &[magic, numbers[0], numbers[1], numbers[2]])
    };
    let file = npy("<f4", false, "(2, 1, 3)", &[0; 24]);
    let [bare, labelled] =
        [&["--bare"][..], &[]].map(|args| run(command(&["encode", "--cmd", "f32-nopiv"]).args(args), &file));
    let labels = [row([64.0, 2.0, 0.0]), row([5.0, 1.0, 3.0])].concat();
    assert_eq!(labelled.stdout, [labels, bare.stdout].concat());
    // The second matrix of the stream is the second request.
    let requests = [&labelled.stdout[..], &labelled.stdout[..2 * 49], &[0x0f]].concat();
    let output = run(&mut command(&[]), &requests);
    assert!(
        String::from_utf8_lossy(&output.stderr).starts_with("recfact_server: request 2 at byte "),
        "{}",
        report(&output)
    );
}

/// The elements of a .npy file, after a header that says what is expected.
fn elements(path: &Path, says: &[&str]) -> Vec<u8> {
    let file = fs::read(path).unwrap();
    let (header, data) = npy_parts(&file);
    says.iter().for_each(|part| assert!(header.contains(part), "{header} has no {part}"));
    data.to_vec()
}

fn check_npy_files<T: Float>(descr: &str, name: &str, pivoting: bool) {
    let folder = tempdir().unwrap();
    for (fortran, shape @ [m, n]) in SHAPES.into_iter().flat_map(|shape| [(false, shape), (true, shape)]) {
        let (a, k): (Vec<T>, _) = (stack(COUNT, shape), m.min(n));
        let output = pipeline(
            &["--cmd", name],
            &["--npy", folder.path().to_str().unwrap()],
            &npy_of(fortran, &[COUNT, m, n], &a),
        );
        let [lu, ipiv, info] = ["lu", "ipiv", "info"].map(|name| folder.path().join(format!("1-{name}.npy")));
        let element = name.split('-').next().unwrap();
        let files = [&lu, &ipiv, &info].map(|path| path.display().to_string()).join(", ");
        let said = format!("matrix 1: {COUNT} x {m} x {n}, {element}, a pivot is exactly zero in slice 3 -> {files}\n");
        assert_eq!(text(&output), said);

        let naive: Vec<_> = a.chunks_exact(m * n).map(|a| naive_lu(a, m, n, pivoting)).collect();
        let factors: Vec<T> = naive.iter().flat_map(|naive| naive.lu.clone()).collect();
        let expected = npy_of(false, &[COUNT, m, n], &factors);
        let says = [descr, "'fortran_order': False", &format!("({COUNT}, {m}, {n}")];
        assert!(elements(&lu, &says) == expected[expected.len() - COUNT * m * n * size_of::<T>()..], "{m} x {n}");
        let swaps: Vec<u8> = naive.iter().flat_map(|naive| &naive.ipiv).flat_map(|row| row.to_le_bytes()).collect();
        assert!(elements(&ipiv, &["<i8", "'fortran_order': False", &format!("({COUNT}, {k}")]) == swaps, "{m} x {n}");
        let infos: Vec<u8> = naive.iter().flat_map(|naive| naive.info.to_le_bytes()).collect();
        assert!(elements(&info, &["<i8", &format!("({COUNT},")]) == infos, "{m} x {n}");
    }
}

#[test]
fn decoded_npy_files_of_a_stack_hold_what_the_oracle_gives_for_each_matrix() {
    check_npy_files::<f64>("<f8", "f64", true);
    check_npy_files::<f32>("<f4", "f32-threaded", true);
    check_npy_files::<f64>("<f8", "f64-threaded-nopiv", false);
}

/// Two matrices with the rows (4, 3) and (6, 3), and (1, 2) and (2, 4): f64, C order.
fn two() -> Vec<u8> {
    npy("<f8", false, "(2, 2, 2)", &bytes(&[4.0, 3.0, 6.0, 3.0, 1.0, 2.0, 2.0, 4.0]))
}

#[test]
fn the_matrices_of_a_stack_are_printed_one_after_the_other() {
    let folder = tempdir().unwrap();
    let file = folder.path().join("two.npy");
    fs::write(&file, two()).unwrap();
    // A matrix, a stack, a matrix.
    let output = pipeline(&["-", file.to_str().unwrap(), "examples/a.csv"], &["--compact"], b"7\n");
    let expected = "\
matrix 1: 1 x 1, f64, info 0
L below the diagonal, U on and above it (1 x 1):
  7
ipiv: 1
rows of A in P*A = L*U: 1
matrix 2, slice 1: 2 x 2, f64, info 0
L below the diagonal, U on and above it (2 x 2):
         6  3
  0.666667  1
ipiv: 2 2
rows of A in P*A = L*U: 2 1
matrix 2, slice 2: 2 x 2, f64, info 2: U(2,2) is exactly zero
L below the diagonal, U on and above it (2 x 2):
    2  4
  0.5  0
ipiv: 2 2
rows of A in P*A = L*U: 2 1
matrix 3: 3 x 3, f64, info 0
";
    let text = text(&output);
    assert!(text.starts_with(expected), "{text}");
}

#[test]
fn the_matrices_of_a_stack_stand_one_below_the_other_in_csv_files() {
    let folder = tempdir().unwrap();
    let output = pipeline(&[], &["--csv", folder.path().to_str().unwrap()], &two());
    assert!(text(&output).starts_with("matrix 1: 2 x 2 x 2, f64, a pivot is exactly zero in slice 2 -> "));
    let read = |name: &str| fs::read_to_string(folder.path().join(format!("1-{name}.csv"))).unwrap();
    assert_eq!(read("lu"), "6,3\n0.6666666666666666,1\n2,4\n0.5,0\n");
    assert_eq!(read("ipiv"), "2,2\n2,2\n");
    assert_eq!(read("info"), "0\n2\n");
}

#[test]
fn empty_stacks_go_through_a_pipeline() {
    let folder = tempdir().unwrap();
    let folder = folder.path().to_str().unwrap();
    for (shape, printed) in [
        ("(0, 3, 2)", "matrix 1: 0 x 3 x 2, f64, info 0\nempty: no factors, no row swaps\n"),
        (
            "(0, 4294967296, 1048576)",
            "matrix 1: 0 x 4294967296 x 1048576, f64, info 0\nempty: no factors, no row swaps\n",
        ),
        ("(1, 0, 2)", "matrix 1, slice 1: 0 x 2, f64, info 0\nempty: no factors, no row swaps\n"),
    ] {
        let file = npy("<f8", false, shape, &[]);
        assert_eq!(text(&pipeline(&[], &[], &file)), printed);
        for format in ["--npy", "--csv"] {
            assert!(pipeline(&[], &[format, folder], &file).status.success(), "{shape}");
        }
    }
    let output = pipeline(&[], &["--npy", folder], &npy("<f8", false, "(1000, 2, 0)", &[]));
    assert!(text(&output).starts_with("matrix 1: 1000 x 2 x 0, f64, info 0 -> "), "{}", report(&output));
    assert_eq!(elements(&Path::new(folder).join("1-info.npy"), &["(1000,"]), [0; 8000]);
    assert_eq!(elements(&Path::new(folder).join("1-ipiv.npy"), &["(1000, 0"]), [0; 0]);
}

#[test]
fn stacks_without_labels_are_decoded_by_their_shapes() {
    let requests = run(&mut command(&["encode", "--bare", "--cmd", "f32"]), &two());
    let responses = session(&[], &requests.stdout);
    let labelled = pipeline(&["--cmd", "f32"], &[], &two());
    let output = run(&mut command(&["decode", "--shape", "2x2x2:f32"]), &responses);
    assert_eq!(text(&output), text(&labelled));
    for shape in ["1x2x3x4", "2x-2x2", "x2x2", "9223372036854775807x1x1", "4611686018427387904x0x7"] {
        let output = run(&mut command(&["decode", &format!("--shape={shape}")]), &responses);
        assert_eq!(output.status.code(), Some(64), "{shape} {}", report(&output));
    }
}

/// Runs `decode` on input that it must refuse, with this line and nothing on stdout.
fn refuses(args: &[&str], input: &[u8], line: &str) {
    let output = run(command(&["decode"]).args(args), input);
    assert_eq!(String::from_utf8_lossy(&output.stderr), format!("recfact_server decode: response 1: {line}\n"));
    assert_eq!((output.status.code(), output.stdout.len()), (Some(65), 0), "{}", report(&output));
}

#[test]
fn broken_answers_for_stacks_are_refused() {
    let shape = &["--shape", "2x2x2"];
    let good = session(&[], &run(&mut command(&["encode", "--bare"]), &two()).stdout);
    assert_eq!(good.len(), 16 + 16 + 64 + 32 + 16);
    for (length, what) in [
        (8, "expected 8 bytes of length, got end of input after 0"),
        (15, "expected 8 bytes of length, got end of input after 7"),
        (20, "expected 16 bytes of the fixed part, got end of input after 4"),
        (40, "expected 64 bytes of factors, got end of input after 8"),
        (100, "expected 32 bytes of row swaps, got end of input after 4"),
        (129, "expected 16 bytes of info, got end of input after 1"),
    ] {
        refuses(shape, &good[..length], what);
    }
    let forged = |at: usize, number: i64| {
        let mut forged = good.clone();
        forged[at..at + 8].copy_from_slice(&number.to_le_bytes());
        forged
    };
    let length = |number: i64| format!("expected status 0 and 128 bytes, got status 0 and {number} bytes");
    refuses(shape, &forged(8, 127), &length(127));
    refuses(shape, &forged(8, i64::MAX), &length(i64::MAX));
    refuses(shape, &forged(0, 3), "expected status 0 and 128 bytes, got status 3 and 128 bytes");
    refuses(shape, &forged(16, 3), "expected a number of singular matrices in 0..=2, got 3");
    refuses(shape, &forged(16, -1), "expected a number of singular matrices in 0..=2, got -1");
    refuses(shape, &forged(16, 2), "expected 2 matrices with an info other than 0, got 1");
    refuses(shape, &forged(96 + 16, 3), "slice 2: expected ipiv(1) to be a row in 1..=2, got 3");
    refuses(shape, &forged(128, 9), "slice 1: expected info in -2..=2, got 9");
    let huge = &["--shape", "1000000000000x100x100"];
    let bytes = 16 + 1_000_000_000_000_i64 * (80_000 + 800 + 8);
    refuses(huge, &forged(8, bytes), "expected 80000000000000000 bytes of factors, got end of input after 112");
    let many_empty = &["--shape", "1000000000000x0x0"];
    let claimed = forged(8, 16 + 8_000_000_000_000);
    refuses(many_empty, &claimed, "expected 8000000000000 bytes of info, got end of input after 112");

    let labelled = session(&[], &run(&mut command(&["encode"]), &two()).stdout);
    let own = "got a label: this stream says its shapes itself, leave out --shape";
    refuses(shape, &labelled, own);
    refuses(&["--shape", "2x2"], &labelled[..200], own);
    let ended = "expected a response after its label, got end of input";
    refuses(&[], &labelled[..48], ended);
    refuses(&[], &labelled[..96], ended);
    let twice = [&labelled[..48], &labelled[..48]].concat();
    refuses(&[], &twice, "expected the label of a response, got an impossible one");
    refuses(&[], &[&labelled[..48], &[0; 48]].concat(), "expected a label; for requests made without one say --shape");
}

#[test]
fn a_refused_stack_is_reported_through_the_whole_pipeline() {
    let requests = run(&mut command(&["encode"]), &two()).stdout;
    let responses = session(&["--max-bytes", "100B"], &requests);
    let said = "expected operands of at most 100 bytes together, got 112 for count = 2, m = 2, n = 2, nrhs = 0; \
                --max-bytes sets the limit";
    let refused = "the server refused the request: ";
    refuses(&[], &responses, &format!("{refused}larger than the server's limit: {said}"));
    // A server of version 1 answers the labels, then refuses the first byte of the frame.
    let labels = session(&[], &requests[..2 * 49]);
    let version1 = [&labels[..], &(i64::MIN + 1).to_le_bytes()].concat();
    refuses(&[], &version1, &format!("{refused}unknown command"));
    // A message of any length and bytes is a line.
    let message = [b"\x1b[31m\n".to_vec(), vec![b'x'; 10_000]].concat();
    let head = [(-99_i64).to_le_bytes(), (message.len() as i64).to_le_bytes()].concat();
    let line = format!("{refused}code 99:  [31m {}", "x".repeat(4096 - 6));
    refuses(&["--shape", "1x1x1"], &[head, message].concat(), &line);
}

#[test]
fn broken_stacks_in_files_are_refused() {
    let encode = |file: Vec<u8>, line: &str| {
        let output = run(&mut command(&["encode"]), &file);
        assert_eq!(String::from_utf8_lossy(&output.stderr), format!("recfact_server encode: stdin: {line}\n"));
        assert_eq!((output.status.code(), output.stdout.len()), (Some(65), 0), "{}", report(&output));
    };
    let dimensions = "expected an array of two or three dimensions, got shape [4]";
    encode(npy("<f8", false, "(4,)", &[0; 32]), dimensions);
    let dimensions = "expected an array of one to three dimensions, got shape [1, 1, 1, 1]";
    encode(npy("<f8", false, "(1, 1, 1, 1)", &[0; 8]), dimensions);
    encode(npy("<f8", false, "(2, 1, 2)", &[0; 24]), "expected 32 bytes of elements for 2 x 1 x 2, got 24");
    encode(npy("<f8", true, "(2, 1, 1)", &[0; 24]), "expected 16 bytes of elements for 2 x 1 x 1, got 24");
    let huge = npy("<f8", false, "(2097152, 2097152, 2097152)", &[]);
    encode(huge, "expected a shape that fits into memory, got 2097152 x 2097152 x 2097152");
    let (count, side) = ((1_u64 << 53) + 1, 1_u64 << 40);
    let long = npy("<f8", false, &format!("({count}, 1, 0)"), &[]);
    encode(long, &format!("expected sizes of at most 2^53, got {count} x 1 x 0"));
    let wide = npy("<f8", false, &format!("(0, {side}, {side})"), &[]);
    encode(wide, &format!("expected a shape that fits into memory, got 0 x {side} x {side}"));
}

/// The memory of the stack and a few MiB, whatever its order.
#[test]
fn a_stack_needs_little_more_than_its_own_memory() {
    let count = 40_000;
    let kib = count * 100 * 8 / 1024 + (8 << 10);
    let a: Vec<f64> = matrix(Kind::Uniform, 100, count, 1);
    let folder = tempdir().unwrap();
    for fortran in [false, true] {
        let file = npy_of(fortran, &[count, 10, 10], &a);
        let requests = run(&mut limited(&format!("-d {kib}"), &["encode"]), &file);
        assert!(requests.status.success(), "{}", report(&requests));
        let responses = session(&[], &requests.stdout);
        // Beside the factors stand the row swaps, a tenth of them here.
        let kib = kib + count * 10 * 8 / 1024;
        for args in [&["--compact", "--digits", "3"][..], &["--npy", folder.path().to_str().unwrap()]] {
            let output = run(&mut limited(&format!("-d {kib}"), &[&["decode"], args].concat()), &responses);
            assert!(output.status.success(), "{}", report(&output));
        }
    }
}
