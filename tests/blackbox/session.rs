//! Requests and responses, however their bytes travel.

use std::thread::{self, sleep};
use std::time::{Duration, Instant};

use testing::wire::unify_nan;
use testing::{Float, KINDS, Kind, Random, instruction_sets, matrix, residual, rows};

use crate::harness::*;

const SHAPES: [(usize, usize); 14] = [
    (0, 0),
    (0, 3),
    (3, 0),
    (1, 1),
    (2, 2),
    (3, 3),
    (5, 2),
    (2, 5),
    (1, 9),
    (9, 1),
    (33, 33),
    (70, 20),
    (20, 70),
    (100, 100),
];

/// A request with its expected response, for a command and a shape.
fn pair(command: u8, m: usize, n: usize, kind: Kind) -> (Vec<u8>, Vec<u8>) {
    fn typed<T: Float>(command: u8, m: usize, n: usize, kind: Kind) -> (Vec<u8>, Vec<u8>) {
        let a: Vec<T> = matrix(kind, m, n, (m * 1000 + n) as u64);
        (request(command, m, n, &a), expected(command, m, n, &a))
    }
    if command & 1 == 0 { typed::<f64>(command, m, n, kind) } else { typed::<f32>(command, m, n, kind) }
}

#[test]
fn every_command_answers_every_shape_as_the_naive_loop_does() {
    for (command, kind) in (0x00..=0x07).flat_map(|command| KINDS.map(|kind| (command, kind))) {
        let pairs = SHAPES.map(|(m, n)| pair(command, m, n, kind));
        let input: Vec<u8> = pairs.iter().flat_map(|(request, _)| request.clone()).collect();
        let mut expected: Vec<u8> = pairs.into_iter().flat_map(|(_, response)| response).collect();
        let requests = SHAPES.map(|(m, n)| (command, m, n));
        unify_nan(&mut expected, requests);
        for isa in instruction_sets() {
            let mut output = session_on(isa, &[], &input);
            unify_nan(&mut output, requests);
            assert!(output == expected, "command {command:#04x}, {kind:?}, {isa}");
        }
    }
}

#[test]
fn threads_do_not_change_a_bit() {
    let (square, response) = pair(0x02, 150, 150, Kind::Uniform);
    for (isa, threads) in instruction_sets().iter().flat_map(|isa| ["1", "2", "3", "8"].map(|threads| (isa, threads))) {
        assert!(session_on(isa, &["--threads", threads], &square) == response, "{threads} threads, {isa}");
        assert!(session_on(isa, &["serve", "--threads", threads], &square) == response, "{threads} threads, {isa}");
    }
    for (plain, threaded) in [(0x00, 0x02), (0x01, 0x03), (0x04, 0x06), (0x05, 0x07)] {
        let (mut request, response) = pair(plain, 90, 110, Kind::Uniform);
        request[0] = threaded;
        for isa in instruction_sets() {
            assert!(session_on(isa, &[], &request) == response, "{threaded:#04x}, {isa}");
        }
    }
}

/// Two sessions that both use every processor take turns; neither waits for threads of its own that cannot run.
#[test]
fn two_threaded_sessions_at_once_do_not_stall() {
    let n = 400;
    let (request, response) = pair(0x02, n, n, Kind::Uniform);
    let requests = request.repeat(20);
    let run = || assert!(session(&["--threads", "2"], &requests) == response.repeat(20));
    run();
    let clock = Instant::now();
    run();
    run();
    let one_after_the_other = clock.elapsed();
    let clock = Instant::now();
    thread::scope(|scope| (0..2).for_each(|_| drop(scope.spawn(run))));
    let at_once = clock.elapsed();
    // A stall is not a matter of percents.
    let bound = 3 * one_after_the_other + Duration::from_secs(2);
    assert!(at_once < bound, "{at_once:?} at once, {one_after_the_other:?} one after the other");
}

#[test]
fn an_idle_server_with_helper_threads_uses_no_processor_time() {
    let (request, response) = pair(0x02, 200, 200, Kind::Uniform);
    let mut server = Server::start(&["--threads", "2"]);
    assert!(server.ask(&request, response.len()) == response);
    sleep(Duration::from_millis(100));
    let before = server.cpu_ticks();
    sleep(Duration::from_millis(500));
    let used = server.cpu_ticks() - before;
    assert!(used <= 1, "{used} ticks of 10 ms");
    assert!(server.finish().0.success());
}

