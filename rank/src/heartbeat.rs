//! Lines on stdout, and a thread that says from time to time that this rank is there.

use std::fs;
use std::io::{self, Write};
use std::os::unix::process::parent_id;
use std::path::PathBuf;
use std::ptr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use nix::errno::Errno;
use nix::libc::{_exit, sigtimedwait, timespec};
use nix::sys::signal::{SigSet, Signal, kill};
use nix::unistd::getsid;
use recfact_distributed::{Line, alive_interval};

use crate::launcher::Launcher;

/// Between two looks at whether the launcher is still there.
const LOOK: Duration = Duration::from_millis(500);

/// How much later than the first rank, which has something to do before, the others end.
const AFTER_THE_FIRST: Duration = Duration::from_millis(700);

/// The exit status of a rank whose launcher has gone: nobody will see it.
const LEFT_ALONE: i32 = 1;

/// A thread that says that this rank is there, and ends it if its launcher has gone.
pub struct Heartbeat {
    is_over: Arc<AtomicBool>,
}

impl Heartbeat {
    /// Starts it. A rank that no launcher has started says nothing. `leftovers` are the files that the first rank removes if it has to
    /// end. Threads that are started from now on do not get the signals that ask for an end: this one takes them.
    pub fn start(launcher: Option<&Launcher>, leftovers: Vec<PathBuf>) -> Self {
        let is_over = Arc::new(AtomicBool::new(false));
        let _ = end_signals().thread_block();
        let (ends, parent) = (Arc::clone(&is_over), parent_id());
        let has_leader = leader_is_there() == Some(true);
        let line = launcher.map(|launcher| Line::Alive { rank: launcher.rank, ranks: launcher.ranks });
        let is_first = launcher.is_some_and(|launcher| launcher.rank == 0);
        let interval = launcher.map_or(LOOK, |launcher| alive_interval(launcher.ranks));
        let beat = move || {
            let mut next = Instant::now();
            while !ends.load(Ordering::SeqCst) {
                if let Some(line) = line.as_ref().filter(|_| next <= Instant::now()) {
                    say(line);
                    next = Instant::now() + interval;
                }
                let is_alone = || parent_id() != parent || has_leader && leader_is_there() == Some(false);
                if is_asked_to_end() || is_alone() {
                    if is_first {
                        leftovers.iter().for_each(|file| drop(fs::remove_file(file)));
                    } else {
                        // When one rank has ended, a launcher kills the others.
                        thread::sleep(AFTER_THE_FIRST);
                    }
                    // SAFETY: it ends the process at once: what MPI would do at its exit needs the other ranks.
                    unsafe { _exit(LEFT_ALONE) };
                }
            }
        };
        // If the thread cannot be started, whoever watches takes this rank for lost.
        let _ = thread::Builder::new().name("heartbeat".into()).spawn(beat);
        Heartbeat { is_over }
    }

    /// Ends it. From now on a signal ends this process at once.
    pub fn stop(self) {
        self.is_over.store(true, Ordering::SeqCst);
        let _ = end_signals().thread_unblock();
    }
}

/// Whether the process that has started the session of this one is there: on the first host that is the launcher, perhaps a script
/// which has started another one. `None` if this process cannot see it.
fn leader_is_there() -> Option<bool> {
    let leader = getsid(None).ok().filter(|leader| leader.as_raw() > 0)?;
    Some(kill(leader, None) != Err(Errno::ESRCH))
}

/// The signals by which a launcher asks its ranks to end.
fn end_signals() -> SigSet {
    [Signal::SIGTERM, Signal::SIGINT].into_iter().collect()
}

/// Waits for a signal that asks for an end, but not for longer than [`LOOK`].
fn is_asked_to_end() -> bool {
    let longest = timespec { tv_sec: 0, tv_nsec: LOOK.subsec_nanos().into() };
    // SAFETY: the set and the time live through the call, and no information about the signal is wanted.
    unsafe { sigtimedwait(end_signals().as_ref(), ptr::null_mut(), &longest) > 0 }
}

/// Writes a line in one piece. A launcher that does not read changes nothing: it will end this rank.
pub fn say(line: &Line) {
    let _ = io::stdout().lock().write_all(format!("{line}\n").as_bytes()).and_then(|()| io::stdout().flush());
}
