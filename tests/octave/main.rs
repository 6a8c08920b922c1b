//! Octave, a program that calls LAPACK, over this LU by LD_PRELOAD.

use std::fs;
use std::path::Path;
use std::process::Command;

use nalgebra::DMatrix;
use recfact::{Element, Lu, Norm, Options, norm};
use tempfile::{TempDir, tempdir};
use testing::process::report;
use testing::{Float, Kind, bits, c_library, instruction_sets, matrix};

const N: usize = 150;
const NRHS: usize = 4;

/// What the program computes in one precision.
struct Results<T> {
    lu: Vec<T>,
    rows: Vec<usize>,
    det: T,
    x: Vec<T>,
    x_transposed: Vec<T>,
    inverse: Vec<T>,
    rcond: T,
    cond: T,
}

impl<T: Float> Results<T> {
    /// Takes them from the beginning of the output.
    fn take(output: &mut &[u8]) -> Self {
        let mut next = |count: usize| -> Vec<T> {
            let (values, rest) = output.split_at(count * size_of::<T>());
            *output = rest;
            values.chunks_exact(size_of::<T>()).map(T::from_le).collect()
        };
        Results {
            lu: next(N * N),
            rows: next(N).into_iter().map(|row| row.into() as usize - 1).collect(),
            det: next(1)[0],
            x: next(N * NRHS),
            x_transposed: next(N * NRHS),
            inverse: next(N * N),
            rcond: next(1)[0],
            cond: next(1)[0],
        }
    }
}

/// Runs the program in a folder of its own; with a library to preload on an instruction set, where its names are bound is written to files
/// `bindings.PID`. `None` where there is no Octave.
fn octave(preload: Option<(&Path, &str)>, a: &[f64], b: &[f64]) -> Option<TempDir> {
    let folder = tempdir().unwrap();
    let sizes = [N as i64, NRHS as i64].map(i64::to_le_bytes).concat();
    let elements = a.iter().chain(b).flat_map(|x| x.to_le_bytes());
    fs::write(folder.path().join("in"), sizes.into_iter().chain(elements).collect::<Vec<u8>>()).unwrap();
    let mut octave = Command::new("octave-cli");
    octave
        .args(["--norc", "--no-history", concat!(env!("CARGO_MANIFEST_DIR"), "/tests/octave/program.m")])
        .current_dir(&folder);
    if let Some((library, isa)) = preload {
        octave
            .env("RECFACT_ISA", isa)
            .env("LD_PRELOAD", library)
            .env("LD_DEBUG", "bindings")
            .env("LD_DEBUG_OUTPUT", "bindings");
    }
    let output = match octave.env_remove("LD_LIBRARY_PATH").output() {
        Err(_) => {
            eprintln!("NOT TESTED, octave-cli is not installed: LAPACK's names under a program that calls them");
            return None;
        }
        Ok(output) => output,
    };
    assert!(output.status.success(), "{}", report(&output));
    Some(folder)
}

