//! What the benchmarks measure one by one. Not part of the library's interface; it is compiled with the feature
//! `internals` alone.
//!
//! Matrices are column-major without padding. Each function panics where a slice has not the length that is named, or
//! where the CPU lacks the instruction set.

use crate::kernel::{Isa, Kernels, Tiles, WORK};
use crate::matrix::MatrixMut;
use crate::real::Real;

fn kernels<T: Real>(isa: Isa) -> &'static Kernels<T> {
    T::kernels(isa).expect("an instruction set of this CPU")
}

/// The orders up to which a matrix is factored as a whole, and the columns of a panel.
#[must_use]
pub fn sizes<T: Real>(isa: Isa) -> (usize, usize) {
    let kernels = kernels::<T>(isa);
    (kernels.small, kernels.nb)
}

/// A in tiles, as gemm takes it: `m` by `k`.
#[must_use]
pub fn pack<T: Real>(isa: Isa, m: usize, k: usize, a: &[T]) -> Vec<T> {
    let kernels = kernels::<T>(isa);
    assert_eq!(a.len(), m * k);
    let mut packed = vec![T::ZERO; m.next_multiple_of(kernels.mr) * k];
    // SAFETY: A has this size, `packed` takes whole tiles of it.
    unsafe { (kernels.pack)(m, k, a.as_ptr(), m, packed.as_mut_ptr()) };
    packed
}

/// C <- C - A B: A `m` by `k` from [`pack`], B `k` by `n`, C `m` by `n`.
pub fn gemm<T: Real>(isa: Isa, [m, n, k]: [usize; 3], a: &[T], b: &[T], c: &mut [T]) {
    let kernels = kernels::<T>(isa);
    assert_eq!([a.len(), b.len(), c.len()], [m.next_multiple_of(kernels.mr) * k, k * n, m * n]);
    let tiles = Tiles { ptr: a.as_ptr(), tile: kernels.mr * k, col: kernels.mr };
    // SAFETY: the slices have these sizes.
    unsafe { (kernels.gemm)(m, n, k, tiles, b.as_ptr(), k, c.as_mut_ptr(), m) };
}

/// B <- L^-1 B: L `m` by `m`, B `m` by `n`.
pub fn trsm<T: Real>(isa: Isa, m: usize, n: usize, l: &mut [T], b: &mut [T]) {
    let l = MatrixMut::from_slice(l, m, m, m).expect("m by m elements");
    let b = MatrixMut::from_slice(b, m, n, m).expect("m by n elements");
    crate::blas::trsm(l.as_ref(), b, kernels(isa));
}

/// P A = L U of a panel, `m` by `n`, with at most as many columns as [`sizes`] says.
pub fn panel<T: Real>(isa: Isa, m: usize, n: usize, pivoting: bool, a: &mut [T], ipiv: &mut [i64]) -> usize {
    let kernels = kernels::<T>(isa);
    assert!(a.len() == m * n && ipiv.len() == m.min(n) && n <= kernels.nb);
    // SAFETY: A and ipiv have these sizes.
    unsafe { (kernels.panel)(m, n, a.as_mut_ptr(), m, ipiv.as_mut_ptr(), pivoting) }
}

/// P A = L U of a small matrix, `n` by `n`, of at most the order that [`sizes`] says.
pub fn small<T: Real>(isa: Isa, n: usize, a: &mut [T], ipiv: &mut [i64]) -> usize {
    let kernels = kernels::<T>(isa);
    assert!(a.len() == n * n && ipiv.len() == n && (1..=kernels.small).contains(&n));
    let mut work = [T::ZERO; WORK];
    // SAFETY: A and ipiv have these sizes, `work` has its own.
    unsafe { (kernels.factor_small)(n, n, a.as_mut_ptr(), n, ipiv.as_mut_ptr(), work.as_mut_ptr()) }
}
