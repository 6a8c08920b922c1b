//! `recfact_norm` and `recfact_rcond`: how ill-conditioned a matrix is.

use std::ffi::c_char;

use library::{Element, Norm, Options};

use crate::arguments::{matrix, output, slice};
use crate::export::exported;
use crate::status::Status;

/// LAPACK's NORM: 1 or O, or I, in either case.
pub(crate) fn norm(letter: c_char) -> Option<Norm> {
    match (letter as u8).to_ascii_uppercase() {
        b'1' | b'O' => Some(Norm::One),
        b'I' => Some(Norm::Infinity),
        _ => None,
    }
}

/// |A|, as the header says.
///
/// # Safety
/// - Pointers that are not NULL are valid for the sizes that the header gives.
/// - Nothing else writes to that memory during the call.
unsafe fn norm_of<T: Element>(
    norm: c_char,
    m: i64,
    n: i64,
    a: *const T,
    lda: i64,
    result: *mut f64,
) -> Result<(), Status> {
    let result = output(result)?;
    let norm = self::norm(norm).ok_or(Status::Flag)?;
    // SAFETY: the caller's promise.
    let a = unsafe { matrix(m, n, a, lda)? };
    // SAFETY: the pointer is not NULL and aligned, and the caller vouches for one number.
    unsafe { *result = library::norm(norm, a) };
    Ok(())
}

/// 1 / (|A| |A^-1|) from the factors, as the header says.
///
/// # Safety
/// As for [`norm_of`].
unsafe fn rcond<T: Element>(
    norm: c_char,
    n: i64,
    lu: *const T,
    lda: i64,
    ipiv: *const i64,
    anorm: f64,
    result: *mut f64,
) -> Result<(), Status> {
    let result = output(result)?;
    let norm = self::norm(norm).ok_or(Status::Flag)?;
    if anorm < 0.0 {
        return Err(Status::NegativeSize);
    }
    // SAFETY: the caller's promise.
    let (lu, ipiv) = unsafe { (matrix(n, n, lu, lda)?, slice(n, ipiv)?) };
    let rcond = library::rcond(norm, lu, ipiv, anorm, &Options::new())?;
    // SAFETY: not NULL and aligned; the caller vouches for one number.
    unsafe { *result = rcond };
    Ok(())
}

exported!(recfact_norm_f64, recfact_norm_f32:
    (norm: c_char, m: i64, n: i64, a: *const T, lda: i64, result: *mut f64) => norm_of(norm, m, n, a, lda, result));
exported!(recfact_rcond_f64, recfact_rcond_f32:
    (norm: c_char, n: i64, lu: *const T, lda: i64, ipiv: *const i64, anorm: f64, result: *mut f64) =>
    rcond(norm, n, lu, lda, ipiv, anorm, result));
