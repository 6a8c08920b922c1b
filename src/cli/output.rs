//! Matrices that were computed, as text, CSV or .npy.

use std::ffi::OsStr;
use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::Path;

use super::progress::Progress;
use super::table::{Cell, Table};
use super::{Failure, stdout};
use crate::files::{FileElement, Grid, Order, csv, npy, sizes};
use crate::protocol::ElementType;

/// Significant digits of printed text, unless others are asked for.
pub(super) const PRINTED_DIGITS: u8 = 6;

/// Where X goes.
pub(super) struct Output<'a> {
    /// A file; `None` for stdout.
    pub(super) file: Option<&'a Path>,
    /// Significant digits of text.
    pub(super) digits: Option<u8>,
}

impl Output<'_> {
    /// Writes X, whose elements are where the grid says.
    pub(super) fn write<T: FileElement>(&self, x: &[T], grid: &Grid) -> Result<(), Failure> {
        let [count, m, n] = grid.sides();
        let Some(file) = self.file else {
            let table = table(self.digits.unwrap_or(PRINTED_DIGITS), grid)?;
            return print(table, &mut stdout::open()?, x, grid).map_err(|error| Failure::stdout(&error));
        };
        let rows = if grid.is_empty() { 0 } else { count * m };
        let extension = file.extension().map(OsStr::to_ascii_lowercase);
        let written = match extension.as_ref().and_then(|extension| extension.to_str()) {
            Some("npy") => npy::write(file, grid.shape(), Order::C, grid.in_c_order().map(|at| x[at])),
            Some("csv") => {
                let mut progress = Progress::new(1, rows);
                csv::write(file, rows, n, |row, j| x[grid.at(row / m, row % m, j)], || progress.step())
            }
            _ => {
                let table = table(self.digits.unwrap_or(exact_digits(T::TYPE)), grid)?;
                File::create(file).and_then(|file| print(table, &mut BufWriter::new(file), x, grid))
            }
        };
        written.map_err(|error| Failure::io(file.display(), &error))
    }
}

/// Digits that give a number of this type again.
fn exact_digits(element: ElementType) -> u8 {
    match element {
        ElementType::F32 => 9,
        _ => 17,
    }
}

fn table(digits: u8, grid: &Grid) -> Result<Table, Failure> {
    let [_, rows, columns] = if grid.is_empty() { [0; 3] } else { grid.sides() };
    Table::new(digits, rows, columns).map_err(|_| Failure::out_of_memory("X", columns, "printing it"))
}

/// Prints the matrices, those of a stack after lines that name them and that no reader of text takes for numbers.
fn print<T: FileElement>(mut table: Table, out: &mut dyn Write, x: &[T], grid: &Grid) -> io::Result<()> {
    let [count, rows, columns] = grid.sides();
    if grid.is_empty() {
        writeln!(out, "# empty: {}", sizes(grid.shape()))?;
        return out.flush();
    }
    let mut progress = Progress::new(1, count * rows);
    for k in 0..count {
        if grid.shape().len() == 3 {
            writeln!(out, "# slice {}", k + 1)?;
        }
        table.print(&mut &mut *out, rows, columns, |i, j| Cell::Number(x[grid.at(k, i, j)]), &mut progress)?;
    }
    out.flush()
}
