//! The inverse from the factors, in place of them (LAPACK: `DGETRI`), with scratch memory for some rows.
//!
//! X = U^-1 L^-1 P has n columns that are solutions like all others, and each of its elements takes the operations of
//! [`solve`](super::solve::solve) in the same order. So the bits are those of a solve with the identity. Only what changes
//! nothing is left out: L^-1 is zero above its diagonal.
//!
//! Both triangles T, L and then U, go by blocks of rows. Those of T are saved, and rows of the result take their place:
//!
//! ```text
//!         +-----------+
//!         |    X1     |   rows that are solved
//!         +-----------+
//!         |    X2     |   a block of rows: X2 <- T22^-1 (X2 - T21 X1), with [T21 T22] saved
//!         +-----------+
//!         |           |   rows to come, which still hold T
//!         +-----------+
//! ```
//!
//! `DGETRI` computes U^-1 first, and then multiplies by L^-1 from the right: those are other operations.

mod inversion;
mod lower;
mod saved;
mod upper;

pub(super) use inversion::Blocks;
use inversion::Inversion;

use super::factor::kernels_for;
use super::ipiv::check_rows;
use super::monitor::Monitor;
use super::solve::{System, check_factors};
use crate::blas::scratch;
use crate::element::Element;
use crate::error::Error;
use crate::kernel::{Elements, INVERSE_BYTES, Kernels};
use crate::matrix::MatrixMut;
use crate::options::{Options, Transpose};
use crate::team;

/// The largest order for which a row is on the stack if the system refuses memory for it: 64 KiB of `f64`.
const MAX_STACK_ORDER: usize = 8 << 10;

/// A^-1 in place of the factors that [`crate::factor`] left in `lu` (n x n) and `ipiv` (LAPACK: `DGETRI`).
///
/// Returns `info`: 0, or k > 0 if U(k,k) is exactly zero (the first such k); then A has no inverse, and nothing has been
/// written.
///
/// The bits are those of the X with A X = I that [`crate::solve`] computes, which takes half as many operations again and a
/// second matrix. If the system refuses scratch memory, of up to 200 rows, the inversion only takes longer.
///
/// # Errors
/// [`Error::NotSquare`]; [`Error::IpivLength`]; [`Error::Pivot`] if `ipiv` names a row outside the matrix;
/// [`Error::OutOfMemory`] if n > 8192 and the system refuses memory even for one row; [`Error::InstructionSet`] and
/// [`Error::IsaUnavailable`]. After an error nothing has been written.
///
/// # Examples
/// ```
/// use nalgebra::DMatrix;
/// use recfact::{factor, inverse, Options};
///
/// let mut a = DMatrix::from_row_slice(2, 2, &[4.0, 3.0, 6.0, 4.0]);
/// let mut ipiv = [0; 2];
/// factor(&mut a, &mut ipiv, &Options::default())?;
/// assert_eq!(inverse(&mut a, &ipiv, &Options::default())?, 0);
/// assert!((a - DMatrix::from_row_slice(2, 2, &[-2.0, 1.5, 3.0, -2.0])).amax() < 1e-14);
/// # Ok::<(), recfact::Error>(())
/// ```
pub fn inverse<'a, T: Element>(lu: impl Into<MatrixMut<'a, T>>, ipiv: &[i64], options: &Options) -> Result<i64, Error> {
    inverse_with(lu.into(), ipiv, options, None)
}

/// [`inverse`] that somebody may watch and cancel.
///
/// # Errors
/// [`Error::Cancelled`]: A holds anything then; those of [`inverse`].
pub(crate) fn inverse_with<T: Element>(
    mut lu: MatrixMut<'_, T>,
    ipiv: &[i64],
    options: &Options,
    monitor: Option<&Monitor>,
) -> Result<i64, Error> {
    let n = check_factors(lu.as_ref(), ipiv)?;
    let kernels = kernels_for(options)?;
    if let Some(k) = (0..n).find(|&k| lu.col_mut(k)[k] == T::ZERO) {
        return Ok(k as i64 + 1);
    }
    let bytes = Blocks::by_rows(n).memory() * size_of::<T>();
    invert(lu, ipiv, kernels, options.threads, monitor).ok_or(Error::OutOfMemory { bytes })?;
    Monitor::check(monitor).map(|()| 0)
}

