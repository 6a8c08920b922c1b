//! P A = L U of the matrices of a group.
//!
//! The pivots' rows differ from lane to lane, so no vector can be moved to swap them: each row takes the lanes that it needs
//! from each other row, by a mask.

use crate::kernel::lanes::Lanes;
use crate::kernel::scalar::Scalar;
use crate::kernel::signatures::Group;

/// The body for k = 0, 1, .., each a constant, as long as k is less than a constant and the condition holds.
macro_rules! unrolled {
    ($k:ident < $end:expr, while $condition:expr => $body:block) => {
        unrolled!(@ $k < $end, $condition, $body, 0 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15)
    };
    (@ $k:ident < $end:expr, $condition:expr, $body:block, $($i:literal)*) => {
        'all: {
            $({
                const $k: usize = $i;
                if $k >= $end || !$condition {
                    break 'all;
                }
                $body
            })*
        }
    };
}

/// P A = L U of a group of matrices with at most M rows, and L^-1 P of further columns. A column stays in registers for all of
/// its updates.
///
/// Left-looking. Columns of L keep the order that their rows had when they were made; later swaps are done at the end.
///
/// # Safety
/// - As [`Group`] says; `m <= M <= 16`.
/// - The CPU has the lanes' instruction set.
#[inline(always)]
pub(in crate::kernel) unsafe fn columns<V: Lanes, const M: usize>(group: Group<V::T>) {
    let Group { m, n, steps, work, .. } = group;
    // SAFETY: the group has n columns of M vectors; masks below row m of the first `steps` columns have been written before
    // they are read, and the others hold none.
    unsafe {
        let zero = V::splat(V::T::ZERO);
        let none = zero.is_less(zero);
        // For each step and row, the lanes in which that is the row of the pivot.
        let mut masks = [[none; M]; M];
        let mut info = zero;
        for j in 0..n {
            let column = work.add(j * M * V::LANES);
            let mut x = [zero; M];
            for (i, x) in x.iter_mut().enumerate() {
                *x = V::load(column.add(i * V::LANES));
            }
            let done = j.min(steps);
            unrolled!(K < M, while K < done => {
                swap::<V, M, K>(&mut x, &masks[K]);
                // A(K+1:, j) <- A(K+1:, j) - L(K+1:, K) U(K, j)
                let l = work.add(K * M * V::LANES);
                for i in K + 1..M {
                    x[i] = x[i].sub_mul(V::load(l.add(i * V::LANES)), x[K]);
                }
            });
            for (i, x) in x.iter().enumerate() {
                x.store(column.add(i * V::LANES));
            }
            if j < steps {
                let row = pivot::<V>(&group, j, column, &mut info);
                for (i, mask) in masks[j].iter_mut().enumerate().take(m).skip(j + 1) {
                    *mask = row.equals(V::splat(V::T::from_index(i + 1)));
                }
            }
        }
        for j in 0..steps {
            let column = work.add(j * M * V::LANES);
            let mut x = [zero; M];
            for (i, x) in x.iter_mut().enumerate() {
                *x = V::load(column.add(i * V::LANES));
            }
            unrolled!(K < M, while K < steps => {
                let is_later = (j + 1..).contains(&K);
                if is_later {
                    swap::<V, M, K>(&mut x, &masks[K]);
                }
            });
            for (i, x) in x.iter().enumerate() {
                x.store(column.add(i * V::LANES));
            }
        }
        info.store(group.info);
    }
}

/// Rows K and the pivot's are swapped, in the lanes in which they are not the same.
///
/// # Safety
/// - The CPU has the lanes' instruction set.
#[inline(always)]
unsafe fn swap<V: Lanes, const M: usize, const K: usize>(x: &mut [V; M], masks: &[V::Mask; M]) {
    // SAFETY: the caller's CPU has the instruction set.
    unsafe {
        let top = x[K];
        for i in K + 1..M {
            x[K] = V::select(masks[i], x[i], x[K]);
            x[i] = V::select(masks[i], top, x[i]);
        }
    }
}

/// Makes column j one of L, with the pivots on the diagonal, by the rule of [`pivot`](super::pivot). Returns the pivots' rows,
/// counted from 1, which also go to the group's `ipiv`.
///
/// # Safety
/// - As [`Group`] says; `column` is its column j < m.
/// - The CPU has the lanes' instruction set.
#[inline(always)]
unsafe fn pivot<V: Lanes>(group: &Group<V::T>, j: usize, column: *mut V::T, info: &mut V) -> V {
    let m = group.m;
    // SAFETY: rows j..m of the column; element j of `ipiv`.
    unsafe {
        let (zero, one) = (V::splat(V::T::ZERO), V::splat(V::T::ONE));
        let mut largest = zero;
        for i in j..m {
            largest = largest.max(V::load(column.add(i * V::LANES)).abs());
        }
        let reciprocal = one.div(largest);
        let top = V::load(column.add(j * V::LANES));
        let first = V::splat(V::T::from_index(j + 1));
        // From the last row up, so that the first of equals stays. A column of zeros and NaN keeps its rows.
        let keeps_rows = zero.equals(largest);
        let (mut pivot, mut row) = (top, first);
        for i in (j..m).rev() {
            let x = V::load(column.add(i * V::LANES));
            let is_largest = V::except(x.abs().equals(largest), keeps_rows);
            pivot = V::select(is_largest, x, pivot);
            row = V::select(is_largest, V::splat(V::T::from_index(i + 1)), row);
        }
        row.store(group.ipiv.add(j * V::LANES));
        pivot.store(column.add(j * V::LANES));
        let is_tiny = largest.is_less(V::splat(V::T::SAFE_MIN));
        let scale = reciprocal.with_sign(pivot);
        if !V::any(is_tiny) {
            for i in j + 1..m {
                let is_pivot = row.equals(V::splat(V::T::from_index(i + 1)));
                let x = V::select(is_pivot, top, V::load(column.add(i * V::LANES)));
                x.mul(scale).store(column.add(i * V::LANES));
            }
            return row;
        }
        let is_zero = pivot.equals(zero);
        for i in j + 1..m {
            let is_pivot = row.equals(V::splat(V::T::from_index(i + 1)));
            let x = V::select(is_pivot, top, V::load(column.add(i * V::LANES)));
            let divided = V::select(is_zero, x, x.div(pivot));
            V::select(is_tiny, divided, x.mul(scale)).store(column.add(i * V::LANES));
        }
        let is_first = V::both(is_zero, info.equals(zero));
        *info = V::select(is_first, first, *info);
        row
    }
}
