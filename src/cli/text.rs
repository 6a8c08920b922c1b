//! Factors as text for people. The zeros and ones that L and U have by structure need no formatting.

use std::cmp::Ordering;
use std::collections::TryReserveError;
use std::fmt::Display;
use std::io::{self, Write};

use super::factorizations::Factors;
use super::progress::Progress;
use super::row_order::RowOrder;
use super::table::{Cell, Table};
use crate::files::FileElement;

/// What is printed if there are no factors.
pub(super) const EMPTY: &str = "empty: no factors, no row swaps";

/// How factors are printed.
#[derive(Debug, Clone, Copy)]
pub(super) struct Style {
    /// Significant digits, 1 to 17.
    pub(super) digits: u8,
    /// L and U in one table.
    pub(super) compact: bool,
}

impl Style {
    /// Rows of the tables of an m x n matrix.
    pub(super) fn rows(self, m: usize, n: usize) -> usize {
        if self.compact { m } else { m.saturating_add(m.min(n)) }
    }
}

/// Factors that are ready to be printed: the memory for it is there.
pub(super) struct Text<'a, T> {
    factors: &'a Factors<'a, T>,
    compact: bool,
    order: RowOrder,
    table: Table,
}

impl<'a, T: FileElement> Text<'a, T> {
    /// Asks for the memory, [`Text::bytes`] at most.
    pub(super) fn new(factors: &'a Factors<T>, style: Style) -> Result<Self, TryReserveError> {
        let columns = if factors.k() > 0 { factors.n() } else { 0 };
        let table = Table::new(style.digits, factors.m(), columns)?;
        Ok(Text { factors, compact: style.compact, order: RowOrder::new(factors.ipiv)?, table })
    }

    /// Bytes of memory that printing needs beside the factors.
    pub(super) fn bytes(factors: &Factors<T>) -> usize {
        factors.n() + RowOrder::bytes(factors.k())
    }

    /// Prints `head`, L, U, the row swaps and the order of rows that they make.
    pub(super) fn print(mut self, out: &mut impl Write, head: &str, progress: &mut Progress) -> io::Result<()> {
        writeln!(out, "{head}")?;
        let factors = self.factors;
        let (m, n, k) = (factors.m(), factors.n(), factors.k());
        if k == 0 {
            return writeln!(out, "{EMPTY}");
        }
        let number = |i, j| Cell::Number(factors.get(i, j));
        if self.compact {
            writeln!(out, "L below the diagonal, U on and above it ({m} x {n}):")?;
            self.table.print(out, m, n, number, progress)?;
        } else {
            writeln!(out, "L ({m} x {k}):")?;
            let l = |i: usize, j| match i.cmp(&j) {
                Ordering::Less => Cell::Zero,
                Ordering::Equal => Cell::One,
                Ordering::Greater => number(i, j),
            };
            self.table.print(out, m, k, l, progress)?;
            writeln!(out, "U ({k} x {n}):")?;
            let u = |i: usize, j| if i > j { Cell::Zero } else { number(i, j) };
            self.table.print(out, k, n, u, progress)?;
        }
        list(out, "ipiv", factors.ipiv.iter())?;
        list(out, "rows of A in P*A = L*U", (0..m).map(|i| self.order.get(i) + 1))
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
