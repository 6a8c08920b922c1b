//! What comes from the launcher's stdout and stderr: the lines of the ranks, and what else may explain a failure.

use std::io::Read;
use std::os::fd::{AsFd, OwnedFd};
use std::process::{ChildStderr, ChildStdout};
use std::time::Duration;

use nix::poll::{PollFd, PollFlags, PollTimeout, poll};

use super::line::{Line, PREFIX};

/// Bytes that are read at a time, and of the longest line.
const LINE_BYTES: usize = 64 << 10;

/// Bytes of the longest explanation.
const EXPLANATION_BYTES: usize = 400;

/// By which a launcher's report of the end of a rank is known: OpenMPI's, MPICH's and Slurm's.
const REPORTS: [&str; 4] = ["exited on signal", "EXIT STRING", "Killed", "error: "];

/// The two streams of a launcher.
pub(super) struct Output {
    streams: [Stream; 2],
    explanation: Explanation,
}

impl Output {
    pub(super) fn new(stdout: ChildStdout, stderr: ChildStderr) -> Self {
        let streams =
            [stdout.into(), stderr.into()].map(|pipe: OwnedFd| Stream { pipe: Some(pipe.into()), line: Vec::new() });
        Output { streams, explanation: Explanation::default() }
    }

    /// Waits for output, but not for longer than this, and returns the lines of the ranks in it.
    pub(super) fn read(&mut self, longest: Duration) -> Vec<Line> {
        let open: Vec<_> = self.streams.iter().filter_map(|stream| stream.pipe.as_ref()).collect();
        let mut ready: Vec<_> = open.iter().map(|pipe| PollFd::new(pipe.as_fd(), PollFlags::POLLIN)).collect();
        let timeout = PollTimeout::try_from(longest).unwrap_or(PollTimeout::MAX);
        let is_any = poll(&mut ready, timeout).is_ok_and(|count| count > 0);
        let mut is_ready = ready.iter().map(|fd| fd.any().unwrap_or(false)).collect::<Vec<_>>().into_iter();
        if open.is_empty() {
            std::thread::sleep(longest);
        }
        let mut lines = Vec::new();
        for stream in self.streams.iter_mut().filter(|stream| stream.pipe.is_some()) {
            if is_any && is_ready.next().unwrap_or(false) {
                stream.read(|text| match text.parse() {
                    Ok(line) => lines.push(line),
                    Err(()) => self.explanation.hear(text),
                });
            }
        }
        lines
    }

    /// What explains that there is no result; `None` if nothing was said.
    pub(super) fn explanation(&self) -> Option<String> {
        self.explanation.text()
    }
}

/// A pipe, and the line that has begun to arrive.
struct Stream {
    /// `None` after its end.
    pipe: Option<std::fs::File>,
    line: Vec<u8>,
}

impl Stream {
    /// Reads what is there, once. A line that is too long loses its beginning.
    fn read(&mut self, mut hear: impl FnMut(&str)) {
        let mut buffer = [0; 4096];
        let Some(pipe) = &mut self.pipe else { return };
        let got = match pipe.read(&mut buffer) {
            Ok(0) => {
                self.pipe = None;
                hear(&String::from_utf8_lossy(&std::mem::take(&mut self.line)));
                return;
            }
            Ok(got) => got,
            Err(_) => return,
        };
        for piece in buffer[..got].split_inclusive(|&byte| byte == b'\n') {
            if self.line.len() >= LINE_BYTES {
                self.line.clear();
            }
            self.line.extend_from_slice(piece);
            if self.line.last() == Some(&b'\n') {
                hear(String::from_utf8_lossy(&self.line).trim_end());
                self.line.clear();
            }
        }
    }
}

/// What was said beside the lines of the ranks, as far as it may explain a failure.
#[derive(Debug, Default)]
struct Explanation {
    /// What a rank said last: that it panicked, or did not understand its arguments.
    rank: Option<String>,
    /// What the launcher said of the end of a rank.
    report: Option<String>,
    /// The beginning of all else.
    start: String,
}

impl Explanation {
    fn hear(&mut self, line: &str) {
        let text = line.trim_matches(|c: char| c.is_whitespace() || c == '-' || c == '=');
        if text.is_empty() {
            return;
        }
        if let Some((_, said)) = text.split_once(PREFIX) {
            self.rank.get_or_insert_with(|| shortened(said));
        } else if REPORTS.iter().any(|report| text.contains(report)) {
            self.report.get_or_insert_with(|| shortened(text));
        } else if self.start.len() < EXPLANATION_BYTES {
            self.start = shortened(&format!("{}{}{text}", self.start, if self.start.is_empty() { "" } else { " " }));
        }
    }

    fn text(&self) -> Option<String> {
        let start = (!self.start.is_empty()).then(|| self.start.clone());
        self.rank.clone().or_else(|| self.report.clone()).or(start)
    }
}

/// A text of one line and bounded length.
fn shortened(text: &str) -> String {
    let visible = text.chars().map(|c| if c.is_control() { ' ' } else { c });
    let mut short = String::new();
    for c in visible {
        if short.len() >= EXPLANATION_BYTES {
            short.push_str("..");
            break;
        }
        short.push(c);
    }
    short
}

#[cfg(test)]
mod tests {
    use super::*;

    fn explained(lines: &[&str]) -> Option<String> {
        let mut explanation = Explanation::default();
        lines.iter().for_each(|line| explanation.hear(line));
        explanation.text()
    }

    #[test]
    fn what_a_rank_said_explains_more_than_what_its_launcher_reports_and_that_more_than_the_rest() {
        let (banner, slots) = ("-----------", "There are not enough slots");
        let report = "mpirun noticed that process rank 1 with PID 0 on node a exited on signal 9 (Killed).";
        assert_eq!(explained(&[]), None);
        assert_eq!(explained(&["", banner, "=====", "  "]), None);
        assert_eq!(explained(&[banner, slots, "in the system."]).unwrap(), "There are not enough slots in the system.");
        assert_eq!(explained(&[banner, slots, report]).unwrap(), report);
        assert_eq!(explained(&[report, "recfact_rank: thread panicked"]).unwrap(), "thread panicked");
        let long = explained(&["x".repeat(10_000).as_str(), slots]).unwrap();
        assert!(long.len() <= EXPLANATION_BYTES + 2 && long.ends_with(".."));
    }
}
