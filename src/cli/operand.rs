//! Matrices, vectors and stacks of matrices to compute with, as they are read.

use std::num::NonZeroUsize;

use super::input::{name_of, read};
use super::{Failure, threads};
use crate::files::{FileElement, Grid, Order, sizes};
use crate::options::Options;
use crate::team::default_threads;

/// A square matrix or a stack of them on the command line, and how to compute with it.
#[derive(Debug, clap::Args)]
pub(super) struct Square {
    /// The matrix as text, CSV or .npy, or a stack of matrices as .npy; - is stdin
    #[arg(value_name = "A")]
    a: String,
    /// The largest number of threads [default: RECFACT_NUM_THREADS, or as many as the process may use]
    #[arg(long, value_name = "N", value_parser = threads::parse)]
    threads: Option<NonZeroUsize>,
}

impl Square {
    /// Reads it. Returns the number of matrices and their order beside it.
    pub(super) fn read(&self) -> Result<(Operand<'_, f64>, [usize; 2]), Failure> {
        let a = Operand::read(&self.a)?;
        let sizes = a.square()?;
        Ok((a, sizes))
    }

    pub(super) fn options(&self) -> Options {
        Options::new().threads(self.threads.map_or_else(default_threads, NonZeroUsize::get))
    }
}

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

    /// The number of matrices, and their order.
    pub(super) fn square(&self) -> Result<[usize; 2], Failure> {
        let [count, m, n] = self.grid.sides();
        if m == n && self.grid.shape().len() > 1 {
            return Ok([count, n]);
        }
        let got = described(&self.grid);
        Err(Failure::data(self.name, format_args!("expected a square matrix, or a stack of them, got {got}")))
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

/// A shape in words.
pub(super) fn described(grid: &Grid) -> String {
    match *grid.shape() {
        [n] => format!("a vector of {n}"),
        ref shape => sizes(shape),
    }
}
