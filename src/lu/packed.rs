//! A factored panel in the form that the updates to its right need: row moves, and L in tiles.

use super::swaps::Moves;
use crate::blas::scratch;
use crate::kernel::{Kernels, Tiles};
use crate::matrix::{MatrixMut, MatrixRef};
use crate::real::Real;

/// Columns that an update takes at once: with the rows of U that belong to them they stay in the L2 cache. A multiple of
/// every `nr`.
const CHUNK: usize = 48;

/// A panel of w columns.
pub(super) struct PackedPanel<'a, T: Real> {
    w: usize,
    moves: Moves<'a>,
    /// L11 in tiles of `mr` rows and w columns; what stands above its diagonal is not used.
    l11: &'a [T],
    /// L21 in such tiles.
    l21: &'a [T],
}

impl<'a, T: Real> PackedPanel<'a, T> {
    /// Elements that a panel of `m` rows and `w` columns takes.
    pub(super) fn size(m: usize, w: usize, kernels: &Kernels<T>) -> usize {
        (m + 2 * kernels.mr) * w
    }

    /// A panel that was factored with the swaps `ipiv`, which are counted from row `base` on.
    pub(super) fn new(
        l: MatrixRef<'_, T>,
        ipiv: &[i64],
        base: usize,
        rows: &'a mut [u64],
        elements: &'a mut [T],
        kernels: &Kernels<T>,
    ) -> Self {
        let (m, w) = (l.nrows(), l.ncols());
        let (l11, l21) = elements.split_at_mut(w.next_multiple_of(kernels.mr) * w);
        pack(l.block(0, 0, w, w), l11, kernels);
        pack(l.block(w, 0, m - w, w), l21, kernels);
        PackedPanel { w, moves: Moves::new(m, ipiv, base, rows), l11, l21 }
    }

    /// [A12; A22] <- P [A12; A22]; A12 <- L11^-1 A12 = U12; A22 <- A22 - L21 U12.
    pub(super) fn update(&self, mut a: MatrixMut<'_, T>, kernels: &Kernels<T>) {
        let w = self.w;
        let line = 64 / size_of::<T>();
        let ldb = (w.div_ceil(line) | 1) * line;
        scratch::with(ldb * CHUNK, |buffer: &mut [T]| {
            for j in (0..a.ncols()).step_by(CHUNK) {
                let n = CHUNK.min(a.ncols() - j);
                let mut a = a.reborrow().split_at_col(j).1.split_at_col(n).0;
                let mut u12 = MatrixMut::in_memory(buffer, w, n, ldb);
                self.moves.apply(a.reborrow(), u12.reborrow());
                let (a12, mut a22) = a.split_at_row(w);
                self.solve(u12.reborrow(), a12, kernels);
                let u12 = u12.as_ref();
                for i in (0..a22.nrows()).step_by(kernels.mc) {
                    let below = a22.reborrow().split_at_row(i).1;
                    let rows = kernels.mc.min(below.nrows());
                    gemm(&self.l21[i * w..], u12, below.split_at_row(rows).0, kernels);
                }
            }
        });
    }

    /// X <- L11^-1 B, and B <- X.
    fn solve(&self, mut b: MatrixMut<'_, T>, mut x: MatrixMut<'_, T>, kernels: &Kernels<T>) {
        let (w, mr, n) = (self.w, kernels.mr, b.ncols());
        let (ldb, ldx) = (b.lda(), x.lda());
        assert!(b.nrows() == w && x.nrows() == w && x.ncols() == n, "solve: sizes do not fit");
        let (b, x) = (b.as_mut_ptr(), x.as_mut_ptr());
        for i in (0..w).step_by(mr) {
            let tile = self.l11[i * w..].as_ptr();
            // SAFETY: the tile has rows i to i + mr or w of L11, all of its columns; B and X have w rows and n columns.
            unsafe { (kernels.trsm_unit)(mr.min(w - i), n, i, tile, mr, b, ldb, x.wrapping_add(i), ldx) };
        }
    }
}

/// C <- C - A B, where A is packed.
fn gemm<T: Real>(a: &[T], b: MatrixRef<'_, T>, mut c: MatrixMut<'_, T>, kernels: &Kernels<T>) {
    let (m, n, k, ldc) = (c.nrows(), c.ncols(), b.nrows(), c.lda());
    assert!(b.ncols() == n && m.next_multiple_of(kernels.mr) * k <= a.len(), "gemm: sizes do not fit");
    let tiles = Tiles { ptr: a.as_ptr(), tile: kernels.mr * k, col: kernels.mr };
    // SAFETY: the sizes fit, as checked above; C is borrowed mutably, so it overlaps neither A nor B.
    unsafe { (kernels.gemm)(m, n, k, tiles, b.as_ptr(), b.lda(), c.as_mut_ptr(), ldc) };
}

/// Packs a block into tiles.
fn pack<T: Real>(a: MatrixRef<'_, T>, to: &mut [T], kernels: &Kernels<T>) {
    let (m, k) = (a.nrows(), a.ncols());
    assert!(m.next_multiple_of(kernels.mr) * k <= to.len(), "pack: too little memory");
    // SAFETY: the block has this size, and `to` takes whole tiles of it.
    unsafe { (kernels.pack)(m, k, a.as_ptr(), a.lda(), to.as_mut_ptr()) };
}
