//! C <- C - A B, tile by tile: where a large factorization spends its time.
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

use super::column;
use crate::kernel::scalar::Scalar;
use crate::kernel::signatures::{Gemm, Pack};
use crate::kernel::vector::Vector;

/// C <- C - A B.
///
/// # Safety
/// - As [`Gemm`] says.
/// - The CPU has the vectors' instruction set.
#[inline(always)]
pub(in crate::kernel) unsafe fn gemm<V: Vector, const MV: usize, const NR: usize>(arguments: Gemm<V::T>) {
    let Gemm { m, n, k, a, b, ldb, c, ldc } = arguments;
    let mr = MV * V::LANES;
    let mut j = 0;
    while j < n {
        // SAFETY: column j < n of B and of C.
        let (b, c) = unsafe { (b.add(j * ldb), c.add(j * ldc)) };
        let nc = NR.min(n - j);
        let (mut i, mut a) = (0, a);
        while i < m {
            let rows = mr.min(m - i);
            // SAFETY: i < m; the tile has `rows` rows and `nc` columns, all of them in A, B and C.
            unsafe {
                let tile = Gemm { m: rows, n: nc, k, a, b, ldb, c: c.add(i), ldc };
                if rows == mr && nc == NR {
                    self::tile::<V, MV, NR, false>(tile);
                } else {
                    edge::<V, MV, NR>(tile);
                }
            }
            i += mr;
            a.ptr = a.ptr.wrapping_add(a.tile);
        }
        j += NR;
    }
}

/// One tile of MV vectors by NC columns. With `EDGE` its last vector may be filled in part.
///
/// # Safety
/// - As for [`gemm`]; C has NC columns.
/// - C has more than (MV - 1) * LANES rows, up to MV * LANES, and without `EDGE` exactly those.
#[inline(always)]
unsafe fn tile<V: Vector, const MV: usize, const NC: usize, const EDGE: bool>(tile: Gemm<V::T>) {
    let Gemm { m, k, a, b, ldb, c, ldc, .. } = tile;
    let last = m - (MV - 1) * V::LANES;
    // SAFETY: the caller's CPU has the instruction set; m rows of NC columns of C, m rows of k columns of A, k rows of NC
    // columns of B. The prefetched address is only computed.
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
            // The tile below comes next.
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
                    acc[j][v] = acc[j][v].sub_mul(av[v], bj);
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
/// - As for [`gemm`].
#[inline(always)]
unsafe fn edge<V: Vector, const MV: usize, const NR: usize>(tile: Gemm<V::T>) {
    let Gemm { m, n: nc, b, ldb, c, ldc, .. } = tile;
    let vectors = m.div_ceil(V::LANES);
    let mut j = 0;
    while j < nc {
        // All columns at once, or else the largest power of two: there are no tiles for other numbers of columns.
        let width = if nc == NR { NR } else { 1 << (nc - j).ilog2() };
        // The compiler removes the arms with more vectors or columns than a tile has.
        macro_rules! columns {
            ($mv:literal: $($nc:tt)*) => {
                // SAFETY: columns j to j + width of B and C, which are below nc; `vectors` follows from m.
                unsafe {
                    let tile = Gemm { b: b.add(j * ldb), c: c.add(j * ldc), ..tile };
                    match width {
                        all if all == NR => self::tile::<V, $mv, NR, true>(tile),
                        $($nc if $nc < NR => self::tile::<V, $mv, $nc, true>(tile),)*
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

/// Copies a matrix into tiles of MV * LANES rows, so that gemm reads A from consecutive addresses.
///
/// # Safety
/// - As [`Pack`] says.
/// - The CPU has the vectors' instruction set.
#[inline(always)]
pub(in crate::kernel) unsafe fn pack<V: Vector, const MV: usize>(arguments: Pack<V::T>) {
    let Pack { m, k, a, lda, mut to } = arguments;
    let mr = MV * V::LANES;
    for i in (0..m).step_by(mr) {
        for p in 0..k {
            // SAFETY: rows i.. of column p of A, all of a tile or the `m - i` that are left; a whole column of the tile.
            unsafe {
                let from = a.add(i + p * lda);
                let rows: [V; MV] = if m - i >= mr { column::load(from) } else { column::load_partial(from, m - i) };
                column::store(&rows, to);
                to = to.add(mr);
            }
        }
    }
}
