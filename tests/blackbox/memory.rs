//! How much memory the executable takes, and what it does if there is none.

use std::fs;
use std::io::Write;
use std::process::Output;

use tempfile::tempdir;

use testing::{Kind, matrix};

use testing::frames::*;

use crate::harness::*;

#[test]
fn the_peak_is_the_largest_matrix_and_the_memory_is_given_back() {
    let (m, n) = (400_000, 50);
    let a: Vec<f64> = matrix(Kind::Uniform, m, n, 1);
    let request_bytes = request(0, m, n, &a);
    let response_bytes = 8 + 8 * m * n + 8 * n;
    let mut server = Server::start(&[]);
    for _ in 0..2 {
        // A slightly smaller matrix first: its memory must not be held beside that of the next one.
        let smaller = m / 10 * 9;
        server.ask(&request(0, smaller, n, &a[..smaller * n]), 8 + 8 * smaller * n + 8 * n);
        let response = server.ask(&request_bytes, response_bytes);
        assert_eq!(response[..8], [0; 8]);
    }
    let matrix_kib = (8 * m * n) as u64 / 1024;
    let (peak, bound) = (server.memory_kib("VmHWM"), matrix_kib * 105 / 100 + (16 << 10));
    assert!(peak <= bound, "peak {peak} KiB, bound {bound} KiB");
    assert!(peak >= matrix_kib, "the matrix is in memory: {peak} KiB of {matrix_kib}");

    let small = request(0, 2, 2, &[4.0, 6.0, 3.0, 3.0]);
    for _ in 0..50 {
        server.send(&small);
        server.receive(8 + 32 + 16);
    }
    let after = server.memory_kib("VmRSS");
    assert!(after < 16 << 10, "{after} KiB are still held");
    assert!(server.finish().0.success());
}

/// A matrix of 30 MiB: square, a single row, a single column.
const SHAPES: [(usize, usize); 3] = [(1966, 2000), (1, 1966 * 2000), (1966 * 2000, 1)];
const MATRIX_KIB: usize = 1966 * 2000 * 8 / 1024;

/// Beside the matrix `encode` and `decode` may take this.
const MORE_KIB: usize = 8 << 10;

/// Element (i, j): a whole number that any type can hold.
fn element(i: usize, j: usize) -> i8 {
    ((i * 31 + j * 7) % 201) as i8
}

/// Runs a subcommand that may have as much memory as a matrix and a little more.
fn within_limits(args: &[&str], input: &[u8]) -> Output {
    let output = run(&mut limited(&format!("-d {}", MATRIX_KIB + MORE_KIB), args), input);
    assert!(output.status.success() && output.stderr.is_empty(), "{args:?} {}", report(&output));
    output
}

fn by_rows(m: usize, n: usize) -> impl Iterator<Item = i8> {
    (0..m).flat_map(move |i| (0..n).map(move |j| element(i, j)))
}

fn by_columns(m: usize, n: usize) -> impl Iterator<Item = i8> {
    (0..n).flat_map(move |j| (0..m).map(move |i| element(i, j)))
}

#[test]
fn encode_needs_little_more_than_the_matrix() {
    let folder = tempdir().unwrap();
    let file = folder.path().join("a");
    for (m, n) in SHAPES {
        let expected = request(0, m, n, &by_columns(m, n).map(f64::from).collect::<Vec<_>>());
        let mut text = Vec::new();
        for (at, x) in by_rows(m, n).enumerate() {
            write!(text, "{x}{}", if (at + 1) % n == 0 { "\n" } else { "," }).unwrap();
        }
        let f8 = |x: i8| f64::from(x).to_le_bytes();
        let f4 = |x: i8| f32::from(x).to_be_bytes();
        let shape = format!("({m}, {n})");
        let inputs = [
            text,
            npy("<f8", false, &shape, &by_rows(m, n).flat_map(f8).collect::<Vec<_>>()),
            npy("<f8", true, &shape, &by_columns(m, n).flat_map(f8).collect::<Vec<_>>()),
            npy(">f4", false, &shape, &by_rows(m, n).flat_map(f4).collect::<Vec<_>>()),
            npy("|i1", true, &shape, &by_columns(m, n).map(|x| x as u8).collect::<Vec<_>>()),
        ];
        for (at, input) in inputs.iter().enumerate() {
            let piped = within_limits(&["encode", "--bare"], input);
            assert!(piped.stdout == expected, "{m} x {n}, input {at}");
        }
        fs::write(&file, &inputs[0]).unwrap();
        assert!(
            within_limits(&["encode", "--bare", file.to_str().unwrap()], &[]).stdout == expected,
            "{m} x {n}, file"
        );
    }
}

