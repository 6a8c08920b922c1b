//! What each kernel takes: its one argument, with the formula that it computes and what its caller promises.

use crate::pivoting::Pivoting;

/// Where the tiles of A are: tile t begins at `ptr + t * tile`, its columns are `col` elements apart.
///
/// A column-major A with leading dimension `lda` is `tile: mr, col: lda`; a packed one is `tile: mr * k, col: mr`.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Tiles<T> {
    pub(crate) ptr: *const T,
    pub(crate) tile: usize,
    pub(crate) col: usize,
}

/// C <- C - A B: A is `m` by `k`, B is `k` by `n`, C is `m` by `n`; B and C are column-major.
///
/// # Safety
/// - The pointers are good for those sizes.
/// - C overlaps neither A nor B.
/// - `ldb >= k`, `ldc >= m`.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Gemm<T> {
    pub(crate) m: usize,
    pub(crate) n: usize,
    pub(crate) k: usize,
    pub(crate) a: Tiles<T>,
    pub(crate) b: *const T,
    pub(crate) ldb: usize,
    pub(crate) c: *mut T,
    pub(crate) ldc: usize,
}

/// A matrix whose element (i, k) stands at `i * row + k * col` from `ptr`; the distances may be negative.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Strided<T> {
    pub(crate) ptr: *const T,
    pub(crate) row: isize,
    pub(crate) col: isize,
}

/// y <- y - A x: A is `m` by `n`; the elements of x and of y are `incx` and `incy` apart, which may be negative.
///
/// # Safety
/// - The pointers are good for those elements.
/// - y overlaps neither A nor x.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Gemv<T> {
    pub(crate) m: usize,
    pub(crate) n: usize,
    pub(crate) a: Strided<T>,
    pub(crate) x: *const T,
    pub(crate) incx: isize,
    pub(crate) y: *mut T,
    pub(crate) incy: isize,
}

/// Some elements, one after the other.
///
/// # Safety
/// - `x` is good for reads of `len` elements.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Elements<T> {
    pub(crate) len: usize,
    pub(crate) x: *const T,
}

/// Copies an `m` by `k` matrix into tiles of `mr` rows, column after column; the last tile is filled up with zeros.
///
/// # Safety
/// - `a` is good for `m` by `k` elements, `lda >= m`.
/// - `to` is good for `k` times `m` rounded up to a multiple of `mr`.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Pack<T> {
    pub(crate) m: usize,
    pub(crate) k: usize,
    pub(crate) a: *const T,
    pub(crate) lda: usize,
    pub(crate) to: *mut T,
}

/// X <- L22^-1 (B2 - L21 B1): the `m` rows B2 of B that follow `k` solved rows B1. L = [L21 L22] is `m` by `k + m`, L22
/// lower triangular; B = [B1; B2] is `k + m` by `n`. X goes to B2 and to `x`, which may be the same place.
///
/// # Safety
/// - `m` is at most `mr`, or for the kernel that reads the diagonal at most `lanes`.
/// - `l`, `b` and `x` are good for column-major blocks of those sizes, which overlap only where X is B2.
/// - `ldl >= m`, `ldb >= k + m`, `ldx >= m`.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Trsm<T> {
    pub(crate) m: usize,
    pub(crate) n: usize,
    pub(crate) k: usize,
    pub(crate) l: *const T,
    pub(crate) ldl: usize,
    pub(crate) b: *mut T,
    pub(crate) ldb: usize,
    pub(crate) x: *mut T,
    pub(crate) ldx: usize,
}

/// P A = L U of an `m` by `n` panel in place, `n <= nb`; `ipiv` receives `min(m, n)` 1-based row numbers. Returns the
/// 1-based index of the first zero pivot, or 0.
///
/// # Safety
/// - `a` is good for a column-major block of that size, `lda >= m`.
/// - `ipiv` is good for `min(m, n)` elements.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Panel<T> {
    pub(crate) m: usize,
    pub(crate) n: usize,
    pub(crate) a: *mut T,
    pub(crate) lda: usize,
    pub(crate) ipiv: *mut i64,
    pub(crate) pivoting: Pivoting,
}

/// P A = L U of an `m` by `n` matrix in place, with partial pivoting; `ipiv` receives `min(m, n)` 1-based row numbers.
/// Returns the 1-based index of the first zero pivot, or 0.
///
/// # Safety
/// - `m` and `n` are 1 to the table's `small`.
/// - `a` is good for a column-major block of that size, `lda >= m`.
/// - `ipiv` is good for `min(m, n)` elements.
/// - `work` is good for [`WORK`](super::WORK) elements, or may be anything if `m` is at most the table's `tiny_rows` and both
///   sizes are at most [`TINY`](super::TINY).
#[derive(Debug, Clone, Copy)]
pub(crate) struct Small<T> {
    pub(crate) m: usize,
    pub(crate) n: usize,
    pub(crate) a: *mut T,
    pub(crate) lda: usize,
    pub(crate) ipiv: *mut i64,
    pub(crate) work: *mut T,
}
