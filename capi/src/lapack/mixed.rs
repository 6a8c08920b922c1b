//! DSGESV: systems in f64 that are solved with factors in f32. Source of the argument checks: `DSGESV` of LAPACK 3.12.

use library::{Mixed, gesv_mixed};

use super::arguments::{Illegal, Integer, Integers, Matrix, array, checked, report};
use super::xerbla::routine;
use super::{gesv, options};

/// LAPACK's ITER if A was factored in f64. It has other numbers for some reasons; the library does not tell them.
const FELL_BACK: i64 = -1;

/// A X = B; the arguments are DSGESV's. Also returns ITER.
///
/// # Safety
/// - Pointers that are not NULL are valid for the sizes.
/// - Nothing else uses that memory during the call.
unsafe fn dsgesv(
    n: i64,
    nrhs: i64,
    a: Matrix<f64>,
    ipiv: Integers,
    b: Matrix<f64>,
    x: Matrix<f64>,
) -> Result<(i64, i64), Illegal> {
    match () {
        _ if n < 0 => return Err(Illegal(1)),
        _ if nrhs < 0 => return Err(Illegal(2)),
        _ if a.is_narrow(n) => return Err(Illegal(4)),
        _ if b.is_narrow(n) => return Err(Illegal(7)),
        _ if x.is_narrow(n) => return Err(Illegal(9)),
        _ if n == 0 => return Ok((0, 0)),
        _ if ipiv.start.is_null() => return Err(Illegal(5)),
        _ => {}
    }
    // SAFETY: the caller's promise.
    let (coefficients, from, to) = unsafe { (a.exclusive(n, n, 3)?, b.shared(n, nrhs, 6)?, x.exclusive(n, nrhs, 8)?) };
    let Ok(mut rows) = array(n as usize, 0) else {
        for j in 0..nrhs {
            // SAFETY: the views above have been checked, and are not used any more; B and X do not overlap.
            unsafe { x.column_mut(n, j).copy_from_slice(b.column(n, j)) };
        }
        // SAFETY: the caller vouches for A, ipiv and X.
        return unsafe { gesv(n, nrhs, a.start, a.ld, ipiv, x.start, x.ld) }.map(|info| (info, FELL_BACK));
    };
    let Mixed { info, steps } = checked(gesv_mixed(coefficients, &mut rows, from, to, &options()));
    // SAFETY: not NULL, and the caller vouches for n elements.
    rows.into_iter().enumerate().for_each(|(i, row)| unsafe { ipiv.set(i, row) });
    Ok((info, steps.map_or(FELL_BACK, i64::from)))
}

/// DSGESV's arguments as Fortran passes them; returns the number of an illegal one, or 0. WORK and SWORK are not used.
///
/// # Safety
/// As LAPACK says: every pointer is valid for what the sizes say.
#[allow(clippy::too_many_arguments)] // LAPACK's own argument list
unsafe extern "C" fn dsgesv_by_reference<I: Integer>(
    n: *const I,
    nrhs: *const I,
    a: *mut f64,
    lda: *const I,
    ipiv: *mut I,
    b: *const f64,
    ldb: *const I,
    x: *mut f64,
    ldx: *const I,
    _work: *mut f64,
    _swork: *mut f32,
    iter: *mut I,
    info: *mut I,
) -> i64 {
    // SAFETY: the caller's promise.
    unsafe {
        let (a, b, x) = (Matrix::new(a, (*lda).into()), Matrix::new(b, (*ldb).into()), Matrix::new(x, (*ldx).into()));
        let result = dsgesv((*n).into(), (*nrhs).into(), a, Integers::new(ipiv), b, x);
        *iter = I::from_i64(result.as_ref().map_or(0, |&(_, iter)| iter));
        report(result.map(|(info, _)| info), info)
    }
}

/// The routine of one kind of integer.
macro_rules! routines {
    ($i:ty: $dsgesv:ident) => {
        routine!($dsgesv = dsgesv_by_reference::<$i>, "DSGESV", $i, "0,1,2,3,4,5,6":
            (n: *const $i, nrhs: *const $i, a: *mut f64, lda: *const $i, ipiv: *mut $i, b: *const f64, ldb: *const $i,
             x: *mut f64, ldx: *const $i, work: *mut f64, swork: *mut f32, iter: *mut $i, info: *mut $i));
    };
}

routines!(i32: dsgesv_);
routines!(i64: dsgesv_64_);
