//! Systems by a server: one n x n matrix in a request, or factors that the server keeps, in the segment if there is one, else in
//! extended frames through the pipes.

mod call;
mod exchange;
mod kept;

use super::calls::Kept;
use super::{Client, Error, Pool};
use crate::lu::{Accuracy, Determinant, Mixed, Refinement};
use crate::matrix::{MatrixMut, MatrixRef};
use crate::options::{Norm, Options, Transpose};
use crate::protocol::{SystemAnswer, WireElement};
pub use call::SystemCall;
use kept::Keeper;
pub use kept::KeptLu;

/// What has been computed, beside what is in the memory of the caller.
struct Outcome {
    /// The number of the connection.
    connection: u64,
    answer: SystemAnswer,
    accuracy: Vec<Accuracy>,
}

impl Outcome {
    fn determinant(&self) -> Determinant {
        let (mantissa, exponent) = self.answer.det;
        Determinant { mantissa, exponent }
    }
}

/// # Systems
///
/// What the library computes with the factors of an n x n matrix, by the server, to the bit. [`Client::factor`] keeps the factors
/// there; the other functions forget them. If there is no mapped memory, matrices go through the pipes. A server that knows none of
/// this is [`Error::NoSystems`].
///
/// ```no_run
/// use nalgebra::{DMatrix, DVector};
/// use recfact::client::Client;
/// use recfact::{Norm, Options};
///
/// let (client, options) = (Client::spawn()?, Options::default());
/// let a = DMatrix::from_row_slice(2, 2, &[4.0, 3.0, 6.0, 3.0]);
/// let mut x = DVector::from_vec(vec![10.0, 12.0]);
/// assert_eq!(client.gesv(&a, &mut x, &options)?, 0);
/// assert!((x - DVector::from_vec(vec![1.0, 2.0])).amax() < 1e-15);
/// assert_eq!(client.determinant(&a, &options)?.value(), -6.0);
/// # Ok::<(), recfact::client::Error>(())
/// ```
///
/// The memory of the caller is written only after the server has computed the result, and not at all if A is singular. If the
/// answer ends in its middle, it holds a part of it.
impl Client {
    /// P A = L U of an n x n matrix, kept by the server until the result is dropped. What a server keeps counts against a limit of
    /// its own (`--keep-bytes`).
    ///
    /// # Errors
    /// [`Error::Argument`] if the matrix is not square; [`Error::Refused`] with code 12 if there is no room for the factors; and
    /// every other [`Error`] except [`Error::NotPiped`] and [`Error::FactorsLost`].
    pub fn factor<'a, T: WireElement>(
        &self,
        a: impl Into<MatrixRef<'a, T>>,
        options: &Options,
    ) -> Result<KeptLu<'_, T>, Error> {
        self.keep(a.into(), false, options)
    }

    /// The same, and the server keeps A beside the factors, so that solutions can be refined ([`KeptLu::solve_refined`]).
    ///
    /// # Errors
    /// As for [`Client::factor`].
    pub fn factor_with_a<'a, T: WireElement>(
        &self,
        a: impl Into<MatrixRef<'a, T>>,
        options: &Options,
    ) -> Result<KeptLu<'_, T>, Error> {
        self.keep(a.into(), true, options)
    }

    fn keep<T: WireElement>(
        &self,
        a: MatrixRef<'_, T>,
        with_a: bool,
        options: &Options,
    ) -> Result<KeptLu<'_, T>, Error> {
        let outcome = self.compute(None, SystemCall::keep(a, with_a)?, options)?;
        Ok(KeptLu::new(Keeper::Client(self), a.nrows(), &outcome, options))
    }

    /// Solves A X = B: B is n x (any number) and becomes X. Returns `info`; unless it is 0, B stays as it is (LAPACK: `DGESV`).
    ///
    /// # Errors
    /// [`Error::Argument`] for matrices that do not fit together, and every other [`Error`] except [`Error::NotPiped`] and
    /// [`Error::FactorsLost`].
    pub fn gesv<'a, 'b, T: WireElement>(
        &self,
        a: impl Into<MatrixRef<'a, T>>,
        b: impl Into<MatrixMut<'b, T>>,
        options: &Options,
    ) -> Result<i64, Error> {
        let call = SystemCall::gesv(a.into(), Transpose::No, b.into())?;
        Ok(self.compute(None, call, options)?.answer.info)
    }

    /// Solves A X = B or A^T X = B, and refines X as [`refine`](crate::refine()) does. Returns `info`, and how good each column of X
    /// is; unless `info` is 0, nothing is known of that, and B stays as it is.
    ///
    /// # Errors
    /// As for [`Client::gesv`].
    pub fn gesv_refined<'a, 'b, T: WireElement>(
        &self,
        transpose: Transpose,
        a: impl Into<MatrixRef<'a, T>>,
        b: impl Into<MatrixMut<'b, T>>,
        refinement: &Refinement,
        options: &Options,
    ) -> Result<(i64, Vec<Accuracy>), Error> {
        let call = SystemCall::gesv(a.into(), transpose, b.into())?.refined(refinement);
        let Outcome { answer, accuracy, .. } = self.compute(None, call, options)?;
        Ok((answer.info, accuracy))
    }

    /// [`gesv_mixed`](crate::gesv_mixed()) by the server: B becomes X; unless `info` is 0, it stays as it is.
    ///
    /// # Errors
    /// As for [`Client::gesv`]; [`Error::Refused`] with code 6 without pivoting.
    pub fn gesv_mixed<'a, 'b>(
        &self,
        a: impl Into<MatrixRef<'a, f64>>,
        b: impl Into<MatrixMut<'b, f64>>,
        options: &Options,
    ) -> Result<Mixed, Error> {
        let SystemAnswer { info, mixed_steps, .. } =
            self.compute(None, SystemCall::gesv_mixed(a.into(), b.into())?, options)?.answer;
        Ok(Mixed { info, steps: mixed_steps })
    }

    /// The reciprocal of the condition number of A; see [`rcond`](crate::rcond()).
    ///
    /// # Errors
    /// As for [`Client::gesv`].
    pub fn rcond<'a, T: WireElement>(
        &self,
        norm: Norm,
        a: impl Into<MatrixRef<'a, T>>,
        options: &Options,
    ) -> Result<f64, Error> {
        Ok(self.compute(None, SystemCall::rcond(norm, a.into())?, options)?.answer.rcond)
    }

    /// The determinant of A, which neither overflows nor underflows.
    ///
    /// # Errors
    /// As for [`Client::gesv`].
    pub fn determinant<'a, T: WireElement>(
        &self,
        a: impl Into<MatrixRef<'a, T>>,
        options: &Options,
    ) -> Result<Determinant, Error> {
        Ok(self.compute(None, SystemCall::determinant(a.into())?, options)?.determinant())
    }

    /// A^-1 in the place of A. Returns `info`; unless it is 0, A stays as it is.
    ///
    /// # Errors
    /// As for [`Client::gesv`].
    pub fn inverse<'a, T: WireElement>(&self, a: impl Into<MatrixMut<'a, T>>, options: &Options) -> Result<i64, Error> {
        Ok(self.compute(None, SystemCall::inverse(a.into())?, options)?.answer.info)
    }

    /// An exchange with the server, or with the one that keeps these factors.
    fn compute<T: WireElement>(
        &self,
        kept: Option<Kept>,
        system: SystemCall<'_, T>,
        options: &Options,
    ) -> Result<Outcome, Error> {
        let mut accuracy = system.accuracy()?;
        self.converse_with(kept, system.bytes(), |connection, mut call| {
            let computed = call.ask(connection, |connection, deadline| system.send(connection, options, deadline))?;
            system.receive(connection, &computed, &mut accuracy, call.deadline)?;
            let (answer, connection) = (computed.answer, connection.number());
            Ok(Outcome { connection, answer, accuracy: accuracy.into_read() })
        })
    }
}

