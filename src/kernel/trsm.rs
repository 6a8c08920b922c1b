//! B <- L^-1 B for one small unit lower triangle.

use super::vector::Vector;
use crate::real::Real;

/// B <- L^-1 B: L is `m` by `m`, m <= TV * LANES, unit lower triangular, of which only the part below the diagonal
/// counts; B is `m` by `n`.
///
/// # Safety
/// `l` and `b` are good for those sizes and do not overlap; the CPU has the vectors' instruction set.
#[inline(always)]
pub(super) unsafe fn trsm<V: Vector, const TV: usize, const NR: usize>(
    m: usize,
    n: usize,
    l: *const V::T,
    ldl: usize,
    b: *mut V::T,
    ldb: usize,
) {
    let whole = m == TV * V::LANES;
    let mut j = 0;
    // SAFETY: columns j.. of B, of which there are NR, or one.
    unsafe {
        while whole && j + NR <= n {
            solve::<V, TV, NR, false>(m, l, ldl, b.add(j * ldb), ldb);
            j += NR;
        }
        while j < n {
            solve::<V, TV, 1, true>(m, l, ldl, b.add(j * ldb), ldb);
            j += 1;
        }
    }
}

/// The vectors of a column: the first `m` elements, in as many vectors as that takes, zeros above.
///
/// # Safety
/// `from` is good for `m` elements.
#[inline(always)]
unsafe fn load<V: Vector, const TV: usize, const EDGE: bool>(from: *const V::T, m: usize) -> [V; TV] {
    // SAFETY: the CPU has the vectors' instruction set, as the caller of the kernel vouches.
    let mut x = [unsafe { V::splat(V::T::ZERO) }; TV];
    for (v, x) in x.iter_mut().enumerate() {
        // SAFETY: a partial load reads the rows below m only.
        unsafe {
            let from = from.wrapping_add(v * V::LANES);
            *x = if EDGE { V::load_partial(from, rows::<V>(m, v)) } else { V::load(from) };
        }
    }
    x
}

/// Rows of vector `v` of a column of `m`.
#[inline(always)]
fn rows<V: Vector>(m: usize, v: usize) -> usize {
    m.saturating_sub(v * V::LANES).min(V::LANES)
}

/// NC columns of B at once, in registers.
///
/// # Safety
/// As for [`trsm`].
#[inline(always)]
unsafe fn solve<V: Vector, const TV: usize, const NC: usize, const EDGE: bool>(
    m: usize,
    l: *const V::T,
    ldl: usize,
    b: *mut V::T,
    ldb: usize,
) {
    // SAFETY: m rows of each column of L and B.
    unsafe {
        let mut x = [[V::splat(V::T::ZERO); TV]; NC];
        for (j, x) in x.iter_mut().enumerate() {
            *x = load::<V, TV, EDGE>(b.add(j * ldb), m);
        }
        macro_rules! steps {
            ($($p:literal)*) => {
                $(if $p < TV * V::LANES - 1 && (!EDGE || $p < m) {
                    // x(p+1:) <- x(p+1:) - L(p+1:, p) x(p)
                    let lp = load::<V, TV, EDGE>(l.add($p * ldl), m);
                    step::<V, TV, NC, $p>(&lp, &mut x);
                })*
            };
        }
        steps!(0 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15);
        for (j, x) in x.iter().enumerate() {
            for (v, x) in x.iter().enumerate() {
                let to = b.wrapping_add(j * ldb + v * V::LANES);
                if EDGE { x.store_partial(to, rows::<V>(m, v)) } else { x.store(to) }
            }
        }
    }
}

/// x(p+1:) <- x(p+1:) - l(p+1:) x(p) for each column.
///
/// # Safety
/// The CPU has the vectors' instruction set.
#[inline(always)]
unsafe fn step<V: Vector, const TV: usize, const NC: usize, const P: usize>(l: &[V; TV], x: &mut [[V; TV]; NC]) {
    for x in x {
        // SAFETY: the caller's promise.
        unsafe {
            let at = P / V::LANES;
            let xp = x[at].broadcast_lane(P % V::LANES);
            // Lanes up to p keep what they are; a product with zero would not do for infinities.
            x[at] = x[at].first_then(P % V::LANES + 1, x[at].minus_product(l[at], xp));
            for v in at + 1..TV {
                x[v] = x[v].minus_product(l[v], xp);
            }
        }
    }
}
