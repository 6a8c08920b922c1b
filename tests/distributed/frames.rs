//! FILES_FACTOR and FILES_SOLVE over a session: what they compute, what is refused, and that the session goes on.

use testing::frames::{FILES_FACTOR, FILES_SOLVE, Files, frame};
use testing::npy::Npy;
use testing::{Kind, matrix, naive_lu};

use crate::accuracy::Matrix;
use crate::folder::Folder;
use crate::machine::Mpi;
use crate::memory::{TOO_LARGE, is_too_large};
use crate::session::{Session, chosen, request};

const N: usize = 30;
const NRHS: usize = 2;

/// The features of HELLO: there is an engine for files, and its bits depend on the grid.
const FILES: u64 = 1 << 4 | 1 << 5;

fn elements() -> (Vec<f64>, Vec<f64>) {
    (matrix(Kind::Uniform, N, N, 1), matrix(Kind::Uniform, N, NRHS, 2))
}

/// A folder with a system.
fn folder() -> Folder {
    let (folder, (a, b)) = (Folder::new(), elements());
    folder.save("a.npy", &Npy::of(true, &[N, N], &a));
    folder.save("b.npy", &Npy::of(false, &[N, NRHS], &b));
    folder
}

fn solve() -> Files {
    Files::of("a.npy", "b.npy", "x.npy")
}

/// A good request: the session has gone on.
fn check_good(session: &mut Session) {
    let (a, b) = elements();
    let answer = session.computes(&solve());
    assert_eq!((answer.info, answer.sizes), (0, [N as i64, N as i64, NRHS as i64]));
    let x = session.folder.load("x.npy");
    let error = Matrix { n: N, elements: &a, is_transposed: false }.backward_error(&x.columns(), &b);
    assert!(x.shape == [N, NRHS] && error <= N as f64 * f64::EPSILON, "{error:e}");
}

#[test]
fn a_session_factors_and_solves_matrices_in_files() {
    let (a, b) = elements();
    for mpi in Mpi::present("FILES_FACTOR and FILES_SOLVE") {
        let folder = folder();
        let mut session = Session::start(&folder, Some(&mpi.ranks(2)));
        assert_eq!(session.features() & FILES, FILES);
        check_good(&mut session);

        let answer = session.computes(&Files::of("a.npy", "", "f"));
        assert_eq!((answer.info, answer.sizes, answer.bits), (0, [N as i64, N as i64, 0], 64));
        // A matrix that is smaller than a block is one block.
        assert_eq!((answer.grid, answer.block, answer.steps), ([1, 2], N as u32, 0));
        assert!(answer.rcond.is_nan() && answer.backward_error.is_nan() && answer.seconds > 0.0, "{answer:?}");
        assert_eq!(folder.load("f-ipiv.npy").integers(), naive_lu(&a, N, N, true).ipiv);

        let answer = session.computes(&chosen(solve(), [2, 1], 7));
        assert_eq!((answer.grid, answer.block), ([2, 1], 7));
        let transposed = Matrix { n: N, elements: &a, is_transposed: true };
        let error = transposed.backward_error(&folder.load("x.npy").columns(), &b);
        assert!(error <= 4.0 * f64::EPSILON && answer.backward_error <= 4.0 * f64::EPSILON, "{error:e} {answer:?}");
        let ratio = answer.rcond / transposed.rcond();
        assert!((1.0 / 3.0..3.0).contains(&ratio), "{answer:?}");

        // A singular system has an answer, and no X.
        folder.save("zero.npy", &Npy::of(true, &[N, N], &[0.0_f32; N * N]));
        folder.save("single.npy", &Npy::of(true, &[N], &[1.0_f32; N]));
        let answer = session.computes(&Files::of("zero.npy", "single.npy", "none.npy"));
        assert_eq!((answer.info, answer.bits, answer.sizes[2]), (1, 32, 1));
        assert!(!folder.file("none.npy").exists() && answer.rcond.is_nan(), "{answer:?}");
        assert_eq!((session.count("requests_files"), session.count("requests_refused")), (4, 0));
        session.finish();
    }
}

