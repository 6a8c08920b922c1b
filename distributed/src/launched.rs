//! The process of the launcher: it does not outlive this one, and nothing that it started outlives it.

use std::io;
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::process::{Child, ChildStderr, ChildStdout, Command, ExitStatus, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use nix::sys::prctl::set_pdeathsig;
use nix::sys::signal::{SaFlags, SigAction, SigHandler, SigSet, Signal, killpg, sigaction};
use nix::sys::wait::{Id, WaitPidFlag, WaitStatus, waitid};
use nix::unistd::{Pid, getpid, getppid, setsid};

/// How long a launcher may take to leave before it is killed. (MPICH between hosts does not leave in one of ten runs.)
pub(super) const LEAVING: Duration = Duration::from_secs(5);

/// Between two looks at a process that is about to end.
const LOOK: Duration = Duration::from_millis(20);

/// A launcher that runs, or has run.
#[derive(Debug)]
pub(super) struct Launched {
    child: Child,
    status: Option<ExitStatus>,
    is_over: bool,
}

impl Launched {
    /// Starts a launcher in a session of its own, without input. Returns its output as well.
    ///
    /// # Errors
    /// If the system refuses, for one if there is no such program.
    pub(super) fn start(command: &mut Command) -> io::Result<(Self, ChildStdout, ChildStderr)> {
        wait_for_children()?;
        let parent = getpid();
        let prepare = move || {
            // Without a terminal, `ssh` fails if it would have to ask for a password, and does not wait for one.
            setsid()?;
            set_pdeathsig(Signal::SIGTERM)?;
            keep_to_this_process();
            // The parent may have died before.
            if getppid() == parent { Ok(()) } else { Err(io::ErrorKind::NotFound.into()) }
        };
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        // SAFETY: between fork and exec the closure makes four calls of the system and takes no memory; an error of the kind
        // `NotFound` has none.
        unsafe { command.pre_exec(prepare) };
        let mut child = command.spawn()?;
        let (stdout, stderr) = (child.stdout.take(), child.stderr.take());
        let (Some(stdout), Some(stderr)) = (stdout, stderr) else { unreachable!("both are piped") };
        Ok((Launched { child, status: None, is_over: false }, stdout, stderr))
    }

    /// Whether it has ended. Then nothing of its process group runs any more.
    pub(super) fn is_over(&mut self) -> bool {
        if !self.is_over && self.has_ended() {
            // Until it has been waited for, its number is that of its group and of no other one.
            self.signal(Signal::SIGKILL);
            self.status = self.child.wait().ok();
            self.is_over = true;
        }
        self.is_over
    }

    /// How it ended, in words.
    pub(super) fn ending(&self) -> String {
        match self.status.map(|status| (status.code(), status.signal())) {
            Some((Some(code), _)) => format!("exit status {code}"),
            Some((None, Some(signal))) => format!("signal {signal}"),
            _ => "an unknown status".into(),
        }
    }

    /// Whether it has ended, without waiting for it. If the system does not know, it is not there any more.
    fn has_ended(&self) -> bool {
        let flags = WaitPidFlag::WEXITED | WaitPidFlag::WNOHANG | WaitPidFlag::WNOWAIT;
        !matches!(waitid(Id::Pid(self.group()), flags), Ok(WaitStatus::StillAlive))
    }

    fn group(&self) -> Pid {
        Pid::from_raw(self.child.id().cast_signed())
    }

    fn signal(&self, signal: Signal) {
        let _ = killpg(self.group(), signal);
    }

    /// Ends it: asks it, waits, kills it with all of its group.
    fn end(&mut self) {
        for signal in [Signal::SIGTERM, Signal::SIGKILL] {
            let asked = Instant::now();
            if !self.is_over() {
                self.signal(signal);
            }
            while !self.is_over() && asked.elapsed() < LEAVING {
                thread::sleep(LOOK);
            }
        }
    }
}

impl Drop for Launched {
    fn drop(&mut self) {
        self.end();
    }
}

/// Descriptors that this process has inherited are not for the launcher: memory of a client, a reader of progress. (A system that does
/// not know the call is older than Linux 5.11; there the launcher gets them.)
fn keep_to_this_process() {
    const FIRST: nix::libc::c_uint = 3;
    // SAFETY: the call marks descriptors, and touches no memory.
    unsafe {
        nix::libc::syscall(nix::libc::SYS_close_range, FIRST, nix::libc::c_uint::MAX, nix::libc::CLOSE_RANGE_CLOEXEC)
    };
}

/// Has the system keep the status of children that have ended, also if the parent of this process has told it not to; the launcher
/// needs that for its own children as well.
fn wait_for_children() -> io::Result<()> {
    let default = SigAction::new(SigHandler::SigDfl, SaFlags::empty(), SigSet::empty());
    // SAFETY: no handler is installed; this program has none for the signal that would be lost.
    unsafe { sigaction(Signal::SIGCHLD, &default) }?;
    Ok(())
}
