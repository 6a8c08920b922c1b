//! The factors as a value, and what is computed from them.

use bytemuck::Pod;
use nalgebra::{DMatrix, Dim, Dyn, Matrix, Storage, VecStorage};

use super::batch::Determinant;
use super::condition::rcond;
use super::factor::factor;
use super::inverse::inverse;
use super::ipiv::{check_info, check_ipiv, count_swaps, permute};
use super::refine::{Accuracy, Factored, Refinement, refine};
use super::solve::solve;
use crate::element::Element;
use crate::error::Error;
use crate::matrix::{MatrixMut, MatrixRef};
use crate::options::{Norm, Options, Transpose};

/// The factorization P A = L U of an m x n matrix, with k = min(m, n).
///
/// ```
/// use nalgebra::{DMatrix, DVector};
/// use recfact::{Lu, Options};
///
/// let a = DMatrix::from_row_slice(2, 2, &[4.0, 3.0, 6.0, 3.0]);
/// let lu = Lu::new(a.clone(), &Options::default())?;
/// assert_eq!(lu.info(), 0);
/// assert_eq!(lu.permutation()?, [1, 0]);
/// let pa = a.select_rows(&lu.permutation()?);
/// assert_eq!(lu.l()? * lu.u()?, pa);
///
/// let x = lu.solve(&DVector::from_vec(vec![10.0, 12.0]))?;
/// assert!((x - DVector::from_vec(vec![1.0, 2.0])).amax() < 1e-15);
/// assert_eq!(lu.det()?, -6.0);
/// # Ok::<(), recfact::Error>(())
/// ```
#[derive(Debug, Clone)]
pub struct Lu<T: Element> {
    lu: DMatrix<T>,
    ipiv: Vec<i64>,
    info: i64,
    options: Options,
}

/// Factors are equal if their elements, swaps and `info` are equal. Options are not compared: they change no result.
impl<T: Element> PartialEq for Lu<T> {
    fn eq(&self, other: &Self) -> bool {
        (&self.lu, &self.ipiv, self.info) == (&other.lu, &other.ipiv, other.info)
    }
}

impl<T: Element> Lu<T> {
    /// Factors `a` in its own memory; see [`factor`]. Solves with the factors use the same options.
    ///
    /// # Errors
    /// [`Error::OutOfMemory`] if the system refuses memory for the pivots; [`Error::InstructionSet`] and
    /// [`Error::IsaUnavailable`].
    pub fn new(mut a: DMatrix<T>, options: &Options) -> Result<Self, Error> {
        let mut ipiv = zeros(a.nrows().min(a.ncols()))?;
        let info = factor(&mut a, &mut ipiv, options)?;
        Ok(Lu { lu: a, ipiv, info, options: *options })
    }

    /// Makes an `Lu` from the factors in one m x n matrix, their pivots and their `info`, as a server sends them. Solves use
    /// the default options; [`Lu::with_options`] changes them.
    ///
    /// # Errors
    /// [`Error::IpivLength`] unless there are k pivots; [`Error::Pivot`] unless each is in i..=m;
    /// [`Error::Info`] unless it is in -k..=k.
    pub fn from_parts(lu: DMatrix<T>, ipiv: Vec<i64>, info: i64) -> Result<Self, Error> {
        let (m, n) = lu.shape();
        if ipiv.len() != m.min(n) {
            return Err(Error::IpivLength { expected: m.min(n), found: ipiv.len() });
        }
        check_info(info, ipiv.len())?;
        check_ipiv(&ipiv, m)?;
        Ok(Lu { lu, ipiv, info, options: Options::default() })
    }

    /// The same factors; solves use these options.
    #[must_use]
    pub fn with_options(self, options: &Options) -> Self {
        Lu { options: *options, ..self }
    }

    /// What [`Lu::from_parts`] takes: the factors, their pivots and their `info`.
    #[must_use]
    pub fn into_parts(self) -> (DMatrix<T>, Vec<i64>, i64) {
        (self.lu, self.ipiv, self.info)
    }

    /// 0, or k > 0 if U(k,k) is exactly zero (the first such k), -k without pivoting.
    #[must_use]
    pub fn info(&self) -> i64 {
        self.info
    }

    /// L and U in one m x n matrix: L below the diagonal, U on and above it.
    #[must_use]
    pub fn packed(&self) -> &DMatrix<T> {
        &self.lu
    }

