//! What a caller asks for: the arguments of a function, checked.

use crate::client::operands::Matrices;
use crate::error::Error;
use crate::lu::{Accuracy, Refinement, zeros};
use crate::matrix::{MatrixMut, MatrixRef};
use crate::options::{Norm, Transpose};
use crate::protocol::{Factors, SystemKind, WireElement};

/// What is asked for, and the memory of the caller.
#[derive(Debug)]
pub struct SystemCall<'c, T> {
    pub(super) kind: SystemKind,
    pub(super) factors: Factors,
    pub(super) n: usize,
    /// The `info` of kept factors.
    pub(super) known_info: Option<i64>,
    /// A, unless its factors are kept.
    pub(super) a: Option<Matrices<'c, T>>,
    /// B, which becomes X; or where the inverse goes.
    pub(super) x: Option<Matrices<'c, T>>,
    pub(super) transposed: bool,
    pub(super) norm: Norm,
    /// How the solution is refined, if it is.
    pub(super) refinement: Option<Refinement>,
}

impl<'c, T: WireElement> SystemCall<'c, T> {
    /// A computation with a matrix.
    ///
    /// # Errors
    /// [`Error::NotSquare`].
    fn of_matrix(kind: SystemKind, a: MatrixRef<'c, T>, factors: Factors) -> Result<Self, Error> {
        let (m, n) = (a.nrows(), a.ncols());
        if m != n {
            return Err(Error::NotSquare { m, n });
        }
        Ok(SystemCall { a: Some(a.into()), ..SystemCall::of_factors(kind, n, factors, None) })
    }

    /// A computation with kept factors, which have this `info`.
    pub(super) fn of_kept(kind: SystemKind, n: usize, handle: u32, info: i64) -> Self {
        SystemCall::of_factors(kind, n, Factors::Kept(handle), Some(info))
    }

    fn of_factors(kind: SystemKind, n: usize, factors: Factors, known_info: Option<i64>) -> Self {
        let (a, x, transposed, norm, refinement) = (None, None, false, Norm::One, None);
        SystemCall { kind, factors, n, known_info, a, x, transposed, norm, refinement }
    }

    /// Factors a matrix and keeps the factors, perhaps with the matrix.
    ///
    /// # Errors
    /// [`Error::NotSquare`].
    pub fn keep(a: MatrixRef<'c, T>, with_a: bool) -> Result<Self, Error> {
        SystemCall::of_matrix(SystemKind::Keep, a, Factors::Keep { with_a })
    }

    /// A X = B or A^T X = B.
    ///
    /// # Errors
    /// [`Error::NotSquare`], [`Error::RightHandSide`].
    pub fn gesv(a: MatrixRef<'c, T>, transpose: Transpose, b: MatrixMut<'c, T>) -> Result<Self, Error> {
        SystemCall::of_matrix(SystemKind::Solve, a, Factors::Computed)?.with_b(transpose, b)
    }

    /// The same with factors in the narrower type.
    ///
    /// # Errors
    /// [`Error::NotSquare`], [`Error::RightHandSide`].
    pub fn gesv_mixed(a: MatrixRef<'c, T>, b: MatrixMut<'c, T>) -> Result<Self, Error> {
        SystemCall::of_matrix(SystemKind::Solve, a, Factors::Mixed)?.with_b(Transpose::No, b)
    }

    /// The reciprocal condition number.
    ///
    /// # Errors
    /// [`Error::NotSquare`].
    pub fn rcond(norm: Norm, a: MatrixRef<'c, T>) -> Result<Self, Error> {
        Ok(SystemCall::of_matrix(SystemKind::Condition, a, Factors::Computed)?.in_norm(norm))
    }

    /// The determinant.
    ///
    /// # Errors
    /// [`Error::NotSquare`].
    pub fn determinant(a: MatrixRef<'c, T>) -> Result<Self, Error> {
        SystemCall::of_matrix(SystemKind::Determinant, a, Factors::Computed)
    }

