//! The functions for batches: many matrices of one shape in one call.

use std::ffi::{c_char, c_int};

use library::{
    BatchMut, BatchRef, BatchSystem, Coefficients, Determinant, Element, Geometry, Layout, Options, Pivoting, Solution,
    Swaps, Transpose, check_batch_finite, det_batch, factor_batch, solve_batch, system_batch,
};

use crate::arguments::{optional_mut, pointer, slice, slice_mut, threads};
use crate::export::exported;
use crate::status::Status;
use crate::transpose;

// Flags of the header.
pub(crate) const NO_PIVOTING: c_int = 0x4;
pub(crate) const ROW_MAJOR: c_int = 0x100;
pub(crate) const CHECK_FINITE: c_int = 0x200;
const B_ROW_MAJOR: c_int = 0x800;
const TRANSPOSED: c_int = 0x1000;
const KEEP_A: c_int = 0x2000;

/// The matrices of one argument, as C gives them.
pub(crate) struct Matrices<T> {
    start: *mut T,
    count: i64,
    m: i64,
    n: i64,
    ld: i64,
    stride: i64,
    is_row_major: bool,
}

impl<T: Element> Matrices<T> {
    /// Nothing is written through `start` unless [`Matrices::exclusive`] is called.
    pub(crate) fn new(
        start: *const T,
        [count, m, n]: [i64; 3],
        [ld, stride]: [i64; 2],
        is_row_major: bool,
    ) -> Matrices<T> {
        Matrices { start: start.cast_mut(), count, m, n, ld, stride, is_row_major }
    }

    /// Checks the sizes and the pointer.
    fn check(&self) -> Result<(*mut T, Geometry), Status> {
        let size = |x: i64| usize::try_from(x).map_err(|_| Status::NegativeSize);
        let (count, m, n) = (size(self.count)?, size(self.m)?, size(self.n)?);
        let ld = usize::try_from(self.ld).map_err(|_| Status::LeadingDimension)?;
        let stride = usize::try_from(self.stride).map_err(|_| Status::Stride)?;
        let layout = if self.is_row_major { Layout::RowMajor } else { Layout::ColumnMajor };
        let geometry = Geometry::new(count, [m, n], layout, ld, stride)?;
        let span = geometry.span().ok_or(Status::Overflow)?;
        let bytes = span.checked_mul(size_of::<T>()).ok_or(Status::Overflow)?;
        isize::try_from(bytes).map_err(|_| Status::Overflow)?;
        Ok((pointer(self.start.cast_const(), span)?.cast_mut(), geometry))
    }

    /// The matrices, to be read.
    ///
    /// # Safety
    /// If the pointer is not NULL, the elements are valid for reads, and nothing writes them while the view lives.
    pub(crate) unsafe fn shared<'a>(&self) -> Result<BatchRef<'a, T>, Status> {
        let (start, geometry) = self.check()?;
        // SAFETY: the caller's promise; the pointer is aligned, and the span fits the address space.
        Ok(unsafe { BatchRef::from_raw_parts(start, geometry) })
    }

    /// The matrices, to be written.
    ///
    /// # Safety
    /// If the pointer is not NULL, the elements are valid for reads and writes, and nothing else uses them while the view
    /// lives.
    pub(crate) unsafe fn exclusive<'a>(&self) -> Result<BatchMut<'a, T>, Status> {
        let (start, geometry) = self.check()?;
        // SAFETY: the caller's promise; the pointer is aligned, and the span fits the address space.
        Ok(unsafe { BatchMut::from_raw_parts(start, geometry) })
    }
}

/// The options that the flags say.
fn options(flags: c_int, known: c_int, threads: i64) -> Result<Options, Status> {
    if flags & !known != 0 {
        return Err(Status::Flag);
    }
    let pivoting = if flags & NO_PIVOTING != 0 { Pivoting::None } else { Pivoting::Partial };
    Ok(Options::new().pivoting(pivoting).threads(self::threads(threads)?))
}

/// The length of a result that has `each` elements for each of `count` matrices.
fn elements(count: i64, each: i64) -> Result<i64, Status> {
    count.checked_mul(each).ok_or(Status::Overflow)
}

/// Checks matrices, if the flags say so.
fn check_finite<T: Element>(a: BatchRef<'_, T>, flags: c_int, options: &Options) -> Result<(), Status> {
    if flags & CHECK_FINITE != 0 { Ok(check_batch_finite(a, options)?) } else { Ok(()) }
}

