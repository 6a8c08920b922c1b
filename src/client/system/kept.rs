//! Factors that a server keeps.

use std::marker::PhantomData;

use nalgebra::{DMatrix, Dim, Dyn, Matrix, Storage, VecStorage};

use super::Outcome;
use super::call::SystemCall;
use crate::client::calls::Kept;
use crate::client::{Client, Error, Pool};
use crate::lu::{Accuracy, Determinant, Refinement, zeros};
use crate::matrix::MatrixMut;
use crate::options::{Norm, Options, Transpose};
use crate::protocol::{SystemKind, WireElement};

/// P A = L U of an n x n matrix, kept by the server of a [`Client`], or by one of a [`Pool`]: A is sent once, and then right-hand
/// sides. [`Client::factor`] makes it. Every result has the bits that [`Lu`](crate::Lu) gives in process.
///
/// ```no_run
/// use nalgebra::{DMatrix, DVector};
/// use recfact::client::Client;
/// use recfact::{Norm, Options};
///
/// let client = Client::spawn()?;
/// let a = DMatrix::from_row_slice(2, 2, &[4.0, 3.0, 6.0, 3.0]);
/// let lu = client.factor(&a, &Options::default())?;
/// let x = lu.solve(&DVector::from_vec(vec![10.0, 12.0]))?;
/// assert!((x - DVector::from_vec(vec![1.0, 2.0])).amax() < 1e-15);
/// assert_eq!(lu.determinant()?.value(), -6.0);
/// assert!(lu.rcond(Norm::One)? > 0.06);
/// # Ok::<(), recfact::client::Error>(())
/// ```
///
/// # How long factors are kept
///
/// Until this is dropped. Dropping it sends nothing: the next call of the client, for whatever it is, first has the server forget
/// the factors. [`KeptLu::release`] has it do so at once.
///
/// The server that keeps the factors may end: it is killed, a call times out, another thread's call fails in the middle. Then every
/// call here returns [`Error::FactorsLost`], whether or not the client has started another server, and so it does in a process
/// forked from this one. Factor the matrix again; the client goes on working.
///
/// [`Client::cancel`] ends a factorization; a solution is computed to its end.
///
/// Threads may share it. Their calls take turns, with each other and with all other calls of the client. Of a pool, a call waits
/// until the server that keeps the factors is free.
#[derive(Debug)]
pub struct KeptLu<'c, T: WireElement> {
    keeper: Keeper<'c>,
    kept: Kept,
    n: usize,
    info: i64,
    options: Options,
    element: PhantomData<fn() -> T>,
}

/// Whose server keeps the factors.
#[derive(Debug, Clone, Copy)]
pub(super) enum Keeper<'c> {
    Client(&'c Client),
    /// The client with this number in a pool.
    Pool(&'c Pool, usize),
}

impl Keeper<'_> {
    fn with<R>(self, call: impl FnOnce(&Client) -> Result<R, Error>) -> Result<R, Error> {
        match self {
            Keeper::Client(client) => call(client),
            Keeper::Pool(pool, index) => pool.with_client(index, call),
        }
    }
}

impl<'c, T: WireElement> KeptLu<'c, T> {
    /// The factors of an n x n matrix, from the answer to KEEP.
    pub(super) fn new(keeper: Keeper<'c>, n: usize, outcome: &Outcome, options: &Options) -> Self {
        let handle = outcome.answer.handle.expect("the answer has been checked");
        let kept = Kept { connection: outcome.connection, handle };
        KeptLu { keeper, kept, n, info: outcome.answer.info, options: *options, element: PhantomData }
    }

    /// 0, or k > 0 if U(k,k) is exactly zero (the first such k), -k without pivoting.
    #[must_use]
    pub fn info(&self) -> i64 {
        self.info
    }

    /// Whether U has an exact zero on its diagonal.
    #[must_use]
    pub fn is_singular(&self) -> bool {
        self.info != 0
    }

    /// The number of rows and of columns of A, n.
    #[must_use]
    pub fn order(&self) -> usize {
        self.n
    }

    /// X with A X = B, as [`Lu::solve`](crate::Lu::solve).
    ///
    /// # Errors
    /// As for [`KeptLu::solve_in_place`].
    pub fn solve<C: Dim, S: Storage<T, Dyn, C>>(&self, b: &Matrix<T, Dyn, C, S>) -> Result<Solution<T, C>, Error> {
        self.solve_system(Transpose::No, b)
    }

    /// X with A^T X = B.
    ///
    /// # Errors
    /// As for [`KeptLu::solve_in_place`].
    pub fn solve_transposed<C: Dim, S: Storage<T, Dyn, C>>(
        &self,
        b: &Matrix<T, Dyn, C, S>,
    ) -> Result<Solution<T, C>, Error> {
        self.solve_system(Transpose::Yes, b)
    }

