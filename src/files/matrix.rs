//! A matrix as it was read: its elements by rows or by columns, in chunks.

use std::collections::TryReserveError;
use std::io::{self, Write};

use super::{Elements, FileElement};

/// How the elements of a matrix follow each other.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Order {
    /// Row by row, as in text.
    Rows,
    /// Column by column, as on the wire.
    Columns,
}

/// An m x n matrix.
#[derive(Debug, Clone)]
pub struct Matrix<T> {
    m: usize,
    n: usize,
    order: Order,
    elements: Elements<T>,
}

impl<T: FileElement> Matrix<T> {
    /// The matrix with these elements; `None` unless there are m*n of them.
    #[must_use]
    pub fn new(m: usize, n: usize, order: Order, elements: Elements<T>) -> Option<Self> {
        (m.checked_mul(n) == Some(elements.len())).then_some(Matrix { m, n, order, elements })
    }

    /// Rows.
    #[must_use]
    pub fn nrows(&self) -> usize {
        self.m
    }

    /// Columns.
    #[must_use]
    pub fn ncols(&self) -> usize {
        self.n
    }

    /// Element (i, j), counted from 0.
    ///
    /// # Panics
    /// If it is outside the matrix.
    #[must_use]
    pub fn get(&self, i: usize, j: usize) -> T {
        assert!(i < self.m && j < self.n, "get: element ({i}, {j}) of {} x {}", self.m, self.n);
        self.elements.get(match self.order {
            Order::Rows => i * self.n + j,
            Order::Columns => j * self.m + i,
        })
    }

    /// The elements in the order in which they are held.
    #[must_use]
    pub fn elements(&self) -> &Elements<T> {
        &self.elements
    }

    /// What writes the columns one after the other. It asks for its memory here, so that nothing is written if there is
    /// none.
    ///
    /// # Errors
    /// If the system refuses the memory.
    pub fn columns(&self) -> Result<Columns<'_, T>, TryReserveError> {
        let mut block = Vec::new();
        block.try_reserve_exact(Columns::<T>::BLOCK.min(self.elements.len()))?;
        Ok(Columns { matrix: self, block })
    }
}

/// Writes a matrix column by column, through a block of a few columns: rows are read a cache line at a time, not an
/// element.
#[derive(Debug)]
pub struct Columns<'a, T> {
    matrix: &'a Matrix<T>,
    block: Vec<T>,
}

impl<T: FileElement> Columns<'_, T> {
    /// Bytes of the largest block.
    pub const BLOCK_BYTES: usize = 1 << 20;

    const BLOCK: usize = Self::BLOCK_BYTES / size_of::<T>();

    /// Writes the elements in the order of bytes of the wire.
    ///
    /// # Errors
    /// Those of `out`.
    pub fn write(mut self, out: &mut impl Write) -> io::Result<()> {
        let (m, n) = (self.matrix.m, self.matrix.n);
        if self.matrix.elements.is_empty() {
            return Ok(());
        }
        // As many whole columns as fit, or else one column in pieces.
        let (rows, columns) = (m.min(Self::BLOCK), (Self::BLOCK / m).max(1));
        for j in (0..n).step_by(columns) {
            for i in (0..m).step_by(rows) {
                self.load(i, j, rows.min(m - i), columns.min(n - j));
                T::wire_order(&mut self.block);
                out.write_all(bytemuck::cast_slice(&self.block))?;
            }
        }
        Ok(())
    }

    /// Copies a part of the matrix from (i, j) on into the block, column by column.
    fn load(&mut self, i: usize, j: usize, rows: usize, columns: usize) {
        let a = self.matrix;
        self.block.clear();
        match a.order {
            Order::Columns => {
                for column in j..j + columns {
                    self.block.extend((i..i + rows).map(|row| a.get(row, column)));
                }
            }
            Order::Rows => {
                self.block.resize(rows * columns, T::ZERO);
                for row in 0..rows {
                    for column in 0..columns {
                        self.block[column * rows + row] = a.get(i + row, j + column);
                    }
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Element (i, j) of the matrices here.
    fn element(i: usize, j: usize) -> f64 {
        i as f64 + 1e-3 * j as f64
    }

    #[test]
    fn columns_are_written_in_order_whatever_the_shape() {
        let block = Columns::<f64>::BLOCK;
        // Several columns a block, the last block smaller; one; pieces of one; rows of all sizes.
        for (m, n) in [(1, 1), (3, 2), (700, 500), (2, 200_000), (block, 2), (block + 1, 2), (2 * block + 5, 1)] {
            let by_rows = (0..m).flat_map(|i| (0..n).map(move |j| element(i, j)));
            let by_columns = || (0..n).flat_map(|j| (0..m).map(move |i| element(i, j)));
            let expected: Vec<u8> = by_columns().flat_map(f64::to_le_bytes).collect();
            let orders: [(Order, &mut dyn Iterator<Item = f64>); 2] =
                [(Order::Rows, &mut { by_rows }), (Order::Columns, &mut by_columns())];
            for (order, elements) in orders {
                let mut held = Elements::default();
                elements.for_each(|x| held.push(x).unwrap());
                let mut written = Vec::new();
                Matrix::new(m, n, order, held).unwrap().columns().unwrap().write(&mut written).unwrap();
                assert!(written == expected, "{m} x {n}, {order:?}");
            }
        }
    }

    #[test]
    fn empty_matrices_of_any_length_have_no_columns_to_write() {
        for (m, n) in [(0, usize::MAX), (usize::MAX, 0)] {
            let mut written = Vec::new();
            let a = Matrix::<f32>::new(m, n, Order::Rows, Elements::default()).unwrap();
            a.columns().unwrap().write(&mut written).unwrap();
            assert!(written.is_empty());
        }
        assert!(Matrix::<f32>::new(2, 1, Order::Rows, Elements::default()).is_none());
    }
}
