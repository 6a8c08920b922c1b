//! The wire: commands, frames, limits, and what its errors are called in an answer, on stderr and in an exit code.
//!
//! All integers are little-endian, nothing is padded; `protocol.md` is the whole contract. This module knows no
//! kernel and no file descriptor.

mod command;
mod fault;
mod frame;

pub use command::{Command, Precision};
pub use fault::{ExitStatus, Fault, SessionError};
pub use frame::{EXIT, HEADER_BYTES, INFO_BYTES, Shape, request_header};
