//! What a caller asks for: the arguments of a function, checked.

use super::vectors::{Ipiv, Vectors};
use crate::batch::{BatchMut, BatchRef};
use crate::client::operands::Matrices;
use crate::error::Error;
use crate::lu::{
    Coefficients, Determinant, Swaps, batch_results, check_right_hand_sides, first_bad_row, same_shape, square,
};
use crate::options::Transpose;
use crate::protocol::{BatchKind, WireElement};

/// What is asked for, and the memory of the caller.
#[derive(Debug)]
pub struct BatchCall<'c, T> {
    pub(super) kind: BatchKind,
    pub(super) transposed: bool,
    pub(super) a: Matrices<'c, T>,
    /// Where the factors go, which may be where A is.
    pub(super) lu: Option<Matrices<'c, T>>,
    /// B, which becomes X; or where the inverses go.
    pub(super) x: Option<Matrices<'c, T>>,
    pub(super) vectors: Vectors<'c>,
}

impl<'c, T: WireElement> BatchCall<'c, T> {
    /// [`factor_batch`](crate::factor_batch).
    ///
    /// # Errors
    /// [`Error::BatchShape`], [`Error::BatchResults`].
    pub fn factor(a: Coefficients<'c, T>, swaps: Swaps<'c>, info: &'c mut [i64]) -> Result<Self, Error> {
        let (a, lu) = a.split(Matrices::shared, Matrices::mutable)?;
        let ipiv = Ipiv::Wanted(swaps.of(a.geometry)?);
        let info = batch_results("info", info, a.geometry.count())?;
        let vectors = Vectors { ipiv, info, det: &mut [] };
        Ok(BatchCall { kind: BatchKind::Factor, transposed: false, a, lu, x: None, vectors })
    }

    /// [`solve_batch`](crate::solve_batch).
    ///
    /// # Errors
    /// [`Error::NotSquare`], [`Error::BatchShape`], [`Error::BatchResults`], [`Error::Pivot`].
    pub fn solve(
        transpose: Transpose,
        lu: BatchRef<'c, T>,
        ipiv: &'c [i64],
        b: BatchMut<'c, T>,
    ) -> Result<Self, Error> {
        let n = check_right_hand_sides(lu.geometry(), b.geometry())?;
        let (expected, found) = (lu.geometry().count().saturating_mul(n), ipiv.len());
        let ipiv = ipiv.get(..expected).ok_or(Error::BatchResults { name: "ipiv", expected, found })?;
        if let Some(at) = first_bad_row(ipiv, n) {
            return Err(Error::Pivot { index: at % n.max(1) + 1, row: ipiv[at], m: n });
        }
        let vectors = Vectors { ipiv: Ipiv::Given(ipiv), info: &mut [], det: &mut [] };
        let (a, x, transposed) = (Matrices::shared(lu), Some(Matrices::mutable(b)), transpose.is_transposed());
        Ok(BatchCall { kind: BatchKind::Solve, transposed, a, lu: None, x, vectors })
    }

    /// [`gesv_batch`](crate::gesv_batch).
    ///
    /// # Errors
    /// As for [`Self::factor`]; [`Error::NotSquare`].
    pub fn gesv(
        a: Coefficients<'c, T>,
        swaps: Swaps<'c>,
        b: BatchMut<'c, T>,
        info: &'c mut [i64],
    ) -> Result<Self, Error> {
        let call = BatchCall::factor(a, swaps, info)?;
        check_right_hand_sides(call.a.geometry, b.geometry())?;
        Ok(BatchCall { kind: BatchKind::Gesv, x: Some(Matrices::mutable(b)), ..call })
    }

    /// [`inverse_batch`](crate::inverse_batch).
    ///
    /// # Errors
    /// [`Error::NotSquare`], [`Error::BatchShape`], [`Error::BatchResults`].
    pub fn inverse(a: BatchRef<'c, T>, inverse: BatchMut<'c, T>, info: &'c mut [i64]) -> Result<Self, Error> {
        square(a.geometry())?;
        same_shape("the inverses", a.geometry(), inverse.geometry())?;
        let call = BatchCall::factor(Coefficients::Kept(a), Swaps::Nowhere, info)?;
        Ok(BatchCall { kind: BatchKind::Inverse, x: Some(Matrices::mutable(inverse)), ..call })
    }

    /// [`det_batch`](crate::det_batch).
    ///
    /// # Errors
    /// [`Error::NotSquare`], [`Error::BatchResults`].
    pub fn det(a: BatchRef<'c, T>, det: &'c mut [Determinant]) -> Result<Self, Error> {
        square(a.geometry())?;
        let det = batch_results("det", det, a.geometry().count())?;
        let vectors = Vectors { ipiv: Ipiv::Wanted(Swaps::Nowhere), info: &mut [], det };
        let a = Matrices::shared(a);
        Ok(BatchCall { kind: BatchKind::Det, transposed: false, a, lu: None, x: None, vectors })
    }

    /// Bytes of the matrices A.
    pub(in crate::client) fn bytes(&self) -> usize {
        self.a.bytes()
    }
}
