//! What a launcher writes, byte by byte: the lines of the ranks, and what else may explain a failure.

use super::line::{Line, PREFIX, visible};

/// Bytes of the longest line that is heard; of a longer one only the beginning is.
const LINE_BYTES: usize = 64 << 10;

/// Bytes of the longest explanation.
const EXPLANATION_BYTES: usize = 400;

/// By which a launcher's report of the end of a rank is known: OpenMPI's, MPICH's and Slurm's.
const REPORTS: [&str; 4] = ["exited on signal", "EXIT STRING", "Killed", "error: "];

/// What has come from a stream.
#[derive(Debug, Default)]
pub struct Transcript {
    /// The line that has begun to arrive.
    line: Vec<u8>,
    explanation: Explanation,
}

impl Transcript {
    /// Takes what has come, and adds the lines of the ranks in it to `lines`.
    pub fn take(&mut self, bytes: &[u8], lines: &mut Vec<Line>) {
        for piece in bytes.split_inclusive(|&byte| byte == b'\n') {
            let (piece, is_whole) = piece.strip_suffix(b"\n").map_or((piece, false), |piece| (piece, true));
            let room = LINE_BYTES.saturating_sub(self.line.len());
            self.line.extend_from_slice(&piece[..piece.len().min(room)]);
            if is_whole {
                self.end_line(lines);
            }
        }
    }

    /// The line that has begun is over.
    pub(super) fn end_line(&mut self, lines: &mut Vec<Line>) {
        let text = String::from_utf8_lossy(&self.line);
        let text = text.trim_end();
        match text.parse() {
            Ok(line) => lines.push(line),
            Err(()) => self.explanation.hear(text),
        }
        self.line.clear();
    }

    /// What explains a failure; `None` if nothing was said.
    #[must_use]
    pub fn explanation(&self) -> Option<String> {
        explanation([self])
    }
}

/// What explains a failure in several streams.
pub(super) fn explanation<'t>(streams: impl IntoIterator<Item = &'t Transcript>) -> Option<String> {
    let ranked: Vec<_> = streams.into_iter().filter_map(|stream| stream.explanation.text()).collect();
    let best = ranked.iter().map(|(rank, _)| *rank).min()?;
    let texts: Vec<&str> = ranked.iter().filter(|(rank, _)| *rank == best).map(|(_, text)| &text[..]).collect();
    Some(texts.join("; "))
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

    /// The best of it, after the number of its kind; the kinds that explain most come first.
    fn text(&self) -> Option<(usize, String)> {
        let start = (!self.start.is_empty()).then(|| self.start.clone());
        let kinds = [self.rank.clone(), self.report.clone(), start];
        kinds.into_iter().enumerate().find_map(|(rank, text)| Some((rank, text?)))
    }
}

/// A text of one line and bounded length.
fn shortened(text: &str) -> String {
    let mut short = String::new();
    for c in visible(text) {
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
        let mut transcript = Transcript::default();
        transcript.take(lines.join("\n").as_bytes(), &mut Vec::new());
        transcript.end_line(&mut Vec::new());
        transcript.explanation()
    }

    #[test]
    fn of_two_streams_the_one_that_explains_more_is_believed() {
        let [mut stdout, mut stderr] = [Transcript::default(), Transcript::default()];
        stdout.take(b"a banner\n", &mut Vec::new());
        assert_eq!(explanation([&stdout, &stderr]).unwrap(), "a banner");
        stderr.take(b"a cause\n", &mut Vec::new());
        assert_eq!(explanation([&stdout, &stderr]).unwrap(), "a banner; a cause");
        stderr.take(b"YOUR APPLICATION TERMINATED WITH THE EXIT STRING: Killed (signal 9)\n", &mut Vec::new());
        assert!(explanation([&stdout, &stderr]).unwrap().ends_with("Killed (signal 9)"));
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

    #[test]
    fn lines_come_in_any_pieces_and_a_long_one_takes_no_memory() {
        let (mut transcript, mut lines) = (Transcript::default(), Vec::new());
        for byte in b"noise\n[1,0]<stdout>:recfact_rank: alive 0 2\r\nrecfact_rank: al" {
            transcript.take(&[*byte], &mut lines);
        }
        transcript.take(&[b'x'; 10 * LINE_BYTES], &mut lines);
        assert!(transcript.line.len() == LINE_BYTES);
        transcript.take(b"\nrecfact_rank: alive 1 2\n", &mut lines);
        assert_eq!(lines, [Line::Alive { rank: 0, ranks: 2 }, Line::Alive { rank: 1, ranks: 2 }]);
    }
}
