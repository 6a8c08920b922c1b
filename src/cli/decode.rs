//! `recfact_server decode`: responses become readable text or .npy files.

use std::fs::create_dir_all;
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};

use byteorder::{ByteOrder, LittleEndian};
use nalgebra::DMatrix;

use super::Failure;
use crate::files::{FileElement, npy};
use crate::lu::Lu;
use crate::protocol::{ElementType, INFO_BYTES, Shape, describe_refusal, label, refusal_code};

#[derive(Debug, clap::Args)]
#[command(after_help = "\
Responses carry neither shape nor type. Requests made by `encode` tell them by labels; for others say --shape.

With --npy, matrix 1 becomes DIR/1-lu.npy (L below the diagonal, without its ones; U on and above it) and
DIR/1-ipiv.npy (row swaps as LAPACK's: 1-based, in order), and so on.

Examples:
  recfact_server encode a.csv b.npy | recfact_server | recfact_server decode --digits 17
  recfact_server encode a.npy | recfact_server | recfact_server decode --npy out
  recfact_server decode --shape 2x3 --shape 4x4:f32 < responses.bin")]
pub(super) struct Args {
    /// Save factors and row swaps in this folder instead of printing them
    #[arg(long, value_name = "DIR")]
    npy: Option<PathBuf>,
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
    let mut input = io::stdin().lock();
    let mut out = io::stdout().lock();
    for number in 1.. {
        let given = args.shape.get(number - 1).or(args.shape.last());
        let Some(response) = Response::read(&mut input, given.copied(), number)? else {
            break;
        };
        match response.shape.element() {
            ElementType::F64 => response.show::<f64>(args, &mut out),
            ElementType::F32 => response.show::<f32>(args, &mut out),
        }?;
    }
    out.flush().map_err(|error| Failure::stdout(&error))
}

/// One response, its numbers still bytes.
struct Response {
    number: usize,
    shape: Shape,
    info: i64,
    matrix: Vec<u8>,
    ipiv: Vec<u8>,
}

impl Response {
    /// Reads the next response; `None` at the end of the input. Without a given shape a label must come first.
    fn read(input: &mut impl Read, given: Option<Shape>, number: usize) -> Result<Option<Response>, Failure> {
        let Some(first) = read_info(input, number)? else {
            // A stream without any response is the trace of a request that failed earlier in the pipeline.
            return if number > 1 { Ok(None) } else { Err(fail(number, "expected a response, got end of input")) };
        };
        let (shape, info) = match given {
            Some(shape) => (shape, first),
            None => {
                let row = read_exact(input, label::ROW_BYTES, number, "label")?;
                let shape = label::parse(&row)
                    .ok_or_else(|| fail(number, "expected a label; for requests made without one say --shape"))?;
                let info = read_info(input, number)?;
                (shape, info.ok_or_else(|| fail(number, "expected a response after its label, got end of input"))?)
            }
        };
        let matrix = read_exact(input, shape.matrix_bytes(), number, "factors")?;
        if label::begins(&matrix) {
            return Err(fail(number, "got a label: this stream says its shapes itself, leave out --shape"));
        }
        let ipiv = read_exact(input, shape.ipiv_bytes(), number, "row swaps")?;
        Ok(Some(Response { number, shape, info, matrix, ipiv }))
    }

    /// Prints or saves it.
    fn show<T: FileElement>(&self, args: &Args, out: &mut impl Write) -> Result<(), Failure> {
        let (m, n) = (self.shape.m(), self.shape.n());
        let mut ipiv = vec![0; self.shape.pivots()];
        LittleEndian::read_i64_into(&self.ipiv, &mut ipiv);
        let lu = Lu::from_parts(DMatrix::from_vec(m, n, T::from_bytes(&self.matrix)), ipiv, self.info)
            .map_err(|error| fail(self.number, error))?;
        let head = format!("matrix {}: {m} x {n}, {}, {}", self.number, T::TYPE.name(), describe(self.info));
        match &args.npy {
            Some(folder) => {
                let files = save(folder, self.number, &lu)?;
                writeln!(out, "{head} -> {files}")
            }
            None => print(out, &head, &lu, args.digits),
        }
        .map_err(|error| Failure::stdout(&error))
    }
}

/// Reads `info`; `None` at the end of the input. A refusal is an error.
fn read_info(input: &mut impl Read, number: usize) -> Result<Option<i64>, Failure> {
    let bytes = read_up_to(input, INFO_BYTES)?;
    if bytes.is_empty() {
        return Ok(None);
    }
    let info = LittleEndian::read_i64(&complete(bytes, INFO_BYTES, number, "info")?);
    match refusal_code(info) {
        Some(code) => Err(fail(number, format_args!("the server refused the request: {}", describe_refusal(code)))),
        None => Ok(Some(info)),
    }
}

/// Reads so many bytes, of which the input must have all.
fn read_exact(input: &mut impl Read, bytes: usize, number: usize, what: &str) -> Result<Vec<u8>, Failure> {
    complete(read_up_to(input, bytes)?, bytes, number, what)
}

fn complete(buffer: Vec<u8>, bytes: usize, number: usize, what: &str) -> Result<Vec<u8>, Failure> {
    if buffer.len() == bytes {
        return Ok(buffer);
    }
    Err(fail(number, format_args!("expected {bytes} bytes of {what}, got end of input after {}", buffer.len())))
}

/// Reads so many bytes, or fewer at the end of the input. Memory grows with what comes, not with what was announced.
fn read_up_to(input: &mut impl Read, bytes: usize) -> Result<Vec<u8>, Failure> {
    let mut buffer = Vec::new();
    input.take(bytes as u64).read_to_end(&mut buffer).map_err(|error| Failure::io("stdin", &error))?;
    Ok(buffer)
}

fn fail(number: usize, message: impl std::fmt::Display) -> Failure {
    Failure::data(format_args!("response {number}"), message)
}

/// What `info` says.
fn describe(info: i64) -> String {
    match info {
        0 => "info 0".into(),
        k => format!("info {k}: U({0},{0}) is exactly zero", k.unsigned_abs()),
    }
}

/// Saves the factors and swaps. Returns the names of the files.
fn save<T: FileElement>(folder: &Path, number: usize, lu: &Lu<T>) -> Result<String, Failure> {
    create_dir_all(folder).map_err(|error| Failure::io(folder.display(), &error))?;
    let (factors, swaps) = (folder.join(format!("{number}-lu.npy")), folder.join(format!("{number}-ipiv.npy")));
    let (m, n) = lu.packed().shape();
    npy::write(&factors, &[m as u64, n as u64], lu.packed().as_slice().iter().copied())
        .map_err(|error| Failure::io(factors.display(), &error))?;
    npy::write(&swaps, &[lu.ipiv().len() as u64], lu.ipiv().iter().copied())
        .map_err(|error| Failure::io(swaps.display(), &error))?;
    Ok(format!("{}, {}", factors.display(), swaps.display()))
}

/// Prints L, U, the row swaps and the order of rows that they make.
pub(super) fn print<T: FileElement>(out: &mut impl Write, head: &str, lu: &Lu<T>, digits: u8) -> io::Result<()> {
    writeln!(out, "{head}")?;
    if lu.packed().is_empty() {
        return writeln!(out, "empty: no factors, no row swaps");
    }
    print_matrix(out, "L", &lu.l().map_err(io::Error::other)?, digits)?;
    print_matrix(out, "U", &lu.u().map_err(io::Error::other)?, digits)?;
    writeln!(out, "ipiv:{}", list(lu.ipiv().iter()))?;
    writeln!(
        out,
        "rows of A in P*A = L*U:{}",
        list(lu.permutation().map_err(io::Error::other)?.iter().map(|row| row + 1))
    )
}

/// Numbers in columns that are as wide as they must be.
fn print_matrix<T: FileElement>(out: &mut impl Write, name: &str, a: &DMatrix<T>, digits: u8) -> io::Result<()> {
    writeln!(out, "{name} ({} x {}):", a.nrows(), a.ncols())?;
    let cells = a.map(|x| number(x.into(), digits));
    let widths: Vec<usize> =
        cells.column_iter().map(|column| column.iter().map(String::len).max().unwrap_or(0)).collect();
    for row in cells.row_iter() {
        let line: String = row.iter().zip(&widths).map(|(cell, &width)| format!("  {cell:>width$}")).collect();
        writeln!(out, "{line}")?;
    }
    Ok(())
}

/// The shortest text of a number rounded to so many significant digits.
fn number(x: f64, digits: u8) -> String {
    let rounded = format!("{x:.0$e}", usize::from(digits) - 1).parse().unwrap_or(x);
    let text = format!("{rounded:?}");
    text.strip_suffix(".0").map(str::to_owned).unwrap_or(text)
}

/// Items, each after a blank.
fn list(items: impl Iterator<Item = impl std::fmt::Display>) -> String {
    items.map(|item| format!(" {item}")).collect()
}
