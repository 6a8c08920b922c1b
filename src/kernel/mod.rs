//! The inner loops, one table of them for each instruction set.
//!
//! A kernel knows no matrix: it takes pointers, sizes and leading dimensions. Bodies are written once
//! (`body.rs`) over [`Real`] and instantiated for each element type and instruction set; a table is chosen once,
//! by [`Isa::best`], and handed down from there.
//!
//! Every kernel keeps the one order of operations: an element is updated by one fused multiply-subtract for each
//! `k`, in rising `k`, starting from the element itself. So all tables give the same bits.

mod body;
pub(crate) mod table;

#[cfg(test)]
mod tests;

use crate::real::Real;

/// An instruction set that there are kernels for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Isa {
    /// Whatever the compiler's baseline for the target offers.
    Portable,
    /// x86-64 with AVX2 and FMA.
    Avx2,
}

impl Isa {
    /// Every instruction set there are kernels for, the fastest last.
    pub const ALL: [Isa; 2] = [Isa::Portable, Isa::Avx2];

    /// Whether this CPU has it.
    #[must_use]
    pub fn is_available(self) -> bool {
        match self {
            Isa::Portable => true,
            #[cfg(target_arch = "x86_64")]
            Isa::Avx2 => is_x86_feature_detected!("avx2") && is_x86_feature_detected!("fma"),
            #[cfg(not(target_arch = "x86_64"))]
            Isa::Avx2 => false,
        }
    }

    /// The fastest one that this CPU has.
    #[must_use]
    pub fn best() -> Isa {
        Isa::ALL.into_iter().rev().find(|isa| isa.is_available()).unwrap_or(Isa::Portable)
    }

    /// Its name: `portable`, `avx2`.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Isa::Portable => "portable",
            Isa::Avx2 => "avx2",
        }
    }
}

/// C <- C - A B on one tile: A is `mr` by `k`, B is `k` by `nr`, C is `mr` by `nr`.
///
/// # Safety
/// `a`, `b` and `c` point to column-major blocks of those sizes, of which `c` overlaps none; `lda`, `ldb` and
/// `ldc` are at least their numbers of rows.
pub(crate) type GemmTile<T> =
    unsafe fn(k: usize, a: *const T, lda: usize, b: *const T, ldb: usize, c: *mut T, ldc: usize);

/// C <- C - A B with any sizes: A is `m` by `k`, B is `k` by `n`, C is `m` by `n`.
///
/// # Safety
/// As for [`GemmTile`].
pub(crate) type GemmEdge<T> =
    unsafe fn(m: usize, n: usize, k: usize, a: *const T, lda: usize, b: *const T, ldb: usize, c: *mut T, ldc: usize);

/// B <- L^-1 B: L is `m` by `m`, unit lower triangular, of which only the part below the diagonal is read; B is
/// `m` by `n`.
///
/// # Safety
/// `l` and `b` point to column-major blocks of those sizes that do not overlap; `ldl` and `ldb` are at least `m`.
pub(crate) type Trsm<T> = unsafe fn(m: usize, n: usize, l: *const T, ldl: usize, b: *mut T, ldb: usize);

/// P A = L U, unblocked, of an `m` by `n` panel in place; `ipiv` receives `min(m, n)` 1-based row numbers.
/// Returns the 1-based index of the first zero pivot, or 0.
///
/// # Safety
/// `a` points to a column-major block of that size, `ipiv` to `min(m, n)` elements; `lda >= m`.
pub(crate) type Panel<T> = unsafe fn(m: usize, n: usize, a: *mut T, lda: usize, ipiv: *mut i64) -> usize;

/// The kernels of one instruction set and its block sizes.
pub struct Kernels<T: Real> {
    /// Rows of a tile of C.
    pub(crate) mr: usize,
    /// Columns of a tile of C.
    pub(crate) nr: usize,
    /// Rows of A that stay in the L2 cache while B goes by.
    pub(crate) mc: usize,
    /// Columns of A (rows of B) that one pass over C takes.
    pub(crate) kc: usize,
    /// Panels of at most this many columns, and triangles of at most this order, are not split further.
    pub(crate) nb: usize,
    pub(crate) gemm_tile: GemmTile<T>,
    pub(crate) gemm_edge: GemmEdge<T>,
    pub(crate) trsm: Trsm<T>,
    /// The panel with partial pivoting.
    pub(crate) panel: Panel<T>,
    /// The panel whose pivots are the elements on the diagonal.
    pub(crate) panel_nopiv: Panel<T>,
}
