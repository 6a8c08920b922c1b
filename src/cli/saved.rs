//! Factorizations as files.

use std::fs::create_dir_all;
use std::io;
use std::path::Path;

use super::Failure;
use super::factorizations::Factorizations;
use super::progress::Progress;
use crate::files::{Array, FileElement, Order, csv, npy};

/// The kind of file.
#[derive(Debug, Clone, Copy)]
pub(super) enum Format {
    Npy,
    Csv,
}

/// Where the factorizations of a response go.
pub(super) struct Files<'a> {
    pub(super) folder: &'a Path,
    pub(super) format: Format,
    /// The response, counted from 1, with which the names of its files begin.
    pub(super) number: usize,
}

impl Files<'_> {
    /// Saves factors, row swaps, and for a stack `info`. Returns the names of the files.
    pub(super) fn save<T: FileElement>(&self, read: &Factorizations<T>) -> Result<String, Failure> {
        create_dir_all(self.folder).map_err(|error| Failure::io(self.folder.display(), &error))?;
        let lu = self.file("lu", |path| self.save_factors(path, &read.lu))?;
        let [count, m, n] = read.lu.grid().sides();
        let (k, ipiv) = (m.min(n), |at| read.ipiv[at]);
        if !read.is_stack() {
            return Ok(format!("{lu}, {}", self.save_numbers("ipiv", &[k], &ipiv)?));
        }
        let ipiv = self.save_numbers("ipiv", &[count, k], &ipiv)?;
        let info = self.save_numbers("info", &[count], &|at| read.info.get(at))?;
        Ok(format!("{lu}, {ipiv}, {info}"))
    }

    /// Has a file written. Returns its name.
    fn file(&self, name: &str, write: impl FnOnce(&Path) -> io::Result<()>) -> Result<String, Failure> {
        let extension = match self.format {
            Format::Npy => "npy",
            Format::Csv => "csv",
        };
        let path = self.folder.join(format!("{}-{name}.{extension}", self.number));
        write(&path).map_err(|error| Failure::io(path.display(), &error))?;
        Ok(path.display().to_string())
    }

    fn save_factors<T: FileElement>(&self, path: &Path, lu: &Array<T>) -> io::Result<()> {
        let ([count, m, n], shape) = (lu.grid().sides(), lu.grid().shape());
        match self.format {
            // Column by column, as they are held.
            Format::Npy if shape.len() == 2 => {
                npy::write(path, shape, Order::Fortran, lu.elements().slices().flatten().copied())
            }
            Format::Npy => npy::write(path, shape, Order::C, lu.grid().in_c_order().map(|at| lu.elements().get(at))),
            Format::Csv => {
                let rows = if n == 0 { 0 } else { count * m };
                let mut progress = Progress::new(self.number, rows);
                csv::write(path, rows, n, |row, j| lu.get(row / m, row % m, j), || progress.step())
            }
        }
    }

    /// Saves a list or a table of whole numbers in C order. A list has one of them in a line of CSV.
    fn save_numbers(&self, name: &str, shape: &[usize], number: &dyn Fn(usize) -> i64) -> Result<String, Failure> {
        let (rows, columns) = (shape[0], shape.get(1).copied().unwrap_or(1));
        self.file(name, |path| match self.format {
            Format::Npy => npy::write(path, shape, Order::C, (0..rows * columns).map(number)),
            Format::Csv => csv::write(path, rows, columns, |i, j| number(i * columns + j), || {}),
        })
    }
}
