//! The order of rows that stay in place: what swaps would have made of them, for a kernel that swaps rows only when it
//! writes its result.

/// Where each of N rows would be. N is a power of two, so that an index is made valid by a mask instead of a test, and at
/// most 64, so that rows can be named by the bits of a `u64`.
pub(super) struct Order<const N: usize> {
    /// The row at each position.
    row_at: [u8; N],
    /// The position of each row.
    position_of: [u8; N],
}

impl<const N: usize> Order<N> {
    /// Every row at its own position.
    pub(super) fn new() -> Self {
        const { assert!(N.is_power_of_two() && N <= 64) };
        let identity = std::array::from_fn(|i| i as u8);
        Order { row_at: identity, position_of: identity }
    }

    /// The row at each position.
    #[inline(always)]
    pub(super) fn rows(&self) -> &[u8; N] {
        &self.row_at
    }

    /// Swaps `row` to position `j`; returns the position that it had.
    #[inline]
    pub(super) fn swap_to(&mut self, j: usize, row: usize) -> usize {
        let position = self.position_of[row & (N - 1)];
        let other = self.row_at[j];
        self.row_at[j] = row as u8;
        self.row_at[position as usize & (N - 1)] = other;
        self.position_of[other as usize & (N - 1)] = position;
        self.position_of[row & (N - 1)] = j as u8;
        position.into()
    }

    /// The row with the first position, of rows given as bits. Two rows of the same magnitude are rare.
    #[cold]
    pub(super) fn first_of(&self, mut rows: u64) -> usize {
        let mut first = rows.trailing_zeros() as usize & (N - 1);
        while rows != 0 {
            let row = rows.trailing_zeros() as usize & (N - 1);
            if self.position_of[row] < self.position_of[first] {
                first = row;
            }
            rows &= rows - 1;
        }
        first
    }
}
