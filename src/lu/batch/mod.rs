//! Many small matrices of one shape: their factors, solutions of their systems, inverses and determinants.
//!
//! Matrices of few rows are worked on as many at once as a register has lanes (`group.rs`); the others, and a rest of a few, one
//! after the other (`single.rs`). The bits are those of [`factor`](super::factor()) and [`solve`](super::solve()) either way.
//! Threads take pieces of the batch in turn (`threads.rs`).

mod across;
mod determinant;
mod group;
mod job;
mod single;
mod threads;
mod watched;

pub use determinant::Determinant;
#[cfg(any(feature = "cli", feature = "client"))]
pub(crate) use watched::first_bad_row;
pub(crate) use watched::{det_batch_with, factor_batch_with, solve_batch_with, system_batch_with};

use crate::batch::{BatchMut, BatchRef, Geometry};
use crate::element::Element;
use crate::error::Error;
use crate::kernel::Elements;
use crate::lu::factor::{kernels_for, kernels_to_factor};
use crate::lu::recursion::Recursion;
use crate::matrix::MatrixRef;
use crate::options::{Options, Transpose};
use across::Across;
use job::{Block, Job};

/// The matrices A of a batch, and where their factors go: L below the diagonal, U on and above it.
#[derive(Debug)]
pub enum Coefficients<'a, T> {
    /// The factors take the place of A.
    Overwritten(BatchMut<'a, T>),
    /// A stays as it is, and the factors are not wanted, which takes less time.
    Kept(BatchRef<'a, T>),
    /// A stays as it is; the factors go to matrices of the same shape.
    Copied {
        /// The matrices.
        a: BatchRef<'a, T>,
        /// Where the factors go.
        lu: BatchMut<'a, T>,
    },
}

impl<'a, T: Element> Coefficients<'a, T> {
    /// A, and where its factors go if they are wanted, which may be the same memory: as views of another type, that `shared`
    /// and `mutable` make.
    pub(crate) fn split<V: Copy>(
        self,
        shared: impl FnOnce(BatchRef<'a, T>) -> V,
        mutable: impl FnOnce(BatchMut<'a, T>) -> V,
    ) -> Result<(V, Option<V>), Error> {
        Ok(match self {
            Coefficients::Overwritten(a) => {
                let a = mutable(a);
                (a, Some(a))
            }
            Coefficients::Kept(a) => (shared(a), None),
            Coefficients::Copied { a, lu } => {
                same_shape("L and U", a.geometry(), lu.geometry())?;
                (shared(a), Some(mutable(lu)))
            }
        })
    }
}

impl<'a, T> From<BatchMut<'a, T>> for Coefficients<'a, T> {
    fn from(a: BatchMut<'a, T>) -> Self {
        Coefficients::Overwritten(a)
    }
}

impl<'a, T> From<BatchRef<'a, T>> for Coefficients<'a, T> {
    fn from(a: BatchRef<'a, T>) -> Self {
        Coefficients::Kept(a)
    }
}

/// Where the row swaps of a batch go: `min(m, n)` of each matrix, one matrix after the other.
#[derive(Debug)]
pub enum Swaps<'a> {
    /// As LAPACK has them: rows are counted from 1.
    Lapack(&'a mut [i64]),
    /// As SciPy has them: rows are counted from 0. Their number must fit.
    ZeroBased(&'a mut [i32]),
    /// Nowhere.
    Nowhere,
}

impl Swaps<'_> {
    /// Those of these matrices, no more than they have.
    pub(crate) fn of(self, a: Geometry) -> Result<Self, Error> {
        // No overflow: there are no more pivots than elements, which the memory of the batch has.
        let pivots = a.count() * a.nrows().min(a.ncols());
        Ok(match self {
            Swaps::Lapack(ipiv) => Swaps::Lapack(results("ipiv", ipiv, pivots)?),
            Swaps::ZeroBased(piv) => Swaps::ZeroBased(results("piv", piv, pivots)?),
            Swaps::Nowhere => Swaps::Nowhere,
        })
    }
}

impl<'a> From<&'a mut [i64]> for Swaps<'a> {
    fn from(ipiv: &'a mut [i64]) -> Self {
        Swaps::Lapack(ipiv)
    }
}

