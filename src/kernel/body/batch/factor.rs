//! P A = L U of the matrices of a group.
//!
//! The pivots' rows differ from lane to lane, so no vector can be moved to swap them: each row takes the lanes that it needs
//! from each other row, by a mask.

use super::pivot;
use crate::kernel::body::unrolled::unrolled;
use crate::kernel::lanes::Lanes;
use crate::kernel::scalar::Scalar;
use crate::kernel::signatures::Group;
use crate::kernel::vector::LINE;

/// Matrices of at most this many rows stay in registers as a whole.
const TINY: usize = 4;

/// P A = L U of a group of matrices with at most M rows, and L^-1 P of further columns.
///
/// # Safety
/// - As [`Group`] says; `m <= M <= 24`.
/// - The CPU has the lanes' instruction set.
#[inline(always)]
pub(in crate::kernel) unsafe fn factor<V: Lanes, const M: usize>(group: Group<V::T>) {
    // SAFETY: the caller's promise; with M pivots there are M rows and at least as many columns.
    unsafe { if M <= TINY && group.steps == M { tiny::<V, M>(group) } else { columns::<V, M>(group) } }
}

/// Right-looking, with all elements of M x M matrices in registers.
///
/// # Safety
/// - As for [`factor`]; the group has M pivots.
#[inline(always)]
unsafe fn tiny<V: Lanes, const M: usize>(group: Group<V::T>) {
    let Group { n, work, ipiv, .. } = group;
    // SAFETY: the group has n >= M columns of M vectors, and M vectors of `ipiv`.
    unsafe {
        let zero = V::splat(V::T::ZERO);
        let none = zero.is_less(zero);
        let mut masks = [[none; M]; M];
        let mut info = zero;
        let mut a = [[zero; M]; M];
        for (j, x) in a.iter_mut().enumerate() {
            load(x, work.add(j * M * V::LANES));
        }
        unrolled!(K < M, while true => {
            let row = pivot::in_registers::<V, M, K>(&mut a[K], &mut masks[K], &mut info);
            row.store_indices(ipiv.add(K * V::LANES));
            let l = a[K];
            for (j, x) in a.iter_mut().enumerate() {
                if j != K {
                    swap::<V, M, K>(x, &masks[K]);
                }
                if j > K {
                    for i in K + 1..M {
                        x[i] = x[i].sub_mul(l[i], x[K]);
                    }
                }
            }
        });
        for (j, x) in a.iter().enumerate() {
            store(x, work.add(j * M * V::LANES));
        }
        for j in M..n {
            let column = work.add(j * M * V::LANES);
            let mut x = [zero; M];
            load(&mut x, column);
            // L has all swaps by now, so those of this column are first.
            unrolled!(K < M, while true => { swap::<V, M, K>(&mut x, &masks[K]); });
            for (k, l) in a.iter().enumerate() {
                for i in k + 1..M {
                    x[i] = x[i].sub_mul(l[i], x[k]);
                }
            }
            store(&x, column);
        }
        info.store_indices(group.info);
    }
}

/// Left-looking: a column stays in registers for all of its updates. Columns of L keep the order that their rows had when
/// they were made; later swaps are done at the end.
///
/// # Safety
/// - As for [`factor`].
#[inline(always)]
unsafe fn columns<V: Lanes, const M: usize>(group: Group<V::T>) {
    let Group { m, n, steps, work, ipiv, next, ahead, .. } = group;
    // SAFETY: the group has n columns of M vectors; masks below row m of the first `steps` columns have been written before
    // they are read, and the others hold none.
    unsafe {
        let zero = V::splat(V::T::ZERO);
        let none = zero.is_less(zero);
        // For each step and row, the lanes in which that is the row of the pivot.
        let mut masks = [[none; M]; M];
        let mut info = zero;
        for j in 0..n {
            // The next group comes while this one is computed: all of it at once would have to wait.
            for line in j * ahead..(j + 1) * ahead {
                V::prefetch(next.wrapping_add(line * LINE / size_of::<V::T>()));
            }
            let column = work.add(j * M * V::LANES);
            let mut x = [zero; M];
            load(&mut x, column);
            let done = j.min(steps);
            unrolled!(K < M, while K < done => {
                swap::<V, M, K>(&mut x, &masks[K]);
                // A(K+1:, j) <- A(K+1:, j) - L(K+1:, K) U(K, j)
                let l = work.add(K * M * V::LANES);
                for i in K + 1..M {
                    x[i] = x[i].sub_mul(V::load(l.add(i * V::LANES)), x[K]);
                }
            });
            if j < steps && M <= pivot::IN_REGISTERS {
                let masks = &mut masks[j];
                unrolled!(J < M, while J < j + 1 => {
                    if J == j {
                        let row = pivot::in_registers::<V, M, J>(&mut x, masks, &mut info);
                        row.store_indices(ipiv.add(j * V::LANES));
                    }
                });
            }
            store(&x, column);
            if j < steps && M > pivot::IN_REGISTERS {
                let row = pivot::in_memory::<V>(j, m, column, &mut masks[j], &mut info);
                row.store_indices(ipiv.add(j * V::LANES));
            }
        }
        for j in 0..steps {
            let column = work.add(j * M * V::LANES);
            let mut x = [zero; M];
            load(&mut x, column);
            unrolled!(K < M, while K < steps => {
                let is_later = (j + 1..).contains(&K);
                if is_later {
                    swap::<V, M, K>(&mut x, &masks[K]);
                }
            });
            store(&x, column);
        }
        info.store_indices(group.info);
    }
}

/// Loads a column.
///
/// # Safety
/// - `column` is good for M vectors.
/// - The CPU has the lanes' instruction set.
#[inline(always)]
unsafe fn load<V: Lanes, const M: usize>(x: &mut [V; M], column: *const V::T) {
    for (i, x) in x.iter_mut().enumerate() {
        // SAFETY: the caller's promise.
        *x = unsafe { V::load(column.add(i * V::LANES)) };
    }
}

/// Stores a column.
///
/// # Safety
/// - As for [`load`].
#[inline(always)]
unsafe fn store<V: Lanes, const M: usize>(x: &[V; M], column: *mut V::T) {
    for (i, x) in x.iter().enumerate() {
        // SAFETY: the caller's promise.
        unsafe { x.store(column.add(i * V::LANES)) }
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
