//! What is said of A: that it is singular, or how well-conditioned it is.

use super::system::Solved;
use crate::cli::{Failure, slices};
use crate::error::Error;
use crate::files::FileElement;
use crate::files::number::push_rounded;
use crate::lu::MAX_EXACT_ORDER;

/// Significant digits of a reciprocal condition number.
const DIGITS: u8 = 3;

/// Says how well-conditioned the matrices of a file are; `None` if there are none. A singular one is a failure.
pub(super) fn judge<T: FileElement>(
    name: &str,
    is_stack: bool,
    n: usize,
    solved: &Solved<T>,
) -> Result<Option<String>, Failure> {
    let singular = slices_where(&solved.info, |&info| info != 0);
    if let Some(singular) = singular {
        return Err(Failure::data(name, describe_singular(&solved.info, is_stack, &singular)));
    }
    let rcond = || solved.rcond.iter().map(|&rcond| rcond.into());
    let Some((smallest, slice)) = rcond().zip(1..).min_by(|(a, _), (b, _)| a.total_cmp(b)) else { return Ok(None) };
    let text = rounded(smallest);
    // The relative error of a rounded number; SciPy warns below it, too. A NaN comes from an overflow.
    let precision = T::PRECISION.into() / 2.0;
    let is_ill = |rcond: f64| rcond < precision || rcond.is_nan();
    let ill = slices_where(&solved.rcond, |&rcond| is_ill(rcond.into()));
    Ok(Some(match ill {
        Some(ill) => {
            let (got, there) =
                if is_stack { (String::new(), format!(", in {ill}")) } else { (format!(" {text},"), String::new()) };
            let limit = format!("the precision of {}, {}", T::TYPE.name(), rounded(precision));
            format!(
                "warning: {name}: reciprocal condition number{got} below {limit}{there}: X may have no correct digit"
            )
        }
        None => {
            let at_least = if n <= MAX_EXACT_ORDER { "at least" } else { "about" };
            let slice = if is_stack { format!(", the smallest in slice {slice}") } else { String::new() };
            format!("{name}: reciprocal condition number {at_least} {text}{slice}")
        }
    }))
}

/// What is wrong if these slices are singular, or the only matrix.
fn describe_singular(info: &[i64], is_stack: bool, singular: &str) -> String {
    let mut found = info.iter().filter(|&&info| info != 0);
    let index = found.next().map_or(0, |info| info.unsigned_abs() as usize);
    let of_first = Error::Singular { index };
    match found.next() {
        _ if !is_stack => of_first.to_string(),
        None => format!("{singular}: {of_first}"),
        Some(_) => format!("expected nonsingular matrices, but a pivot is exactly zero in {singular}"),
    }
}

/// The matrices of which something is true, in words.
fn slices_where<R>(results: &[R], is_meant: impl Fn(&R) -> bool) -> Option<String> {
    slices::name(results.iter().zip(1..).filter(|(result, _)| is_meant(result)).map(|(_, slice)| slice))
}

fn rounded(x: f64) -> String {
    let mut text = String::new();
    push_rounded(&mut text, x, DIGITS);
    text
}
