//! X <- L22^-1 (B2 - L21 B1), one row of tiles at a time: gemm and the solve with a small triangle in one kernel, so that
//! a tile of B is read and written once.
//!
//! ```text
//!                     NR columns of B
//!                     +--+
//!                     |  | k rows that are solved
//!                     +--+
//!   +-----------+--+  +--+   The tile of B stays in registers: first L(:, p) B(p, :) is subtracted for p < k, as in
//!   | k columns | \|  |  |   gemm; then it is solved with the triangle.
//!   +-----------+--+  +--+
//! ```

use std::hint::black_box;

use super::column;
use crate::kernel::scalar::Scalar;
use crate::kernel::signatures::Trsm;
use crate::kernel::vector::Vector;

/// X <- L22^-1 (B2 - L21 B1), where B2 has at most MV * LANES rows. Of L22 the part below the diagonal is used; the
/// diagonal is ones.
///
/// # Safety
/// - As [`Trsm`] says.
/// - The CPU has the vectors' instruction set.
#[inline(always)]
pub(in crate::kernel) unsafe fn trsm<V: Vector, const MV: usize, const NR: usize>(arguments: Trsm<V::T>) {
    let Trsm { m, n, b, ldb, x, ldx, .. } = arguments;
    if m == 0 {
        return;
    }
    let is_whole = m == MV * V::LANES;
    let mut j = 0;
    while j < n {
        let columns = if j + NR <= n { NR } else { 1 };
        // SAFETY: columns j.. of B and X, NR of them or one; the number of vectors follows from m.
        unsafe {
            let part = Trsm { b: b.add(j * ldb), x: x.add(j * ldx), ..arguments };
            match (m.div_ceil(V::LANES), columns) {
                _ if is_whole && columns == NR => tile::<V, MV, NR, false>(part),
                (1, 1) => tile::<V, 1, 1, true>(part),
                (1, _) => tile::<V, 1, NR, true>(part),
                (2, 1) if MV >= 2 => tile::<V, 2, 1, true>(part),
                (2, _) if MV >= 2 => tile::<V, 2, NR, true>(part),
                (3, 1) if MV >= 3 => tile::<V, 3, 1, true>(part),
                (3, _) if MV >= 3 => tile::<V, 3, NR, true>(part),
                _ => unreachable!("a tile has 1 to MV vectors of rows"),
            }
        }
        j += columns;
    }
}

/// NC columns of B at once. With `EDGE` their m rows fill the last of MV vectors in part or in full, else in full.
///
/// # Safety
/// - As for [`trsm`], with n = NC.
#[inline(always)]
unsafe fn tile<V: Vector, const MV: usize, const NC: usize, const EDGE: bool>(arguments: Trsm<V::T>) {
    let Trsm { m, k, b, ldb, x, ldx, .. } = arguments;
    let last = m - (MV - 1) * V::LANES;
    // SAFETY: k rows of B1 and m rows of B2 and X in each of NC columns.
    unsafe {
        let b2 = b.add(k);
        // acc <- B2
        let mut acc = [[V::splat(V::T::ZERO); MV]; NC];
        for (j, acc) in acc.iter_mut().enumerate() {
            *acc = column::load_to::<V, MV, EDGE>(b2.add(j * ldb), last);
        }
        // acc <- acc - L21 B1
        let l22 = subtract::<V, MV, NC, EDGE>(&mut acc, arguments);
        // acc <- L22^-1 acc
        solve::<V, MV, NC, EDGE>(&mut acc, m, l22, arguments.ldl);
        // X <- acc, B2 <- acc
        for (j, acc) in acc.iter().enumerate() {
            column::store_to::<V, MV, EDGE>(acc, x.add(j * ldx), last);
            if x != b2 {
                column::store_to::<V, MV, EDGE>(acc, b2.add(j * ldb), last);
            }
        }
    }
}

/// acc <- acc - L21(:, p) B1(p, :), p rising.
///
/// # Safety
/// - As for [`tile`].
#[inline(always)]
unsafe fn subtract<V: Vector, const MV: usize, const NC: usize, const EDGE: bool>(
    acc: &mut [[V; MV]; NC],
    arguments: Trsm<V::T>,
) -> *const V::T {
    let Trsm { m, k, l, ldl, b, ldb, .. } = arguments;
    let last = m - (MV - 1) * V::LANES;
    let (mut lp, mut bp) = (l, b.cast_const());
    for _ in 0..k {
        // SAFETY: the caller's CPU has the instruction set; column p < k of L, row p of B.
        unsafe {
            column::sub_outer::<V, MV, NC, EDGE>(acc, last, lp, bp, ldb);
            lp = lp.wrapping_add(ldl);
            bp = bp.add(1);
        }
    }
    lp
}

/// acc <- L22^-1 acc, by rows from the first to the last.
///
/// # Safety
/// - As for [`tile`].
#[inline(always)]
unsafe fn solve<V: Vector, const MV: usize, const NC: usize, const EDGE: bool>(
    acc: &mut [[V; MV]; NC],
    m: usize,
    l: *const V::T,
    ldl: usize,
) {
    let last = m - (MV - 1) * V::LANES;
    // Step p: acc(p+1:, :) <- acc(p+1:, :) - l(p+1:) acc(p, :). The last row has nothing to do.
    // The compiler removes the steps beyond the tile's rows.
    macro_rules! steps {
        ($($p:literal)*) => {
            $(if $p < MV * V::LANES - 1 {
                // SAFETY: the caller's CPU has the instruction set; column p < m of L22.
                unsafe {
                    let lv = column::load_to::<V, MV, EDGE>(l.wrapping_add($p * ldl), last);
                    step::<V, MV, NC>(&lv, acc, $p / V::LANES, $p % V::LANES);
                }
            })*
        };
    }
    // An edge has code for each of its vectors, not for each of its rows: it is no slower, since each row waits for the one
    // before. The compiler unrolls no loop whose end it does not know.
    macro_rules! loops {
        ($($at:literal)*) => {
            $(if $at < MV {
                let end = (m - 1).min(($at + 1) * V::LANES);
                for p in $at * V::LANES..black_box(end) {
                    // SAFETY: the caller's CPU has the instruction set; p is below m, so it is a column of L22.
                    unsafe {
                        let lv = column::load_to::<V, MV, EDGE>(l.wrapping_add(p * ldl), last);
                        step::<V, MV, NC>(&lv, acc, $at, p - $at * V::LANES);
                    }
                }
            })*
        };
    }
    if !EDGE {
        steps!(0 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20 21 22 23);
        steps!(24 25 26 27 28 29 30 31 32 33 34 35 36 37 38 39 40 41 42 43 44 45 46 47);
    } else {
        loops!(0 1 2);
    }
    const { assert!(MV * V::LANES <= 48 && MV <= 3) };
}

/// The step of the row in this lane of vector `at` of the tile.
///
/// # Safety
/// - The CPU has the vectors' instruction set.
#[inline(always)]
unsafe fn step<V: Vector, const MV: usize, const NC: usize>(
    l: &[V; MV],
    acc: &mut [[V; MV]; NC],
    at: usize,
    lane: usize,
) {
    for acc in acc {
        // SAFETY: the caller's CPU has the instruction set; lanes are counted up to LANES.
        unsafe {
            let x = acc[at].broadcast_lane(lane);
            // Lanes up to that one are selected: subtracting a product with zero would turn infinities into NaN.
            acc[at] = acc[at].select_prefix(lane + 1, acc[at].sub_mul(l[at], x));
            for v in at + 1..MV {
                acc[v] = acc[v].sub_mul(l[v], x);
            }
        }
    }
}
