//! B <- L^-1 B, one row of tiles at a time.
//!
//! ```text
//!                     NR columns of B
//!                     +--+
//!                     |  | k rows that are solved
//!                     +--+
//!   +-----------+--+  +--+   The tile of B stays in registers: first L(:, p) B(p, :) is subtracted for p < k, as in
//!   | k columns | \|  |  |   gemm, then it is solved with the triangle.
//!   +-----------+--+  +--+
//! ```

use crate::kernel::scalar::Scalar;
use crate::kernel::signatures::Trsm;
use crate::kernel::vector::Vector;

/// X <- L22^-1 (B2 - L21 B1), where B2 has at most MV * LANES rows. Of L22 the part below the diagonal is read, and unless
/// it is a `UNIT` triangle the diagonal.
///
/// # Safety
/// As [`Trsm`] says; and the CPU has the vectors' instruction set.
#[inline(always)]
pub(in crate::kernel) unsafe fn trsm<V: Vector, const MV: usize, const NR: usize, const UNIT: bool>(
    arguments: Trsm<V::T>,
) {
    let Trsm { m, n, b, ldb, x, ldx, .. } = arguments;
    let whole = m == MV * V::LANES;
    let mut j = 0;
    // SAFETY: columns j.. of B and X: NR of them, or one.
    unsafe {
        while whole && j + NR <= n {
            tile::<V, MV, NR, UNIT, false>(Trsm { b: b.add(j * ldb), x: x.add(j * ldx), ..arguments });
            j += NR;
        }
        while j < n {
            tile::<V, MV, 1, UNIT, true>(Trsm { b: b.add(j * ldb), x: x.add(j * ldx), ..arguments });
            j += 1;
        }
    }
}

/// A column of a tile: the first `m` elements, in as many vectors as that takes, zeros above.
///
/// # Safety
/// `from` is good for `m` elements.
#[inline(always)]
unsafe fn load<V: Vector, const MV: usize, const EDGE: bool>(from: *const V::T, m: usize) -> [V; MV] {
    // SAFETY: the CPU has the vectors' instruction set, as the caller of the kernel vouches.
    let mut x = [unsafe { V::splat(V::T::ZERO) }; MV];
    for (v, x) in x.iter_mut().enumerate() {
        // SAFETY: a partial load reads the rows below m only.
        unsafe {
            let from = from.wrapping_add(v * V::LANES);
            *x = if EDGE { V::load_partial(from, rows::<V>(m, v)) } else { V::load(from) };
        }
    }
    x
}

/// Writes a column of a tile.
///
/// # Safety
/// `to` is good for `m` elements.
#[inline(always)]
unsafe fn store<V: Vector, const MV: usize, const EDGE: bool>(x: &[V; MV], to: *mut V::T, m: usize) {
    for (v, x) in x.iter().enumerate() {
        let to = to.wrapping_add(v * V::LANES);
        // SAFETY: a partial store writes the rows below m only.
        unsafe { if EDGE { x.store_partial(to, rows::<V>(m, v)) } else { x.store(to) } }
    }
}

/// Rows of vector `v` of a column of `m`.
#[inline(always)]
fn rows<V: Vector>(m: usize, v: usize) -> usize {
    m.saturating_sub(v * V::LANES).min(V::LANES)
}

/// NC columns of B at once. With `EDGE` they have m rows, else MV * LANES.
///
/// # Safety
/// As for [`trsm`].
#[inline(always)]
unsafe fn tile<V: Vector, const MV: usize, const NC: usize, const UNIT: bool, const EDGE: bool>(arguments: Trsm<V::T>) {
    let Trsm { m, k, l, ldl, b, ldb, x, ldx, .. } = arguments;
    // SAFETY: columns below k + m of L, rows below k + m of B, m rows of X.
    unsafe {
        // acc <- B2
        let mut acc = [[V::splat(V::T::ZERO); MV]; NC];
        for (j, acc) in acc.iter_mut().enumerate() {
            *acc = load::<V, MV, EDGE>(b.add(k + j * ldb), m);
        }
        // acc <- acc - L21(:, p) B1(p, :), p rising
        let (mut lp, mut bp) = (l, b.cast_const());
        for _ in 0..k {
            let lv = load::<V, MV, EDGE>(lp, m);
            for (j, acc) in acc.iter_mut().enumerate() {
                let bj = V::splat(*bp.add(j * ldb));
                for (acc, &lv) in acc.iter_mut().zip(&lv) {
                    *acc = acc.sub_mul(lv, bj);
                }
            }
            lp = lp.wrapping_add(ldl);
            bp = bp.add(1);
        }
        // Steps beyond the tile's rows are removed by the compiler.
        macro_rules! steps {
            ($($p:literal)*) => {
                $(if $p < MV * V::LANES - usize::from(UNIT) && (!EDGE || $p < m) {
                    // acc(p) <- acc(p) / L22(p, p); acc(p+1:) <- acc(p+1:) - L22(p+1:, p) acc(p)
                    let lv = load::<V, MV, EDGE>(lp.wrapping_add($p * ldl), m);
                    step::<V, MV, NC, UNIT, $p>(&lv, &mut acc);
                })*
            };
        }
        steps!(0 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20 21 22 23);
        steps!(24 25 26 27 28 29 30 31 32 33 34 35 36 37 38 39 40 41 42 43 44 45 46 47);
        const { assert!(MV * V::LANES <= 48) };
        let b2 = b.add(k);
        for (j, acc) in acc.iter().enumerate() {
            store::<V, MV, EDGE>(acc, x.add(j * ldx), m);
            if x != b2 {
                store::<V, MV, EDGE>(acc, b2.add(j * ldb), m);
            }
        }
    }
}

/// acc(p) <- acc(p) / l(p), unless that is one; acc(p+1:) <- acc(p+1:) - l(p+1:) acc(p), for each column.
///
/// # Safety
/// The CPU has the vectors' instruction set.
#[inline(always)]
unsafe fn step<V: Vector, const MV: usize, const NC: usize, const UNIT: bool, const P: usize>(
    l: &[V; MV],
    acc: &mut [[V; MV]; NC],
) {
    let (at, lane) = (P / V::LANES, P % V::LANES);
    for acc in acc {
        // SAFETY: the caller's promise.
        unsafe {
            let mut x = acc[at].broadcast_lane(lane);
            let mut solved = acc[at];
            if !UNIT {
                x = x.div(l[at].broadcast_lane(lane));
                solved = acc[at].select_prefix(lane, x);
            }
            // Lanes up to p keep what they are; a product with zero would not do for infinities.
            acc[at] = solved.select_prefix(lane + 1, acc[at].sub_mul(l[at], x));
            for v in at + 1..MV {
                acc[v] = acc[v].sub_mul(l[v], x);
            }
        }
    }
}
