//! C <- C - A B.

use super::scratch;
use crate::kernel::{Kernels, Tiles};
use crate::matrix::{MatrixMut, MatrixRef};
use crate::real::Real;

/// A is packed where B has at least this many columns; for fewer the copy costs more than it saves.
const PACK_COLUMNS: usize = 32;

/// C <- C - A B: A is `m` by `k`, B is `k` by `n`, C is `m` by `n`.
///
/// Each element of C takes its `k` products in rising order, whatever the blocks.
///
/// # Panics
/// If the sizes do not fit each other.
pub(crate) fn gemm<T: Real>(a: MatrixRef<'_, T>, b: MatrixRef<'_, T>, mut c: MatrixMut<'_, T>, kernels: &Kernels<T>) {
    let (m, n, k) = (c.nrows(), c.ncols(), a.ncols());
    assert!(a.nrows() == m && b.nrows() == k && b.ncols() == n, "gemm: sizes do not fit");
    if n < PACK_COLUMNS && k <= kernels.kc {
        let tiles = Tiles { ptr: a.as_ptr(), tile: kernels.mr, col: a.lda() };
        return tiled(tiles, b, c, kernels);
    }
    for p in (0..k).step_by(kernels.kc) {
        let kb = kernels.kc.min(k - p);
        for i in (0..m).step_by(kernels.mc) {
            let mb = kernels.mc.min(m - i);
            let ap = a.block(i, p, mb, kb);
            let c = c.reborrow().split_at_row(i).1.split_at_row(mb).0;
            // C(i:, :) <- C(i:, :) - A(i:, p:) B(p:, :)
            scratch::with(mb.next_multiple_of(kernels.mr) * kb, |packed| {
                // SAFETY: A's block has this size, and `packed` takes whole tiles of it.
                unsafe { (kernels.pack)(mb, kb, ap.as_ptr(), ap.lda(), packed.as_mut_ptr()) };
                let tiles = Tiles { ptr: packed.as_ptr(), tile: kernels.mr * kb, col: kernels.mr };
                tiled(tiles, b.block(p, 0, kb, n), c, kernels);
            });
        }
    }
}

/// C <- C - A B, where the tiles of A have the rows of C and as many columns as B has rows.
fn tiled<T: Real>(a: Tiles<T>, b: MatrixRef<'_, T>, mut c: MatrixMut<'_, T>, kernels: &Kernels<T>) {
    let (m, n, ldc) = (c.nrows(), c.ncols(), c.lda());
    // SAFETY: the caller's sizes fit; C is borrowed mutably, so it overlaps neither A nor B.
    unsafe { (kernels.gemm)(m, n, b.nrows(), a, b.as_ptr(), b.lda(), c.as_mut_ptr(), ldc) };
}
