//! What ends a session before its input ends.

use std::fmt;
use std::io;

use crate::error::Error;
use crate::protocol::Refusal;

/// Why a session could not go on.
#[derive(Debug)]
#[non_exhaustive]
pub enum Cause {
    /// A request was refused, and the next one cannot be found.
    Refused(Refusal),
    /// The input ended inside the head of a request.
    EndInHead {
        /// Its bytes.
        expected: usize,
        /// What they are.
        fields: &'static str,
        /// Bytes of it that were read.
        got: usize,
    },
    /// The input ended inside the payload of an extended frame.
    EndInPayload {
        /// Bytes announced.
        expected: u64,
        /// Bytes of it that were read.
        got: u64,
    },
    /// The input ended inside a matrix.
    EndInMatrix {
        /// Rows announced.
        m: usize,
        /// Columns announced.
        n: usize,
        /// Bytes of the matrix.
        expected: usize,
        /// Bytes of it that were read.
        got: usize,
    },
    /// Reading the input failed.
    Unreadable(io::Error),
    /// The reader of the responses has closed its end.
    ReaderGone,
    /// Writing a response failed for another reason.
    Unwritable(io::Error),
    /// The engine for files could not do what a request asked for.
    Engine {
        /// The code of the answer.
        code: u8,
        /// Its words.
        text: String,
    },
    /// The library cannot compute: `RECFACT_ISA` is not an instruction set of this CPU.
    Library(Error),
}

impl From<Refusal> for Cause {
    fn from(refusal: Refusal) -> Self {
        Cause::Refused(refusal)
    }
}

impl From<Error> for Cause {
    fn from(error: Error) -> Self {
        match error {
            Error::NotFinite => Refusal::NotFinite.into(),
            Error::Cancelled => Refusal::Cancelled.into(),
            Error::OutOfMemory { bytes } => Refusal::OutOfMemory { bytes }.into(),
            error => Cause::Library(error),
        }
    }
}

impl fmt::Display for Cause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Cause::Refused(refusal) => refusal.fmt(f),
            Cause::EndInHead { expected, fields, got } => {
                write!(f, "expected a header of {expected} bytes ({fields}), got end of input after {got}")
            }
            Cause::EndInPayload { expected, got } => {
                write!(f, "expected a payload of {expected} bytes, got end of input after {got}")
            }
            Cause::EndInMatrix { m, n, expected, got } => {
                write!(f, "expected {expected} bytes of the {m} x {n} matrix, got end of input after {got}")
            }
            Cause::Unreadable(error) => write!(f, "expected to read the input, got: {error}"),
            Cause::ReaderGone => write!(f, "expected a reader of the responses, but it is gone"),
            Cause::Unwritable(error) => write!(f, "expected to write the response, got: {error}"),
            Cause::Engine { text, .. } => f.write_str(text),
            Cause::Library(error) => error.fmt(f),
        }
    }
}

/// Why a session ended early, and where in the input.
#[derive(Debug)]
pub struct SessionError {
    /// The request, counted from 1; a label belongs to the request that it announces.
    pub request: u64,
    /// Bytes of input before the error.
    pub byte: u64,
    /// Why.
    pub cause: Cause,
}

impl fmt::Display for SessionError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.cause {
            // This is not the fault of a request.
            Cause::Library(error) => error.fmt(f),
            _ => write!(f, "request {} at byte {}: {}", self.request, self.byte, self.cause),
        }
    }
}

impl std::error::Error for SessionError {}