impl<'a> From<&'a mut Vec<i64>> for Swaps<'a> {
    fn from(ipiv: &'a mut Vec<i64>) -> Self {
        Swaps::Lapack(ipiv)
    }
}

impl<'a, const N: usize> From<&'a mut [i64; N]> for Swaps<'a> {
    fn from(ipiv: &'a mut [i64; N]) -> Self {
        Swaps::Lapack(ipiv)
    }
}

/// P A = L U of each matrix of a batch. The factors, row swaps and `info` of each are those that [`factor`](super::factor())
/// gives for it, to the bit, in the layout of the batch.
///
/// `info` receives one number for each matrix. One that is singular does not stop the others. [`Options::threads`] above 1
/// share the batch; only if it has fewer matrices than threads, several of them work on one matrix.
///
/// ```
/// use recfact::{BatchMut, Layout, Options, factor_batch};
///
/// // The rows (4, 3) and (6, 3); and a matrix of ones, which is singular.
/// let mut data = [4.0, 3.0, 6.0, 3.0, 1.0, 1.0, 1.0, 1.0];
/// let (mut ipiv, mut info) = ([0; 4], [0; 2]);
/// let batch = BatchMut::from_slice(&mut data, 2, [2, 2], Layout::RowMajor)?;
/// factor_batch(batch, &mut ipiv, &mut info, &Options::default())?;
/// assert_eq!(data[..3], [6.0, 3.0, 4.0 / 6.0]);
/// assert_eq!((ipiv, info), ([2, 2, 1, 2], [0, 2]));
/// # Ok::<(), recfact::Error>(())
/// ```
///
/// # Errors
/// [`Error::BatchResults`] if the swaps or `info` are too short; [`Error::BatchShape`] if the factors go to matrices of another
/// shape; [`Error::InstructionSet`] and [`Error::IsaUnavailable`]; [`Error::OutOfMemory`] if the system refuses the memory of
/// one matrix, which is not needed if the factors of column-major matrices take their place.
pub fn factor_batch<'a, T: Element>(
    a: impl Into<Coefficients<'a, T>>,
    swaps: impl Into<Swaps<'a>>,
    info: &mut [i64],
    options: &Options,
) -> Result<(), Error> {
    factor_batch_with(a.into(), swaps.into(), info, options, None)
}

/// Solves A X = B or A^T X = B for each matrix of a batch, from the factors and row swaps that [`factor_batch`] left in `lu`
/// and `ipiv`. Each B, n x (any number), becomes X: to the bit what [`solve`](super::solve()) gives for it.
///
/// ```
/// use recfact::{BatchMut, BatchRef, Layout, Options, Transpose, factor_batch, solve_batch};
///
/// let mut a = [4.0, 3.0, 6.0, 3.0, 2.0, 0.0, 0.0, 2.0];
/// let (mut ipiv, mut info) = ([0; 4], [0; 2]);
/// let options = Options::default();
/// factor_batch(BatchMut::from_slice(&mut a, 2, [2, 2], Layout::RowMajor)?, &mut ipiv, &mut info, &options)?;
/// let mut b = [10.0, 12.0, 1.0, 2.0];
/// let lu = BatchRef::from_slice(&a, 2, [2, 2], Layout::RowMajor)?;
/// solve_batch(Transpose::No, lu, &ipiv, BatchMut::from_slice(&mut b, 2, [2, 1], Layout::RowMajor)?, &options)?;
/// assert_eq!(b[2..], [0.5, 1.0]);
/// # Ok::<(), recfact::Error>(())
/// ```
///
/// # Errors
/// [`Error::NotSquare`]; [`Error::BatchShape`] if B has another number of matrices or rows; [`Error::BatchResults`] if `ipiv`
/// is too short; [`Error::Pivot`] if it names a row outside of the matrix; [`Error::OutOfMemory`]; [`Error::InstructionSet`] and
/// [`Error::IsaUnavailable`].
pub fn solve_batch<T: Element>(
    transpose: Transpose,
    lu: BatchRef<'_, T>,
    ipiv: &[i64],
    b: BatchMut<'_, T>,
    options: &Options,
) -> Result<(), Error> {
    solve_batch_with(transpose, lu, ipiv, b, options, None)
}