    /// L, m x k: unit lower triangular.
    ///
    /// # Errors
    /// [`Error::OutOfMemory`].
    pub fn l(&self) -> Result<DMatrix<T>, Error> {
        let (m, k) = (self.lu.nrows(), self.ipiv.len());
        let mut l = zeros(m * k)?;
        for (j, column) in l.chunks_exact_mut(m.max(1)).enumerate() {
            column[j] = T::ONE;
            column[j + 1..].copy_from_slice(&self.lu.as_slice()[j * m + j + 1..(j + 1) * m]);
        }
        Ok(DMatrix::from_vec(m, k, l))
    }

    /// U, k x n: upper triangular.
    ///
    /// # Errors
    /// [`Error::OutOfMemory`].
    pub fn u(&self) -> Result<DMatrix<T>, Error> {
        let (m, n, k) = (self.lu.nrows(), self.lu.ncols(), self.ipiv.len());
        let mut u = zeros(k * n)?;
        for (j, column) in u.chunks_exact_mut(k.max(1)).enumerate() {
            let rows = k.min(j + 1);
            column[..rows].copy_from_slice(&self.lu.as_slice()[j * m..j * m + rows]);
        }
        Ok(DMatrix::from_vec(k, n, u))
    }

    /// The row swaps, k of them, 1-based and in order: for i = 1, 2, .. row i was swapped with row `ipiv[i]`.
    #[must_use]
    pub fn ipiv(&self) -> &[i64] {
        &self.ipiv
    }

    /// The same as a permutation of m rows, 0-based: row i of P A is row `permutation()[i]` of A.
    ///
    /// # Errors
    /// [`Error::OutOfMemory`].
    pub fn permutation(&self) -> Result<Vec<usize>, Error> {
        let mut rows = zeros(self.lu.nrows())?;
        rows.iter_mut().enumerate().for_each(|(i, row)| *row = i);
        permute(&mut rows, &self.ipiv);
        Ok(rows)
    }

    /// Whether U has an exact zero on its diagonal.
    #[must_use]
    pub fn is_singular(&self) -> bool {
        self.info != 0
    }

    /// X with A X = B: A is n x n, B and X are n x (any number), or vectors of n elements. The bits of a column of X
    /// depend on nothing but A and that column of B.
    ///
    /// # Errors
    /// [`Error::NotSquare`], [`Error::RightHandSide`], [`Error::Singular`], or [`Error::OutOfMemory`].
    pub fn solve<C: Dim, S: Storage<T, Dyn, C>>(&self, b: &Matrix<T, Dyn, C, S>) -> Result<Solution<T, C>, Error> {
        self.solve_system(Transpose::No, b)
    }

    /// X with A^T X = B; otherwise as [`Lu::solve`].
    ///
    /// # Errors
    /// As for [`Lu::solve`].
    pub fn solve_transposed<C: Dim, S: Storage<T, Dyn, C>>(
        &self,
        b: &Matrix<T, Dyn, C, S>,
    ) -> Result<Solution<T, C>, Error> {
        self.solve_system(Transpose::Yes, b)
    }

    /// A^-1, to the bit the X with A X = I that [`Lu::solve`] computes, for two thirds of its operations. The factors stay.
    ///
    /// # Errors
    /// [`Error::NotSquare`], [`Error::Singular`], or [`Error::OutOfMemory`].
    pub fn inverse(&self) -> Result<DMatrix<T>, Error> {
        let n = self.order()?;
        self.check_nonsingular()?;
        let mut x = zeros(n * n)?;
        x.copy_from_slice(self.lu.as_slice());
        invert(DMatrix::from_vec(n, n, x), &self.ipiv, &self.options)
    }

    /// A^-1 in the memory of the factors; see [`inverse`].
    ///
    /// # Errors
    /// As for [`Lu::inverse`]. The factors are lost.
    ///
    /// # Examples
    /// ```
    /// use nalgebra::DMatrix;
    /// use recfact::{Lu, Options};
    ///
    /// let lu = Lu::new(DMatrix::from_row_slice(2, 2, &[4.0, 3.0, 6.0, 4.0]), &Options::default())?;
    /// assert_eq!(lu.inverse()?, lu.clone().into_inverse()?);
    /// assert!((lu.into_inverse()? - DMatrix::from_row_slice(2, 2, &[-2.0, 1.5, 3.0, -2.0])).amax() < 1e-14);
    /// # Ok::<(), recfact::Error>(())
    /// ```
    pub fn into_inverse(self) -> Result<DMatrix<T>, Error> {
        self.order()?;
        self.check_nonsingular()?;
        invert(self.lu, &self.ipiv, &self.options)
    }

