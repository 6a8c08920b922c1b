//! A factored panel in the form that the updates to its right need: row moves, and L in tiles.

use std::ops::Range;

use super::moves::Moves;
use crate::blas::scratch::leading_dimension;
use crate::blas::{Next, Packed};
use crate::element::Element;
use crate::kernel::{Kernels, Trsm};
use crate::matrix::{MatrixMut, MatrixRef};

/// A panel of w columns.
pub(super) struct PackedPanel<'a, T: Element> {
    w: usize,
    moves: Moves<'a>,
    /// L11; the elements above its diagonal are not used.
    l11: Packed<'a, T>,
    l21: Packed<'a, T>,
    kernels: &'a Kernels<T>,
}

impl<'a, T: Element> PackedPanel<'a, T> {
    /// Elements of memory for a panel of `m` rows and `w` columns; an upper bound.
    pub(super) fn size(m: usize, w: usize, kernels: &Kernels<T>) -> usize {
        (m + 2 * kernels.mr) * w
    }

    /// Elements of memory for [`PackedPanel::update`], if the panel has at most `w` columns.
    pub(super) fn update_size(w: usize, kernels: &Kernels<T>) -> usize {
        leading_dimension::<T>(w) * kernels.tuning.chunk
    }

    /// Packs a factored panel, whose row swaps are these moves.
    pub(super) fn new(l: MatrixRef<'_, T>, moves: Moves<'a>, memory: &'a mut [T], kernels: &'a Kernels<T>) -> Self {
        let (m, w) = (l.nrows(), l.ncols());
        let (memory11, memory21) = memory.split_at_mut(Packed::size(w, w, kernels));
        let l11 = Packed::new(l.block(0, 0, w, w), memory11, kernels);
        let l21 = Packed::new(l.block(w, 0, m - w, w), memory21, kernels);
        PackedPanel { w, moves, l11, l21, kernels }
    }

    /// [A12; A22] <- P [A12; A22]; A12 <- L11^-1 A12 = U12; A22 <- A22 - L21 U12. `memory` is for a chunk of U12. If A
    /// comes from memory (`is_far`), the columns that this thread is likely to update next begin at `next`, unless none are known.
    pub(super) fn update(&self, mut a: MatrixMut<'_, T>, is_far: bool, next: Option<*const T>, memory: &mut [T]) {
        let (w, kernels) = (self.w, self.kernels);
        let ldb = leading_dimension::<T>(w);
        let chunk = kernels.tuning.chunk;
        for j in (0..a.ncols()).step_by(chunk) {
            let n = chunk.min(a.ncols() - j);
            let after = a.as_ref().as_ptr().wrapping_add((j + n) * a.lda());
            let next = if j + n < a.ncols() { Some(after) } else { next };
            let mut a = a.reborrow().split_at_col(j).1.split_at_col(n).0;
            let mut u12 = MatrixMut::in_memory(memory, w, n, ldb);
            self.moves.apply(a.reborrow(), u12.reborrow());
            let (a12, mut a22) = a.split_at_row(w);
            self.solve(u12.reborrow(), a12);
            let m = a22.nrows();
            for i in (0..m).step_by(kernels.mc) {
                let end = m.min(i + kernels.mc);
                let block = a22.reborrow().split_at_row(i).1.split_at_row(end - i).0;
                // The next rows to move come from memory in the meantime, a part of them with each block.
                let rows = if next.is_some() { share(self.moves.rows(), i..end, m) } else { &[] };
                let next = is_far.then_some(Next { first: next.unwrap_or(std::ptr::null()), rows });
                self.l21.sub_product(i..end, u12.as_ref(), block, next);
            }
        }
    }

    /// X <- L11^-1 B, and B <- X.
    fn solve(&self, mut b: MatrixMut<'_, T>, mut x: MatrixMut<'_, T>) {
        let (w, mr, n) = (self.w, self.kernels.mr, b.ncols());
        let (ldb, ldx) = (b.lda(), x.lda());
        assert!(b.nrows() == w && x.nrows() == w && x.ncols() == n, "solve: sizes do not fit");
        let (b, x) = (b.as_mut_ptr(), x.as_mut_ptr());
        for i in (0..w).step_by(mr) {
            let (l, x) = (self.l11.tile(i).as_ptr(), x.wrapping_add(i));
            // SAFETY: the tile has rows i to i + mr or w of L11, all of its columns; B and X have w rows and n columns.
            unsafe { (self.kernels.trsm_unit)(Trsm { m: mr.min(w - i), n, k: i, l, ldl: mr, b, ldb, x, ldx }) };
        }
    }
}

/// The part of a list that belongs to this part of 0 to `whole`.
fn share(list: &[u64], part: Range<usize>, whole: usize) -> &[u64] {
    &list[list.len() * part.start / whole..list.len() * part.end / whole]
}
