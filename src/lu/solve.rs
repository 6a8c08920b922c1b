//! Linear systems from the factors of their matrix (LAPACK: `DGETRS`).

use super::factor::kernels_for;
use super::ipiv::{check_rows, laswp, laswp_back};
use super::monitor::{Monitor, solve_flops};
use super::strips::for_strips;
use crate::blas::{self, Triangle};
use crate::element::Element;
use crate::error::Error;
use crate::kernel::Kernels;
use crate::matrix::{MatrixMut, MatrixRef};
use crate::options::{Options, Transpose};
use crate::team;

/// Solves A X = B or A^T X = B in place, from the factors that [`crate::factor`] left in `lu` (n x n) and `ipiv`: B is
/// n x (any number) and becomes X.
///
/// If U has a zero on its diagonal, X has infinities and NaN. The bits of a column of X depend on nothing but the
/// factors and that column of B. If the system refuses scratch memory, the solve only takes longer.
///
/// # Errors
/// [`Error::NotSquare`]; [`Error::RightHandSide`]; [`Error::IpivLength`]; [`Error::Pivot`] if `ipiv` names a row outside the
/// matrix; [`Error::InstructionSet`] and [`Error::IsaUnavailable`]. After an error nothing has been written.
///
/// # Examples
/// ```
/// use nalgebra::DMatrix;
/// use recfact::{factor, solve, Options, Transpose};
///
/// let mut a = DMatrix::from_row_slice(2, 2, &[4.0, 3.0, 6.0, 3.0]);
/// let mut ipiv = [0; 2];
/// factor(&mut a, &mut ipiv, &Options::default())?;
/// let mut x = DMatrix::from_row_slice(2, 1, &[10.0, 12.0]);
/// solve(Transpose::No, &a, &ipiv, &mut x, &Options::default())?;
/// assert!((x - DMatrix::from_row_slice(2, 1, &[1.0, 2.0])).amax() < 1e-15);
/// # Ok::<(), recfact::Error>(())
/// ```
pub fn solve<'a, 'b, T: Element>(
    transpose: Transpose,
    lu: impl Into<MatrixRef<'a, T>>,
    ipiv: &[i64],
    b: impl Into<MatrixMut<'b, T>>,
    options: &Options,
) -> Result<(), Error> {
    solve_with(transpose, lu.into(), ipiv, b.into(), options, None)
}

/// [`solve`] that somebody may watch and cancel.
///
/// # Errors
/// [`Error::Cancelled`]: B holds anything then; those of [`solve`].
pub(crate) fn solve_with<T: Element>(
    transpose: Transpose,
    lu: MatrixRef<'_, T>,
    ipiv: &[i64],
    b: MatrixMut<'_, T>,
    options: &Options,
    monitor: Option<&Monitor>,
) -> Result<(), Error> {
    check_right_hand_sides(lu, b.nrows())?;
    check_factors(lu, ipiv)?;
    System { transpose, lu, ipiv, kernels: kernels_for(options)? }.solve_watched(b, options.threads, monitor);
    Monitor::check(monitor)
}

/// [`solve`] without row swaps, for a caller that has `ipiv` in another form and swaps the rows itself: before this call for
/// A X = B, after it for A^T X = B.
#[doc(hidden)]
pub fn solve_triangles<T: Element>(
    transpose: Transpose,
    lu: MatrixRef<'_, T>,
    b: MatrixMut<'_, T>,
    options: &Options,
) -> Result<(), Error> {
    check_right_hand_sides(lu, b.nrows())?;
    System { transpose, lu, ipiv: &[], kernels: kernels_for(options)? }.solve(b, options.threads);
    Ok(())
}

/// Checks that A is square, and that `ipiv` names rows of it. Returns its order.
pub(super) fn check_factors<T: Element>(lu: MatrixRef<'_, T>, ipiv: &[i64]) -> Result<usize, Error> {
    let (m, n) = (lu.nrows(), lu.ncols());
    if m != n {
        return Err(Error::NotSquare { m, n });
    }
    check_rows(ipiv, n).map(|()| n)
}