#[test]
fn a_server_without_a_launcher_says_so_and_goes_on() {
    let folder = folder();
    let mut session = Session::start(&folder, None);
    assert_eq!(session.features() & FILES, 0);
    let words = "expected a server with an engine for files, got one without; whoever starts it gives the engine";
    for files in [Files::of("a.npy", "", "f"), solve(), Files::of("--launcher=touch marker", "", "f")] {
        session.refuses(&request(&files), -13, words);
    }
    assert_eq!((session.count("requests_files"), session.count("requests_refused")), (0, 3));
    session.finish();
    assert!(!folder.file("marker").exists());
}

/// Fields and lengths, with a launcher and without one: nothing is started.
#[test]
fn malformed_requests_are_refused_and_the_session_goes_on() {
    let folder = folder();
    for launcher in [None, Some("touch started")] {
        let mut session = Session::start(&folder, launcher);
        let mut refused = 0;
        let mut refuses = |command: u8, files: &Files, words: &str| {
            session.refuses(&frame(command, &files.to_bytes()), -6, words);
            refused += 1;
        };
        let with = |files: Files, field: usize, value: u32| {
            let mut fixed = files.fixed;
            fixed[field] = value;
            Files { fixed, ..files }
        };
        let factor = || Files::of("a.npy", "", "f");
        refuses(FILES_SOLVE, &with(solve(), 0, 1), "expected only defined bits in flags, got 0x1 as well");
        refuses(FILES_SOLVE, &with(solve(), 0, 1 << 31 | 0x1000), "got 0x80000000 as well");
        refuses(FILES_FACTOR, &with(factor(), 0, 0x1000), "got 0x1000 as well");
        refuses(
            FILES_SOLVE,
            &with(solve(), 1, 2),
            "expected columns of the grid to be 0 if its rows are, and else not",
        );
        refuses(
            FILES_SOLVE,
            &with(solve(), 2, 2),
            "expected columns of the grid to be 0 if its rows are, and else not",
        );
        refuses(FILES_SOLVE, &with(solve(), 8, 2), "expected steps to be 0 or 1, got 2");
        refuses(FILES_FACTOR, &with(factor(), 8, 1), "expected steps to be 0, got 1");
        let words = "expected bytes of the factors' name to be 0, since the command makes them, got 1";
        refuses(FILES_FACTOR, &factor().with_factors("f"), words);
        let words = "expected bytes of the factors' name to be at most 4095, got 4096";
        refuses(FILES_SOLVE, &with(solve(), 7, 4096), words);
        refuses(FILES_FACTOR, &solve(), "expected bytes of B's name to be 0, since the command has no B, got 5");
        for (field, name) in [(4, "A's"), (5, "B's"), (6, "the result's")] {
            for length in [0, 4096, u32::MAX] {
                let words = format!("expected bytes of {name} name to be 1 to 4095, got {length}");
                refuses(FILES_SOLVE, &with(solve(), field, length), &words);
            }
        }
        refuses(FILES_SOLVE, &with(solve(), 4, 6), "expected a payload of 52 bytes, got 51");
        refuses(FILES_SOLVE, &with(solve(), 4, 4), "expected a payload of 50 bytes, got 51");
        refuses(FILES_FACTOR, &with(factor(), 6, 4095), "expected a payload of 4136 bytes, got 42");
        for (command, length) in [(FILES_FACTOR, 0), (FILES_SOLVE, 35)] {
            let words = format!("expected a payload of 36 bytes, got {length}");
            session.refuses(&frame(command, &vec![0; length]), -6, &words);
            refused += 1;
        }
        assert_eq!((session.count("requests_files"), session.count("requests_refused")), (0, refused));
        session.finish();
        assert!(!folder.file("started").exists());
    }
}

