//! Extended frames over real pipes: what each says, each mistake, and what comes after it.

use std::thread::sleep;
use std::time::Duration;

use testing::frames::*;
use testing::{Kind, Memfd, matrix};

use crate::harness::*;
use crate::modelled::{MAX_BYTES, Modelled};

/// A request to factor a 2 x 2 matrix.
fn good() -> Vec<u8> {
    Factor::in_payload(0, 2, 2).frame(&[4.0, 6.0, 3.0, 3.0])
}

/// The request with another byte here.
fn with(mut request: Vec<u8>, at: usize, byte: u8) -> Vec<u8> {
    request[at] = byte;
    request
}

/// Sends requests with a mistake, each followed by a good one, to a server with a segment of 4096 bytes.
pub fn mistakes(cases: &[(Vec<u8>, i64, &str)]) {
    let mut session = Modelled::start();
    let memory = Memfd::new(4096);
    assert_eq!(session.map(&memory, vec![0; 4096]), 1);
    for (request, status, message) in cases {
        assert_eq!(session.refuses(request, *status), *message);
        session.ask(&good());
        session.check_memory(&memory);
    }
    session.finish();
}

#[test]
fn a_frame_of_a_wrong_length_or_command_is_skipped() {
    let long = MAX_BYTES as usize + 1;
    let commands = "(0x10, 0x11, 0x12, 0x18, 0x19, 0x20, 0x30, 0x31, 0x32, 0x33, 0x34, 0x35, 0x40, 0x41, 0x42, 0x43, 0x44, 0x50, 0x51)";
    mistakes(&[
        (frame(0x7f, b"anything"), -1, &format!("expected a command of this server {commands}, got 0x7f")),
        (frame(0xfe, &[]), -1, &format!("expected a command of this server {commands}, got 0xfe")),
        (frame(HELLO, &[2, 0, 0]), -6, "expected a payload of 4 bytes, got 3"),
        (frame(PING, &vec![1; long]), -3, "expected a payload of at most 1048576 bytes, got one of 1048577"),
        (frame(STATS, &[0]), -6, "expected a payload of 0 bytes, got 1"),
        (frame(MAP, &[0; 23]), -6, "expected a payload of 24 bytes, got 23"),
        (frame(MAP, &[0; 25]), -6, "expected a payload of 24 bytes, got 25"),
        (frame(UNMAP, &[]), -6, "expected a payload of 4 bytes, got 0"),
        (frame(UNMAP, &[1, 0, 0, 0, 0]), -6, "expected a payload of 4 bytes, got 5"),
        (frame(FACTOR, &[0; 127]), -6, "expected a payload of 128 bytes, got 127"),
        (Factor::in_payload(0, 2, 2).frame(&[1.0; 3]), -6, "expected a payload of 160 bytes, got 152"),
        (Factor::in_payload(0, 2, 2).frame(&[1.0; 5]), -6, "expected a payload of 160 bytes, got 168"),
        (Factor::in_payload(SINGLE, 2, 2).frame(&[1.0_f64; 4]), -6, "expected a payload of 144 bytes, got 160"),
    ]);
}

#[test]
fn bits_and_fields_that_are_not_defined_are_refused() {
    let map = |map: Map| map.frame();
    let factor = |at: usize, byte| with(good(), 9 + at, byte);
    mistakes(&[
        (map(Map { flags: 6, ..Map::inherited(3, 1) }), -6, "expected only defined bits in flags, got 0x6 as well"),
        (
            map(Map { process: 7, ..Map::inherited(3, 1) }),
            -6,
            "expected the process id to be 0, since the descriptor is inherited, got 7",
        ),
        (
            map(Map { process: -1, ..Map::of_this_process(3, 1) }),
            -6,
            "expected the process id to be a number above 0, got -1",
        ),
        (map(Map::of_this_process(-2, 1)), -6, "expected the descriptor to be a number of at least 0, got -2"),
        (map(Map::of_this_process(3, 0)), -6, "expected the size to be at least 1 byte, got 0"),
        (
            map(Map::of_this_process(3, i64::MIN)),
            -6,
            "expected the size to be at least 1 byte, got -9223372036854775808",
        ),
        // Bit 1, which says "several threads" in version 1.
        (factor(0, 2), -6, "expected only defined bits in flags, got 0x2 as well"),
        (factor(1, 0x08), -6, "expected only defined bits in flags, got 0x800 as well"),
        (factor(3, 0x80), -6, "expected only defined bits in flags, got 0x80000000 as well"),
        (factor(28, 1), -6, "expected only defined bits in bytes 28 to 31, got 0x1 as well"),
    ]);
}

