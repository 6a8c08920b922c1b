//! B <- L^-1 B for a unit lower triangular L.

use crate::element::Element;
use crate::kernel::{Kernels, Trsm};
use crate::matrix::{MatrixMut, MatrixRef};

/// B <- L^-1 B: L is `m` by `m`, unit lower triangular (the elements on and above its diagonal are not used), B is `m` by
/// `n`.
///
/// # Panics
/// If the sizes do not fit each other.
pub(crate) fn trsm<T: Element>(l: MatrixRef<'_, T>, mut b: MatrixMut<'_, T>, kernels: &Kernels<T>) {
    let (m, n, ldb) = (b.nrows(), b.ncols(), b.lda());
    assert!(l.nrows() == m && l.ncols() == m, "trsm: sizes do not fit");
    let b = b.as_mut_ptr();
    for i in (0..m).step_by(kernels.mr) {
        let rows = l.block(i, 0, kernels.mr.min(m - i), m);
        // B(i:, :) <- L(i:, i:)^-1 (B(i:, :) - L(i:, 0:i) B(0:i, :))
        let x = b.wrapping_add(i);
        let solve = Trsm { m: rows.nrows(), n, k: i, l: rows.as_ptr(), ldl: l.lda(), b, ldb, x, ldx: ldb };
        // SAFETY: these rows of L have m columns, at least the i + mr that the kernel reads or all; B has i solved rows above
        // the rows to solve. B is borrowed mutably, so it does not overlap L.
        unsafe { (kernels.trsm_unit)(solve) };
    }
}
