//! The C library for tests that link or load it: built by the same cargo, as a user builds it.

use std::env;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::process::succeed;
use crate::root;

/// A folder with `librecfact.so` and `librecfact.a`. `scratch` is the test's `CARGO_TARGET_TMPDIR`.
///
/// # Panics
/// If the library cannot be built.
#[must_use]
pub fn folder(scratch: &str) -> PathBuf {
    build(target(scratch), "recfact-capi", &[])
}

/// The same with LAPACK's names.
///
/// # Panics
/// If the library cannot be built.
#[must_use]
pub fn folder_with_lapack(scratch: &str) -> PathBuf {
    build(&Path::new(scratch).join("lapack"), "recfact-capi", &["--features", "lapack"])
}

/// The target folder of this very run, which has most of what is built already.
pub(crate) fn target(scratch: &str) -> &Path {
    Path::new(scratch).parent().expect("a folder of the target folder")
}

/// Builds a package, and returns the folder with what came of it.
pub(crate) fn build(target: &Path, package: &str, features: &[&str]) -> PathBuf {
    let mut cargo = Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    cargo.current_dir(root()).args(["build", "--quiet", "--release", "--package", package]).args(features);
    succeed(cargo.arg("--target-dir").arg(target));
    target.join("release")
}