#[test]
fn shapes_are_refused_as_in_version_1() {
    let shape = |flags, m, n| frame(FACTOR, &Factor { m, n, ..Factor::in_payload(flags, 0, 0) }.to_bytes());
    let bad = "expected m >= 0 and n >= 0 with m*n*";
    mistakes(&[
        (shape(0, -1, 2), -2, &format!("{bad}8 below 2^63, got m = -1, n = 2")),
        (shape(0, 2, i64::MIN), -2, &format!("{bad}8 below 2^63, got m = 2, n = -9223372036854775808")),
        (shape(SINGLE, 1 << 31, 1 << 32), -2, &format!("{bad}4 below 2^63, got m = 2147483648, n = 4294967296")),
        (
            shape(0, 363, 362),
            -3,
            "expected a matrix of at most 1048576 bytes, got 363 x 362 of 1051248 bytes; --max-bytes sets the limit",
        ),
        (shape(NARROW_IPIV, 1 << 31, 0), -2, "expected m below 2^31 for an ipiv of 32 bits, got m = 2147483648"),
    ]);
    let mut session = Modelled::start();
    // Empty matrices of any length are legal, in every place and order; so is one at the limit.
    let segment = Memfd::new(64);
    session.map(&segment, vec![0; 64]);
    let longest = [(0, i64::MAX), (i64::MAX, 0), (0, 0)];
    for ((m, n), flags) in longest.into_iter().flat_map(|shape| [0, ROW_MAJOR, MUST_BE_FINITE].map(|f| (shape, f))) {
        for place in [Operand::PAYLOAD, Operand::in_segment(1, 0, 0), Operand::in_segment(1, usize::MAX, 7)] {
            for operands in [[place; 3], [Operand::PAYLOAD, place, place], [place, Operand::PAYLOAD, place]] {
                let fixed = Factor { m, n, operands, ..Factor::in_payload(flags, 0, 0) };
                assert_eq!(session.ask(&fixed.frame::<f64>(&[])).len(), 32);
            }
        }
    }
    let (m, n) = (MAX_BYTES as usize / 8, 1);
    session.ask(&Factor::in_payload(0, m, n).frame(&matrix::<f64>(Kind::Uniform, m, n, 1)));
    session.finish();
}

