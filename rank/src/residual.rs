//! How good a solution is: R = B - op(A) X, and backward errors: how much A and B must change, relative to what they are, for X to solve
//! the system.
//!
//! Source: J. L. Rigal and J. Gaches, J. ACM 14, 1967 (normwise); W. Oettli and W. Prager, Numer. Math. 6, 1964, by way of LAPACK's
//! `?GERFS` (componentwise). The factors have taken the place of A, so its file is read again: no rank has memory for both.

use recfact::Transpose;

use crate::bands::{self, Bands};
use crate::element::Scalar;
use crate::failure::Failure;
use crate::file::Input;
use crate::matrix::{Layout, Matrix, zeros};
use crate::process_grid::Grid;
use crate::progress::Progress;

/// R and |op(A)| |X| + |B|, each as large as X.
pub struct Residual<T> {
    pub r: Matrix<T>,
    magnitudes: Matrix<T>,
    /// The 1-norm of A.
    pub anorm: T,
    /// |R| / (|op(A)| |X| + |B|) of all columns together. It is at most as large as [the componentwise one](Self::backward_error), and does
    /// not see small elements.
    pub normwise_error: f64,
}

impl<T: Scalar> Residual<T> {
    /// Computes it.
    ///
    /// # Errors
    /// If a file cannot be read again, or if a rank gets no memory.
    pub fn of(
        grid: &Grid<'_, T>,
        [a, b]: [&Input; 2],
        trans: Transpose,
        x: &Matrix<T>,
        progress: &Progress,
    ) -> Result<Self, Failure> {
        let like_x = || grid.team.agree(Matrix::zeros(x.layout.clone()));
        let (mut r, mut magnitudes, mut x_magnitudes) = (like_x()?, like_x()?, like_x()?);
        // R = B
        bands::read(grid, b, &mut r, progress)?;
        let copy_magnitudes = |to: &mut Matrix<T>, from: &Matrix<T>| {
            to.local.iter_mut().zip(&from.local).for_each(|(to, from)| *to = from.abs());
        };
        copy_magnitudes(&mut magnitudes, &r);
        copy_magnitudes(&mut x_magnitudes, x);
        let [of_b, of_x] = [&magnitudes, &x_magnitudes].map(|a| norm(grid, trans, a));

        let by_rows = a.is_by_rows();
        let mut bands = grid.team.agree(Bands::new(grid, [a.m, a.n], by_rows))?;
        let mut piece = grid.team.agree(Matrix::zeros(piece(grid, &bands.band.layout, by_rows)))?;
        let mut sums = grid.team.agree(zeros(a.n))?;
        bands.read_all(grid, a, |band, first, count| {
            let size = if by_rows { [count, a.n] } else { [a.m, count] };
            grid.redistribute(size, band, [0; 2], &mut piece, [0; 2]);
            // Columns of op(A) meet rows of X; its rows give rows of R.
            let is_sum = by_rows == (trans != Transpose::No);
            let (of_x, of_r) = if is_sum { (first, 0) } else { (0, first) };
            // R <- R - op(A) X
            grid.gemm((trans, -1.0), (&piece, size), (x, of_x), (&mut r, of_r));
            piece.local.iter_mut().for_each(|x| *x = x.abs());
            grid.gemm((trans, 1.0), (&piece, size), (&x_magnitudes, of_x), (&mut magnitudes, of_r));
            add_columns(&mut sums[if by_rows { 0 } else { first }..], &piece, size);
            progress.remind();
        })?;
        grid.sum(&mut sums);
        let anorm = sums.into_iter().fold(T::ZERO, |most, sum| if sum > most { sum } else { most });
        let of_r = norm(grid, trans, &r);
        let normwise_error = if of_r == 0.0 { 0.0 } else { of_r / (anorm.to_f64() * of_x + of_b) };
        Ok(Residual { r, magnitudes, anorm, normwise_error })
    }

    /// The largest componentwise backward error of a column. A sum of magnitudes near the smallest numbers is made larger, as LAPACK does.
    pub fn backward_error(&self, grid: &Grid<'_, T>) -> f64 {
        let safe1 = (self.r.layout.m + 1) as f64 * T::SAFE_MIN.to_f64();
        let safe2 = safe1 / T::PRECISION.to_f64();
        let quotients = self.r.local.iter().zip(&self.magnitudes.local).map(|(r, sum)| {
            let (r, sum): (f64, f64) = (r.abs().to_f64(), sum.to_f64());
            if sum > safe2 { r / sum } else { (r + safe1) / (sum + safe1) }
        });
        let own = if self.r.layout.len() == 0 { 0.0 } else { quotients.fold(0.0, largest) };
        grid.team.max(own)
    }
}

/// How the bands of a round lie on the grid: every rank has about as much as its band.
fn piece<T: Scalar>(grid: &Grid<'_, T>, bands: &Layout, by_rows: bool) -> Layout {
    let share = |lines: usize, ranks: u32| lines.div_ceil(ranks as usize);
    let block = if by_rows {
        [share(bands.m, grid.shape.rows), grid.block]
    } else {
        [grid.block, share(bands.n, grid.shape.columns)]
    };
    grid.layout([bands.m, bands.n], block)
}

/// The norm of X, B or R in which |op(A) X| is at most |A| |X|, for the 1-norm of A: the sum of all magnitudes, or with A^T the largest one.
fn norm<T: Scalar>(grid: &Grid<'_, T>, trans: Transpose, a: &Matrix<T>) -> f64 {
    let magnitudes = a.local[..a.layout.len()].iter().map(|x| x.abs().to_f64());
    if trans != Transpose::No {
        return grid.team.max(magnitudes.fold(0.0, largest));
    }
    let mut sum = [T::from_f64(magnitudes.sum())];
    grid.sum(&mut sum);
    sum[0].to_f64()
}

/// Adds the elements of each column, of the `m` by `n` in the piece, to its sum.
fn add_columns<T: Scalar>(sums: &mut [T], piece: &Matrix<T>, [m, n]: [usize; 2]) {
    let layout = &piece.layout;
    let rows = (0..layout.rows_here).take_while(|&i| layout.row(i) < m).count();
    for j in (0..layout.columns_here).take_while(|&j| layout.column(j) < n) {
        let sum = &mut sums[layout.column(j)];
        *sum = piece.local[j * layout.rows_here..][..rows].iter().fold(*sum, |sum, x| sum.add(*x));
    }
}

/// The larger number; an overflow, which gives a NaN, is as bad as it can be.
fn largest(a: f64, b: f64) -> f64 {
    if b.is_nan() { f64::INFINITY } else { a.max(b) }
}