/// Solves A X = B for each matrix of a batch (LAPACK: `DGESV`). Each B, n x (any number), becomes X, and A what
/// [`Coefficients`] says. The bits are those of [`factor_batch`] and [`solve_batch`]. If A is singular, which its `info` says, B
/// stays as it is.
///
/// ```
/// use recfact::{BatchMut, BatchRef, Layout, Options, Swaps, gesv_batch};
///
/// let a = BatchRef::from_slice(&[4.0, 3.0, 6.0, 3.0, 1.0, 1.0, 1.0, 1.0], 2, [2, 2], Layout::RowMajor)?;
/// let (mut b, mut info) = ([10.0, 12.0, 5.0, 6.0], [0; 2]);
/// let x = BatchMut::from_slice(&mut b, 2, [2, 1], Layout::RowMajor)?;
/// gesv_batch(a, Swaps::Nowhere, x, &mut info, &Options::default())?;
/// assert_eq!((info, &b[2..]), ([0, 2], &[5.0, 6.0][..]));
/// # Ok::<(), recfact::Error>(())
/// ```
///
/// # Errors
/// Those of [`factor_batch`]; [`Error::NotSquare`]; [`Error::BatchShape`] if B has another number of matrices or rows.
pub fn gesv_batch<'a, T: Element>(
    a: impl Into<Coefficients<'a, T>>,
    swaps: impl Into<Swaps<'a>>,
    b: BatchMut<'_, T>,
    info: &mut [i64],
    options: &Options,
) -> Result<(), Error> {
    let system = BatchSystem { transpose: Transpose::No, x: Solution::Of(b), rcond: None };
    system_batch(a.into(), swaps.into(), system, info, options)
}

/// The inverse of each matrix of a batch: to the bit the X with A X = I. For a singular matrix, which its `info` says, nothing
/// is written.
///
/// # Errors
/// As for [`gesv_batch`].
pub fn inverse_batch<T: Element>(
    a: BatchRef<'_, T>,
    inverse: BatchMut<'_, T>,
    info: &mut [i64],
    options: &Options,
) -> Result<(), Error> {
    let system = BatchSystem { transpose: Transpose::No, x: Solution::Inverse(inverse), rcond: None };
    system_batch(Coefficients::Kept(a), Swaps::Nowhere, system, info, options)
}

/// The determinant of each matrix of a batch.
///
/// ```
/// use recfact::{BatchRef, Determinant, Layout, Options, det_batch};
///
/// let a = BatchRef::from_slice(&[4.0, 3.0, 6.0, 3.0, 1.0, 1.0, 1.0, 1.0], 2, [2, 2], Layout::RowMajor)?;
/// let mut det = [Determinant::ONE; 2];
/// det_batch(a, &mut det, &Options::default())?;
/// assert_eq!(det.map(|det| det.value()), [-6.0, 0.0]);
/// # Ok::<(), recfact::Error>(())
/// ```
///
/// # Errors
/// [`Error::NotSquare`]; [`Error::BatchResults`]; [`Error::OutOfMemory`]; [`Error::InstructionSet`] and
/// [`Error::IsaUnavailable`].
pub fn det_batch<T: Element>(a: BatchRef<'_, T>, det: &mut [Determinant], options: &Options) -> Result<(), Error> {
    det_batch_with(a, det, options, None)
}

/// What [`system_batch`] solves, beside A.
#[doc(hidden)]
#[derive(Debug)]
pub struct BatchSystem<'a, T> {
    /// Which system is solved.
    pub transpose: Transpose,
    /// Where X goes.
    pub x: Solution<'a, T>,
    /// For each matrix the reciprocal of its condition number in the 1-norm: up to n = 32 exact, or a lower bound where that
    /// tells that the matrix is well-conditioned; above it is estimated.
    pub rcond: Option<&'a mut [T]>,
}

