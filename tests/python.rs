//! The Python package as pip installs it: its own tests, its types and its style.

use std::io::{self, Write};
use std::path::Path;
use std::process::{Command, Output};

use testing::process::succeed;
use testing::{root, venv};

const SCRATCH: &str = env!("CARGO_TARGET_TMPDIR");

/// Runs a module of the environment in the folder of the package. Nothing is left in there, and nothing but what was
/// installed is tested.
fn run_module(arguments: &[&str]) -> Output {
    let scratch = Path::new(SCRATCH);
    let mut command = Command::new(venv::python(SCRATCH));
    command.arg("-m").args(arguments);
    command.env("PYTHONDONTWRITEBYTECODE", "1").env("MYPY_CACHE_DIR", scratch.join("mypy"));
    command.env("HYPOTHESIS_STORAGE_DIRECTORY", scratch.join("hypothesis")).env("RUFF_NO_CACHE", "true");
    for variable in [
        "RECFACT_SERVER",
        "RECFACT_LIBRARY",
        "RECFACT_RANK",
        "RECFACT_SCALAPACK",
        "RECFACT_ISA",
        "RECFACT_NUM_THREADS",
        "PYTHONPATH",
    ] {
        command.env_remove(variable);
    }
    succeed(command.current_dir(root().join("clients/python")))
}

#[test]
fn the_tests_of_the_package_pass() {
    let run = run_module(&["pytest", "-p", "no:cacheprovider", "--tb=short", "-q"]);
    // Which instruction sets it has tested and what it has skipped is to be seen though all passed.
    let printed = String::from_utf8_lossy(&run.stdout);
    let told = printed.lines().filter(|line| line.starts_with("instruction sets: ") || line.starts_with("skipped "));
    let lines: String = told.map(|line| format!("Python: {line}\n")).collect();
    assert!(lines.contains("instruction sets: "), "{printed}");
    io::stderr().write_all(lines.as_bytes()).unwrap();
}

#[test]
fn the_package_is_typed() {
    run_module(&["mypy"]);
}

#[test]
fn the_package_is_formatted_and_has_no_lint() {
    run_module(&["ruff", "format", "--check"]);
    run_module(&["ruff", "check"]);
}
