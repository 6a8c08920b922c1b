//! `recfact_server decode`: responses become readable text, CSV or .npy files.

use std::io::{Read, Write};
use std::path::PathBuf;

use super::factorizations::{Factorizations, Factors};
use super::progress::Progress;
use super::responses::{Announced, Responses};
use super::saved::{Files, Format};
use super::text::{EMPTY, Style, Text};
use super::{Failure, slices, stdout};
use crate::files::{FileElement, sizes};
use crate::os::Input;
use crate::protocol::{ElementType, Shape};

const NOTES: &str = "\
Responses carry neither shape nor type. Requests made by `encode` tell them by labels; for others say --shape.

With --npy, matrix 1 becomes DIR/1-lu.npy (L below the diagonal, without its ones; U on and above it) and DIR/1-ipiv.npy \
(row swaps as LAPACK's: 1-based, in order), and so on. With --csv the files end in .csv, and their numbers have the \
fewest digits that give the same elements again. Both replace files of the same name.

A stack is printed matrix by matrix, as slices counted from 1. Its .npy files have one more dimension, the first: factors of \
(count, m, n), swaps of (count, min(m, n)), and DIR/1-info.npy of (count,). In its CSV files the matrices stand one below the \
other, with the swaps of a matrix in a line.

Text of N digits has about N + 7 bytes for each element of L and of U, their zeros and ones included: 105 MB for a matrix \
of 2000 x 2000, 670 MB for one of 5000 x 5000. With --compact it is half of that. CSV has about 20 bytes for each \
element (78 MB and 490 MB), .npy 8 (32 MB and 200 MB).

Examples:
  recfact_server encode a.csv | recfact_server | recfact_server decode
  recfact_server encode a.npy | recfact_server | recfact_server decode --npy out
  recfact_server decode --digits 17 --shape 2x3 --shape 1000x4x4:f32 < responses.bin";

#[derive(Debug, clap::Args)]
#[command(after_help = NOTES)]
pub(super) struct Args {
    /// Save factors and row swaps as .npy files in this folder instead of printing them
    #[arg(long, value_name = "DIR")]
    npy: Option<PathBuf>,
    /// Save them as CSV files
    #[arg(long, value_name = "DIR", conflicts_with = "npy")]
    csv: Option<PathBuf>,
    /// Print L and U in one table, without the zeros and ones that they have by structure
    #[arg(long, conflicts_with_all = ["npy", "csv"])]
    compact: bool,
    /// Significant digits to print
    #[arg(long, value_name = "N", default_value_t = 6, value_parser = clap::value_parser!(u8).range(1..=17))]
    digits: u8,
    /// Shape of a response without label, once for each; COUNT if it is a stack; the last one stands for all that follow
    #[arg(long, value_name = "[COUNTx]MxN[:f32]", value_parser = parse_shape)]
    shape: Vec<Announced>,
}

/// Parses `3x4`, `3x4:f32`, `1000x3x4`, ..
fn parse_shape(text: &str) -> Result<Announced, String> {
    let parse = || {
        let (sizes, element) = text.split_once(':').unwrap_or((text, ElementType::F64.name()));
        let element = ElementType::ALL.into_iter().find(|known| known.name() == element)?;
        let sizes = sizes.split('x').map(|size| size.parse().ok()).collect::<Option<Vec<i64>>>()?;
        match sizes[..] {
            [m, n] => Announced::matrix(Shape::new(m, n, element)?),
            [count, m, n] => Announced::stack(usize::try_from(count).ok()?, Shape::new(m, n, element)?),
            _ => None,
        }
    };
    parse().ok_or_else(|| {
        "expected rows x columns, perhaps a count before and a type after, as in 3x4 or 9x3x4:f32".into()
    })
}

pub(super) fn run(args: &Args) -> Result<(), Failure> {
    let input = Input::stdin().map_err(|error| Failure::io("stdin", &error))?;
    let mut responses = Responses::new(input);
    let mut out = stdout::open()?;
    for index in 0.. {
        let given = args.shape.get(index).or(args.shape.last());
        let Some((announced, first)) = responses.next(given.copied())? else {
            break;
        };
        match announced.shape.element() {
            ElementType::F64 => show::<f64>(&mut responses, &announced, first, args, &mut out),
            ElementType::F32 => show::<f32>(&mut responses, &announced, first, args, &mut out),
        }?;
    }
    out.flush().map_err(|error| Failure::stdout(&error))
}

/// Reads the factors of a response, and prints or saves them.
fn show<T: FileElement>(
    responses: &mut Responses<impl Read>,
    announced: &Announced,
    first: i64,
    args: &Args,
    out: &mut impl Write,
) -> Result<(), Failure> {
    let (read, number) = (Factorizations::<T>::read(responses, announced, first)?, responses.number);
    let mut save = |folder, format| {
        let files = Files { folder, format, number }.save(&read)?;
        let head = format!("matrix {number}: {}, {}", sizes(read.lu.grid().shape()), T::TYPE.name());
        writeln!(out, "{head}, {} -> {files}", describe_all(&read)).map_err(|error| Failure::stdout(&error))
    };
    match (&args.npy, &args.csv) {
        (Some(folder), _) => save(folder, Format::Npy),
        (None, Some(folder)) => save(folder, Format::Csv),
        (None, None) => print_all(out, &read, number, Style { digits: args.digits, compact: args.compact }),
    }
}

/// Prints all factors of a response.
fn print_all<T: FileElement>(
    out: &mut impl Write,
    read: &Factorizations<T>,
    number: usize,
    style: Style,
) -> Result<(), Failure> {
    let ([count, m, n], element) = (read.lu.grid().sides(), T::TYPE.name());
    if count == 0 {
        let head = format!("matrix {number}: 0 x {m} x {n}, {element}, {}", describe_all(read));
        return writeln!(out, "{head}\n{EMPTY}").map_err(|error| Failure::stdout(&error));
    }
    let mut progress = Progress::new(number, style.rows(m, n).saturating_mul(count));
    for index in 0..count {
        let factors = read.get(index);
        let slice = if read.is_stack() { format!(", slice {}", index + 1) } else { String::new() };
        let head = format!("matrix {number}{slice}: {m} x {n}, {element}, {}", describe(factors.info));
        print(out, &head, &factors, style, &mut progress)?;
    }
    Ok(())
}

/// Prints the factors of one matrix, and what stands in the line before them.
pub(super) fn print<T: FileElement>(
    out: &mut impl Write,
    head: &str,
    factors: &Factors<T>,
    style: Style,
    progress: &mut Progress,
) -> Result<(), Failure> {
    let text =
        Text::new(factors, style).map_err(|_| Failure::out_of_memory(head, Text::bytes(factors), "printing it"))?;
    text.print(out, head, progress).map_err(|error| Failure::stdout(&error))
}

/// What `info` says.
fn describe(info: i64) -> String {
    match info {
        0 => "info 0".into(),
        k => format!("info {k}: U({0},{0}) is exactly zero", k.unsigned_abs()),
    }
}

/// What the `info` of all matrices says.
fn describe_all<T: FileElement>(read: &Factorizations<T>) -> String {
    match slices::name(read.singular()) {
        Some(slices) if read.is_stack() => format!("a pivot is exactly zero in {slices}"),
        Some(_) => describe(read.info.get(0)),
        None => describe(0),
    }
}
