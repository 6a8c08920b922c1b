//! The wire: the layout of requests and responses, and the reasons for which requests are refused.
//!
//! All integers are little-endian, and nothing is padded; `protocol.md` is the whole contract. This module turns bytes into
//! values and back. It knows no kernel, no descriptor and no stream.

mod batch;
mod batch_operand;
mod command;
mod element;
mod extended;
mod factored;
mod factorization;
mod files;
mod files_kind;
mod flags;
mod hello;
pub mod label;
mod mapping;
mod operand;
mod optional;
mod problem;
mod refusal;
mod request;
mod response;
mod system;
mod system_answer;
mod system_operand;

pub use batch::{BATCH_BYTES, BatchRequest};
pub use batch_operand::{BatchKind, BatchOperand, Role};
pub use command::{Command, FrameCommand};
pub use element::{ElementType, WireElement};
pub use extended::{
    ANSWER_HEAD_BYTES, FRAME_HEAD_BYTES, answer_head, is_frame, max_payload, parse_answer_head, payload_length,
};
pub use factored::{FACTORED_BYTES, Factored};
pub use factorization::{FACTOR_BYTES, FactorRequest};
pub use files::{FILES_ANSWER_BYTES, FILES_BYTES, FilesAnswer, FilesRequest, MAX_NAME_BYTES};
pub use files_kind::FilesKind;
pub use hello::{HELLO_BYTES, PROTOCOL_VERSION, WELCOME_BYTES, Welcome};
pub use mapping::{MAP_BYTES, MapRequest, Owner, SEGMENT_BYTES};
pub use operand::{Extent, OPERAND_BYTES, Place};
pub use problem::Problem;
pub use refusal::{ENGINE_FAILED, OUT_OF_MEMORY, Refusal, UNUSABLE_FILE, describe_refusal, refusal_code};
pub use request::{EXIT, HEAD_BYTES, Head, Shape};
pub use response::{INFO_BYTES, Response, check_ipiv, info_range, ipiv_wire_order};
pub use system::{ACCURACY_BYTES, Factors, SYSTEM_BYTES, SystemRequest};
pub use system_answer::{ANSWER_BYTES, SystemAnswer};
pub use system_operand::{SystemKind, SystemOperand};
