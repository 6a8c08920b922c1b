//! The options of the command line that name a launcher, and how its ranks are arranged.

use std::num::NonZeroU32;
use std::path::Path;
use std::time::Duration;

use super::engine::Engine;
use super::job::{Job, ProcessGrid};

/// Under which help lists these options.
pub const RANKS_HEADING: &str = "Options for many machines";

/// How long a rank may be silent.
const SILENCE_SECONDS: u32 = 60;

/// Who starts the ranks.
#[derive(Debug, clap::Args)]
pub struct LauncherArgs {
    /// Compute with matrices in .npy files on the ranks that this command starts, as "mpirun -n 4"
    #[arg(long, value_name = "COMMAND", help_heading = RANKS_HEADING)]
    launcher: Option<String>,
    /// Give up if a rank has not been heard from for this time; less than 10 counts as 10 [default: 60]
    #[arg(long, value_name = "SECONDS", help_heading = RANKS_HEADING, requires = "launcher")]
    silence: Option<NonZeroU32>,
}

impl LauncherArgs {
    /// The engine that the options name, if they do.
    ///
    /// # Errors
    /// If the launcher is no command.
    pub fn engine(&self) -> Result<Option<Engine>, &'static str> {
        let silence = self.silence.map_or(SILENCE_SECONDS, NonZeroU32::get);
        let engine = |launcher: &String| Engine::new(launcher, Duration::from_secs(silence.into()));
        self.launcher.as_ref().map(engine).transpose()
    }
}

/// Who starts the ranks, and how they are arranged.
#[derive(Debug, clap::Args)]
pub struct RanksArgs {
    #[command(flatten)]
    launcher: LauncherArgs,
    /// Rows and columns of the grid of ranks [default: as near to a square as their number allows]
    #[arg(long, value_name = "PxQ", help_heading = RANKS_HEADING, requires = "launcher")]
    grid: Option<ProcessGrid>,
    /// Rows and columns of the blocks in which matrices are spread over the ranks [default: 64]
    #[arg(long, value_name = "NB", help_heading = RANKS_HEADING, requires = "launcher")]
    block: Option<NonZeroU32>,
}

impl RanksArgs {
    /// The engine that the options name, if they do.
    ///
    /// # Errors
    /// If the launcher is no command.
    pub fn engine(&self) -> Result<Option<Engine>, &'static str> {
        self.launcher.engine()
    }

    /// A job for ranks that are arranged so: A is factored, or with B the system is solved.
    #[must_use]
    pub fn job(&self, a: &Path, b: Option<&Path>, out: &Path) -> Job {
        Job { grid: self.grid, block: self.block, ..Job::new(a, b, out) }
    }
}