/// A response that nobody has computed: no swaps.
fn response(m: usize, n: usize) -> Vec<u8> {
    let mut bytes = vec![0; 8];
    by_columns(m, n).for_each(|x| bytes.extend(f64::from(x).to_le_bytes()));
    (1..=m.min(n)).for_each(|row| bytes.extend((row as i64).to_le_bytes()));
    bytes
}

#[test]
fn decode_needs_little_more_than_the_matrix() {
    let folder = tempdir().unwrap();
    let folder = folder.path().to_str().unwrap();
    for (m, n) in SHAPES {
        let (response, shape) = (response(m, n), format!("{m}x{n}"));
        for format in [&["--digits", "3"][..], &["--compact"], &["--csv", folder], &["--npy", folder]] {
            within_limits(&[&["decode", "--shape", &shape], format].concat(), &response);
        }
        let lu = fs::read(format!("{folder}/1-lu.npy")).unwrap();
        assert!(lu.ends_with(&response[8..8 + 8 * m * n]), "{m} x {n}");
    }
}

/// At every limit below the need, also at those at which nothing is left beside the matrix so far.
#[test]
fn too_little_memory_for_encode_and_decode_is_an_error_and_not_an_abort() {
    let (m, n) = SHAPES[0];
    let bytes = 8 * m * n;
    let elements: Vec<u8> = by_columns(m, n).flat_map(|x| f64::from(x).to_le_bytes()).collect();
    let array = npy("<f8", true, &format!("({m}, {n})"), &elements);
    let text = b"1,2,3,4,5,6,7,8\n".repeat(m * n / 8);
    let (response, shape) = (response(m, n), format!("{m}x{n}"));
    let refused = "bytes of memory for the matrix, got none from the system\n";
    for kib in (20_000..21_100).step_by(44) {
        let fails = |args: &[&str], input: &[u8]| {
            let output = run(&mut limited(&format!("-v {kib}"), args), input);
            assert_eq!((output.status.code(), output.stdout.len()), (Some(4), 0), "{kib} KiB {}", report(&output));
            String::from_utf8(output.stderr).unwrap()
        };
        let said = fails(&["encode"], &array);
        assert_eq!(said, format!("recfact_server encode: stdin: expected {bytes} {refused}"));
        let said = fails(&["encode"], &text);
        assert!(said.starts_with("recfact_server encode: stdin: line ") && said.ends_with(refused), "{said}");
        let said = fails(&["decode", "--shape", &shape], &response);
        let factors = refused.replace("matrix", "factors");
        assert_eq!(said, format!("recfact_server decode: response 1: expected {bytes} {factors}"));
    }
}

/// At limits from the least that the process can start with to the need, for everything that has memory of its own.
#[test]
fn too_little_memory_for_systems_is_answered_and_the_session_goes_on() {
    let n = 400;
    let identity: Vec<f64> = (0..n * n).map(|at| f64::from(u8::from(at % (n + 1) == 0))).collect();
    let both = [&identity[..], &vec![1.0; n]].concat();
    let refined = System { steps: 3, ..System::in_payload(SOLVE, BOUNDS, 0, n, 1) };
    let requests = [
        System::in_payload(KEEP, KEEP_A, 0, n, 0).frame(&identity),
        refined.frame(&both),
        System::in_payload(SOLVE, MIXED, 0, n, 1).frame(&both),
        System::in_payload(INVERSE, 0, 0, n, 0).frame(&identity),
        System::in_payload(CONDITION, 0, 0, n, 0).frame(&identity),
    ];
    let small = System::in_payload(DETERMINANT, 0, 0, 1, 0).frame(&[3.0]);
    let mut statuses = [0; 2];
    for kib in (9000..20_000).step_by(600) {
        let mut server = Server::spawn(&mut limited(&format!("-v {kib}"), &["--threads", "1"]));
        for request in &requests {
            let status = i64::from_le_bytes(server.ask_frame(request)[..8].try_into().unwrap());
            assert!([0, -4].contains(&status), "{kib} KiB: {status}");
            statuses[usize::from(status == 0)] += 1;
            assert_eq!(server.ask_frame(&small)[..8], [0; 8], "{kib} KiB");
        }
        let (status, stderr) = server.finish();
        assert!(status.success() && stderr.is_empty(), "{status} {stderr}");
    }
    assert!(statuses.iter().all(|&count| count > 5), "some limits suffice, others do not: {statuses:?}");
}
