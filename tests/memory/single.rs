//! One matrix: its factors, its systems, results that need memory.

use std::sync::Barrier;
use std::thread;

use nalgebra::DMatrix;
use recfact::{
    Element, Error, Isa, Lu, MatrixMut, MatrixRef, Options, Pivoting, Transpose, factor, inverse, release, solve,
};
use testing::{Float, Kind, matrix};

use crate::limit::{Hoard, NoMemory};
use crate::same;

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

/// Factors and their inverse.
struct Inverted<'a, T> {
    factors: &'a Factored<T>,
    x: Vec<T>,
}

impl<'a, T: Element + Float> Inverted<'a, T> {
    fn new(factors: &'a Factored<T>) -> Self {
        let mut x = factors.lu.clone();
        let inverted = Inverted { factors, x: Vec::new() };
        assert_eq!(inverted.invert(1, &mut x), Ok(0));
        Inverted { x, ..inverted }
    }

    fn invert(&self, threads: usize, lu: &mut [T]) -> Result<i64, Error> {
        let &Factored { n, ref ipiv, .. } = self.factors;
        inverse(MatrixMut::from_slice(lu, n, n, n).unwrap(), ipiv, &Options::new().threads(threads))
    }

    /// Whether the inverse comes out again; `x` has room for it. Takes no memory.
    fn comes_again(&self, threads: usize, x: &mut [T]) -> bool {
        eprintln!("invert {}, {threads} threads", self.factors.n);
        let x = &mut x[..self.x.len()];
        x.copy_from_slice(&self.factors.lu);
        self.invert(threads, x) == Ok(0) && same(x, &self.x)
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

/// Factors, solves and inverts before the limit, and again without memory: in this thread, and in a thread that calls for the first
/// time.
pub fn bits_stay_without_memory<T: Element + Float>() {
    let both = [Pivoting::Partial, Pivoting::None];
    let factored: Vec<Factored<T>> =
        SHAPES.iter().flat_map(|&(m, n)| both.map(|pivoting| Factored::new(m, n, pivoting))).collect();
    let square = factored.iter().filter(|f| f.m == f.n && f.n <= 300 && f.pivoting == Pivoting::Partial);
    // Of the largest a row is more than a page of the stack.
    let inverted: Vec<Inverted<'_, T>> = factored.iter().filter(|f| f.m == f.n).map(Inverted::new).collect();
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
        let inverses = inverted.iter().filter(|i| i.x.len() <= largest);
        let inverses = inverses.flat_map(|i| [1, 2].map(|threads| (i, threads)));
        let wrong_inverses = inverses.filter(|(i, threads)| !i.comes_again(*threads, &mut memory)).count();
        let wrong_solutions = solutions.filter(|(s, threads)| !s.comes_again(*threads, &mut memory)).count();
        wrong_factors + wrong_inverses + wrong_solutions
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
pub fn the_first_call_takes_no_memory() {
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

pub fn results_that_do_not_fit<T: Element + Float>() {
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
        (square.inverse().err(), n * n * size),
        // The last one: it gives the memory of its argument back.
        (Lu::new(another, &Options::default()).err(), n * size_of::<i64>()),
    ];
    drop(no_memory);
    for (error, bytes) in refused {
        assert_eq!(error, Some(Error::OutOfMemory { bytes }));
    }
}
