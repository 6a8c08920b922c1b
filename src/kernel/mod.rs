//! The inner loops, one table of them for each instruction set.
//!
//! A kernel knows no matrix: it takes pointers, sizes and leading dimensions. Bodies (`gemm.rs`, `gemv.rs`, `trsm.rs`,
//! `panel.rs`, `small.rs`, `tiny.rs`) are written once over [`vector::Vector`] and instantiated in `table.rs` for each
//! element type and instruction set. A table is chosen by [`Isa::in_use`] and handed down from there.
//!
//! Every kernel keeps the one order of operations: an element is updated by one fused multiply-subtract for each
//! `k`, in rising `k`, starting from the element itself. So all tables give the same bits.

mod gemm;
mod gemv;
mod isa;
mod panel;
mod portable;
mod small;
pub(crate) mod table;
mod tiny;
mod trsm;
mod vector;

#[cfg(target_arch = "x86_64")]
mod avx2;
#[cfg(target_arch = "x86_64")]
mod avx512;

#[cfg(test)]
mod tests;

pub(crate) use gemm::Tiles;
pub use isa::Isa;
pub(crate) use isa::VARIABLE;
pub(crate) use small::WORK;

use crate::real::Real;

/// C <- C - A B: A is `m` by `k`, B is `k` by `n`, C is `m` by `n`; B and C are column-major.
///
/// # Safety
/// The pointers are good for those sizes; C overlaps neither A nor B; `ldb >= k`, `ldc >= m`.
pub(crate) type Gemm<T> =
    unsafe fn(m: usize, n: usize, k: usize, a: Tiles<T>, b: *const T, ldb: usize, c: *mut T, ldc: usize);

/// y <- y - A x: A is `m` by `n`, its element (i, k) stands at `i * row + k * col` from `a`; those of x and of y are
/// `incx` and `incy` apart. Any distance may be negative.
///
/// # Safety
/// The pointers are good for those elements; y overlaps neither A nor x.
pub(crate) type Gemv<T> = unsafe fn(
    m: usize,
    n: usize,
    a: *const T,
    row: isize,
    col: isize,
    x: *const T,
    incx: isize,
    y: *mut T,
    incy: isize,
);

/// Copies an `m` by `k` matrix into tiles of `mr` rows, column after column, the last tile filled up with zeros.
///
/// # Safety
/// `a` is good for `m` by `k` elements, `lda >= m`; `to` for `k` times `m` rounded up to a multiple of `mr`.
pub(crate) type Pack<T> = unsafe fn(m: usize, k: usize, a: *const T, lda: usize, to: *mut T);

/// X <- L22^-1 (B2 - L21 B1): `m` rows of B <- L^-1 B after `k` solved rows, `m` at most `mr` or `lanes`. L = [L21 L22] is `m` by `k + m`,
/// L22 lower triangular; B = [B1; B2] is `k + m` by `n`. X goes to B2 and to `x`, which may be the same place.
///
/// # Safety
/// `l`, `b` and `x` are good for column-major blocks of those sizes that overlap only where X is B2; `ldl >= m`,
/// `ldb >= k + m`, `ldx >= m`.
pub(crate) type Trsm<T> =
    unsafe fn(m: usize, n: usize, k: usize, l: *const T, ldl: usize, b: *mut T, ldb: usize, x: *mut T, ldx: usize);

/// P A = L U of an `m` by `n` panel in place, `n <= nb`; `ipiv` receives `min(m, n)` 1-based row numbers. Pivots are
/// the largest elements, or without `pivoting` those on the diagonal. Returns the 1-based index of the first zero pivot,
/// or 0.
///
/// # Safety
/// `a` is good for a column-major block of that size, `ipiv` for `min(m, n)` elements; `lda >= m`.
pub(crate) type Panel<T> =
    unsafe fn(m: usize, n: usize, a: *mut T, lda: usize, ipiv: *mut i64, pivoting: bool) -> usize;

/// P A = L U of an `m` by `n` matrix in place, with partial pivoting; `ipiv` receives `min(m, n)` 1-based row numbers.
/// Returns the 1-based index of the first zero pivot, or 0.
///
/// # Safety
/// `m` and `n` are 1 to the table's `small`; `a` is good for a column-major block of that size, `ipiv` for
/// `min(m, n)` elements, `work` for [`WORK`]; `lda >= m`.
pub(crate) type Small<T> = unsafe fn(m: usize, n: usize, a: *mut T, lda: usize, ipiv: *mut i64, work: *mut T) -> usize;

/// The kernels of one instruction set and its block sizes.
pub struct Kernels<T: Real> {
    /// Rows of a tile of C.
    pub(crate) mr: usize,
    /// Elements of a register.
    pub(crate) lanes: usize,
    /// Rows of A that stay in the L2 cache while B goes by; a multiple of `mr`.
    pub(crate) mc: usize,
    /// Columns of A (rows of B) that one pass over C takes.
    pub(crate) kc: usize,
    /// Panels of at most this many columns are not split further.
    pub(crate) nb: usize,
    /// Matrices with at most this many rows and columns are factored as a whole; at most [`small::LARGEST`].
    pub(crate) small: usize,
    pub(crate) gemm: Gemm<T>,
    pub(crate) gemv: Gemv<T>,
    pub(crate) pack: Pack<T>,
    /// The solve with ones on the diagonal, which are not read.
    pub(crate) trsm_unit: Trsm<T>,
    /// The solve with the diagonal that L has, of `lanes` rows at most.
    pub(crate) trsm: Trsm<T>,
    pub(crate) panel: Panel<T>,
    pub(crate) factor_small: Small<T>,
}