#[test]
fn operands_that_are_nowhere_are_refused() {
    let at = Operand::in_segment;
    let first = |a| [a, at(1, 2048, 4), Operand::PAYLOAD];
    let case = |flags, operands| Factor { operands, ..Factor::in_payload(flags, 4, 3) }.frame::<f64>(&[]);
    let a = at(1, 0, 4);
    let place = |place| Operand { place, ..Operand::PAYLOAD };
    let outside = |offset| {
        format!("A: expected all elements in the segment of 4096 bytes, got some outside from offset {offset}")
    };
    mistakes(&[
        (case(0, first(place(0))), -7, "A: expected place 1 (the payload) or 2 (a segment), got 0"),
        (
            case(0, [a, place(3), Operand::PAYLOAD]),
            -7,
            "the place of L and U: expected place 1 (the payload) or 2 (a segment), got 3",
        ),
        (
            case(0, [a, a, place(u32::MAX)]),
            -7,
            "the place of ipiv: expected place 1 (the payload) or 2 (a segment), got 4294967295",
        ),
        (
            case(0, first(Operand { segment: 1, ..Operand::PAYLOAD })),
            -7,
            "A: expected the segment to be 0, got another number",
        ),
        (
            case(0, first(Operand { offset: 8, ..Operand::PAYLOAD })),
            -7,
            "A: expected the offset to be 0, got another number",
        ),
        (
            case(0, first(Operand { ld: 4, ..Operand::PAYLOAD })),
            -7,
            "A: expected the leading dimension to be 0, got another number",
        ),
        (case(0, first(Operand { distance: 1, ..a })), -7, "A: expected the last field to be 0, got another number"),
        (case(0, first(at(0, 0, 4))), -8, "expected the number of a segment, got 0"),
        (case(0, first(at(2, 0, 4))), -8, "expected the number of a segment, got 2"),
        (case(0, first(at(u32::MAX, 0, 4))), -8, "expected the number of a segment, got 4294967295"),
        (case(0, first(at(1, 4, 4))), -7, "A: expected an offset that is a multiple of 8, got 4"),
        (case(SINGLE, first(at(1, 2, 4))), -7, "A: expected an offset that is a multiple of 4, got 2"),
        (case(0, first(at(1, 0, 3))), -7, "A: expected a leading dimension of at least 4, got 3"),
        (case(ROW_MAJOR, first(at(1, 0, 2))), -7, "A: expected a leading dimension of at least 3, got 2"),
        // The last element ends one element behind the end, or far behind it, or where 64 bits would begin anew.
        (case(0, first(at(1, 4096 - 11 * 8, 4))), -7, &outside(4008)),
        (case(0, first(at(1, 0, 255))), -7, &outside(0)),
        (case(0, first(at(1, 0, (1 << 60) + 4))), -7, &outside(0)),
        (case(0, first(Operand { offset: -8, ..a })), -7, &outside(u64::MAX - 7)),
    ]);
}

#[test]
fn operands_that_overlap_are_refused() {
    let at = Operand::in_segment;
    let a = at(1, 0, 4);
    let case = |flags, operands| Factor { operands, ..Factor::in_payload(flags, 4, 3) }.frame::<f64>(&[]);
    let lu = "the place of L and U: expected memory of its own, got that of A";
    let ipiv = "the place of ipiv: expected memory of its own, got that of ";
    mistakes(&[
        (case(0, [a, at(1, 8, 4), Operand::PAYLOAD]), -7, lu),
        (case(0, [at(1, 88, 4), a, Operand::PAYLOAD]), -7, lu),
        // The same offset, and another leading dimension.
        (case(0, [a, at(1, 0, 5), Operand::PAYLOAD]), -7, lu),
        (case(0, [a, a, at(1, 88, 0)]), -7, &format!("{ipiv}A")),
        (case(0, [a, at(1, 96, 4), at(1, 184, 0)]), -7, &format!("{ipiv}the place of L and U")),
        (case(0, [Operand::PAYLOAD, a, a]), -6, "expected a payload of 224 bytes, got 128"),
    ]);
    // Next to each other they may be.
    let mut session = Modelled::start();
    let memory = Memfd::new(4096);
    session.map(&memory, (0..4096).map(|at| (at % 127) as u8).collect());
    session.ask(&case(0, [a, at(1, 96, 4), at(1, 192, 0)]));
    session.ask(&case(NARROW_IPIV, [at(1, 4000, 4), at(1, 3904, 4), at(1, 3892, 0)]));
    session.check_memory(&memory);
    session.finish();
}

#[test]
fn what_is_not_finite_is_refused_if_that_is_wanted() {
    let mut session = Modelled::start();
    let words = "expected a matrix of finite numbers, got a NaN or an infinity";
    let memory = Memfd::new(8192);
    session.map(&memory, vec![0x40; 8192]);
    for (x, at) in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY].into_iter().flat_map(|x| [0, 8, 32].map(|at| (x, at))) {
        let mut a = vec![1.0; 35];
        a[at] = x;
        for layout in [0, ROW_MAJOR] {
            let fixed = Factor::in_payload(layout | MUST_BE_FINITE, 7, 5);
            assert_eq!(session.refuses(&fixed.frame(&a), -9), words);
            // Without the flag it is factored.
            session.ask(&Factor { flags: layout, ..fixed }.frame(&a));
            let single: Vec<f32> = a.iter().map(|&x| x as f32).collect();
            assert_eq!(session.refuses(&Factor { flags: fixed.flags | SINGLE, ..fixed }.frame(&single), -9), words);
            // A, the factors and the row swaps stay as they are if the factors replace A.
            let bytes: Vec<u8> = a.iter().flat_map(|x| x.to_le_bytes()).collect();
            session.write(&memory, 64, &bytes);
            let place = Operand::in_segment(1, 64, 7);
            let operands = [place, place, Operand::in_segment(1, 4096, 0)];
            assert_eq!(session.refuses(&Factor { operands, ..fixed }.frame::<f64>(&[]), -9), words);
            session.check_memory(&memory);
        }
    }
    session.finish();
}

