//! `recfact_server det`: the determinants of matrices in a file, in this process.

use std::io::Write;

use super::operand::Square;
use super::output::PRINTED_DIGITS;
use super::{Failure, stdout};
use crate::batch::BatchRef;
use crate::files::number::push_rounded;
use crate::lu::{Determinant, det_batch, filled};
use crate::matrix::Layout;

/// Significant digits of a determinant beyond the range of f64: those of its logarithm are not enough for more.
const MAX_DIGITS_BEYOND: u8 = 9;

const NOTES: &str = "\
One line is printed for each matrix: a stack of them, a .npy array of three dimensions, has as many. A determinant beyond the range \
of f64 is printed all the same, with nine digits at most; --log prints its sign, 1, 0 or -1, and the natural logarithm of its \
magnitude.

That a determinant is small says nothing about how well a system can be solved: for that there is `cond`.

Examples:
  recfact_server det a.csv
  recfact_server det --log a.npy";

#[derive(Debug, clap::Args)]
#[command(after_help = NOTES)]
pub(super) struct Args {
    #[command(flatten)]
    matrix: Square,
    /// Print the sign and the natural logarithm of the magnitude
    #[arg(long)]
    log: bool,
    /// Significant digits
    #[arg(long, value_name = "N", default_value_t = PRINTED_DIGITS, value_parser = clap::value_parser!(u8).range(1..=17))]
    digits: u8,
}

pub(super) fn run(args: &Args) -> Result<(), Failure> {
    let (a, [count, n]) = args.matrix.read()?;
    let failure = |error| Failure::library(a.name, error, "the determinants");
    let mut dets = filled(count, Determinant::ONE).map_err(failure)?;
    BatchRef::from_slice(&a.elements, count, [n, n], Layout::ColumnMajor)
        .and_then(|batch| det_batch(batch, &mut dets, &args.matrix.options()))
        .map_err(failure)?;
    let mut out = stdout::open()?;
    let mut line = String::new();
    for det in dets {
        line.clear();
        if args.log {
            let sign = if det.mantissa == 0.0 { 0.0 } else { 1.0_f64.copysign(det.mantissa) };
            push_rounded(&mut line, sign, args.digits);
            line.push(' ');
            push_rounded(&mut line, logarithm(det), args.digits);
        } else {
            push_determinant(&mut line, det, args.digits);
        }
        line.push('\n');
        out.write_all(line.as_bytes()).map_err(|error| Failure::stdout(&error))?;
    }
    out.flush().map_err(|error| Failure::stdout(&error))
}

/// The natural logarithm of the magnitude.
fn logarithm(det: Determinant) -> f64 {
    det.mantissa.abs().ln() + det.exponent as f64 * std::f64::consts::LN_2
}

/// Appends a determinant, if need be with an exponent that no f64 has.
fn push_determinant(text: &mut String, det: Determinant, digits: u8) {
    let value = det.value();
    if value.is_normal() || det.mantissa == 0.0 || !det.mantissa.is_finite() {
        return push_rounded(text, value, digits);
    }
    // mantissa 2^exponent = 10^(whole + part), with a part from 0 to 1
    let logarithm = det.mantissa.abs().log10() + det.exponent as f64 * std::f64::consts::LOG10_2;
    let (whole, part) = (logarithm.floor(), logarithm - logarithm.floor());
    let mut mantissa = String::new();
    push_rounded(&mut mantissa, 10.0_f64.powf(part).copysign(det.mantissa), digits.min(MAX_DIGITS_BEYOND));
    // Rounding may have given 10.
    let (mantissa, whole) = match mantissa.as_str() {
        "10" => ("1", whole + 1.0),
        "-10" => ("-1", whole + 1.0),
        other => (other, whole),
    };
    text.push_str(&format!("{mantissa}e{whole}"));
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(mantissa: f64, exponent: i64, digits: u8) -> String {
        let mut text = String::new();
        push_determinant(&mut text, Determinant { mantissa, exponent }, digits);
        text
    }

    #[test]
    fn determinants_beyond_the_range_of_f64_have_their_digits() {
        assert_eq!(text(-0.75, 3, 6), "-6");
        assert_eq!(text(0.5, 1, 17), "1");
        assert_eq!(text(0.0, 0, 6), "0");
        // 2^2000 and 2^-2000
        assert_eq!(text(0.5, 2001, 6), "1.14813e602");
        assert_eq!(text(-0.5, 2001, 17), "-1.1481307e602");
        assert_eq!(text(0.5, -1999, 4), "8.71e-603");
        // Just below 10^400.
        assert_eq!(text(0.999_999_9 * 10.0_f64.powf(400.0 - 1329.0 * std::f64::consts::LOG10_2), 1329, 3), "1e400");
    }
}
