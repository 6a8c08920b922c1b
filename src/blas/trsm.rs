//! B <- L^-1 B for a unit lower triangular L.

use super::gemm;
use crate::kernel::Kernels;
use crate::matrix::{MatrixMut, MatrixRef};
use crate::real::Real;

/// B <- L^-1 B: L is `m` by `m`, unit lower triangular (what stands on and above its diagonal is not read), B is
/// `m` by `n`.
///
/// # Panics
/// If the sizes do not fit each other.
pub(crate) fn trsm<T: Real>(l: MatrixRef<'_, T>, mut b: MatrixMut<'_, T>, kernels: &Kernels<T>) {
    let m = b.nrows();
    assert!(l.nrows() == m && l.ncols() == m, "trsm: sizes do not fit");
    if m <= kernels.nb {
        // SAFETY: L is m by m and B has m rows; B is borrowed mutably, so they do not overlap.
        unsafe { (kernels.trsm)(m, b.ncols(), l.as_ptr(), l.lda(), b.as_mut_ptr(), b.lda()) };
        return;
    }
    // Whole triangles of the kernel's order, as far as there are.
    let m1 = (m / 2).next_multiple_of(kernels.nb);
    let (l11, l21, l22) = (l.block(0, 0, m1, m1), l.block(m1, 0, m - m1, m1), l.block(m1, m1, m - m1, m - m1));
    let (mut b1, mut b2) = b.split_at_row(m1);
    // [L11 .  ] [X1]   [B1]
    // [L21 L22] [X2] = [B2]
    //
    // B1 <- L11^-1 B1
    trsm(l11, b1.reborrow(), kernels);
    // B2 <- B2 - L21 B1
    gemm(l21, b1.as_ref(), b2.reborrow(), kernels);
    // B2 <- L22^-1 B2
    trsm(l22, b2, kernels);
}
