//! C <- C - A B.

use super::scratch;
use super::tiles::{Packed, sub_product_in_place};
use crate::element::Element;
use crate::kernel::Kernels;
use crate::matrix::{MatrixMut, MatrixRef};

/// C <- C - A B: A is `m` by `k`, B is `k` by `n`, C is `m` by `n`.
///
/// Each element of C takes its `k` products in rising order, however A and B are cut into blocks.
///
/// # Panics
/// If the sizes do not fit each other.
pub(crate) fn gemm<T: Element>(
    a: MatrixRef<'_, T>,
    b: MatrixRef<'_, T>,
    mut c: MatrixMut<'_, T>,
    kernels: &Kernels<T>,
) {
    let (m, n, k) = (c.nrows(), c.ncols(), a.ncols());
    assert!(a.nrows() == m && b.nrows() == k && b.ncols() == n, "gemm: sizes do not fit");
    if n < kernels.tuning.pack_columns && k <= kernels.kc {
        return sub_product_in_place(a, b, c, kernels);
    }
    for p in (0..k).step_by(kernels.kc) {
        let kb = kernels.kc.min(k - p);
        let bp = b.block(p, 0, kb, n);
        for i in (0..m).step_by(kernels.mc) {
            let mb = kernels.mc.min(m - i);
            let ap = a.block(i, p, mb, kb);
            let mut c = c.reborrow().split_at_row(i).1.split_at_row(mb).0;
            // C(i:, :) <- C(i:, :) - A(i:, p:) B(p:, :)
            let packed = scratch::with(Packed::size(mb, kb, kernels), |memory| {
                Packed::new(ap, memory, kernels).sub_product(0..mb, bp, c.reborrow(), None);
            });
            if packed.is_none() {
                sub_product_in_place(ap, bp, c, kernels);
            }
        }
    }
}
