//! Batches.

use recfact::{
    BatchMut, BatchRef, Determinant, Element, Error, Layout, Options, Swaps, Transpose, det_batch, factor_batch,
    gesv_batch, inverse_batch, release, solve_batch,
};
use testing::{Float, Kind, matrix};

use crate::allocations::allocations;
use crate::limit::NoMemory;

/// A batch: matrices, which become factors if the call says so, right-hand sides, and what else a call gives.
#[derive(Clone)]
struct Batch<T> {
    n: usize,
    a: Vec<T>,
    b: Vec<T>,
    inverse: Vec<T>,
    ipiv: Vec<i64>,
    info: Vec<i64>,
    det: Vec<Determinant>,
}

/// Matrices of a batch.
const COUNT: usize = 100;

/// A call for a batch. The layout is that of every matrix; the flag says that the matrices stay.
#[derive(Debug, Clone, Copy)]
enum BatchCall {
    Factor(Layout),
    Solve(Layout),
    Gesv(Layout, bool),
    Inverse(Layout),
    Det(Layout),
}

impl BatchCall {
    fn all() -> impl Iterator<Item = BatchCall> {
        [Layout::ColumnMajor, Layout::RowMajor].into_iter().flat_map(|layout| {
            let gesv = [true, false].map(|is_kept| BatchCall::Gesv(layout, is_kept));
            [BatchCall::Factor(layout), BatchCall::Solve(layout), BatchCall::Inverse(layout), BatchCall::Det(layout)]
                .into_iter()
                .chain(gesv)
        })
    }

    /// Whether the call needs no memory, so that it may not be refused: column-major, and in place.
    fn needs_none(self) -> bool {
        use BatchCall::{Factor, Gesv, Solve};
        matches!(self, Factor(Layout::ColumnMajor) | Solve(Layout::ColumnMajor) | Gesv(Layout::ColumnMajor, false))
    }
}

impl<T: Element + Float> Batch<T> {
    /// Before the call: `Solve` starts from factors.
    fn new(n: usize, call: BatchCall) -> Self {
        let a = (0..COUNT).flat_map(|k| matrix(Kind::Uniform, n, n, k as u64)).collect();
        let b = (0..COUNT).flat_map(|k| matrix(Kind::Uniform, n, 2, k as u64)).collect();
        let (inverse, det) = (vec![T::from_f64(7.0); n * n * COUNT], vec![Determinant::ONE; COUNT]);
        let mut batch = Batch { n, a, b, inverse, ipiv: vec![7; n * COUNT], info: vec![7; COUNT], det };
        if let BatchCall::Solve(layout) = call {
            batch.call(BatchCall::Factor(layout), 1).unwrap();
        }
        batch
    }

    /// Takes no memory of its own.
    fn call(&mut self, call: BatchCall, threads: usize) -> Result<(), Error> {
        let Batch { n, a, b, inverse, ipiv, info, det } = self;
        let (square, right) = ([*n, *n], [*n, 2]);
        let options = Options::new().threads(threads);
        match call {
            BatchCall::Factor(layout) => {
                factor_batch(BatchMut::from_slice(a, COUNT, square, layout)?, &mut ipiv[..], info, &options)
            }
            BatchCall::Solve(layout) => {
                let lu = BatchRef::from_slice(a, COUNT, square, layout)?;
                solve_batch(Transpose::No, lu, ipiv, BatchMut::from_slice(b, COUNT, right, layout)?, &options)
            }
            BatchCall::Gesv(layout, true) => {
                let a = BatchRef::from_slice(a, COUNT, square, layout)?;
                gesv_batch(a, Swaps::Nowhere, BatchMut::from_slice(b, COUNT, right, layout)?, info, &options)
            }
            BatchCall::Gesv(layout, false) => {
                let a = BatchMut::from_slice(a, COUNT, square, layout)?;
                gesv_batch(a, &mut ipiv[..], BatchMut::from_slice(b, COUNT, right, layout)?, info, &options)
            }
            BatchCall::Inverse(layout) => {
                let a = BatchRef::from_slice(a, COUNT, square, layout)?;
                inverse_batch(a, BatchMut::from_slice(inverse, COUNT, square, layout)?, info, &options)
            }
            BatchCall::Det(layout) => det_batch(BatchRef::from_slice(a, COUNT, square, layout)?, det, &options),
        }
    }

    /// Whether all arrays have the same bits.
    fn is(&self, other: &Self) -> bool {
        let same = [(&self.a, &other.a), (&self.b, &other.b), (&self.inverse, &other.inverse)];
        let same = same.into_iter().all(|(a, b)| crate::same(a, b));
        same && (&self.ipiv, &self.info, &self.det) == (&other.ipiv, &other.info, &other.det)
    }
}

/// Matrices that are worked on by lanes, and larger ones.
const ORDERS: [usize; 5] = [1, 4, 8, 16, 40];

/// Orders, calls and numbers of threads.
fn batch_calls() -> impl Iterator<Item = (usize, BatchCall, usize)> {
    let calls = ORDERS.into_iter().flat_map(|n| BatchCall::all().map(move |call| (n, call)));
    calls.flat_map(|(n, call)| [1, 2].map(|threads| (n, call, threads)))
}

/// Batches give the same bits, or are refused and stay as they are.
pub fn batches_without_memory<T: Element + Float>() {
    for (n, call, threads) in batch_calls() {
        let before = Batch::<T>::new(n, call);
        let (mut expected, mut batch) = (before.clone(), before.clone());
        expected.call(call, threads).unwrap();
        release();
        let no_memory = NoMemory::begin();
        let result = batch.call(call, threads);
        drop(no_memory);
        match result {
            Ok(()) => assert!(batch.is(&expected), "{call:?}, n = {n}: other bits"),
            Err(Error::OutOfMemory { bytes }) => {
                assert!(bytes > 0 && bytes <= 4 * (n * n + n) * size_of::<T>() + 8 * n, "{call:?}, n = {n}: {bytes}");
                assert!(batch.is(&before), "{call:?}, n = {n}: refused, but something is written");
            }
            Err(error) => panic!("{call:?}, n = {n}: {error}"),
        }
        assert_eq!(result.is_ok(), call.needs_none(), "{call:?}, n = {n}: {result:?}");
    }
}

/// Later calls for a batch of the same shape have the memory of the first one.
pub fn batches_take_memory_once<T: Element + Float>() {
    for (n, call, threads) in batch_calls() {
        let mut batches = [(); 6].map(|()| Batch::<T>::new(n, call));
        release();
        let taken = batches.each_mut().map(|batch| allocations(|| batch.call(call, threads).unwrap()));
        // A helper that found no work left at first takes its own memory, of elements and of row swaps, when it finds some.
        let of_helpers = 2 * (threads - 1);
        let is_once = taken[1..].iter().sum::<usize>() <= of_helpers;
        assert!(is_once, "{call:?}, n = {n}, {threads} threads: {taken:?}");
        // Otherwise nothing has been counted.
        assert!(taken[0] > 0 || call.needs_none(), "{call:?}, n = {n}");
    }
}
