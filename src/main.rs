//! The executable `recfact_server`: flags, subcommands and exit codes. The only place that knows it is stdin and
//! stdout.

mod cli;

use std::process::ExitCode;

fn main() -> ExitCode {
    let outcome = match cli::parse() {
        Ok(cli) => cli.run(),
        Err(status) => return ExitCode::from(status.code()),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            if let Some(message) = &failure.message {
                cli::say(message);
            }
            ExitCode::from(failure.status.code())
        }
    }
}
