//! Why a rank cannot go on.

use std::fmt::Display;
use std::path::Path;

use recfact::files::{Cause, FileError};
use recfact_distributed::{Fault, Line};

/// Why a rank cannot go on, in one line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure {
    pub fault: Fault,
    pub text: String,
}

impl Failure {
    /// A file that cannot be used.
    pub fn file(path: &Path, message: impl Display) -> Self {
        Failure { fault: Fault::File, text: format!("{}: {message}", path.display()) }
    }

    /// Want of memory.
    pub fn memory(message: impl Display) -> Self {
        Failure { fault: Fault::Memory, text: message.to_string() }
    }

    /// Ranks that cannot compute.
    pub fn engine(message: impl Display) -> Self {
        Failure { fault: Fault::Engine, text: message.to_string() }
    }

    /// The same, with the place before its text.
    pub fn at(self, place: impl Display) -> Self {
        Failure { fault: self.fault, text: format!("{place}: {}", self.text) }
    }

    /// What stdout is told.
    pub fn line(&self) -> Line {
        Line::error(self.fault, &self.text)
    }
}

impl From<FileError> for Failure {
    fn from(error: FileError) -> Self {
        let fault = if matches!(error.cause, Cause::OutOfMemory { .. }) { Fault::Memory } else { Fault::File };
        Failure { fault, text: error.to_string() }
    }
}
