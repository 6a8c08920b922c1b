//! What the test programs of recfact share: an oracle, a model of a session, matrices, frames of the wire, shared memory,
//! child processes, what the tests need to be built.
//!
//! It does not depend on recfact: what the library is compared with, and what is said about this CPU, comes from here
//! independently. What only Cargo's test targets know (the executable, the folder for temporary files) is an argument.

#![warn(missing_docs)]

pub mod c_library;
pub mod exact;
pub mod frames;
mod image;
mod instruction_sets;
pub mod julia;
mod matrices;
pub mod memfd;
pub mod npy;
mod oracle;
pub mod process;
pub mod ranks;
pub mod session_model;
pub mod venv;
pub mod version1;
pub mod wire;

use std::path::Path;

pub use image::Image;
pub use instruction_sets::{INSTRUCTION_SETS, instruction_sets};
pub use matrices::{KINDS, Kind, Random, matrix};
pub use memfd::Memfd;
pub use oracle::{Float, Naive, bits, naive_lu, naive_solve, residual, residual_bound, rows};

/// The root of the project.
#[must_use]
pub fn root() -> &'static Path {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/.."))
}
