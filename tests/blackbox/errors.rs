//! Each way a session can fail: its answer, its exit status, its one line on stderr, and what it must not do.

use std::fs::{File, OpenOptions};
use std::io;
use std::process::{Command, Stdio};
use std::thread::sleep;
use std::time::Duration;

use crate::harness::*;

/// The response that refuses a request.
fn refusal(code: i64) -> Vec<u8> {
    (i64::MIN + code).to_le_bytes().to_vec()
}

/// The line for a byte that is no command and no extended frame.
fn unknown(byte: u8) -> String {
    format!("expected a command, 0x00 to 0x07, an extended frame from 0x10 on, or 0xff to exit, got 0x{byte:02x}")
}

/// Runs a session that must fail: with this status, this answer and this line.
fn fails(args: &[&str], input: &[u8], status: i32, answer: &[u8], line: &str) {
    let output = run(&mut command(args), input);
    assert_eq!(output.status.code(), Some(status), "{}", report(&output));
    assert_eq!(output.stdout, answer, "{}", report(&output));
    assert_eq!(String::from_utf8_lossy(&output.stderr), format!("recfact_server: {line}\n"));
}

/// A good request for a 1 x 1 matrix, and its answer.
fn good() -> (Vec<u8>, Vec<u8>) {
    (request(0, 1, 1, &[2.0]), expected(0, 1, 1, &[2.0]))
}

#[test]
fn an_unknown_command_is_answered_at_once_and_ends_the_session() {
    // The executable that this one replaces waited for m and n here, answered nothing, and took the matrix for commands.
    for byte in 0x08..=0x0f {
        let mut server = Server::start(&[]);
        server.send(&[byte]);
        assert_eq!(server.receive(8), refusal(1));
        let (status, stderr) = server.wait();
        assert_eq!(status.code(), Some(1));
        assert_eq!(stderr, format!("recfact_server: request 1 at byte 0: {}\n", unknown(byte)));
    }
}

#[test]
fn the_request_and_the_byte_of_an_error_are_named() {
    let (request, response) = good();
    let input = [&request[..], &request, &[0x0f], &request].concat();
    let answer = [&response[..], &response, &refusal(1)].concat();
    fails(&[], &input, 1, &answer, &format!("request 3 at byte 50: {}", unknown(0x0f)));
}

#[test]
fn bad_shapes_are_refused_before_anything_is_allocated() {
    // The executable that this one replaces crashed or exhausted memory on these.
    let big = i64::MAX;
    let half = 1 << 31;
    for (command, m, n) in
        [(0, -1, 5), (0, 5, -1), (1, -1, -1), (0, i64::MIN, 0), (0, big, 2), (1, half, 2 * half), (0, half, half)]
    {
        let size = if command == 0 { 8 } else { 4 };
        let line =
            format!("request 1 at byte 0: expected m >= 0 and n >= 0 with m*n*{size} below 2^63, got m = {m}, n = {n}");
        fails(&[], &header(command, m, n), 2, &refusal(2), &line);
    }
}

#[test]
fn empty_matrices_of_any_length_are_legal() {
    for (m, n) in [(0, i64::MAX), (i64::MAX, 0), (0, 0)] {
        assert_eq!(session(&[], &header(0, m, n)), 0_i64.to_le_bytes());
    }
}

#[test]
fn a_matrix_over_the_limit_is_refused() {
    let line = "request 1 at byte 0: expected a matrix of at most 1000 bytes, got 12 x 11 of 1056 bytes; --max-bytes sets the limit";
    fails(&["--max-bytes", "1000"], &header(0, 12, 11), 3, &refusal(3), line);
    fails(&["serve", "--max-bytes", "1000"], &header(0, 12, 11), 3, &refusal(3), line);
    // At the limit it is served.
    let a = vec![1.0; 125];
    assert_eq!(session(&["--max-bytes", "1kB"], &request(0, 125, 1, &a)), expected(0, 125, 1, &a));
    // 2^62 bytes, by default.
    let output = run(&mut command(&[]), &header(0, 1 << 30, 1 << 29));
    assert_eq!((output.status.code(), &output.stdout[..]), (Some(3), &refusal(3)[..]), "{}", report(&output));
}

