//! Extended frames over real pipes: what each command answers, each mistake, and that the session goes on after it.

use std::collections::HashMap;

use testing::frames::*;
use testing::{Float, Kind, bits, matrix, naive_lu};

use crate::harness::*;

/// A server that answers frames, and how many requests it has refused.
pub struct Frames(pub Server, usize);

impl Frames {
    pub fn start(args: &[&str]) -> Self {
        Frames::spawn(&mut command(args))
    }

    pub fn spawn(command: &mut std::process::Command) -> Self {
        Frames(Server::spawn(command), 0)
    }

    /// The status and the payload of the answer to a request.
    pub fn ask(&mut self, request: &[u8]) -> (i64, Vec<u8>) {
        self.0.send(request);
        let head = self.0.receive(16);
        let number = |at: usize| i64::from_le_bytes(head[at..at + 8].try_into().unwrap());
        let payload = self.0.receive(number(8) as usize);
        self.1 += usize::from(number(0) < 0);
        (number(0), payload)
    }

    /// A request must be refused with this status and these words, and the session must go on.
    pub fn refuses(&mut self, request: &[u8], status: i64, words: &str) {
        let (got, payload) = self.ask(request);
        let message = String::from_utf8(payload).unwrap();
        assert_eq!((got, &message[..]), (status, words), "{request:02x?}");
        assert_eq!(self.ask(&frame(0x11, b"still here")), (0, b"still here".to_vec()), "after {words}");
    }

    pub fn stats(&mut self) -> HashMap<String, f64> {
        let (status, text) = self.ask(&frame(0x12, &[]));
        assert_eq!(status, 0);
        let text = String::from_utf8(text).unwrap();
        let pair = |line: &str| {
            let (key, value) = line.split_once('=').unwrap();
            (key.to_owned(), value.parse().unwrap())
        };
        text.lines().map(pair).collect()
    }

    pub fn finish(self) {
        let (status, stderr) = self.0.finish();
        assert_eq!((status.code(), &stderr[..]), (Some(0), ""));
    }
}

#[test]
fn hello_says_who_is_there_and_what_it_can_do() {
    let mut server = Frames::start(&["--max-bytes", "5000", "--threads", "3"]);
    let (status, answer) = server.ask(&frame(0x10, &[&2_u32.to_le_bytes()[..], b"a test 1.0"].concat()));
    assert_eq!((status, &answer[..8]), (0, &b"RECFACT\0"[..]));
    let fixed = [&2_u32.to_le_bytes()[..], &3_u64.to_le_bytes(), &5000_u64.to_le_bytes(), &3_u32.to_le_bytes()];
    assert_eq!(answer[8..32], fixed.concat());
    let text = String::from_utf8(answer[32..].to_vec()).unwrap();
    let lines: HashMap<&str, &str> = text.lines().map(|line| line.split_once('=').unwrap()).collect();
    assert_eq!(lines["version"], env!("CARGO_PKG_VERSION"));
    assert_eq!(lines["pid"], server.0.child.id().to_string());
    assert_eq!(lines["bits"], "library");
    assert!(testing::INSTRUCTION_SETS.contains(&lines["isa"]), "{text}");
    server.refuses(&frame(0x10, &[0; 3]), -6, "expected a payload of 4 bytes, got 3");
    server.finish();
}

#[test]
fn ping_sends_the_same_bytes_back_up_to_the_limit() {
    let mut server = Frames::start(&["--max-bytes", "300000"]);
    for length in [0, 1, 255, 256, 257, 5000, 70_000, 300_000] {
        let bytes: Vec<u8> = (0..length).map(|i| (i % 251) as u8).collect();
        let answer = server.0.ask(&frame(0x11, &bytes), 16 + length);
        assert!(answer == testing::frames::answer(0, &bytes), "{length}");
    }
    let long = frame(0x11, &vec![7; 300_001]);
    let words = "expected a payload of at most 300000 bytes, got one of 300001";
    server.0.ask(&long, 16 + words.len());
    server.refuses(&frame(0x11, &vec![7; 300_001]), -3, words);
    server.finish();
}

