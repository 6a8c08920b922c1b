//! Strips of columns that threads take in turn.

use std::sync::{Mutex, PoisonError};

use super::monitor::Monitor;
use crate::element::Element;
use crate::matrix::MatrixMut;
use crate::team;

/// Calls `work` with strips of up to `width` columns of A, together all of them, on up to `threads` threads, and with the number of
/// the first column of each; `flops` is about how many operations that is. If it is cancelled, strips are left out.
pub(super) fn for_strips<T: Element>(
    a: MatrixMut<'_, T>,
    width: usize,
    (threads, flops): (usize, f64),
    monitor: Option<&Monitor>,
    work: &(dyn Fn(usize, MatrixMut<'_, T>) + Sync),
) {
    let rest = Mutex::new((0, Some(a)));
    let job = || {
        while let Some((first, strip)) = next_strip(&rest, width) {
            if monitor.is_some_and(Monitor::is_cancelled) {
                break;
            }
            work(first, strip);
        }
    };
    team::run(threads, flops, &mut &job, &job);
}

/// Takes up to `width` of the columns that are left, of which the number of the first one is known.
fn next_strip<'a, T: Element>(
    rest: &Mutex<(usize, Option<MatrixMut<'a, T>>)>,
    width: usize,
) -> Option<(usize, MatrixMut<'a, T>)> {
    let mut rest = rest.lock().unwrap_or_else(PoisonError::into_inner);
    let columns = rest.1.take().filter(|columns| columns.ncols() > 0)?;
    let (first, width) = (rest.0, width.min(columns.ncols()));
    let (strip, later) = columns.split_at_col(width);
    *rest = (first + width, Some(later));
    Some((first, strip))
}
