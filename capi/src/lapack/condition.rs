//! GECON: how ill-conditioned a factored matrix is. Source of the argument checks: `DGECON` of LAPACK 3.11. (Later ones give an
//! `info` other than 0 for an `anorm` that is infinite or NaN; `rcond` is the same.)

use std::ffi::c_char;

use library::{Element, rcond};

use super::arguments::{Illegal, Integer, Matrix, allocated, array, report};
use super::options;
use super::xerbla::routine;
use crate::condition::norm;

/// 1 / (|A| |A^-1|) from the factors; the arguments are DGECON's.
///
/// # Safety
/// - Pointers that are not NULL are valid for the sizes.
/// - Nothing else writes to that memory during the call.
unsafe fn gecon<T: Element>(norm: c_char, n: i64, a: Matrix<T>, anorm: f64, result: *mut T) -> Result<i64, Illegal> {
    let norm = self::norm(norm).ok_or(Illegal(1))?;
    match () {
        _ if n < 0 => return Err(Illegal(2)),
        _ if a.is_narrow(n) => return Err(Illegal(4)),
        _ if anorm < 0.0 => return Err(Illegal(5)),
        _ if result.is_null() => return Err(Illegal(6)),
        _ => {}
    }
    // SAFETY: the caller's promise.
    let lu = unsafe { a.shared(n, n, 3)? };
    // GECON is not told the row swaps. They change the order of the columns of A^-1, and neither of the norms.
    let mut ipiv = array(n as usize, 0)?;
    ipiv.iter_mut().zip(1..).for_each(|(row, i)| *row = i);
    let rcond = allocated(rcond(norm, lu, &ipiv, anorm, &options()))?;
    // SAFETY: not NULL, and the caller vouches for one number.
    unsafe { result.write_unaligned(T::rounded(rcond)) };
    Ok(0)
}

/// DGECON's arguments as Fortran passes them; returns the number of an illegal one, or 0. WORK and IWORK are not used.
///
/// # Safety
/// As LAPACK says: every pointer is valid for what the sizes say.
#[allow(clippy::too_many_arguments)] // LAPACK's own argument list
unsafe extern "C" fn gecon_by_reference<T: Element, I: Integer>(
    norm: *const c_char,
    n: *const I,
    a: *const T,
    lda: *const I,
    anorm: *const T,
    rcond: *mut T,
    _work: *mut T,
    _iwork: *mut I,
    info: *mut I,
) -> i64 {
    // SAFETY: the caller's promise.
    unsafe { report(gecon(*norm, (*n).into(), Matrix::new(a, (*lda).into()), (*anorm).to_f64(), rcond), info) }
}

/// The routine of one precision and one kind of integer.
macro_rules! routines {
    ($t:ty, $i:ty: $gecon:ident = $name:literal) => {
        routine!($gecon = gecon_by_reference::<$t, $i>, $name, $i, "0,1,2":
            (norm: *const c_char, n: *const $i, a: *const $t, lda: *const $i, anorm: *const $t, rcond: *mut $t,
             work: *mut $t, iwork: *mut $i, info: *mut $i));
    };
}

routines!(f64, i32: dgecon_ = "DGECON");
routines!(f32, i32: sgecon_ = "SGECON");
routines!(f64, i64: dgecon_64_ = "DGECON");
routines!(f32, i64: sgecon_64_ = "SGECON");
