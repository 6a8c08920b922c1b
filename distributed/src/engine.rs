//! The engine: a launcher, and the program that it starts for each rank.

use std::ffi::OsStr;
use std::fs;
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf, absolute};
use std::process::{self, Command};
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};
use std::{env, io};

use nix::poll::{PollFd, PollFlags, PollTimeout, poll};

use super::answer::Answer;
use super::error::EngineError;
use super::job::Job;
use super::launched::{LEAVING, Launched};
use super::line::{Fault, Line, Phase, alive_interval};
use super::output::Output;

/// The program of a rank.
const PROGRAM: &str = "recfact_rank";

/// The variable that names another one, and that which names the libraries with ScaLAPACK.
const PROGRAM_VARIABLE: &str = "RECFACT_RANK";
const LIBRARIES_VARIABLE: &str = "RECFACT_SCALAPACK";

/// The variables by which a launcher tells a rank the number of ranks and its own: OpenMPI's, MPICH's, and those of Slurm, whose `srun`
/// sets `PMI_*` or `PMIX_*` beside its own, as its option `--mpi` says.
pub const RANK_VARIABLES: [(&str, &str); 3] =
    [("OMPI_COMM_WORLD_SIZE", "OMPI_COMM_WORLD_RANK"), ("PMI_SIZE", "PMI_RANK"), ("SLURM_NTASKS", "PMIX_RANK")];

/// Between two looks at whether somebody has cancelled the job.
const TICK: Duration = Duration::from_millis(100);

/// A rank may take this many times as long to its first sign of life as between two of them.
const START: u32 = 4;

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
    /// Whether the job is to be given up; asked a few times a second.
    fn is_cancelled(&mut self) -> bool;
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
        for file in [Some(&job.a), job.b.as_ref(), job.factors.as_ref(), Some(&job.out)].into_iter().flatten() {
            check_name(file)?;
        }
        let mut command = Command::new(&self.launcher[0]);
        command.args(&self.launcher[1..]).arg(program).args(job.arguments());
        // If this process is itself a rank of something, its children are not. (What Slurm says of its job stays.)
        for (_, rank) in RANK_VARIABLES {
            command.env_remove(rank);
        }
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
        let mut ranks = Ranks::default();
        let outcome = loop {
            let (lines, mut outcome) = (output.read(TICK), None);
            let is_quiet = lines.is_none();
            for line in lines.into_iter().flatten() {
                match line {
                    Line::Alive { rank, ranks: count } => ranks.hear(rank, count),
                    Line::Progress { phase, done } => observer.progress(phase, done),
                    Line::Result(_) | Line::Error { .. } => outcome = outcome.or(told(line)),
                }
            }
            if let Some(outcome) = outcome {
                break outcome;
            }
            if observer.is_cancelled() || self.is_abandoned() {
                return Err(EngineError::Cancelled);
            }
            if launched.is_over() {
                // What it has written before its end is still in the pipes.
                let outcome = last_words(&mut output);
                let explained = || self.ended(&launched.ending(), output.explanation());
                return outcome.unwrap_or_else(|| Err(EngineError::engine(explained())));
            }
            // If this process has been stopped for a while, what the ranks have said since is heard first.
            if is_quiet && let Some(silent) = ranks.silent(self.silence) {
                return Err(EngineError::engine(silent));
            }
        };
        // The launcher is given time to leave; if it does not, `launched` ends it.
        let told = Instant::now();
        while !launched.is_over() && told.elapsed() < LEAVING {
            output.read(TICK);
        }
        outcome
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
    let (start, mut outcome) = (Instant::now(), None);
    while let Some(lines) = output.read(TICK).filter(|_| start.elapsed() < LEAVING) {
        outcome = outcome.or(lines.into_iter().find_map(told));
    }
    outcome
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
    /// When the first one was heard. From then on all are waited for; until then a queue may hold the job back.
    start: Option<Instant>,
    heard: Vec<Option<Instant>>,
}

impl Ranks {
    fn hear(&mut self, rank: u32, ranks: u32) {
        let now = Instant::now();
        if self.start.is_none() {
            self.start = Some(now);
            self.heard = vec![None; ranks.min(MAX_RANKS) as usize];
        }
        if let Some(heard) = self.heard.get_mut(rank as usize) {
            *heard = Some(now);
        }
    }

    /// Says which rank has been silent for too long. One that has not begun may take longer.
    fn silent(&self, longest: Duration) -> Option<String> {
        let (start, ranks) = (self.start?, self.heard.len());
        let longest = longest.max(5 * alive_interval(ranks as u32));
        let silent = self.heard.iter().enumerate().find(|(_, heard)| match heard {
            Some(heard) => heard.elapsed() > longest,
            None => start.elapsed() > START * longest,
        });
        silent.map(|(rank, heard)| {
            let seconds = heard.unwrap_or(start).elapsed().as_secs();
            format!("expected to hear from every rank, but rank {rank} of {ranks} has been silent for {seconds} seconds; its host may be gone; --silence allows more")
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
        // A name without a slash would be looked for in PATH.
        return Ok(absolute(&program).unwrap_or(program));
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