#[test]
fn a_payload_that_is_too_long_to_be_skipped_ends_the_session() {
    // With a small limit a payload may still have 1 GiB.
    for length in [(1 << 30) + 1, i64::MAX as u64, u64::MAX] {
        let mut server = Server::start(&["--max-bytes", "1000"]);
        server.send(&frame(PING, b"before"));
        assert_eq!(server.receive(22)[16..], *b"before");
        server.send(&head(FACTOR, length));
        let message = format!("expected a payload of at most 1073741824 bytes, got one of {length}");
        let answer = [(-10_i64).to_le_bytes(), (message.len() as i64).to_le_bytes()].concat();
        assert_eq!(server.receive(16 + message.len()), [&answer, message.as_bytes()].concat());
        let (status, stderr) = server.wait();
        assert_eq!((status.code(), stderr), (Some(10), format!("recfact_server: request 2 at byte 15: {message}\n")));
    }
}

#[test]
fn the_end_of_input_inside_a_frame_is_an_error() {
    let (request, ping) = (good(), frame(PING, b"x"));
    for got in 1..9 {
        let output = run(&mut command(&[]), &[&ping[..], &request[..got]].concat());
        let line = format!(
            "recfact_server: request 2 at byte {}: expected a header of 9 bytes (command, length), got end of input after {got}\n",
            10 + got
        );
        assert_eq!((output.status.code(), output.stdout.len()), (Some(5), 17), "{}", report(&output));
        assert_eq!(String::from_utf8_lossy(&output.stderr), line);
    }
    // In the fixed part, behind it, in the matrix; of a good request, and of one whose payload is skipped.
    for (request, got) in
        [0, 1, 127, 128, 159].into_iter().flat_map(|got| [good(), with(good(), 0, 0x77)].map(|r| (r, got)))
    {
        let output = run(&mut command(&[]), &[&ping[..], &request[..9 + got]].concat());
        let line = format!(
            "recfact_server: request 2 at byte {}: expected a payload of 160 bytes, got end of input after {got}\n",
            19 + got
        );
        assert_eq!((output.status.code(), output.stdout.len()), (Some(6), 17), "{}", report(&output));
        assert_eq!(String::from_utf8_lossy(&output.stderr), line);
    }
}

#[test]
fn ping_sends_back_what_it_got() {
    let mut session = Modelled::start();
    for bytes in [0, 1, 247, 248, 256, 4096, 65_535, 100_000, MAX_BYTES as usize] {
        let payload: Vec<u8> = (0..bytes).map(|at| (at * 7 / 3) as u8).collect();
        assert_eq!(session.ask(&frame(PING, &payload))[16..], payload);
    }
    session.finish();
}

/// The value of a key in lines `key=value`.
fn value<'t>(text: &'t str, key: &str) -> &'t str {
    let mut values = text.lines().filter_map(|line| line.strip_prefix(key)?.strip_prefix('='));
    let value = values.next().unwrap_or_else(|| panic!("{key}: {text}"));
    assert_eq!(values.next(), None, "{key} is there once");
    value
}

#[test]
fn hello_says_who_is_there() {
    for isa in testing::instruction_sets() {
        let mut session = Modelled::start_on(isa);
        for client in [&b"\x02\0\0\0a client 1.0"[..], b"\xff\xff\xff\xff", b"\0\0\0\0\xff not UTF-8"] {
            let answer = session.ask(&frame(HELLO, client));
            let text = std::str::from_utf8(&answer[16 + 32..]).unwrap();
            assert_eq!(value(text, "version"), env!("CARGO_PKG_VERSION"));
            assert_eq!(value(text, "isa"), *isa);
            assert_eq!(value(text, "pid"), session.server.child.id().to_string());
        }
        session.finish();
    }
}

