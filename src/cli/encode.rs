//! `recfact_server encode`: matrices in files become requests.

use std::fs::File;
use std::io::{self, BufReader, IsTerminal, Read, Write};

use super::exit::ExitStatus;
use super::{Failure, stdout};
use crate::files::{Columns, FileElement, Matrix, fill, npy, text};
use crate::os::Input;
use crate::protocol::{Command, EXIT, ElementType, Head, Shape, label};

/// Bytes of a file that are read at a time.
const BUFFER_BYTES: usize = 1 << 16;

const NOTES: &str = "\
Files hold one matrix each: numbers separated by white space, or by commas (CSV), a row a line; lines that start with # \
and empty lines are passed over. Or a .npy array of two dimensions and real numbers. - is stdin.

Before each matrix goes a label, a request for a row of four numbers that tells `decode` the shape and the type of the \
response after it. --bare leaves it out, for a client or file that wants the requests alone.

Examples:
  recfact_server encode a.csv | recfact_server | recfact_server decode
  printf '4 3\\n6 3\\n' | recfact_server encode --bare | xxd
  recfact_server encode --cmd f32-nopiv a.npy b.npy --exit > requests.bin";

#[derive(Debug, clap::Args)]
#[command(after_help = NOTES)]
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

/// Parses the name of a command: `f64`, `f32-nopiv`, ..
fn command_by_name(name: &str) -> Result<Command, String> {
    Command::by_name(name).ok_or_else(|| {
        let names: Vec<_> = Command::NAMES.iter().map(|(name, _)| *name).collect();
        format!("expected one of {}", names.join(", "))
    })
}

pub(super) fn run(args: &Args) -> Result<(), Failure> {
    if io::stdout().is_terminal() {
        let message = "expected stdout to be a pipe or a file, got a terminal; requests are binary";
        return Err(Failure::new(ExitStatus::Usage, message));
    }
    let mut out = stdout::open()?;
    for file in &args.files {
        match args.cmd.element() {
            ElementType::F64 => encode::<f64>(file, args, &mut out),
            ElementType::F32 => encode::<f32>(file, args, &mut out),
        }?;
    }
    let end: &[u8] = if args.exit { &[EXIT] } else { &[] };
    out.write_all(end).and_then(|()| out.flush()).map_err(|error| Failure::stdout(&error))
}

/// Writes the label and the request for one file.
fn encode<T: FileElement>(file: &str, args: &Args, out: &mut impl Write) -> Result<(), Failure> {
    let name = name_of(file);
    let a: Matrix<T> = read(file)?;
    let (m, n) = (a.nrows(), a.ncols());
    // Only an empty matrix can have a side that is too large for a request or its label.
    let too_long = || Failure::data(name, format_args!("expected sizes of at most 2^53, got {m} x {n}"));
    let shape = i64::try_from(m).ok().zip(i64::try_from(n).ok()).and_then(|(m, n)| Shape::new(m, n, T::TYPE));
    let head = Head { command: args.cmd, shape: shape.ok_or_else(too_long)? };
    let label = label::announce(&head).ok_or_else(too_long);
    let label = if args.bare { None } else { Some(label?) };
    let columns = a
        .columns()
        .map_err(|_| Failure::out_of_memory(name, Columns::<T>::BLOCK_BYTES, "a block of columns of the matrix"))?;
    let write = || {
        out.write_all(label.as_ref().map_or(&[], |label| &label[..]))?;
        out.write_all(&head.to_bytes())?;
        columns.write(out)
    };
    write().map_err(|error| Failure::stdout(&error))
}

fn open(file: &str) -> io::Result<BufReader<Box<dyn Read>>> {
    let input: Box<dyn Read> = if file == "-" { Box::new(Input::stdin()?) } else { Box::new(File::open(file)?) };
    Ok(BufReader::with_capacity(BUFFER_BYTES, input))
}

/// The file, in an error.
fn name_of(file: &str) -> &str {
    if file == "-" { "stdin" } else { file }
}

/// Reads a matrix from a file of any kind; - is stdin.
pub(super) fn read<T: FileElement>(file: &str) -> Result<Matrix<T>, Failure> {
    let name = name_of(file);
    let mut input = open(file).map_err(|error| Failure::io(name, &error))?;
    let mut start = [0; npy::MAGIC_BYTES];
    let got = fill(&mut input, &mut start).map_err(|error| Failure::io(name, &error))?;
    let (start, parse) = (&start[..got], if npy::is_npy(&start) { npy::parse } else { text::parse });
    Ok(parse(name, start.chain(input))?)
}
