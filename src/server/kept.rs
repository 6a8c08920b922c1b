//! Factors that a session keeps under a handle.

use crate::error::Error;
use crate::lu::{Factored, Mixed, Monitor, gesv_mixed_with, zeros};
use crate::matrix::{MatrixMut, MatrixRef};
use crate::options::Options;
use crate::protocol::{Factors as Source, Refusal, SystemRequest, WireElement};

/// P A = L U of an n x n matrix, and what else is known of A.
#[derive(Debug)]
pub(super) struct Factors<T> {
    pub(super) n: usize,
    /// L and U.
    pub(super) lu: Vec<T>,
    pub(super) ipiv: Vec<i64>,
    pub(super) info: i64,
    /// A, if it is needed after it has been factored.
    pub(super) a: Option<Vec<T>>,
    /// The 1-norm and the infinity norm of A.
    pub(super) norms: [f64; 2],
}

impl<T: WireElement> Factors<T> {
    /// Memory for them.
    ///
    /// # Errors
    /// [`Refusal::OutOfMemory`].
    pub(super) fn new(n: usize, with_a: bool) -> Result<Self, Refusal> {
        let refused = |error| match error {
            Error::OutOfMemory { bytes } => Refusal::OutOfMemory { bytes },
            _ => Refusal::OutOfMemory { bytes: n },
        };
        let lu = zeros(n * n).map_err(refused)?;
        let ipiv = zeros(n).map_err(refused)?;
        let a = if with_a { Some(zeros(n * n).map_err(refused)?) } else { None };
        Ok(Factors { n, lu, ipiv, info: 0, a, norms: [0.0; 2] })
    }

    pub(super) fn lu(&self) -> MatrixRef<'_, T> {
        MatrixRef::from_slice(&self.lu, self.n, self.n, self.n).expect("n x n elements")
    }

    pub(super) fn lu_mut(&mut self) -> MatrixMut<'_, T> {
        MatrixMut::from_slice(&mut self.lu, self.n, self.n, self.n).expect("n x n elements")
    }

    /// The matrix and its factors; `None` if A is not there any more.
    pub(super) fn factored(&self) -> Option<Factored<'_, T>> {
        let a = MatrixRef::from_slice(self.a.as_deref()?, self.n, self.n, self.n).expect("n x n elements");
        Some(Factored { a, lu: self.lu(), ipiv: &self.ipiv })
    }
}

/// What factors count for beside their elements and row swaps: more than the account of them takes.
const OVERHEAD_BYTES: u64 = 256;

const _: () = assert!(size_of::<Entry>() as u64 <= OVERHEAD_BYTES);

/// Bytes that factors count for, as protocol.md says it.
pub(super) fn bytes(request: &SystemRequest, with_a: bool) -> u64 {
    let (matrix, n) = (request.shape.matrix_bytes() as u64, request.shape.n() as u64);
    let matrices = matrix.saturating_mul(if with_a { 2 } else { 1 });
    matrices.saturating_add(n.saturating_mul(8)).saturating_add(OVERHEAD_BYTES)
}

/// Factors of any element type.
#[derive(Debug)]
pub(super) enum AnyFactors {
    F64(Factors<f64>),
    F32(Factors<f32>),
}

/// An element type whose factors are kept.
pub(super) trait Keepable: WireElement {
    /// Factors of this type.
    fn into_any(factors: Factors<Self>) -> AnyFactors;
    /// The factors, if they are of this type.
    fn of(factors: &AnyFactors) -> Option<&Factors<Self>>;
    /// Solves in mixed precision; `None` if there is no narrower type.
    fn gesv_mixed(
        _a: MatrixMut<'_, Self>,
        _ipiv: &mut [i64],
        _b: MatrixRef<'_, Self>,
        _x: MatrixMut<'_, Self>,
        _options: &Options,
        _monitor: &Monitor,
    ) -> Option<Result<Mixed, Error>> {
        None
    }
}

