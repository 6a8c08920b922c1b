//! Lines on stdout, and a thread that says from time to time that this rank is there.

use std::fs;
use std::io::{self, Write};
use std::os::unix::process::parent_id;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use nix::libc::_exit;
use recfact_distributed::{Line, alive_interval};

use crate::launcher::Launcher;

/// Between two looks at whether the launcher is still there.
const LOOK: Duration = Duration::from_millis(500);

/// The exit status of a rank whose launcher has gone: nobody will see it.
const LEFT_ALONE: i32 = 1;

/// A thread that says that this rank is there, and ends it if its launcher has gone.
pub struct Heartbeat {
    is_over: Arc<AtomicBool>,
}

impl Heartbeat {
    /// Starts it. A rank that no launcher has started says nothing. `leftovers` are the files that the first rank removes if it has to
    /// end.
    pub fn start(launcher: Option<&Launcher>, leftovers: Vec<PathBuf>) -> Self {
        let is_over = Arc::new(AtomicBool::new(false));
        let (ends, parent) = (Arc::clone(&is_over), parent_id());
        let line = launcher.map(|launcher| Line::Alive { rank: launcher.rank, ranks: launcher.ranks });
        let is_first = launcher.is_some_and(|launcher| launcher.rank == 0);
        let interval = launcher.map_or(LOOK, |launcher| alive_interval(launcher.ranks));
        let beat = move || {
            let mut next = Instant::now();
            while !ends.load(Ordering::SeqCst) {
                if parent_id() != parent {
                    for file in leftovers.iter().filter(|_| is_first) {
                        let _ = fs::remove_file(file);
                    }
                    // SAFETY: it ends the process at once: what MPI would do at its exit needs the other ranks.
                    unsafe { _exit(LEFT_ALONE) };
                }
                if let Some(line) = line.as_ref().filter(|_| next <= Instant::now()) {
                    say(line);
                    next = Instant::now() + interval;
                }
                thread::park_timeout(LOOK);
            }
        };
        // If the thread cannot be started, whoever watches takes this rank for lost.
        let _ = thread::Builder::new().name("heartbeat".into()).spawn(beat);
        Heartbeat { is_over }
    }

    /// Ends it.
    pub fn stop(self) {
        self.is_over.store(true, Ordering::SeqCst);
    }
}

/// Writes a line in one piece. A launcher that does not read changes nothing: it will end this rank.
pub fn say(line: &Line) {
    let _ = io::stdout().lock().write_all(format!("{line}\n").as_bytes()).and_then(|()| io::stdout().flush());
}
