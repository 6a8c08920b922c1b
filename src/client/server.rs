//! One server process, from its start to its end: it is always waited for, by the process that started it.

use std::io;
use std::os::fd::OwnedFd;
use std::process::{self, Child, Command, ExitStatus, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use super::error::Error;
use super::pipes::{Break, Pipes};

/// How long a server may take to end by itself before it is killed.
const GRACE: Duration = Duration::from_secs(1);
/// How long the first and the longest pause is between two looks at a server that is about to end.
const PAUSE: (Duration, Duration) = (Duration::from_micros(20), Duration::from_millis(5));
/// Reads of stderr that take more than a pipe holds.
const READS: usize = 512;

/// A child process and the pipes to it. Dropped, it is asked to end, killed if it does not, and waited for; in a child
/// of this process its pipes are closed, and nothing else.
#[derive(Debug)]
pub(super) struct Server {
    child: Child,
    owner: u32,
    pub(super) pipes: Pipes,
    /// Since when it should end.
    asked: Option<Instant>,
}

/// How a process has ended.
struct End {
    status: ExitStatus,
    /// It did not end by itself.
    killed: bool,
}

impl Server {
    /// Starts a process with three pipes.
    pub(super) fn start(command: &mut Command) -> Result<Self, Error> {
        let child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn();
        let program = || command.get_program().into();
        Server::adopt(child.map_err(|source| Error::Start { program: program(), source })?)
    }

    /// Takes a process over. Where it cannot be used, it is killed.
    pub(super) fn adopt(mut child: Child) -> Result<Self, Error> {
        let stream = |stream| Error::NotPiped { stream };
        let pipes = match (child.stdin.take(), child.stdout.take(), child.stderr.take()) {
            (None, ..) => Err(stream("stdin")),
            (_, None, _) => Err(stream("stdout")),
            (Some(stdin), Some(stdout), stderr) => Pipes::new(stdin.into(), stdout.into(), stderr.map(OwnedFd::from))
                .map_err(|source| Error::Io { operation: "set up the pipes", source }),
        };
        match pipes {
            Ok(pipes) => Ok(Server { child, owner: process::id(), pipes, asked: None }),
            Err(error) => {
                // Its status would tell nothing.
                let _ = child.kill().and_then(|()| child.wait());
                Err(error)
            }
        }
    }

    /// Its process id.
    pub(super) fn id(&self) -> u32 {
        self.child.id()
    }

    /// Asks it to end, and does not wait until it has.
    pub(super) fn ask_to_end(&mut self) {
        if self.asked.is_none() {
            self.pipes.close();
            self.asked = Some(Instant::now());
        }
    }

    /// Asks it to end, kills it where it does not, and waits for it.
    pub(super) fn stop(&mut self) -> io::Result<ExitStatus> {
        Ok(self.end(GRACE)?.status)
    }

    /// Ends it after a conversation has broken off, which had so much time. Returns what to say of it.
    pub(super) fn fail(mut self, broken: Break, timeout: Option<Duration>, deadline: Option<Instant>) -> Error {
        let left = deadline.map_or(GRACE, |deadline| deadline.saturating_duration_since(Instant::now()));
        let grace = match broken {
            Break::Refused(_) | Break::Ended => GRACE.min(left),
            Break::TimedOut | Break::OutOfStep(_) | Break::Io(..) => Duration::ZERO,
        };
        let end = self.end(grace).ok();
        let line = self.pipes.last_line();
        match broken {
            Break::Refused(code) => Error::Refused { code, line },
            Break::Ended if end.as_ref().is_some_and(|end| end.killed) => {
                Error::OutOfStep { reason: "it closed its stdout and went on".into(), line }
            }
            Break::Ended => Error::Died { status: end.map(|end| end.status), line },
            Break::TimedOut => Error::TimedOut { timeout: timeout.unwrap_or_default(), line },
            Break::OutOfStep(reason) => Error::OutOfStep { reason, line },
            Break::Io(operation, source) => Error::Io { operation, source },
        }
    }

    /// Closes the pipes, kills the process after `grace`, and waits for it. What it says on stderr until then is read.
    fn end(&mut self, grace: Duration) -> io::Result<End> {
        self.ask_to_end();
        let mut pause = PAUSE.0;
        let end = loop {
            self.pipes.drain_stderr(READS);
            match self.child.try_wait() {
                Ok(Some(status)) => break Ok(End { status, killed: false }),
                Ok(None) if self.asked.is_some_and(|asked| asked.elapsed() < grace) => {
                    sleep(pause);
                    pause = PAUSE.1.min(pause * 2);
                }
                Ok(None) => {
                    let status = self.child.kill().and_then(|()| self.child.wait());
                    break status.map(|status| End { status, killed: true });
                }
                Err(error) => break Err(error),
            }
        };
        self.pipes.drain_stderr(READS);
        end
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        if self.owner == process::id() {
            // A server that has been waited for is not waited for again; of another one nobody asks for the status.
            let _ = self.end(GRACE);
        }
    }
}
