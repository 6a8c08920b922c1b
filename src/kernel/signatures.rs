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

/// The same for a C that comes from memory.
///
/// # Safety
/// - As [`Gemm`] and [`Ahead`] say.
#[derive(Debug, Clone, Copy)]
pub(crate) struct GemmFar<T> {
    pub(crate) gemm: Gemm<T>,
    pub(crate) ahead: Ahead<T>,
}

/// What is needed after C: rows of a matrix of as many columns, which are `ldc` apart, too. The caches are asked for some of them with
/// each tile of C.
///
/// # Safety
/// - `rows` is good for reads of `count` numbers. The matrix is not read: `at` and the rows may be anything.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Ahead<T> {
    pub(crate) at: *const T,
    pub(crate) rows: *const u64,
    pub(crate) count: usize,
}

/// A matrix whose element (i, k) stands at `i * row + k * col` from `ptr`; the distances may be negative.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Strided<T> {
    pub(crate) ptr: *const T,
    pub(crate) row: isize,
    pub(crate) col: isize,
}

/// r <- r - A x in twice the precision, and s <- s + |A| |x|: A is `m` by `n`. The sums r are unevaluated ones of two numbers each,
/// `high + low`.
///
/// # Safety
/// - The pointers are good for those sizes, `lda >= m`.
/// - `high`, `low` and `s` overlap nothing.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Residual<T> {
    pub(crate) m: usize,
    pub(crate) n: usize,
    pub(crate) a: *const T,
    pub(crate) lda: usize,
    pub(crate) x: *const T,
    pub(crate) high: *mut T,
    pub(crate) low: *mut T,
    pub(crate) s: *mut T,
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
/// unit lower triangular, whose diagonal is not read; B = [B1; B2] is `k + m` by `n`. X goes to B2 and to `x`, which may be the same place.
///
/// # Safety
/// - `m` is at most `mr`.
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

/// X2 <- X2 - T21 X1, and if it `solves`, then X2 <- T22^-1 X2. X1 are the rows `known.0 .. known.1` of X, X2 the rows
/// `first .. end`. T21 are those columns of those rows of T, which is a lower triangle, with the diagonal that it has or with ones on
/// the diagonal, which are not read. A row of X is `vectors` times `lanes` contiguous elements; row i begins at `i * inc` from `x`.
///
/// # Safety
/// - `vectors` is 1 to the table's `row_vectors`.
/// - `known.0 <= known.1 <= first`; `known.1 == first` if it solves.
/// - `t` is good for the elements of T21 and T22 up to the diagonal, `x` for `end` rows.
/// - They do not overlap.
#[derive(Debug, Clone, Copy)]
pub(crate) struct RowsTrsm<T> {
    pub(crate) known: (usize, usize),
    pub(crate) first: usize,
    pub(crate) end: usize,
    pub(crate) solves: bool,
    pub(crate) vectors: usize,
    pub(crate) unit: bool,
    pub(crate) t: Strided<T>,
    pub(crate) x: *mut T,
    pub(crate) inc: isize,
}

/// X <- T^-1 X for `nrhs` columns of X, each by itself. T is a lower triangle of order `n`, with the diagonal that it has or with
/// ones on the diagonal, which are not read. Element i of a column is `i * inc` from its first.
///
/// # Safety
/// - `inc` is 1 or -1, and so is `t.row`, or else `t.col`; it is the same as `inc`.
/// - `t` is good for the elements up to the diagonal, `x` for columns of `n` elements that are `ldx` apart.
/// - They do not overlap.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Trsv<T> {
    pub(crate) n: usize,
    pub(crate) nrhs: usize,
    pub(crate) unit: bool,
    pub(crate) t: Strided<T>,
    pub(crate) x: *mut T,
    pub(crate) inc: isize,
    pub(crate) ldx: usize,
}

/// P A = L U of an `m` by `n` panel in place, `n <= nb`, `n <= m`; `ipiv` receives `n` 1-based row numbers. Returns the 1-based
/// index of the first zero pivot, or 0. With a [`PanelPart`] the call does something else.
///
/// # Safety
/// - `a` is good for a column-major block of that size, `lda >= m`.
/// - `ipiv` is good for `n` elements.
/// - For a part, see there.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Panel<T> {
    pub(crate) m: usize,
    pub(crate) n: usize,
    pub(crate) a: *mut T,
    pub(crate) lda: usize,
    pub(crate) ipiv: *mut i64,
    pub(crate) pivoting: Pivoting,
    pub(crate) part: Option<PanelPart<T>>,
}