/// `recfact_factor_batch`.
///
/// # Safety
/// - Pointers that are not NULL are valid for the sizes that the header gives.
/// - Nothing else uses that memory during the call.
unsafe fn factor<T: Element>(
    a: Matrices<T>,
    ipiv: *mut i64,
    flags: c_int,
    threads: i64,
    info: *mut i64,
) -> Result<(), Status> {
    let options = options(flags, NO_PIVOTING | ROW_MAJOR, threads)?;
    let (count, pivots) = (a.count, elements(a.count, a.m.min(a.n)));
    // SAFETY: the caller's promise.
    unsafe {
        let a = a.exclusive()?;
        Ok(factor_batch(a, slice_mut(pivots?, ipiv)?, slice_mut(count, info)?, &options)?)
    }
}

/// `recfact_lu_batch`.
///
/// # Safety
/// As for [`factor`].
unsafe fn lu<T: Element>(
    a: Matrices<T>,
    lu: Matrices<T>,
    piv: *mut i32,
    flags: c_int,
    threads: i64,
    info: *mut i64,
) -> Result<(), Status> {
    let options = options(flags, NO_PIVOTING | ROW_MAJOR | CHECK_FINITE, threads)?;
    if a.m > i64::from(i32::MAX) {
        return Err(Status::Overflow);
    }
    let (count, pivots) = (a.count, elements(a.count, a.m.min(a.n)));
    // SAFETY: the caller's promise.
    unsafe {
        let (a, lu) = (a.shared()?, lu.exclusive()?);
        let (piv, info) = (slice_mut(pivots?, piv)?, slice_mut(count, info)?);
        check_finite(a, flags, &options)?;
        Ok(factor_batch(Coefficients::Copied { a, lu }, Swaps::ZeroBased(piv), info, &options)?)
    }
}

/// `recfact_solve_batch`.
///
/// # Safety
/// As for [`factor`].
unsafe fn solve<T: Element>(
    trans: c_char,
    lu: Matrices<T>,
    ipiv: *const i64,
    b: Matrices<T>,
    flags: c_int,
    threads: i64,
) -> Result<(), Status> {
    let transpose = transpose(trans).ok_or(Status::Flag)?;
    let options = options(flags, ROW_MAJOR | B_ROW_MAJOR | CHECK_FINITE, threads)?;
    let pivots = elements(lu.count, lu.n);
    // SAFETY: the caller's promise.
    unsafe {
        let (lu, ipiv) = (lu.shared()?, slice(pivots?, ipiv)?);
        check_finite(lu, flags, &options)?;
        check_finite(b.shared()?, flags, &options)?;
        // This view of B is the only one.
        Ok(solve_batch(transpose, lu, ipiv, b.exclusive()?, &options)?)
    }
}

/// `recfact_gesv_batch`.
///
/// # Safety
/// As for [`factor`].
unsafe fn gesv<T: Element>(
    a: Matrices<T>,
    ipiv: *mut i64,
    b: Matrices<T>,
    flags: c_int,
    rcond: *mut T,
    threads: i64,
    info: *mut i64,
) -> Result<(), Status> {
    let known = NO_PIVOTING | ROW_MAJOR | B_ROW_MAJOR | CHECK_FINITE | TRANSPOSED | KEEP_A;
    let options = options(flags, known, threads)?;
    let (count, pivots) = (a.count, elements(a.count, a.n));
    let transpose = if flags & TRANSPOSED != 0 { Transpose::Yes } else { Transpose::No };
    let is_kept = flags & KEEP_A != 0;
    // SAFETY: the caller's promise.
    unsafe {
        let info = slice_mut(count, info)?;
        let rcond = optional_mut(count, rcond)?;
        let swaps = if is_kept { Swaps::Nowhere } else { Swaps::Lapack(slice_mut(pivots?, ipiv)?) };
        check_finite(a.shared()?, flags, &options)?;
        check_finite(b.shared()?, flags, &options)?;
        // These views of A and B are the only ones.
        let a = if is_kept { Coefficients::Kept(a.shared()?) } else { Coefficients::Overwritten(a.exclusive()?) };
        let system = BatchSystem { transpose, x: Solution::Of(b.exclusive()?), rcond };
        Ok(system_batch(a, swaps, system, info, &options)?)
    }
}