#[test]
fn refused_memory_is_an_error_and_not_an_abort() {
    let output = run(&mut limited("-v 400000", &["--max-bytes", "1TB"]), &header(0, 100_000, 1000));
    assert_eq!((output.status.code(), &output.stdout[..]), (Some(4), &refusal(4)[..]), "{}", report(&output));
    let line = "recfact_server: request 1 at byte 0: expected 800008000 bytes of memory for the matrix, got none from the system\n";
    assert_eq!(String::from_utf8_lossy(&output.stderr), line);
}

#[test]
fn the_end_of_input_inside_a_header_is_told_from_its_end_between_requests() {
    let (request, response) = good();
    for got in 1..17 {
        let input = [&request[..], &header(0, 1, 1)[..got]].concat();
        let line = format!(
            "request 2 at byte {}: expected a header of 17 bytes (command, m, n), got end of input after {got}",
            25 + got
        );
        fails(&[], &input, 5, &response, &line);
    }
}

#[test]
fn the_end_of_input_inside_a_matrix_is_an_error() {
    // The executable that this one replaces factored what was left in its buffer.
    let whole = request(0, 2, 3, &[1.0; 6]);
    for got in [0, 1, 47] {
        let line = format!(
            "request 1 at byte {}: expected 48 bytes of the 2 x 3 matrix, got end of input after {got}",
            17 + got
        );
        fails(&[], &whole[..17 + got], 6, &[], &line);
    }
}

#[test]
fn an_unreadable_input_is_an_error() {
    let folder = File::open("/").unwrap();
    let output = command(&[]).stdin(folder).output().unwrap();
    assert_eq!(output.status.code(), Some(7), "{}", report(&output));
    let line = "recfact_server: request 1 at byte 0: expected to read the input, got: Is a directory (os error 21)\n";
    assert_eq!(String::from_utf8_lossy(&output.stderr), line);
}

#[test]
fn a_reader_that_goes_away_is_a_quiet_end_of_its_own() {
    let (reader, writer) = io::pipe().unwrap();
    let mut server = Server::spawn(command(&[]).stdout(writer.try_clone().unwrap()));
    abandon(reader, &writer);
    server.send(&good().0);
    let (status, stderr) = server.wait();
    assert_eq!((status.code(), &stderr[..]), (Some(8), ""));
}

#[test]
fn a_reader_that_goes_away_inside_a_response_is_the_same() {
    let mut server = Server::start(&[]);
    // The pipe holds up to 1 MiB of the answer.
    server.send(&request(0, 500, 500, &vec![1.0; 250_000]));
    server.receive(1000);
    server.stdout = None;
    assert_eq!(server.wait().0.code(), Some(8));
}

#[test]
fn an_output_that_takes_no_bytes_is_an_error() {
    let full = OpenOptions::new().write(true).open("/dev/full").unwrap();
    let mut server = Server::spawn(command(&[]).stdout(full));
    server.send(&good().0);
    let (status, stderr) = server.wait();
    assert_eq!(status.code(), Some(9));
    let line = "request 1 at byte 25: expected to write the response, got: No space left on device (os error 28)";
    assert_eq!(stderr, format!("recfact_server: {line}\n"));
}

/// Runs the executable in a shell with redirections; stdin is the input.
fn redirected(arguments: &str, input: &[u8]) -> (Option<i32>, Vec<u8>) {
    let script = format!("{} {arguments}", executable().display());
    let mut shell = Command::new("sh");
    shell.args(["-c", &script]).stdin(Stdio::piped()).stdout(Stdio::piped());
    let output = run(&mut shell, input);
    (output.status.code(), output.stdout)
}

#[test]
fn closed_descriptors_are_no_reason_to_crash() {
    let (request, response) = good();
    assert_eq!(redirected("<&-", &[]), (Some(0), vec![]));
    assert_eq!(redirected("2>&-", &request), (Some(0), response));
    assert_eq!(redirected("<&- >&- 2>&-", &[]), (Some(0), vec![]));
}

