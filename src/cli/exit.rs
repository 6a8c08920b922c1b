//! How the executable ends. The one table of exit statuses.

use crate::protocol::Refusal;
use crate::server::Cause;

/// An exit status.
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
    /// The system refused memory.
    OutOfMemory = 4,
    /// The input ended inside a header.
    EndInHeader = 5,
    /// The input ended inside a matrix or a payload.
    EndInMatrix = 6,
    /// Reading the input failed.
    Unreadable = 7,
    /// Nobody reads the responses any more.
    ReaderGone = 8,
    /// Writing a response failed otherwise.
    Unwritable = 9,
    /// A payload that is too long to be skipped.
    PayloadTooLong = 10,
    /// The command line or the environment was not understood (sysexits: `EX_USAGE`).
    Usage = 64,
    /// `encode`, `decode`, `solve`, `factor` or `demo` met data that it cannot use (sysexits: `EX_DATAERR`).
    Data = 65,
    /// The ranks of a launcher could not do their job (sysexits: `EX_UNAVAILABLE`).
    Engine = 69,
    /// `encode`, `decode`, `solve`, `factor` or `demo` could not read or write a file or a pipe (sysexits: `EX_IOERR`).
    Io = 74,
}

impl ExitStatus {
    /// Every status.
    pub const ALL: [ExitStatus; 15] = [
        ExitStatus::Success,
        ExitStatus::UnknownCommand,
        ExitStatus::BadShape,
        ExitStatus::OverLimit,
        ExitStatus::OutOfMemory,
        ExitStatus::EndInHeader,
        ExitStatus::EndInMatrix,
        ExitStatus::Unreadable,
        ExitStatus::ReaderGone,
        ExitStatus::Unwritable,
        ExitStatus::PayloadTooLong,
        ExitStatus::Usage,
        ExitStatus::Data,
        ExitStatus::Engine,
        ExitStatus::Io,
    ];

    /// The number that the parent process sees.
    #[must_use]
    pub fn code(self) -> u8 {
        self as u8
    }
}

impl From<&Cause> for ExitStatus {
    fn from(cause: &Cause) -> Self {
        match cause {
            // The code of a refusal that ends a session is the exit status, too.
            Cause::Refused(Refusal::UnknownCommand(_)) => ExitStatus::UnknownCommand,
            Cause::Refused(Refusal::BadShape { .. }) => ExitStatus::BadShape,
            Cause::Refused(Refusal::OverLimit { .. }) => ExitStatus::OverLimit,
            Cause::Refused(Refusal::OutOfMemory { .. }) => ExitStatus::OutOfMemory,
            // After any other the session goes on.
            Cause::Refused(_) => ExitStatus::PayloadTooLong,
            Cause::EndInHead { .. } => ExitStatus::EndInHeader,
            Cause::EndInMatrix { .. } | Cause::EndInPayload { .. } => ExitStatus::EndInMatrix,
            Cause::Unreadable(_) => ExitStatus::Unreadable,
            Cause::ReaderGone => ExitStatus::ReaderGone,
            Cause::Unwritable(_) => ExitStatus::Unwritable,
            // After this one a session goes on, too.
            Cause::Engine { .. } => ExitStatus::Engine,
            Cause::Library(_) => ExitStatus::Usage,
        }
    }
}
