//! GEEQU and LAQGE: scales for the rows and columns of a matrix, and what they make of it. Source of the rules: `DGEEQU` and
//! `DLAQGE` of LAPACK 3.12.

use std::ffi::c_char;

use library::Element;

use super::arguments::{Illegal, Integer, Matrix, report};
use super::xerbla::routine;
use crate::arguments::slice_mut;

/// A matrix is scaled if the smallest scale is less than this part of the largest.
const THRESHOLD: f64 = 0.1;

/// What GEEQU tells about the scales.
#[derive(Clone, Copy)]
pub(super) struct Ratios<T> {
    /// The smallest scale of a row, divided by the largest (ROWCND).
    pub(super) rows: T,
    /// The same for columns (COLCND).
    pub(super) columns: T,
    /// The largest magnitude in the matrix (AMAX).
    pub(super) amax: T,
}

impl<T: Element> Ratios<T> {
    /// Of a matrix that needs no scales.
    pub(super) const EQUAL: Ratios<T> = Ratios { rows: T::ONE, columns: T::ONE, amax: T::ZERO };
}

/// Which scales a matrix has been multiplied by (EQUED).
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) struct Scaled {
    pub(super) rows: bool,
    pub(super) columns: bool,
}

impl Scaled {
    pub(super) const NOT: Scaled = Scaled { rows: false, columns: false };

    pub(super) fn from_letter(letter: c_char) -> Option<Self> {
        let (rows, columns) = match (letter as u8).to_ascii_uppercase() {
            b'N' => (false, false),
            b'R' => (true, false),
            b'C' => (false, true),
            b'B' => (true, true),
            _ => return None,
        };
        Some(Scaled { rows, columns })
    }

    pub(super) fn letter(self) -> c_char {
        let letter = match (self.rows, self.columns) {
            (false, false) => b'N',
            (true, false) => b'R',
            (false, true) => b'C',
            (true, true) => b'B',
        };
        letter as c_char
    }
}

/// The largest scale.
fn largest_scale<T: Element>() -> T {
    T::ONE.div(T::SAFE_MIN)
}

/// The smallest of two numbers; the second, if the first is NaN.
fn min<T: Element>(x: T, y: T) -> T {
    if x < y { x } else { y }
}

/// The largest of two numbers; the second, if the first is NaN.
fn max<T: Element>(x: T, y: T) -> T {
    if x > y { x } else { y }
}

/// The smallest of some scales, divided by the largest; `None` if one is not positive.
pub(super) fn ratio<T: Element>(scales: &[T]) -> Option<T> {
    let least = scales.iter().fold(largest_scale(), |least, &x| min(x, least));
    let largest = scales.iter().fold(T::ZERO, |largest, &x| max(x, largest));
    match scales.len() {
        _ if least <= T::ZERO => None,
        0 => Some(T::ONE),
        _ => Some(max(least, T::SAFE_MIN).div(min(largest, largest_scale()))),
    }
}

/// Makes scales of magnitudes: their reciprocals. Returns the ratio of the smallest magnitude to the largest.
///
/// # Errors
/// The first index of a zero, counted from 1.
fn invert<T: Element>(magnitudes: &mut [T]) -> Result<T, i64> {
    if let Some(zero) = magnitudes.iter().position(|&x| x == T::ZERO) {
        return Err(zero as i64 + 1);
    }
    let ratio = ratio(magnitudes).unwrap_or(T::ZERO);
    for x in magnitudes {
        *x = T::ONE.div(min(max(*x, T::SAFE_MIN), largest_scale()));
    }
    Ok(ratio)
}

/// Scales R and C such that the largest magnitude in each row and column of diag(R) A diag(C) is 1; `ratios` holds what is known
/// if a row or column of zeros ends the computation.
///
/// # Errors
/// The number of the first row of zeros, counted from 1; or m plus that of a column.
///
/// # Safety
/// - A view of the m x n matrix has been made, so that its pointer has been checked.
/// - Nothing writes to the matrix during the call.
pub(super) unsafe fn geequ<T: Element>(
    a: Matrix<T>,
    r: &mut [T],
    c: &mut [T],
    ratios: &mut Ratios<T>,
) -> Result<(), i64> {
    let (m, n) = (r.len() as i64, c.len() as i64);
    *ratios = Ratios::EQUAL;
    if m == 0 || n == 0 {
        return Ok(());
    }
    // SAFETY: the caller's promise; j is below n.
    let column = |j: usize| unsafe { a.column(m, j as i64) }.iter().map(|x| x.abs());
    r.fill(T::ZERO);
    for j in 0..c.len() {
        r.iter_mut().zip(column(j)).for_each(|(r, x)| *r = max(x, *r));
    }
    ratios.amax = r.iter().fold(T::ZERO, |largest, &x| max(x, largest));
    ratios.rows = invert(r)?;
    for (j, c) in c.iter_mut().enumerate() {
        *c = column(j).zip(&*r).fold(T::ZERO, |largest, (x, &r)| max(x.mul(r), largest));
    }
    ratios.columns = invert(c).map_err(|at| m + at)?;
    Ok(())
}

