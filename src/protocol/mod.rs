//! The wire: the layout of requests and responses, and the reasons for which requests are refused.
//!
//! All integers are little-endian, and nothing is padded; `protocol.md` is the whole contract. This module turns bytes into
//! values and back. It knows no kernel, no descriptor and no stream.

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
pub use response::{INFO_BYTES, Response, check_ipiv, info_range, ipiv_wire_order};
