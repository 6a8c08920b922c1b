//! What the command line asked of clap: help, the version, or the words for a mistake.

use std::io::Write;

use clap::Error;

use super::exit::ExitStatus;
use super::{Failure, stdout};

/// Prints help or the version; a mistake is a failure.
pub(super) fn answer(error: &Error, speaker: &str) -> Result<(), Failure> {
    let text = error.render().to_string();
    if error.use_stderr() {
        let (mistake, advice) = (in_a_line(&text), format!("{speaker} --help shows what there is"));
        return Err(Failure::new(ExitStatus::Usage, format_args!("{mistake}; {advice}")));
    }
    let mut out = stdout::open()?;
    out.write_all(text.as_bytes()).and_then(|()| out.flush()).map_err(|error| Failure::stdout(&error))
}

/// What clap says of a mistake, in one line as every other error: a parent that reads the last line finds the reason.
fn in_a_line(message: &str) -> String {
    let said = message.lines().take_while(|line| !line.starts_with("Usage:") && !line.starts_with("For more"));
    let parts = said.map(|line| line.trim().trim_start_matches("error: ").trim_start_matches("tip: "));
    let parts: Vec<&str> = parts.filter(|part| !part.is_empty()).collect();
    parts.join("; ").replace(":; ", ": ")
}
