//! Entry points of the factorization: they check the arguments, and choose blocks or the recursion.

use super::blocked::{self, Blocking};
use super::ipiv::laswp;
use super::monitor::{Monitor, flops};
use super::recursion::Recursion;
use super::tall;
use crate::blas::{gemm, scratch, trsm};
use crate::element::{Element, kernels};
use crate::error::Error;
use crate::kernel::{Isa, Kernels};
use crate::matrix::MatrixMut;
use crate::options::Options;
#[cfg(feature = "internals")]
use crate::pivoting::Pivoting;
use crate::team;

/// Factors `a` (m x n, column-major) in place: P A = L U.
///
/// On return `a` holds U on and above its diagonal and L below it (the ones on L's diagonal are not stored), and
/// the first `min(m, n)` elements of `ipiv` hold LAPACK's 1-based sequential row swaps: for i = 1, 2, .. row i was
/// swapped with row `ipiv[i]`. If the leading dimension is larger than m, the padding between the columns is neither
/// read nor written.
///
/// Returns `info`: 0, or k > 0 if U(k,k) is exactly zero (the first such k; without pivoting it is -k). The
/// factorization is complete in every case. Empty matrices are legal.
///
/// The pivot of a column is the element of the largest magnitude; of equal magnitudes the first. A NaN is never larger
/// than another element. The bits of the result depend on nothing but the input: each element takes one fused
/// multiply-subtract for each k, in rising k. (Which NaN a NaN is, its sign and payload, is not specified.) If the system
/// refuses scratch memory, the factorization only takes longer.
///
/// An `info` of 0 does not say that the matrix is far from a singular one: rounding leaves a tiny number where an exact
/// computation would have had a zero.
///
/// # Errors
/// [`Error::IpivLength`] if `ipiv` is shorter than `min(m, n)`; [`Error::InstructionSet`] and [`Error::IsaUnavailable`].
/// After an error nothing has been written.
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
pub fn factor<'a, T: Element>(
    a: impl Into<MatrixMut<'a, T>>,
    ipiv: &mut [i64],
    options: &Options,
) -> Result<i64, Error> {
    factor_with(a.into(), ipiv, options, None)
}

/// [`factor`] that somebody may watch and cancel.
///
/// # Errors
/// [`Error::Cancelled`]; those of [`factor`].
pub(crate) fn factor_with<T: Element>(
    a: MatrixMut<'_, T>,
    ipiv: &mut [i64],
    options: &Options,
    monitor: Option<&Monitor>,
) -> Result<i64, Error> {
    let found = ipiv.len();
    let expected = a.nrows().min(a.ncols());
    let ipiv = ipiv.get_mut(..expected).ok_or(Error::IpivLength { expected, found })?;
    let recursion =
        Recursion { kernels: kernels_to_factor(a.nrows(), options)?, pivoting: options.pivoting, monitor, crew: None };
    let threads = options.threads.min(team::cores());
    let cut = Cut::choose(a.nrows(), a.ncols(), threads, recursion.kernels);
    let info = factor_cut(&recursion, a, ipiv, cut);
    Monitor::check(monitor).map(|()| info)
}

/// Ends the helper threads of the calling thread and frees its scratch memory, as the end of the thread does. Its next
/// call gets new ones.
pub fn release() {
    team::release();
    scratch::release();
}

/// The kernels of the instruction set that the options name, or of the one that the process uses.
pub(super) fn kernels_for<T: Element>(options: &Options) -> Result<&'static Kernels<T>, Error> {
    kernels(options.isa.map_or_else(Isa::in_use, Ok)?)
}

/// The kernels to factor a matrix of m rows with.
pub(super) fn kernels_to_factor<T: Element>(m: usize, options: &Options) -> Result<&'static Kernels<T>, Error> {
    kernels(options.isa.map_or_else(|| Isa::for_rows(m, size_of::<T>()), Ok)?)
}

/// [`factor`] by these kernels.
#[cfg(feature = "internals")]
pub(crate) fn factor_by<T: Element>(
    kernels: &Kernels<T>,
    a: MatrixMut<'_, T>,
    ipiv: &mut [i64],
    threads: usize,
) -> i64 {
    let recursion = Recursion { kernels, pivoting: Pivoting::Partial, monitor: None, crew: None };
    let cut = Cut::choose(a.nrows(), a.ncols(), threads, kernels);
    factor_cut(&recursion, a, ipiv, cut)
}

