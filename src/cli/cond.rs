//! `recfact_server cond`: the condition numbers of matrices in a file, in this process.

use std::io::Write;

use clap::ValueEnum;

use super::operand::Square;
use super::{EXECUTABLE, Failure, say, stdout};
use crate::error::Error;
use crate::files::number::push_rounded;
use crate::lu::{MAX_EXACT_ORDER, factor, norm, rcond, zeros};
use crate::matrix::MatrixMut;
use crate::options::{self, Options};

/// Significant digits, unless others are asked for: more would seldom be right.
const DIGITS: u8 = 3;

const NOTES: &str = "\
The condition number is |A| |A^-1|: a solution of A x = b may lose as many digits as it has before the point. One line is printed for \
each matrix: a stack of them, a .npy array of three dimensions, has as many. That of a singular matrix is inf.

Up to order 32 all of A^-1 is computed. Above, |A^-1| is estimated, which is said on stderr: it is rarely too small by more than a \
factor of three.

Examples:
  recfact_server cond a.csv
  recfact_server cond --norm inf a.npy";

#[derive(Debug, clap::Args)]
#[command(after_help = NOTES)]
pub(super) struct Args {
    #[command(flatten)]
    matrix: Square,
    /// The norm: the largest sum of magnitudes in a column, or in a row
    #[arg(long, value_enum, default_value_t = Norm::One)]
    norm: Norm,
    /// Significant digits
    #[arg(long, value_name = "N", default_value_t = DIGITS, value_parser = clap::value_parser!(u8).range(1..=17))]
    digits: u8,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Norm {
    /// The largest sum of magnitudes in a column
    #[value(name = "1")]
    One,
    /// The largest sum of magnitudes in a row
    #[value(name = "inf")]
    Infinity,
}

pub(super) fn run(args: &Args) -> Result<(), Failure> {
    let (mut a, [count, n]) = args.matrix.read()?;
    if n > MAX_EXACT_ORDER && count > 0 {
        let estimated = format_args!("{}: estimated, since the order is above {MAX_EXACT_ORDER}", a.name);
        say(&format!("{EXECUTABLE} cond"), estimated);
    }
    let options = args.matrix.options();
    let failure = |error| Failure::library(a.name, error, "the condition number");
    let mut ipiv = zeros(n).map_err(failure)?;
    let mut out = stdout::open()?;
    let mut line = String::new();
    for k in 0..count {
        let condition = condition(args.norm, &mut a.elements[k * n * n..(k + 1) * n * n], &mut ipiv, &options);
        line.clear();
        push_rounded(&mut line, condition.map_err(failure)?, args.digits);
        line.push('\n');
        out.write_all(line.as_bytes()).map_err(|error| Failure::stdout(&error))?;
    }
    out.flush().map_err(|error| Failure::stdout(&error))
}

/// The condition number of a matrix, whose memory gets its factors.
fn condition(norm_of: Norm, a: &mut [f64], ipiv: &mut [i64], options: &Options) -> Result<f64, Error> {
    let norm_of = match norm_of {
        Norm::One => options::Norm::One,
        Norm::Infinity => options::Norm::Infinity,
    };
    let n = ipiv.len();
    let mut a = MatrixMut::from_slice(a, n, n, n)?;
    let anorm = norm(norm_of, a.as_ref());
    factor(a.reborrow(), ipiv, options)?;
    Ok(1.0 / rcond(norm_of, a.as_ref(), ipiv, anorm, options)?)
}
