//! `recfact_lu`: the factors of a matrix at another place, and row swaps as SciPy has them.

use std::ffi::c_int;

use library::{Element, Layout, Options, Pivoting, Source, factor_out_of_place};

use crate::arguments::{matrix, matrix_mut, output, slice_mut, threads};
use crate::batch::{CHECK_FINITE, NO_PIVOTING, ROW_MAJOR};
use crate::export::exported;
use crate::status::Status;

/// The row swaps of up to this number of pivots are on the stack: 4 KiB.
const MAX_ON_STACK: usize = 512;

/// P A = L U at another place, as the header says.
///
/// # Safety
/// - Pointers that are not NULL are valid for the sizes that the header gives.
/// - Nothing else uses that memory during the call.
#[allow(clippy::too_many_arguments)] // the header's argument list
unsafe fn lu<T: Element>(
    m: i64,
    n: i64,
    a: *const T,
    lda: i64,
    flags: c_int,
    lu: *mut T,
    ldlu: i64,
    piv: *mut i32,
    threads: i64,
    info: *mut i64,
) -> Result<(), Status> {
    let info = output(info)?;
    if flags & !(NO_PIVOTING | ROW_MAJOR | CHECK_FINITE) != 0 {
        return Err(Status::Flag);
    }
    if m > i64::from(i32::MAX) {
        return Err(Status::Overflow);
    }
    let (layout, [rows, columns]) =
        if flags & ROW_MAJOR != 0 { (Layout::RowMajor, [n, m]) } else { (Layout::ColumnMajor, [m, n]) };
    let pivoting = if flags & NO_PIVOTING != 0 { Pivoting::None } else { Pivoting::Partial };
    let options = Options::new().pivoting(pivoting).threads(self::threads(threads)?);
    // SAFETY: the caller's promise; a row-major matrix is the same memory as its column-major transpose.
    let view = unsafe { matrix(rows, columns, a, lda)? };
    // SAFETY: the caller's promise.
    let (mut lu, piv) = unsafe { (matrix_mut(m, n, lu, ldlu)?, slice_mut(m.min(n), piv)?) };
    let source = Source { view, layout, must_be_finite: flags & CHECK_FINITE != 0 };
    let mut factor = |ipiv: &mut [i64]| factor_out_of_place(&source, lu.reborrow(), ipiv, &options, None);
    let result = with_ipiv(piv, &mut factor)?;
    // SAFETY: the pointer is not NULL and aligned, and the caller vouches for one element.
    unsafe { *info = result };
    Ok(())
}

/// Fills `piv` with the row swaps of a factorization, which has 64-bit integers counted from 1.
fn with_ipiv(
    piv: &mut [i32],
    factor: &mut dyn FnMut(&mut [i64]) -> Result<i64, library::Error>,
) -> Result<i64, Status> {
    let (mut on_stack, mut on_heap) = ([0; MAX_ON_STACK], Vec::new());
    let ipiv = if piv.len() <= MAX_ON_STACK {
        &mut on_stack[..piv.len()]
    } else {
        on_heap.try_reserve_exact(piv.len()).map_err(|_| Status::OutOfMemory)?;
        on_heap.resize(piv.len(), 0);
        &mut on_heap[..]
    };
    let info = factor(ipiv)?;
    for (to, row) in piv.iter_mut().zip(ipiv) {
        // It fits: rows are below 2^31.
        *to = (*row - 1) as i32;
    }
    Ok(info)
}

exported!(recfact_lu_f64, recfact_lu_f32:
    (m: i64, n: i64, a: *const T, lda: i64, flags: c_int, lu: *mut T, ldlu: i64, piv: *mut i32, threads: i64,
     info: *mut i64) =>
    self::lu(m, n, a, lda, flags, lu, ldlu, piv, threads, info));
