//! The order of rows that row swaps make.

use std::collections::TryReserveError;

/// A permutation of rows, counted from 0. Row swaps touch at most twice as many rows as there are, often fewer than the
/// matrix has; only those are held.
pub(super) struct RowOrder {
    /// The rows below row k that a swap touches, in rising order.
    below: Vec<usize>,
    /// What stands in rows 0 to k - 1, then what stands in those of `below`.
    rows: Vec<usize>,
}

impl RowOrder {
    /// What the swaps make of the rows 0, 1, 2, .. Asks for at most [`RowOrder::bytes`] of memory.
    pub(super) fn new(ipiv: &[i64]) -> Result<RowOrder, TryReserveError> {
        let k = ipiv.len();
        let (mut below, mut rows) = (Vec::new(), Vec::new());
        below.try_reserve_exact(k)?;
        below.extend(ipiv.iter().map(|&row| row as usize - 1).filter(|&row| row >= k));
        below.sort_unstable();
        below.dedup();
        rows.try_reserve_exact(k + below.len())?;
        rows.extend((0..k).chain(below.iter().copied()));
        let mut order = RowOrder { below, rows };
        for (i, &row) in ipiv.iter().enumerate() {
            let other = order.held(row as usize - 1).expect("each row of ipiv is held");
            order.rows.swap(i, other);
        }
        Ok(order)
    }

    /// Bytes for `k` swaps.
    pub(super) fn bytes(k: usize) -> usize {
        3 * k * size_of::<usize>()
    }

    /// Row `i` of P A is this row of A.
    pub(super) fn get(&self, i: usize) -> usize {
        self.held(i).map_or(i, |at| self.rows[at])
    }

    /// Where row `i` is held, if a swap touches it.
    fn held(&self, i: usize) -> Option<usize> {
        let k = self.rows.len() - self.below.len();
        if i < k { Some(i) } else { self.below.binary_search(&i).ok().map(|at| k + at) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_order_of_the_rows_is_what_the_swaps_make_of_all_of_them() {
        let m = 9;
        for ipiv in
            [vec![], vec![1, 2, 3], vec![9, 9, 9], vec![4, 8, 8, 4], vec![2, 9, 5, 9], vec![9, 9, 8, 8, 7, 7, 7]]
        {
            let mut rows: Vec<usize> = (0..m).collect();
            ipiv.iter().enumerate().for_each(|(i, &row)| rows.swap(i, row as usize - 1));
            let order = RowOrder::new(&ipiv).unwrap();
            assert_eq!((0..m).map(|i| order.get(i)).collect::<Vec<_>>(), rows, "{ipiv:?}");
        }
    }
}
