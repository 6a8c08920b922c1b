//! Row swaps as LAPACK writes them down: `ipiv`, and the `info` beside it.

use crate::element::Element;
use crate::error::Error;
use crate::matrix::MatrixMut;

/// A <- P A: for i = 0, 1, .. row i (counted from 0) is swapped with row `ipiv[i]` (counted from 1; LAPACK: `DLASWP`).
///
/// # Panics
/// If a row is outside the matrix.
#[inline(never)] // when it is inlined into the recursion, its loop has more instructions
pub(super) fn laswp<T: Element>(mut a: MatrixMut<'_, T>, ipiv: &[i64]) {
    let m = a.nrows();
    assert!(ipiv.len() <= m && are_rows(ipiv, m), "laswp: rows");
    let (n, lda, a) = (a.ncols(), a.lda(), a.as_mut_ptr());
    // Some columns at once, so that their swaps need not wait for each other.
    let whole = n - n % 4;
    for j in (0..whole).step_by(4) {
        // SAFETY: columns j to j + 4 of A; all rows are below m, as checked above.
        unsafe { swap_rows::<T, 4>(a.add(j * lda), lda, ipiv) };
    }
    for j in whole..n {
        // SAFETY: as above, for column j.
        unsafe { swap_rows::<T, 1>(a.add(j * lda), lda, ipiv) };
    }
}

/// The same in N columns.
///
/// # Safety
/// - A is valid for reads and writes of those columns, and has the rows.
#[inline(always)]
unsafe fn swap_rows<T: Element, const N: usize>(a: *mut T, lda: usize, ipiv: &[i64]) {
    for (i, &row) in ipiv.iter().enumerate() {
        for j in 0..N {
            // SAFETY: rows of column j < N, which the caller vouches for.
            unsafe { std::ptr::swap(a.add(i + j * lda), a.add(row as usize - 1 + j * lda)) };
        }
    }
}

/// A <- P^T A: the same swaps, the last one first.
///
/// # Panics
/// If a row is outside the matrix.
pub(super) fn laswp_back<T: Element>(mut a: MatrixMut<'_, T>, ipiv: &[i64]) {
    for j in 0..a.ncols() {
        let column = a.col_mut(j);
        for (i, &row) in ipiv.iter().enumerate().rev() {
            column.swap(i, row as usize - 1);
        }
    }
}

/// Whether each is one of `m` rows, counted from 1.
pub(super) fn are_rows(ipiv: &[i64], m: usize) -> bool {
    ipiv.iter().all(|&row| (row as u64).wrapping_sub(1) < m as u64)
}

/// Checks that there are `n` row swaps, each with one of `n` rows, which may be one above.
#[inline(never)] // one copy for all callers
pub(super) fn check_rows(ipiv: &[i64], n: usize) -> Result<(), Error> {
    if ipiv.len() != n {
        return Err(Error::IpivLength { expected: n, found: ipiv.len() });
    }
    match (0..n).find(|&i| !are_rows(&ipiv[i..=i], n)) {
        Some(i) => Err(Error::Pivot { index: i + 1, row: ipiv[i], m: n }),
        None => Ok(()),
    }
}

/// The number of swaps that swap two rows.
pub(super) fn count_swaps(ipiv: &[i64]) -> usize {
    ipiv.iter().zip(1..).filter(|&(&row, i)| row != i).count()
}

/// Swaps the rows in a list of them, as `ipiv` says.
pub(super) fn permute(rows: &mut [usize], ipiv: &[i64]) {
    for (i, &row) in ipiv.iter().enumerate() {
        rows.swap(i, row as usize - 1);
    }
}

/// Checks that an `info` is possible for a matrix with `k` pivots.
pub(crate) fn check_info(info: i64, k: usize) -> Result<(), Error> {
    if info.unsigned_abs() > k as u64 { Err(Error::Info { info, k }) } else { Ok(()) }
}

/// Checks that row swaps are possible for a matrix with `m` rows: i <= `ipiv[i]` <= m.
pub(crate) fn check_ipiv(ipiv: &[i64], m: usize) -> Result<(), Error> {
    match ipiv.iter().zip(1..).find(|&(&row, i)| row < i || row > m as i64) {
        Some((&row, i)) => Err(Error::Pivot { index: i as usize, row, m }),
        None => Ok(()),
    }
}
