//! GERFS: solutions made better, and bounds of their errors. Residuals are computed in twice the precision, so solutions are
//! better than LAPACK's. Source of the argument checks: `DGERFS` of LAPACK 3.12.

use std::ffi::c_char;

use library::{Accuracy, Element, Factored, MatrixMut, MatrixRef, Refinement, Transpose, refine};

use super::arguments::{Illegal, Integer, Integers, Matrix, allocated, array, report};
use super::options;
use super::xerbla::routine;
use crate::arguments::slice_mut;
use crate::transpose;

/// Where the bounds of errors go: FERR and BERR, with an element for each right-hand side.
#[derive(Clone, Copy)]
pub(super) struct Errors<T> {
    pub(super) forward: *mut T,
    pub(super) backward: *mut T,
}

impl<T: Element> Errors<T> {
    /// The arrays; `argument` is the number of FERR, and BERR is the next one.
    ///
    /// # Errors
    /// The number of an array that is NULL or not aligned.
    ///
    /// # Safety
    /// If they are not NULL, they have `nrhs` elements, and nothing else uses those while the slices live.
    pub(super) unsafe fn slices<'a>(self, nrhs: i64, argument: i32) -> Result<[&'a mut [T]; 2], Illegal> {
        // SAFETY: the caller's promise.
        let forward = unsafe { slice_mut(nrhs, self.forward) }.map_err(|_| Illegal(argument))?;
        // SAFETY: the caller vouches for BERR, too.
        let backward = unsafe { slice_mut(nrhs, self.backward) }.map_err(|_| Illegal(argument + 1))?;
        Ok([forward, backward])
    }
}

/// Refines X, and writes the bounds of its errors to FERR and BERR.
///
/// # Errors
/// That the system refuses memory.
pub(super) fn refine_all<T: Element>(
    transpose: Transpose,
    factored: &Factored<'_, T>,
    b: MatrixRef<'_, T>,
    x: MatrixMut<'_, T>,
    [forward, backward]: [&mut [T]; 2],
) -> Result<(), Illegal> {
    let mut accuracy = array(b.ncols(), Accuracy::UNKNOWN)?;
    let refinement = Refinement::new().bounds(true).rounded_data(true);
    allocated(refine(transpose, factored, b, x, &mut accuracy, &refinement, &options()))?;
    for ((forward, backward), accuracy) in forward.iter_mut().zip(backward).zip(accuracy) {
        *forward = T::rounded(accuracy.forward);
        *backward = T::rounded(accuracy.backward);
    }
    Ok(())
}

/// What belongs to solutions: A and its factors, and B.
struct System<T> {
    trans: c_char,
    n: i64,
    nrhs: i64,
    a: Matrix<T>,
    af: Matrix<T>,
    ipiv: Integers,
    b: Matrix<T>,
}

/// Refines X; the arguments are DGERFS's.
///
/// # Safety
/// - Pointers that are not NULL are valid for the sizes.
/// - Nothing else uses that memory during the call.
unsafe fn gerfs<T: Element>(system: &System<T>, x: Matrix<T>, errors: Errors<T>) -> Result<i64, Illegal> {
    let &System { trans, n, nrhs, a, af, ipiv, b } = system;
    let transpose = transpose(trans).ok_or(Illegal(1))?;
    match () {
        _ if n < 0 => return Err(Illegal(2)),
        _ if nrhs < 0 => return Err(Illegal(3)),
        _ if a.is_narrow(n) => return Err(Illegal(5)),
        _ if af.is_narrow(n) => return Err(Illegal(7)),
        _ if b.is_narrow(n) => return Err(Illegal(10)),
        _ if x.is_narrow(n) => return Err(Illegal(12)),
        _ if nrhs == 0 => return Ok(0),
        _ => {}
    }
    // SAFETY: the caller's promise.
    let (a, lu, ipiv) = unsafe { (a.shared(n, n, 4)?, af.shared(n, n, 6)?, ipiv.rows(n, 8)?) };
    // SAFETY: the caller vouches for B, X, FERR and BERR, which do not overlap.
    let (b, x, errors) = unsafe { (b.shared(n, nrhs, 9)?, x.exclusive(n, nrhs, 11)?, errors.slices(nrhs, 13)?) };
    refine_all(transpose, &Factored { a, lu, ipiv: &ipiv }, b, x, errors)?;
    Ok(0)
}

/// DGERFS's arguments as Fortran passes them; returns the number of an illegal one, or 0. WORK and IWORK are not used.
///
/// # Safety
/// As LAPACK says: every pointer is valid for what the sizes say.
#[allow(clippy::too_many_arguments)] // LAPACK's own argument list
unsafe extern "C" fn gerfs_by_reference<T: Element, I: Integer>(
    trans: *const c_char,
    n: *const I,
    nrhs: *const I,
    a: *const T,
    lda: *const I,
    af: *const T,
    ldaf: *const I,
    ipiv: *const I,
    b: *const T,
    ldb: *const I,
    x: *mut T,
    ldx: *const I,
    ferr: *mut T,
    berr: *mut T,
    _work: *mut T,
    _iwork: *mut I,
    info: *mut I,
) -> i64 {
    // SAFETY: the caller's promise.
    unsafe {
        let (n, nrhs) = ((*n).into(), (*nrhs).into());
        let (a, af) = (Matrix::new(a, (*lda).into()), Matrix::new(af, (*ldaf).into()));
        let (b, x) = (Matrix::new(b, (*ldb).into()), Matrix::new(x, (*ldx).into()));
        let system = System { trans: *trans, n, nrhs, a, af, ipiv: Integers::new(ipiv), b };
        report(gerfs(&system, x, Errors { forward: ferr, backward: berr }), info)
    }
}

/// The routine of one precision and one kind of integer.
macro_rules! routines {
    ($t:ty, $i:ty: $gerfs:ident = $name:literal) => {
        routine!($gerfs = gerfs_by_reference::<$t, $i>, $name, $i, "0,1,2,3,4,5,6,7,8,9,10":
            (trans: *const c_char, n: *const $i, nrhs: *const $i, a: *const $t, lda: *const $i, af: *const $t,
             ldaf: *const $i, ipiv: *const $i, b: *const $t, ldb: *const $i, x: *mut $t, ldx: *const $i, ferr: *mut $t,
             berr: *mut $t, work: *mut $t, iwork: *mut $i, info: *mut $i));
    };
}

routines!(f64, i32: dgerfs_ = "DGERFS");
routines!(f32, i32: sgerfs_ = "SGERFS");
routines!(f64, i64: dgerfs_64_ = "DGERFS");
routines!(f32, i64: sgerfs_64_ = "SGERFS");
