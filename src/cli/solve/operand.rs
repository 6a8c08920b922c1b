//! A and B as they are read.

use crate::cli::Failure;
use crate::cli::input::{name_of, read};
use crate::files::{FileElement, Grid, Order};

/// A vector, a matrix or a stack of matrices in one piece of memory: the matrices one after the other, each column by column.
pub(super) struct Operand<'a, T> {
    /// The file, for messages.
    pub(super) name: &'a str,
    pub(super) grid: Grid,
    pub(super) elements: Vec<T>,
}

impl<'a, T: FileElement> Operand<'a, T> {
    /// Reads it. All of its numbers must be finite.
    pub(super) fn read(file: &'a str) -> Result<Self, Failure> {
        let (name, array) = (name_of(file), read::<T>(file)?);
        let bytes = array.elements().len() * size_of::<T>();
        let elements = array.to_columns().map_err(|_| Failure::out_of_memory(name, bytes, "the matrix"))?;
        let grid = Grid::new(array.grid().shape(), Order::Wire).expect("its elements have been counted");
        let operand = Operand { name, grid, elements };
        match operand.elements.iter().position(|&x| !x.into().is_finite()) {
            None => Ok(operand),
            Some(at) => Err(operand.not_finite(at)),
        }
    }

    /// Whether it is a stack.
    pub(super) fn is_stack(&self) -> bool {
        self.grid.shape().len() == 3
    }

    /// The element with this number, which is a NaN or infinite.
    fn not_finite(&self, at: usize) -> Failure {
        let [_, m, n] = self.grid.sides();
        let (slice, row, column) = (at / (m * n) + 1, at % m + 1, at / m % n + 1);
        let place = match self.grid.shape().len() {
            1 => format!("element {row}"),
            2 => format!("row {row}, column {column}"),
            _ => format!("slice {slice}, row {row}, column {column}"),
        };
        let message = format!("{place}: expected a finite number, got {:?}", self.elements[at]);
        Failure::data(self.name, message)
    }
}
