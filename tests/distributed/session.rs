//! A session with a server that has an engine for files, over pipes.

use std::io::{Read, Write};
use std::process::{Child, ChildStdin, ChildStdout, Command, ExitStatus};
use std::thread::{self, JoinHandle};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use testing::frames::{FILES_FACTOR, FILES_SOLVE, Files, HELLO, STATS, TRANSPOSED, frame};

use crate::folder::Folder;
use crate::machine::turn;
use crate::processes::{Process, busy_ranks, eventually};

/// A server that runs.
pub struct Session<'f> {
    pub folder: &'f Folder,
    child: Child,
    stdin: Option<ChildStdin>,
    stdout: ChildStdout,
}

/// What was computed with matrices in files, as protocol.md lays it out.
#[derive(Debug)]
pub struct FilesAnswer {
    pub info: i64,
    pub sizes: [i64; 3],
    pub bits: u32,
    pub grid: [u32; 2],
    pub block: u32,
    pub steps: u32,
    pub seconds: f64,
    pub factor_seconds: f64,
    pub gflops: f64,
    pub rcond: f64,
    pub backward_error: f64,
}

impl FilesAnswer {
    fn parse(bytes: &[u8]) -> Self {
        assert_eq!(bytes.len(), 96);
        let eight = |at: usize| -> [u8; 8] { bytes[at..at + 8].try_into().unwrap() };
        let (i64_at, f64_at) = (|at| i64::from_le_bytes(eight(at)), |at| f64::from_le_bytes(eight(at)));
        let u32_at = |at: usize| u32::from_le_bytes(bytes[at..at + 4].try_into().unwrap());
        assert_eq!(u32_at(52), 0);
        FilesAnswer {
            info: i64_at(0),
            sizes: [8, 16, 24].map(i64_at),
            bits: u32_at(32),
            grid: [36, 40].map(u32_at),
            block: u32_at(44),
            steps: u32_at(48),
            seconds: f64_at(56),
            factor_seconds: f64_at(64),
            gflops: f64_at(72),
            rcond: f64_at(80),
            backward_error: f64_at(88),
        }
    }
}

/// A request of the files of a folder; without the name of a B it is FILES_FACTOR.
pub fn request(files: &Files) -> Vec<u8> {
    frame(if files.fixed[5] == 0 { FILES_FACTOR } else { FILES_SOLVE }, &files.to_bytes())
}

/// A request to solve A^T X = B with a step of refinement, on a grid of these sizes.
pub fn chosen(files: Files, grid: [u32; 2], block: u32) -> Files {
    let [_, _, _, _, a, b, result, factors, _] = files.fixed;
    let (flags, steps) = if b == 0 { (0, 0) } else { (TRANSPOSED, 1) };
    Files { fixed: [flags, grid[0], grid[1], block, a, b, result, factors, steps], ..files }
}

impl<'f> Session<'f> {
    /// Starts a server in a folder: without an engine, or with a launcher.
    pub fn start(folder: &'f Folder, launcher: Option<&str>) -> Self {
        let launcher = launcher.map_or(vec![], |launcher| vec!["--launcher", launcher]);
        Self::spawn(folder, folder.executable(&[&["serve"], &launcher[..]].concat()))
    }

    pub fn spawn(folder: &'f Folder, mut command: Command) -> Self {
        let mut child = command.spawn().expect("the server starts");
        let (stdin, stdout) = (child.stdin.take(), child.stdout.take().expect("it is piped"));
        Session { folder, child, stdin, stdout }
    }

    pub fn send(&mut self, bytes: &[u8]) {
        self.stdin.as_mut().expect("stdin is open").write_all(bytes).expect("the server reads");
    }

    /// The status of the next answer, and its payload.
    pub fn receive(&mut self) -> (i64, Vec<u8>) {
        let mut head = [0; 16];
        self.stdout.read_exact(&mut head).expect("the server answers");
        let [status, length] = [0, 8].map(|at| i64::from_le_bytes(head[at..at + 8].try_into().unwrap()));
        let mut payload = vec![0; length as usize];
        self.stdout.read_exact(&mut payload).expect("the server answers");
        (status, payload)
    }

    pub fn ask(&mut self, request: &[u8]) -> (i64, Vec<u8>) {
        let _turn = turn();
        self.send(request);
        self.receive()
    }

    /// Asks for what must be refused with this status and these words. Then no process but the server is left, and
    /// nothing unfinished.
    pub fn refuses(&mut self, request: &[u8], status: i64, words: &str) {
        let (got, text) = self.ask(request);
        let text = String::from_utf8_lossy(&text);
        assert!(got == status && text.contains(words), "expected {status} and {words:?}, got {got}: {text}");
        self.check_nothing_is_left();
    }

    pub fn computes(&mut self, files: &Files) -> FilesAnswer {
        let (status, payload) = self.ask(&request(files));
        assert_eq!(status, 0, "{}", String::from_utf8_lossy(&payload));
        self.check_nothing_is_left();
        FilesAnswer::parse(&payload)
    }

    pub fn check_nothing_is_left(&self) {
        self.folder.check_nothing_is_left(&[self.child.id()]);
    }

    /// The features that HELLO tells.
    pub fn features(&mut self) -> u64 {
        let (status, welcome) = self.ask(&frame(HELLO, &2_u32.to_le_bytes()));
        assert!(status == 0 && welcome.starts_with(b"RECFACT\0"));
        u64::from_le_bytes(welcome[12..20].try_into().unwrap())
    }

    /// A number of STATS.
    pub fn count(&mut self, key: &str) -> u64 {
        let (status, text) = self.ask(&frame(STATS, &[]));
        assert_eq!(status, 0);
        let text = String::from_utf8(text).unwrap();
        let value = text.lines().find_map(|line| line.strip_prefix(key)?.strip_prefix('='));
        value.and_then(|value| value.parse().ok()).unwrap_or_else(|| panic!("expected {key} in {text}"))
    }

    pub fn busy_ranks(&self, ranks: usize) -> Vec<Process> {
        busy_ranks(self.folder.path(), ranks)
    }

    pub fn signal(&self, signal: Signal) {
        kill(Pid::from_raw(self.child.id() as i32), signal).expect("the server runs");
    }

    /// Reads stderr to its end, beside the session.
    pub fn stderr(&mut self) -> JoinHandle<String> {
        let mut stderr = self.child.stderr.take().expect("it is piped");
        thread::spawn(move || {
            let mut text = String::new();
            stderr.read_to_string(&mut text).expect("text");
            text
        })
    }

    /// Waits for the end.
    pub fn wait(&mut self) -> ExitStatus {
        eventually("the server ends", || self.child.try_wait().expect("a child").is_some());
        self.check_nothing_is_left();
        self.child.wait().expect("a child")
    }

    /// Ends the session, which must have said nothing on stderr.
    pub fn finish(mut self) {
        let stderr = self.stderr();
        self.stdin = None;
        let status = self.wait();
        assert_eq!((status.code(), &stderr.join().unwrap()[..]), (Some(0), ""));
    }
}

impl Drop for Session<'_> {
    /// A failing test leaves nothing behind.
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