#[test]
fn stats_counts_what_was_done() {
    let mut session = Modelled::start();
    let memory = Memfd::new(8192);
    let segment = session.map(&memory, vec![0; 8192]);
    session.map(&memory, vec![0; 100]);
    let n = 200;
    let large = matrix::<f64>(Kind::Uniform, n, n, 1);
    for _ in 0..3 {
        session.ask(&frame(HELLO, &[0; 4]));
        session.ask(&good());
        session.refuses(&frame(0x55, &[]), -1);
        session.ask(&request(2, n, n, &large));
        session.ask(&frame(STATS, &[]));
    }
    session.ask(&frame(UNMAP, &segment.to_le_bytes()));
    let answer = session.ask(&frame(STATS, &[]));
    let text = std::str::from_utf8(&answer[16..]).unwrap();
    let number = |key: &str| value(text, key).parse::<f64>().unwrap();
    let counts = ["version1", "hello", "ping", "stats", "map", "unmap", "factor", "refused"];
    let counts = counts.map(|kind| number(&format!("requests_{kind}")) as u64);
    assert_eq!(counts, [3, 3, 0, 3, 2, 1, 3, 3], "{text}");
    assert_eq!((number("segments"), number("segment_bytes"), number("kept_factors")), (1.0, 100.0, 0.0), "{text}");
    for key in ["seconds_reading", "seconds_computing", "seconds_writing"] {
        assert!((0.0..60.0).contains(&number(key)), "{text}");
    }
    // To the digits that are printed, the rate is the work by the time.
    let (flops, seconds) = (3.0 * 2.0 / 3.0 * (n as f64).powi(3), number("seconds_computing"));
    assert!(seconds > 0.0 && (number("gflops") * 1e9 * seconds / flops - 1.0).abs() < 0.1, "{text}");
    let now = session.server.memory_kib("VmRSS") as f64 * 1024.0;
    assert!((number("memory_bytes") / now - 1.0).abs() < 0.2 && number("memory_peak_bytes") >= number("memory_bytes"));
    session.finish();
}

#[test]
fn the_time_until_a_payload_has_come_is_time_of_reading() {
    let mut server = Server::start(&[]);
    for request in [good(), frame(PING, &[1; 999]), frame(0x7f, &[1; 999])] {
        let (start, rest) = request.split_at(request.len() / 2);
        server.send(start);
        sleep(Duration::from_millis(100));
        server.ask_frame(rest);
    }
    let answer = server.ask_frame(&frame(STATS, &[]));
    let text = std::str::from_utf8(&answer[16..]).unwrap();
    let seconds = |key| value(text, key).parse::<f64>().unwrap();
    // The server may begin later than this client, but not a whole pause.
    assert!(seconds("seconds_reading") > 0.2 && seconds("seconds_writing") < 0.1, "{text}");
    assert!(server.finish().0.success());
}

#[test]
fn both_kinds_of_requests_and_labels_share_a_session() {
    let labelled = run(&mut command(&["encode", "--cmd", "f32"]), b"1 2\n3 4\n").stdout;
    let (label, rest) = labelled.split_at(17 + 32);
    let mut session = Modelled::start();
    for command in 0..8 {
        let a = matrix::<f64>(Kind::Ties, 5, 4, command.into());
        let single: Vec<f32> = a.iter().map(|&x| x as f32).collect();
        let version1 = if command & 1 == 0 { request(command, 5, 4, &a) } else { request(command, 5, 4, &single) };
        session.ask(&version1);
        session.ask(&good());
        session.ask(label);
        session.refuses(&frame(0x20 + command, &[0; 3]), if command == 0 { -6 } else { -1 });
        session.ask(&rest[..17 + 16]);
    }
    // A label belongs to the request after it: request 1 + 8 * 4, of which the label is no other.
    session.server.send(&[label, &[0x0e]].concat());
    session.server.receive(8 + 32 + 8 + 8);
    let (status, stderr) = session.server.wait();
    assert!(stderr.starts_with("recfact_server: request 33 at byte "), "{stderr}");
    assert_eq!(status.code(), Some(1));
}
