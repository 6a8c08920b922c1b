//! `recfact_server decode`: responses become readable text, CSV or .npy files.

use std::fs::create_dir_all;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use super::progress::Progress;
use super::responses::{Factors, Responses};
use super::table::{Style, Text};
use super::{Failure, stdout};
use crate::files::{FileElement, csv, npy};
use crate::os::Input;
use crate::protocol::{ElementType, Shape};

const NOTES: &str = "\
Responses carry neither shape nor type. Requests made by `encode` tell them by labels; for others say --shape.

With --npy, matrix 1 becomes DIR/1-lu.npy (L below the diagonal, without its ones; U on and above it) and DIR/1-ipiv.npy \
(row swaps as LAPACK's: 1-based, in order), and so on. With --csv the files end in .csv, and their numbers have the \
fewest digits that give the same elements again. Both replace files of the same name.

Text of N digits has about N + 7 bytes for each element of L and of U, their zeros and ones included: 105 MB for a matrix \
of 2000 x 2000, 670 MB for one of 5000 x 5000. With --compact it is half of that. CSV has about 20 bytes for each \
element (78 MB and 490 MB), .npy 8 (32 MB and 200 MB).

Examples:
  recfact_server encode a.csv | recfact_server | recfact_server decode
  recfact_server encode a.npy | recfact_server | recfact_server decode --npy out
  recfact_server decode --digits 17 --shape 2x3 --shape 4x4:f32 < responses.bin";

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
    /// Shape of a response without label, once for each; the last one stands for all that follow
    #[arg(long, value_name = "MxN[:f32]", value_parser = parse_shape)]
    shape: Vec<Shape>,
}

/// Parses `3x4`, `3x4:f64` or `3x4:f32`.
fn parse_shape(text: &str) -> Result<Shape, String> {
    let parse = || {
        let (size, element) = text.split_once(':').unwrap_or((text, ElementType::F64.name()));
        let element = ElementType::ALL.into_iter().find(|known| known.name() == element)?;
        let (m, n) = size.split_once('x')?;
        Shape::new(m.parse().ok()?, n.parse().ok()?, element)
    };
    parse().ok_or_else(|| "expected rows x columns and perhaps a type, as in 3x4 or 3x4:f32".into())
}

pub(super) fn run(args: &Args) -> Result<(), Failure> {
    let input = Input::stdin().map_err(|error| Failure::io("stdin", &error))?;
    let mut responses = Responses::new(input);
    let mut out = stdout::open()?;
    for index in 0.. {
        let given = args.shape.get(index).or(args.shape.last());
        let Some((shape, info)) = responses.next(given.copied())? else {
            break;
        };
        match shape.element() {
            ElementType::F64 => show(&responses.factors::<f64>(shape, info)?, responses.number, args, &mut out),
            ElementType::F32 => show(&responses.factors::<f32>(shape, info)?, responses.number, args, &mut out),
        }?;
    }
    out.flush().map_err(|error| Failure::stdout(&error))
}

/// Prints or saves the factors of a response.
fn show<T: FileElement>(factors: &Factors<T>, number: usize, args: &Args, out: &mut impl Write) -> Result<(), Failure> {
    let (m, n, info) = (factors.m(), factors.n(), describe(factors.info));
    let head = format!("matrix {number}: {m} x {n}, {}, {info}", T::TYPE.name());
    let files = if let Some(folder) = &args.npy {
        let lu = |path: &Path| {
            let elements = factors.packed.elements().slices().flatten().copied();
            npy::write(path, &[m as u64, n as u64], elements)
        };
        let ipiv = |path: &Path| npy::write(path, &[factors.k() as u64], factors.ipiv.iter().copied());
        save(folder, number, "npy", lu, ipiv)?
    } else if let Some(folder) = &args.csv {
        let mut progress = Progress::new(number, m);
        let lu = |path: &Path| csv::write(path, m, n, |i, j| factors.packed.get(i, j), || progress.step());
        let ipiv = |path: &Path| csv::write(path, factors.k(), 1, |i, _| factors.ipiv[i], || {});
        save(folder, number, "csv", lu, ipiv)?
    } else {
        return print(out, &head, factors, number, Style { digits: args.digits, compact: args.compact });
    };
    writeln!(out, "{head} -> {files}").map_err(|error| Failure::stdout(&error))
}

/// Prints factors, and what stands in the line before them.
pub(super) fn print<T: FileElement>(
    out: &mut impl Write,
    head: &str,
    factors: &Factors<T>,
    number: usize,
    style: Style,
) -> Result<(), Failure> {
    let text = Text::new(factors, style)
        .map_err(|_| Failure::out_of_memory(format_args!("response {number}"), Text::bytes(factors), "printing it"))?;
    let mut progress = Progress::new(number, text.rows());
    text.print(out, head, &mut progress).map_err(|error| Failure::stdout(&error))
}

/// What `info` says.
fn describe(info: i64) -> String {
    match info {
        0 => "info 0".into(),
        k => format!("info {k}: U({0},{0}) is exactly zero", k.unsigned_abs()),
    }
}

/// Has the factors and the row swaps written to files of their own. Returns the names.
fn save(
    folder: &Path,
    number: usize,
    extension: &str,
    lu: impl FnOnce(&Path) -> io::Result<()>,
    ipiv: impl FnOnce(&Path) -> io::Result<()>,
) -> Result<String, Failure> {
    create_dir_all(folder).map_err(|error| Failure::io(folder.display(), &error))?;
    let file = |name: &str| folder.join(format!("{number}-{name}.{extension}"));
    let (factors, swaps) = (file("lu"), file("ipiv"));
    lu(&factors).map_err(|error| Failure::io(factors.display(), &error))?;
    ipiv(&swaps).map_err(|error| Failure::io(swaps.display(), &error))?;
    Ok(format!("{}, {}", factors.display(), swaps.display()))
}