#[test]
fn every_mistake_is_answered_and_the_session_goes_on() {
    let mut server = Frames::start(&["--max-bytes", "1000"]);
    let a = [4.0, 6.0, 3.0, 3.0];
    let good = Factor::new(0, 2, 2);
    for byte in [0x13, 0x17, 0x1a, 0x21, 0x30, 0x7f, 0xfe] {
        let words = format!("expected a command of this server (0x10, 0x11, 0x12, 0x18, 0x19, 0x20), got 0x{byte:02x}");
        server.refuses(&frame(byte, &[1; 700]), -1, &words);
    }
    server.refuses(&frame(0x20, &[0; 127]), -6, "expected a payload of 128 bytes, got 127");
    server.refuses(&good.frame(&a[..3]), -6, "expected a payload of 160 bytes, got 152");
    server.refuses(&frame(0x12, &[0]), -6, "expected a payload of 0 bytes, got 1");
    server.refuses(&frame(0x18, &[0; 23]), -6, "expected a payload of 24 bytes, got 23");
    server.refuses(&frame(0x18, &[0; 25]), -6, "expected a payload of 24 bytes, got 25");
    server.refuses(&frame(0x19, &[0; 5]), -6, "expected a payload of 4 bytes, got 5");

    let undefined = "expected only defined bits in flags, got 0x802 as well";
    server.refuses(&Factor { flags: 0x803, ..good }.frame(&a), -6, undefined);
    let undefined = "expected only defined bits in bytes 28 to 31, got 0x7 as well";
    server.refuses(&Factor { zero: 7, ..good }.frame(&a), -6, undefined);
    for (m, n) in [(-1, 2), (2, i64::MIN), (1 << 40, 1 << 40)] {
        let words = format!("expected m >= 0 and n >= 0 with m*n*8 below 2^63, got m = {m}, n = {n}");
        server.refuses(&Factor { m, n, ..good }.frame(&a), -2, &words);
    }
    let large = "expected a matrix of at most 1000 bytes, got 12 x 11 of 1056 bytes; --max-bytes sets the limit";
    server.refuses(&Factor::new(0, 12, 11).frame(&[0.0; 132]), -3, large);
    let tall = Factor { m: 1 << 31, n: 0, flags: NARROW, ..good };
    server.refuses(&tall.frame::<f64>(&[]), -2, "expected m below 2^31 for an ipiv of 32 bits, got m = 2147483648");

    let with = |at: usize, operand| {
        let mut request = good;
        request.operands[at] = operand;
        request.frame(&a)
    };
    for (at, name) in ["A", "the place of L and U", "the place of ipiv"].into_iter().enumerate() {
        let place = format!("{name}: expected place 1 (the payload) or 2 (a segment), got 3");
        server.refuses(&with(at, in_place(3, 0, 0, 0)), -7, &place);
        for (operand, field) in [
            (in_place(1, 1, 0, 0), "the segment"),
            (in_place(1, 0, 8, 0), "the offset"),
            (in_place(1, 0, 0, 2), "the leading dimension"),
        ] {
            server.refuses(&with(at, operand), -7, &format!("{name}: expected {field} to be 0, got another number"));
        }
        let mut operand = in_payload();
        operand[31] = 1;
        let words = format!("{name}: expected the last field to be 0, got another number");
        server.refuses(&with(at, operand), -7, &words);
    }
    server.refuses(&with(1, in_segment(1, 0, 2)), -8, "expected the number of a segment, got 1");

    let map = |segment: u32, flags: u32, process: i32, descriptor: i32, size: i64| {
        let [a, b] = [segment, flags].map(u32::to_le_bytes);
        let [c, d] = [process, descriptor].map(i32::to_le_bytes);
        frame(0x18, &[&a[..], &b, &c, &d, &size.to_le_bytes()].concat())
    };
    server.refuses(&map(0, 2, 0, 0, 1), -6, "expected only defined bits in flags, got 0x2 as well");
    server.refuses(&map(0, 0, 0, 0, 1), -6, "expected the process id to be a number above 0, got 0");
    let process = "expected the process id to be 0, since the descriptor is inherited, got 9";
    server.refuses(&map(0, 1, 9, 0, 1), -6, process);
    server.refuses(&map(0, 1, 0, -1, 1), -6, "expected the descriptor to be a number of at least 0, got -1");
    server.refuses(&map(0, 1, 0, 0, 0), -6, "expected the size to be at least 1 byte, got 0");
    server.refuses(&map(5, 1, 0, 0, 1), -8, "expected the number of a segment, got 5");
    server.refuses(&map(0, 1, 0, 0, 4096), -8, "expected the descriptor of a memfd");
    let unknown = "expected a descriptor that the server has inherited, got: Bad file descriptor (os error 9)";
    server.refuses(&map(0, 1, 0, 900, 4096), -8, unknown);
    let sum = "expected segments of at most 1050576 bytes together, got 1050577; --max-bytes sets the limit";
    server.refuses(&map(0, 1, 0, 900, 1_050_577), -3, sum);
    server.refuses(&frame(0x19, &1_u32.to_le_bytes()), -8, "expected the number of a segment, got 1");

    let nan = [4.0, f64::NAN, 3.0, 3.0];
    let finite = Factor { flags: CHECK_FINITE, ..good };
    server.refuses(&finite.frame(&nan), -9, "expected a matrix of finite numbers, got a NaN or an infinity");
    assert_eq!(server.ask(&finite.frame(&a)).0, 0);

    let stats = server.stats();
    assert_eq!((stats["requests_factor"], stats["requests_hello"], stats["segments"]), (1.0, 0.0, 0.0));
    assert_eq!(stats["requests_refused"] as usize, server.1);
    server.finish();
}

