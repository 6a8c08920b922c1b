//! The executable `recfact_server`.

use std::process::ExitCode;

/// The C library calls what this section lists before `main`, and so before Rust's runtime starts. (It stands here, and
/// not in the crate's library, so that no program that links the library calls it.)
#[used]
#[unsafe(link_section = ".init_array")]
static BEFORE_MAIN: extern "C" fn() = recfact::cli::before_main;

fn main() -> ExitCode {
    ExitCode::from(recfact::cli::main().code())
}
