//! The system that A and B make: which B belongs to which A, and its solution.

use crate::batch::BatchMut;
use crate::cli::Failure;
use crate::cli::operand::{Operand, described};
use crate::cli::verdict::Solved;
use crate::error::Error;
use crate::files::{FileElement, Grid, Order, sizes};
use crate::lu::{
    Accuracy, BatchSystem, Coefficients, Factored, Refinement, Solution, Swaps, filled, gesv_mixed, norm, rcond,
    refine, system_batch, zeros,
};
use crate::matrix::{Layout, MatrixMut, MatrixRef};
use crate::options::{Norm, Options, Transpose};

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

impl System {
    /// Checks that the shapes fit.
    pub(super) fn new<T: FileElement>(a: &Operand<T>, b: &Operand<T>) -> Result<Self, Failure> {
        let ([count, n], shape_of_a) = (a.square()?, a.grid.shape());
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

    /// A with a copy of B for each matrix.
    fn elements<T: FileElement>(&self, a: Operand<T>, b: Operand<T>) -> Result<(Vec<T>, Vec<T>), Error> {
        let mut b = b.elements;
        repeat(&mut b, self.copies)?;
        Ok((a.elements, b))
    }

    /// The number of matrices that there are results for. Empty matrices may be more than there is memory for an `info`.
    fn results(&self) -> usize {
        if self.n == 0 { 0 } else { self.count }
    }

    /// Computes X, and refines it if that is wanted.
    pub(super) fn solve<T: FileElement>(
        &self,
        a: Operand<T>,
        b: Operand<T>,
        is_refined: bool,
        transpose: Transpose,
        options: &Options,
    ) -> Result<(Vec<T>, Solved<T>), Error> {
        let (mut a, mut b) = self.elements(a, b)?;
        if is_refined {
            return self.refined(&a, &b, transpose, options);
        }
        let mut rcond = zeros(self.results())?;
        let info = self.in_place(&mut a, &mut b, Swaps::Nowhere, Some(&mut rcond), transpose, options)?;
        Ok((b, Solved { info, rcond: Some(rcond), ..Solved::default() }))
    }

    /// Computes X in the place of B, and the factors in that of A. Returns `info` of each matrix.
    fn in_place<T: FileElement>(
        &self,
        a: &mut [T],
        b: &mut [T],
        swaps: Swaps<'_>,
        rcond: Option<&mut [T]>,
        transpose: Transpose,
        options: &Options,
    ) -> Result<Vec<i64>, Error> {
        let (count, n, layout) = (self.results(), self.n, Layout::ColumnMajor);
        let mut info = zeros(count)?;
        let lu = BatchMut::from_slice(a, count, [n, n], layout)?;
        let x = BatchMut::from_slice(b, count, [n, self.nrhs], layout)?;
        let system = BatchSystem { transpose, x: Solution::Of(x), rcond };
        system_batch(Coefficients::Overwritten(lu), swaps, system, &mut info, options)?;
        Ok(info)
    }

    /// Computes X and refines it.
    fn refined<T: FileElement>(
        &self,
        a: &[T],
        b: &[T],
        transpose: Transpose,
        options: &Options,
    ) -> Result<(Vec<T>, Solved<T>), Error> {
        let (count, n, nrhs) = (self.results(), self.n, self.nrhs);
        let (mut ipiv, mut lu, mut x) = (zeros(count * n)?, copy(a)?, copy(b)?);
        let info = self.in_place(&mut lu, &mut x, (&mut ipiv).into(), None, transpose, options)?;
        let (mut accuracy, mut rconds) = (filled(count * nrhs, Accuracy::UNKNOWN)?, zeros(count)?);
        let refinement = Refinement::new().bounds(true);
        for k in (0..count).filter(|&k| info[k] == 0) {
            let square = |memory| MatrixRef::from_slice(memory, n, n, n);
            let (matrix, columns) = (k * n * n..(k + 1) * n * n, k * n * nrhs..(k + 1) * n * nrhs);
            let factored =
                Factored { a: square(&a[matrix.clone()])?, lu: square(&lu[matrix])?, ipiv: &ipiv[k * n..(k + 1) * n] };
            let b = MatrixRef::from_slice(&b[columns.clone()], n, nrhs, n)?;
            let x = MatrixMut::from_slice(&mut x[columns], n, nrhs, n)?;
            refine(transpose, &factored, b, x, &mut accuracy[k * nrhs..(k + 1) * nrhs], &refinement, options)?;
            let anorm = norm(Norm::One, factored.a);
            rconds[k] = T::from_f64(rcond(Norm::One, factored.lu, factored.ipiv, anorm, options)?);
        }
        Ok((x, Solved { info, rcond: Some(rconds), accuracy: Some(accuracy), ..Solved::default() }))
    }

    /// Computes X with factors in f32, if that is enough.
    pub(super) fn mixed(
        &self,
        a: Operand<f64>,
        b: Operand<f64>,
        transpose: Transpose,
        options: &Options,
    ) -> Result<(Vec<f64>, Solved<f64>), Error> {
        let (mut a, b) = self.elements(a, b)?;
        let (count, n, nrhs) = (self.results(), self.n, self.nrhs);
        let (mut x, mut ipiv, mut info) = (zeros(b.len())?, zeros(n)?, zeros(count)?);
        let mut steps = zeros(count)?;
        for k in 0..count {
            let (matrix, columns) = (&mut a[k * n * n..(k + 1) * n * n], k * n * nrhs..(k + 1) * n * nrhs);
            if transpose != Transpose::No {
                transpose_in_place(matrix, n);
            }
            let a = MatrixMut::from_slice(matrix, n, n, n)?;
            let b = MatrixRef::from_slice(&b[columns.clone()], n, nrhs, n)?;
            let mixed = gesv_mixed(a, &mut ipiv, b, MatrixMut::from_slice(&mut x[columns], n, nrhs, n)?, options)?;
            info[k] = mixed.info;
            steps[k] = mixed.steps.map_or(-1, i64::from);
        }
        Ok((x, Solved { info, steps: Some(steps), ..Solved::default() }))
    }
}

/// A <- A^T, n x n.
fn transpose_in_place(a: &mut [f64], n: usize) {
    for (i, j) in (0..n).flat_map(|j| (0..j).map(move |i| (i, j))) {
        a.swap(i + j * n, j + i * n);
    }
}

/// A copy of some elements.
fn copy<T: FileElement>(elements: &[T]) -> Result<Vec<T>, Error> {
    let mut copy = zeros(elements.len())?;
    copy.copy_from_slice(elements);
    Ok(copy)
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
