//! `recfact_server encode`: matrices in files become requests.

use std::io::{self, IsTerminal, Write};

use super::exit::ExitStatus;
use super::input::{name_of, read};
use super::{Failure, stdout};
use crate::files::{Columns, FileElement, sizes};
use crate::matrix::Layout;
use crate::protocol::{
    BATCH_BYTES, BatchKind, BatchOperand, BatchRequest, Command, EXIT, ElementType, FrameCommand, Head, Place, Shape,
    label,
};

const NOTES: &str = "\
Files hold one matrix each: numbers separated by white space, or by commas (CSV), a row a line; lines that start with # \
and empty lines are passed over. Or a .npy array of real numbers: a matrix if it has two dimensions; if it has three, a stack \
of matrices, which becomes one request for all of them (BATCH_FACTOR). - is stdin.

Before each matrix goes a label, a request for a row of four numbers that tells `decode` the shape and the type of the \
response after it; before a stack go two. --bare leaves them out, for a client or file that wants the requests alone.

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

/// Writes the labels and the request for one file.
fn encode<T: FileElement>(file: &str, args: &Args, out: &mut impl Write) -> Result<(), Failure> {
    let name = name_of(file);
    let a = read::<T>(file)?;
    let shape = a.grid().shape();
    let (count, m, n) = match *shape {
        [m, n] => (None, m, n),
        [count, m, n] => (Some(count), m, n),
        _ => {
            let message = format!("expected an array of two or three dimensions, got shape {shape:?}");
            return Err(Failure::data(name, message));
        }
    };
    // Only an empty matrix can have a side that is too large for a request or its label.
    let too_long = || Failure::data(name, format_args!("expected sizes of at most 2^53, got {}", sizes(shape)));
    let shape_of_one = i64::try_from(m).ok().zip(i64::try_from(n).ok()).and_then(|(m, n)| Shape::new(m, n, T::TYPE));
    let head = Head { command: args.cmd, shape: shape_of_one.ok_or_else(too_long)? };
    let labels = if args.bare { Vec::new() } else { labels(count, &head).ok_or_else(too_long)? };
    let request = count.map_or_else(|| head.to_bytes().to_vec(), |count| stack_request(count, &head));
    let columns = a
        .columns()
        .map_err(|_| Failure::out_of_memory(name, Columns::<T>::BLOCK_BYTES, "a block of columns of the matrix"))?;
    let write = || {
        out.write_all(&labels)?;
        out.write_all(&request)?;
        columns.write(out)
    };
    write().map_err(|error| Failure::stdout(&error))
}

/// What tells `decode` the shape of the next response; `None` if a size is too large for it.
fn labels(count: Option<usize>, matrix: &Head) -> Option<Vec<u8>> {
    let mut labels = Vec::new();
    if let Some(count) = count {
        labels.extend(label::announce_stack(count)?);
    }
    labels.extend(label::announce(matrix)?);
    Some(labels)
}

/// What stands before the elements of a request for a stack of `count` matrices: each is factored as this head says.
fn stack_request(count: usize, matrix: &Head) -> Vec<u8> {
    let kind = BatchKind::Factor;
    let mut places = [None; BatchOperand::ALL.len()];
    for operand in [BatchOperand::A, BatchOperand::Lu, BatchOperand::Ipiv, BatchOperand::Info] {
        places[operand as usize] = Some(Place::Payload);
    }
    let request = BatchRequest {
        kind,
        count,
        shape: matrix.shape,
        nrhs: 0,
        pivoting: matrix.command.pivoting(),
        layouts: [Layout::ColumnMajor; 3],
        must_be_finite: false,
        narrow_ipiv: false,
        transposed: false,
        threads: u32::from(!matrix.command.is_threaded()),
        cpu: None,
        places,
    };
    let frame = FrameCommand::Batch(kind).head(BATCH_BYTES + request.payload_bytes());
    [&frame[..], &request.to_bytes()].concat()
}
