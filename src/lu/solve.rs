//! Linear systems from the factors of their matrix (LAPACK: `DGETRS`).

use std::sync::{Mutex, PoisonError};

use super::swaps::{are_rows, laswp, laswp_back};
use crate::blas::Triangle;
use crate::error::Error;
use crate::kernel::Kernels;
use crate::matrix::{MatrixMut, MatrixRef};
use crate::real::Real;
use crate::team;

/// Columns of B that a thread takes at once, a multiple of every tile's.
const COLUMNS: usize = 96;

/// Which system is solved.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Transpose {
    /// A X = B.
    No,
    /// A^T X = B.
    Yes,
}

/// Solves A X = B or A^T X = B in place, from the factors that [`crate::factor`] left in `lu` (n x n) and `ipiv`: B is
/// n x (any number) and becomes X.
///
/// Where U has a zero on its diagonal, X has infinities and NaN. The bits of a column of X depend on nothing but the
/// factors and that column of B, on up to so many `threads`.
///
/// # Errors
/// [`Error::NotSquare`]; [`Error::RightHandSide`]; [`Error::IpivLength`]; [`Error::Pivot`] where `ipiv` names a row that A
/// has not; [`Error::InstructionSet`]. Nothing has been written then.
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
/// solve(Transpose::No, &a, &ipiv, &mut x, 1)?;
/// assert!((x - DMatrix::from_row_slice(2, 1, &[1.0, 2.0])).amax() < 1e-15);
/// # Ok::<(), recfact::Error>(())
/// ```
pub fn solve<'a, 'b, T: Real>(
    transpose: Transpose,
    lu: impl Into<MatrixRef<'a, T>>,
    ipiv: &[i64],
    b: impl Into<MatrixMut<'b, T>>,
    threads: usize,
) -> Result<(), Error> {
    let (lu, b) = (lu.into(), b.into());
    let n = lu.nrows();
    if lu.ncols() != n {
        return Err(Error::NotSquare { m: n, n: lu.ncols() });
    }
    if b.nrows() != n {
        return Err(Error::RightHandSide { expected: n, found: b.nrows() });
    }
    if ipiv.len() != n {
        return Err(Error::IpivLength { expected: n, found: ipiv.len() });
    }
    if let Some(i) = (0..n).find(|&i| !are_rows(&ipiv[i..=i], n)) {
        return Err(Error::Pivot { index: i + 1, row: ipiv[i], m: n });
    }
    if n == 0 {
        // However many columns.
        return Ok(());
    }
    System { transpose, lu, ipiv, kernels: T::kernels_in_use()? }.solve(b, threads);
    Ok(())
}

/// A system whose parts fit each other.
pub(super) struct System<'a, T: Real> {
    pub(super) transpose: Transpose,
    pub(super) lu: MatrixRef<'a, T>,
    pub(super) ipiv: &'a [i64],
    pub(super) kernels: &'a Kernels<T>,
}

impl<T: Real> System<'_, T> {
    /// Solves it for all columns of B, by up to so many threads.
    pub(super) fn solve(&self, b: MatrixMut<'_, T>, threads: usize) {
        let threads = threads.min(team::cores()).min(b.ncols().div_ceil(COLUMNS));
        if threads <= 1 {
            return self.solve_columns(b);
        }
        let rest = Mutex::new(Some(b));
        let next = || {
            let mut rest = rest.lock().unwrap_or_else(PoisonError::into_inner);
            let b = rest.take()?;
            let at = COLUMNS.min(b.ncols());
            let (columns, later) = b.split_at_col(at);
            *rest = (later.ncols() > 0).then_some(later);
            Some(columns)
        };
        team::run(threads, &|| std::iter::from_fn(next).for_each(|columns| self.solve_columns(columns)));
    }

    fn solve_columns(&self, mut b: MatrixMut<'_, T>) {
        let transposed = self.transpose == Transpose::Yes;
        let (l, u) = (Triangle::lower(self.lu, transposed), Triangle::upper(self.lu, transposed));
        match self.transpose {
            Transpose::No => {
                // X <- U^-1 L^-1 P B
                laswp(b.reborrow(), self.ipiv);
                l.solve(b.reborrow(), self.kernels);
                u.solve(b, self.kernels);
            }
            Transpose::Yes => {
                // X <- P^T L^-T U^-T B
                u.solve(b.reborrow(), self.kernels);
                l.solve(b.reborrow(), self.kernels);
                laswp_back(b, self.ipiv);
            }
        }
    }
}
