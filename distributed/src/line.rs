//! What the ranks say on stdout: lines that begin with the name of their program, among whatever else comes from there.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use super::answer::Answer;

/// With which each line begins.
pub const PREFIX: &str = "recfact_rank: ";

/// What a rank does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Phase {
    /// It reads A.
    Reading,
    /// P A = L U.
    Factoring,
    /// A X = B, how good X is, how well-conditioned A is.
    Solving,
    /// It writes the results.
    Writing,
}

impl Phase {
    const ALL: [Phase; 4] = [Phase::Reading, Phase::Factoring, Phase::Solving, Phase::Writing];

    /// Its name.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Phase::Reading => "reading",
            Phase::Factoring => "factoring",
            Phase::Solving => "solving",
            Phase::Writing => "writing",
        }
    }
}

/// What kind of thing went wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// A file cannot be used.
    File,
    /// There is not enough memory.
    Memory,
    /// The ranks cannot compute.
    Engine,
}

impl Fault {
    /// Every kind.
    pub const ALL: [Fault; 3] = [Fault::File, Fault::Memory, Fault::Engine];

    /// Its name.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Fault::File => "file",
            Fault::Memory => "memory",
            Fault::Engine => "engine",
        }
    }
}

/// A line.
#[derive(Debug, Clone, PartialEq)]
pub enum Line {
    /// A rank is there. Each of them says so every [`alive_interval`].
    Alive {
        /// Its number, counted from 0.
        rank: u32,
        /// How many there are.
        ranks: u32,
    },
    /// How far the computation is.
    Progress {
        /// What is done at present.
        phase: Phase,
        /// How much of all floating-point operations is done, from 0 to 1.
        done: f64,
    },
    /// The results are in their files.
    Result(Answer),
    /// There are no results.
    Error {
        /// The kind.
        fault: Fault,
        /// What was expected, what came, where.
        text: String,
    },
}

impl Line {
    /// That there are no results, in words that fit into a line and a terminal, whoever has written them.
    #[must_use]
    pub fn error(fault: Fault, text: &str) -> Self {
        Line::Error { fault, text: visible(text).collect() }
    }
}

/// A text with a blank for each control character.
pub(super) fn visible(text: &str) -> impl Iterator<Item = char> {
    text.chars().map(|c| if c.is_control() { ' ' } else { c })
}

impl fmt::Display for Line {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(PREFIX)?;
        match self {
            Line::Alive { rank, ranks } => write!(f, "alive {rank} {ranks}"),
            Line::Progress { phase, done } => write!(f, "progress {} {done:.4}", phase.name()),
            Line::Result(answer) => write!(f, "result {answer}"),
            Line::Error { fault, text } => write!(f, "error {} {text}", fault.name()),
        }
    }
}

impl FromStr for Line {
    type Err = ();

    /// Reads a line; anything else is an error.
    fn from_str(line: &str) -> Result<Self, ()> {
        // A launcher may put the number of the rank before each line.
        let (_, line) = line.split_once(PREFIX).ok_or(())?;
        let (kind, rest) = line.split_once(' ').ok_or(())?;
        let two = || rest.split_once(' ').ok_or(());
        match kind {
            "alive" => {
                let (rank, ranks) = two()?;
                let (rank, ranks) = (rank.parse().map_err(|_| ())?, ranks.parse().map_err(|_| ())?);
                if rank < ranks { Ok(Line::Alive { rank, ranks }) } else { Err(()) }
            }
            "progress" => {
                let (phase, done) = two()?;
                let phase = Phase::ALL.into_iter().find(|known| known.name() == phase).ok_or(())?;
                let done: f64 = done.parse().map_err(|_| ())?;
                if (0.0..=1.0).contains(&done) { Ok(Line::Progress { phase, done }) } else { Err(()) }
            }
            "result" => rest.parse().map(Line::Result),
            "error" => {
                let (fault, text) = two()?;
                let fault = Fault::ALL.into_iter().find(|known| known.name() == fault).ok_or(())?;
                Ok(Line::error(fault, text))
            }
            _ => Err(()),
        }
    }
}

/// How often a rank says that it is there: every two seconds, and less often where more than a thousand of them would flood the
/// launcher, which then has 500 lines a second.
#[must_use]
pub fn alive_interval(ranks: u32) -> Duration {
    Duration::from_secs(u64::from(ranks / 500).max(2))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ProcessGrid;

    #[test]
    fn lines_are_read_as_they_were_written_and_other_text_is_none() {
        let answer = Answer {
            info: 0,
            m: 4000,
            n: 4000,
            nrhs: 1,
            bits: 64,
            grid: ProcessGrid { rows: 1, columns: 2 },
            block: 64,
            steps: 1,
            seconds: 3.25,
            factor_seconds: 1.5,
            gflops: 28.444,
            rcond: 1.25e-7,
            backward_error: f64::EPSILON,
        };
        let lines = [
            Line::Alive { rank: 3, ranks: 4 },
            Line::Progress { phase: Phase::Solving, done: 0.25 },
            Line::Result(answer),
            Line::Error { fault: Fault::Memory, text: "rank 0 of 2 on host: expected more".into() },
        ];
        for line in lines {
            assert_eq!(line.to_string().parse(), Ok(line));
        }
        let others = [
            "",
            "recfact_rank: ",
            "alive 0 1",
            "recfact_rank: alive 4 4",
            "recfact_rank: alive 0",
            "recfact_rank: what 1",
        ];
        for other in others.into_iter().chain(["recfact_rank: progress solving 2", "recfact_rank: error x y"]) {
            assert_eq!(other.parse::<Line>(), Err(()), "{other}");
        }
    }

    #[test]
    fn many_ranks_speak_less_often() {
        assert_eq!([2, 1000, 10_000].map(|ranks| alive_interval(ranks).as_secs()), [2, 2, 20]);
    }
}
