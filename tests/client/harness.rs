//! Servers, good and bad, and what the system knows of them.

use std::fs;
use std::process::{Child, Command, Output, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use nalgebra::DMatrix;
use nix::sys::signal::{Signal, kill};
use nix::sys::wait::{WaitStatus, waitpid};
use nix::unistd::{ForkResult, Pid, alarm, fork};
use recfact::client::{Builder, Client};
use recfact::{Element, Lu, Options};
use testing::process::{self, this_program};
use testing::{Float, Kind, matrix};

pub const EXECUTABLE: &str = env!("CARGO_BIN_EXE_recfact_server");
/// After this long what should have happened has not.
const PATIENCE: Duration = Duration::from_secs(60);

/// The executable; a call that hangs fails after a minute.
pub fn builder() -> Builder {
    Builder::new().program(EXECUTABLE).timeout(PATIENCE)
}

/// The executable on an instruction set.
pub fn builder_on(instruction_set: &str) -> Builder {
    let variable = format!("RECFACT_ISA={instruction_set}");
    Builder::new().program("env").args([&variable, EXECUTABLE]).timeout(PATIENCE)
}

/// A shell that runs a script in place of a server. It is not asked to map memory: most scripts expect version 1 frames.
pub fn script(script: &str) -> Builder {
    Builder::new().program("sh").args(["-c", script]).timeout(PATIENCE).mapped(false)
}

/// A client of a server that runs.
pub fn client() -> Client {
    builder().spawn().expect("the server starts")
}

/// A server that this program has started itself.
pub fn child() -> Child {
    let mut server = Command::new(EXECUTABLE);
    server.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("the server starts")
}

/// Bytes for `printf`.
pub fn octal(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("\\{byte:03o}")).collect()
}

/// A matrix of uniform random numbers.
pub fn random<T: Element + Float>(m: usize, n: usize) -> DMatrix<T> {
    DMatrix::from_vec(m, n, matrix(Kind::Uniform, m, n, (m * 1000 + n) as u64))
}

/// A matrix that every test can use, and its factors.
pub fn small() -> (DMatrix<f64>, Lu<f64>) {
    let a = random(5, 5);
    (a.clone(), Lu::new(a, &Options::default()).unwrap())
}

/// Whether the client works: a request and the check of its answer.
pub fn works(client: &Client) -> bool {
    let (a, expected) = small();
    client.lu(&a, &Options::default()).is_ok_and(|lu| lu == expected)
}

/// The state letter of a process, as in /proc/PID/stat; `None` where there is no such process.
pub fn state(process: u32) -> Option<char> {
    let stat = fs::read_to_string(format!("/proc/{process}/stat")).ok()?;
    stat.rsplit_once(") ")?.1.chars().next()
}

/// Waits for what must happen.
pub fn eventually(what: &str, condition: impl Fn() -> bool) {
    let start = Instant::now();
    while !condition() {
        assert!(start.elapsed() < PATIENCE, "expected that {what}");
        sleep(Duration::from_millis(1));
    }
}

pub fn signal(process: u32, signal: Signal) {
    kill(Pid::from_raw(process as i32), signal).expect("the process is there");
}

/// Kills a process and waits until it is a corpse.
pub fn murder(process: u32) {
    signal(process, Signal::SIGKILL);
    eventually("a killed process dies", || state(process) == Some('Z'));
}

/// Forks, and checks in the child that this holds. A child that waits for ever is ended.
pub fn in_a_child(holds: impl FnOnce() -> bool) {
    // SAFETY: the child calls only what this library promises to work there. (The C library keeps its allocator sound.)
    match unsafe { fork() }.unwrap() {
        ForkResult::Child => {
            alarm::set(60);
            let status = if holds() { 0 } else { 1 };
            // SAFETY: ends the child without the harness's work at exit.
            unsafe { nix::libc::_exit(status) }
        }
        ForkResult::Parent { child } => assert_eq!(waitpid(child, None).unwrap(), WaitStatus::Exited(child, 0)),
    }
}

/// This process's descriptors and children, by number.
pub fn possessions() -> (usize, usize) {
    (fs::read_dir("/proc/self/fd").expect("/proc").count(), children().len())
}

/// The process ids of this process's children, living or dead.
pub fn children() -> Vec<u32> {
    let of = |task: std::io::Result<fs::DirEntry>| {
        let children = fs::read_to_string(task.expect("a thread").path().join("children")).unwrap_or_default();
        children.split_whitespace().map(|id| id.parse().expect("a process id")).collect::<Vec<u32>>()
    };
    fs::read_dir("/proc/self/task").expect("/proc").flat_map(of).collect()
}

/// Runs a test in a process of its own, as [`process::alone`] does, where the executable is found.
pub fn alone(name: &str) -> Option<Output> {
    alone_as(name, this_program)
}

/// The same with another copy of this program.
pub fn alone_as(name: &str, program: impl FnOnce() -> Command) -> Option<Output> {
    process::alone(name, || {
        let mut program = program();
        program.env("RECFACT_SERVER", EXECUTABLE);
        program
    })
}