/// Checks that A is square, and that B has as many rows. Returns their number.
pub(super) fn check_right_hand_sides<T: Element>(a: MatrixRef<'_, T>, found: usize) -> Result<usize, Error> {
    let (m, n) = (a.nrows(), a.ncols());
    if m != n {
        return Err(Error::NotSquare { m, n });
    }
    if found != n {
        return Err(Error::RightHandSide { expected: n, found });
    }
    Ok(n)
}

/// Columns that one thread solves before it looks whether it is to go on.
const WATCHED_COLUMNS: usize = 512;

/// A system whose sizes and pivots have been checked.
pub(super) struct System<'a, T: Element> {
    pub(super) transpose: Transpose,
    pub(super) lu: MatrixRef<'a, T>,
    pub(super) ipiv: &'a [i64],
    pub(super) kernels: &'a Kernels<T>,
}

impl<T: Element> System<'_, T> {
    /// The same matrix, transposed if it was not.
    pub(super) fn flipped(&self) -> Self {
        let transpose = if self.transpose.is_transposed() { Transpose::No } else { Transpose::Yes };
        System { transpose, ..*self }
    }

    /// The inverse of the matrix of the system, n x n, as the solution for the identity.
    ///
    /// # Panics
    /// If there are fewer than n^2 elements of memory.
    pub(super) fn inverse<'m>(&self, memory: &'m mut [T]) -> MatrixMut<'m, T> {
        let n = self.lu.nrows();
        let memory = &mut memory[..n * n];
        memory.fill(T::ZERO);
        memory.iter_mut().step_by(n + 1).for_each(|x| *x = T::ONE);
        let mut x = MatrixMut::in_memory(memory, n, n, n);
        self.solve(x.reborrow(), 1);
        x
    }

    /// Solves it for all columns of B, on up to `threads` threads.
    pub(super) fn solve(&self, b: MatrixMut<'_, T>, threads: usize) {
        self.solve_watched(b, threads, None);
    }

    /// The same; if it is cancelled, B holds anything.
    #[inline(never)] // one copy is enough
    pub(super) fn solve_watched(&self, b: MatrixMut<'_, T>, threads: usize, monitor: Option<&Monitor>) {
        if self.lu.nrows() == 0 {
            // There is nothing to solve, however many columns B has.
            return;
        }
        let columns_per_thread = self.kernels.tuning.solve.columns_per_thread;
        let threads = threads.min(team::cores()).min(b.ncols().div_ceil(columns_per_thread));
        if threads <= 1 && monitor.is_none() {
            return self.solve_columns(b);
        }
        let width = if threads > 1 { columns_per_thread } else { WATCHED_COLUMNS };
        let flops = solve_flops(b.nrows(), b.ncols());
        for_strips(b, width, (threads, flops), monitor, &|_, columns| {
            let flops = solve_flops(columns.nrows(), columns.ncols());
            self.solve_columns(columns);
            monitor.inspect(|monitor| monitor.count(flops));
        });
    }

    fn solve_columns(&self, mut b: MatrixMut<'_, T>) {
        let Self { ipiv, kernels, .. } = *self;
        let transposed = self.transpose.is_transposed();
        let (l, u) = (Triangle::lower(self.lu, transposed), Triangle::upper(self.lu, transposed));
        // X <- P^T L^-T U^-T B, or X <- U^-1 L^-1 P B
        let triangles = if transposed { [u, l] } else { [l, u] };
        let swaps = (0..ipiv.len()).map(|step| {
            let i = if transposed { ipiv.len() - 1 - step } else { step };
            (i, ipiv[i] as usize - 1)
        });
        let by_rows = blas::by_rows(b.reborrow(), transposed, kernels, &mut |x| {
            if !transposed {
                x.swap(swaps.clone());
            }
            triangles.iter().for_each(|triangle| triangle.solve_rows(x, kernels));
            if transposed {
                x.swap(swaps.clone());
            }
        });
        if by_rows.is_some() {
            return;
        }
        if !transposed {
            laswp(b.reborrow(), ipiv);
        }
        triangles.iter().for_each(|triangle| triangle.solve_columns(b.reborrow(), kernels));
        if transposed {
            laswp_back(b, ipiv);
        }
    }
}
