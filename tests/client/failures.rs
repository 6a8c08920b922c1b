//! Servers that refuse, die, hang or are none: each is an error that says what happened, and the next call starts anew.

use std::os::unix::process::ExitStatusExt;
use std::thread;
use std::time::Duration;

use nalgebra::DMatrix;
use nix::sys::signal::Signal;
use recfact::client::{Builder, Client, Error};
use recfact::{Lu, Options, Pivoting};

use crate::harness::*;

/// What a call gives that must fail.
fn failure(client: &Client, a: &DMatrix<f64>) -> Error {
    client.lu(a, &Options::default()).expect_err("the call fails")
}

#[test]
fn a_refused_version_1_request_is_an_error_with_its_code_and_the_line_on_stderr() {
    // The second one is refused while it is still being written.
    for (m, n) in [(12, 11), (2000, 1000)] {
        let client = builder().mapped(false).args(["--max-bytes", "1000"]).spawn().unwrap();
        let mut a = random::<f64>(m, n);
        let mut ipiv = vec![-7; m.min(n)];
        let error = client.lu_in_place(&mut a, &mut ipiv, &Options::default()).unwrap_err();
        assert!(matches!(error, Error::Refused { code: 3, message: None, .. }), "{error}");
        let line = format!(
            "recfact_server: request 1 at byte 0: expected a matrix of at most 1000 bytes, got {m} x {n} of {} bytes; \
             --max-bytes sets the limit",
            8 * m * n
        );
        assert_eq!((error.stderr_line(), error.exit_code()), (Some(&line[..]), Some(3)));
        assert!(error.to_string().contains("larger than the server's limit"), "{error}");
        assert!(a == random(m, n) && ipiv.iter().all(|&row| row == -7), "nothing was written");
        assert!(works(&client), "the next call starts a new server");
    }
}

#[test]
fn a_server_that_died_between_two_calls_is_replaced_by_the_next() {
    let client = client();
    assert!(works(&client));
    let first = client.server_id().unwrap();
    murder(first);
    assert!(works(&client));
    assert_ne!(client.server_id(), Some(first));
    assert_eq!(state(first), None, "the corpse has been waited for");
}

#[test]
fn a_server_killed_in_the_middle_of_a_request_is_an_error_with_the_signal() {
    let client = client();
    for a in [random(3, 3), random(500, 500)] {
        let server = client.server_id().unwrap();
        signal(server, Signal::SIGSTOP);
        let error = thread::scope(|scope| {
            let call = scope.spawn(|| failure(&client, &a));
            // Whenever it comes, the call has no answer yet.
            thread::sleep(Duration::from_millis(30));
            assert_eq!(client.server_id(), Some(server), "it is told during a call, too");
            signal(server, Signal::SIGKILL);
            call.join().unwrap()
        });
        assert!(matches!(&error, Error::Died { status: Some(status), .. } if status.signal() == Some(9)), "{error}");
        assert_eq!(error.exit_code(), None);
        assert_eq!(state(server), None);
        assert!(works(&client), "the next call starts a new server");
    }
}

#[test]
fn a_death_is_an_error_with_the_exit_code_and_the_last_line_on_stderr() {
    let bodies = ["", "head -c 17 >/dev/null;", "head -c 17 >/dev/null; printf abc;"];
    for body in bodies {
        let client =
            script(&format!("{body} echo first >&2; echo the last line >&2; echo >&2; exit 3")).spawn().unwrap();
        for _ in 0..2 {
            let error = failure(&client, &random(2, 2));
            assert!(matches!(error, Error::Died { .. }), "{error}");
            assert_eq!((error.exit_code(), error.stderr_line()), (Some(3), Some("the last line")), "{body}");
            assert!(error.to_string().ends_with("exit status: 3; its last line on stderr: the last line"), "{error}");
        }
    }
}

#[test]
fn arguments_that_the_server_does_not_know_are_told_by_its_death() {
    let client = builder().args(["--threads", "none"]).spawn().unwrap();
    let error = failure(&client, &random(2, 2));
    assert_eq!(error.exit_code(), Some(64), "{error}");
    let line = error.stderr_line().unwrap_or_default();
    assert!(line.starts_with("recfact_server: invalid value 'none' for '--threads <N>'"), "{error}");
}

#[test]
fn a_program_that_closes_its_stdout_and_goes_on_is_killed_and_did_not_die() {
    let client = script("exec >&-; exec sleep 1000").spawn().unwrap();
    let server = client.server_id().unwrap();
    let error = failure(&client, &random(2, 2));
    assert!(error.to_string().contains("it closed its stdout and went on; killed the program"), "{error}");
    assert_eq!((state(server), client.server_id()), (None, None));
}

#[test]
fn a_server_that_does_not_answer_in_time_is_killed() {
    // Nothing is read; the request is read; a part of the answer comes, byte by byte.
    let dribble = "head -c 17 >/dev/null; while printf '\\0'; do sleep 0.01; done";
    for (body, n) in [("exec sleep 1000", 300), ("echo help >&2; cat >/dev/null; exec sleep 1000", 300), (dribble, 10)]
    {
        let client = script(body).timeout(Duration::from_secs(1)).spawn().unwrap();
        let server = client.server_id().unwrap();
        let error = failure(&client, &random(n, n));
        assert!(matches!(error, Error::TimedOut { timeout, .. } if timeout.as_secs() == 1), "{body}: {error}");
        assert_eq!(state(server), None, "{body}");
        assert_eq!(error.stderr_line(), body.starts_with("echo").then_some("help"));
        assert_eq!(client.server_id(), None);
    }
}