/// A <- A^-1, where A holds factors, on up to `threads` threads. `None` if the system refuses memory for a row, and the stack
/// has none for it: then nothing has been written.
#[inline(never)] // one copy is enough
pub(super) fn invert<T: Element>(
    mut lu: MatrixMut<'_, T>,
    ipiv: &[i64],
    kernels: &Kernels<T>,
    threads: usize,
    monitor: Option<&Monitor>,
) -> Option<()> {
    let n = lu.ncols();
    if n * size_of::<T>() < INVERSE_BYTES && solve_identity(lu.reborrow(), ipiv, kernels).is_some() {
        return Some(());
    }
    let mut run =
        |blocks, memory: &mut [T]| invert_by(blocks, lu.reborrow(), ipiv, kernels, (threads, monitor), memory);
    let (blocks, rows) = (Blocks::choose(n, kernels), Blocks::by_rows(n));
    let needed = rows.memory();
    scratch::with(blocks.memory(), |memory| run(blocks, memory))
        .or_else(|| scratch::with(needed, |memory| run(rows, memory)))
        .or_else(|| (n <= MAX_STACK_ORDER).then(|| with_row(|memory| run(rows, memory))))
}

/// A <- A^-1, as the solution for the identity in scratch memory. `None` if the system refuses it.
fn solve_identity<T: Element>(mut lu: MatrixMut<'_, T>, ipiv: &[i64], kernels: &Kernels<T>) -> Option<()> {
    let n = lu.ncols();
    scratch::with(n * n, |memory| {
        let x = System { transpose: Transpose::No, lu: lu.as_ref(), ipiv, kernels }.inverse(memory);
        lu.copy_from(x.as_ref());
    })
}

/// Calls `f` with memory for a row on the stack.
#[cold]
#[inline(never)]
fn with_row<T: Element>(f: impl FnOnce(&mut [T])) {
    f(&mut [T::ZERO; MAX_STACK_ORDER + 1]);
}

/// A <- A^-1, by these blocks of rows.
///
/// # Panics
/// If there is less memory than the blocks need.
#[inline(never)] // one copy is enough
pub(super) fn invert_by<T: Element>(
    blocks: Blocks,
    mut a: MatrixMut<'_, T>,
    ipiv: &[i64],
    kernels: &Kernels<T>,
    (threads, monitor): (usize, Option<&Monitor>),
    memory: &mut [T],
) {
    let n = a.ncols();
    assert!(a.nrows() == n && ipiv.len() == n, "inverse: sizes do not fit");
    let first_bad = first_bad_row(a.reborrow(), kernels);
    let inversion = Inversion { n, blocks, threads: threads.min(team::cores()), first_bad, kernels, monitor };
    let (triangle, saved) = memory[..blocks.memory()].split_at_mut(blocks.triangle);
    // Below the diagonal: L <- L^-1
    inversion.invert_l(a.reborrow(), saved, triangle);
    // A <- U^-1 L^-1, from the last row up: with the rows reversed it is from the first one down.
    inversion.reverse_rows(a.reborrow());
    inversion.solve_u(a.reborrow(), saved, triangle);
    inversion.reverse_rows(a.reborrow());
    // A <- A P
    swap_columns(a, ipiv);
}

/// The first row of L with an element that is not finite, or n.
fn first_bad_row<T: Element>(mut lu: MatrixMut<'_, T>, kernels: &Kernels<T>) -> usize {
    let n = lu.ncols();
    (0..n).fold(n, |first, j| {
        let start = first.min(j + 1);
        let below = &lu.col_mut(j)[start..first];
        // SAFETY: the length is that of the slice.
        if unsafe { (kernels.all_finite)(Elements { len: below.len(), x: below.as_ptr() }) } {
            return first;
        }
        let is_finite = |x: &T| x.mul(T::ZERO) == T::ZERO;
        below.iter().position(|x| !is_finite(x)).map_or(first, |i| start + i)
    })
}

/// A <- A P, for the swaps of the rows of P.
fn swap_columns<T: Element>(mut a: MatrixMut<'_, T>, ipiv: &[i64]) {
    let (n, lda) = (a.nrows(), a.lda());
    assert!(a.ncols() == n && check_rows(ipiv, n).is_ok(), "inverse: sizes do not fit");
    let a = a.as_mut_ptr();
    for (j, k) in ipiv.iter().map(|&row| row as usize - 1).enumerate().rev().filter(|(j, k)| j != k) {
        // SAFETY: two different columns of A, which has n rows and columns; j and k are below n.
        unsafe { std::ptr::swap_nonoverlapping(a.add(j * lda), a.add(k * lda), n) };
    }
}
