//! One server process, from its start to its end. The process that started it always waits for it.

use std::io;
use std::os::fd::OwnedFd;
use std::process::{self, Child, Command, ExitStatus, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use super::connection::{Connection, Link};
use super::error::Error;
use super::pipes::{Break, Pipes};
use crate::os::let_inherit;

/// How long a server may take to end by itself before it is killed.
const END_TIMEOUT: Duration = Duration::from_secs(1);
/// The first pause between two looks at a server that is about to end; each is twice as long as the one before.
const MIN_PAUSE: Duration = Duration::from_micros(20);
/// The longest such pause.
const MAX_PAUSE: Duration = Duration::from_millis(5);
/// The code of a refusal of HELLO.
const UNKNOWN_COMMAND: i64 = 1;
/// Enough reads of stderr to empty its pipe.
const READS_PER_PIPE: usize = 512;

/// A child process and the pipes to it. When this is dropped, the process is asked to end, killed if it does not, and waited
/// for. In a forked child only the pipes are closed.
#[derive(Debug)]
pub(super) struct Server {
    child: Child,
    owner: u32,
    /// Whether this client has started it.
    pub(super) is_own: bool,
    pub(super) connection: Connection,
    /// When it was asked to end.
    asked: Option<Instant>,
}

/// How a process has ended.
struct End {
    status: ExitStatus,
    /// Whether it had to be killed.
    killed: bool,
}

impl Server {
    /// Starts a process with three pipes, which inherits the memory that will be offered to it.
    pub(super) fn start(mut command: Command, link: Link) -> Result<Self, Error> {
        if let Link::Offered(segment, _) = &link {
            let_inherit(&mut command, segment.file());
        }
        let child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn();
        let program = || command.get_program().into();
        let child = child.map_err(|source| Error::Start { program: program(), source })?;
        Server::new(child, link, true)
    }

    /// Takes a process over. If it cannot be used, it is killed.
    pub(super) fn adopt(child: Child, link: Link) -> Result<Self, Error> {
        Server::new(child, link, false)
    }

    fn new(mut child: Child, link: Link, is_own: bool) -> Result<Self, Error> {
        let stream = |stream| Error::NotPiped { stream };
        let pipes = match (child.stdin.take(), child.stdout.take(), child.stderr.take()) {
            (None, ..) => Err(stream("stdin")),
            (_, None, _) => Err(stream("stdout")),
            (Some(stdin), Some(stdout), stderr) => Pipes::new(stdin.into(), stdout.into(), stderr.map(OwnedFd::from))
                .map_err(|source| Error::Io { operation: "set up the pipes", source }),
        };
        match pipes {
            Ok(pipes) => {
                let connection = Connection::new(pipes, link);
                Ok(Server { child, owner: process::id(), is_own, connection, asked: None })
            }
            Err(error) => {
                // Its exit status is not needed.
                let _ = child.kill().and_then(|()| child.wait());
                Err(error)
            }
        }
    }

    /// Its process id.
    pub(super) fn id(&self) -> u32 {
        self.child.id()
    }

    /// Asks it to end, without waiting for it.
    pub(super) fn ask_to_end(&mut self) {
        if self.asked.is_none() {
            self.connection.pipes.close();
            self.asked = Some(Instant::now());
        }
    }

    /// Asks it to end, kills it if it does not, and waits for it.
    pub(super) fn stop(&mut self) -> io::Result<ExitStatus> {
        Ok(self.end(END_TIMEOUT)?.status)
    }

    /// Ends it after an exchange has failed, and returns the error for the caller; `timeout` and `deadline` are those of the
    /// exchange.
    pub(super) fn fail(mut self, broken: Break, timeout: Option<Duration>, deadline: Option<Instant>) -> Error {
        let left = deadline.map_or(END_TIMEOUT, |deadline| deadline.saturating_duration_since(Instant::now()));
        let grace = match broken {
            Break::Refused { .. } | Break::Version1 | Break::Lacks { .. } | Break::Ended => END_TIMEOUT.min(left),
            Break::TimedOut | Break::OutOfStep(_) | Break::Io(..) => Duration::ZERO,
        };
        let end = self.end(grace).ok();
        let line = self.connection.pipes.last_line();
        match broken {
            Break::Refused { code, message } => Error::Refused { code, message, line },
            Break::Lacks { feature, .. } => Error::lacks(feature),
            Break::Version1 => Error::Refused { code: UNKNOWN_COMMAND, message: None, line },
            Break::Ended if end.as_ref().is_some_and(|end| end.killed) => {
                Error::OutOfStep { reason: "it closed its stdout and went on".into(), line }
            }
            Break::Ended => Error::Died { status: end.map(|end| end.status), line },
            Break::TimedOut => Error::TimedOut { timeout: timeout.unwrap_or_default(), line },
            Break::OutOfStep(reason) => Error::OutOfStep { reason, line },
            Break::Io(operation, source) => Error::Io { operation, source },
        }
    }

    /// Closes the pipes, kills the process if it has not ended within `grace`, and waits for it. Its stderr is read until
    /// then.
    fn end(&mut self, grace: Duration) -> io::Result<End> {
        self.ask_to_end();
        let mut pause = MIN_PAUSE;
        let end = loop {
            self.connection.pipes.drain_stderr(READS_PER_PIPE);
            match self.child.try_wait() {
                Ok(Some(status)) => break Ok(End { status, killed: false }),
                Ok(None) if self.asked.is_some_and(|asked| asked.elapsed() < grace) => {
                    sleep(pause);
                    pause = MAX_PAUSE.min(pause * 2);
                }
                Ok(None) => {
                    let status = self.child.kill().and_then(|()| self.child.wait());
                    break status.map(|status| End { status, killed: true });
                }
                Err(error) => break Err(error),
            }
        };
        self.connection.pipes.drain_stderr(READS_PER_PIPE);
        end
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        if self.owner == process::id() {
            // A server that has been waited for is not waited for again. The exit status is not needed.
            let _ = self.end(END_TIMEOUT);
        }
    }
}
