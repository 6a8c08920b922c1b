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
use crate::kernel::signatures::{Gemm, GemmFar, Pack};
use crate::kernel::vector::{LINE, Vector};

/// C <- C - A B, where C is expected in the caches.
///
/// # Safety
/// - As [`Gemm`] says.
/// - The CPU has the vectors' instruction set.
#[inline(always)]
pub(in crate::kernel) unsafe fn gemm<V: Vector, const MV: usize, const NR: usize>(arguments: Gemm<V::T>) {
    let Gemm { m, n, a, b, ldb, c, ldc, .. } = arguments;
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
                let tile = Gemm { m: rows, n: nc, a, b, c: c.add(i), ..arguments };
                if rows == mr && nc == NR {
                    self::tile::<V, MV, NR, false>(tile, None);
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

/// C <- C - A B, where C comes from memory: the caches are asked for the next tile while one is computed, and for what is needed
/// ahead of the end.
///
/// # Safety
/// - As [`GemmFar`] says.
/// - `near` is [`gemm`] for these vectors and tiles.
/// - The CPU has the vectors' instruction set.
#[inline(always)]
pub(in crate::kernel) unsafe fn gemm_far<V: Vector, const MV: usize, const NR: usize>(
    arguments: GemmFar<V::T>,
    near: unsafe fn(Gemm<V::T>),
) {
    let GemmFar { gemm, ahead } = arguments;
    if V::LANES == 1 {
        // Such a CPU computes for longer than it waits.
        // SAFETY: the caller's promise.
        return unsafe { near(gemm) };
    }
    let Gemm { m, n, a, b, ldb, c, ldc, .. } = gemm;
    let mr = MV * V::LANES;
    let rows_per_tile = ahead.count.div_ceil(m.div_ceil(mr).max(1));
    for j in (0..n).step_by(NR) {
        // SAFETY: column j < n of B and of C.
        let (b, c) = unsafe { (b.add(j * ldb), c.add(j * ldc)) };
        let (nc, mut a, mut asked) = (NR.min(n - j), a, 0);
        for i in (0..m).step_by(mr) {
            for row in asked..ahead.count.min(asked + rows_per_tile) {
                // SAFETY: there are `count` rows; the addresses are only asked for.
                unsafe {
                    let at = ahead.at.wrapping_add(*ahead.rows.add(row) as usize + j * ldc);
                    (0..NR).for_each(|column| V::prefetch_to_l2(at.wrapping_add(column * ldc)));
                }
            }
            asked += rows_per_tile;
            let rows = mr.min(m - i);
            // SAFETY: i < m; the tile has `rows` rows and `nc` columns, all of them in A, B and C.
            unsafe {
                let tile = Gemm { m: rows, n: nc, a, b, c: c.add(i), ..gemm };
                if rows == mr && nc == NR {
                    let next = c.wrapping_add(if i + mr < m { i + mr } else { NR * ldc });
                    self::tile::<V, MV, NR, false>(tile, Some(next));
                } else {
                    near(tile);
                }
            }
            a.ptr = a.ptr.wrapping_add(a.tile);
        }
    }
}

/// One tile of MV vectors by NC columns. With `EDGE` its last vector may be filled in part. If it is known where the next tile
/// begins, the cache is asked for all of it, one line with each step, since many at once would hold up the loads of A and B.
///
/// # Safety
/// - As for [`gemm`]; C has NC columns.
/// - C has more than (MV - 1) * LANES rows, up to MV * LANES, and without `EDGE` exactly those.
#[inline(always)]
unsafe fn tile<V: Vector, const MV: usize, const NC: usize, const EDGE: bool>(
    tile: Gemm<V::T>,
    next: Option<*mut V::T>,
) {
    let Gemm { m, mut k, a, mut b, ldb, c, ldc, .. } = tile;
    let last = m - (MV - 1) * V::LANES;
    let mut ap = a.ptr;
    // SAFETY: the caller's CPU has the instruction set; m rows of NC columns of C, m rows of k columns of A, k rows of NC
    // columns of B. Prefetched addresses are only computed.
    unsafe {
        // acc <- C
        let mut acc = [[V::splat(V::T::ZERO); MV]; NC];
        for j in 0..NC {
            acc[j] = column::load_to::<V, MV, EDGE>(c.add(j * ldc), last);
            if next.is_none() {
                // The tile below comes next.
                V::prefetch(c.wrapping_add(j * ldc + (2 * MV - 1) * V::LANES));
            }
        }
        // acc <- acc - A(:, p) B(p, :), p rising
        let line = LINE / size_of::<V::T>();
        let lines = (MV * V::LANES).div_ceil(line);
        if let Some(next) = next
            && k >= lines * NC
        {
            for i in 0..lines {
                for j in 0..NC {
                    // If columns do not begin with a line, the first line came with the tile above.
                    V::prefetch(next.wrapping_add((i + 1) * line - 1 + j * ldc));
                    column::sub_outer::<V, MV, NC, EDGE>(&mut acc, last, ap, b, ldb);
                    (ap, b) = (ap.wrapping_add(a.col), b.add(1));
                }
            }
            k -= lines * NC;
        }
        for _ in 0..k {
            column::sub_outer::<V, MV, NC, EDGE>(&mut acc, last, ap, b, ldb);
            (ap, b) = (ap.wrapping_add(a.col), b.add(1));
        }
        // C <- acc
        for j in 0..NC {
            column::store_to::<V, MV, EDGE>(&acc[j], c.add(j * ldc), last);
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
                        all if all == NR => self::tile::<V, $mv, NR, true>(tile, None),
                        $($nc if $nc < NR => self::tile::<V, $mv, $nc, true>(tile, None),)*
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