/// How a matrix is cut, for the caches or for threads.
#[derive(Debug, Clone, Copy)]
pub(super) enum Cut {
    /// By the recursion alone, on one thread.
    Whole,
    /// By blocks of columns.
    Blocks(Blocking),
    /// By the recursion, on a crew of this many threads.
    Rows(usize),
}

impl Cut {
    /// For an `m` by `n` matrix and up to `threads` threads.
    pub(super) fn choose<T: Element>(m: usize, n: usize, threads: usize, kernels: &Kernels<T>) -> Self {
        let threads = if kernels.tuning.blocks.is_worth_helpers(m, n) { threads } else { 1 };
        if threads > 1 && tall::is_tall(m, n, kernels) {
            return Cut::Rows(threads);
        }
        Blocking::choose(m, n, threads, kernels).map_or(Cut::Whole, Cut::Blocks)
    }
}

/// P A = L U, cut like this; by the recursion alone if the system refuses memory for blocks.
pub(super) fn factor_cut<T: Element>(
    recursion: &Recursion<'_, T>,
    mut a: MatrixMut<'_, T>,
    ipiv: &mut [i64],
    cut: Cut,
) -> i64 {
    if ipiv.is_empty() {
        return 0;
    }
    let (m, n) = (a.nrows(), a.ncols());
    let first_zero = match cut {
        Cut::Whole => None,
        Cut::Blocks(blocking) => blocked::factor(recursion, a.reborrow(), ipiv, blocking),
        Cut::Rows(threads) => {
            let mut first_zero = None;
            team::with_crew(threads, flops(m, n), &mut |crew| {
                first_zero = Some(Recursion { crew: Some(crew), ..*recursion }.factor(a.reborrow(), ipiv));
            });
            first_zero
        }
    };
    recursion.info(first_zero.unwrap_or_else(|| recursion.factor(a, ipiv)))
}

/// [`factor`] for a caller that has no memory for `min(m, n)` pivots of 64 bits: 32 columns at a time, which is slower.
/// `store` receives each pivot with its index, counted from 0.
///
/// Returns `info`.
#[doc(hidden)]
#[cold]
pub fn factor_in_steps<T: Element>(
    mut a: MatrixMut<'_, T>,
    store: &mut dyn FnMut(usize, i64),
    options: &Options,
) -> Result<i64, Error> {
    const STEP: usize = 32;
    let (m, n) = (a.nrows(), a.ncols());
    let kernels = kernels_to_factor(m, options)?;
    let recursion = Recursion { kernels, pivoting: options.pivoting, monitor: None, crew: None };
    let k = m.min(n);
    let mut info = 0;
    for j in (0..k).step_by(STEP) {
        let w = STEP.min(k - j);
        let mut ipiv = [0; STEP];
        let ipiv = &mut ipiv[..w];
        let (mut left, rest) = a.reborrow().split_at_col(j);
        let (panel, right) = rest.split_at_row(j).1.split_at_col(w);
        let mut panel = panel;
        // [A11; A21] = P1^T [L11; L21] U11
        let first_zero = recursion.factor(panel.reborrow(), ipiv);
        if first_zero > 0 && info == 0 {
            info = j + first_zero;
        }
        // L to the left <- P1 L, and [A12; A22] <- P1 [A12; A22]
        laswp(left.reborrow().split_at_row(j).1, ipiv);
        let mut right = right;
        laswp(right.reborrow(), ipiv);
        // A12 <- L11^-1 A12; A22 <- A22 - L21 A12
        let (mut a12, a22) = right.split_at_row(w);
        let l = panel.as_ref();
        trsm(l.block(0, 0, w, w), a12.reborrow(), recursion.kernels);
        gemm(l.block(w, 0, m - j - w, w), a12.as_ref(), a22, recursion.kernels);
        ipiv.iter().enumerate().for_each(|(i, &row)| store(j + i, row + j as i64));
    }
    Ok(recursion.info(info))
}
