//! The two streams of a launcher.

use std::fs::File;
use std::io::Read;
use std::os::fd::{AsFd, OwnedFd};
use std::process::{ChildStderr, ChildStdout};
use std::thread;
use std::time::Duration;

use nix::poll::{PollFd, PollFlags, PollTimeout, poll};

use super::line::Line;
use super::transcript::{Transcript, explanation};

/// Bytes that are read at a time.
const BUFFER_BYTES: usize = 16 << 10;

/// stdout and stderr of a launcher.
pub(super) struct Output {
    streams: [Stream; 2],
}

/// A pipe, and what has come from it.
struct Stream {
    /// `None` after its end.
    pipe: Option<File>,
    transcript: Transcript,
}

impl Output {
    pub(super) fn new(stdout: ChildStdout, stderr: ChildStderr) -> Self {
        let stream = |pipe: OwnedFd| Stream { pipe: Some(pipe.into()), transcript: Transcript::default() };
        Output { streams: [stdout.into(), stderr.into()].map(stream) }
    }

    /// Waits for output, but not for longer than this, and returns the lines of the ranks in it, or `None` if nothing has come. At the
    /// end of both streams it sleeps instead.
    pub(super) fn read(&mut self, longest: Duration) -> Option<Vec<Line>> {
        let pipes: Vec<_> = self.streams.iter().filter_map(|stream| stream.pipe.as_ref()).collect();
        if pipes.is_empty() {
            thread::sleep(longest);
            return None;
        }
        let mut fds: Vec<_> = pipes.iter().map(|pipe| PollFd::new(pipe.as_fd(), PollFlags::POLLIN)).collect();
        let timeout = PollTimeout::try_from(longest).unwrap_or(PollTimeout::MAX);
        if !poll(&mut fds, timeout).is_ok_and(|count| count > 0) {
            return None;
        }
        let ready: Vec<_> = fds.iter().map(|fd| fd.any().unwrap_or(false)).collect();
        let mut lines = Vec::new();
        let open = self.streams.iter_mut().filter(|stream| stream.pipe.is_some());
        for (stream, _) in open.zip(ready).filter(|(_, is_ready)| *is_ready) {
            stream.read(&mut lines);
        }
        Some(lines)
    }

    /// What explains that there is no result; `None` if nothing was said.
    pub(super) fn explanation(&self) -> Option<String> {
        explanation(self.streams.iter().map(|stream| &stream.transcript))
    }
}

impl Stream {
    /// Reads what is there, once.
    fn read(&mut self, lines: &mut Vec<Line>) {
        let mut buffer = [0; BUFFER_BYTES];
        match self.pipe.as_mut().map(|pipe| pipe.read(&mut buffer)) {
            Some(Ok(0)) => {
                self.pipe = None;
                self.transcript.end_line(lines);
            }
            Some(Ok(got)) => self.transcript.take(&buffer[..got], lines),
            // Interrupted: the next look finds it again.
            Some(Err(_)) | None => {}
        }
    }
}