    /// Solves A X = B or A^T X = B in place, as [`solve`](crate::solve): B is n x (any number) and becomes X.
    ///
    /// # Errors
    /// [`Error::Argument`] if A is singular, if B has another number of rows, or if the system refuses memory;
    /// [`Error::FactorsLost`]; and every other [`Error`] except [`Error::NotPiped`], [`Error::Start`] and [`Error::Gone`]. B is as
    /// it was, unless an answer ends in its middle.
    pub fn solve_in_place<'b>(&self, transpose: Transpose, b: impl Into<MatrixMut<'b, T>>) -> Result<(), Error> {
        let call = self.solving()?.with_b(transpose, b.into())?;
        self.compute(call).map(drop)
    }

    /// Solves in place, refines the solutions, and tells how good they are, one by one: what [`Lu::refine`](crate::Lu::refine) makes
    /// of the X of [`KeptLu::solve`]. A must have been kept, too: [`Client::factor_with_a`].
    ///
    /// # Errors
    /// As for [`KeptLu::solve_in_place`]; [`Error::Refused`] with code 11 if A has not been kept.
    pub fn solve_refined<'b>(
        &self,
        transpose: Transpose,
        b: impl Into<MatrixMut<'b, T>>,
        refinement: &Refinement,
    ) -> Result<Vec<Accuracy>, Error> {
        let call = self.solving()?.with_b(transpose, b.into())?.refined(refinement);
        Ok(self.compute(call)?.accuracy)
    }

    /// The reciprocal of the condition number of A; see [`rcond`](crate::rcond()).
    ///
    /// # Errors
    /// As for [`KeptLu::solve_in_place`], but A may be singular.
    pub fn rcond(&self, norm: Norm) -> Result<f64, Error> {
        Ok(self.compute(self.call(SystemKind::Condition).in_norm(norm))?.answer.rcond)
    }

    /// The determinant, which neither overflows nor underflows.
    ///
    /// # Errors
    /// As for [`KeptLu::solve_in_place`], but A may be singular.
    pub fn determinant(&self) -> Result<Determinant, Error> {
        Ok(self.compute(self.call(SystemKind::Determinant))?.determinant())
    }

    /// A^-1.
    ///
    /// # Errors
    /// As for [`KeptLu::solve_in_place`].
    pub fn inverse(&self) -> Result<DMatrix<T>, Error> {
        self.check_nonsingular()?;
        let mut x = DMatrix::from_vec(self.n, self.n, zeros(self.n * self.n)?);
        self.compute(self.call(SystemKind::Inverse).to(MatrixMut::from(&mut x)))?;
        Ok(x)
    }

    /// Has the server forget the factors at once. If it has ended, they are gone anyway, and that is no error.
    ///
    /// # Errors
    /// Those of an exchange with the server: [`Error::Died`], [`Error::TimedOut`], [`Error::OutOfStep`], [`Error::Io`],
    /// [`Error::Cancelled`].
    pub fn release(self) -> Result<(), Error> {
        let (keeper, kept) = (self.keeper, self.kept);
        drop(self);
        // Every conversation begins with what has been dropped.
        match keeper.with(|client| client.converse_with(Some(kept), 0, |_, _| Ok(()))) {
            Err(Error::FactorsLost) => Ok(()),
            result => result,
        }
    }

    fn solve_system<C: Dim, S: Storage<T, Dyn, C>>(
        &self,
        transpose: Transpose,
        b: &Matrix<T, Dyn, C, S>,
    ) -> Result<Solution<T, C>, Error> {
        let mut x = zeros(b.len())?;
        x.iter_mut().zip(b.iter()).for_each(|(x, b)| *x = *b);
        let (rows, columns) = b.shape_generic();
        let mut x = Matrix::from_data(VecStorage::new(rows, columns, x));
        self.solve_in_place(transpose, &mut x)?;
        Ok(x)
    }

    /// A call for solutions. A singular matrix has none.
    fn solving<'b>(&self) -> Result<SystemCall<'b, T>, Error> {
        self.check_nonsingular()?;
        Ok(self.call(SystemKind::Solve))
    }

    fn check_nonsingular(&self) -> Result<(), crate::Error> {
        match self.info {
            0 => Ok(()),
            info => Err(crate::Error::Singular { index: info.unsigned_abs() as usize }),
        }
    }

    fn call<'b>(&self, kind: SystemKind) -> SystemCall<'b, T> {
        SystemCall::of_kept(kind, self.n, self.kept.handle, self.info)
    }

    fn compute(&self, call: SystemCall<'_, T>) -> Result<Outcome, Error> {
        self.keeper.with(|client| client.compute(Some(self.kept), call, &self.options))
    }
}

impl<T: WireElement> Drop for KeptLu<'_, T> {
    fn drop(&mut self) {
        match self.keeper {
            Keeper::Client(client) => client.forget(self.kept),
            Keeper::Pool(pool, index) => pool.client(index).forget(self.kept),
        }
    }
}

/// The result of a solve: a matrix, or for a vector a vector.
type Solution<T, C> = Matrix<T, Dyn, C, VecStorage<T, Dyn, C>>;
