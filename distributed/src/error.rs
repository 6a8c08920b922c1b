//! Why a job has no result.

use std::fmt;

use super::line::Fault;

/// Why a job has no result.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum EngineError {
    /// Somebody has cancelled it.
    Cancelled,
    /// What the ranks, or the launcher, or the system said: one line.
    Failed {
        /// What kind of thing went wrong.
        fault: Fault,
        /// What was expected, what came, where, what to do.
        text: String,
    },
}

impl EngineError {
    /// The ranks cannot be started, or end too early.
    pub(super) fn engine(text: impl fmt::Display) -> Self {
        EngineError::Failed { fault: Fault::Engine, text: text.to_string() }
    }
}

impl fmt::Display for EngineError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            EngineError::Cancelled => f.write_str("expected to finish, but the computation was cancelled"),
            EngineError::Failed { text, .. } => f.write_str(text),
        }
    }
}

impl std::error::Error for EngineError {}
