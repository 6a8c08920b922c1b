//! Matrices in files: text, CSV and .npy.
//!
//! Parsers take any [`Read`](std::io::Read) or [`BufRead`](std::io::BufRead) and return errors as values: a file may hold
//! any bytes. They need the memory of the matrix and about 1 MiB, whatever the file holds or claims to hold.

pub mod csv;
mod element;
mod elements;
mod error;
mod matrix;
pub mod npy;
mod npy_header;
pub mod number;
pub mod text;

pub use element::FileElement;
pub use elements::{Elements, fill};
pub use error::{Cause, FileError};
pub use matrix::{Columns, Matrix, Order};
