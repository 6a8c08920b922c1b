//! The factors as a value, and what is computed from them.

use nalgebra::allocator::Allocator;
use nalgebra::{DMatrix, DefaultAllocator, Dim, Dyn, Matrix, OMatrix, Storage};

use super::{Options, Transpose, factor, permutation, solve};
use crate::error::Error;
use crate::real::Real;

/// The factorization P A = L U of an m x n matrix, with k = min(m, n).
///
/// ```
/// use nalgebra::{DMatrix, DVector};
/// use recfact::{Lu, Options};
///
/// let a = DMatrix::from_row_slice(2, 2, &[4.0, 3.0, 6.0, 3.0]);
/// let lu = Lu::new(a.clone(), &Options::default());
/// assert_eq!(lu.info(), 0);
/// assert_eq!(lu.permutation(), [1, 0]);
/// let pa = a.select_rows(&lu.permutation());
/// assert_eq!(lu.l() * lu.u(), pa);
///
/// let x = lu.solve(&DVector::from_vec(vec![10.0, 12.0]))?;
/// assert!((x - DVector::from_vec(vec![1.0, 2.0])).amax() < 1e-15);
/// assert_eq!(lu.det()?, -6.0);
/// # Ok::<(), recfact::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct Lu<T: Real> {
    lu: DMatrix<T>,
    ipiv: Vec<i64>,
    info: i64,
}

impl<T: Real> Lu<T> {
    /// Factors `a`, reusing its memory. See [`factor`].
    ///
    /// # Panics
    /// If `RECFACT_ISA` names an instruction set that this CPU has not; [`crate::Isa::in_use`] tells beforehand.
    #[must_use]
    pub fn new(mut a: DMatrix<T>, options: &Options) -> Self {
        let mut ipiv = vec![0; a.nrows().min(a.ncols())];
        let info = factor(&mut a, &mut ipiv, options).unwrap_or_else(|error| panic!("{error}"));
        Lu { lu: a, ipiv, info }
    }

    /// The factors in one m x n matrix, their pivots and their `info`, as a server sends them.
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
        check_pivots(&ipiv, m)?;
        Ok(Lu { lu, ipiv, info })
    }

    /// What [`Lu::from_parts`] takes: the factors, their pivots and their `info`.
    #[must_use]
    pub fn into_parts(self) -> (DMatrix<T>, Vec<i64>, i64) {
        (self.lu, self.ipiv, self.info)
    }

    /// 0, or k > 0 where U(k,k) is exactly zero (the first such k), -k where there was no pivoting.
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
    #[must_use]
    pub fn l(&self) -> DMatrix<T> {
        let (m, k) = (self.lu.nrows(), self.ipiv.len());
        DMatrix::from_fn(m, k, |i, j| match i.cmp(&j) {
            std::cmp::Ordering::Less => T::ZERO,
            std::cmp::Ordering::Equal => T::ONE,
            std::cmp::Ordering::Greater => self.lu[(i, j)],
        })
    }

    /// U, k x n: upper triangular.
    #[must_use]
    pub fn u(&self) -> DMatrix<T> {
        let (k, n) = (self.ipiv.len(), self.lu.ncols());
        DMatrix::from_fn(k, n, |i, j| if i <= j { self.lu[(i, j)] } else { T::ZERO })
    }

    /// The row swaps, k of them, 1-based and in order: for i = 1, 2, .. row i was swapped with row `ipiv[i]`.
    #[must_use]
    pub fn ipiv(&self) -> &[i64] {
        &self.ipiv
    }

    /// The same as a permutation of m rows, 0-based: row i of P A is row `permutation()[i]` of A.
    #[must_use]
    pub fn permutation(&self) -> Vec<usize> {
        permutation(self.lu.nrows(), &self.ipiv)
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
    /// [`Error::NotSquare`], [`Error::RightHandSide`], or [`Error::Singular`].
    pub fn solve<C: Dim, S: Storage<T, Dyn, C>>(&self, b: &Matrix<T, Dyn, C, S>) -> Result<OMatrix<T, Dyn, C>, Error>
    where
        DefaultAllocator: Allocator<Dyn, C>,
    {
        self.solve_system(Transpose::No, b)
    }

    /// X with A^T X = B; the same otherwise.
    ///
    /// # Errors
    /// As for [`Lu::solve`].
    pub fn solve_transposed<C: Dim, S: Storage<T, Dyn, C>>(
        &self,
        b: &Matrix<T, Dyn, C, S>,
    ) -> Result<OMatrix<T, Dyn, C>, Error>
    where
        DefaultAllocator: Allocator<Dyn, C>,
    {
        self.solve_system(Transpose::Yes, b)
    }

    fn solve_system<C: Dim, S: Storage<T, Dyn, C>>(
        &self,
        transpose: Transpose,
        b: &Matrix<T, Dyn, C, S>,
    ) -> Result<OMatrix<T, Dyn, C>, Error>
    where
        DefaultAllocator: Allocator<Dyn, C>,
    {
        self.order()?;
        if self.is_singular() {
            return Err(Error::Singular { index: self.info.unsigned_abs() as usize });
        }
        let mut x = b.clone_owned();
        solve(transpose, &self.lu, &self.ipiv, &mut x, 1)?;
        Ok(x)
    }

    /// The determinant: the product of U's diagonal, negated for each swap. 1 for the empty matrix.
    ///
    /// # Errors
    /// [`Error::NotSquare`].
    pub fn det(&self) -> Result<T, Error> {
        let n = self.order()?;
        let det = (0..n).fold(T::ONE, |det, i| det.times(self.lu[(i, i)]));
        let swaps = self.ipiv.iter().zip(1..).filter(|&(&row, i)| row != i).count();
        Ok(if swaps % 2 == 0 { det } else { det.negate() })
    }

    /// n of an n x n matrix.
    fn order(&self) -> Result<usize, Error> {
        let (m, n) = self.lu.shape();
        if m == n { Ok(n) } else { Err(Error::NotSquare { m, n }) }
    }
}

/// Checks the `info` of a matrix with `k` pivots.
pub(crate) fn check_info(info: i64, k: usize) -> Result<(), Error> {
    if info.unsigned_abs() > k as u64 { Err(Error::Info { info, k }) } else { Ok(()) }
}

/// Checks the row swaps of a matrix with `m` rows.
pub(crate) fn check_pivots(ipiv: &[i64], m: usize) -> Result<(), Error> {
    match ipiv.iter().zip(1..).find(|&(&row, i)| row < i || row > m as i64) {
        Some((&row, i)) => Err(Error::Pivot { index: i as usize, row, m }),
        None => Ok(()),
    }
}
