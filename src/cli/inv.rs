//! `recfact_server inv`: the inverses of matrices in a file, in this process.

use std::path::PathBuf;

use super::operand::Square;
use super::output::Output;
use super::verdict::{Solved, judge};
use super::{EXECUTABLE, Failure, say};
use crate::batch::BatchMut;
use crate::error::Error;
use crate::lu::{BatchSystem, Coefficients, Solution, Swaps, system_batch, zeros};
use crate::matrix::Layout;
use crate::options::{Options, Transpose};

const NOTES: &str = "\
The inverse is printed, or saved as .npy, as CSV, or as text if FILE ends otherwise; of a stack of matrices, a .npy array of three \
dimensions, each. To solve A X = B, `solve` is faster and more accurate.

On stderr stands how well-conditioned A is. It is an error if a matrix is singular, or has a NaN or an infinity: status 65.

Examples:
  recfact_server inv a.csv
  recfact_server inv a.npy -o inverse.npy";

#[derive(Debug, clap::Args)]
#[command(after_help = NOTES)]
pub(super) struct Args {
    #[command(flatten)]
    matrix: Square,
    /// Save the inverse in this file, by its ending: .npy, .csv, or text
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,
    /// Significant digits of text [default: 6 if it is printed; in a file those that give the same numbers again]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u8).range(1..=17))]
    digits: Option<u8>,
}

pub(super) fn run(args: &Args) -> Result<(), Failure> {
    let (mut a, [count, n]) = args.matrix.read()?;
    // Empty matrices may be more than there is memory for an `info`.
    let count = if n == 0 { 0 } else { count };
    let (x, solved) = inverses(&mut a.elements, count, n, &args.matrix.options())
        .map_err(|error| Failure::library(a.name, error, "the inverse"))?;
    if let Some(verdict) = judge(a.name, a.is_stack(), n, &solved)? {
        say(&format!("{EXECUTABLE} inv"), verdict);
    }
    Output { file: args.output.as_deref(), digits: args.digits }.write(&x, &a.grid)
}

/// The inverses of matrices, whose memory gets their factors.
fn inverses(a: &mut [f64], count: usize, n: usize, options: &Options) -> Result<(Vec<f64>, Solved<f64>), Error> {
    let (mut x, mut info, mut rcond) = (zeros(a.len())?, zeros(count)?, zeros(count)?);
    let a = BatchMut::from_slice(a, count, [n, n], Layout::ColumnMajor)?;
    let inverse = Solution::Inverse(BatchMut::from_slice(&mut x, count, [n, n], Layout::ColumnMajor)?);
    let system = BatchSystem { transpose: Transpose::No, x: inverse, rcond: Some(&mut rcond) };
    system_batch(Coefficients::Overwritten(a), Swaps::Nowhere, system, &mut info, options)?;
    Ok((x, Solved { info, rcond: Some(rcond), ..Solved::default() }))
}
