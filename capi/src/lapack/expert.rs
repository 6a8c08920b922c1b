//! GESVX: a system with everything about it. A is scaled if that is asked for, factored, and judged; the solution is refined, and
//! its error bounded. Source of the argument checks and of the order of the steps: `DGESVX` of LAPACK 3.12.

use std::ffi::c_char;

use library::{Element, Factored, Norm, Transpose, factor, norm, rcond, solve};

use super::arguments::{Illegal, Integer, Integers, Matrix, allocated, array, checked, report};
use super::equilibrate::{Ratios, Scaled, geequ, laqge, ratio};
use super::options;
use super::refine::{Errors, refine_all};
use super::xerbla::routine;
use crate::arguments::{slice, slice_mut};
use crate::transpose;

/// DGESVX's arguments, except those that choose what is done.
struct Arguments<T> {
    n: i64,
    nrhs: i64,
    a: Matrix<T>,
    af: Matrix<T>,
    ipiv: Integers,
    equed: *mut c_char,
    r: *mut T,
    c: *mut T,
    b: Matrix<T>,
    x: Matrix<T>,
    rcond: *mut T,
    errors: Errors<T>,
    work: *mut T,
}

/// What FACT says is known of A.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Known {
    /// A itself: 'N', or 'E' if it is to be scaled.
    Matrix { is_to_be_scaled: bool },
    /// Its factors as well, and its scales: 'F'.
    Factors,
}

/// How A has been scaled, and how much the scales differ.
struct Scaling<T> {
    scaled: Scaled,
    ratios: Ratios<T>,
}

impl<T: Element> Arguments<T> {
    /// LAPACK's checks from N on, in its order.
    ///
    /// # Safety
    /// Pointers that are not NULL are valid for the sizes.
    unsafe fn check(&self, known: Known) -> Result<Scaling<T>, Illegal> {
        let n = self.n;
        match () {
            _ if n < 0 => return Err(Illegal(3)),
            _ if self.nrhs < 0 => return Err(Illegal(4)),
            _ if self.a.is_narrow(n) => return Err(Illegal(6)),
            _ if self.af.is_narrow(n) => return Err(Illegal(8)),
            _ => {}
        }
        let mut scaled = Scaled::NOT;
        let mut ratios = Ratios::EQUAL;
        if known == Known::Factors {
            // SAFETY: the caller's promise.
            scaled = Scaled::from_letter(unsafe { *self.equed }).ok_or(Illegal(10))?;
            // SAFETY: the caller vouches for R and C, if A has been multiplied by them.
            let ratio = |scales, argument| unsafe { slice(n, scales) }.ok().and_then(ratio).ok_or(Illegal(argument));
            if scaled.rows {
                ratios.rows = ratio(self.r.cast_const(), 11)?;
            }
            if scaled.columns {
                ratios.columns = ratio(self.c.cast_const(), 12)?;
            }
        }
        match () {
            _ if self.b.is_narrow(n) => Err(Illegal(14)),
            _ if self.x.is_narrow(n) => Err(Illegal(16)),
            _ => Ok(Scaling { scaled, ratios }),
        }
    }

    /// Checks the pointers, for which LAPACK has no checks.
    ///
    /// # Safety
    /// As for [`Arguments::check`]. No view lives on.
    unsafe fn check_pointers(&self, known: Known) -> Result<(), Illegal> {
        let (n, nrhs) = (self.n, self.nrhs);
        // SAFETY: the caller's promise.
        unsafe {
            self.a.shared(n, n, 5)?;
            self.af.shared(n, n, 7)?;
            if self.ipiv.start.is_null() && n > 0 {
                return Err(Illegal(9));
            }
            if known == (Known::Matrix { is_to_be_scaled: true }) {
                slice(n, self.r.cast_const()).map_err(|_| Illegal(11))?;
                slice(n, self.c.cast_const()).map_err(|_| Illegal(12))?;
            }
            self.b.shared(n, nrhs, 13)?;
            self.x.shared(n, nrhs, 15)?;
            if self.rcond.is_null() {
                return Err(Illegal(17));
            }
            self.errors.slices(nrhs, 18)?;
        }
        Ok(())
    }

