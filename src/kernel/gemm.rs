//! C <- C - A B, tile by tile.
//!
//! ```text
//!            NR columns of B, k rows
//!            +--+
//!            |  |       A tile of C stays in registers while A(:, p) B(p, :) is subtracted for p = 0, 1, ..;
//!            +--+       A is read MV vectors at a time, B one element at a time.
//!   +-----+  +--+
//!   |  A  |  |C | MV vectors of rows
//!   +-----+  +--+
//! ```

#![allow(clippy::needless_range_loop)] // registers are named by the indices of the formula

use super::vector::Vector;
use crate::real::Real;

/// Where the tiles of A are: tile t begins at `ptr + t * tile`, its columns are `col` elements apart.
///
/// A column-major A with leading dimension `lda` is `tile: MV * LANES, col: lda`; a packed one is
/// `tile: MV * LANES * k, col: MV * LANES`.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Tiles<T> {
    pub(crate) ptr: *const T,
    pub(crate) tile: usize,
    pub(crate) col: usize,
}

/// C <- C - A B: A is `m` by `k`, B is `k` by `n`, C is `m` by `n`; B and C are column-major.
///
/// # Safety
/// The pointers are good for those sizes; C overlaps neither A nor B; the CPU has the vectors' instruction set.
#[inline(always)]
#[allow(clippy::too_many_arguments)] // BLAS's own argument list
pub(super) unsafe fn gemm<V: Vector, const MV: usize, const NR: usize>(
    m: usize,
    n: usize,
    k: usize,
    a: Tiles<V::T>,
    b: *const V::T,
    ldb: usize,
    c: *mut V::T,
    ldc: usize,
) {
    let mr = MV * V::LANES;
    let mut j = 0;
    while j < n {
        // SAFETY: j < n.
        let (b, c) = unsafe { (b.add(j * ldb), c.add(j * ldc)) };
        let nc = NR.min(n - j);
        let (mut i, mut a) = (0, a);
        while i < m {
            let rows = mr.min(m - i);
            // SAFETY: i < m; the tile has `rows` rows and `nc` columns, all of them in A, B and C.
            unsafe {
                let c = c.add(i);
                if rows == mr && nc == NR {
                    tile::<V, MV, NR, false>(k, a, b, ldb, c, ldc, 0);
                } else {
                    edge::<V, MV, NR>(rows, nc, k, a, b, ldb, c, ldc);
                }
            }
            i += mr;
            a.ptr = a.ptr.wrapping_add(a.tile);
        }
        j += NR;
    }
}

/// One tile of MV vectors by NC columns. With `EDGE` its last vector has `last` rows, 1 to LANES, else all.
///
/// # Safety
/// As for [`gemm`], for the sizes of the tile.
#[inline(always)]
unsafe fn tile<V: Vector, const MV: usize, const NC: usize, const EDGE: bool>(
    k: usize,
    a: Tiles<V::T>,
    b: *const V::T,
    ldb: usize,
    c: *mut V::T,
    ldc: usize,
    last: usize,
) {
    // SAFETY: all elements named are those of the tile.
    unsafe {
        let load = |from: *const V::T, v: usize| {
            let from = from.add(v * V::LANES);
            if EDGE && v == MV - 1 { V::load_partial(from, last) } else { V::load(from) }
        };
        // acc <- C
        let mut acc = [[V::splat(V::T::ZERO); MV]; NC];
        for j in 0..NC {
            for v in 0..MV {
                acc[j][v] = load(c.add(j * ldc), v);
            }
            // The tile below is next.
            V::prefetch(c.wrapping_add(j * ldc + (2 * MV - 1) * V::LANES));
        }
        // acc <- acc - A(:, p) B(p, :), p rising
        let (mut ap, mut bp) = (a.ptr, b);
        for _ in 0..k {
            let mut av = [V::splat(V::T::ZERO); MV];
            for (v, av) in av.iter_mut().enumerate() {
                *av = load(ap, v);
            }
            for j in 0..NC {
                let bj = V::splat(*bp.add(j * ldb));
                for v in 0..MV {
                    acc[j][v] = acc[j][v].minus_product(av[v], bj);
                }
            }
            ap = ap.wrapping_add(a.col);
            bp = bp.add(1);
        }
        // C <- acc
        for j in 0..NC {
            for v in 0..MV {
                let to = c.add(j * ldc + v * V::LANES);
                if EDGE && v == MV - 1 { acc[j][v].store_partial(to, last) } else { acc[j][v].store(to) }
            }
        }
    }
}

/// A tile of fewer rows or columns: 1 to MV * LANES rows, 1 to NR columns.
///
/// # Safety
/// As for [`gemm`], for the sizes of the tile.
#[inline(always)]
#[allow(clippy::too_many_arguments)] // BLAS's own argument list
unsafe fn edge<V: Vector, const MV: usize, const NR: usize>(
    rows: usize,
    nc: usize,
    k: usize,
    a: Tiles<V::T>,
    b: *const V::T,
    ldb: usize,
    c: *mut V::T,
    ldc: usize,
) {
    let vectors = rows.div_ceil(V::LANES);
    let last = rows - (vectors - 1) * V::LANES;
    let mut j = 0;
    while j < nc {
        // As many columns at once as there is a tile for: all, or a power of two.
        let width = if nc == NR { NR } else { 1 << (nc - j).ilog2() };
        // Arms with more vectors or columns than a tile has are removed by the compiler.
        macro_rules! columns {
            ($mv:literal: $($nc:tt)*) => {
                // SAFETY: the caller's promise for `width` columns from j on.
                unsafe {
                    let (b, c) = (b.add(j * ldb), c.add(j * ldc));
                    match width {
                        all if all == NR => tile::<V, $mv, NR, true>(k, a, b, ldb, c, ldc, last),
                        $($nc if $nc < NR => tile::<V, $mv, $nc, true>(k, a, b, ldb, c, ldc, last),)*
                        _ => unreachable!("a tile has 1 to NR columns"),
                    }
                }
            };
        }
        match vectors {
            1 => columns!(1: 1 2 4),
            2 if MV >= 2 => columns!(2: 1 2 4),
            3 if MV >= 3 => columns!(3: 1 2 4),
            _ => unreachable!("a tile has 1 to MV vectors of rows"),
        }
        j += width;
    }
}

/// Copies an `m` by `k` matrix into tiles of MV * LANES rows, column after column, the last one filled up with zeros.
/// `to` takes `m` rounded up to whole tiles, times `k`, elements.
///
/// # Safety
/// `a` is good for `m` by `k` elements with leading dimension `lda`, `to` for the elements above.
#[inline(always)]
pub(super) unsafe fn pack<V: Vector, const MV: usize>(m: usize, k: usize, a: *const V::T, lda: usize, to: *mut V::T) {
    let mr = MV * V::LANES;
    let mut to = to;
    for i in (0..m).step_by(mr) {
        for p in 0..k {
            // SAFETY: row i of column p of A, and a column of the tile.
            unsafe {
                let from = a.add(i + p * lda);
                if m - i >= mr {
                    for v in 0..MV {
                        V::load(from.add(v * V::LANES)).store(to.add(v * V::LANES));
                    }
                } else {
                    for v in 0..MV {
                        let rows = (m - i).saturating_sub(v * V::LANES).min(V::LANES);
                        V::load_partial(from.wrapping_add(v * V::LANES), rows).store(to.add(v * V::LANES));
                    }
                }
                to = to.add(mr);
            }
        }
    }
}
