//! The wire: what the bytes of requests and responses mean, and in what words requests are refused.
//!
//! All integers are little-endian, nothing is padded; `protocol.md` is the whole contract. This module knows no kernel, no
//! descriptor and no stream: it turns bytes into values and back.

mod command;
mod element;
pub mod label;
mod refusal;
mod request;
mod response;

pub use command::Command;
pub use element::{ElementType, WireElement};
pub use refusal::{Refusal, describe_refusal, refusal_code};
pub use request::{EXIT, HEAD_BYTES, Head, Shape};
pub use response::{INFO_BYTES, Response, check_info, check_ipiv, ipiv_wire_order};
