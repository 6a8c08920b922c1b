//! The C library for tests that link or load it: built by the same cargo, as a user builds it.
#![allow(dead_code)] // each test program uses a part of it

use std::env;
use std::path::PathBuf;
use std::process::Command;

/// A folder with `librecfact.so` and `librecfact.a`.
pub fn folder() -> PathBuf {
    // The target folder of this very run, which has most of it already.
    let target = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).parent().expect("target/tmp").to_path_buf();
    build(target, &[])
}

/// The same with LAPACK's names.
pub fn folder_with_lapack() -> PathBuf {
    build(PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("lapack"), &["--features", "lapack"])
}

fn build(target: PathBuf, features: &[&str]) -> PathBuf {
    let mut cargo = Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    cargo.current_dir(env!("CARGO_MANIFEST_DIR"));
    cargo.args(["build", "--quiet", "--release", "--package", "recfact-capi"]).args(features);
    let built = cargo.arg("--target-dir").arg(&target).output().expect("cargo is here: it runs this test");
    assert!(built.status.success(), "{cargo:?}\n{}", String::from_utf8_lossy(&built.stderr));
    target.join("release")
}
