//! The system that A and B make: which B belongs to which A, and its solution.

use super::operand::Operand;
use crate::batch::BatchMut;
use crate::cli::Failure;
use crate::error::Error;
use crate::files::{FileElement, Grid, Order, sizes};
use crate::lu::{BatchSystem, Coefficients, Solution, Swaps, system_batch, zeros};
use crate::matrix::Layout;
use crate::options::{Options, Transpose};

/// A X = B for each matrix of A.
///
/// One A for a stack of B is one matrix with the columns of all of them.
#[derive(Debug)]
pub(super) struct System {
    /// The number of matrices A.
    count: usize,
    /// Their order.
    pub(super) n: usize,
    /// Right-hand sides of each.
    nrhs: usize,
    /// How many times B is there: a B for all matrices has a copy for each.
    copies: usize,
    /// The shape of X, and where its elements are.
    pub(super) x: Grid,
}

/// What the library said of the matrices.
pub(super) struct Solved<T> {
    /// LAPACK's `info` of each.
    pub(super) info: Vec<i64>,
    /// The reciprocal condition number of each.
    pub(super) rcond: Vec<T>,
}

impl System {
    /// Checks that the shapes fit.
    pub(super) fn new<T: FileElement>(a: &Operand<T>, b: &Operand<T>) -> Result<Self, Failure> {
        let ([count, m, n], shape_of_a) = (a.grid.sides(), a.grid.shape());
        if m != n || shape_of_a.len() == 1 {
            let message = format!("expected a square matrix, or a stack of them, got {}", described(&a.grid));
            return Err(Failure::data(a.name, message));
        }
        let [count_of_b, rows, columns] = b.grid.sides();
        let unfit = |expected: String, advice: &str| {
            let (name, shape, got) = (a.name, sizes(shape_of_a), described(&b.grid));
            Failure::data(b.name, format_args!("expected {expected}, since {name} is {shape}, got {got}{advice}"))
        };
        if rows != n {
            let advice = if [rows, columns] == [1, n] { "; a vector in text has one number a line" } else { "" };
            return Err(unfit(format!("{n} rows"), advice));
        }
        let count_of_x = match (count, count_of_b) {
            (_, 1) => count,
            (1, _) => count_of_b,
            _ if count == count_of_b => count,
            _ => return Err(unfit(format!("{count} matrices"), "")),
        };
        let x = match b.grid.shape().len() {
            1 if a.is_stack() => Grid::new(&[count_of_x, n], Order::C),
            1 => Grid::new(&[n], Order::Wire),
            _ if a.is_stack() || b.is_stack() => Grid::new(&[count_of_x, n, columns], Order::Wire),
            _ => Grid::new(&[n, columns], Order::Wire),
        };
        // One A has the right-hand sides of all B.
        let nrhs = if count == 1 { columns.checked_mul(count_of_b) } else { Some(columns) };
        let (x, nrhs) = x.zip(nrhs).ok_or_else(|| unfit("sizes of X that can be counted".into(), ""))?;
        let copies = if count_of_b == 1 { count } else { 1 };
        Ok(System { count, n, nrhs, copies, x })
    }

    /// Computes X in the memory of B, and the factors in that of A.
    pub(super) fn solve<T: FileElement>(
        &self,
        a: Operand<T>,
        b: Operand<T>,
        transpose: Transpose,
        options: &Options,
    ) -> Result<(Vec<T>, Solved<T>), Failure> {
        let failure = |error: Error| match error {
            Error::OutOfMemory { bytes } => Failure::out_of_memory(a.name, bytes, "the solution"),
            error => Failure::data(a.name, error),
        };
        let (mut lu, mut x) = (a.elements, b.elements);
        repeat(&mut x, self.copies).map_err(failure)?;
        // Empty matrices may be more than there is memory for an `info`.
        let count = if self.n == 0 { 0 } else { self.count };
        let (mut info, mut rcond) = (zeros(count).map_err(failure)?, zeros(count).map_err(failure)?);
        let (n, nrhs, layout) = (self.n, self.nrhs, Layout::ColumnMajor);
        let mut compute = || {
            let a = BatchMut::from_slice(&mut lu, count, [n, n], layout)?;
            let b = BatchMut::from_slice(&mut x, count, [n, nrhs], layout)?;
            let system = BatchSystem { transpose, x: Solution::Of(b), rcond: Some(&mut rcond) };
            system_batch(Coefficients::Overwritten(a), Swaps::Nowhere, system, &mut info, options)
        };
        compute().map_err(failure)?;
        Ok((x, Solved { info, rcond }))
    }
}

/// Makes the elements as many copies of themselves.
fn repeat<T: Copy>(elements: &mut Vec<T>, copies: usize) -> Result<(), Error> {
    let one = elements.len();
    let all = one.saturating_mul(copies);
    let refused = |_| Error::OutOfMemory { bytes: all.saturating_mul(size_of::<T>()) };
    elements.try_reserve_exact(all.saturating_sub(one)).map_err(refused)?;
    // There may be very many copies of nothing.
    while elements.len() < all {
        elements.extend_from_within(..one);
    }
    elements.truncate(all);
    Ok(())
}

/// A shape in words.
fn described(grid: &Grid) -> String {
    match *grid.shape() {
        [n] => format!("a vector of {n}"),
        ref shape => sizes(shape),
    }
}
