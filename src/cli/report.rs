//! How far a long request is: lines for a program (`--progress-fd`), and a bar for a person at a terminal.

use std::fs::File;
use std::io::{self, Write};
use std::os::fd::AsFd;
use std::thread;
use std::time::{Duration, Instant};

use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::signal::SigSet;

use super::progress::{CLEAR, DELAY, draw, is_wanted, picture};
use crate::os::{Unmappable, inherited};
use crate::server::Watch;

/// Between two reports.
const INTERVAL: Duration = Duration::from_millis(200);

/// The stack of the thread that reports, in bytes.
const STACK_BYTES: usize = 128 << 10;

/// Who is told.
pub(super) struct Report {
    lines: Option<File>,
    has_bar: bool,
}

impl Report {
    /// Lines on a descriptor that the process has inherited, if one is given; a bar on stderr if that is a terminal and stdout
    /// is not.
    ///
    /// # Errors
    /// If the descriptor is not open.
    pub(super) fn new(descriptor: Option<i32>) -> Result<Self, Unmappable> {
        let file = |fd| inherited(fd).map(File::from);
        let lines = descriptor.map(file).transpose()?;
        Ok(Report { lines, has_bar: is_wanted() })
    }

    /// Starts a thread that reports, if anybody is to be told.
    ///
    /// # Errors
    /// If the system refuses a thread.
    pub(super) fn start(self, watch: &'static Watch) -> io::Result<()> {
        if self.lines.is_some() || self.has_bar {
            thread::Builder::new().stack_size(STACK_BYTES).spawn(move || self.run(watch))?;
        }
        Ok(())
    }

    fn run(mut self, watch: &Watch) {
        // Signals are for the thread that serves.
        let _ = SigSet::all().thread_block();
        watch.report_to_this_thread();
        let (mut request, mut since, mut is_reported) = (0, Instant::now(), false);
        loop {
            let present = watch.progress();
            if is_reported && present.is_none_or(|(now, _)| now != request) {
                self.end(request, watch.is_completed(request));
                is_reported = false;
            }
            let Some((now, done)) = present else {
                request = 0;
                // A long computation wakes the thread.
                thread::park();
                continue;
            };
            if now != request {
                (request, since) = (now, Instant::now());
            }
            if since.elapsed() >= DELAY {
                self.tell(request, done);
                is_reported = true;
            }
            thread::sleep(INTERVAL);
        }
    }

    fn tell(&mut self, request: u64, done: f64) {
        self.line(request, done);
        if self.has_bar {
            draw(&picture(format_args!("request {request}"), done));
        }
    }

    fn end(&mut self, request: u64, is_completed: bool) {
        if is_completed {
            self.line(request, 1.0);
        }
        if self.has_bar {
            draw(CLEAR);
        }
    }

    /// Writes a line, unless the reader is behind or gone: nobody waits for it.
    fn line(&mut self, request: u64, done: f64) {
        let Some(file) = &mut self.lines else { return };
        let mut ready = [PollFd::new(file.as_fd(), PollFlags::POLLOUT)];
        if poll(&mut ready, PollTimeout::ZERO) == Ok(1) {
            let line = format!("progress {request} {done:.4}\n");
            let _ = file.write_all(line.as_bytes());
        }
    }
}
