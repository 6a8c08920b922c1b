//! Child processes: with some input, with everything there is to say when they fail, and a test in one of its own.

use std::io::{ErrorKind, Write};
use std::process::{Command, Output, Stdio};
use std::{env, fs, thread};

/// Runs a command with some input, fed from a second thread, until it ends. What it says comes back if it is piped.
///
/// # Panics
/// If the command does not start.
pub fn run(command: &mut Command, input: &[u8]) -> Output {
    let mut child = command.stdin(Stdio::piped()).spawn().unwrap_or_else(|error| panic!("{command:?}: {error}"));
    let mut stdin = child.stdin.take().expect("stdin is piped");
    thread::scope(|scope| {
        scope.spawn(move || match stdin.write_all(input) {
            // A server that refuses a request does not read the rest.
            Err(error) if error.kind() == ErrorKind::BrokenPipe => {}
            result => result.expect("the input is written"),
        });
        child.wait_with_output().expect("the output is read")
    })
}

/// Runs a command that must end well.
///
/// # Panics
/// With all that it said, if it does not.
pub fn succeed(command: &mut Command) -> Output {
    let output = command.output().unwrap_or_else(|error| panic!("{command:?}: {error}"));
    assert!(output.status.success(), "{command:?}: {}", report(&output));
    output
}

/// What a process did, for the message of a failing test.
#[must_use]
pub fn report(output: &Output) -> String {
    format!(
        "{}\n--- stdout, {} bytes\n{}\n--- stderr\n{}",
        output.status,
        output.stdout.len(),
        String::from_utf8_lossy(&output.stdout[..output.stdout.len().min(2000)]),
        String::from_utf8_lossy(&output.stderr)
    )
}

/// A field of /proc/PID/status in KiB, such as `VmRSS`; the process is `self` or a number.
///
/// # Panics
/// If there is no such process or no such field.
#[must_use]
pub fn status_kib(process: &str, field: &str) -> u64 {
    let status = fs::read_to_string(format!("/proc/{process}/status")).expect("the process runs");
    let line = status.lines().find_map(|line| line.strip_prefix(field)?.strip_prefix(':')).expect("a known field");
    line.trim().trim_end_matches(" kB").parse().expect("a number")
}

/// This test program.
///
/// # Panics
/// If the system does not tell its path.
#[must_use]
pub fn this_program() -> Command {
    Command::new(env::current_exe().expect("this program has a path"))
}

/// Runs a test, by its full name, in a process of its own, for what one test would do to another. `None` in that
/// process, where the test is to go on; in the first one what the other one did. `program` makes the command.
///
/// # Panics
/// If the test fails there.
pub fn alone(name: &str, program: impl FnOnce() -> Command) -> Option<Output> {
    const ALONE: &str = "RECFACT_TEST_ALONE";
    if env::var_os(ALONE).is_some() {
        return None;
    }
    let output = succeed(program().args(["--exact", name, "--nocapture"]).env(ALONE, "1"));
    assert!(String::from_utf8_lossy(&output.stdout).contains("1 passed"), "there is no test {name}");
    Some(output)
}