/// A name that no file has is not found, whatever else it may look like to a shell, to a launcher or to a command line.
#[test]
fn nothing_in_a_name_can_start_anything() {
    let names = [
        "; touch marker",
        "$(touch marker)",
        "`touch marker`",
        "| touch marker",
        "--launcher=touch marker",
        "--scalapack=./marker.so",
        "--suffix=",
        "-x",
        "--",
        ":",
        ": -n 1 touch marker",
        "a.npy b.npy",
        "*",
        "%n%s",
        "\u{ff} ",
    ];
    let mpis = Mpi::present("names that look like commands");
    for (at, mpi) in mpis.iter().enumerate() {
        let folder = folder();
        let mut session = Session::start(&folder, Some(&mpi.ranks(2)));
        for (number, name) in names.into_iter().enumerate().filter(|(number, _)| number % mpis.len() == at) {
            // In one place of four, in turn.
            let files = [
                Files::of(name, "", "f"),
                Files::of(name, "b.npy", "x.npy"),
                Files::of("a.npy", name, "x.npy"),
                solve().with_factors(name),
            ];
            session.refuses(&request(&files[number / mpis.len() % 4]), -15, " of 2 on ");
        }
        let before = folder.contents();
        let of_results = ["no/; touch marker", "no/--a=b.npy", "no/\u{ff}"];
        for name in of_results {
            session.refuses(&request(&Files::of("a.npy", "", name)), -15, "No such file or directory");
        }
        folder.check_unchanged(&before);
        // Bytes that are no text are a name, too.
        let files = Files { names: b"\xff\xfe".to_vec(), fixed: [0, 0, 0, 0, 1, 0, 1, 0, 0] };
        session.refuses(&request(&files), -15, "No such file or directory");
        check_good(&mut session);
        session.finish();
        assert!(!folder.file("marker").exists());
    }
}

/// Lines of a report end at a control character, and a name of the system at a zero. Nothing is started.
#[test]
fn names_with_control_characters_are_refused_before_anything_is_started() {
    let folder = folder();
    let mut session = Session::start(&folder, Some("touch started"));
    for name in ["a\n.npy", "\0", "a.npy\0", "\r", "a\x1b[2J", "recfact_rank: result\n"] {
        let with_factors = solve().with_factors(name);
        for files in
            [Files::of(name, "", "f"), Files::of("a.npy", name, "x.npy"), Files::of("a.npy", "", name), with_factors]
        {
            session.refuses(&request(&files), -15, "expected the name of a file without control characters, got \"");
        }
    }
    session.finish();
    assert!(!folder.file("started").exists());
}

#[test]
fn files_that_cannot_be_used_and_ranks_that_cannot_compute_have_statuses_of_their_own() {
    for mpi in Mpi::present("statuses of FILES_FACTOR and FILES_SOLVE") {
        let folder = folder();
        let before = folder.contents();
        let mut session = Session::start(&folder, Some(&mpi.ranks(2)));
        session.refuses(&request(&Files::of("missing.npy", "", "f")), -15, "missing.npy: No such file or directory");
        session.refuses(&request(&Files::of("b.npy", "a.npy", "x.npy")), -15, "b.npy: expected a square matrix");
        let long = "n".repeat(4095);
        session.refuses(&request(&Files::of(&long, "", "f")), -15, "rank 0 of 2 on ");
        let grid = [3, 5];
        let words = "expected a grid of the 2 ranks that there are, got 3x5";
        session.refuses(&request(&chosen(solve(), grid, 0)), -14, words);
        session.refuses(&request(&chosen(solve(), [u32::MAX; 2], 0)), -14, "expected a grid of the 2 ranks");
        folder.check_unchanged(&before);
        check_good(&mut session);
        assert_eq!((session.count("requests_files"), session.count("requests_refused")), (1, 5));
        session.finish();
    }
}

#[test]
fn an_engine_that_fails_is_a_status_and_the_session_goes_on() {
    let folder = folder();
    let cases = [
        ("no-such-launcher", "expected to start the launcher no-such-launcher, got: No such file or directory"),
        ("env", "expected to be started by mpirun, mpiexec or srun"),
        ("false", "but false ended with exit status 1: it said nothing"),
    ];
    for (launcher, words) in cases {
        let mut session = Session::start(&folder, Some(launcher));
        assert_eq!(session.features() & FILES, FILES);
        for _ in 0..3 {
            session.refuses(&request(&solve()), -14, words);
        }
        session.finish();
    }
}

#[test]
fn a_system_for_which_there_is_no_memory_is_a_status() {
    if !Mpi::Open.is_there("FILES_SOLVE of systems that are too large for the machine") || !is_too_large() {
        return;
    }
    let folder = folder();
    folder.save_sparse("large.npy", "<f8", &[TOO_LARGE, TOO_LARGE]);
    let mut session = Session::start(&folder, Some(&Mpi::Open.ranks(4)));
    let files = Files::of("large.npy", "large.npy", "x.npy");
    session.refuses(&request(&files), -4, "bytes of memory for 4 ranks of this host");
    check_good(&mut session);
    session.finish();
}
