//! What the fuzz targets do with an input: one function for each, which panics if anything is wrong.
//!
//! The programs in `fuzz_targets/` call these functions with the inputs that libFuzzer makes up, and `tests/corpus.rs` of
//! the main package with the inputs in `corpus/`. So this is an ordinary crate for the stable compiler.

mod batch;
mod batch_answer;
mod files;
mod frame;
mod label;
mod line;
mod mapped;
mod request_head;
mod response;
mod session;
mod system;

use testing::version1 as model;

pub use files::{npy, text};
pub use frame::frame;
pub use label::label;
pub use line::line;
pub use request_head::request_head;
pub use response::response;
pub use session::session;

/// A fuzz target.
pub struct Target {
    /// The name of its function here, of its program in `fuzz_targets/` and of its folder in `corpus/`.
    pub name: &'static str,
    /// Panics if the input shows that something is wrong.
    pub check: fn(&[u8]),
}

/// Every target.
pub const TARGETS: [Target; 8] = [
    Target { name: "request_head", check: request_head },
    Target { name: "frame", check: frame },
    Target { name: "session", check: session },
    Target { name: "response", check: response },
    Target { name: "label", check: label },
    Target { name: "line", check: line },
    Target { name: "text", check: text },
    Target { name: "npy", check: npy },
];