    /// Scales A, if it should be.
    ///
    /// # Safety
    /// All pointers have been checked; nothing else uses A, R and C during the call.
    unsafe fn equilibrate(&self, scaling: &mut Scaling<T>) {
        // SAFETY: the caller's promise.
        unsafe {
            let (Ok(r), Ok(c)) = (slice_mut(self.n, self.r), slice_mut(self.n, self.c)) else { return };
            // A row or a column of zeros leaves A as it is.
            if geequ(self.a, r, c, &mut scaling.ratios).is_ok() {
                scaling.scaled = laqge(self.a, r, c, &scaling.ratios);
            }
        }
    }

    /// Multiplies the rows of B or X by some scales.
    ///
    /// # Safety
    /// All pointers have been checked, and the scales are there; nothing else uses the matrix during the call.
    unsafe fn scale_rows(&self, matrix: Matrix<T>, scales: *mut T) {
        // SAFETY: the caller's promise.
        let Ok(scales) = (unsafe { slice(self.n, scales.cast_const()) }) else { return };
        for j in 0..if self.n == 0 { 0 } else { self.nrhs } {
            // SAFETY: the caller vouches for the matrix, which is n x nrhs; this is the only slice.
            let column = unsafe { matrix.column_mut(self.n, j) };
            column.iter_mut().zip(scales).for_each(|(x, &scale)| *x = scale.mul(*x));
        }
    }

    /// Copies the columns of one matrix to another of `n` rows.
    ///
    /// # Safety
    /// Both pointers have been checked; the matrices do not overlap, and nothing else uses them during the call.
    unsafe fn copy(&self, columns: i64, from: Matrix<T>, to: Matrix<T>) {
        for j in 0..if self.n == 0 { 0 } else { columns } {
            // SAFETY: the caller's promise; j is below the number of columns.
            unsafe { to.column_mut(self.n, j).copy_from_slice(from.column(self.n, j)) };
        }
    }

    /// How much the elements grow in the first `columns` columns: the largest of A, divided by the largest of U.
    ///
    /// # Safety
    /// All pointers have been checked, and nothing writes A and its factors during the call.
    unsafe fn reciprocal_growth(&self, columns: i64) -> T {
        // A NaN is the largest.
        let is_larger = |x: T, largest: T| x > largest || x.partial_cmp(&x).is_none();
        let max = |largest: T, x: &T| if is_larger(x.abs(), largest) { x.abs() } else { largest };
        let (mut a, mut u) = (T::ZERO, T::ZERO);
        for j in 0..columns {
            // SAFETY: the caller's promise; j is below n.
            let (of_a, of_u) = unsafe { (self.a.column(self.n, j), self.af.column(j + 1, j)) };
            (a, u) = (of_a.iter().fold(a, max), of_u.iter().fold(u, max));
        }
        if u == T::ZERO { T::ONE } else { a.div(u) }
    }

    /// Stores RCOND, and the growth in WORK(1).
    ///
    /// # Safety
    /// As for [`Arguments::check`]; `rcond` is not NULL.
    unsafe fn store(&self, rcond: f64, growth: T) {
        // SAFETY: the caller vouches for one number of each.
        unsafe {
            self.rcond.write_unaligned(T::rounded(rcond));
            if !self.work.is_null() {
                self.work.write_unaligned(growth);
            }
        }
    }
}

/// The factors and the row swaps of A: those that are there, or new ones. Returns INFO beside the row swaps.
///
/// # Safety
/// All pointers have been checked; nothing else uses A, its factors and IPIV during the call.
unsafe fn factors<T: Element>(call: &Arguments<T>, known: Known) -> Result<(Vec<i64>, i64), Illegal> {
    if known == Known::Factors {
        // SAFETY: the caller's promise.
        return Ok((unsafe { call.ipiv.rows(call.n, 9) }?, 0));
    }
    let mut rows = array(call.n as usize, 0)?;
    // SAFETY: the caller vouches for the three.
    unsafe {
        call.copy(call.n, call.a, call.af);
        let info = checked(factor(call.af.exclusive(call.n, call.n, 7)?, &mut rows, &options()));
        rows.iter().enumerate().for_each(|(i, &row)| call.ipiv.set(i, row));
        Ok((rows, info))
    }
}

