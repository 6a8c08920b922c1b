//! Starting the executable, talking to it, and saying everything there is to say when a test fails.

use std::fs;
use std::io::{self, PipeReader, PipeWriter, Read, Write};
use std::os::fd::AsFd;
use std::path::PathBuf;
use std::process::{Child, ChildStderr, ChildStdin, ChildStdout, Command, ExitStatus, Output, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use tempfile::{TempDir, tempdir};
use testing::Float;
use testing::npy::Npy;
pub use testing::npy::{file as npy, parts as npy_parts};
use testing::process::status_kib;
pub use testing::process::{report, run};
pub use testing::root;
pub use testing::wire::{expected, header, request};

/// After this long a process that should have ended is killed, and the test fails.
const PATIENCE: Duration = Duration::from_secs(60);

pub fn executable() -> PathBuf {
    env!("CARGO_BIN_EXE_recfact_server").into()
}

/// The executable with arguments, its three streams piped.
pub fn command(args: &[&str]) -> Command {
    let mut command = Command::new(executable());
    command.args(args).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

/// Closes the reading end of a pipe and waits until it is closed everywhere: a child that another test is just starting
/// may hold a copy until it has become its program.
pub fn abandon(reader: PipeReader, writer: &PipeWriter) {
    drop(reader);
    let mut end = [PollFd::new(writer.as_fd(), PollFlags::empty())];
    poll(&mut end, PollTimeout::NONE).expect("the pipe can be polled");
    assert_eq!(end[0].revents(), Some(PollFlags::POLLERR));
}

/// A pipe that nobody reads.
pub fn pipe_without_reader() -> PipeWriter {
    let (reader, writer) = io::pipe().expect("a pipe");
    abandon(reader, &writer);
    writer
}

/// What a process printed; it must have ended well.
pub fn text(output: &Output) -> String {
    assert!(output.status.success(), "{}", report(output));
    String::from_utf8(output.stdout.clone()).unwrap()
}

/// Runs a session and returns what the server answered; the session must end well and in silence.
pub fn session(args: &[&str], input: &[u8]) -> Vec<u8> {
    answers(&mut command(args), input)
}

/// The same on an instruction set.
pub fn session_on(instruction_set: &str, args: &[&str], input: &[u8]) -> Vec<u8> {
    answers(command(args).env("RECFACT_ISA", instruction_set), input)
}

fn answers(command: &mut Command, input: &[u8]) -> Vec<u8> {
    let output = run(command, input);
    assert!(output.status.success() && output.stderr.is_empty(), "{}", report(&output));
    output.stdout
}

/// A running server.
pub struct Server {
    pub child: Child,
    pub stdin: Option<ChildStdin>,
    pub stdout: Option<ChildStdout>,
    pub stderr: Option<ChildStderr>,
}

impl Server {
    pub fn start(args: &[&str]) -> Server {
        Server::spawn(&mut command(args))
    }

    pub fn spawn(command: &mut Command) -> Server {
        let mut child = command.spawn().expect("the server starts");
        let (stdin, stdout, stderr) = (child.stdin.take(), child.stdout.take(), child.stderr.take());
        Server { child, stdin, stdout, stderr }
    }

    pub fn send(&mut self, bytes: &[u8]) {
        let stdin = self.stdin.as_mut().expect("stdin is open");
        stdin.write_all(bytes).expect("the server reads");
        stdin.flush().expect("the server reads");
    }

    pub fn receive(&mut self, bytes: usize) -> Vec<u8> {
        let mut buffer = vec![0; bytes];
        self.stdout.as_mut().expect("stdout is open").read_exact(&mut buffer).expect("the server answers");
        buffer
    }

    /// Sends a request for a matrix and returns the whole response. Both sides may be larger than a pipe.
    pub fn ask(&mut self, request: &[u8], response: usize) -> Vec<u8> {
        let mut stdin = self.stdin.take().expect("stdin is open");
        let answer = thread::scope(|scope| {
            scope.spawn(|| stdin.write_all(request).expect("the server reads"));
            self.receive(response)
        });
        self.stdin = Some(stdin);
        answer
    }

    /// Sends an extended frame and returns the whole answer.
    pub fn ask_frame(&mut self, request: &[u8]) -> Vec<u8> {
        let head = self.ask(request, 16);
        let length = i64::from_le_bytes(head[8..].try_into().unwrap());
        let payload = self.receive(length as usize);
        [head, payload].concat()
    }

    pub fn pid(&self) -> nix::unistd::Pid {
        nix::unistd::Pid::from_raw(self.child.id() as i32)
    }

    /// A field of /proc/PID/status in KiB, such as `VmRSS`.
    pub fn memory_kib(&self, field: &str) -> u64 {
        status_kib(&self.child.id().to_string(), field)
    }

    /// Processor time used so far, in clock ticks (of 10 ms).
    pub fn cpu_ticks(&self) -> u64 {
        let stat = fs::read_to_string(format!("/proc/{}/stat", self.child.id())).expect("the server runs");
        let after_name = stat.rsplit_once(')').expect("the name is in parentheses").1;
        let fields: Vec<&str> = after_name.split_whitespace().collect();
        fields[11].parse::<u64>().unwrap() + fields[12].parse::<u64>().unwrap()
    }

    /// Waits for the end. Returns the status and what stands on stderr.
    pub fn wait(mut self) -> (ExitStatus, String) {
        let deadline = Instant::now() + PATIENCE;
        let status = loop {
            if let Some(status) = self.child.try_wait().expect("the child can be waited for") {
                break status;
            }
            assert!(Instant::now() < deadline, "the server has not ended");
            thread::sleep(Duration::from_millis(1));
        };
        let mut text = String::new();
        if let Some(mut stderr) = self.stderr.take() {
            stderr.read_to_string(&mut text).expect("stderr is text");
        }
        (status, text)
    }

    /// Closes stdin and waits for the end.
    pub fn finish(mut self) -> (ExitStatus, String) {
        self.stdin = None;
        self.wait()
    }
}

impl Drop for Server {
    /// A failing test leaves no server behind.
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The executable under a limit that the shell sets, such as `-v 400000` (KiB); its three streams piped.
pub fn limited(limit: &str, args: &[&str]) -> Command {
    let mut command = Command::new("sh");
    command.args(["-c", &format!("ulimit {limit} && exec \"$0\" \"$@\"")]).arg(executable()).args(args);
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

/// A .npy file of matrices that are given one after the other, each column by column. Their shape has one to three sizes.
pub fn npy_of<T: Float>(is_fortran: bool, shape: &[usize], a: &[T]) -> Vec<u8> {
    Npy::of(is_fortran, shape, a).to_bytes()
}

/// A folder with files.
pub struct Folder(pub TempDir);

impl Folder {
    pub fn new() -> Self {
        Folder(tempdir().unwrap())
    }

    pub fn write(&self, name: &str, contents: impl AsRef<[u8]>) -> &Self {
        fs::write(self.0.path().join(name), contents).unwrap();
        self
    }

    pub fn read(&self, name: &str) -> Vec<u8> {
        fs::read(self.0.path().join(name)).unwrap()
    }

    /// Runs a subcommand there; `args` are separated by blanks.
    pub fn run(&self, subcommand: &str, args: &str, stdin: &[u8]) -> Output {
        let args: Vec<&str> = args.split_whitespace().collect();
        run(command(&[subcommand]).args(args).current_dir(self.0.path()), stdin)
    }

    /// Runs it; it must fail with this status and line.
    pub fn fails(&self, subcommand: &str, args: &str, status: i32, line: &str) {
        let output = self.run(subcommand, args, &[]);
        assert_eq!(said(&output), format!("recfact_server {subcommand}: {line}\n"), "{args}");
        assert_eq!((output.status.code(), output.stdout.len()), (Some(status), 0), "{}", report(&output));
    }
}

/// What a process said on stderr.
pub fn said(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

/// A .npy file in C order of the numbers of a list, each after the other.
pub fn array(shape: &str, numbers: &[f64]) -> Vec<u8> {
    npy("<f8", false, shape, &numbers.iter().flat_map(|x| x.to_le_bytes()).collect::<Vec<_>>())
}
