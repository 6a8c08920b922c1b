//! The engine: a launcher, and the program that it starts for each rank.

use std::ffi::OsStr;
use std::fs;
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::process::{self, Command};
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};
use std::{env, io};

use nix::poll::{PollFd, PollFlags, PollTimeout, poll};

use super::answer::Answer;
use super::error::EngineError;
use super::job::Job;
use super::launched::{LEAVING, Launched, describe};
use super::line::{Fault, Line, Phase, alive_interval};
use super::output::Output;

/// The program of a rank.
const PROGRAM: &str = "recfact_rank";

/// The variable that names another one, and that which names the libraries with ScaLAPACK.
const PROGRAM_VARIABLE: &str = "RECFACT_RANK";
const LIBRARIES_VARIABLE: &str = "RECFACT_SCALAPACK";

/// Between two looks at whether somebody has cancelled the job.
const TICK: Duration = Duration::from_millis(100);

/// The most ranks of which it is noted when they were heard.
const MAX_RANKS: u32 = 1 << 20;

/// A launcher as the operator has given it, and how long a rank may be silent.
#[derive(Debug, Clone)]
pub struct Engine {
    launcher: Vec<String>,
    silence: Duration,
    /// The pipe to whoever waits for answers.
    reader: Option<Arc<OwnedFd>>,
}

/// Who is told how far a job is, and may cancel it.
pub trait Observer {
    /// Whether the job is to be given up.
    fn is_cancelled(&self) -> bool;
    /// The ranks are that far.
    fn progress(&mut self, phase: Phase, done: f64);
}

impl Engine {
    /// A launcher with its arguments, split into words as a shell would.
    ///
    /// # Errors
    /// If a quote is not closed, or if there is no word.
    pub fn new(launcher: &str, silence: Duration) -> Result<Self, &'static str> {
        let launcher = shlex::split(launcher).filter(|words| !words.is_empty());
        let launcher = launcher.ok_or("expected a command that starts the ranks, as in \"mpirun -n 4\"")?;
        Ok(Engine { launcher, silence, reader: None })
    }

    /// The same, for jobs that are given up when nobody is there any more to read from this pipe.
    #[must_use]
    pub fn for_reader(self, pipe: OwnedFd) -> Self {
        Engine { reader: Some(Arc::new(pipe)), ..self }
    }

    /// Whether the reader has closed its end.
    fn is_abandoned(&self) -> bool {
        let Some(pipe) = &self.reader else { return false };
        // An error is reported whatever is asked for.
        let mut fds = [PollFd::new(pipe.as_fd(), PollFlags::empty())];
        poll(&mut fds, PollTimeout::ZERO).is_ok_and(|count| count > 0)
    }

    /// Has the ranks do a job, and waits until they have done it. Its results are in their files if it succeeds, and only then.
    ///
    /// # Errors
    /// [`EngineError`]; nothing that was started runs then any more, except what a lost host may have left.
    pub fn run(&self, job: &Job, observer: &mut dyn Observer) -> Result<Answer, EngineError> {
        let program = program()?;
        let mut job = job.clone();
        job.suffix = suffix();
        job.scalapack = job.scalapack.or_else(|| env::var_os(LIBRARIES_VARIABLE).filter(|value| !value.is_empty()));
        for file in [Some(&job.a), job.b.as_ref(), Some(&job.out)].into_iter().flatten() {
            check_name(file)?;
        }
        let mut command = Command::new(&self.launcher[0]);
        command.args(&self.launcher[1..]).arg(program).args(job.arguments());
        let result = self.watch(&mut command, observer);
        if result.is_err() {
            // Ranks that were killed leave what they have begun.
            for unfinished in job.results().iter().map(|file| job.unfinished(file)) {
                let _ = fs::remove_file(unfinished);
            }
        }
        result
    }

    /// Starts the launcher, and watches it until its ranks have done their job.
    fn watch(&self, command: &mut Command, observer: &mut dyn Observer) -> Result<Answer, EngineError> {
        let (mut launched, stdout, stderr) =
            Launched::start(command).map_err(|error| EngineError::engine(self.not_started(&error)))?;
        let mut output = Output::new(stdout, stderr);
        let (mut ranks, mut outcome) = (Ranks::default(), None);
        loop {
            for line in output.read(TICK) {
                match line {
                    Line::Alive { rank, ranks: count } => ranks.hear(rank, count),
                    Line::Progress { phase, done } => observer.progress(phase, done),
                    Line::Result(_) | Line::Error { .. } => outcome = outcome.or(told(line)),
                }
            }
            if outcome.is_some() {
                break;
            }
            if observer.is_cancelled() || self.is_abandoned() {
                return Err(EngineError::Cancelled);
            }
            if let Some(status) = launched.status() {
                // What it has written before its end is still in the pipes.
                outcome = last_words(&mut output);
                let explained = || self.ended(&describe(status), output.explanation());
                return outcome.unwrap_or_else(|| Err(EngineError::engine(explained())));
            }
            if let Some(silent) = ranks.silent(self.silence) {
                return Err(EngineError::engine(silent));
            }
        }
        // The launcher is given time to leave; if it does not, `launched` ends it.
        let told = Instant::now();
        while launched.status().is_none() && told.elapsed() < LEAVING {
            output.read(TICK);
        }
        outcome.expect("the loop ended with it")
    }

    fn not_started(&self, error: &io::Error) -> String {
        format!("expected to start the launcher {}, got: {error}", self.launcher[0])
    }

    fn ended(&self, status: &str, explanation: Option<String>) -> String {
        let launcher = &self.launcher[0];
        let said = explanation.unwrap_or_else(|| "it said nothing".into());
        format!("expected a result of the ranks, but {launcher} ended with {status}: {said}")
    }
}

