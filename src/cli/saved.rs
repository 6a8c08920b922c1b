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
        let ipiv = self.file("ipiv", |path| self.save_swaps(path, read))?;
        if !read.is_stack() {
            return Ok(format!("{lu}, {ipiv}"));
        }
        let info = self.file("info", |path| match self.format {
            Format::Npy => npy::write(path, &[read.count()], Order::C, read.info.slices().flatten().copied()),
            Format::Csv => csv::write(path, read.count(), 1, |k, _| read.info.get(k), || {}),
        })?;
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
            Format::Npy => {
                let element = |at: usize| lu.get(at / (m * n), at / n % m, at % n);
                npy::write(path, shape, Order::C, (0..lu.elements().len()).map(element))
            }
            Format::Csv => {
                let rows = if n == 0 { 0 } else { count * m };
                let mut progress = Progress::new(self.number, rows);
                csv::write(path, rows, n, |row, j| lu.get(row / m, row % m, j), || progress.step())
            }
        }
    }

    fn save_swaps<T: FileElement>(&self, path: &Path, read: &Factorizations<T>) -> io::Result<()> {
        let [count, m, n] = read.lu.grid().sides();
        let k = m.min(n);
        // Of a matrix they stand one below the other; those of a matrix of a stack in a line.
        let shape = if read.is_stack() { [count, k] } else { [k, 1] };
        match self.format {
            Format::Npy => {
                let shape = if read.is_stack() { &shape[..] } else { &shape[..1] };
                npy::write(path, shape, Order::C, read.ipiv.iter().copied())
            }
            Format::Csv => csv::write(path, shape[0], shape[1], |i, j| read.ipiv[i * shape[1] + j], || {}),
        }
    }
}
