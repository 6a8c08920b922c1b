//! `recfact_refine`: solutions made better, and how good they are.

use std::ffi::{c_char, c_int};

use library::{Accuracy, Element, Factored, Options, Refinement};

use crate::arguments::{matrix, matrix_mut, optional_mut, slice, threads};
use crate::export::exported;
use crate::status::Status;
use crate::transpose;

/// A flag of the header.
const BOUNDS: c_int = 0x1;

/// `recfact_accuracy` of the header.
#[repr(C)]
pub(crate) struct CAccuracy {
    backward: f64,
    forward: f64,
    steps: i64,
}

/// What the solutions belong to, as C gives it.
struct System<T> {
    trans: c_char,
    n: i64,
    nrhs: i64,
    a: (*const T, i64),
    lu: (*const T, i64),
    ipiv: *const i64,
    b: (*const T, i64),
}

/// Refines X, as the header says.
///
/// # Safety
/// - Pointers that are not NULL are valid for the sizes that the header gives.
/// - Nothing else uses that memory during the call.
unsafe fn refine<T: Element>(
    system: &System<T>,
    x: (*mut T, i64),
    max_steps: i64,
    flags: c_int,
    accuracy: *mut CAccuracy,
    threads: i64,
) -> Result<(), Status> {
    let &System { trans, n, nrhs, a, lu, ipiv, b } = system;
    let transpose = transpose(trans).ok_or(Status::Flag)?;
    if flags & !BOUNDS != 0 {
        return Err(Status::Flag);
    }
    if max_steps < 0 {
        return Err(Status::NegativeSize);
    }
    let max_steps = u32::try_from(max_steps).unwrap_or(u32::MAX);
    let options = Options::new().threads(self::threads(threads)?);
    // SAFETY: the caller's promise.
    let (a, lu, ipiv) = unsafe { (matrix(n, n, a.0, a.1)?, matrix(n, n, lu.0, lu.1)?, slice(n, ipiv)?) };
    // SAFETY: the caller vouches for B, X and an element of the accuracy for each column, which do not overlap.
    let (b, x, to) =
        unsafe { (matrix(n, nrhs, b.0, b.1)?, matrix_mut(n, nrhs, x.0, x.1)?, optional_mut(nrhs, accuracy)?) };
    // Nobody reads what is not stored.
    let bounds = flags & BOUNDS != 0 && to.is_some();
    let refinement = Refinement::new().max_steps(max_steps).judged(to.is_some()).bounds(bounds);
    if n == 0 && to.is_none() {
        return Ok(());
    }
    let mut accuracy = Vec::new();
    accuracy.try_reserve_exact(b.ncols()).map_err(|_| Status::OutOfMemory)?;
    accuracy.resize(b.ncols(), Accuracy::UNKNOWN);
    library::refine(transpose, &Factored { a, lu, ipiv }, b, x, &mut accuracy, &refinement, &options)?;
    for (to, Accuracy { backward, forward, steps }) in to.into_iter().flatten().zip(accuracy) {
        *to = CAccuracy { backward, forward, steps: steps.into() };
    }
    Ok(())
}

exported!(recfact_refine_f64, recfact_refine_f32:
(trans: c_char, n: i64, nrhs: i64, a: *const T, lda: i64, lu: *const T, ldlu: i64, ipiv: *const i64, b: *const T,
 ldb: i64, x: *mut T, ldx: i64, max_steps: i64, flags: c_int, accuracy: *mut CAccuracy, threads: i64) => {
    let system = System { trans, n, nrhs, a: (a, lda), lu: (lu, ldlu), ipiv, b: (b, ldb) };
    refine(&system, (x, ldx), max_steps, flags, accuracy, threads)
});
