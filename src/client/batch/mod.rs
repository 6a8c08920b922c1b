//! Batches by a server: many matrices of one shape in one request, in the segment if there is one, else in extended frames
//! through the pipes.

mod call;
mod exchange;
mod plan;
mod vectors;

use super::{Client, Error, Pool};
use crate::batch::{BatchMut, BatchRef};
use crate::lu::{Coefficients, Determinant, Swaps};
use crate::options::{Options, Transpose};
use crate::protocol::WireElement;
pub use call::BatchCall;

/// # Batches
///
/// The functions of the library on many matrices of one shape, by the server: the arguments and the bits are the same. If there
/// is no mapped memory, the matrices go through the pipes. A server that knows no batches is [`Error::NoBatches`].
///
/// ```no_run
/// use recfact::client::Client;
/// use recfact::{BatchMut, BatchRef, Layout, Options, Swaps};
///
/// let client = Client::spawn()?;
/// let a = [4.0, 3.0, 6.0, 3.0, 2.0, 0.0, 0.0, 2.0];
/// let (mut b, mut info) = ([2.0, 0.0, 1.0, 2.0], [0; 2]);
/// let (a, x) = (
///     BatchRef::from_slice(&a, 2, [2, 2], Layout::RowMajor)?,
///     BatchMut::from_slice(&mut b, 2, [2, 1], Layout::RowMajor)?,
/// );
/// client.gesv_batch(a, Swaps::Nowhere, x, &mut info, &Options::default())?;
/// assert_eq!((b, info), ([-1.0, 2.0, 0.5, 1.0], [0, 0]));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// Results are written only after the server has computed all of them. So they are unchanged after [`Error::Argument`],
/// [`Error::Start`], [`Error::Refused`], [`Error::Cancelled`], [`Error::Gone`] and [`Error::NoBatches`], and if the server dies
/// or the time is up before the answer. If the answer ends in its middle, they hold a part of it.
impl Client {
    /// [`factor_batch`](crate::factor_batch) by the server.
    ///
    /// # Errors
    /// [`Error::Argument`] for arguments that do not fit together, and every other [`Error`] except [`Error::NotPiped`].
    pub fn factor_batch<'a, T: WireElement>(
        &self,
        a: impl Into<Coefficients<'a, T>>,
        swaps: impl Into<Swaps<'a>>,
        info: &mut [i64],
        options: &Options,
    ) -> Result<(), Error> {
        self.batch(BatchCall::factor(a.into(), swaps.into(), info)?, options)
    }

    /// [`solve_batch`](crate::solve_batch) by the server.
    ///
    /// # Errors
    /// As for [`Client::factor_batch`].
    pub fn solve_batch<T: WireElement>(
        &self,
        transpose: Transpose,
        lu: BatchRef<'_, T>,
        ipiv: &[i64],
        b: BatchMut<'_, T>,
        options: &Options,
    ) -> Result<(), Error> {
        self.batch(BatchCall::solve(transpose, lu, ipiv, b)?, options)
    }

    /// [`gesv_batch`](crate::gesv_batch) by the server.
    ///
    /// # Errors
    /// As for [`Client::factor_batch`].
    pub fn gesv_batch<'a, T: WireElement>(
        &self,
        a: impl Into<Coefficients<'a, T>>,
        swaps: impl Into<Swaps<'a>>,
        b: BatchMut<'_, T>,
        info: &mut [i64],
        options: &Options,
    ) -> Result<(), Error> {
        self.batch(BatchCall::gesv(a.into(), swaps.into(), b, info)?, options)
    }

    /// [`inverse_batch`](crate::inverse_batch) by the server.
    ///
    /// # Errors
    /// As for [`Client::factor_batch`].
    pub fn inverse_batch<T: WireElement>(
        &self,
        a: BatchRef<'_, T>,
        inverse: BatchMut<'_, T>,
        info: &mut [i64],
        options: &Options,
    ) -> Result<(), Error> {
        self.batch(BatchCall::inverse(a, inverse, info)?, options)
    }

    /// [`det_batch`](crate::det_batch) by the server.
    ///
    /// # Errors
    /// As for [`Client::factor_batch`].
    pub fn det_batch<T: WireElement>(
        &self,
        a: BatchRef<'_, T>,
        det: &mut [Determinant],
        options: &Options,
    ) -> Result<(), Error> {
        self.batch(BatchCall::det(a, det)?, options)
    }

    /// An exchange with the server.
    fn batch<T: WireElement>(&self, batch: BatchCall<'_, T>, options: &Options) -> Result<(), Error> {
        self.converse(batch.bytes(), |connection, mut call| {
            let computed = call.ask(connection, |connection, deadline| batch.send(connection, options, deadline))?;
            batch.receive(connection, &computed, options, call.deadline)
        })
    }
}

/// The functions of [`Client`] on batches, on a server that is free.
impl Pool {
    /// [`Client::factor_batch`].
    ///
    /// # Errors
    /// Those of that method.
    pub fn factor_batch<'a, T: WireElement>(
        &self,
        a: impl Into<Coefficients<'a, T>>,
        swaps: impl Into<Swaps<'a>>,
        info: &mut [i64],
        options: &Options,
    ) -> Result<(), Error> {
        self.with(|client| client.factor_batch(a, swaps, info, options))
    }

    /// [`Client::solve_batch`].
    ///
    /// # Errors
    /// Those of that method.
    pub fn solve_batch<T: WireElement>(
        &self,
        transpose: Transpose,
        lu: BatchRef<'_, T>,
        ipiv: &[i64],
        b: BatchMut<'_, T>,
        options: &Options,
    ) -> Result<(), Error> {
        self.with(|client| client.solve_batch(transpose, lu, ipiv, b, options))
    }

    /// [`Client::gesv_batch`].
    ///
    /// # Errors
    /// Those of that method.
    pub fn gesv_batch<'a, T: WireElement>(
        &self,
        a: impl Into<Coefficients<'a, T>>,
        swaps: impl Into<Swaps<'a>>,
        b: BatchMut<'_, T>,
        info: &mut [i64],
        options: &Options,
    ) -> Result<(), Error> {
        self.with(|client| client.gesv_batch(a, swaps, b, info, options))
    }

    /// [`Client::inverse_batch`].
    ///
    /// # Errors
    /// Those of that method.
    pub fn inverse_batch<T: WireElement>(
        &self,
        a: BatchRef<'_, T>,
        inverse: BatchMut<'_, T>,
        info: &mut [i64],
        options: &Options,
    ) -> Result<(), Error> {
        self.with(|client| client.inverse_batch(a, inverse, info, options))
    }

    /// [`Client::det_batch`].
    ///
    /// # Errors
    /// Those of that method.
    pub fn det_batch<T: WireElement>(
        &self,
        a: BatchRef<'_, T>,
        det: &mut [Determinant],
        options: &Options,
    ) -> Result<(), Error> {
        self.with(|client| client.det_batch(a, det, options))
    }
}
