//! The row swaps of a panel as one permutation, which moves each row once.

use bytemuck::cast_slice_mut;

use crate::element::Element;
use crate::matrix::MatrixMut;

/// The permutation that w swaps with the first w rows make. Rows are counted from 0.
pub(super) struct Moves<'a> {
    m: usize,
    /// The rows of A that become its first w rows.
    top: &'a [u64],
    /// The rows below that change, and for each the row that it becomes.
    to: &'a [u64],
    from: &'a [u64],
}

impl<'a> Moves<'a> {
    /// Elements of memory for the moves of w swaps.
    pub(super) const fn size(w: usize) -> usize {
        3 * w
    }

    /// For i = 0, 1, .. row i is swapped with row `ipiv[i] - base` (counted from 1), which is one of `m`. `memory` holds
    /// the moves, [`Moves::size`] numbers; `order` is scratch memory for `m` numbers.
    ///
    /// # Panics
    /// If a row is outside the matrix, or if there is too little memory.
    pub(super) fn new(m: usize, ipiv: &[i64], base: usize, memory: &'a mut [u64], order: &mut [u64]) -> Self {
        let w = ipiv.len();
        let (top, rest) = memory.split_at_mut(w);
        let (to, from) = rest.split_at_mut(w);
        let mut below = 0;
        let order = &mut order[..m];
        (0..).zip(order.iter_mut()).for_each(|(i, row)| *row = i);
        let rows = ipiv.iter().map(|&row| row as usize - 1 - base);
        rows.clone().enumerate().for_each(|(i, row)| order.swap(i, row));
        top.copy_from_slice(&order[..w]);
        for row in rows.filter(|&row| row >= w) {
            // A row may be swapped several times; it is listed once.
            if order[row] != row as u64 {
                (to[below], from[below]) = (row as u64, order[row]);
                order[row] = row as u64;
                below += 1;
            }
        }
        Moves { m, top, to: &to[..below], from: &from[..below] }
    }

    /// The rows that are moved to the first w, and with them almost all that change.
    pub(super) fn rows(&self) -> &'a [u64] {
        self.top
    }

    /// B <- the first w rows of P A, and the other rows of A <- those of P A. The first w rows of A do not change.
    ///
    /// # Panics
    /// If A does not have m rows, or if B does not have w rows and as many columns as A.
    pub(super) fn apply<T: Element>(&self, mut a: MatrixMut<'_, T>, mut b: MatrixMut<'_, T>) {
        let (n, lda, ldb) = (a.ncols(), a.lda(), b.lda());
        assert!(a.nrows() == self.m && b.nrows() == self.top.len() && b.ncols() == n, "moves: sizes do not fit");
        let (a, b) = (a.as_mut_ptr(), b.as_mut_ptr());
        let mut j = 0;
        while j < n {
            // SAFETY: the columns are those of A and B; the rows were checked when the moves were made.
            unsafe {
                let (a, b) = (a.add(j * lda), b.add(j * ldb));
                match n - j {
                    4.. => self.columns::<T, 4>((a, lda), (b, ldb), (a, lda)),
                    _ => self.columns::<T, 1>((a, lda), (b, ldb), (a, lda)),
                }
            }
            j += if n - j >= 4 { 4 } else { 1 };
        }
    }

    /// A <- P A. `memory` has room for a column.
    ///
    /// # Panics
    /// If A does not have m rows, or if there is too little memory.
    pub(super) fn permute<T: Element>(&self, mut a: MatrixMut<'_, T>, memory: &mut [u64]) {
        let (m, lda) = (self.m, a.lda());
        assert!(a.nrows() == m, "moves: sizes do not fit");
        // Rows are read in any order: from a copy, which is made in order and stays in the L1 cache.
        let copy: &mut [T] = &mut cast_slice_mut(memory)[..m];
        for j in 0..a.ncols() {
            let column = a.col_mut(j);
            copy.copy_from_slice(column);
            let to = (column.as_mut_ptr(), lda);
            // SAFETY: the copy and the column have m rows.
            unsafe { self.columns::<T, 1>((copy.as_ptr(), m), to, to) };
        }
    }

    /// The moves in N columns: B <- the first w rows of P A, and the other rows of C <- those of P A. Each matrix has its
    /// leading dimension beside it.
    ///
    /// # Safety
    /// - A is valid for reads, B and C are valid for writes.
    /// - A and C have m rows, B has w rows, and all have N columns.
    unsafe fn columns<T: Element, const N: usize>(
        &self,
        (a, lda): (*const T, usize),
        (b, ldb): (*mut T, usize),
        (c, ldc): (*mut T, usize),
    ) {
        // SAFETY: all rows are below m, and there are w rows in `top`.
        unsafe {
            for (t, &row) in self.top.iter().enumerate() {
                for j in 0..N {
                    *b.add(t + j * ldb) = *a.add(row as usize + j * lda);
                }
            }
            for (&to, &from) in self.to.iter().zip(self.from) {
                for j in 0..N {
                    *c.add(to as usize + j * ldc) = *a.add(from as usize + j * lda);
                }
            }
        }
    }
}