/// A X = B or A^T X = B; the arguments are DGESVX's.
///
/// # Safety
/// - Pointers that are not NULL are valid for the sizes.
/// - Nothing else uses that memory during the call.
unsafe fn gesvx<T: Element>(fact: c_char, trans: c_char, call: &Arguments<T>) -> Result<i64, Illegal> {
    let known = match (fact as u8).to_ascii_uppercase() {
        b'N' => Known::Matrix { is_to_be_scaled: false },
        b'E' => Known::Matrix { is_to_be_scaled: true },
        b'F' => Known::Factors,
        _ => return Err(Illegal(1)),
    };
    let transpose = transpose(trans).ok_or(Illegal(2))?;
    // SAFETY: the caller's promise, here and below; what the pointers point to does not overlap, and no view lives on from one
    // statement to the next.
    let (scaling, rows, info) = unsafe {
        let mut scaling = call.check(known)?;
        call.check_pointers(known)?;
        if known == (Known::Matrix { is_to_be_scaled: true }) {
            call.equilibrate(&mut scaling);
        }
        if known != Known::Factors {
            *call.equed = scaling.scaled.letter();
        }
        // B <- diag(R) B, or diag(C) B
        match transpose {
            Transpose::No if scaling.scaled.rows => call.scale_rows(call.b, call.r),
            Transpose::Yes | Transpose::Conjugate if scaling.scaled.columns => call.scale_rows(call.b, call.c),
            _ => {}
        }
        let (rows, info) = factors(call, known)?;
        (scaling, rows, info)
    };
    if info > 0 {
        // SAFETY: the pointers have been checked.
        unsafe { call.store(0.0, call.reciprocal_growth(info)) };
        return Ok(info);
    }
    // SAFETY: the caller's promise; the pointers have been checked.
    unsafe { solved(call, transpose, &scaling, &rows) }
}

/// Solves with the factors, and stores all that is to be said of the solution. Returns INFO.
///
/// # Safety
/// All pointers have been checked; nothing else uses what they point to during the call.
unsafe fn solved<T: Element>(
    call: &Arguments<T>,
    transpose: Transpose,
    scaling: &Scaling<T>,
    rows: &[i64],
) -> Result<i64, Illegal> {
    let (n, nrhs) = (call.n, call.nrhs);
    // SAFETY: the caller vouches for all matrices, which do not overlap; the views are the only ones.
    unsafe {
        let growth = call.reciprocal_growth(n);
        let (a, lu) = (call.a.shared(n, n, 5)?, call.af.shared(n, n, 7)?);
        let condition = |which| allocated(rcond(which, lu, rows, norm(which, a), &options()));
        // The 1-norm and the infinity norm of the matrix of the system.
        let [one, infinity] = match transpose {
            Transpose::No => [Norm::One, Norm::Infinity],
            _ => [Norm::Infinity, Norm::One],
        };
        let rcond = condition(one)?;
        call.copy(nrhs, call.b, call.x);
        let mut x = call.x.exclusive(n, nrhs, 15)?;
        checked(solve(transpose, lu, rows, x.reborrow(), &options()));
        let errors = call.errors.slices(nrhs, 18)?;
        refine_all(transpose, &Factored { a, lu, ipiv: rows }, call.b.shared(n, nrhs, 13)?, x, errors)?;
        if scaling.scaled != Scaled::NOT {
            unscale(call, transpose, scaling, condition(infinity)?)?;
        }
        call.store(rcond, growth);
        Ok(if rcond < T::PRECISION.to_f64() / 2.0 { n + 1 } else { 0 })
    }
}