impl Keepable for f64 {
    fn into_any(factors: Factors<f64>) -> AnyFactors {
        AnyFactors::F64(factors)
    }
    fn of(factors: &AnyFactors) -> Option<&Factors<f64>> {
        match factors {
            AnyFactors::F64(factors) => Some(factors),
            AnyFactors::F32(_) => None,
        }
    }
    fn gesv_mixed(
        a: MatrixMut<'_, f64>,
        ipiv: &mut [i64],
        b: MatrixRef<'_, f64>,
        x: MatrixMut<'_, f64>,
        options: &Options,
        monitor: &Monitor,
    ) -> Option<Result<Mixed, Error>> {
        Some(gesv_mixed_with(a, ipiv, b, x, options, Some(monitor)))
    }
}

impl Keepable for f32 {
    fn into_any(factors: Factors<f32>) -> AnyFactors {
        AnyFactors::F32(factors)
    }
    fn of(factors: &AnyFactors) -> Option<&Factors<f32>> {
        match factors {
            AnyFactors::F32(factors) => Some(factors),
            AnyFactors::F64(_) => None,
        }
    }
}

/// What is kept under a handle, or was.
#[derive(Debug)]
struct Entry {
    handle: u32,
    bytes: u64,
    factors: Option<AnyFactors>,
}

/// All factors of a session. No handle is given twice.
#[derive(Debug, Default)]
pub(super) struct Kept {
    /// In rising order of their handles.
    entries: Vec<Entry>,
    last: u32,
    count: usize,
    bytes: u64,
}

impl Kept {
    /// How many are kept.
    pub(super) fn count(&self) -> usize {
        self.count
    }

    /// Bytes of all of them.
    pub(super) fn bytes(&self) -> u64 {
        self.bytes
    }

    /// Checks that as many bytes more may be kept, and that there is memory to keep account of them.
    ///
    /// # Errors
    /// [`Refusal::KeepOverLimit`]; [`Refusal::OutOfMemory`].
    pub(super) fn check_room(&mut self, bytes: u64, max: u64) -> Result<(), Refusal> {
        if self.bytes.saturating_add(bytes) > max || self.last == u32::MAX {
            return Err(Refusal::KeepOverLimit { bytes, kept: self.bytes, max });
        }
        self.entries.try_reserve(1).map_err(|_| Refusal::OutOfMemory { bytes: size_of::<Entry>() })
    }

    /// Keeps factors, for which there is room. Returns their handle.
    pub(super) fn keep(&mut self, factors: AnyFactors, bytes: u64) -> u32 {
        self.last += 1;
        self.entries.push(Entry { handle: self.last, bytes, factors: Some(factors) });
        self.count += 1;
        self.bytes += bytes;
        self.last
    }

    /// The factors that a request names, of its type and order, with A if it needs that.
    ///
    /// # Errors
    /// [`Refusal::NoFactors`], [`Refusal::OtherFactors`].
    pub(super) fn find<T: Keepable>(&self, request: &SystemRequest) -> Result<Option<&Factors<T>>, Refusal> {
        let Source::Kept(handle) = request.factors else { return Ok(None) };
        let at = self.index(handle).ok_or(Refusal::NoFactors(handle))?;
        let any = self.entries[at].factors.as_ref().ok_or(Refusal::NoFactors(handle))?;
        let fits =
            |factors: &&Factors<T>| factors.n == request.shape.n() && (factors.a.is_some() || !request.is_refined());
        T::of(any).filter(fits).map(Some).ok_or_else(|| {
            let (n, element, with_a) = match any {
                AnyFactors::F64(factors) => (factors.n, f64::TYPE, factors.a.is_some()),
                AnyFactors::F32(factors) => (factors.n, f32::TYPE, factors.a.is_some()),
            };
            Refusal::OtherFactors { handle, n, element, with_a }
        })
    }

    /// Forgets factors.
    ///
    /// # Errors
    /// [`Refusal::NoFactors`].
    pub(super) fn release(&mut self, handle: u32) -> Result<(), Refusal> {
        let at = self.index(handle).ok_or(Refusal::NoFactors(handle))?;
        self.entries[at].factors.take().ok_or(Refusal::NoFactors(handle))?;
        self.count -= 1;
        self.bytes -= self.entries[at].bytes;
        // What is left of factors is removed when it is most of the list, so that a release takes little time.
        if self.count * 2 < self.entries.len() {
            self.entries.retain(|entry| entry.factors.is_some());
        }
        Ok(())
    }

    fn index(&self, handle: u32) -> Option<usize> {
        self.entries.binary_search_by_key(&handle, |entry| entry.handle).ok()
    }
}