#[test]
fn a_payload_that_is_too_long_ends_the_session_with_a_status_of_its_own() {
    for length in [(1_u64 << 30) + 1, 1 << 63, u64::MAX] {
        let words = format!("expected a payload of at most 1073741824 bytes, got one of {length}");
        let input = [&frame(0x11, b"x")[..], &[0x7f], &length.to_le_bytes(), b"what follows is not read"].concat();
        let output = run(&mut command(&["--max-bytes", "1000"]), &input);
        let expected = [answer(0, b"x"), answer(-10, words.as_bytes())].concat();
        assert_eq!((output.status.code(), &output.stdout), (Some(10), &expected), "{}", report(&output));
        let line = format!("recfact_server: request 2 at byte 10: {words}\n");
        assert_eq!(String::from_utf8_lossy(&output.stderr), line);
    }
}

#[test]
fn an_input_that_ends_inside_a_frame_is_an_error() {
    let request = Factor::new(0, 2, 2).frame(&[4.0, 6.0, 3.0, 3.0]);
    for got in [1, 8] {
        let line = format!(
            "request 1 at byte {got}: expected a header of 9 bytes (command, length), got end of input after {got}"
        );
        ends(&request[..got], 5, &line);
    }
    for got in [9, 100, 137, request.len() - 1] {
        let line =
            format!("request 1 at byte {got}: expected a payload of 160 bytes, got end of input after {}", got - 9);
        ends(&request[..got], 6, &line);
    }
    // A mistake that was found before changes nothing about that.
    let unknown = frame(0x7f, &[0; 100]);
    ends(&unknown[..50], 6, "request 1 at byte 50: expected a payload of 100 bytes, got end of input after 41");
}

fn ends(input: &[u8], status: i32, line: &str) {
    let output = run(&mut command(&[]), input);
    assert_eq!((output.status.code(), &output.stdout[..]), (Some(status), &[][..]), "{}", report(&output));
    assert_eq!(String::from_utf8_lossy(&output.stderr), format!("recfact_server: {line}\n"));
}

/// The answer to FACTOR with everything in the payload, by the naive triple loop.
fn expected_answer<T: Float>(flags: u32, a: &[T], m: usize, n: usize) -> Vec<u8> {
    let naive = naive_lu(a, m, n, flags & NO_PIVOTING == 0);
    let mut payload = naive.info.to_le_bytes().to_vec();
    payload.extend((-1_i32).to_le_bytes());
    payload.extend([0; 4]);
    naive.lu.iter().for_each(|x| payload.extend(x.le_bytes()));
    payload.extend(swaps(&naive.ipiv, flags & NARROW != 0));
    answer(0, &payload)
}

