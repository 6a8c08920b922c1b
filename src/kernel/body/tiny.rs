//! P A = L U of a matrix of a few rows, whose columns are one or two vectors: right-looking, rows swapped as they come.

#![allow(clippy::needless_range_loop)] // registers are named by the indices of the formula

use std::mem::MaybeUninit;

use crate::kernel::scalar::Scalar;
use crate::kernel::vector::Vector;

/// The most rows and columns.
pub(crate) const TINY: usize = 16;

/// P A = L U of an `m` by `n` matrix in place, with partial pivoting; m <= MV * LANES, m <= TINY, n <= TINY. `ipiv` receives
/// `min(m, n)` 1-based rows. Returns the 1-based index of the first zero pivot, or 0.
///
/// # Safety
/// `a` is good for that size with leading dimension `lda`, `ipiv` for those elements; the CPU has the vectors'
/// instruction set.
#[inline(always)]
pub(in crate::kernel) unsafe fn tiny<V: Vector, const MV: usize>(
    m: usize,
    n: usize,
    a: *mut V::T,
    lda: usize,
    ipiv: *mut i64,
) -> usize {
    let ld = MV * V::LANES;
    debug_assert!(m <= ld && m <= TINY && n <= TINY);
    let mut memory = [const { MaybeUninit::<V::T>::uninit() }; 2 * TINY * TINY];
    let w = memory.as_mut_ptr().cast::<V::T>();
    let k = m.min(n);
    let mut info = 0;
    // SAFETY: rows below m of columns below n of A; whole columns below n <= TINY of `memory`, of ld <= 2 * TINY rows.
    unsafe {
        for j in 0..n {
            for v in 0..MV {
                let rows = lanes_before::<V>(m, v);
                let from = a.wrapping_add(v * V::LANES + j * lda);
                let x = if rows == V::LANES { V::load(from) } else { V::load_partial(from, rows) };
                x.store(w.add(v * V::LANES + j * ld));
            }
        }
        let mut x = load::<V, MV>(w);
        for j in 0..k {
            let column = w.add(j * ld);
            // The first of the rows from j on with the largest magnitude.
            let zero = V::splat(V::T::ZERO);
            let mut magnitude = [zero; MV];
            let mut largest = zero;
            for v in 0..MV {
                magnitude[v] = zero.select_prefix(lanes_before::<V>(j, v), x[v].abs());
                largest = largest.max(magnitude[v]);
            }
            let largest = largest.max_lane();
            let mut rows = 0_u64;
            for v in 0..MV {
                rows |= u64::from(magnitude[v].eq_mask(V::splat(largest))) << (v * V::LANES);
            }
            let row = if largest == V::T::ZERO { j } else { rows.trailing_zeros() as usize & (TINY - 1) };
            *ipiv.add(j) = row as i64 + 1;
            let (pivot, top) = (*column.add(row), *column.add(j));
            // Column j becomes one of L.
            let swapped = joined(x, row, top, x);
            let mut l = swapped;
            if largest >= V::T::SAFE_MIN {
                // 1 / pivot; its magnitude is there before the row is known.
                let scale = V::splat(V::T::ONE.div(largest).copysign(pivot));
                for v in 0..MV {
                    l[v] = l[v].mul(scale);
                }
            } else if pivot == V::T::ZERO {
                info = if info == 0 { j + 1 } else { info };
            } else {
                store::<V, MV>(swapped, column);
                for i in 0..ld {
                    *column.add(i) = (*column.add(i)).div(pivot);
                }
                l = load::<V, MV>(column);
            }
            store::<V, MV>(joined(x, j, pivot, l), column);
            for jj in 0..j {
                std::ptr::swap(w.add(j + jj * ld), w.add(row + jj * ld));
            }
            for jj in j + 1..n {
                let column = w.add(jj * ld);
                let (u, top) = (*column.add(row), *column.add(j));
                let old = load::<V, MV>(column);
                let mut new = joined(old, row, top, old);
                for v in 0..MV {
                    new[v] = new[v].sub_mul(l[v], V::splat(u));
                }
                let new = joined(old, j, u, new);
                store::<V, MV>(new, column);
                if jj == j + 1 {
                    x = new;
                }
            }
        }
        for j in 0..n {
            for v in 0..MV {
                let rows = lanes_before::<V>(m, v);
                let to = a.wrapping_add(v * V::LANES + j * lda);
                let x = V::load(w.add(v * V::LANES + j * ld));
                if rows == V::LANES { x.store(to) } else { x.store_partial(to, rows) }
            }
        }
    }
    info
}

/// How many lanes of vector `v` of a column are before `row`.
#[inline(always)]
fn lanes_before<V: Vector>(row: usize, v: usize) -> usize {
    row.saturating_sub(v * V::LANES).min(V::LANES)
}

/// # Safety
/// The column has MV vectors, and the CPU their instruction set; so for the functions below.
#[inline(always)]
unsafe fn load<V: Vector, const MV: usize>(column: *const V::T) -> [V; MV] {
    // SAFETY: the caller's promise.
    unsafe {
        let mut x = [V::splat(V::T::ZERO); MV];
        for v in 0..MV {
            x[v] = V::load(column.add(v * V::LANES));
        }
        x
    }
}

/// # Safety
/// See [`load`].
#[inline(always)]
unsafe fn store<V: Vector, const MV: usize>(x: [V; MV], column: *mut V::T) {
    for v in 0..MV {
        // SAFETY: the caller's promise.
        unsafe { x[v].store(column.add(v * V::LANES)) };
    }
}

/// The rows before `row` of the first column, one element in that row, and the rows after it of the last column.
///
/// # Safety
/// See [`load`].
#[inline(always)]
unsafe fn joined<V: Vector, const MV: usize>(first: [V; MV], row: usize, element: V::T, last: [V; MV]) -> [V; MV] {
    let mut x = first;
    for v in 0..MV {
        let (before, after) = (lanes_before::<V>(row, v), lanes_before::<V>(row + 1, v));
        // SAFETY: the caller's promise; counts of lanes.
        x[v] = unsafe { first[v].select_prefix(before, V::splat(element)).select_prefix(after, last[v]) };
    }
    x
}
