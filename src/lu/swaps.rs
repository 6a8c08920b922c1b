//! Row swaps, and what they amount to.

use crate::matrix::MatrixMut;
use crate::real::Real;

/// A <- P A: for i = 1, 2, .. row i is swapped with row `ipiv[i]` (LAPACK: `DLASWP`).
///
/// # Panics
/// If a row is not one of A.
pub(crate) fn laswp<T: Real>(mut a: MatrixMut<'_, T>, ipiv: &[i64]) {
    let m = a.nrows() as u64;
    assert!(ipiv.len() as u64 <= m && ipiv.iter().all(|&row| (row as u64).wrapping_sub(1) < m), "laswp: rows");
    for j in 0..a.ncols() {
        let column = a.col_mut(j).as_mut_ptr();
        for (i, &row) in ipiv.iter().enumerate() {
            // SAFETY: both rows are below m, as checked above.
            unsafe { std::ptr::swap(column.add(i), column.add(row as usize - 1)) };
        }
    }
}

/// The rows of A in the order that the swaps put them into: row i of P A is row `permutation[i]` of A, both
/// counted from 0.
pub(crate) fn permutation(m: usize, ipiv: &[i64]) -> Vec<usize> {
    let mut rows: Vec<usize> = (0..m).collect();
    for (i, &row) in ipiv.iter().enumerate() {
        rows.swap(i, row as usize - 1);
    }
    rows
}
