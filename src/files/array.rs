//! An array as it was read: its elements in chunks.

use std::collections::TryReserveError;
use std::convert::Infallible;
use std::io::{self, Write};

use super::{Elements, FileElement, Grid};

/// A vector, a matrix or a stack of matrices.
#[derive(Debug, Clone)]
pub struct Array<T> {
    grid: Grid,
    elements: Elements<T>,
}

impl<T: FileElement> Array<T> {
    /// The array with these elements; `None` unless there are as many of them as the grid has.
    #[must_use]
    pub fn new(grid: Grid, elements: Elements<T>) -> Option<Self> {
        (grid.len() == elements.len()).then_some(Array { grid, elements })
    }

    /// Where the elements are.
    #[must_use]
    pub fn grid(&self) -> &Grid {
        &self.grid
    }

    /// Element (i, j) of matrix k, all counted from 0.
    ///
    /// # Panics
    /// If it is outside of the array.
    #[must_use]
    pub fn get(&self, k: usize, i: usize, j: usize) -> T {
        self.elements.get(self.grid.at(k, i, j))
    }

    /// The elements in the order in which they are held.
    #[must_use]
    pub fn elements(&self) -> &Elements<T> {
        &self.elements
    }

    /// What writes the matrices one after the other, each column by column. It asks for its memory here, so that nothing is
    /// written if there is none.
    ///
    /// # Errors
    /// If the system refuses the memory.
    pub fn columns(&self) -> Result<Columns<'_, T>, TryReserveError> {
        let mut block = Vec::new();
        block.try_reserve_exact(Columns::<T>::BLOCK.min(self.elements.len()))?;
        Ok(Columns { array: self, block })
    }

    /// The elements in one piece of memory: the matrices one after the other, each column by column.
    ///
    /// # Errors
    /// If the system refuses the memory.
    pub fn to_columns(&self) -> Result<Vec<T>, TryReserveError> {
        let mut memory = Vec::new();
        memory.try_reserve_exact(self.elements.len())?;
        let copied: Result<(), Infallible> = self.columns()?.for_each(|block| {
            memory.extend_from_slice(block);
            Ok(())
        });
        let Ok(()) = copied;
        Ok(memory)
    }
}

/// Takes an array matrix by matrix, and each of them column by column, through a block of a few columns: rows are read a cache
/// line at a time, not an element.
#[derive(Debug)]
pub struct Columns<'a, T> {
    array: &'a Array<T>,
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
    pub fn write(self, out: &mut impl Write) -> io::Result<()> {
        self.for_each(|block| {
            T::wire_order(block);
            out.write_all(bytemuck::cast_slice(block))
        })
    }

    /// Hands over the elements, block by block.
    fn for_each<E>(mut self, mut take: impl FnMut(&mut [T]) -> Result<(), E>) -> Result<(), E> {
        let grid = self.array.grid;
        if grid.is_empty() {
            return Ok(());
        }
        let [count, m, n] = grid.sides();
        // As many whole columns as fit, or else one column in pieces.
        let (rows, columns) = (m.min(Self::BLOCK), (Self::BLOCK / m).max(1));
        for k in 0..count {
            for j in (0..n).step_by(columns) {
                for i in (0..m).step_by(rows) {
                    self.load([k, i, j], rows.min(m - i), columns.min(n - j));
                    take(&mut self.block)?;
                }
            }
        }
        Ok(())
    }

    /// Copies a part of a matrix, from its element (i, j) on, into the block, column by column.
    fn load(&mut self, [k, i, j]: [usize; 3], rows: usize, columns: usize) {
        let a = self.array;
        self.block.clear();
        if a.grid.is_by_columns() {
            for column in j..j + columns {
                self.block.extend((i..i + rows).map(|row| a.get(k, row, column)));
            }
        } else {
            self.block.resize(rows * columns, T::ZERO);
            for row in 0..rows {
                for column in 0..columns {
                    self.block[column * rows + row] = a.get(k, i + row, j + column);
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::files::Order;

    /// Element (i, j) of matrix k here.
    fn element([k, i, j]: [usize; 3]) -> f64 {
        k as f64 * 1e8 + i as f64 + 1e-3 * j as f64
    }

    /// The indices of an array, of which those named first change last.
    fn indices(sides: [usize; 3], order: [usize; 3]) -> impl Iterator<Item = [usize; 3]> {
        let [a, b, c] = order.map(|axis| sides[axis]);
        (0..a).flat_map(move |x| (0..b).flat_map(move |y| (0..c).map(move |z| (x, y, z)))).map(move |(x, y, z)| {
            let mut index = [0; 3];
            (index[order[0]], index[order[1]], index[order[2]]) = (x, y, z);
            index
        })
    }

    #[test]
    fn columns_are_written_in_order_whatever_the_shape() {
        let block = Columns::<f64>::BLOCK;
        // Several columns a block, the last block smaller; one; pieces of one; rows of all sizes; several matrices.
        let shapes: [&[usize]; 11] = [
            &[1, 1],
            &[3, 2],
            &[700, 500],
            &[2, 200_000],
            &[block, 2],
            &[block + 1, 2],
            &[2 * block + 5, 1],
            &[7],
            &[5, 3, 2],
            &[70_000, 2, 3],
            &[2, 700, 500],
        ];
        for shape in shapes {
            for (order, axes) in [(Order::C, [0, 1, 2]), (Order::Fortran, [2, 1, 0]), (Order::Wire, [0, 2, 1])] {
                let grid = Grid::new(shape, order).unwrap();
                assert_eq!(grid.shape(), shape);
                let mut held = Elements::default();
                indices(grid.sides(), axes).for_each(|index| held.push(element(index)).unwrap());
                let expected: Vec<f64> = indices(grid.sides(), [0, 2, 1]).map(element).collect();
                let array = Array::new(grid, held).unwrap();
                let mut written = Vec::new();
                array.columns().unwrap().write(&mut written).unwrap();
                assert!(written == expected.iter().flat_map(|x| x.to_le_bytes()).collect::<Vec<u8>>(), "{grid:?}");
                assert!(array.to_columns().unwrap() == expected, "{grid:?}");
            }
        }
    }

    #[test]
    fn empty_matrices_of_any_length_have_no_columns_to_write() {
        for shape in [&[0, usize::MAX][..], &[usize::MAX, 0], &[usize::MAX, 1, 0], &[0, 1, usize::MAX]] {
            let mut written = Vec::new();
            let a = Array::<f32>::new(Grid::new(shape, Order::C).unwrap(), Elements::default()).unwrap();
            a.columns().unwrap().write(&mut written).unwrap();
            assert!(written.is_empty());
        }
        assert!(Array::<f32>::new(Grid::new(&[2, 1], Order::C).unwrap(), Elements::default()).is_none());
    }

    #[test]
    fn shapes_that_cannot_be_counted_are_none() {
        for shape in [&[][..], &[1; 4], &[usize::MAX, 2], &[0, usize::MAX, 2], &[2, usize::MAX, 1]] {
            for order in [Order::C, Order::Fortran, Order::Wire] {
                assert_eq!(Grid::new(shape, order), None, "{shape:?}");
            }
        }
    }
}
