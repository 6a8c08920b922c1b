//! The program of a rank, for tests with a launcher: built by the same cargo, as a user builds it.

use std::path::PathBuf;

use crate::c_library::{build, target};

/// `recfact_rank`. `scratch` is the test's `CARGO_TARGET_TMPDIR`.
///
/// # Panics
/// If it cannot be built.
#[must_use]
pub fn program(scratch: &str) -> PathBuf {
    build(target(scratch), "recfact-rank", &[]).join("recfact_rank")
}
