//! Why a request is refused, in words and as a code in the answer.

use std::fmt;
use std::io;

use super::command::{Command, FrameCommand};
use super::element::ElementType;
use super::problem::Problem;

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
    /// A negative size of a batch, or bytes that overflow.
    BatchShape {
        /// Matrices, rows, columns, columns of right-hand sides.
        sizes: [i64; 4],
    },
    /// Matrices that must be square.
    NotSquare {
        /// Rows asked for.
        m: usize,
        /// Columns asked for.
        n: usize,
    },
    /// A batch larger than the limit.
    BatchOverLimit {
        /// Matrices, rows, columns, columns of right-hand sides.
        sizes: [i64; 4],
        /// Bytes of all operands.
        bytes: u64,
        /// The limit in force, in bytes.
        max_bytes: u64,
    },
    /// The system refused memory.
    OutOfMemory {
        /// Bytes asked for.
        bytes: usize,
    },
    /// A byte that is no extended frame of this server.
    UnknownFrame(u8),
    /// A payload that is too long to be skipped.
    PayloadTooLong {
        /// Its length.
        length: u64,
        /// The longest one that is read.
        max: u64,
    },
    /// A PING that is longer than the limit.
    PingTooLong {
        /// The length of its payload.
        length: u64,
        /// The limit in force, in bytes.
        max: u64,
    },
    /// A payload of another length than its command, or its fixed part, says.
    Length {
        /// The right length.
        expected: u64,
        /// The length of the payload.
        got: u64,
    },
    /// Bits that the command does not define.
    Undefined {
        /// The field.
        field: &'static str,
        /// Those of its bits.
        bits: u32,
    },
    /// A number that a field cannot have.
    Field {
        /// The field.
        field: &'static str,
        /// What it may have.
        expected: &'static str,
        /// What it has.
        got: i64,
    },
    /// More rows than a 32-bit `ipiv` can name.
    NarrowIpiv {
        /// Rows asked for.
        m: usize,
    },
    /// An operand that is not where its description says.
    Operand {
        /// Which one.
        name: &'static str,
        /// What is wrong with it.
        problem: Problem,
    },
    /// A segment that is not mapped.
    NoSegment(u32),
    /// More segments than a session may have.
    TooManySegments {
        /// How many it may have.
        max: usize,
    },
    /// More bytes in segments than a session may have.
    SegmentsTooLarge {
        /// Bytes of all segments together.
        bytes: u64,
        /// How many it may have.
        max: u64,
    },
    /// Memory that cannot be mapped.
    Unmappable {
        /// What was expected of the descriptor.
        expected: &'static str,
        /// The error number of the system, if that refused it.
        os_error: Option<i32>,
    },
    /// Somebody has cancelled the computation.
    Cancelled,
    /// A NaN or an infinity in a matrix that must be finite.
    NotFinite,
    /// A handle under which nothing is kept.
    NoFactors(u32),
    /// Kept factors of another kind than the request says.
    OtherFactors {
        /// The handle.
        handle: u32,
        /// Their order.
        n: usize,
        /// The type of their elements.
        element: ElementType,
        /// Whether A is kept with them.
        with_a: bool,
    },
    /// No room for factors that are to be kept.
    KeepOverLimit {
        /// Bytes that these would take.
        bytes: u64,
        /// Bytes that are kept.
        kept: u64,
        /// How many may be kept.
        max: u64,
    },
    /// Matrices in files, and no engine for them.
    NoEngine,
}

/// The description of each code, from 1 on.
const DESCRIPTIONS: [&str; 15] = [
    "unknown command",
    "bad shape",
    "larger than the server's limit",
    "out of memory",
    "cancelled",
    "malformed payload",
    "bad operand",
    "bad segment",
    "not finite",
    "payload too long",
    "no such factors",
    "no room to keep factors",
    "no engine for files",
    "the engine failed",
    "a file cannot be used",
];

/// The code for want of memory.
pub const OUT_OF_MEMORY: u8 = 4;

/// The code for an engine that has failed; its words are the engine's.
pub const ENGINE_FAILED: u8 = 14;

/// The code for a file that an engine cannot use.
pub const UNUSABLE_FILE: u8 = 15;

impl Refusal {
    /// Its code, at least 1.
    #[must_use]
    pub fn code(&self) -> u8 {
        match self {
            Refusal::UnknownCommand(_) | Refusal::UnknownFrame(_) => 1,
            Refusal::BadShape { .. }
            | Refusal::BatchShape { .. }
            | Refusal::NotSquare { .. }
            | Refusal::NarrowIpiv { .. } => 2,
            Refusal::OverLimit { .. }
            | Refusal::BatchOverLimit { .. }
            | Refusal::PingTooLong { .. }
            | Refusal::SegmentsTooLarge { .. } => 3,
            Refusal::OutOfMemory { .. } => OUT_OF_MEMORY,
            Refusal::Cancelled => 5,
            Refusal::Length { .. } | Refusal::Undefined { .. } | Refusal::Field { .. } => 6,
            Refusal::Operand { .. } => 7,
            Refusal::NoSegment(_) | Refusal::TooManySegments { .. } | Refusal::Unmappable { .. } => 8,
            Refusal::NotFinite => 9,
            Refusal::PayloadTooLong { .. } => 10,
            Refusal::NoFactors(_) | Refusal::OtherFactors { .. } => 11,
            Refusal::KeepOverLimit { .. } => 12,
            Refusal::NoEngine => 13,
        }
    }