/// One column of a panel of which A is some rows, all of them below those that belong to U. The last column of L, `column - 1`, is
/// divided by its pivot, and A(:, j) <- A(:, j) - L(:, 0:j) U(0:j, j), j = `column`; `ipiv[0]` receives the 1-based number of the
/// row of the part that holds the largest magnitude of the column. With a `column` of `n` the last column is divided, and that
/// is all.
///
/// # Safety
/// - `m >= 1`, `column <= n`.
/// - `top` is good for reads of the panel's first `column` rows, which are not rows of A; `lda` is its leading dimension, too.
#[derive(Debug, Clone, Copy)]
pub(crate) struct PanelPart<T> {
    pub(crate) column: usize,
    pub(crate) top: *const T,
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

/// Copies the matrices of a group to or from work memory. A line is a column of a column-major matrix, or a row of a
/// row-major one: `length` elements that stand next to each other. Element i of line l of matrix k is at `k * stride + l * lda +
/// i` of `a`; in the work memory it is lane k of vector `l * next + i * step`. On the way back a matrix whose bit in `skipped` is
/// set is left out.
///
/// # Safety
/// - `matrices` is 1 to `lanes`.
/// - `a` is good for those elements of the matrices, which do not overlap.
/// - `work` is good for the vectors of all lines, and for those of `lanes` more elements in each line.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Lines<T> {
    pub(crate) matrices: usize,
    pub(crate) skipped: u32,
    pub(crate) stride: usize,
    pub(crate) length: usize,
    pub(crate) lines: usize,
    pub(crate) a: *mut T,
    pub(crate) lda: usize,
    pub(crate) work: *mut T,
    pub(crate) step: usize,
    pub(crate) next: usize,
}

/// P A = L U of matrices in work memory, one in each lane, with partial pivoting. Element (i, j) is vector `i + j * M`, where M
/// is the number of rows that the kernel is made for. The matrices have the first columns, of which `steps` have pivots; the
/// columns behind them, up to column `n`, become L^-1 P times what they were.
///
/// While it works it asks for `ahead` cache lines of `next` for each column.
///
/// `ipiv` receives 1-based row numbers, that of step k in lane l at `k * lanes + l`, and `info` for each lane the 1-based index
/// of the first zero pivot, or 0.
///
/// # Safety
/// - `m` is 1 to M, and the rows from m to M are zeros or what the kernel has left there.
/// - `steps` is at most `m` and `n`.
/// - `work` is good for n columns of M vectors, `ipiv` for `steps` times `lanes` elements, `info` for `lanes`.
/// - They do not overlap.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Group<T> {
    pub(crate) m: usize,
    pub(crate) n: usize,
    pub(crate) steps: usize,
    pub(crate) work: *mut T,
    pub(crate) ipiv: *mut i32,
    pub(crate) info: *mut i32,
    pub(crate) next: *const T,
    pub(crate) ahead: usize,
}

/// X <- T^-1 B in place of B, for matrices in work memory, one in each lane. T is a lower triangle of order `n` with ones on its
/// diagonal, which are not read, or with the diagonal that it has: element (i, k) is vector `i * row + k * col` from `t`. X has
/// `nrhs` columns: element (i, j) is vector `i * inc + j * ldx` from `x`. The distances may be negative.
///
/// # Safety
/// - The pointers are good for those vectors.
/// - X does not overlap the elements of T that are read.
#[derive(Debug, Clone, Copy)]
pub(crate) struct GroupTrsm<T> {
    pub(crate) n: usize,
    pub(crate) nrhs: usize,
    pub(crate) unit: bool,
    pub(crate) t: *const T,
    pub(crate) row: isize,
    pub(crate) col: isize,
    pub(crate) x: *mut T,
    pub(crate) inc: isize,
    pub(crate) ldx: usize,
}

/// The 1-norm of each `m` by `n` matrix in work memory, if it is larger than what is at `norm`. Element (i, j) is vector
/// `i + j * lda`.
///
/// # Safety
/// - `a` is good for n columns of m vectors, `norm` for one vector.
#[derive(Debug, Clone, Copy)]
pub(crate) struct GroupNorm<T> {
    pub(crate) m: usize,
    pub(crate) n: usize,
    pub(crate) a: *const T,
    pub(crate) lda: usize,
    pub(crate) norm: *mut T,
    pub(crate) is_strict: bool,
}
