//! What a person at a shell uses: the command line and one file for each subcommand.

mod bench;
mod cond;
mod decode;
mod demo;
mod det;
mod encode;
mod exit;
mod factor;
mod factorizations;
mod failure;
mod hexdump;
mod input;
mod inv;
mod operand;
mod output;
mod progress;
mod ranks;
mod report;
mod responses;
mod row_order;
mod saved;
mod serve;
mod slices;
mod solve;
mod stdout;
mod table;
mod text;
mod threads;
mod usage;
mod verdict;

use std::env;

use clap::{Parser, Subcommand};

pub use exit::ExitStatus;
use failure::{Failure, say};
pub use stdout::before_main;

use crate::kernel::Isa;

/// The name of the executable, with which its messages begin.
const EXECUTABLE: &str = "recfact_server";

const EXAMPLES: &str = "\
Examples:
  recfact_server demo
      factor a small matrix through a real pipe, and show every byte
  recfact_server encode a.csv | recfact_server | recfact_server decode
      factor the matrix in a.csv and print L, U and the row swaps
  recfact_server encode a.npy | recfact_server | recfact_server decode --npy out
      factor the matrix in a.npy and save the factors in out/
  recfact_server solve a.csv b.csv
      solve A X = B and print X
  recfact_server inv a.csv
      print the inverse; det and cond print the determinant and the condition number
  recfact_server serve --max-bytes 8GiB
      serve matrices of up to 8 GiB on stdin and stdout

A program starts `recfact_server` as a child and talks to it over pipes; protocol.md has every byte.";

/// Dense LU factorization with partial pivoting, over pipes.
///
/// Without a subcommand it serves: requests on stdin, responses on stdout, until stdin ends.
#[derive(Debug, Parser)]
#[command(name = EXECUTABLE, version = version(), after_help = EXAMPLES, max_term_width = 100)]
#[command(args_conflicts_with_subcommands = true)]
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
    /// Turn responses on stdin into readable text, CSV or .npy files
    Decode(decode::Args),
    /// Factor a matrix that no machine can hold
    Factor(factor::Args),
    /// Solve A X = B for matrices in files
    Solve(solve::Args),
    /// Compute the inverses of matrices in a file
    Inv(inv::Args),
    /// Compute the determinants of matrices in a file
    Det(det::Args),
    /// Compute the condition numbers of matrices in a file
    Cond(cond::Args),
    /// Factor a small matrix through a pipe and show every byte
    Demo,
    /// Measure how long clients of this server wait, by size
    Bench(bench::Args),
}

/// The executable: runs what its arguments say, and returns how it ends.
pub fn main() -> ExitStatus {
    let speaker = speaker();
    let result = stdout::fail_if_closed().and_then(|()| match Cli::try_parse() {
        Ok(cli) => cli.run(),
        Err(error) => usage::answer(&error, &speaker),
    });
    let Err(failure) = result else { return ExitStatus::Success };
    if let Some(message) = failure.message {
        say(&speaker, message);
    }
    failure.status
}

/// Who speaks on stderr: in a pipeline each stage says which one it is, and the server has no other name.
fn speaker() -> String {
    let first = env::args_os().nth(1).and_then(|argument| argument.into_string().ok());
    let stages = ["encode", "decode", "factor", "solve", "inv", "det", "cond", "demo", "bench"];
    let stage = first.filter(|argument| stages.contains(&argument.as_str()));
    stage.map_or(EXECUTABLE.into(), |stage| format!("{EXECUTABLE} {stage}"))
}

/// The version, and the instruction set in use.
fn version() -> String {
    let isa = Isa::in_use().map_or("none", Isa::name);
    format!("{} ({isa})", env!("CARGO_PKG_VERSION"))
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
            Some(Subcommands::Factor(args)) => factor::run(&args),
            Some(Subcommands::Solve(args)) => solve::run(&args),
            Some(Subcommands::Inv(args)) => inv::run(&args),
            Some(Subcommands::Det(args)) => det::run(&args),
            Some(Subcommands::Cond(args)) => cond::run(&args),
            Some(Subcommands::Demo) => demo::run(),
            Some(Subcommands::Bench(args)) => bench::run(&args),
        }
    }
}
