//! B <- L^-1 B for a unit lower triangular L.

use crate::kernel::Kernels;
use crate::matrix::{MatrixMut, MatrixRef};
use crate::real::Real;

/// B <- L^-1 B: L is `m` by `m`, unit lower triangular (what stands on and above its diagonal is not read), B is
/// `m` by `n`.
///
/// # Panics
/// If the sizes do not fit each other.
pub(crate) fn trsm<T: Real>(l: MatrixRef<'_, T>, mut b: MatrixMut<'_, T>, kernels: &Kernels<T>) {
    let (m, n, ldb) = (b.nrows(), b.ncols(), b.lda());
    assert!(l.nrows() == m && l.ncols() == m, "trsm: sizes do not fit");
    for i in (0..m).step_by(kernels.mr) {
        let rows = l.block(i, 0, kernels.mr.min(m - i), m);
        // B(i:, :) <- L(i:, i:)^-1 (B(i:, :) - L(i:, 0:i) B(0:i, :))
        // SAFETY: L has these rows and i + mr columns or all, B has i more rows than L; B is borrowed mutably, so they do
        // not overlap.
        unsafe {
            let b = b.as_mut_ptr();
            (kernels.trsm_unit)(rows.nrows(), n, i, rows.as_ptr(), l.lda(), b, ldb, b.wrapping_add(i), ldb);
        }
    }
}