/// The solution of a system.
#[doc(hidden)]
#[derive(Debug)]
pub enum Solution<'a, T> {
    /// X takes the place of these right-hand sides.
    Of(BatchMut<'a, T>),
    /// X is the inverse, and goes here.
    Inverse(BatchMut<'a, T>),
}

/// [`gesv_batch`] and [`inverse_batch`] with all that they can do.
///
/// # Errors
/// As for [`gesv_batch`].
#[doc(hidden)]
pub fn system_batch<T: Element>(
    a: Coefficients<'_, T>,
    swaps: Swaps<'_>,
    system: BatchSystem<'_, T>,
    info: &mut [i64],
    options: &Options,
) -> Result<(), Error> {
    system_batch_with(a, swaps, system, info, options, None)
}

/// Checks that all elements of a batch are finite.
///
/// # Errors
/// [`Error::NotFinite`]; [`Error::InstructionSet`] and [`Error::IsaUnavailable`].
#[doc(hidden)]
pub fn check_batch_finite<T: Element>(a: BatchRef<'_, T>, options: &Options) -> Result<(), Error> {
    let kernels = kernels_for::<T>(options)?;
    let geometry = a.geometry();
    let ((length, lines), count) = (geometry.lines(), geometry.count());
    if length == 0 || lines == 0 || count == 0 {
        return Ok(());
    }
    let is_finite = |view: MatrixRef<'_, T>| {
        // SAFETY: each run lies in the view.
        view.runs().all(|(x, len)| unsafe { (kernels.all_finite)(Elements { len, x }) })
    };
    let is_packed = geometry.ld() == length && geometry.stride() == length * lines;
    let (views, lines) = if is_packed { (count.min(1), lines * count) } else { (count, lines) };
    let all = (0..views).all(|k| {
        // SAFETY: these lines are elements of the batch, which is borrowed; packed matrices are one with all their lines.
        is_finite(unsafe {
            MatrixRef::from_raw_parts(a.as_ptr().wrapping_add(k * geometry.stride()), length, lines, geometry.ld())
        })
    });
    if all { Ok(()) } else { Err(Error::NotFinite) }
}

impl<'k, T: Element> Job<'k, T> {
    /// A job that does nothing yet with the matrices.
    fn new(a: Block<T>, options: &Options) -> Result<Self, Error> {
        let kernels = kernels_for(options)?;
        let across = Across::choose(kernels, a.geometry, options.pivoting);
        let to_factor = kernels_to_factor(a.geometry.nrows(), options)?;
        let recursion = Recursion { kernels: to_factor, pivoting: options.pivoting, monitor: None, crew: None };
        Ok(Job::for_matrices(a, recursion, kernels, across))
    }

    /// A job that factors the matrices.
    fn factor(a: Coefficients<'_, T>, swaps: Swaps<'_>, info: &mut [i64], options: &Options) -> Result<Self, Error> {
        let (a, lu) = a.split(Block::shared, Block::mutable)?;
        let geometry = a.geometry;
        let mut job = Job::new(a, options)?;
        job.lu = lu;
        job.swaps = match swaps.of(geometry)? {
            Swaps::Lapack(ipiv) => job::Swaps::Lapack(ipiv.as_mut_ptr()),
            Swaps::ZeroBased(piv) => job::Swaps::ZeroBased(piv.as_mut_ptr()),
            Swaps::Nowhere => job::Swaps::Nowhere,
        };
        job.info = Some(results("info", info, geometry.count())?.as_mut_ptr());
        Ok(job)
    }
}

/// The first `expected` elements of a result.
pub(crate) fn results<'r, R>(name: &'static str, memory: &'r mut [R], expected: usize) -> Result<&'r mut [R], Error> {
    let found = memory.len();
    memory.get_mut(..expected).ok_or(Error::BatchResults { name, expected, found })
}

/// The order of square matrices.
pub(crate) fn square(a: Geometry) -> Result<usize, Error> {
    let (m, n) = (a.nrows(), a.ncols());
    if m == n { Ok(n) } else { Err(Error::NotSquare { m, n }) }
}

/// Checks that A is square, and that there is a B with as many rows for each.
pub(crate) fn check_right_hand_sides(a: Geometry, b: Geometry) -> Result<usize, Error> {
    let n = square(a)?;
    let (expected, found) = ([a.count(), n, b.ncols()], [b.count(), b.nrows(), b.ncols()]);
    if expected == found { Ok(n) } else { Err(Error::BatchShape { name: "B", expected, found }) }
}

/// Checks that a result has the shape of A.
pub(crate) fn same_shape(name: &'static str, a: Geometry, result: Geometry) -> Result<(), Error> {
    let [expected, found] = [a, result].map(|batch| [batch.count(), batch.nrows(), batch.ncols()]);
    if expected == found { Ok(()) } else { Err(Error::BatchShape { name, expected, found }) }
}
