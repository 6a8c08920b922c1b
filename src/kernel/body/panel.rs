//! P A = L U of a few columns.
//!
//! Left-looking: column j takes all of its updates in one pass, in which the last column of L is scaled and the
//! largest element is found as well.

use std::slice::from_raw_parts_mut;

use crate::kernel::scalar::Scalar;
use crate::kernel::signatures::Panel;
use crate::kernel::vector::Vector;
use crate::pivoting::Pivoting;

/// P A = L U of a panel in place, n <= NB <= 16. Returns the 1-based index of the first zero pivot, or 0.
///
/// # Safety
/// As [`Panel`] says; and the CPU has the vectors' instruction set.
#[inline(always)]
pub(in crate::kernel) unsafe fn panel<V: Vector, const NB: usize>(panel: Panel<V::T>) -> usize {
    let Panel { m, n, a, lda, ipiv, pivoting } = panel;
    let pivoting = pivoting == Pivoting::Partial;
    let k = m.min(n);
    let mut info = 0;
    // What the last column of L is still to be multiplied with.
    let mut scale = V::T::ONE;
    for j in 0..k {
        // SAFETY: columns up to j < n and rows up to m of A; j < min(m, n) for ipiv.
        unsafe {
            upper(j, j, a, lda);
            // Arms beyond the widest panel are removed by the compiler.
            macro_rules! columns {
                ($($j:literal)*) => {
                    match j {
                        $($j if $j < NB => column::<V, $j>(m, a, lda, scale),)*
                        _ => unreachable!("a panel has at most NB columns"),
                    }
                };
            }
            let largest = columns!(0 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15);
            let row = if pivoting { j + position::<V>(m - j, a.add(j + j * lda), largest) } else { j };
            *ipiv.add(j) = row as i64 + 1;
            if row != j {
                // A(j, :) <-> A(row, :)
                for jj in 0..n {
                    std::ptr::swap(a.add(j + jj * lda), a.add(row + jj * lda));
                }
            }
            let pivot = *a.add(j + j * lda);
            if pivot == V::T::ZERO {
                // L(j+1:, j) stays as it is.
                info = if info == 0 { j + 1 } else { info };
                scale = V::T::ONE;
            } else if pivot.abs() >= V::T::SAFE_MIN {
                scale = V::T::ONE.div(pivot);
            } else {
                // The reciprocal could overflow (LAPACK: `DGETF2`).
                let l = from_raw_parts_mut(a.add(j + 1 + j * lda), m - j - 1);
                l.iter_mut().for_each(|x| *x = x.div(pivot));
                scale = V::T::ONE;
            }
        }
    }
    // SAFETY: the last column of L, of which m - k rows are left; and the columns of U to the right of a wide panel.
    unsafe {
        if k > 0 {
            let l = from_raw_parts_mut(a.add(k + (k - 1) * lda), m - k);
            l.iter_mut().for_each(|x| *x = x.mul(scale));
        }
        for j in k..n {
            upper(m, j, a, lda);
        }
    }
    info
}

/// U(0:rows, j) <- L(0:rows, 0:rows)^-1 A(0:rows, j).
///
/// # Safety
/// Column j and the columns of L are good for `rows` rows.
#[inline(always)]
unsafe fn upper<T: Scalar>(rows: usize, j: usize, a: *mut T, lda: usize) {
    for p in 0..rows {
        // SAFETY: rows and columns below `rows`, and column j.
        unsafe {
            let minus = (*a.add(p + j * lda)).neg();
            for i in p + 1..rows {
                let x = a.add(i + j * lda);
                *x = (*a.add(i + p * lda)).mul_add(minus, *x);
            }
        }
    }
}

/// Column J, from row J on: takes all updates; column J - 1 of L is scaled on the way. Returns the largest magnitude.
///
/// # Safety
/// Columns 0 to J are good for `m` rows, m > J.
#[inline(always)]
unsafe fn column<V: Vector, const J: usize>(m: usize, a: *mut V::T, lda: usize, scale: V::T) -> V::T {
    // SAFETY: rows J to m of columns 0 to J.
    unsafe {
        let mut u = [V::splat(V::T::ZERO); J];
        for (p, u) in u.iter_mut().enumerate() {
            *u = V::splat(*a.add(p + J * lda));
        }
        let scale = V::splat(scale);
        let mut largest = [V::splat(V::T::ZERO); 2];
        let mut at = a.add(J);
        let mut rows = m - J;
        while rows >= 2 * V::LANES {
            let (x, y) = (at, at.add(V::LANES));
            let (x, y) = (update::<V, J, false>(x, lda, 0, &u, scale), update::<V, J, false>(y, lda, 0, &u, scale));
            largest = [largest[0].max(x.abs()), largest[1].max(y.abs())];
            at = at.add(2 * V::LANES);
            rows -= 2 * V::LANES;
        }
        if rows >= V::LANES {
            largest[0] = largest[0].max(update::<V, J, false>(at, lda, 0, &u, scale).abs());
            at = at.add(V::LANES);
            rows -= V::LANES;
        }
        if rows > 0 {
            largest[1] = largest[1].max(update::<V, J, true>(at, lda, rows, &u, scale).abs());
        }
        largest[0].max(largest[1]).max_lane()
    }
}

/// A(i, J) <- A(i, J) - L(i, 0) U(0, J) - L(i, 1) U(1, J) - .., with L(i, J-1) scaled first, for one vector of rows
/// from `at` in column 0. With `EDGE` it has `rows` rows, else all.
///
/// # Safety
/// As for [`column`].
#[inline(always)]
unsafe fn update<V: Vector, const J: usize, const EDGE: bool>(
    at: *mut V::T,
    lda: usize,
    rows: usize,
    u: &[V; J],
    scale: V,
) -> V {
    // SAFETY: the rows of the vector, in columns 0 to J.
    unsafe {
        let load = |from: *const V::T| if EDGE { V::load_partial(from, rows) } else { V::load(from) };
        let store = |x: V, to: *mut V::T| if EDGE { x.store_partial(to, rows) } else { x.store(to) };
        let mut x = load(at.add(J * lda));
        for (p, &u) in u.iter().enumerate() {
            let mut l = load(at.add(p * lda));
            if p == J - 1 {
                l = l.mul(scale);
                store(l, at.add(p * lda));
            }
            x = x.sub_mul(l, u);
        }
        store(x, at.add(J * lda));
        x
    }
}

/// The first of `m` elements whose magnitude is `largest`; 0 where that is zero, for then there may be none (a NaN
/// has no magnitude).
///
/// # Safety
/// `x` is good for `m` elements.
#[inline(always)]
unsafe fn position<V: Vector>(m: usize, x: *const V::T, largest: V::T) -> usize {
    if largest == V::T::ZERO {
        return 0;
    }
    // SAFETY: elements below m.
    unsafe {
        let wanted = V::splat(largest);
        let mut i = 0;
        while i + V::LANES <= m {
            let found = V::load(x.add(i)).abs().eq_mask(wanted);
            if found != 0 {
                return i + found.trailing_zeros() as usize;
            }
            i += V::LANES;
        }
        // Lanes beyond the column are zero, which `largest` is not.
        let found = V::load_partial(x.add(i), m - i).abs().eq_mask(wanted);
        (i + found.trailing_zeros() as usize).min(m - 1)
    }
}
