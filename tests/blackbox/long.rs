//! Requests that take long: how far they are, and how they are given up. They are computed without vectors, so that
//! matrices need not be large for it.

use std::fs::File;
use std::io::Read;
use std::os::fd::{AsRawFd, OwnedFd};
use std::thread::sleep;
use std::time::Duration;

use nix::fcntl::{FcntlArg, FdFlag, fcntl};
use nix::pty::openpty;
use nix::sys::signal::{Signal, kill};
use testing::frames::{BATCH_INVERSE, Batch, Factor, INVERSE, SOLVE, System};
use testing::{Kind, Random, matrix};

use crate::harness::*;

/// Takes about a second without vectors, on one thread.
const N: usize = 1200;

/// A request of version 1 and an extended one for the same matrix, and the size of the answer to each.
fn requests() -> [(Vec<u8>, usize); 2] {
    let a: Vec<f64> = matrix(Kind::Uniform, N, N, 1);
    let version1 = request(0, N, N, &a);
    let frame = Factor::in_payload(0, N, N).frame(&a);
    [(version1, 8 + 8 * N * N + 8 * N), (frame, 16 + 16 + 8 * N * N + 8 * N)]
}

/// A batch of many small matrices, and one of a few large ones; an inverse, and a solution for many right-hand sides.
fn frames() -> [Vec<u8>; 4] {
    let numbers = |m: usize, n: usize| matrix::<f64>(Kind::Uniform, m, n, 1);
    let batch = |count: usize, n: usize| {
        let a: Vec<u8> = numbers(n, n * count).iter().flat_map(|x| x.to_le_bytes()).collect();
        Batch::in_payload(BATCH_INVERSE, 0, [count, n, n, 0]).frame(&a)
    };
    let inverse = System::in_payload(INVERSE, 0, 0, 900, 0).frame(&numbers(900, 900));
    let solve = System::in_payload(SOLVE, 0, 0, 500, 2500).frame(&numbers(500, 3000));
    [batch(6000, 60), batch(3, 900), inverse, solve]
}

#[test]
fn a_frame_that_is_cancelled_at_any_moment_is_answered_and_the_next_request_is_right() {
    let mut server = Server::spawn(&mut slow(&["--threads", "2"]));
    let (mut random, mut cancelled) = (Random::new(4), 0);
    let (a, frames) = (matrix::<f64>(Kind::Uniform, 70, 50, 1), frames());
    let expected_answers = frames.each_ref().map(|frame| server.ask_frame(frame));
    let response = expected(0, 70, 50, &a);
    for turn in 0..16 {
        server.send(&frames[turn % 4]);
        sleep(Duration::from_millis(random.below(250) as u64));
        kill(server.pid(), Signal::SIGUSR1).unwrap();
        let head = server.receive(16);
        let [status, length] = [0, 8].map(|at| i64::from_le_bytes(head[at..at + 8].try_into().unwrap()));
        let payload = server.receive(length as usize);
        match status {
            0 => assert!(expected_answers[turn % 4].ends_with(&payload), "turn {turn}"),
            status => {
                assert_eq!(status, -5);
                assert!(String::from_utf8_lossy(&payload).contains("cancelled"));
                cancelled += 1;
            }
        }
        assert_eq!(server.ask(&request(0, 70, 50, &a), response.len()), response, "turn {turn}");
    }
    assert!(cancelled >= 2, "{cancelled} of 16 were cancelled in their middle");
    let (status, stderr) = server.finish();
    assert_eq!((status.code(), &stderr[..]), (Some(0), ""));
}

#[test]
fn the_progress_of_a_long_frame_rises_to_one() {
    for frame in frames() {
        let size = Server::spawn(&mut slow(&[])).ask_frame(&frame).len();
        let lines = progress_of(&[&(frame, size)]);
        let done: Vec<f64> = lines.iter().map(|(_, done)| *done).collect();
        assert!(done.len() >= 2 && done.is_sorted() && done[0] < 1.0 && done.last() == Some(&1.0), "{lines:?}");
    }
}

fn slow(args: &[&str]) -> std::process::Command {
    let mut command = command(args);
    command.env("RECFACT_ISA", "portable");
    command
}