#[test]
fn after_a_time_out_the_next_call_starts_a_new_server() {
    let client = builder().timeout(Duration::from_millis(500)).spawn().unwrap();
    let server = client.server_id().unwrap();
    signal(server, Signal::SIGSTOP);
    let error = failure(&client, &random(4, 4));
    assert!(matches!(error, Error::TimedOut { .. }), "{error}");
    assert_eq!(state(server), None);
    assert!((0..20).any(|_| works(&client)), "a loaded machine may take long for one call, but not for all");
}

/// A script that reads a request for a 2 x 2 matrix and answers this.
fn answers(info: i64, ipiv: [i64; 2]) -> String {
    let swaps = [ipiv[0].to_le_bytes(), ipiv[1].to_le_bytes()].concat();
    let answer = [&info.to_le_bytes()[..], &[0; 32], &swaps].concat();
    format!("head -c 49 >/dev/null; printf '{}'; exec sleep 1000", octal(&answer))
}

#[test]
fn answers_that_no_server_gives_are_errors_and_no_panics() {
    let a: DMatrix<f64> = random(2, 2);
    // The way to tell: a right answer from such a script is taken.
    let lu = script(&answers(0, [2, 2])).spawn().unwrap().lu(&a, &Options::default()).unwrap();
    assert_eq!((lu.info(), lu.ipiv()), (0, &[2, 2][..]));
    let cases = [
        (answers(0, [3, 2]), "expected ipiv(1) to be a row in 1..=2, got 3"),
        (answers(0, [1, 1]), "expected ipiv(2) to be a row in 2..=2, got 1"),
        (answers(0, [i64::MIN, 2]), "expected ipiv(1) to be a row in 1..=2"),
        (answers(3, [1, 2]), "expected info in 0..=2, got 3"),
        (answers(-1, [1, 2]), "expected info in 0..=2, got -1"),
        (answers(i64::MAX, [1, 2]), "expected info in 0..=2"),
        (answers(i64::MIN, [1, 2]), "expected info, got -9223372036854775808"),
        (answers(i64::MIN + 256, [1, 2]), "expected info, got"),
        ("echo 'Welcome to this program'; exec sleep 1000".into(), ""),
    ];
    for (body, reason) in cases {
        let client = script(&body).spawn().unwrap();
        let server = client.server_id().unwrap();
        let error = failure(&client, &a);
        assert!(matches!(error, Error::OutOfStep { .. }) && error.to_string().contains(reason), "{error}");
        assert_eq!(state(server), None, "it has been killed");
    }
    let client = script(&answers(1, [1, 2])).spawn().unwrap();
    let unpivoted = Options::new().pivoting(Pivoting::None);
    assert!(matches!(client.lu(&a, &unpivoted), Err(Error::OutOfStep { .. })));
}

#[test]
fn an_answer_before_the_whole_request_is_no_answer() {
    let client = script("head -c 17 >/dev/null; head -c 8 /dev/zero; exec sleep 1000").spawn().unwrap();
    let error = failure(&client, &random(300, 300));
    let reason = "expected it after the whole request, got info 0 before";
    assert!(matches!(&error, Error::OutOfStep { reason: got, .. } if got == reason), "{error}");
}

#[test]
fn what_follows_an_answer_unasked_is_noticed_by_the_next_call() {
    let client = script("head -c 17 >/dev/null; head -c 9 /dev/zero; exec sleep 1000").spawn().unwrap();
    let empty = DMatrix::<f64>::zeros(0, 0);
    assert_eq!(client.lu(&empty, &Options::default()).unwrap().info(), 0);
    let error = failure(&client, &empty);
    assert!(error.to_string().contains("expected silence between requests"), "{error}");
}

#[test]
fn a_server_that_fills_stderr_is_not_stuck() {
    // More than a pipe holds, before it reads and before it answers.
    let noise = "head -c 300000 /dev/zero | tr '\\0' x >&2";
    let body = format!("{noise}; head -c 17 >/dev/null; {noise}; echo >&2; echo end >&2; head -c 8 /dev/zero; exit 5");
    let client = script(&body).spawn().unwrap();
    let empty = DMatrix::<f64>::zeros(0, 0);
    assert_eq!(client.lu(&empty, &Options::default()).unwrap(), Lu::new(empty.clone(), &Options::default()).unwrap());
    let mute = script(&format!("{noise}; exit 5")).spawn().unwrap();
    let error = failure(&mute, &random(200, 200));
    assert_eq!(error.exit_code(), Some(5), "{error}");
    assert!(error.stderr_line().is_some_and(|line| line.len() <= 4096 && line.ends_with('x')));
}

#[test]
fn a_program_that_cannot_be_started_is_named() {
    let error = Builder::new().program("/no/such/program").spawn().unwrap_err();
    assert!(matches!(error, Error::Start { .. }), "{error}");
    assert!(error.to_string().contains("/no/such/program") && error.to_string().contains("RECFACT_SERVER"), "{error}");
    assert!(std::error::Error::source(&error).is_none(), "a chain of errors says it once");
    let source = std::io::Error::from_raw_os_error(nix::libc::EMFILE);
    let error = Error::Start { program: "server".into(), source };
    assert!(!error.to_string().contains("RECFACT_SERVER"), "{error}");
}
