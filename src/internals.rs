//! What the benchmarks measure one by one. Not part of the library's interface; it is compiled with the feature
//! `internals` alone.
//!
//! Matrices are column-major without padding. Each function panics if a slice does not have the length that is named, or
//! if the CPU lacks the instruction set.

use crate::blas::{Packed, transpose as blas_transpose, trsm as blas_trsm};
use crate::element::Element;
use crate::kernel::{Elements, Gemm, Isa, Kernels, Panel, Small, Tiles, WORK};
use crate::lu::factor_by;
use crate::matrix::{MatrixMut, MatrixRef};
use crate::pivoting::Pivoting;

fn kernels<T: Element>(isa: Isa) -> &'static Kernels<T> {
    T::kernels(isa).expect("an instruction set of this CPU")
}

/// The orders up to which a matrix is factored as a whole, and the columns of a panel.
#[must_use]
pub fn sizes<T: Element>(isa: Isa) -> (usize, usize) {
    let kernels = kernels::<T>(isa);
    (kernels.small, kernels.nb)
}

/// A in tiles, as gemm takes it: `m` by `k`.
#[must_use]
pub fn pack<T: Element>(isa: Isa, m: usize, k: usize, a: &[T]) -> Vec<T> {
    let kernels = kernels::<T>(isa);
    let mut packed = vec![T::ZERO; Packed::size(m, k, kernels)];
    Packed::new(MatrixRef::from_slice(a, m, k, m).expect("m by k elements"), &mut packed, kernels);
    packed
}

/// C <- C - A B: A `m` by `k` from [`pack`], B `k` by `n`, C `m` by `n`.
pub fn gemm<T: Element>(isa: Isa, [m, n, k]: [usize; 3], a: &[T], b: &[T], c: &mut [T]) {
    let kernels = kernels::<T>(isa);
    assert_eq!([a.len(), b.len(), c.len()], [Packed::size(m, k, kernels), k * n, m * n]);
    let a = Tiles { ptr: a.as_ptr(), tile: kernels.mr * k, col: kernels.mr };
    // SAFETY: the slices have these sizes.
    unsafe { (kernels.gemm)(Gemm { m, n, k, a, b: b.as_ptr(), ldb: k, c: c.as_mut_ptr(), ldc: m }) };
}

/// B <- A^T: A `n` by `m`, B `m` by `n`.
pub fn transpose<T: Element>(m: usize, n: usize, a: &[T], b: &mut [T]) {
    let a = MatrixRef::from_slice(a, n, m, n).expect("n by m elements");
    blas_transpose(a, MatrixMut::from_slice(b, m, n, m).expect("m by n elements"));
}

/// Whether all elements are finite.
#[must_use]
pub fn all_finite<T: Element>(isa: Isa, x: &[T]) -> bool {
    // SAFETY: the slice has these elements.
    unsafe { (kernels::<T>(isa).all_finite)(Elements { len: x.len(), x: x.as_ptr() }) }
}

/// B <- L^-1 B: L `m` by `m`, B `m` by `n`.
pub fn trsm<T: Element>(isa: Isa, m: usize, n: usize, l: &[T], b: &mut [T]) {
    let l = MatrixRef::from_slice(l, m, m, m).expect("m by m elements");
    let b = MatrixMut::from_slice(b, m, n, m).expect("m by n elements");
    blas_trsm(l, b, kernels(isa));
}

/// P A = L U of a panel, `m` by `n`, with at most as many columns as [`sizes`] says, and no more than rows.
pub fn panel<T: Element>(isa: Isa, m: usize, n: usize, pivoting: Pivoting, a: &mut [T], ipiv: &mut [i64]) -> usize {
    let kernels = kernels::<T>(isa);
    assert!(a.len() == m * n && ipiv.len() == n && n <= m && n <= kernels.nb);
    let panel = Panel { m, n, a: a.as_mut_ptr(), lda: m, ipiv: ipiv.as_mut_ptr(), pivoting, part: None };
    // SAFETY: A and ipiv have these sizes.
    unsafe { (kernels.panel)(panel) }
}

/// P A = L U of a small matrix, `n` by `n`, of at most the order that [`sizes`] says.
pub fn small<T: Element>(isa: Isa, n: usize, a: &mut [T], ipiv: &mut [i64]) -> usize {
    let kernels = kernels::<T>(isa);
    assert!(a.len() == n * n && ipiv.len() == n && (1..=kernels.small).contains(&n));
    let mut work = [T::ZERO; WORK];
    let (a, ipiv, work) = (a.as_mut_ptr(), ipiv.as_mut_ptr(), work.as_mut_ptr());
    // SAFETY: A and ipiv have these sizes, `work` has its own.
    unsafe { (kernels.factor_small)(Small { m: n, n, a, lda: n, ipiv, work }) }
}

/// A block size that can be changed while a program runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Size {
    /// Columns of a block.
    Width,
    /// Columns that an update takes at once.
    Chunk,
    /// Tiles of rows of A that stay in the L2 cache.
    Tiles,
    /// Bytes from which on a matrix is expected to come from memory.
    FarBytes,
}

/// The kernels of an instruction set, perhaps with other block sizes.
pub struct Tuned<T: Element>(Kernels<T>);

impl<T: Element> Tuned<T> {
    /// The kernels with these sizes changed. It takes memory for good.
    #[must_use]
    pub fn new(isa: Isa, sizes: &[(Size, usize)]) -> Self {
        let shipped = kernels::<T>(isa);
        let (mut tuning, mut mc) = (*shipped.tuning, shipped.mc);
        for &(size, value) in sizes {
            let blocks = &mut tuning.blocks;
            match size {
                Size::Width => {
                    let widths: &[_] = Box::leak(Box::new([(usize::MAX, value)]));
                    (blocks.widths, blocks.shared_widths) = (widths, widths);
                }
                Size::Chunk => tuning.chunk = value,
                Size::Tiles => mc = value * shipped.mr,
                Size::FarBytes => blocks.far_bytes = value,
            }
        }
        Tuned(Kernels { mc, tuning: Box::leak(Box::new(tuning)), ..*shipped })
    }

    /// Factors A with partial pivoting. Returns `info`.
    pub fn factor(&self, a: MatrixMut<'_, T>, ipiv: &mut [i64], threads: usize) -> i64 {
        factor_by(&self.0, a, ipiv, threads)
    }
}
