//! A process that gets no more memory: factorizations and solves take longer and give the same bits; what needs memory
//! for its result says how much it lacks. Nothing aborts.
//!
//! Each case runs in a process of its own on each instruction set. There is no test harness in it, since that has a thread
//! which takes memory. As with a harness, an argument chooses cases by a part of their name.

#[path = "client/allocations.rs"]
mod allocations;

use std::sync::Barrier;
use std::{env, thread};

use allocations::allocations;
use nalgebra::DMatrix;
use nix::sys::resource::{Resource, getrlimit, setrlimit};
use recfact::{
    BatchMut, BatchRef, Determinant, Element, Error, Isa, Layout, Lu, MatrixMut, MatrixRef, Options, Pivoting, Swaps,
    Transpose, det_batch, factor, factor_batch, gesv_batch, inverse_batch, release, solve, solve_batch,
};
use testing::process::{status_kib, succeed, this_program};
use testing::{Float, Kind, instruction_sets, matrix};

/// While it lives the process gets no memory, neither from the system nor from what the allocator has kept.
struct NoMemory {
    limits: (u64, u64),
    _hoard: Hoard,
}

impl NoMemory {
    fn begin() -> Self {
        let mut hoard = Hoard::default();
        let limits = getrlimit(Resource::RLIMIT_DATA).unwrap();
        setrlimit(Resource::RLIMIT_DATA, (status_kib("self", "VmData") + 4) << 10, limits.1).unwrap();
        hoard.take_all();
        NoMemory { limits, _hoard: hoard }
    }
}

impl Drop for NoMemory {
    fn drop(&mut self) {
        setrlimit(Resource::RLIMIT_DATA, self.limits.0, self.limits.1).unwrap();
    }
}

/// Memory that is taken so that nobody else gets it.
struct Hoard(Vec<Vec<u8>>);

impl Default for Hoard {
    fn default() -> Self {
        Hoard(Vec::with_capacity(1 << 16))
    }
}

impl Hoard {
    /// Takes everything that the allocator has for this thread.
    fn take_all(&mut self) {
        for bytes in [1 << 16, 1 << 12, 1 << 8, 1 << 4, 1] {
            while let Some(block) = reserve(bytes) {
                assert!(self.0.len() < self.0.capacity(), "the limit does not hold");
                self.0.push(block);
            }
        }
    }
}

fn reserve(bytes: usize) -> Option<Vec<u8>> {
    let mut block = Vec::new();
    block.try_reserve_exact(bytes).ok().map(|()| block)
}

/// Whether all bits are equal. Takes no memory.
fn same<T: Float>(a: &[T], b: &[T]) -> bool {
    a.len() == b.len() && a.iter().zip(b).all(|(a, b)| a.bits() == b.bits())
}

/// A matrix and its factors.
struct Factored<T> {
    m: usize,
    n: usize,
    pivoting: Pivoting,
    a: Vec<T>,
    lu: Vec<T>,
    ipiv: Vec<i64>,
    info: i64,
}

impl<T: Element + Float> Factored<T> {
    fn new(m: usize, n: usize, pivoting: Pivoting) -> Self {
        let a: Vec<T> = matrix(Kind::Uniform, m, n, (m * 1000 + n) as u64);
        let (mut lu, mut ipiv) = (a.clone(), vec![0; m.min(n)]);
        let view = MatrixMut::from_slice(&mut lu, m, n, m).unwrap();
        let info = factor(view, &mut ipiv, &Options::new().pivoting(pivoting)).unwrap();
        Factored { m, n, pivoting, a, lu, ipiv, info }
    }

    /// Whether the factors come out again; `lu` and `ipiv` have room for them. Takes no memory.
    fn comes_again(&self, threads: usize, lu: &mut [T], ipiv: &mut [i64]) -> bool {
        let &Factored { m, n, pivoting, .. } = self;
        // An abort ends the process: what it was at must stand on stderr before.
        eprintln!("factor {m} x {n}, {pivoting:?}, {threads} threads");
        let (lu, ipiv) = (&mut lu[..m * n], &mut ipiv[..m.min(n)]);
        lu.copy_from_slice(&self.a);
        let view = MatrixMut::from_slice(lu, m, n, m).unwrap();
        let info = factor(view, ipiv, &Options::new().pivoting(pivoting).threads(threads));
        info == Ok(self.info) && *ipiv == self.ipiv && same(lu, &self.lu)
    }
}

