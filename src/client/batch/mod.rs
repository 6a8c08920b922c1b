//! Batches by a server: many matrices of one shape in one request, in the segment if there is one, else in extended frames
//! through the pipes.

mod exchange;
mod memory;
mod plan;

use super::{Client, Error, Pool};
use crate::batch::{BatchMut, BatchRef, Geometry};
use crate::lu::{
    Coefficients, Determinant, Swaps, batch_results, check_right_hand_sides, first_bad_row, same_shape, square,
};
use crate::options::{Options, Transpose};
use crate::protocol::{BatchKind, WireElement};
use memory::{Call, Ipiv, Matrices, Vectors};

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
        let (a, lu) = split(a.into())?;
        let vectors =
            Vectors { ipiv: wanted(swaps.into(), a.geometry)?, info: results("info", info, a.geometry)?, det: &mut [] };
        self.batch(Call { kind: BatchKind::Factor, transposed: false, a, lu, x: None, vectors }, options)
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
        let n = check_right_hand_sides(lu.geometry(), b.geometry())?;
        let (expected, found) = (lu.geometry().count().saturating_mul(n), ipiv.len());
        let ipiv = ipiv.get(..expected).ok_or(crate::Error::BatchResults { name: "ipiv", expected, found })?;
        if let Some(at) = first_bad_row(ipiv, n) {
            return Err(crate::Error::Pivot { index: at % n.max(1) + 1, row: ipiv[at], m: n }.into());
        }
        let vectors = Vectors { ipiv: Ipiv::Given(ipiv), info: &mut [], det: &mut [] };
        let (a, x) = (Matrices::shared(lu), Some(Matrices::mutable(b)));
        let transposed = transpose.is_transposed();
        self.batch(Call { kind: BatchKind::Solve, transposed, a, lu: None, x, vectors }, options)
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
        let (a, lu) = split(a.into())?;
        check_right_hand_sides(a.geometry, b.geometry())?;
        let vectors =
            Vectors { ipiv: wanted(swaps.into(), a.geometry)?, info: results("info", info, a.geometry)?, det: &mut [] };
        let x = Some(Matrices::mutable(b));
        self.batch(Call { kind: BatchKind::Gesv, transposed: false, a, lu, x, vectors }, options)
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
        square(a.geometry())?;
        same_shape("the inverses", a.geometry(), inverse.geometry())?;
        let vectors = Vectors { ipiv: Ipiv::Absent, info: results("info", info, a.geometry())?, det: &mut [] };
        let (a, x) = (Matrices::shared(a), Some(Matrices::mutable(inverse)));
        self.batch(Call { kind: BatchKind::Inverse, transposed: false, a, lu: None, x, vectors }, options)
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
        square(a.geometry())?;
        let vectors = Vectors { ipiv: Ipiv::Absent, info: &mut [], det: results("det", det, a.geometry())? };
        let a = Matrices::shared(a);
        self.batch(Call { kind: BatchKind::Det, transposed: false, a, lu: None, x: None, vectors }, options)
    }

    /// An exchange with the server.
    fn batch<T: WireElement>(&self, batch: Call<'_, T>, options: &Options) -> Result<(), Error> {
        self.converse(batch.a.bytes(), |connection, mut call| {
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

/// The matrices, and where their factors go.
fn split<'a, T: WireElement>(
    a: Coefficients<'a, T>,
) -> Result<(Matrices<'a, T>, Option<Matrices<'a, T>>), crate::Error> {
    Ok(match a {
        Coefficients::Overwritten(a) => {
            let a = Matrices::mutable(a);
            (a, Some(a))
        }
        Coefficients::Kept(a) => (Matrices::shared(a), None),
        Coefficients::Copied { a, lu } => {
            same_shape("L and U", a.geometry(), lu.geometry())?;
            (Matrices::shared(a), Some(Matrices::mutable(lu)))
        }
    })
}

/// The row swaps of these matrices, no more than there are.
fn wanted<'a>(swaps: Swaps<'a>, a: Geometry) -> Result<Ipiv<'a>, crate::Error> {
    // No overflow: there are no more pivots than elements, which the memory of the batch has.
    let pivots = a.count() * a.nrows().min(a.ncols());
    Ok(match swaps {
        Swaps::Lapack(ipiv) => Ipiv::Wanted(Swaps::Lapack(batch_results("ipiv", ipiv, pivots)?)),
        Swaps::ZeroBased(piv) => Ipiv::Wanted(Swaps::ZeroBased(batch_results("piv", piv, pivots)?)),
        Swaps::Nowhere => Ipiv::Absent,
    })
}

/// A result of one number for each matrix.
fn results<'r, R>(name: &'static str, memory: &'r mut [R], a: Geometry) -> Result<&'r mut [R], crate::Error> {
    batch_results(name, memory, a.count())
}