#[test]
fn a_request_that_is_cancelled_at_any_moment_is_answered_and_the_next_one_is_right() {
    let requests = requests();
    let factors = session(&[], &requests[0].0).split_off(8);
    let mut server = Server::spawn(&mut slow(&[]));
    let (mut random, mut cancelled) = (Random::new(3), 0);
    for turn in 0..12 {
        let (request, size) = &requests[turn % 2];
        server.send(request);
        sleep(Duration::from_millis(random.below(400) as u64));
        kill(server.pid(), Signal::SIGUSR1).unwrap();
        let head = server.receive(8);
        let head = i64::from_le_bytes(head.try_into().unwrap());
        match (head, turn % 2) {
            (0, _) => {
                let answer = server.receive(size - 8);
                assert!(answer.ends_with(&factors), "turn {turn}");
                continue;
            }
            (refused, 0) => assert_eq!(refused, i64::MIN + 5),
            (status, _) => {
                assert_eq!(status, -5);
                let length = i64::from_le_bytes(server.receive(8).try_into().unwrap());
                let message = String::from_utf8(server.receive(length as usize)).unwrap();
                assert!(message.contains("cancelled"), "{message}");
            }
        }
        cancelled += 1;
        let a: Vec<f64> = matrix(Kind::Uniform, 70, 50, turn as u64);
        let response = expected(0, 70, 50, &a);
        assert_eq!(server.ask(&crate::harness::request(0, 70, 50, &a), response.len()), response, "turn {turn}");
    }
    assert!(cancelled >= 3, "{cancelled} of 12 were cancelled in their middle");
    // Between requests the signal does nothing.
    kill(server.pid(), Signal::SIGUSR1).unwrap();
    assert!(server.ask(&requests[0].0, requests[0].1).ends_with(&factors));
    let (status, stderr) = server.finish();
    assert_eq!((status.code(), &stderr[..]), (Some(0), ""));
}

/// A server that has inherited the writing end of a pipe, and what it wrote there for these requests.
fn progress_of(requests: &[&(Vec<u8>, usize)]) -> Vec<(u64, f64)> {
    let (mut reader, writer) = std::io::pipe().unwrap();
    let writer = OwnedFd::from(writer);
    let number = writer.as_raw_fd().to_string();
    fcntl(&writer, FcntlArg::F_SETFD(FdFlag::empty())).unwrap();
    let mut server = Server::spawn(&mut slow(&["--progress-fd", &number]));
    drop(writer);
    for (request, size) in requests {
        server.ask(request, *size);
    }
    // The thread that reports may be asleep for a moment after the last answer.
    sleep(Duration::from_millis(400));
    let (status, stderr) = server.finish();
    assert_eq!((status.code(), &stderr[..]), (Some(0), ""));
    let mut text = String::new();
    reader.read_to_string(&mut text).unwrap();
    let line = |line: &str| {
        let (request, done) = line.strip_prefix("progress ").unwrap().split_once(' ').unwrap();
        (request.parse().unwrap(), done.parse().unwrap())
    };
    text.lines().map(line).collect()
}

#[test]
fn the_progress_of_a_long_request_rises_to_one_and_a_short_one_has_none() {
    let long = requests();
    let a: Vec<f64> = matrix(Kind::Uniform, 70, 50, 1);
    let short = (request(0, 70, 50, &a), expected(0, 70, 50, &a).len());
    let lines = progress_of(&[&short, &long[0], &short, &long[1], &short]);
    for request in [2, 4] {
        let done: Vec<f64> = lines.iter().filter(|(r, _)| *r == request).map(|(_, done)| *done).collect();
        assert!(done.len() >= 2 && done.is_sorted(), "request {request}: {lines:?}");
        assert!(done[0] < 1.0 && done.last() == Some(&1.0), "request {request}: {lines:?}");
    }
    assert!(lines.iter().all(|(request, _)| [2, 4].contains(request)), "{lines:?}");
}

/// Bars are for people who see nothing else: on a terminal, if the answers go elsewhere, and only for a long request.
#[test]
fn a_long_request_shows_a_bar_on_a_terminal() {
    let [(long, size), _] = requests();
    for (request, size, has_bar) in [(long, size, true), (request(0, 1, 1, &[2.0]), 24, false)] {
        let terminal = openpty(None, None).unwrap();
        let mut serve = slow(&[]);
        let mut server = Server::spawn(serve.stderr(terminal.slave));
        drop(serve); // and with it our copy of the terminal's other end
        server.ask(&request, size);
        assert_eq!(server.finish().0.code(), Some(0));
        let mut shown = Vec::new();
        // Reading ends with an error when nobody has the other end any more.
        let _ = File::from(terminal.master).read_to_end(&mut shown);
        let shown = String::from_utf8_lossy(&shown).into_owned();
        assert_eq!(shown.contains("request 1: [="), has_bar, "{shown:?}");
        assert!(has_bar || shown.is_empty(), "{shown:?}");
    }
}

#[test]
fn a_progress_descriptor_that_is_not_open_is_a_mistake_on_the_command_line() {
    for (value, reason) in [("1", "2"), ("77", "a descriptor that the server has inherited"), ("x", "invalid")] {
        let output = run(&mut command(&["--progress-fd", value]), &[]);
        let stderr = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(64), "{}", report(&output));
        assert!(stderr.contains("--progress-fd") && stderr.contains(reason), "{stderr}");
        assert_eq!(stderr.lines().count(), 1, "{stderr}");
    }
}