/// `recfact_inverse_batch`.
///
/// # Safety
/// As for [`factor`].
unsafe fn inverse<T: Element>(
    a: Matrices<T>,
    inverse: Matrices<T>,
    flags: c_int,
    rcond: *mut T,
    threads: i64,
    info: *mut i64,
) -> Result<(), Status> {
    let options = options(flags, NO_PIVOTING | ROW_MAJOR | B_ROW_MAJOR | CHECK_FINITE, threads)?;
    let count = a.count;
    // SAFETY: the caller's promise.
    unsafe {
        let (a, inverse) = (a.shared()?, inverse.exclusive()?);
        let info = slice_mut(count, info)?;
        let rcond = optional_mut(count, rcond)?;
        check_finite(a, flags, &options)?;
        let system = BatchSystem { transpose: Transpose::No, x: Solution::Inverse(inverse), rcond };
        Ok(system_batch(Coefficients::Kept(a), Swaps::Nowhere, system, info, &options)?)
    }
}

/// `recfact_det_batch`.
///
/// # Safety
/// As for [`factor`].
unsafe fn det<T: Element>(a: Matrices<T>, flags: c_int, det: *mut Determinant, threads: i64) -> Result<(), Status> {
    let options = options(flags, NO_PIVOTING | ROW_MAJOR | CHECK_FINITE, threads)?;
    let count = a.count;
    // SAFETY: the caller's promise.
    unsafe {
        let (a, det) = (a.shared()?, slice_mut(count, det)?);
        check_finite(a, flags, &options)?;
        Ok(det_batch(a, det, &options)?)
    }
}

exported!(recfact_factor_batch_f64, recfact_factor_batch_f32:
(count: i64, m: i64, n: i64, a: *mut T, lda: i64, stride: i64, ipiv: *mut i64, flags: c_int, threads: i64,
 info: *mut i64) => {
    let a = Matrices::new(a, [count, m, n], [lda, stride], flags & ROW_MAJOR != 0);
    factor(a, ipiv, flags, threads, info)
});

exported!(recfact_lu_batch_f64, recfact_lu_batch_f32:
(count: i64, m: i64, n: i64, a: *const T, lda: i64, stride: i64, flags: c_int, lu: *mut T, ldlu: i64,
 stride_lu: i64, piv: *mut i32, threads: i64, info: *mut i64) => {
    let a = Matrices::new(a, [count, m, n], [lda, stride], flags & ROW_MAJOR != 0);
    let lu = Matrices::new(lu, [count, m, n], [ldlu, stride_lu], false);
    self::lu(a, lu, piv, flags, threads, info)
});

exported!(recfact_solve_batch_f64, recfact_solve_batch_f32:
(trans: c_char, count: i64, n: i64, nrhs: i64, lu: *const T, lda: i64, stride: i64, ipiv: *const i64, b: *mut T,
 ldb: i64, stride_b: i64, flags: c_int, threads: i64) => {
    let lu = Matrices::new(lu, [count, n, n], [lda, stride], flags & ROW_MAJOR != 0);
    let b = Matrices::new(b, [count, n, nrhs], [ldb, stride_b], flags & B_ROW_MAJOR != 0);
    solve(trans, lu, ipiv, b, flags, threads)
});

exported!(recfact_gesv_batch_f64, recfact_gesv_batch_f32:
(count: i64, n: i64, nrhs: i64, a: *mut T, lda: i64, stride: i64, ipiv: *mut i64, b: *mut T, ldb: i64,
 stride_b: i64, flags: c_int, rcond: *mut T, threads: i64, info: *mut i64) => {
    let a = Matrices::new(a, [count, n, n], [lda, stride], flags & ROW_MAJOR != 0);
    let b = Matrices::new(b, [count, n, nrhs], [ldb, stride_b], flags & B_ROW_MAJOR != 0);
    gesv(a, ipiv, b, flags, rcond, threads, info)
});

exported!(recfact_inverse_batch_f64, recfact_inverse_batch_f32:
(count: i64, n: i64, a: *const T, lda: i64, stride: i64, flags: c_int, inverse: *mut T, ld_inverse: i64,
 stride_inverse: i64, rcond: *mut T, threads: i64, info: *mut i64) => {
    let a = Matrices::new(a, [count, n, n], [lda, stride], flags & ROW_MAJOR != 0);
    let inverse = Matrices::new(inverse, [count, n, n], [ld_inverse, stride_inverse], flags & B_ROW_MAJOR != 0);
    self::inverse(a, inverse, flags, rcond, threads, info)
});

exported!(recfact_det_batch_f64, recfact_det_batch_f32:
(count: i64, n: i64, a: *const T, lda: i64, stride: i64, flags: c_int, det: *mut Determinant, threads: i64) => {
    let a = Matrices::new(a, [count, n, n], [lda, stride], flags & ROW_MAJOR != 0);
    self::det(a, flags, det, threads)
});
