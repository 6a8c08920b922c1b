//! Why a request is refused, in words and as a code in the answer.

use std::fmt;

use super::command::Command;
use super::element::ElementType;

/// Why a request is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Refusal {
    /// A byte that is not a command.
    UnknownCommand(u8),
    /// A negative size, or a product of sizes that overflows.
    BadShape {
        /// Rows asked for.
        m: i64,
        /// Columns asked for.
        n: i64,
        /// The element type.
        element: ElementType,
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
}

/// The description of each code, from 1 on.
const DESCRIPTIONS: [&str; 4] = ["unknown command", "bad shape", "larger than the server's limit", "out of memory"];

impl Refusal {
    /// Its code, at least 1.
    #[must_use]
    pub fn code(&self) -> u8 {
        match self {
            Refusal::UnknownCommand(_) => 1,
            Refusal::BadShape { .. } => 2,
            Refusal::OverLimit { .. } => 3,
            Refusal::OutOfMemory { .. } => 4,
        }
    }

    /// The `info` that answers the request.
    #[must_use]
    pub fn info(&self) -> i64 {
        i64::MIN + i64::from(self.code())
    }
}

/// The code in an `info` that refuses a request; `None` for any other `info`.
#[must_use]
pub fn refusal_code(info: i64) -> Option<i64> {
    (info < -(1 << 62)).then(|| info - i64::MIN)
}

/// What the code of a refusal means.
#[must_use]
pub fn describe_refusal(code: i64) -> String {
    let description = usize::try_from(code).ok().and_then(|code| DESCRIPTIONS.get(code.checked_sub(1)?));
    description.map_or_else(|| format!("code {code}"), |description| (*description).to_owned())
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Refusal::UnknownCommand(byte) => {
                let last = Command::NAMES.len() - 1;
                write!(f, "expected a command, 0x00 to 0x{last:02x} or 0xff to exit, got 0x{byte:02x}")
            }
            Refusal::BadShape { m, n, element } => {
                write!(f, "expected m >= 0 and n >= 0 with m*n*{} below 2^63, got m = {m}, n = {n}", element.bytes())
            }
            Refusal::OverLimit { m, n, bytes, max_bytes } => write!(
                f,
                "expected a matrix of at most {max_bytes} bytes, got {m} x {n} of {bytes} bytes; --max-bytes sets the limit"
            ),
            Refusal::OutOfMemory { bytes } => {
                write!(f, "expected {bytes} bytes of memory for the matrix, got none from the system")
            }
        }
    }
}

impl std::error::Error for Refusal {}