/// A system and its solution.
struct Solved<'f, T> {
    factors: &'f Factored<T>,
    transpose: Transpose,
    b: Vec<T>,
    x: Vec<T>,
}

impl<'f, T: Element + Float> Solved<'f, T> {
    fn new(factors: &'f Factored<T>, nrhs: usize, transpose: Transpose) -> Self {
        let b: Vec<T> = matrix(Kind::Uniform, factors.n, nrhs, nrhs as u64);
        let mut solved = Solved { factors, transpose, x: b.clone(), b };
        let mut x = std::mem::take(&mut solved.x);
        solved.solve(1, &mut x).unwrap();
        Solved { x, ..solved }
    }

    fn solve(&self, threads: usize, x: &mut [T]) -> Result<(), Error> {
        let &Factored { n, ref lu, ref ipiv, .. } = self.factors;
        let lu = MatrixRef::from_slice(lu, n, n, n).unwrap();
        let view = MatrixMut::from_slice(x, n, self.b.len() / n, n).unwrap();
        solve(self.transpose, lu, ipiv, view, &Options::new().threads(threads))
    }

    /// Whether the solution comes out again; `x` has room for it. Takes no memory.
    fn comes_again(&self, threads: usize, x: &mut [T]) -> bool {
        eprintln!("solve {}, {} elements, {:?}, {threads} threads", self.factors.n, self.b.len(), self.transpose);
        let x = &mut x[..self.b.len()];
        x.copy_from_slice(&self.b);
        self.solve(threads, x) == Ok(()) && same(x, &self.x)
    }
}

/// Square matrices of every way to be factored, tall ones and wide ones.
const SHAPES: [(usize, usize); 11] = [
    (1, 1),
    (3, 3),
    (30, 30),
    (41, 41),
    (100, 100),
    (300, 300),
    (1000, 1000),
    (600, 40),
    (1500, 100),
    (40, 600),
    (100, 1500),
];

/// Factors and solves before the limit, and again without memory: in this thread, and in a thread that calls for the first
/// time.
fn bits_stay_without_memory<T: Element + Float>() {
    let both = [Pivoting::Partial, Pivoting::None];
    let factored: Vec<Factored<T>> =
        SHAPES.iter().flat_map(|&(m, n)| both.map(|pivoting| Factored::new(m, n, pivoting))).collect();
    let square = factored.iter().filter(|f| f.m == f.n && f.n <= 300 && f.pivoting == Pivoting::Partial);
    let transposes = [Transpose::No, Transpose::Yes, Transpose::Conjugate];
    let systems = square.flat_map(|f| [1, 2, 5, 40, 600].map(|nrhs| (f, nrhs)));
    let solved: Vec<Solved<'_, T>> =
        systems.flat_map(|(f, nrhs)| transposes.map(|transpose| Solved::new(f, nrhs, transpose))).collect();
    let (mut memory, mut ipiv) = (vec![T::from_f64(0.0); 1000 * 1000], vec![0; 1000]);
    let mut all_again = |largest: usize| {
        let factors = factored.iter().filter(|f| f.a.len() <= largest);
        let factors = factors.flat_map(|f| [1, 2].map(|threads| (f, threads)));
        let wrong_factors = factors.filter(|(f, threads)| !f.comes_again(*threads, &mut memory, &mut ipiv)).count();
        let solutions = solved.iter().flat_map(|s| [1, 2].map(|threads| (s, threads)));
        wrong_factors + solutions.filter(|(s, threads)| !s.comes_again(*threads, &mut memory)).count()
    };

    let barrier = Barrier::new(2);
    thread::scope(|scope| {
        let other = scope.spawn(|| {
            let mut hoard = Hoard::default();
            // This thread has now all that a thread takes at its start.
            barrier.wait();
            barrier.wait();
            hoard.take_all();
            all_again(200 * 200)
        });
        barrier.wait();
        release();
        let no_memory = NoMemory::begin();
        barrier.wait();
        let wrong = other.join().unwrap();
        drop(no_memory);
        assert_eq!(wrong, 0, "results with other bits");
    });
    release();
    let no_memory = NoMemory::begin();
    let wrong = all_again(usize::MAX);
    drop(no_memory);
    assert_eq!(wrong, 0, "results with other bits");
}

