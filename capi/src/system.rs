//! `recfact_gesv` and `recfact_mixed_f64`: systems from the matrix itself; `recfact_inverse`: all solutions at once.

use library::{Element, Options, Transpose, factor, gesv_mixed, solve};

use crate::arguments::{matrix, matrix_mut, output, slice, slice_mut, threads};
use crate::export::exported;
use crate::status::Status;

/// A X = B with the factors in place of A, as the header says.
///
/// # Safety
/// - Pointers that are not NULL are valid for the sizes that the header gives.
/// - Nothing else uses that memory during the call.
#[allow(clippy::too_many_arguments)] // the header's argument list
unsafe fn gesv<T: Element>(
    n: i64,
    nrhs: i64,
    a: *mut T,
    lda: i64,
    ipiv: *mut i64,
    b: *mut T,
    ldb: i64,
    threads: i64,
    info: *mut i64,
) -> Result<(), Status> {
    let info = output(info)?;
    let options = Options::new().threads(self::threads(threads)?);
    // SAFETY: the caller's promise.
    let (mut a, ipiv, b) = unsafe { (matrix_mut(n, n, a, lda)?, slice_mut(n, ipiv)?, matrix_mut(n, nrhs, b, ldb)?) };
    let result = factor(a.reborrow(), ipiv, &options)?;
    if result == 0 {
        solve(Transpose::No, a.as_ref(), ipiv, b, &options)?;
    }
    // SAFETY: the pointer is not NULL and aligned, and the caller vouches for one element.
    unsafe { *info = result };
    Ok(())
}

/// A X = B with factors in f32 and refinement, as the header says.
///
/// # Safety
/// As for [`gesv`].
#[allow(clippy::too_many_arguments)] // the header's argument list
unsafe fn mixed(
    n: i64,
    nrhs: i64,
    a: *mut f64,
    lda: i64,
    ipiv: *mut i64,
    b: *const f64,
    ldb: i64,
    x: *mut f64,
    ldx: i64,
    threads: i64,
    info: *mut i64,
    steps: *mut i64,
) -> Result<(), Status> {
    let (info, steps) = (output(info)?, output(steps)?);
    let options = Options::new().threads(self::threads(threads)?);
    // SAFETY: the caller's promise.
    let (a, ipiv) = unsafe { (matrix_mut(n, n, a, lda)?, slice_mut(n, ipiv)?) };
    // SAFETY: the caller vouches for B and X, which do not overlap.
    let (b, x) = unsafe { (matrix(n, nrhs, b, ldb)?, matrix_mut(n, nrhs, x, ldx)?) };
    let mixed = gesv_mixed(a, ipiv, b, x, &options)?;
    // SAFETY: both are not NULL and aligned, and the caller vouches for one element of each.
    unsafe {
        *info = mixed.info;
        *steps = mixed.steps.map_or(-1, i64::from);
    }
    Ok(())
}

/// A^-1 in place of the factors, as the header says.
///
/// # Safety
/// As for [`gesv`].
unsafe fn inverse<T: Element>(
    n: i64,
    lu: *mut T,
    lda: i64,
    ipiv: *const i64,
    threads: i64,
    info: *mut i64,
) -> Result<(), Status> {
    let info = output(info)?;
    let options = Options::new().threads(self::threads(threads)?);
    // SAFETY: the caller's promise.
    let (lu, ipiv) = unsafe { (matrix_mut(n, n, lu, lda)?, slice(n, ipiv)?) };
    let result = library::inverse(lu, ipiv, &options)?;
    // SAFETY: not NULL and aligned; the caller vouches for one element.
    unsafe { *info = result };
    Ok(())
}

exported!(recfact_gesv_f64, recfact_gesv_f32:
    (n: i64, nrhs: i64, a: *mut T, lda: i64, ipiv: *mut i64, b: *mut T, ldb: i64, threads: i64, info: *mut i64) =>
    gesv(n, nrhs, a, lda, ipiv, b, ldb, threads, info));
exported!(recfact_inverse_f64, recfact_inverse_f32:
    (n: i64, lu: *mut T, lda: i64, ipiv: *const i64, threads: i64, info: *mut i64) =>
    inverse(n, lu, lda, ipiv, threads, info));
exported!(f64, recfact_mixed_f64,
    (n: i64, nrhs: i64, a: *mut T, lda: i64, ipiv: *mut i64, b: *const T, ldb: i64, x: *mut T, ldx: i64, threads: i64,
     info: *mut i64, steps: *mut i64),
    mixed(n, nrhs, a, lda, ipiv, b, ldb, x, ldx, threads, info, steps));
