//! A in tiles of `mr` rows, as the gemm kernel reads it: in place, or packed.

use std::ops::Range;

use crate::element::Element;
use crate::kernel::{Ahead, Gemm, GemmFar, Kernels, Pack, Tiles};
use crate::matrix::{MatrixMut, MatrixRef};

/// An `m` by `k` block, packed.
#[derive(Clone, Copy)]
pub(crate) struct Packed<'a, T: Element> {
    m: usize,
    k: usize,
    elements: &'a [T],
    kernels: &'a Kernels<T>,
}

/// What is needed after a product C that comes from memory, so that the caches can be asked for it: these rows of a matrix that
/// begins at `first`, with as many columns as C, as far apart. Nothing is read: it may be anywhere.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Next<'a, T> {
    pub(crate) first: *const T,
    pub(crate) rows: &'a [u64],
}

impl<'a, T: Element> Packed<'a, T> {
    /// Elements of memory for an `m` by `k` block, in whole tiles.
    pub(crate) fn size(m: usize, k: usize, kernels: &Kernels<T>) -> usize {
        m.next_multiple_of(kernels.mr) * k
    }

    /// Packs A into memory.
    ///
    /// # Panics
    /// If there is less memory than [`Packed::size`] says.
    pub(crate) fn new(a: MatrixRef<'_, T>, memory: &'a mut [T], kernels: &'a Kernels<T>) -> Self {
        let (m, k) = (a.nrows(), a.ncols());
        let elements = &mut memory[..Self::size(m, k, kernels)];
        let pack = Pack { m, k, a: a.as_ptr(), lda: a.lda(), to: elements.as_mut_ptr() };
        // SAFETY: the view A has this size, and `elements` has room for its whole tiles.
        unsafe { (kernels.pack)(pack) };
        Packed { m, k, elements, kernels }
    }

    /// The tile that begins at row `i`, a multiple of `mr`: columns of `mr` elements, one after the other.
    pub(crate) fn tile(&self, i: usize) -> &'a [T] {
        debug_assert!(i.is_multiple_of(self.kernels.mr));
        &self.elements[i * self.k..]
    }

    /// C <- C - A(rows, :) B; the rows begin at a multiple of `mr`. `next` is `None` if C is expected in the caches.
    ///
    /// # Panics
    /// If the sizes do not fit each other.
    pub(crate) fn sub_product(
        &self,
        rows: Range<usize>,
        b: MatrixRef<'_, T>,
        c: MatrixMut<'_, T>,
        next: Option<Next<'_, T>>,
    ) {
        assert!(rows.end <= self.m && c.nrows() == rows.len() && b.nrows() == self.k, "gemm: sizes do not fit");
        let mr = self.kernels.mr;
        let tiles = Tiles { ptr: self.tile(rows.start).as_ptr(), tile: mr * self.k, col: mr };
        let ahead = next.map(|next| Ahead { at: next.first, rows: next.rows.as_ptr(), count: next.rows.len() });
        // SAFETY: the packed tiles hold the rows of C, and as many columns as B has rows, as asserted.
        unsafe { sub_product(tiles, b, c, ahead, self.kernels) };
    }
}

/// C <- C - A B, where A is read in place.
///
/// # Panics
/// If the sizes do not fit each other.
pub(super) fn sub_product_in_place<T: Element>(
    a: MatrixRef<'_, T>,
    b: MatrixRef<'_, T>,
    c: MatrixMut<'_, T>,
    kernels: &Kernels<T>,
) {
    assert!(a.nrows() == c.nrows() && a.ncols() == b.nrows(), "gemm: sizes do not fit");
    let tiles = Tiles { ptr: a.as_ptr(), tile: kernels.mr, col: a.lda() };
    // SAFETY: A has the rows of C, and as many columns as B has rows, as asserted.
    unsafe { sub_product(tiles, b, c, None, kernels) };
}

/// C <- C - A B by the kernel.
///
/// # Safety
/// - The tiles of A have the rows of C and as many columns as B has rows.
/// - As [`Ahead`] says.
pub(super) unsafe fn sub_product<T: Element>(
    a: Tiles<T>,
    b: MatrixRef<'_, T>,
    mut c: MatrixMut<'_, T>,
    ahead: Option<Ahead<T>>,
    kernels: &Kernels<T>,
) {
    let (m, n, k, ldb, ldc) = (c.nrows(), c.ncols(), b.nrows(), b.lda(), c.lda());
    assert!(b.ncols() == n, "gemm: sizes do not fit");
    // SAFETY: the caller promises the size of A, and the views have theirs. C is borrowed mutably, so it overlaps neither A
    // nor B.
    unsafe {
        let gemm = Gemm { m, n, k, a, b: b.as_ptr(), ldb, c: c.as_mut_ptr(), ldc };
        match ahead {
            None => (kernels.gemm)(gemm),
            Some(ahead) => (kernels.gemm_far)(GemmFar { gemm, ahead }),
        }
    };
}
