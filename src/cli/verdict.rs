//! What is said of matrices and of solutions: that a matrix is singular, how well-conditioned it is, how good X is.

use super::{Failure, slices};
use crate::error::Error;
use crate::files::FileElement;
use crate::files::number::push_rounded;
use crate::lu::{Accuracy, MAX_EXACT_ORDER};

/// Significant digits of what is said.
const DIGITS: u8 = 3;

/// What the library said of the matrices, and of the solutions.
#[derive(Debug)]
pub(super) struct Solved<T> {
    /// LAPACK's `info` of each matrix.
    pub(super) info: Vec<i64>,
    /// The reciprocal condition number of each; a lower bound, up to n = 32, if X was not refined.
    pub(super) rcond: Option<Vec<T>>,
    /// How good each column of X is, if it was refined.
    pub(super) accuracy: Option<Vec<Accuracy>>,
    /// The steps that each matrix took in mixed precision, or -1.
    pub(super) steps: Option<Vec<i64>>,
}

impl<T> Default for Solved<T> {
    fn default() -> Self {
        Solved { info: Vec::new(), rcond: None, accuracy: None, steps: None }
    }
}

/// Says how well-conditioned the matrices of a file are, and how good X is; `None` if there is nothing to say. A singular matrix
/// is a failure.
pub(super) fn judge<T: FileElement>(
    name: &str,
    is_stack: bool,
    n: usize,
    solved: &Solved<T>,
) -> Result<Option<String>, Failure> {
    if let Some(singular) = slices_where(&solved.info, |&info| info != 0) {
        return Err(Failure::data(name, describe_singular(&solved.info, is_stack, &singular)));
    }
    let qualifier = match (n <= MAX_EXACT_ORDER, &solved.accuracy) {
        (true, None) => "at least ",
        (true, Some(_)) => "",
        (false, _) => "about ",
    };
    let condition = solved.rcond.as_deref().and_then(|rcond| condition(is_stack, qualifier, rcond));
    let accuracy = solved.accuracy.as_deref().and_then(describe_accuracy);
    let steps = solved.steps.as_deref().and_then(|steps| describe_steps(is_stack, steps));
    let is_warning = matches!(condition, Some((true, _))) || matches!(accuracy, Some((true, _)));
    let parts = [condition.map(|(_, text)| text), accuracy.map(|(_, text)| text), steps];
    let parts: Vec<String> = parts.into_iter().flatten().collect();
    let warning = if is_warning { "warning: " } else { "" };
    Ok(if parts.is_empty() { None } else { Some(format!("{warning}{name}: {}", parts.join("; "))) })
}

/// How well-conditioned the matrices are, and whether that is a warning.
pub(super) fn condition<T: FileElement>(is_stack: bool, qualifier: &str, rcond: &[T]) -> Option<(bool, String)> {
    let (smallest, slice) = rcond.iter().map(|&x| x.into()).zip(1..).min_by(|(a, _), (b, _)| a.total_cmp(b))?;
    let text = rounded(smallest);
    // The relative error of a rounded number; SciPy warns below it, too. A NaN comes from an overflow.
    let precision = T::PRECISION.into() / 2.0;
    let is_ill = |rcond: f64| rcond < precision || rcond.is_nan();
    Some(match slices_where(rcond, |&rcond| is_ill(rcond.into())) {
        Some(ill) => {
            let (got, there) =
                if is_stack { (String::new(), format!(", in {ill}")) } else { (format!(" {text},"), String::new()) };
            let limit = format!("the precision of {}, {}", T::TYPE.name(), rounded(precision));
            (true, format!("reciprocal condition number{got} below {limit}{there}: X may have no correct digit"))
        }
        None => {
            let slice = if is_stack { format!(", the smallest in slice {slice}") } else { String::new() };
            (false, format!("reciprocal condition number {qualifier}{text}{slice}"))
        }
    })
}

/// How good the columns of X are: the worst of each figure, and whether that is a warning.
fn describe_accuracy(accuracy: &[Accuracy]) -> Option<(bool, String)> {
    let largest = |figure: fn(&Accuracy) -> f64| accuracy.iter().map(figure).max_by(f64::total_cmp);
    let (forward, backward) = (largest(|a| a.forward)?, largest(|a| a.backward)?);
    let steps = accuracy.iter().map(|a| a.steps).max()?;
    let steps = format!("{steps} step{} of refinement", if steps == 1 { "" } else { "s" });
    let known = if forward.is_finite() {
        format!("relative error of X at most {}", rounded(forward))
    } else {
        "no bound of the error of X is known".into()
    };
    Some((!forward.is_finite(), format!("{known}, backward error {}, {steps}", rounded(backward))))
}

/// In which precision the matrices were factored.
fn describe_steps(is_stack: bool, steps: &[i64]) -> Option<String> {
    let most = *steps.iter().max()?;
    let in_f32 = format!("factored in f32, {most} step{} of refinement", if most == 1 { "" } else { "s" });
    Some(match slices_where(steps, |&steps| steps < 0) {
        None => in_f32,
        Some(_) if !is_stack || most < 0 => "factored in f64, since f32 was not enough".into(),
        Some(slices) => format!("{in_f32}; in f64 where that was not enough, {slices}"),
    })
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

/// A number with as many digits as matter.
pub(super) fn rounded(x: f64) -> String {
    let mut text = String::new();
    push_rounded(&mut text, x, DIGITS);
    text
}
