//! What the functions on batches do, for callers that may watch and cancel it.

use super::determinant::Determinant;
use super::job::{Block, Job, RightHandSides};
use super::{BatchSystem, Coefficients, Solution, Swaps, check_right_hand_sides, results, same_shape, square};
use crate::batch::{BatchMut, BatchRef};
use crate::element::Element;
use crate::error::Error;
use crate::lu::ipiv::are_rows;
use crate::lu::monitor::Monitor;
use crate::options::{Options, Transpose};

/// [`factor_batch`](super::factor_batch).
pub(crate) fn factor_batch_with<T: Element>(
    a: Coefficients<'_, T>,
    swaps: Swaps<'_>,
    info: &mut [i64],
    options: &Options,
    monitor: Option<&Monitor>,
) -> Result<(), Error> {
    let mut job = Job::factor(a, swaps, info, options)?;
    run(&mut job, options, monitor)
}

/// [`solve_batch`](super::solve_batch).
pub(crate) fn solve_batch_with<T: Element>(
    transpose: Transpose,
    lu: BatchRef<'_, T>,
    ipiv: &[i64],
    b: BatchMut<'_, T>,
    options: &Options,
    monitor: Option<&Monitor>,
) -> Result<(), Error> {
    let geometry = lu.geometry();
    let n = check_right_hand_sides(geometry, b.geometry())?;
    let expected = geometry.count() * n;
    let swaps = ipiv.get(..expected).ok_or(Error::BatchResults { name: "ipiv", expected, found: ipiv.len() })?;
    if let Some(at) = first_bad_row(swaps, n) {
        return Err(Error::Pivot { index: at % n + 1, row: swaps[at], m: n });
    }
    let mut job = Job::new(Block::shared(lu), options)?;
    job.given = Some(swaps.as_ptr());
    job.transposed = transpose.is_transposed();
    job.x = Some(RightHandSides { block: Block::mutable(b), is_identity: false });
    run(&mut job, options, monitor)
}

/// [`system_batch`](super::system_batch).
pub(crate) fn system_batch_with<T: Element>(
    a: Coefficients<'_, T>,
    swaps: Swaps<'_>,
    system: BatchSystem<'_, T>,
    info: &mut [i64],
    options: &Options,
    monitor: Option<&Monitor>,
) -> Result<(), Error> {
    let (x, is_identity) = match system.x {
        Solution::Of(b) => (b, false),
        Solution::Inverse(inverse) => (inverse, true),
    };
    let mut job = Job::factor(a, swaps, info, options)?;
    let geometry = job.a.geometry;
    let n = check_right_hand_sides(geometry, x.geometry())?;
    if is_identity {
        same_shape("the inverses", geometry, x.geometry())?;
    }
    if let Some(rcond) = system.rcond {
        job.rcond = Some(results("rcond", rcond, geometry.count())?.as_mut_ptr());
    }
    job.transposed = system.transpose.is_transposed();
    job.x = (n > 0).then(|| RightHandSides { block: Block::mutable(x), is_identity });
    run(&mut job, options, monitor)
}

/// [`det_batch`](super::det_batch).
pub(crate) fn det_batch_with<T: Element>(
    a: BatchRef<'_, T>,
    det: &mut [Determinant],
    options: &Options,
    monitor: Option<&Monitor>,
) -> Result<(), Error> {
    square(a.geometry())?;
    let det = results("det", det, a.geometry().count())?;
    let mut job = Job::new(Block::shared(a), options)?;
    job.det = Some(det.as_mut_ptr());
    run(&mut job, options, monitor)
}

/// The first of these row swaps that names no row of a matrix of order `n`.
pub(crate) fn first_bad_row(ipiv: &[i64], n: usize) -> Option<usize> {
    (0..ipiv.len()).find(|&at| !are_rows(&ipiv[at..=at], n))
}

/// Does a job; in a way that takes longer and less memory, if there is none for the usual one.
fn run<'k, T: Element>(job: &mut Job<'k, T>, options: &Options, monitor: Option<&'k Monitor>) -> Result<(), Error> {
    let geometry = job.a.geometry;
    if geometry.count() == 0 {
        // Then the other sizes may be any numbers.
        return Ok(());
    }
    if geometry.nrows().min(geometry.ncols()) == 0 {
        job.answer_empty();
        return Ok(());
    }
    job.recursion.monitor = monitor;
    if !job.run(options.threads) {
        (job.across, job.may_join) = (None, false);
        if !job.run(options.threads) {
            return Err(Error::OutOfMemory { bytes: job.memory_bytes() });
        }
    }
    Monitor::check(monitor)
}
