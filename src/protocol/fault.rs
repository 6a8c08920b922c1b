//! What can go wrong in a session: in words, as a number in the answer, and as an exit status.

use std::fmt;
use std::io;

use super::command::{Command, Precision};
use super::frame::HEADER_BYTES;

/// How the executable ends. The one table of exit statuses.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub enum ExitStatus {
    /// The session ended well, or the command did what it was asked.
    Success = 0,
    /// A byte that is no command.
    UnknownCommand = 1,
    /// A negative size, or a product of sizes that overflows.
    BadShape = 2,
    /// A matrix larger than the limit.
    OverLimit = 3,
    /// The system has not enough memory.
    OutOfMemory = 4,
    /// The input ended inside a header.
    EndInHeader = 5,
    /// The input ended inside a matrix.
    EndInMatrix = 6,
    /// Reading the input failed.
    Unreadable = 7,
    /// Nobody reads the responses any more.
    ReaderGone = 8,
    /// Writing a response failed otherwise.
    Unwritable = 9,
    /// The command line was not understood (sysexits: `EX_USAGE`).
    Usage = 64,
    /// `encode`, `decode` or `demo` met data that it cannot use (sysexits: `EX_DATAERR`).
    Data = 65,
    /// `encode`, `decode` or `demo` could not read or write a file or a pipe (sysexits: `EX_IOERR`).
    Io = 74,
}

impl ExitStatus {
    /// The number that the parent process sees.
    #[must_use]
    pub fn code(self) -> u8 {
        self as u8
    }
}

/// Why a session could not go on.
#[derive(Debug)]
pub enum Fault {
    /// A byte that is no command.
    UnknownCommand(u8),
    /// A negative size, or a product of sizes that overflows.
    BadShape {
        /// Rows asked for.
        m: i64,
        /// Columns asked for.
        n: i64,
        /// The element type.
        precision: Precision,
    },
    /// A matrix larger than the limit.
    OverLimit {
        /// Rows asked for.
        m: i64,
        /// Columns asked for.
        n: i64,
        /// Bytes of the matrix.
        bytes: u64,
        /// The limit in force, in bytes.
        max_bytes: u64,
    },
    /// The system refused memory.
    OutOfMemory {
        /// Bytes asked for.
        bytes: usize,
    },
    /// The input ended inside a header.
    EndInHeader {
        /// Bytes of it that came.
        got: usize,
    },
    /// The input ended inside a matrix.
    EndInMatrix {
        /// Rows announced.
        m: usize,
        /// Columns announced.
        n: usize,
        /// Bytes of the matrix.
        expected: usize,
        /// Bytes of it that came.
        got: usize,
    },
    /// Reading the input failed.
    Unreadable(io::Error),
    /// Nobody reads the responses any more.
    ReaderGone,
    /// Writing a response failed otherwise.
    Unwritable(io::Error),
}

impl Fault {
    /// How the process ends.
    #[must_use]
    pub fn exit_status(&self) -> ExitStatus {
        match self {
            Fault::UnknownCommand(_) => ExitStatus::UnknownCommand,
            Fault::BadShape { .. } => ExitStatus::BadShape,
            Fault::OverLimit { .. } => ExitStatus::OverLimit,
            Fault::OutOfMemory { .. } => ExitStatus::OutOfMemory,
            Fault::EndInHeader { .. } => ExitStatus::EndInHeader,
            Fault::EndInMatrix { .. } => ExitStatus::EndInMatrix,
            Fault::Unreadable(_) => ExitStatus::Unreadable,
            Fault::ReaderGone => ExitStatus::ReaderGone,
            Fault::Unwritable(_) => ExitStatus::Unwritable,
        }
    }

    /// The `info` that answers a refused request, `i64::MIN` plus the exit status; `None` where no request was
    /// refused, so that there is nothing to answer.
    #[must_use]
    pub fn answer(&self) -> Option<i64> {
        match self.exit_status() {
            status @ (ExitStatus::UnknownCommand
            | ExitStatus::BadShape
            | ExitStatus::OverLimit
            | ExitStatus::OutOfMemory) => Some(i64::MIN + i64::from(status.code())),
            _ => None,
        }
    }

    /// The code in an `info` that refuses a request, which is the exit status of the server, too; `None` for any
    /// other `info`.
    #[must_use]
    pub fn refusal(info: i64) -> Option<i64> {
        (info < -(1 << 62)).then(|| info - i64::MIN)
    }

    /// What an `info` says that refuses a request; `None` for any other.
    #[must_use]
    pub fn describe_answer(info: i64) -> Option<String> {
        Some(match Fault::refusal(info)? {
            1 => "unknown command".into(),
            2 => "bad shape".into(),
            3 => "larger than the server's limit".into(),
            4 => "out of memory".into(),
            code => format!("code {code}"),
        })
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Fault::UnknownCommand(byte) => {
                write!(
                    f,
                    "expected a command, 0x00 to 0x{:02x} or 0xff to exit, got 0x{byte:02x}",
                    Command::NAMES.len() - 1
                )
            }
            Fault::BadShape { m, n, precision } => {
                write!(f, "expected m >= 0 and n >= 0 with m*n*{} below 2^63, got m = {m}, n = {n}", precision.bytes())
            }
            Fault::OverLimit { m, n, bytes, max_bytes } => write!(
                f,
                "expected a matrix of at most {max_bytes} bytes, got {m} x {n} of {bytes} bytes; --max-bytes sets the limit"
            ),
            Fault::OutOfMemory { bytes } => {
                write!(f, "expected {bytes} bytes of memory for the matrix, got none from the system")
            }
            Fault::EndInHeader { got } => {
                write!(f, "expected a header of {HEADER_BYTES} bytes (command, m, n), got end of input after {got}")
            }
            Fault::EndInMatrix { m, n, expected, got } => {
                write!(f, "expected {expected} bytes of the {m} x {n} matrix, got end of input after {got}")
            }
            Fault::Unreadable(error) => write!(f, "expected to read the input, got: {error}"),
            Fault::ReaderGone => write!(f, "expected a reader of the responses, but it is gone"),
            Fault::Unwritable(error) => write!(f, "expected to write the response, got: {error}"),
        }
    }
}

/// A fault and where in the input it was found.
#[derive(Debug)]
pub struct SessionError {
    /// The request, counted from 1.
    pub request: u64,
    /// Bytes of input before the place of the fault.
    pub byte: u64,
    /// What is wrong.
    pub fault: Fault,
}

impl fmt::Display for SessionError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "request {} at byte {}: {}", self.request, self.byte, self.fault)
    }
}

impl std::error::Error for SessionError {}