#[test]
fn an_answer_for_a_closed_stdout_is_an_error() {
    let closed = |arguments: &str, input: &[u8]| {
        let script = format!("exec {} {arguments} >&-", executable().display());
        let mut shell = Command::new("sh");
        shell.args(["-c", &script]).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let output = run(&mut shell, input);
        (output.status.code(), String::from_utf8(output.stderr).unwrap())
    };
    let (request, response) = good();
    let line = "request 1 at byte 25: expected to write the response, got: Bad file descriptor (os error 9)";
    assert_eq!(closed("", &request), (Some(9), format!("recfact_server: {line}\n")));
    assert_eq!(closed("serve", &[]), (Some(0), String::new()), "nothing was lost");
    let lost = "stdout: Bad file descriptor (os error 9)\n";
    for (arguments, input, speaker) in [
        ("encode", &b"1 2\n3 4\n"[..], "recfact_server encode"),
        ("decode --shape 1x1", &response, "recfact_server decode"),
        ("demo", &[], "recfact_server demo"),
        ("bench 1", &[], "recfact_server bench"),
        ("--help", &[], "recfact_server"),
        ("--version", &[], "recfact_server"),
    ] {
        assert_eq!(closed(arguments, input), (Some(74), format!("{speaker}: {lost}")), "{arguments}");
    }
    // Who wants the answer to be lost says so, some by a descriptor that can be read as well.
    for open in ["> /dev/null", "1<> /dev/null"] {
        for (arguments, input) in [("", &request[..]), ("encode", b"1"), ("--version", &[])] {
            assert_eq!(redirected(&format!("{arguments} {open}"), input), (Some(0), vec![]), "{arguments} {open}");
        }
    }
}

#[test]
fn a_label_counts_as_part_of_the_request_that_it_announces() {
    let labelled = run(&mut command(&["encode"]), b"1 2\n3 4\n").stdout;
    let third = [&labelled[..labelled.len() - 1], b""].concat();
    let input = [&labelled[..], &labelled, &third].concat();
    let answer = session(&[], &labelled);
    let answer = [&answer[..], &answer, &session(&[], &labelled[..labelled.len() - 17 - 32])].concat();
    let line =
        format!("request 3 at byte {}: expected 32 bytes of the 2 x 2 matrix, got end of input after 31", input.len());
    fails(&[], &input, 6, &answer, &line);
}

#[test]
fn a_stderr_that_nobody_can_read_changes_no_status() {
    for stderr in ["2>/dev/full", "2>&-", "2>/dev/null"] {
        assert_eq!(redirected(stderr, &[0x08]), (Some(1), refusal(1)), "{stderr}");
        assert_eq!(redirected(&format!("encode {stderr}"), b"x"), (Some(65), vec![]), "{stderr}");
        assert_eq!(redirected(&format!("no-such-command {stderr}"), b""), (Some(64), vec![]), "{stderr}");
    }
    // A parent that closes its end of stderr.
    let mut server = Server::start(&[]);
    server.stderr = None;
    server.send(&[0x08]);
    assert_eq!(server.receive(8), refusal(1));
    assert_eq!(server.wait().0.code(), Some(1));
}

#[test]
fn a_client_that_is_killed_leaves_no_server_behind() {
    // Between requests, in a header, in a matrix.
    let header = r"\0\1\0\0\0\0\0\0\0\1\0\0\0\0\0\0\0";
    for (bytes, status) in [("", 0), (r"\0\1", 5), (header, 6)] {
        let mut client = Command::new("sh");
        client.args(["-c", &format!("printf '{bytes}'; exec sleep 60")]).stdout(Stdio::piped());
        let mut client = client.spawn().unwrap();
        let server = Server::spawn(command(&[]).stdin(client.stdout.take().unwrap()));
        sleep(Duration::from_millis(50));
        client.kill().unwrap();
        client.wait().unwrap();
        assert_eq!(server.wait().0.code(), Some(status), "{bytes}");
    }
}

#[test]
fn a_claim_without_payload_takes_no_memory() {
    // 6 GiB must not be touched because 17 bytes said so.
    let limit = 6_u64 << 30;
    let mut server = Server::start(&["--max-bytes", &limit.to_string()]);
    server.send(&header(0, (limit / 8) as i64, 1));
    sleep(Duration::from_millis(200));
    let peak = server.memory_kib("VmHWM");
    assert!(peak < 16 << 10, "{peak} KiB");
    let (status, stderr) = server.finish();
    assert_eq!(status.code(), Some(6), "{stderr}");
}

#[test]
fn mistakes_on_the_command_line_have_their_own_status() {
    for args in [
        &["--max-bytes", "many"][..],
        &["--threads", "0"],
        &["serv"],
        &["encode", "--cmd", "f16"],
        &["decode", "--shape", "3"],
    ] {
        let output = run(&mut command(args), &[]);
        assert_eq!(output.status.code(), Some(64), "{args:?} {}", report(&output));
        assert!(output.stdout.is_empty() && !output.stderr.is_empty(), "{args:?} {}", report(&output));
    }
}