    /// The status that answers an extended frame.
    #[must_use]
    pub fn status(&self) -> i64 {
        -i64::from(self.code())
    }

    /// The `info` that answers a request of version 1.
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

impl Refusal {
    /// The words of a refusal of sizes.
    fn write_sizes(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Refusal::BadShape { m, n, element } => {
                write!(f, "expected m >= 0 and n >= 0 with m*n*{} below 2^63, got m = {m}, n = {n}", element.bytes())
            }
            Refusal::OverLimit { m, n, bytes, max_bytes } => write!(
                f,
                "expected a matrix of at most {max_bytes} bytes, got {m} x {n} of {bytes} bytes; --max-bytes sets the limit"
            ),
            Refusal::BatchShape { sizes: [count, m, n, nrhs] } => write!(
                f,
                "expected count, m, n and nrhs of at least 0, with all operands below 2^63 bytes, got count = {count}, m = {m}, n = {n}, nrhs = {nrhs}"
            ),
            Refusal::NotSquare { m, n } => write!(f, "expected square matrices, got m = {m}, n = {n}"),
            Refusal::BatchOverLimit { sizes: [count, m, n, nrhs], bytes, max_bytes } => write!(
                f,
                "expected operands of at most {max_bytes} bytes together, got {bytes} for count = {count}, m = {m}, n = {n}, nrhs = {nrhs}; --max-bytes sets the limit"
            ),
            Refusal::NarrowIpiv { m } => {
                write!(f, "expected m below 2^31 for an ipiv of 32 bits, got m = {m}")
            }
            _ => Ok(()),
        }
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Refusal::BadShape { .. }
            | Refusal::OverLimit { .. }
            | Refusal::BatchShape { .. }
            | Refusal::NotSquare { .. }
            | Refusal::BatchOverLimit { .. }
            | Refusal::NarrowIpiv { .. } => self.write_sizes(f),
            Refusal::UnknownCommand(byte) => {
                let last = Command::NAMES.len() - 1;
                write!(
                    f,
                    "expected a command, 0x00 to 0x{last:02x}, an extended frame from 0x10 on, or 0xff to exit, got 0x{byte:02x}"
                )
            }
            Refusal::OutOfMemory { bytes } => {
                write!(f, "expected {bytes} bytes of memory for the matrix, got none from the system")
            }
            Refusal::UnknownFrame(byte) => {
                write!(f, "expected a command of this server (")?;
                for (at, known) in FrameCommand::ALL.iter().enumerate() {
                    write!(f, "{}0x{:02x}", if at == 0 { "" } else { ", " }, known.byte())?;
                }
                write!(f, "), got 0x{byte:02x}")
            }
            Refusal::PingTooLong { length, max } | Refusal::PayloadTooLong { length, max } => {
                write!(f, "expected a payload of at most {max} bytes, got one of {length}")
            }
            Refusal::Length { expected, got } => write!(f, "expected a payload of {expected} bytes, got {got}"),
            Refusal::Undefined { field, bits } => {
                write!(f, "expected only defined bits in {field}, got {bits:#x} as well")
            }
            Refusal::Field { field, expected, got } => write!(f, "expected {field} to be {expected}, got {got}"),
            Refusal::Operand { name, problem } => write!(f, "{name}: {problem}"),
            Refusal::NoSegment(segment) => write!(f, "expected the number of a segment, got {segment}"),
            Refusal::TooManySegments { max } => {
                write!(f, "expected at most {max} segments, got another; UNMAP one first")
            }
            Refusal::SegmentsTooLarge { bytes, max } => {
                write!(f, "expected segments of at most {max} bytes together, got {bytes}; --max-bytes sets the limit")
            }
            Refusal::Unmappable { expected, os_error: None } => write!(f, "expected {expected}"),
            Refusal::Unmappable { expected, os_error: Some(error) } => {
                write!(f, "expected {expected}, got: {}", io::Error::from_raw_os_error(*error))
            }
            Refusal::Cancelled => write!(f, "expected to finish, but the computation was cancelled"),
            Refusal::NotFinite => write!(f, "expected a matrix of finite numbers, got a NaN or an infinity"),
            Refusal::NoFactors(handle) => {
                write!(f, "expected the handle of factors that are kept, got {handle}; KEEP them first")
            }
            Refusal::OtherFactors { handle, n, element, with_a } => {
                let name = element.name();
                let with_a = if *with_a { "with A" } else { "without A, so that solutions cannot be refined" };
                write!(
                    f,
                    "expected a request that fits the factors {handle}, which are {name} of order {n}, kept {with_a}"
                )
            }
            Refusal::NoEngine => write!(
                f,
                "expected a server with an engine for files, got one without; whoever starts it gives the engine: serve --launcher \"mpirun -n 4\""
            ),
            Refusal::KeepOverLimit { bytes, kept, max } => write!(
                f,
                "expected factors of at most {max} bytes together, got {bytes} beside {kept} that are kept; RELEASE some first; --keep-bytes sets the limit"
            ),
        }
    }
}

impl std::error::Error for Refusal {}