/// Makes the solution of a scaled system one of the system that was given: X <- diag(C) X, or diag(R) X.
///
/// The bounds hold for the scaled system, whose elements have been rounded: twice in A, once in B, and X is now. That changes the
/// solution by up to 4 units of rounding, times the condition number in the infinity norm; which may be too small by a factor of two
/// here.
///
/// # Safety
/// All pointers have been checked; nothing else uses X, R, C and the bounds during the call.
unsafe fn unscale<T: Element>(
    call: &Arguments<T>,
    transpose: Transpose,
    scaling: &Scaling<T>,
    rcond: f64,
) -> Result<(), Illegal> {
    let (is_scaled, scales, ratio) = match transpose {
        Transpose::No => (scaling.scaled.columns, call.c, scaling.ratios.columns),
        _ => (scaling.scaled.rows, call.r, scaling.ratios.rows),
    };
    let rounding = T::rounded(4.0 * T::PRECISION.to_f64() / rcond);
    // SAFETY: the caller's promise.
    let [forward, _] = unsafe { call.errors.slices(call.nrhs, 18)? };
    forward.iter_mut().for_each(|forward| *forward = forward.add(rounding));
    if is_scaled {
        // SAFETY: the caller's promise; A has been multiplied by these scales, so they are there.
        unsafe { call.scale_rows(call.x, scales) };
        forward.iter_mut().for_each(|forward| *forward = forward.div(ratio));
    }
    Ok(())
}

/// DGESVX's arguments as Fortran passes them; returns the number of an illegal one, or 0. IWORK is not used, and of WORK only the
/// first element.
///
/// # Safety
/// As LAPACK says: every pointer is valid for what the sizes say.
#[allow(clippy::too_many_arguments)] // LAPACK's own argument list
unsafe extern "C" fn gesvx_by_reference<T: Element, I: Integer>(
    fact: *const c_char,
    trans: *const c_char,
    n: *const I,
    nrhs: *const I,
    a: *mut T,
    lda: *const I,
    af: *mut T,
    ldaf: *const I,
    ipiv: *mut I,
    equed: *mut c_char,
    r: *mut T,
    c: *mut T,
    b: *mut T,
    ldb: *const I,
    x: *mut T,
    ldx: *const I,
    rcond: *mut T,
    ferr: *mut T,
    berr: *mut T,
    work: *mut T,
    _iwork: *mut I,
    info: *mut I,
) -> i64 {
    // SAFETY: the caller's promise.
    unsafe {
        let (n, nrhs) = ((*n).into(), (*nrhs).into());
        let (a, af) = (Matrix::new(a, (*lda).into()), Matrix::new(af, (*ldaf).into()));
        let (b, x) = (Matrix::new(b, (*ldb).into()), Matrix::new(x, (*ldx).into()));
        let (ipiv, errors) = (Integers::new(ipiv), Errors { forward: ferr, backward: berr });
        let call = Arguments { n, nrhs, a, af, ipiv, equed, r, c, b, x, rcond, errors, work };
        report(gesvx(*fact, *trans, &call), info)
    }
}

/// The routine of one precision and one kind of integer.
macro_rules! routines {
    ($t:ty, $i:ty: $gesvx:ident = $name:literal) => {
        routine!($gesvx = gesvx_by_reference::<$t, $i>, $name, $i, "0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15":
            (fact: *const c_char, trans: *const c_char, n: *const $i, nrhs: *const $i, a: *mut $t, lda: *const $i,
             af: *mut $t, ldaf: *const $i, ipiv: *mut $i, equed: *mut c_char, r: *mut $t, c: *mut $t, b: *mut $t,
             ldb: *const $i, x: *mut $t, ldx: *const $i, rcond: *mut $t, ferr: *mut $t, berr: *mut $t, work: *mut $t,
             iwork: *mut $i, info: *mut $i));
    };
}

routines!(f64, i32: dgesvx_ = "DGESVX");
routines!(f32, i32: sgesvx_ = "SGESVX");
routines!(f64, i64: dgesvx_64_ = "DGESVX");
routines!(f32, i64: sgesvx_64_ = "SGESVX");