/// A <- diag(R) A diag(C), or with one of the two, or A as it is: whatever the ratios are worth.
///
/// # Safety
/// - A view of the m x n matrix has been made, so that its pointer has been checked.
/// - Nothing else uses the matrix during the call.
pub(super) unsafe fn laqge<T: Element>(a: Matrix<T>, r: &[T], c: &[T], ratios: &Ratios<T>) -> Scaled {
    let (m, n) = (r.len() as i64, c.len() as i64);
    if m == 0 || n == 0 {
        return Scaled::NOT;
    }
    let small = T::SAFE_MIN.div(T::PRECISION);
    let is_in_range = ratios.amax >= small && ratios.amax <= T::ONE.div(small);
    let are_alike = |ratio: T| ratio >= T::rounded(THRESHOLD);
    let scaled = Scaled { rows: !(are_alike(ratios.rows) && is_in_range), columns: !are_alike(ratios.columns) };
    if scaled == Scaled::NOT {
        return Scaled::NOT;
    }
    for (j, &c) in c.iter().enumerate() {
        let c = if scaled.columns { c } else { T::ONE };
        // SAFETY: the caller's promise; j is below n, and this is the only slice.
        for (x, &r) in unsafe { a.column_mut(m, j as i64) }.iter_mut().zip(r) {
            *x = if scaled.rows { c.mul(r) } else { c }.mul(*x);
        }
    }
    scaled
}

/// DGEEQU's arguments as Fortran passes them; returns the number of an illegal one, or 0.
///
/// # Safety
/// As LAPACK says: every pointer is valid for what the sizes say.
#[allow(clippy::too_many_arguments)] // LAPACK's own argument list
unsafe extern "C" fn geequ_by_reference<T: Element, I: Integer>(
    m: *const I,
    n: *const I,
    a: *const T,
    lda: *const I,
    r: *mut T,
    c: *mut T,
    rowcnd: *mut T,
    colcnd: *mut T,
    amax: *mut T,
    info: *mut I,
) -> i64 {
    let checked = || {
        // SAFETY: the caller's promise.
        let (m, n, a) = unsafe { ((*m).into(), (*n).into(), Matrix::new(a, (*lda).into())) };
        match () {
            _ if m < 0 => return Err(Illegal(1)),
            _ if n < 0 => return Err(Illegal(2)),
            _ if a.is_narrow(m) => return Err(Illegal(4)),
            _ => {}
        }
        let mut ratios = Ratios::EQUAL;
        // SAFETY: the caller vouches for A, R and C, which do not overlap, and for the three numbers.
        unsafe {
            a.shared(m, n, 3)?;
            let r = slice_mut(m, r).map_err(|_| Illegal(5))?;
            let c = slice_mut(n, c).map_err(|_| Illegal(6))?;
            let info = geequ(a, r, c, &mut ratios).err().unwrap_or(0);
            *rowcnd = ratios.rows;
            *colcnd = ratios.columns;
            *amax = ratios.amax;
            Ok(info)
        }
    };
    // SAFETY: the caller vouches for INFO.
    unsafe { report(checked(), info) }
}

/// DLAQGE's arguments as Fortran passes them. It refuses nothing; what it cannot scale stays as it is.
///
/// # Safety
/// As for [`geequ_by_reference`].
#[allow(clippy::too_many_arguments)] // LAPACK's own argument list
unsafe fn laqge_by_reference<T: Element, I: Integer>(
    m: *const I,
    n: *const I,
    a: *mut T,
    lda: *const I,
    r: *const T,
    c: *const T,
    rowcnd: *const T,
    colcnd: *const T,
    amax: *const T,
    equed: *mut c_char,
) {
    // SAFETY: the caller's promise.
    unsafe {
        let (m, n, a) = ((*m).into(), (*n).into(), Matrix::new(a, (*lda).into()));
        let ratios = Ratios { rows: *rowcnd, columns: *colcnd, amax: *amax };
        let scales = (crate::arguments::slice(m, r), crate::arguments::slice(n, c));
        let is_matrix = a.exclusive(m, n, 3).is_ok();
        *equed = match scales {
            (Ok(r), Ok(c)) if is_matrix => laqge(a, r, c, &ratios).letter(),
            _ => b'N' as c_char,
        };
    }
}

/// The routines of one precision and one kind of integer.
macro_rules! routines {
    ($t:ty, $i:ty: $geequ:ident = $name:literal, $laqge:ident) => {
        routine!($geequ = geequ_by_reference::<$t, $i>, $name, $i, "0,1,2,3":
            (m: *const $i, n: *const $i, a: *const $t, lda: *const $i, r: *mut $t, c: *mut $t, rowcnd: *mut $t,
             colcnd: *mut $t, amax: *mut $t, info: *mut $i));

        /// LAPACK's routine of this name.
        ///
        /// # Safety
        /// As LAPACK says: every pointer is valid for what the sizes say.
        #[unsafe(no_mangle)]
        unsafe extern "C" fn $laqge(
            m: *const $i,
            n: *const $i,
            a: *mut $t,
            lda: *const $i,
            r: *const $t,
            c: *const $t,
            rowcnd: *const $t,
            colcnd: *const $t,
            amax: *const $t,
            equed: *mut c_char,
        ) {
            // SAFETY: the caller's promise.
            unsafe { laqge_by_reference::<$t, $i>(m, n, a, lda, r, c, rowcnd, colcnd, amax, equed) }
        }
    };
}

routines!(f64, i32: dgeequ_ = "DGEEQU", dlaqge_);
routines!(f32, i32: sgeequ_ = "SGEEQU", slaqge_);
routines!(f64, i64: dgeequ_64_ = "DGEEQU", dlaqge_64_);
routines!(f32, i64: sgeequ_64_ = "SGEEQU", slaqge_64_);