/// The outcome in what is left of the output. A process that the launcher left behind may hold the pipes open, so their end is not
/// waited for.
fn last_words(output: &mut Output) -> Option<Result<Answer, EngineError>> {
    let mut outcome = None;
    loop {
        let lines = output.read(TICK);
        if lines.is_empty() {
            return outcome;
        }
        outcome = outcome.or(lines.into_iter().find_map(told));
    }
}

/// The outcome that a line tells.
fn told(line: Line) -> Option<Result<Answer, EngineError>> {
    match line {
        Line::Result(answer) => Some(Ok(answer)),
        Line::Error { fault, text } => Some(Err(EngineError::Failed { fault, text })),
        _ => None,
    }
}

/// When each rank was heard.
#[derive(Debug, Default)]
struct Ranks {
    heard: Vec<Instant>,
}

impl Ranks {
    fn hear(&mut self, rank: u32, ranks: u32) {
        let now = Instant::now();
        if self.heard.is_empty() {
            // From the first one on, all are waited for. Until then a queue may hold the job back.
            self.heard = vec![now; ranks.min(MAX_RANKS) as usize];
        }
        if let Some(heard) = self.heard.get_mut(rank as usize) {
            *heard = now;
        }
    }

    /// Says which rank has been silent for too long.
    fn silent(&self, longest: Duration) -> Option<String> {
        let ranks = self.heard.len();
        let longest = longest.max(5 * alive_interval(ranks as u32));
        let (rank, heard) = self.heard.iter().enumerate().min_by_key(|(_, heard)| **heard)?;
        let seconds = heard.elapsed().as_secs();
        (heard.elapsed() > longest).then(|| {
            format!("expected to hear from every rank, but rank {rank} of {ranks} has been silent for {seconds} seconds; its host may be gone")
        })
    }
}

/// The program of a rank: named by a variable, or beside this executable.
fn program() -> Result<PathBuf, EngineError> {
    let named = env::var_os(PROGRAM_VARIABLE).filter(|value| !value.is_empty()).map(PathBuf::from);
    let (program, source) = match named {
        Some(program) => (program, PROGRAM_VARIABLE.to_owned()),
        None => {
            let own = env::current_exe().map_err(|error| {
                EngineError::engine(format_args!(
                    "expected a path of this executable, got: {error}; set {PROGRAM_VARIABLE}"
                ))
            })?;
            (own.with_file_name(PROGRAM), "the folder of this executable".into())
        }
    };
    if program.is_file() {
        return Ok(program);
    }
    Err(EngineError::engine(format_args!(
        "expected the program of the ranks, {}, as {source} says, got no such file; build it with cargo build --release --package recfact-rank, or let {PROGRAM_VARIABLE} name it",
        program.display()
    )))
}

/// Checks that a name fits into a line of a report.
fn check_name(file: &Path) -> Result<(), EngineError> {
    let has_control = |name: &OsStr| name.as_bytes().iter().any(u8::is_ascii_control);
    if file.as_os_str().is_empty() || has_control(file.as_os_str()) {
        let text = format!("expected the name of a file without control characters, got {:?}", file.as_os_str());
        return Err(EngineError::Failed { fault: Fault::File, text });
    }
    Ok(())
}

/// What the names of unfinished results end in. No other job of this host has the same.
fn suffix() -> String {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |time| time.as_nanos());
    format!(".unfinished-{}-{now:x}", process::id())
}
