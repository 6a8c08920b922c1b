//! Matrices that no machine can hold: jobs for the ranks of an MPI program, each of which runs `recfact_rank`.
//!
//! This package knows what the ranks are told and what they say, and how they are started, watched and ended. It knows no MPI: the
//! launcher, a command that the user names (`mpirun -n 16`), does. The computation is in the package `rank/`. It is a package of its
//! own because both programs have it, and because it is compiled for size.

#![warn(missing_docs)]

mod answer;
mod arguments;
mod engine;
mod error;
mod job;
mod launched;
mod line;
mod output;
mod transcript;

pub use answer::Answer;
pub use arguments::{LauncherArgs, RANKS_HEADING, RanksArgs};
pub use engine::{Engine, Observer, RANK_VARIABLES};
pub use error::EngineError;
pub use job::{Job, ProcessGrid, factor_files};
pub use line::{Fault, Line, Phase, alive_interval};
pub use transcript::Transcript;
