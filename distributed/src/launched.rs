//! The process of the launcher: it does not outlive this one, and nothing that it started outlives it.

use std::io;
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::process::{Child, ChildStderr, ChildStdout, Command, ExitStatus, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use nix::sys::prctl::set_pdeathsig;
use nix::sys::signal::{Signal, killpg};
use nix::unistd::{Pid, getpid, getppid};

/// How long a launcher may take to leave before it is killed. (MPICH between hosts does not leave in one of ten runs.)
pub(super) const LEAVING: Duration = Duration::from_secs(5);

/// Between two looks at a process that is about to end.
const LOOK: Duration = Duration::from_millis(20);

/// A launcher that runs.
#[derive(Debug)]
pub(super) struct Launched {
    child: Child,
    status: Option<ExitStatus>,
}

impl Launched {
    /// Starts a launcher in a process group of its own, without input. Returns its output as well.
    ///
    /// # Errors
    /// If the system refuses, for one if there is no such program.
    pub(super) fn start(command: &mut Command) -> io::Result<(Self, ChildStdout, ChildStderr)> {
        let parent = getpid();
        let end_with_parent = move || {
            set_pdeathsig(Signal::SIGTERM)?;
            // The parent may have died before.
            if getppid() == parent { Ok(()) } else { Err(io::ErrorKind::NotFound.into()) }
        };
        command.process_group(0).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        // SAFETY: between fork and exec the closure makes two calls of the system and takes no memory; an error of the kind
        // `NotFound` has none.
        unsafe { command.pre_exec(end_with_parent) };
        let mut child = command.spawn()?;
        let (stdout, stderr) = (child.stdout.take(), child.stderr.take());
        let (Some(stdout), Some(stderr)) = (stdout, stderr) else { unreachable!("both are piped") };
        Ok((Launched { child, status: None }, stdout, stderr))
    }

    /// How it ended, if it has.
    pub(super) fn status(&mut self) -> Option<ExitStatus> {
        if self.status.is_none() {
            self.status = self.child.try_wait().ok().flatten();
        }
        self.status
    }

    /// Ends it: asks it, waits, kills it with all of its group.
    pub(super) fn end(&mut self) {
        let group = Pid::from_raw(self.child.id().cast_signed());
        let asked = Instant::now();
        while self.status().is_none() {
            let signal = if asked.elapsed() < LEAVING { Signal::SIGTERM } else { Signal::SIGKILL };
            // Until it has been waited for, its number stands for no other process.
            let _ = killpg(group, signal);
            self.wait(LEAVING);
        }
    }

    /// Waits until it has ended, but not for longer than this.
    fn wait(&mut self, longest: Duration) {
        let start = Instant::now();
        while self.status().is_none() && start.elapsed() < longest {
            thread::sleep(LOOK);
        }
    }
}

impl Drop for Launched {
    fn drop(&mut self) {
        self.end();
    }
}

/// How a process ended, in words.
pub(super) fn describe(status: ExitStatus) -> String {
    match (status.code(), status.signal()) {
        (Some(code), _) => format!("exit status {code}"),
        (None, Some(signal)) => format!("signal {signal}"),
        (None, None) => "no status".into(),
    }
}