/// The functions of [`Client`] on one matrix, on a server that is free.
impl Pool {
    /// [`Client::factor`].
    ///
    /// # Errors
    /// Those of that method.
    pub fn factor<'a, T: WireElement>(
        &self,
        a: impl Into<MatrixRef<'a, T>>,
        options: &Options,
    ) -> Result<KeptLu<'_, T>, Error> {
        self.keep(a.into(), false, options)
    }

    /// [`Client::factor_with_a`].
    ///
    /// # Errors
    /// Those of that method.
    pub fn factor_with_a<'a, T: WireElement>(
        &self,
        a: impl Into<MatrixRef<'a, T>>,
        options: &Options,
    ) -> Result<KeptLu<'_, T>, Error> {
        self.keep(a.into(), true, options)
    }

    fn keep<T: WireElement>(
        &self,
        a: MatrixRef<'_, T>,
        with_a: bool,
        options: &Options,
    ) -> Result<KeptLu<'_, T>, Error> {
        let call = SystemCall::keep(a, with_a)?;
        let (index, outcome) = self.with_index(|client| client.compute(None, call, options))?;
        Ok(KeptLu::new(Keeper::Pool(self, index), a.nrows(), &outcome, options))
    }

    /// [`Client::gesv`].
    ///
    /// # Errors
    /// Those of that method.
    pub fn gesv<'a, 'b, T: WireElement>(
        &self,
        a: impl Into<MatrixRef<'a, T>>,
        b: impl Into<MatrixMut<'b, T>>,
        options: &Options,
    ) -> Result<i64, Error> {
        self.with(|client| client.gesv(a, b, options))
    }

    /// [`Client::gesv_refined`].
    ///
    /// # Errors
    /// Those of that method.
    pub fn gesv_refined<'a, 'b, T: WireElement>(
        &self,
        transpose: Transpose,
        a: impl Into<MatrixRef<'a, T>>,
        b: impl Into<MatrixMut<'b, T>>,
        refinement: &Refinement,
        options: &Options,
    ) -> Result<(i64, Vec<Accuracy>), Error> {
        self.with(|client| client.gesv_refined(transpose, a, b, refinement, options))
    }

    /// [`Client::gesv_mixed`].
    ///
    /// # Errors
    /// Those of that method.
    pub fn gesv_mixed<'a, 'b>(
        &self,
        a: impl Into<MatrixRef<'a, f64>>,
        b: impl Into<MatrixMut<'b, f64>>,
        options: &Options,
    ) -> Result<Mixed, Error> {
        self.with(|client| client.gesv_mixed(a, b, options))
    }

    /// [`Client::rcond`].
    ///
    /// # Errors
    /// Those of that method.
    pub fn rcond<'a, T: WireElement>(
        &self,
        norm: Norm,
        a: impl Into<MatrixRef<'a, T>>,
        options: &Options,
    ) -> Result<f64, Error> {
        self.with(|client| client.rcond(norm, a, options))
    }

    /// [`Client::determinant`].
    ///
    /// # Errors
    /// Those of that method.
    pub fn determinant<'a, T: WireElement>(
        &self,
        a: impl Into<MatrixRef<'a, T>>,
        options: &Options,
    ) -> Result<Determinant, Error> {
        self.with(|client| client.determinant(a, options))
    }

    /// [`Client::inverse`].
    ///
    /// # Errors
    /// Those of that method.
    pub fn inverse<'a, T: WireElement>(&self, a: impl Into<MatrixMut<'a, T>>, options: &Options) -> Result<i64, Error> {
        self.with(|client| client.inverse(a, options))
    }
}
