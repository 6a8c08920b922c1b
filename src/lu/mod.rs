//! P A = L U in place, by recursive blocks.
//!
//! Source: S. Toledo, "Locality of reference in LU decomposition with partial pivoting", SIAM J. Matrix Anal. Appl.
//! 18(4), 1997; the meaning of `ipiv` and `info` is that of LAPACK's `DGETRF`.

mod blocked;
mod owned;
mod packed;
mod recursion;
mod solve;
mod swaps;

#[cfg(test)]
mod tests;

pub(crate) use blocked::Blocking;
pub use owned::Lu;
pub(crate) use owned::{check_info, check_pivots};
pub(crate) use recursion::{Pivoting, Problem};
pub use solve::{Transpose, solve};
pub(crate) use swaps::permutation;

use crate::error::Error;
use crate::matrix::MatrixMut;
use crate::real::Real;
use crate::team;

/// How to factor.
///
/// ```
/// use recfact::Options;
///
/// let options = Options { pivoting: false, ..Options::default() };
/// assert_eq!(options.threads, 1);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Options {
    /// Partial pivoting (the default), or none: `ipiv` is then 1, 2, .. and a zero pivot gives a negative `info`.
    pub pivoting: bool,
    /// How many threads the factorization may use: at least one is used, and no more than there are processors. The
    /// result does not depend on it, to the bit. Helper threads belong to the thread that calls, sleep between its
    /// calls, and end with it.
    pub threads: usize,
}

impl Default for Options {
    fn default() -> Self {
        Options { pivoting: true, threads: 1 }
    }
}

/// Factors `a` (m x n, column-major) in place: P A = L U.
///
/// On return `a` holds U on and above its diagonal and L below it (the ones on L's diagonal are not stored), and
/// the first `min(m, n)` elements of `ipiv` hold LAPACK's 1-based sequential row swaps: for i = 1, 2, .. row i was
/// swapped with row `ipiv[i]`. What stands between the columns, where the leading dimension is larger than m, is
/// neither read nor written.
///
/// Returns `info`: 0, or k > 0 where U(k,k) is exactly zero (the first such k; without pivoting it is -k). The
/// factorization is complete in every case. Empty matrices are legal.
///
/// The pivot of a column is the element of the largest magnitude; of equal ones the first; a NaN is never larger
/// than another. Bits of the result depend on nothing but the input: each element takes one fused multiply-subtract
/// for each k, in rising k. (Which NaN a NaN is, its sign and payload, is not promised.)
///
/// # Errors
/// [`Error::IpivLength`] if `ipiv` is shorter than `min(m, n)`, [`Error::InstructionSet`]; nothing has been written then.
///
/// # Examples
/// ```
/// use nalgebra::DMatrix;
/// use recfact::{factor, Options};
///
/// let mut a = DMatrix::from_row_slice(2, 2, &[4.0, 3.0, 6.0, 3.0]);
/// let mut ipiv = [0; 2];
/// let info = factor(&mut a, &mut ipiv, &Options::default())?;
/// assert_eq!(info, 0);
/// assert_eq!(ipiv, [2, 2]);
/// assert_eq!(a, DMatrix::from_row_slice(2, 2, &[6.0, 3.0, 4.0 / 6.0, 1.0]));
/// # Ok::<(), recfact::Error>(())
/// ```
///
/// A slice with a leading dimension, or a part of a nalgebra matrix:
/// ```
/// use nalgebra::DMatrix;
/// use recfact::{factor, MatrixMut, Options};
///
/// let mut ipiv = [0; 2];
/// let mut data = [4.0_f32, 6.0, -1.0, 3.0, 3.0];
/// factor(MatrixMut::from_slice(&mut data, 2, 2, 3)?, &mut ipiv, &Options::default())?;
/// assert_eq!(data[2], -1.0);
///
/// let mut big = DMatrix::<f64>::identity(5, 5);
/// factor(big.view_mut((1, 2), (3, 2)), &mut ipiv, &Options::default())?;
/// assert_eq!(ipiv, [2, 3]);
/// # Ok::<(), recfact::Error>(())
/// ```
pub fn factor<'a, T: Real>(a: impl Into<MatrixMut<'a, T>>, ipiv: &mut [i64], options: &Options) -> Result<i64, Error> {
    let a = a.into();
    let found = ipiv.len();
    let expected = a.nrows().min(a.ncols());
    let ipiv = ipiv.get_mut(..expected).ok_or(Error::IpivLength { expected, found })?;
    let pivoting = if options.pivoting { Pivoting::Partial } else { Pivoting::None };
    let kernels = T::kernels_in_use()?;
    let blocking = Blocking::choose(a.nrows(), a.ncols(), options.threads.min(team::cores()), kernels);
    Ok(Problem { kernels, pivoting, blocking }.factor(a, ipiv))
}
