//! The factorization of a matrix that stands somewhere else: it is checked, copied or transposed, then factored in place.

use super::factor::{factor_with, kernels_for};
use super::monitor::Monitor;
use crate::blas::transpose;
use crate::element::Element;
use crate::error::Error;
use crate::kernel::{Elements, Kernels};
use crate::matrix::{Layout, MatrixMut, MatrixRef};
use crate::options::Options;

/// A matrix that is to be factored.
#[derive(Debug, Clone, Copy)]
pub struct Source<'a, T> {
    /// The matrix; if it is row-major its transpose, which is the same memory read as column-major.
    pub view: MatrixRef<'a, T>,
    /// How it lies in memory.
    pub layout: Layout,
    /// Whether all of its elements must be finite.
    pub must_be_finite: bool,
}

/// [`factor`](super::factor()) at another place: `lu`, `m` by `n`, receives the factors of A.
///
/// # Errors
/// [`Error::NotFinite`], if that is to be checked; then nothing has been written. Those of [`factor`](super::factor()), and
/// [`Error::Cancelled`].
///
/// # Panics
/// If `lu` has another shape than A.
pub fn factor_out_of_place<T: Element>(
    a: &Source<'_, T>,
    mut lu: MatrixMut<'_, T>,
    ipiv: &mut [i64],
    options: &Options,
    monitor: Option<&Monitor>,
) -> Result<i64, Error> {
    let kernels = kernels_for::<T>(options)?;
    let (m, n) = (lu.nrows(), lu.ncols());
    let (expected, found) = (m.min(n), ipiv.len());
    if found < expected {
        return Err(Error::IpivLength { expected, found });
    }
    if a.must_be_finite {
        finite(a.view, kernels)?;
    }
    match a.layout {
        Layout::ColumnMajor => lu.copy_from(a.view),
        Layout::RowMajor => transpose(a.view, lu.reborrow()),
    }
    factor_with(lu, ipiv, options, monitor)
}

/// Checks that all elements are finite.
///
/// # Errors
/// [`Error::NotFinite`]; [`Error::InstructionSet`] and [`Error::IsaUnavailable`].
#[cfg(any(feature = "cli", test))]
pub(crate) fn check_finite<T: Element>(a: MatrixRef<'_, T>, options: &Options) -> Result<(), Error> {
    finite(a, kernels_for(options)?)
}

fn finite<T: Element>(a: MatrixRef<'_, T>, kernels: &Kernels<T>) -> Result<(), Error> {
    // SAFETY: each run lies in the view.
    let is_finite = |(x, len)| unsafe { (kernels.all_finite)(Elements { len, x }) };
    if a.runs().all(is_finite) { Ok(()) } else { Err(Error::NotFinite) }
}