/// The first call of a process looks up what is the same for all later ones.
fn the_first_call_takes_no_memory() {
    let n = 300;
    let options = Options::new().isa(Isa::in_use().unwrap()).threads(2);
    let a: Vec<f64> = matrix(Kind::Uniform, n, n, 1);
    let (mut lu, mut ipiv) = (a.clone(), vec![0; n]);
    let no_memory = NoMemory::begin();
    let info = factor(MatrixMut::from_slice(&mut lu, n, n, n).unwrap(), &mut ipiv, &options);
    drop(no_memory);
    let expected = Lu::new(DMatrix::from_vec(n, n, a), &options).unwrap();
    assert_eq!((info, &ipiv[..]), (Ok(expected.info()), expected.ipiv()));
    assert!(same(&lu, expected.packed().as_slice()));
}

fn results_that_do_not_fit<T: Element + Float>() {
    let (m, n) = (1200, 1000);
    let new = |m, n| DMatrix::<T>::from_vec(m, n, matrix(Kind::Uniform, m, n, 1));
    let (tall, square, b) = (new(m, n), new(n, n), new(n, 3));
    let [tall, square] = [tall, square].map(|a| Lu::new(a, &Options::default()).unwrap());
    let another = new(n, n);
    let size = size_of::<T>();

    let no_memory = NoMemory::begin();
    let refused = [
        (tall.l().err(), m * n * size),
        (tall.u().err(), n * n * size),
        (tall.permutation().err(), m * size_of::<usize>()),
        (square.solve(&b).err(), 3 * n * size),
        (square.solve_transposed(&b).err(), 3 * n * size),
        // The last one: it gives the memory of its argument back.
        (Lu::new(another, &Options::default()).err(), n * size_of::<i64>()),
    ];
    drop(no_memory);
    for (error, bytes) in refused {
        assert_eq!(error, Some(Error::OutOfMemory { bytes }));
    }
}

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
        let same = same.into_iter().all(|(a, b)| self::same(a, b));
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
fn batches_without_memory<T: Element + Float>() {
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

/// A second call for a batch of the same shape has the memory of the first one.
fn batches_take_memory_once<T: Element + Float>() {
    for (n, call, threads) in batch_calls() {
        let mut batches = [(); 3].map(|()| Batch::<T>::new(n, call));
        release();
        let taken = batches.each_mut().map(|batch| allocations(|| batch.call(call, threads).unwrap()));
        assert_eq!(taken[1..], [0, 0], "{call:?}, n = {n}, {threads} threads: {taken:?}");
        // Otherwise nothing has been counted.
        assert!(taken[0] > 0 || call.needs_none(), "{call:?}, n = {n}");
    }
}

/// By name.
const CASES: [(&str, fn()); 9] = [
    ("the_first_call_of_a_process_takes_no_memory", the_first_call_takes_no_memory),
    ("without_memory_factors_and_solutions_have_the_same_bits_f64", bits_stay_without_memory::<f64>),
    ("without_memory_factors_and_solutions_have_the_same_bits_f32", bits_stay_without_memory::<f32>),
    ("without_memory_batches_have_the_same_bits_or_are_refused_f64", batches_without_memory::<f64>),
    ("without_memory_batches_have_the_same_bits_or_are_refused_f32", batches_without_memory::<f32>),
    ("the_second_call_for_a_batch_takes_no_memory_f64", batches_take_memory_once::<f64>),
    ("the_second_call_for_a_batch_takes_no_memory_f32", batches_take_memory_once::<f32>),
    ("results_that_do_not_fit_into_memory_are_errors_f64", results_that_do_not_fit::<f64>),
    ("results_that_do_not_fit_into_memory_are_errors_f32", results_that_do_not_fit::<f32>),
];

fn main() {
    const CASE: &str = "RECFACT_TEST_CASE";
    if let Ok(name) = env::var(CASE) {
        let (_, case) = CASES.into_iter().find(|(case, _)| *case == name).expect("the name of a case");
        return case();
    }
    let arguments: Vec<String> = env::args().skip(1).collect();
    if arguments.iter().any(|argument| argument == "--list") {
        return CASES.iter().for_each(|(name, _)| println!("{name}: test"));
    }
    let part = arguments.iter().find(|argument| !argument.starts_with('-')).map_or("", String::as_str);
    let (chosen, left_out): (Vec<_>, Vec<_>) = CASES.into_iter().partition(|(name, _)| name.contains(part));
    for (name, _) in &chosen {
        for isa in instruction_sets() {
            succeed(this_program().env(CASE, name).env("RECFACT_ISA", isa));
            println!("test {name} on {isa} ... ok");
        }
    }
    println!("{} cases passed, {} left out by name", chosen.len(), left_out.len());
}
