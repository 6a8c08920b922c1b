//! Matrices in files: text, CSV and .npy, which may hold a vector or a stack of matrices as well.
//!
//! Parsers take any [`Read`](std::io::Read) or [`BufRead`](std::io::BufRead) and return errors as values: a file may hold
//! any bytes. They need the memory of the array and about 1 MiB, whatever the file holds or claims to hold.

mod array;
pub mod csv;
mod element;
mod elements;
mod error;
mod grid;
pub mod npy;
mod npy_header;
pub mod number;
pub mod text;

pub use array::{Array, Columns};
pub use element::FileElement;
pub use elements::{Elements, fill};
pub use error::{Cause, FileError};
pub use grid::{Grid, Order, sizes};
