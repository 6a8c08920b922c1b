//! P A = L U of a matrix whose columns are one vector each, and which stays in registers as a whole.
//!
//! Rows stay where they are: a row that has become a pivot is no longer active, and keeps its elements of U. So the factors
//! are in their places but for the order of the rows, which is made when they are written. The time is that of a chain of
//! operations that wait for each other: the largest magnitude, its row, the broadcast of the row, an update of the next column.

use super::column::{load_partial, store_partial};
use super::pivot;
use super::unrolled::unrolled;
use crate::kernel::scalar::Scalar;
use crate::kernel::signatures::Small;
use crate::kernel::vector::Vector;

/// The largest number of rows, and of columns: a register of AVX-512 has room for more f32, but there is no speed in it.
pub(super) const MAX: usize = 8;

/// Rows at positions, and positions of rows: bytes of a number each, the lowest for the first. With the arrays of `order.rs`, which
/// are in memory, n = 8 took 138 ns instead of 113 (Zen 4, f64, AVX-512, on 2026-11-29).
struct Order {
    row_at: u64,
    position_of: u64,
}

/// P A = L U of a matrix of at most N <= MAX rows and columns, and at most LANES rows. Returns the 1-based index of the first zero
/// pivot, or 0.
///
/// # Safety
/// - As [`Small`] says, but for `work`, which is not used.
/// - The CPU has the vectors' instruction set.
#[inline(always)]
pub(super) unsafe fn registers<V: Vector, const N: usize>(arguments: Small<V::T>) -> usize {
    let Small { m, n, a, lda, ipiv, .. } = arguments;
    debug_assert!(m.max(n) <= N && N <= MAX && m <= V::LANES);
    let (mut order, mut info) = (Order::new(), 0);
    let mut active = (1_u32 << m) - 1;
    // SAFETY: the caller's CPU has the instruction set; m rows of columns below n of A; J < min(m, n) for `ipiv`; a row is less
    // than m: one of the active ones, of which there are m - J.
    unsafe {
        let zero = V::splat(V::T::ZERO);
        let mut x = [zero; N];
        unrolled!(J < N, while J < n => {
            [x[J]] = load_partial::<V, 1>(a.add(J * lda), m);
        });
        unrolled!(J < N, while J < n && J < m => {
            let magnitudes = x[J].abs().select_bits(active, zero);
            let largest = zero.max(magnitudes).max_lane();
            let rows = magnitudes.eq_mask(V::splat(largest)) & active;
            let row = if pivot::keeps_rows(largest) {
                order.row_at(J)
            } else if rows.is_power_of_two() {
                rows.trailing_zeros() as usize
            } else {
                order.first_of(rows, J)
            };
            *ipiv.add(J) = order.swap_to(J, row) as i64 + 1;
            active &= !(1 << row);
            // The sign of the pivot is known later than its magnitude.
            let pivot = x[J].broadcast_lane(row);
            let l = if largest >= V::T::SAFE_MIN {
                x[J].mul(V::splat(V::T::ONE.div(largest))).flip_sign(pivot)
            } else if pivot.eq_mask(zero) != 0 {
                info = pivot::first_zero(info, J);
                x[J]
            } else {
                x[J].div(pivot)
            };
            x[J] = l.select_bits(active, x[J]);
            unrolled!(I < N - J - 1, while J + 1 + I < n => {
                let right = x[J + 1 + I];
                x[J + 1 + I] = right.sub_mul(l, right.broadcast_lane(row)).select_bits(active, right);
            });
        });
        unrolled!(J < N, while J < n => {
            store_partial(&[x[J].permute(order.row_at)], a.add(J * lda), m);
        });
    }
    info
}

impl Order {
    /// Every row at its own position.
    #[inline(always)]
    fn new() -> Self {
        let identity = u64::from_le_bytes([0, 1, 2, 3, 4, 5, 6, 7]);
        Order { row_at: identity, position_of: identity }
    }

    #[inline(always)]
    fn row_at(&self, position: usize) -> usize {
        byte(self.row_at, position)
    }

    /// Swaps `row` to position `j`; returns the position that it had.
    #[inline(always)]
    fn swap_to(&mut self, j: usize, row: usize) -> usize {
        let (position, other) = (byte(self.position_of, row), byte(self.row_at, j));
        self.row_at = with_byte(with_byte(self.row_at, position, other), j, row);
        self.position_of = with_byte(with_byte(self.position_of, other, position), row, j);
        position
    }

    /// The first of some rows, which are given as bits, of those at positions from `j` on. Two rows of the same magnitude are
    /// rare.
    #[cold]
    fn first_of(&self, rows: u32, j: usize) -> usize {
        let row = (j..MAX).map(|position| self.row_at(position)).find(|row| rows >> row & 1 == 1);
        row.unwrap_or(rows.trailing_zeros() as usize % MAX)
    }
}

#[inline(always)]
fn byte(bytes: u64, at: usize) -> usize {
    (bytes >> (8 * at) & 0xff) as usize
}

#[inline(always)]
fn with_byte(bytes: u64, at: usize, byte: usize) -> u64 {
    bytes & !(0xff << (8 * at)) | (byte as u64) << (8 * at)
}
