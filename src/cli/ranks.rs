//! Matrices that no machine can hold: a job for the ranks of a launcher, a bar while they compute, and what came of it.

use std::path::Path;
use std::time::Instant;

use recfact_distributed::{Answer, Engine, EngineError, Fault, Job, Observer, Phase, factor_files};

use super::exit::ExitStatus;
use super::input::STDIN;
use super::progress::{CLEAR, DELAY, draw, is_wanted, picture};
use super::verdict::{condition, rounded};
use super::{EXECUTABLE, Failure, say};
use crate::error::Error;
use crate::os::{end_by, end_on_signals, end_signal};

/// The engine that options name, if they do.
pub(super) fn engine(named: Result<Option<Engine>, &str>) -> Result<Option<Engine>, Failure> {
    named.map_err(|error| Failure::new(ExitStatus::Usage, format_args!("--launcher: {error}")))
}

/// A file that all ranks can read.
pub(super) fn file(name: &str) -> Result<&Path, Failure> {
    if name == STDIN {
        return Err(Failure::new(ExitStatus::Usage, "expected files that all ranks can read, got - for stdin"));
    }
    Ok(name.as_ref())
}

/// Has the ranks do a job, shows a bar meanwhile, and says what came of it.
pub(super) fn run(command: &str, engine: &Engine, job: &Job) -> Result<(), Failure> {
    let name = job.a.display().to_string();
    let mut bar = Bar { start: Instant::now(), is_wanted: is_wanted(), is_shown: false, present: None };
    end_on_signals().map_err(|error| Failure::io("expected to set up signals, got", &error))?;
    let done = engine.run(job, &mut bar);
    if bar.is_shown {
        draw(CLEAR);
    }
    if let Some(signal) = end_signal().filter(|_| done.is_err()) {
        end_by(signal);
    }
    let answer = done.map_err(failure)?;
    if answer.info != 0 && job.b.is_some() {
        let index = usize::try_from(answer.info).unwrap_or(0);
        // U is in the file of the factors, if they were there.
        let name = job.factors.as_deref().map_or(name, |prefix| factor_files(prefix)[0].display().to_string());
        return Err(Failure::data(name, Error::Singular { index }));
    }
    say(&format!("{EXECUTABLE} {command}"), described(job, &answer));
    Ok(())
}

/// What the ranks did, and how well.
fn described(job: &Job, answer: &Answer) -> String {
    let Answer { info, grid, block, seconds, factor_seconds, gflops, .. } = *answer;
    let (mut parts, mut warning) = (Vec::new(), "");
    if info != 0 {
        parts.push(format!("info {info}: U({info},{info}) is exactly zero"));
    }
    if answer.nrhs > 0 {
        let condition = match answer.bits {
            32 => condition::<f32>(false, "about ", &[answer.rcond as f32]),
            _ => condition::<f64>(false, "about ", &[answer.rcond]),
        };
        let (is_warning, text) = condition.unwrap_or_default();
        warning = if is_warning { "warning: " } else { "" };
        let steps = if answer.steps > 0 { ", 1 step of refinement" } else { "" };
        parts.push(format!("{text}; backward error {}{steps}", rounded(answer.backward_error)));
    }
    let (ranks, rows, columns) = (grid.ranks().unwrap_or(0), grid.rows, grid.columns);
    let plural = if ranks == 1 { "" } else { "s" };
    parts.push(format!("{ranks} rank{plural} as {rows} x {columns}, blocks of {block}"));
    let [seconds, factor_seconds, gflops] = [seconds, factor_seconds, gflops].map(rounded);
    parts.push(match &job.factors {
        None => format!("{seconds} s, {factor_seconds} of them factoring at {gflops} GFLOP/s"),
        Some(factors) => format!("{seconds} s with the factors {}", factors.display()),
    });
    format!("{warning}{}: {}", job.a.display(), parts.join("; "))
}

fn failure(error: EngineError) -> Failure {
    let status = match &error {
        EngineError::Failed { fault: Fault::File, .. } => ExitStatus::Data,
        EngineError::Failed { fault: Fault::Memory, .. } => ExitStatus::OutOfMemory,
        EngineError::Failed { fault: Fault::Engine, .. } | EngineError::Cancelled => ExitStatus::Engine,
    };
    Failure::new(status, error)
}

/// A bar for a person at a terminal.
struct Bar {
    start: Instant,
    is_wanted: bool,
    is_shown: bool,
    present: Option<(Phase, f64)>,
}

impl Observer for Bar {
    fn is_cancelled(&mut self) -> bool {
        if let Some((phase, done)) = self.present.filter(|_| self.is_wanted && self.start.elapsed() >= DELAY) {
            draw(&picture(format_args!("{}", phase.name()), done));
            self.is_shown = true;
        }
        end_signal().is_some()
    }

    fn progress(&mut self, phase: Phase, done: f64) {
        self.present = Some((phase, done));
    }
}