    fn solve_system<C: Dim, S: Storage<T, Dyn, C>>(
        &self,
        transpose: Transpose,
        b: &Matrix<T, Dyn, C, S>,
    ) -> Result<Solution<T, C>, Error> {
        let n = self.order()?;
        self.check_nonsingular()?;
        if b.nrows() != n {
            return Err(Error::RightHandSide { expected: n, found: b.nrows() });
        }
        let mut x = zeros(b.len())?;
        x.iter_mut().zip(b.iter()).for_each(|(x, b)| *x = *b);
        let view = MatrixMut::in_memory(&mut x, n, b.ncols(), n);
        solve(transpose, MatrixRef::from(&self.lu), &self.ipiv, view, &self.options)?;
        let (rows, columns) = b.shape_generic();
        Ok(Matrix::from_data(VecStorage::new(rows, columns, x)))
    }

    /// The determinant as a number of this type, which may overflow or underflow: the product of U's diagonal, negated for each
    /// swap. 1 for the empty matrix. [`Lu::determinant`] does not overflow.
    ///
    /// # Errors
    /// [`Error::NotSquare`].
    pub fn det(&self) -> Result<T, Error> {
        let n = self.order()?;
        let det = (0..n).fold(T::ONE, |det, i| det.mul(self.lu[(i, i)]));
        Ok(if count_swaps(&self.ipiv).is_multiple_of(2) { det } else { det.neg() })
    }

    /// The determinant, which neither overflows nor underflows.
    ///
    /// # Errors
    /// [`Error::NotSquare`].
    pub fn determinant(&self) -> Result<Determinant, Error> {
        self.order()?;
        Ok(Determinant::of_factors((&self.lu).into(), &self.ipiv))
    }

    /// The reciprocal of the condition number of A, from |A|; see [`rcond`].
    ///
    /// # Errors
    /// [`Error::NotSquare`]; [`Error::OutOfMemory`].
    pub fn rcond(&self, norm: Norm, anorm: f64) -> Result<f64, Error> {
        rcond(norm, &self.lu, &self.ipiv, anorm, &self.options)
    }

    /// Refines solutions X of A X = B, or A^T X = B, and tells how good they are, one by one; see [`refine`].
    ///
    /// # Errors
    /// [`Error::Singular`], and those of [`refine`].
    pub fn refine<'b>(
        &self,
        transpose: Transpose,
        a: impl Into<MatrixRef<'b, T>>,
        b: impl Into<MatrixRef<'b, T>>,
        x: impl Into<MatrixMut<'b, T>>,
        refinement: &Refinement,
    ) -> Result<Vec<Accuracy>, Error> {
        self.check_nonsingular()?;
        let b = b.into();
        let mut accuracy = filled(b.ncols(), Accuracy::UNKNOWN)?;
        let factored = Factored { a: a.into(), lu: (&self.lu).into(), ipiv: &self.ipiv };
        refine(transpose, &factored, b, x, &mut accuracy, refinement, &self.options)?;
        Ok(accuracy)
    }

    fn check_nonsingular(&self) -> Result<(), Error> {
        match self.info {
            0 => Ok(()),
            info => Err(Error::Singular { index: info.unsigned_abs() as usize }),
        }
    }

    /// n of an n x n matrix.
    fn order(&self) -> Result<usize, Error> {
        let (m, n) = self.lu.shape();
        if m == n { Ok(n) } else { Err(Error::NotSquare { m, n }) }
    }
}

/// A^-1 in the memory of its factors.
fn invert<T: Element>(mut lu: DMatrix<T>, ipiv: &[i64], options: &Options) -> Result<DMatrix<T>, Error> {
    match inverse(&mut lu, ipiv, options)? {
        0 => Ok(lu),
        info => Err(Error::Singular { index: info as usize }),
    }
}

/// The result of a solve: a matrix, or for a vector a vector.
type Solution<T, C> = Matrix<T, Dyn, C, VecStorage<T, Dyn, C>>;

/// Zeros, as memory for a result.
///
/// # Errors
/// [`Error::OutOfMemory`] if the system refuses it.
pub(crate) fn zeros<T: Pod>(len: usize) -> Result<Vec<T>, Error> {
    filled(len, T::zeroed())
}

/// Copies of a value, as memory for results.
///
/// # Errors
/// [`Error::OutOfMemory`] if the system refuses it.
pub(crate) fn filled<T: Clone>(len: usize, value: T) -> Result<Vec<T>, Error> {
    let mut memory = Vec::new();
    let refused = |_| Error::OutOfMemory { bytes: len.saturating_mul(size_of::<T>()) };
    memory.try_reserve_exact(len).map_err(refused)?;
    memory.resize(len, value);
    Ok(memory)
}
