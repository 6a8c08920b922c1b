//! `recfact_server encode`: matrices in files become requests.

use std::fs::File;
use std::io::{self, IsTerminal, Read, Write};

use nalgebra::DMatrix;

use super::exit::ExitStatus;
use super::{Failure, command_by_name};
use crate::files::{FileElement, npy, text};
use crate::protocol::{Command, EXIT, ElementType, Head, Shape, label};

#[derive(Debug, clap::Args)]
#[command(after_help = "\
Files hold one matrix each: numbers separated by white space, or by commas (CSV), a row a line; lines that start
with # and empty lines are passed over. Or a .npy array of two dimensions and real numbers. - is stdin.

Before each matrix goes a label, a request for a row of four numbers that tells `decode` the shape and the type of
the response after it. --bare leaves it out, for a client or file that wants the requests alone.

Examples:
  recfact_server encode a.csv | recfact_server | recfact_server decode
  printf '4 3\\n6 3\\n' | recfact_server encode - | recfact_server | recfact_server decode
  recfact_server encode --cmd f32-nopiv a.npy b.npy --exit > requests.bin
  recfact_server encode --bare a.csv | xxd")]
pub(super) struct Args {
    /// Matrices as text, CSV or .npy; - is stdin
    #[arg(value_name = "FILE", default_value = "-")]
    files: Vec<String>,
    /// What to ask for: f64 or f32, then -threaded, -nopiv or -threaded-nopiv
    #[arg(long, value_name = "COMMAND", default_value = "f64", value_parser = command_by_name)]
    cmd: Command,
    /// Leave out the labels that tell `decode` what follows
    #[arg(long)]
    bare: bool,
    /// End with the command that ends the session
    #[arg(long)]
    exit: bool,
}

pub(super) fn run(args: &Args) -> Result<(), Failure> {
    if io::stdout().is_terminal() {
        let message = "expected stdout to be a pipe or a file, got a terminal; requests are binary";
        return Err(Failure::new(ExitStatus::Usage, message));
    }
    let mut out = io::stdout().lock();
    for file in &args.files {
        let bytes = match args.cmd.element() {
            ElementType::F64 => encode::<f64>(file, args),
            ElementType::F32 => encode::<f32>(file, args),
        }?;
        out.write_all(&bytes).map_err(|error| Failure::stdout(&error))?;
    }
    if args.exit {
        out.write_all(&[EXIT]).map_err(|error| Failure::stdout(&error))?;
    }
    out.flush().map_err(|error| Failure::stdout(&error))
}

/// The label and the request for one file.
fn encode<T: FileElement>(file: &str, args: &Args) -> Result<Vec<u8>, Failure> {
    let (name, bytes) = read(file)?;
    let a: DMatrix<T> = if npy::is_npy(&bytes) { npy::parse(&name, &bytes) } else { text::parse(&name, &bytes) }
        .map_err(Failure::file)?;
    let (m, n) = a.shape();
    // Only an empty matrix can have a side that is too large for a request or its label.
    let too_long = || Failure::data(&name, format_args!("expected sizes of at most 2^53, got {m} x {n}"));
    let shape = i64::try_from(m).ok().zip(i64::try_from(n).ok()).and_then(|(m, n)| Shape::new(m, n, T::TYPE));
    let head = Head { command: args.cmd, shape: shape.ok_or_else(too_long)? };
    let mut frames = if args.bare { Vec::new() } else { label::announce(&head).ok_or_else(too_long)?.to_vec() };
    frames.extend(request(&head, &a));
    Ok(frames)
}

/// The whole file, and what to call it in a message.
fn read(file: &str) -> Result<(String, Vec<u8>), Failure> {
    let name = if file == "-" { "stdin" } else { file };
    let mut bytes = Vec::new();
    let result = match file {
        "-" => io::stdin().read_to_end(&mut bytes),
        path => File::open(path).and_then(|mut file| file.read_to_end(&mut bytes)),
    };
    result.map_err(|error| Failure::io(name, &error))?;
    Ok((name.to_owned(), bytes))
}

/// The request for one matrix: its header and its elements.
pub(super) fn request<T: FileElement>(head: &Head, a: &DMatrix<T>) -> Vec<u8> {
    let mut frame = head.to_bytes().to_vec();
    frame.extend(T::to_bytes(a.as_slice()));
    frame
}
