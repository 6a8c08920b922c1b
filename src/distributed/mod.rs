//! Matrices that no machine can hold: jobs for the ranks of an MPI program, each of which runs `recfact_rank`.
//!
//! This room knows what the ranks are told and what they say, and how they are started, watched and ended. It knows no MPI: the
//! launcher, a command that the user names (`mpirun -n 16`), does. The computation is in the package `rank/`.

mod answer;
mod engine;
mod error;
mod job;
mod launched;
mod line;
mod output;

pub use answer::Answer;
pub use engine::{Engine, Observer};
pub use error::EngineError;
pub use job::{Job, ProcessGrid};
pub use line::{Fault, Line, PREFIX, Phase, alive_interval};
