//! Julia, if the machine has it.

use std::env;
use std::path::Path;
use std::process::Command;

use crate::root;

/// A Julia that finds the package of `clients/julia`, and keeps what it compiles in the folder for temporary files; `None` where there
/// is no Julia, and then says what is not tested. It is the program that the environment variable `JULIA` names, or else `julia`.
pub fn julia(scratch: &str, what: &str) -> Option<Command> {
    let program = env::var_os("JULIA").filter(|program| !program.is_empty()).unwrap_or("julia".into());
    let has = Command::new(&program).arg("--version").output().is_ok_and(|output| output.status.success());
    if !has {
        eprintln!("NOT TESTED, there is no Julia in PATH or in JULIA: {what}");
        return None;
    }
    let mut julia = Command::new(program);
    julia.arg("--startup-file=no");
    for variable in ["RECFACT_SERVER", "RECFACT_LIBRARY", "RECFACT_ISA", "RECFACT_NUM_THREADS", "LD_LIBRARY_PATH"] {
        julia.env_remove(variable);
    }
    julia.env("JULIA_DEPOT_PATH", Path::new(scratch).join("julia"));
    // A path that ends in a colon goes on with Julia's own.
    julia.env("JULIA_LOAD_PATH", format!("{}:", root().join("clients/julia").display()));
    Some(julia)
}
