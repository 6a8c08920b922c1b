//! What the command line asked of clap: help, the version, or the words for a mistake.

use std::io::Write;
use std::path::Path;

use clap::Error;
use clap::error::{ContextKind, ContextValue};

use super::exit::ExitStatus;
use super::{EXECUTABLE, Failure, stdout};

/// Ends of the names of files that `encode` reads.
const EXTENSIONS: [&str; 3] = ["csv", "npy", "txt"];

/// Prints help or the version; a mistake is a failure.
pub(super) fn answer(error: &Error, speaker: &str) -> Result<(), Failure> {
    let text = error.render().to_string();
    if error.use_stderr() {
        let (mistake, advice) = (in_a_line(&text), advice(error, speaker));
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

/// What to do after a mistake. The server takes no files, but who names one wants it factored.
fn advice(error: &Error, speaker: &str) -> String {
    let argument = [ContextKind::InvalidArg, ContextKind::InvalidSubcommand].into_iter().find_map(|kind| {
        match error.get(kind)? {
            ContextValue::String(argument) => Some(argument),
            _ => None,
        }
    });
    match argument {
        Some(file) if speaker == EXECUTABLE && is_file_name(file) => {
            let file = shell_word(file);
            format!("to factor a file: {EXECUTABLE} encode {file} | {EXECUTABLE} | {EXECUTABLE} decode")
        }
        _ => format!("{speaker} --help shows what there is"),
    }
}

/// Whether an argument is a file, or was meant to be one.
fn is_file_name(argument: &str) -> bool {
    let path = Path::new(argument);
    let is_known = path.extension().is_some_and(|extension| EXTENSIONS.iter().any(|known| extension == *known));
    !argument.starts_with('-') && !argument.contains(char::is_control) && (is_known || path.is_file())
}

/// An argument as a shell takes it.
fn shell_word(argument: &str) -> String {
    if argument.chars().all(|c| c.is_alphanumeric() || "._-+/,:@%".contains(c)) {
        argument.to_owned()
    } else {
        format!("'{}'", argument.replace('\'', r"'\''"))
    }
}
