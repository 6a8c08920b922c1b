//! The executable `recfact_server`.

use std::process::ExitCode;

fn main() -> ExitCode {
    ExitCode::from(recfact::cli::main().code())
}
