//! Why the executable ends with another status than 0, and the line that says so.

use std::fmt::Display;
use std::io::{self, Write};

use super::exit::ExitStatus;
use crate::error::Error;
use crate::files::{Cause, FileError};

/// Why a command ends with another status than 0, and the line that says so on stderr.
#[derive(Debug)]
pub(super) struct Failure {
    pub(super) status: ExitStatus,
    /// `None` if the end is quiet: the reader of our output has gone.
    pub(super) message: Option<String>,
}

impl Failure {
    pub(super) fn new(status: ExitStatus, message: impl Display) -> Self {
        Failure { status, message: Some(message.to_string()) }
    }

    /// Data that cannot be used; `place` is a file or a response.
    pub(super) fn data(place: impl Display, message: impl Display) -> Self {
        Failure::new(ExitStatus::Data, format_args!("{place}: {message}"))
    }

    /// A file or a pipe that cannot be read or written.
    pub(super) fn io(place: impl Display, error: &io::Error) -> Self {
        Failure::new(ExitStatus::Io, format_args!("{place}: {error}"))
    }

    /// Memory that the system refused; `purpose` is what it was for.
    pub(super) fn out_of_memory(place: impl Display, bytes: usize, purpose: impl Display) -> Self {
        let message = format!("{place}: expected {bytes} bytes of memory for {purpose}, got none from the system");
        Failure::new(ExitStatus::OutOfMemory, message)
    }

    /// What the library refused; `purpose` is what memory would have been for.
    pub(super) fn library(place: impl Display, error: Error, purpose: impl Display) -> Self {
        match error {
            Error::OutOfMemory { bytes } => Failure::out_of_memory(place, bytes, purpose),
            error => Failure::data(place, error),
        }
    }

    /// Our own stdout that cannot be written.
    pub(super) fn stdout(error: &io::Error) -> Self {
        match error.kind() {
            io::ErrorKind::BrokenPipe => Failure { status: ExitStatus::ReaderGone, message: None },
            _ => Failure::io("stdout", error),
        }
    }
}

impl From<FileError> for Failure {
    fn from(error: FileError) -> Self {
        let status = match error.cause {
            Cause::Unusable(_) => ExitStatus::Data,
            Cause::Unreadable(_) => ExitStatus::Io,
            Cause::OutOfMemory { .. } => ExitStatus::OutOfMemory,
        };
        Failure::new(status, error)
    }
}

/// One line on stderr. A stderr that is closed or full leaves nobody to tell, and changes no exit status.
pub(super) fn say(name: &str, message: impl Display) {
    let _ = io::stderr().write_all(format!("{name}: {message}\n").as_bytes());
}