/// What the client of the replaced executable checks: sizes, element types, its residual bound, and a zeroed column.
#[test]
fn the_checks_of_the_first_client_hold() {
    fn check<T: Float>(command: u8, m: usize, n: usize, zero_column: Option<usize>) {
        let mut a: Vec<T> = matrix(Kind::Uniform, m, n, 7);
        if let Some(j) = zero_column {
            a[j * m..(j + 1) * m].fill(T::ZERO);
        }
        let request = request(command, m, n, &a);
        let response = session(&[], &request);
        for isa in instruction_sets() {
            assert!(session_on(isa, &[], &request) == response, "{command:#04x}, {m} x {n}, {isa}");
        }
        let size = size_of::<T>();
        let (info, rest) = response.split_at(8);
        let (elements, swaps) = rest.split_at(m * n * size);
        let lu: Vec<T> = elements.chunks(size).map(T::from_le).collect();
        let ipiv: Vec<i64> = swaps.chunks(8).map(|bytes| i64::from_le_bytes(bytes.try_into().unwrap())).collect();
        let info = i64::from_le_bytes(info.try_into().unwrap());
        assert_eq!(info, zero_column.map_or(0, |j| j as i64 + 1));
        assert_eq!(ipiv.len(), m.min(n));
        assert_eq!(rows(m, &ipiv).len(), m);
        assert!(residual(&a, &lu, &ipiv, m, n) < 20.0 * m as f64 * T::EPSILON);
    }
    for command in [0x00, 0x02] {
        for n in [10, 50, 100, 300] {
            check::<f64>(command, n, n, None);
        }
        check::<f64>(command, 200, 100, None);
        check::<f64>(command, 100, 200, None);
        check::<f64>(command, 60, 60, Some(17));
    }
    for n in [10, 50, 100] {
        check::<f32>(0x01, n, n, None);
        check::<f32>(0x03, n, n, None);
    }
}

#[test]
fn one_byte_at_a_time_is_enough() {
    let (request, response) = pair(0x00, 3, 4, Kind::Uniform);
    let mut server = Server::start(&[]);
    for byte in &request {
        server.send(&[*byte]);
        sleep(Duration::from_micros(200));
    }
    assert_eq!(server.receive(response.len()), response);
    assert!(server.finish().0.success());
}

#[test]
fn a_header_may_be_split_anywhere() {
    let (request, response) = pair(0x01, 3, 3, Kind::Uniform);
    let mut server = Server::start(&[]);
    for at in 0..=17 {
        server.send(&request[..at]);
        sleep(Duration::from_millis(2));
        server.send(&request[at..]);
        assert_eq!(server.receive(response.len()), response, "split at {at}");
    }
    assert!(server.finish().0.success());
}

#[test]
fn a_reader_may_drain_slowly() {
    let (request, response) = pair(0x00, 200, 200, Kind::Uniform);
    let mut server = Server::start(&[]);
    server.send(&request);
    let mut got = Vec::new();
    while got.len() < response.len() {
        let bytes = (response.len() - got.len()).min(10_001);
        got.extend(server.receive(bytes));
        sleep(Duration::from_millis(2));
    }
    assert!(got == response);
    assert!(server.finish().0.success());
}

#[test]
fn requests_may_be_sent_ahead() {
    let (first, first_response) = pair(0x00, 4, 4, Kind::Uniform);
    let (second, second_response) = pair(0x01, 3, 5, Kind::Uniform);
    let mut server = Server::start(&[]);
    server.send(&[first, second].concat());
    assert_eq!(server.receive(first_response.len()), first_response);
    assert_eq!(server.receive(second_response.len()), second_response);
    assert!(server.finish().0.success());
}

#[test]
fn the_exit_command_ends_the_session_while_the_pipe_is_still_open() {
    let (request, response) = pair(0x00, 2, 2, Kind::Uniform);
    let mut server = Server::start(&[]);
    server.send(&request);
    assert_eq!(server.receive(response.len()), response);
    server.send(&[0xff]);
    let (status, stderr) = server.wait();
    assert!(status.success() && stderr.is_empty(), "{status} {stderr}");
    // What follows an exit command is not looked at, and no input at all is a session, too.
    assert_eq!(session(&[], &[0xff, 0x42, 0x42]), [0; 0]);
    assert_eq!(session(&[], &[]), [0; 0]);
}

#[test]
fn a_long_session_of_mixed_sizes_keeps_its_memory_flat() {
    let pairs: Vec<_> = (0..16u8)
        .map(|at| {
            let mut random = Random::new(at.into());
            pair(at % 8, random.below(40), random.below(40), Kind::Uniform)
        })
        .collect();
    let mut server = Server::start(&[]);
    let mut early = 0;
    for at in 0..20_000 {
        let (request, response) = &pairs[at % pairs.len()];
        server.send(request);
        assert!(server.receive(response.len()) == *response, "request {at}");
        if at == 1000 {
            early = server.memory_kib("VmRSS");
        }
    }
    let late = server.memory_kib("VmRSS");
    assert!(late <= early + 256, "{early} KiB after 1,000 requests, {late} KiB after 20,000");
    assert!(server.finish().0.success());
}
