//! Why a file cannot be used.

use std::fmt;
use std::io;

/// Why a file cannot be used: one line, `place: cause`.
#[derive(Debug)]
pub struct FileError {
    /// The file, and where in it.
    pub place: String,
    /// What is wrong there.
    pub cause: Cause,
}

/// What is wrong with a file.
#[derive(Debug)]
pub enum Cause {
    /// It holds something else: what was expected, and what came.
    Unusable(String),
    /// It cannot be read.
    Unreadable(io::Error),
    /// The system refused memory for its matrix.
    OutOfMemory {
        /// Bytes needed.
        bytes: usize,
    },
}

impl FileError {
    /// A file that holds something else.
    pub(super) fn unusable(place: impl ToString, message: impl ToString) -> Self {
        FileError { place: place.to_string(), cause: Cause::Unusable(message.to_string()) }
    }

    /// A file that cannot be read.
    pub(super) fn unreadable(place: impl ToString, error: io::Error) -> Self {
        FileError { place: place.to_string(), cause: Cause::Unreadable(error) }
    }

    /// A matrix too large for the memory.
    pub(super) fn out_of_memory(place: impl ToString, bytes: usize) -> Self {
        FileError { place: place.to_string(), cause: Cause::OutOfMemory { bytes } }
    }
}

impl fmt::Display for FileError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: ", self.place)?;
        match &self.cause {
            Cause::Unusable(message) => f.write_str(message),
            Cause::Unreadable(error) => error.fmt(f),
            Cause::OutOfMemory { bytes } => {
                write!(f, "expected {bytes} bytes of memory for the matrix, got none from the system")
            }
        }
    }
}

impl std::error::Error for FileError {}

/// The beginning of what stands in a file, for a message: in quotes, control characters made visible.
pub(super) fn quote(text: &str) -> String {
    const LONGEST: usize = 40;
    let visible = |c: char| if c.is_control() { c.escape_debug().collect() } else { String::from(c) };
    let start: String = text.chars().take(LONGEST).map(visible).collect();
    let more = if text.chars().nth(LONGEST).is_some() { ".." } else { "" };
    format!("\"{start}{more}\"")
}
