//! GETRI: the inverse from the factors. Source of the argument checks: `DGETRI` of LAPACK 3.12.

use library::{Element, inverse};

use super::arguments::{Illegal, Integer, Integers, Matrix, allocated, report};
use super::options;
use super::xerbla::routine;

/// A^-1 in place of the factors; the arguments are DGETRI's. No part of WORK but its first element is used: an LWORK of n is
/// the best one.
///
/// # Safety
/// - Pointers that are not NULL are valid for the sizes.
/// - Nothing else uses that memory during the call.
unsafe fn getri<T: Element>(n: i64, a: Matrix<T>, ipiv: Integers, work: *mut T, lwork: i64) -> Result<i64, Illegal> {
    let needed = n.max(1);
    if !work.is_null() {
        // SAFETY: not NULL, and the caller vouches for at least one element.
        unsafe { work.write_unaligned(T::rounded(needed as f64)) };
    }
    match () {
        _ if n < 0 => return Err(Illegal(1)),
        _ if a.is_narrow(n) => return Err(Illegal(3)),
        _ if lwork < needed && lwork != -1 => return Err(Illegal(6)),
        _ if lwork == -1 || n == 0 => return Ok(0),
        _ => {}
    }
    // SAFETY: the caller's promise.
    let (lu, ipiv) = unsafe { (a.exclusive(n, n, 2)?, ipiv.rows(n, 4)?) };
    allocated(inverse(lu, &ipiv, &options()))
}

/// DGETRI's arguments as Fortran passes them; returns the number of an illegal one, or 0.
///
/// # Safety
/// As LAPACK says: every pointer is valid for what the sizes say.
unsafe extern "C" fn getri_by_reference<T: Element, I: Integer>(
    n: *const I,
    a: *mut T,
    lda: *const I,
    ipiv: *const I,
    work: *mut T,
    lwork: *const I,
    info: *mut I,
) -> i64 {
    // SAFETY: the caller's promise.
    unsafe {
        let a = Matrix::new(a, (*lda).into());
        report(getri((*n).into(), a, Integers::new(ipiv), work, (*lwork).into()), info)
    }
}

/// The routine of one precision and one kind of integer.
macro_rules! routines {
    ($t:ty, $i:ty: $getri:ident = $name:literal) => {
        routine!($getri = getri_by_reference::<$t, $i>, $name, $i, "0":
            (n: *const $i, a: *mut $t, lda: *const $i, ipiv: *const $i, work: *mut $t, lwork: *const $i, info: *mut $i));
    };
}

routines!(f64, i32: dgetri_ = "DGETRI");
routines!(f32, i32: sgetri_ = "SGETRI");
routines!(f64, i64: dgetri_64_ = "DGETRI");
routines!(f32, i64: sgetri_64_ = "SGETRI");
