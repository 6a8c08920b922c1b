//! C <- C - A B.

use crate::kernel::Kernels;
use crate::matrix::{MatrixMut, MatrixRef};
use crate::real::Real;

/// C <- C - A B: A is `m` by `k`, B is `k` by `n`, C is `m` by `n`.
///
/// Each element of C takes its `k` products in rising order, whatever the blocks.
///
/// # Panics
/// If the sizes do not fit each other.
pub(crate) fn gemm<T: Real>(a: MatrixRef<'_, T>, b: MatrixRef<'_, T>, mut c: MatrixMut<'_, T>, kernels: &Kernels<T>) {
    let (m, n, k) = (c.nrows(), c.ncols(), a.ncols());
    assert!(a.nrows() == m && b.nrows() == k && b.ncols() == n, "gemm: sizes do not fit");
    for p in (0..k).step_by(kernels.kc) {
        let kb = kernels.kc.min(k - p);
        for i in (0..m).step_by(kernels.mc) {
            let mb = kernels.mc.min(m - i);
            let (_, below) = c.reborrow().split_at_row(i);
            let (c, _) = below.split_at_row(mb);
            // C(i:, :) <- C(i:, :) - A(i:, p:) B(p:, :)
            block(a.block(i, p, mb, kb), b.block(p, 0, kb, n), c, kernels);
        }
    }
}

/// C <- C - A B, where A stays in the L2 cache: tiles of C, and what is left at the lower and right edges.
fn block<T: Real>(a: MatrixRef<'_, T>, b: MatrixRef<'_, T>, mut c: MatrixMut<'_, T>, kernels: &Kernels<T>) {
    let (m, n, k) = (c.nrows(), c.ncols(), a.ncols());
    let (lda, ldb, ldc) = (a.lda(), b.lda(), c.lda());
    let (a, b, c) = (a.as_ptr(), b.as_ptr(), c.as_mut_ptr());
    for j in (0..n).step_by(kernels.nr) {
        for i in (0..m).step_by(kernels.mr) {
            let (mt, nt) = (kernels.mr.min(m - i), kernels.nr.min(n - j));
            // SAFETY: i + mt <= m and j + nt <= n, so the three blocks lie in their views; C is borrowed mutably, so
            // it overlaps neither A nor B.
            unsafe {
                let (a, b, c) = (a.add(i), b.add(j * ldb), c.add(i + j * ldc));
                if (mt, nt) == (kernels.mr, kernels.nr) {
                    (kernels.gemm_tile)(k, a, lda, b, ldb, c, ldc);
                } else {
                    (kernels.gemm_edge)(mt, nt, k, a, lda, b, ldb, c, ldc);
                }
            }
        }
    }
}
