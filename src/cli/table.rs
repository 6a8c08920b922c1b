//! Factors as text for people: tables whose columns are as wide as they must be.
//!
//! A table is gone through twice, for the widths and for the rows, since its text may be many times as large as the
//! matrix. The zeros and ones that L and U have by structure need no formatting.

use std::cmp::Ordering;
use std::collections::TryReserveError;
use std::fmt::Display;
use std::io::{self, Write};

use super::progress::Progress;
use super::responses::{Factors, RowOrder};
use crate::files::FileElement;
use crate::files::number::{longest_rounded, push_rounded};

/// How factors are printed.
#[derive(Debug, Clone, Copy)]
pub(super) struct Style {
    /// Significant digits, 1 to 17.
    pub(super) digits: u8,
    /// L and U in one table.
    pub(super) compact: bool,
}

/// Factors that are ready to be printed: the memory for it is there.
pub(super) struct Text<'a, T> {
    factors: &'a Factors<T>,
    style: Style,
    order: RowOrder,
    /// Of the columns of the table that is being printed.
    widths: Vec<u8>,
}

impl<'a, T: FileElement> Text<'a, T> {
    /// Asks for the memory, [`Text::bytes`] at most.
    pub(super) fn new(factors: &'a Factors<T>, style: Style) -> Result<Self, TryReserveError> {
        let mut widths = Vec::new();
        // The columns of a single row need not be aligned. (Beside it, the memory for their widths would not be small.)
        if factors.m() > 1 && factors.k() > 0 {
            widths.try_reserve_exact(factors.n())?;
        }
        Ok(Text { factors, style, order: RowOrder::new(&factors.ipiv)?, widths })
    }

    /// Bytes of memory that printing needs beside the factors.
    pub(super) fn bytes(factors: &Factors<T>) -> usize {
        factors.n() + RowOrder::bytes(factors.k())
    }

    /// Rows of the tables.
    pub(super) fn rows(&self) -> usize {
        let (m, k) = (self.factors.m(), self.factors.k());
        if self.style.compact { m } else { m + k }
    }

    /// Prints `head`, L, U, the row swaps and the order of rows that they make.
    pub(super) fn print(mut self, out: &mut impl Write, head: &str, progress: &mut Progress) -> io::Result<()> {
        writeln!(out, "{head}")?;
        let factors = self.factors;
        let (m, n, k) = (factors.m(), factors.n(), factors.k());
        if k == 0 {
            return writeln!(out, "empty: no factors, no row swaps");
        }
        let number = |i, j| Cell::Number(factors.packed.get(i, j));
        if self.style.compact {
            writeln!(out, "L below the diagonal, U on and above it ({m} x {n}):")?;
            self.table(out, m, n, number, progress)?;
        } else {
            writeln!(out, "L ({m} x {k}):")?;
            let l = |i: usize, j| match i.cmp(&j) {
                Ordering::Less => Cell::Zero,
                Ordering::Equal => Cell::One,
                Ordering::Greater => number(i, j),
            };
            self.table(out, m, k, l, progress)?;
            writeln!(out, "U ({k} x {n}):")?;
            self.table(out, k, n, |i, j| if i > j { Cell::Zero } else { number(i, j) }, progress)?;
        }
        list(out, "ipiv", factors.ipiv.iter())?;
        list(out, "rows of A in P*A = L*U", (0..m).map(|i| self.order.get(i) + 1))
    }

    /// Prints the rows of a table.
    fn table(
        &mut self,
        out: &mut impl Write,
        rows: usize,
        columns: usize,
        cell: impl Fn(usize, usize) -> Cell<T>,
        progress: &mut Progress,
    ) -> io::Result<()> {
        let digits = self.style.digits;
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
enum Cell<T> {
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

/// Items in a line, each after a blank.
fn list(out: &mut impl Write, name: &str, items: impl Iterator<Item = impl Display>) -> io::Result<()> {
    write!(out, "{name}:")?;
    for item in items {
        write!(out, " {item}")?;
    }
    writeln!(out)
}
