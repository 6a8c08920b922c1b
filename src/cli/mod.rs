//! What a person at a shell uses: the command line and one file for each subcommand.

mod decode;
mod demo;
mod encode;
mod exit;
mod hexdump;
mod serve;

use std::fmt::Display;
use std::io::{self, Write};

use crate::files::FileError;
use crate::kernel::Isa;
use crate::protocol::Command;
use clap::{Parser, Subcommand};
pub use exit::ExitStatus;

const EXAMPLES: &str = "\
Examples:
  recfact_server demo
      factor a small matrix through a real pipe, and show every byte
  recfact_server encode a.csv | recfact_server | recfact_server decode
      factor the matrix in a.csv and print L, U and the row swaps
  recfact_server encode --cmd f32 a.npy b.npy | recfact_server | recfact_server decode --npy out
      factor two matrices in single precision and save the factors in out/
  recfact_server serve --max-bytes 8GiB
      serve matrices of up to 8 GiB on stdin and stdout

A program starts `recfact_server` as a child and talks to it over pipes; protocol.md has every byte.";

/// Dense LU factorization with partial pivoting, over pipes.
///
/// Without a subcommand it serves: requests on stdin, responses on stdout, until stdin ends.
#[derive(Debug, Parser)]
#[command(name = "recfact_server", version = version(), after_help = EXAMPLES, args_conflicts_with_subcommands = true)]
struct Cli {
    #[command(flatten)]
    serve: serve::Args,
    #[command(subcommand)]
    command: Option<Subcommands>,
}

#[derive(Debug, Subcommand)]
enum Subcommands {
    /// Serve requests on stdin with responses on stdout (the default)
    Serve(serve::Args),
    /// Turn matrices in files into requests on stdout
    Encode(encode::Args),
    /// Turn responses on stdin into readable text or .npy files
    Decode(decode::Args),
    /// Factor a small matrix through a pipe and show every byte
    Demo,
}

/// Why a command ends with another status than 0, and the line that says so on stderr.
#[derive(Debug)]
struct Failure {
    status: ExitStatus,
    /// `None` where the end is quiet: the reader of our output has gone.
    message: Option<String>,
}

impl Failure {
    fn new(status: ExitStatus, message: impl Display) -> Self {
        Failure { status, message: Some(message.to_string()) }
    }

    /// Data that cannot be used; `place` is a file with line and column, or a byte of a stream.
    fn data(place: impl Display, message: impl Display) -> Self {
        Failure::new(ExitStatus::Data, format_args!("{place}: {message}"))
    }

    /// A file that cannot be used.
    fn file(error: FileError) -> Self {
        Failure::data(error.place, error.message)
    }

    /// A file or a pipe that cannot be read or written.
    fn io(place: impl Display, error: &io::Error) -> Self {
        Failure::new(ExitStatus::Io, format_args!("{place}: {error}"))
    }

    /// Our own stdout that cannot be written.
    fn stdout(error: &io::Error) -> Self {
        match error.kind() {
            io::ErrorKind::BrokenPipe => Failure { status: ExitStatus::ReaderGone, message: None },
            _ => Failure::io("stdout", error),
        }
    }
}

/// The executable: runs what its arguments say, and returns how it ends.
pub fn main() -> ExitStatus {
    match parse().map(Cli::run) {
        Err(status) => status,
        Ok(Ok(())) => ExitStatus::Success,
        Ok(Err(failure)) => {
            if let Some(message) = &failure.message {
                say(message);
            }
            failure.status
        }
    }
}

/// One line on stderr. A stderr that is closed or full leaves nobody to tell, and changes no exit status.
fn say(message: impl Display) {
    let _ = io::stderr().write_all(format!("recfact_server: {message}\n").as_bytes());
}

/// The version, and the instruction set in use.
fn version() -> String {
    let isa = Isa::in_use().map_or("none", Isa::name);
    format!("{} ({isa})", env!("CARGO_PKG_VERSION"))
}

/// Parses the command line. On `--help`, `--version` and mistakes it has printed what there is to say.
fn parse() -> Result<Cli, ExitStatus> {
    Cli::try_parse().map_err(|error| {
        if error.use_stderr() {
            say(format_args!("{}; recfact_server --help shows what there is", in_a_line(&error.render().to_string())));
            return ExitStatus::Usage;
        }
        error.print().map_or_else(|error| Failure::stdout(&error).status, |()| ExitStatus::Success)
    })
}

/// What clap says of a mistake, in one line as every other error: a parent that reads the last line finds the reason.
fn in_a_line(message: &str) -> String {
    let said = message.lines().take_while(|line| !line.starts_with("Usage:") && !line.starts_with("For more"));
    let parts = said.map(|line| line.trim().trim_start_matches("error: ").trim_start_matches("tip: "));
    let parts: Vec<&str> = parts.filter(|part| !part.is_empty()).collect();
    parts.join("; ").replace(":; ", ": ")
}

impl Cli {
    /// Does what the command line says.
    fn run(self) -> Result<(), Failure> {
        Isa::in_use().map_err(|error| Failure::new(ExitStatus::Usage, error))?;
        match self.command {
            None => serve::run(&self.serve),
            Some(Subcommands::Serve(args)) => serve::run(&args),
            Some(Subcommands::Encode(args)) => encode::run(&args),
            Some(Subcommands::Decode(args)) => decode::run(&args),
            Some(Subcommands::Demo) => demo::run(),
        }
    }
}

/// Parses the name of a command: `f64`, `f32-nopiv`, ..
fn command_by_name(name: &str) -> Result<Command, String> {
    Command::by_name(name).ok_or_else(|| {
        let names: Vec<_> = Command::NAMES.iter().map(|(name, _)| *name).collect();
        format!("expected one of {}", names.join(", "))
    })
}