/// Our results by the library in this process, and a second opinion by Octave's own LAPACK.
fn check<T: Element + Float>(ours: &Results<T>, theirs: &Results<T>, a: &[f64], b: &[f64]) {
    let convert = |x: &[f64]| x.iter().map(|&x| T::from_f64(x)).collect::<Vec<T>>();
    let (a, b) = (DMatrix::from_vec(N, N, convert(a)), DMatrix::from_vec(N, NRHS, convert(b)));
    let transposed = Lu::new(a.transpose(), &Options::default()).unwrap();
    let anorm = norm(Norm::One, &a);
    let lu = Lu::new(a, &Options::default()).unwrap();
    assert!(bits(&ours.lu) == bits(lu.packed().as_slice()));
    assert_eq!(ours.rows, lu.permutation().unwrap());
    assert!(bits(&ours.x) == bits(lu.solve(&b).unwrap().as_slice()));
    // Octave transposes the matrix, not the system.
    assert!(bits(&ours.x_transposed) == bits(transposed.solve(&b).unwrap().as_slice()));

    assert!(bits(&ours.inverse) == bits(lu.inverse().unwrap().as_slice()));
    // Octave's norm may be rounded differently.
    let (rcond, expected): (f64, _) = (ours.rcond.into(), lu.rcond(Norm::One, anorm).unwrap());
    assert!((rcond - expected).abs() <= N as f64 * T::EPSILON * expected);

    // The matrix is well conditioned: two stable algorithms agree up to roundings.
    let tolerance = 1e3 * N as f64 * T::EPSILON;
    let close = |x: &[T], y: &[T]| {
        let largest = x.iter().fold(0.0, |largest: f64, &x| largest.max(Float::abs(x).into()));
        x.iter().zip(y).all(|(&x, &y)| (x.into() - y.into()).abs() <= tolerance * largest)
    };
    assert_eq!(ours.rows, theirs.rows);
    assert!(close(&ours.lu, &theirs.lu) && close(&ours.x, &theirs.x) && close(&ours.inverse, &theirs.inverse));
    assert!(close(&ours.x_transposed, &theirs.x_transposed) && close(&[ours.det], &[theirs.det]));
    assert!(close(&[ours.cond], &[theirs.cond]));
    // Both are estimates.
    let ratio = rcond / theirs.rcond.into();
    assert!((0.1..10.0).contains(&ratio), "rcond: {ratio} times that of Octave's LAPACK");
}

#[test]
fn octave_runs_on_our_lu_and_agrees_with_itself() {
    let mut a: Vec<f64> = matrix(Kind::Uniform, N, N, 1);
    // Not too large for a determinant in single precision.
    a.iter_mut().for_each(|x| *x *= 0.2);
    (0..N).for_each(|i| a[(i + 7) % N + i * N] += 1.5);
    let b: Vec<f64> = matrix(Kind::Uniform, N, NRHS, 2);
    let library = c_library::folder_with_lapack(env!("CARGO_TARGET_TMPDIR")).join("librecfact.so");
    let Some(theirs) = octave(None, &a, &b) else { return };
    for isa in instruction_sets() {
        let ours = octave(Some((&library, isa)), &a, &b).expect("Octave has run before");
        compare(&ours, &theirs, &a, &b);
        check_bindings(&ours, &library);
    }
}

fn compare(ours: &TempDir, theirs: &TempDir, a: &[f64], b: &[f64]) {
    let output = [ours, theirs].map(|folder| fs::read(folder.path().join("out")).unwrap());
    let (mut from_ours, mut from_theirs) = (&output[0][..], &output[1][..]);
    let both = (Results::<f64>::take(&mut from_ours), Results::take(&mut from_theirs));
    check(&both.0, &both.1, a, b);
    let both = (Results::<f32>::take(&mut from_ours), Results::take(&mut from_theirs));
    check(&both.0, &both.1, a, b);
    assert!(from_ours.is_empty() && from_theirs.is_empty());
}

/// The dynamic linker's word for whose symbols they were.
fn check_bindings(ours: &TempDir, library: &Path) {
    let files = fs::read_dir(ours).unwrap().map(|entry| entry.unwrap().path());
    let logs = files.filter(|path| path.extension().is_some_and(|pid| pid.to_string_lossy().parse::<u32>().is_ok()));
    let bindings: String = logs.map(|path| fs::read_to_string(path).unwrap()).collect();
    for name in ["getrf_", "getrs_", "getri_", "gecon_"]
        .iter()
        .flat_map(|name| ["d", "s"].map(|letter| letter.to_owned() + name))
    {
        let ours = |line: &&str| line.contains(&format!("to {} ", library.display()));
        let found = bindings.lines().filter(ours).any(|line| line.contains(&format!("normal symbol `{name}'")));
        assert!(found, "{name} was not bound to {}", library.display());
    }
}