    /// The inverse in the place of A.
    ///
    /// # Errors
    /// [`Error::NotSquare`].
    pub fn inverse(a: MatrixMut<'c, T>) -> Result<Self, Error> {
        let (m, n) = (a.nrows(), a.ncols());
        if m != n {
            return Err(Error::NotSquare { m, n });
        }
        let (call, a) = (SystemCall::of_factors(SystemKind::Inverse, n, Factors::Computed, None), Matrices::from(a));
        Ok(SystemCall { a: Some(a), x: Some(a), ..call })
    }

    /// The same call for these right-hand sides, which become the solution.
    ///
    /// # Errors
    /// [`Error::RightHandSide`].
    pub(super) fn with_b(self, transpose: Transpose, b: MatrixMut<'c, T>) -> Result<Self, Error> {
        let (expected, found) = (self.n, b.nrows());
        if expected != found {
            return Err(Error::RightHandSide { expected, found });
        }
        Ok(SystemCall { x: Some(b.into()), transposed: transpose.is_transposed(), ..self })
    }

    /// The same call, whose solution is refined.
    #[must_use]
    pub fn refined(self, refinement: &Refinement) -> Self {
        SystemCall { refinement: Some(*refinement), ..self }
    }

    /// The same call with another norm.
    pub(super) fn in_norm(self, norm: Norm) -> Self {
        SystemCall { norm, ..self }
    }

    /// The same call, whose inverse goes here.
    pub(super) fn to(self, inverse: MatrixMut<'c, T>) -> Self {
        SystemCall { x: Some(inverse.into()), ..self }
    }

    /// The right-hand sides.
    pub(super) fn b(&self) -> Option<Matrices<'c, T>> {
        self.x.filter(|_| self.kind == SystemKind::Solve)
    }

    /// Bytes of the matrices.
    pub(in crate::client) fn bytes(&self) -> usize {
        let bytes = |matrices: Option<Matrices<'_, T>>| matrices.map_or(0, Matrices::bytes);
        bytes(self.a).saturating_add(bytes(self.x))
    }

    /// Memory for the accuracy of each column, if it is wanted.
    ///
    /// # Errors
    /// [`Error::OutOfMemory`].
    pub fn accuracy(&self) -> Result<AccuracyMemory, Error> {
        AccuracyMemory::new(self.b().filter(|_| self.refinement.is_some()).map_or(0, |b| b.geometry.ncols()))
    }
}

/// How good each column of a solution is: as it is sent, and as it is returned.
#[derive(Debug)]
pub struct AccuracyMemory {
    sent: Vec<[u64; 3]>,
    read: Vec<Accuracy>,
}

impl AccuracyMemory {
    fn new(columns: usize) -> Result<Self, Error> {
        let (sent, mut read) = (zeros(columns)?, Vec::new());
        let bytes = columns * size_of::<Accuracy>();
        read.try_reserve_exact(columns).map_err(|_| Error::OutOfMemory { bytes })?;
        Ok(AccuracyMemory { sent, read })
    }

    /// The bytes that are sent.
    pub(super) fn bytes(&mut self) -> &mut [u8] {
        bytemuck::cast_slice_mut(&mut self.sent)
    }

    /// Nothing is known.
    pub(super) fn read_unknown(&mut self) {
        self.read.extend(self.sent.iter().map(|_| Accuracy::UNKNOWN));
    }

    /// Reads what has been sent; a number of steps that is none comes back.
    pub(super) fn read(&mut self) -> Result<(), u64> {
        for &sent in &self.sent {
            let [backward, forward, steps] = sent.map(u64::from_le);
            let [backward, forward] = [backward, forward].map(f64::from_bits);
            self.read.push(Accuracy { backward, forward, steps: u32::try_from(steps).map_err(|_| steps)? });
        }
        Ok(())
    }

    /// What has been read.
    pub fn into_read(self) -> Vec<Accuracy> {
        self.read
    }
}
