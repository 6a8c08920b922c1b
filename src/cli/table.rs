//! Numbers as text for people: tables whose columns are as wide as they must be.
//!
//! A table is gone through twice, for the widths and for the rows, since its text may be many times as large as the
//! numbers.

use std::collections::TryReserveError;
use std::io::{self, Write};

use super::progress::Progress;
use crate::files::FileElement;
use crate::files::number::{longest_rounded, push_rounded};

/// What prints tables.
pub(super) struct Table {
    /// Significant digits, 1 to 17.
    digits: u8,
    /// Of the columns of the table that is being printed.
    widths: Vec<u8>,
}

impl Table {
    /// For tables of at most `rows` rows and `columns` columns. Asks for the memory, a byte for each column.
    pub(super) fn new(digits: u8, rows: usize, columns: usize) -> Result<Self, TryReserveError> {
        let mut widths = Vec::new();
        // The columns of a single row need not be aligned. (Beside it, the memory for their widths would not be small.)
        if rows > 1 {
            widths.try_reserve_exact(columns)?;
        }
        Ok(Table { digits, widths })
    }

    /// Prints the rows of a table.
    pub(super) fn print<T: FileElement>(
        &mut self,
        out: &mut impl Write,
        rows: usize,
        columns: usize,
        cell: impl Fn(usize, usize) -> Cell<T>,
        progress: &mut Progress,
    ) -> io::Result<()> {
        let digits = self.digits;
        let mut number = String::new();
        self.widths.clear();
        if rows > 1 {
            let width = |j| (0..rows).fold(0, |width, i| cell(i, j).width(width, digits, &mut number));
            self.widths.extend((0..columns).map(width));
        }
        for i in 0..rows {
            for j in 0..columns {
                let text = cell(i, j).text(digits, &mut number);
                let width = self.widths.get(j).map_or(0, |&width| usize::from(width));
                out.write_all(&BLANKS[..2 + width.saturating_sub(text.len())])?;
                out.write_all(text.as_bytes())?;
            }
            out.write_all(b"\n")?;
            progress.step();
        }
        Ok(())
    }
}

/// More blanks than a number has characters, and two.
const BLANKS: &[u8] = &[b' '; 32];

/// What stands at a place of a table.
pub(super) enum Cell<T> {
    Zero,
    One,
    Number(T),
}

impl<T: FileElement> Cell<T> {
    /// Its text. That of a number is written to `buffer`.
    fn text<'b>(&self, digits: u8, buffer: &'b mut String) -> &'b str {
        match *self {
            Cell::Zero => "0",
            Cell::One => "1",
            Cell::Number(x) => {
                buffer.clear();
                push_rounded(buffer, x.into(), digits);
                buffer
            }
        }
    }

    /// The length of its text, or `width` if that is larger.
    fn width(&self, width: u8, digits: u8, buffer: &mut String) -> u8 {
        match *self {
            Cell::Number(x) if longest_rounded(x.into(), digits) <= usize::from(width) => width,
            _ => width.max(self.text(digits, buffer).len() as u8),
        }
    }
}