fn factors_in_the_payload_are_the_naive_ones<T: Float>(isa: &str, single: u32) {
    let (mut input, mut output) = (Vec::new(), Vec::new());
    for (m, n) in [(0, 0), (0, 3), (3, 0), (1, 1), (1, 9), (9, 1), (5, 5), (17, 40), (40, 17), (65, 65), (130, 70)] {
        for flags in (0..16).map(|bits| single + (bits & 1) * NO_PIVOTING + (bits >> 1) * ROW_MAJOR) {
            let a: Vec<T> = matrix(Kind::Ties, m, n, u64::from(flags));
            let sent = if flags & ROW_MAJOR == 0 { a.clone() } else { by_rows(&a, m, n) };
            input.extend(Factor { threads: flags % 3, ..Factor::new(flags, m, n) }.frame(&sent));
            output.extend(expected_answer(flags, &a, m, n));
        }
        // Version 1 frames stand in between.
        let a: Vec<T> = matrix(Kind::Uniform, m, n, 1);
        input.extend(request(single as u8, m, n, &a));
        output.extend(expected(single as u8, m, n, &a));
    }
    assert!(session_on(isa, &["--threads", "2"], &input) == output, "{isa}, {}", size_of::<T>());
}

#[test]
fn factors_in_the_payload_are_the_naive_ones_on_every_instruction_set() {
    for isa in testing::instruction_sets() {
        factors_in_the_payload_are_the_naive_ones::<f64>(isa, 0);
        factors_in_the_payload_are_the_naive_ones::<f32>(isa, F32);
    }
}

/// In a segment such a matrix has a leading dimension, and factors that would have to be copied.
#[test]
fn an_empty_matrix_of_any_length_is_answered_at_once() {
    let mut server = Frames::start(&[]);
    for flags in [0, ROW_MAJOR, ROW_MAJOR | CHECK_FINITE | NARROW] {
        for (m, n) in [(0, i64::MAX), (0, 1 << 62), (5, 0)] {
            let request = Factor { m, n, ..Factor::new(flags, 0, 0) };
            assert_eq!(
                server.ask(&request.frame::<f64>(&[])),
                (0, expected_answer::<f64>(flags, &[], 0, 0).split_off(16))
            );
        }
    }
    server.finish();
}

#[test]
fn labels_and_both_kinds_of_frames_are_counted_as_one_request_each() {
    let label = run(&mut command(&["encode"]), b"1 2\n3 4\n").stdout;
    let mut server = Frames::start(&[]);
    server.0.ask(&label, 8 + 32 + 8 + 8 + 32 + 16);
    server.ask(&frame(0x10, &[0; 4]));
    server.ask(&frame(0x7f, &[]));
    let a = [4.0, 6.0, 3.0, 3.0];
    let (status, factors) = server.ask(&Factor::new(0, 2, 2).frame(&a));
    assert_eq!(status, 0);
    let lu: Vec<f64> = factors[16..48].chunks(8).map(f64::from_le).collect();
    assert_eq!(bits(&lu), bits(&naive_lu(&a, 2, 2, true).lu));
    let stats = server.stats();
    // The label and the matrix that it announces are two frames on the wire.
    for (key, count) in [("version1", 2.0), ("hello", 1.0), ("refused", 1.0), ("factor", 1.0), ("stats", 0.0)] {
        assert_eq!(stats[&format!("requests_{key}")], count, "{key}");
    }
    for key in ["bytes_in", "bytes_out", "memory_bytes", "memory_peak_bytes"] {
        assert!(stats[key] > 0.0, "{key}");
    }
    for key in ["seconds_reading", "seconds_computing", "seconds_writing", "gflops", "kept_factors", "segment_bytes"] {
        assert!(stats[key] >= 0.0, "{key}");
    }
    server.finish();
}
