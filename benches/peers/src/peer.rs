//! The factorizations and solves that are compared.

use faer::dyn_stack::{MemBuffer, MemStack};
use faer::linalg::lu::partial_pivoting::factor::{lu_in_place, lu_in_place_scratch};
use faer::linalg::lu::partial_pivoting::solve::{self, solve_in_place_scratch};
use faer::perm::PermRef;
use faer::{MatMut, MatRef, Par};
use nalgebra::{DMatrix, DMatrixViewMut};
use recfact::{MatrixMut, MatrixRef, Options, Transpose};

/// An element type that every peer knows.
pub trait Element: recfact::Element + Into<f64> + faer::traits::ComplexField + nalgebra::ComplexField {
    const NAME: &'static str;
    /// The first letter of LAPACK's names.
    const LETTER: char;
    /// The distance from 1 to the next larger number.
    const ROUNDING: f64;
    fn nearest(x: f64) -> Self;
}

impl Element for f64 {
    const NAME: &'static str = "f64";
    const LETTER: char = 'd';
    const ROUNDING: f64 = f64::EPSILON;
    fn nearest(x: f64) -> Self {
        x
    }
}

impl Element for f32 {
    const NAME: &'static str = "f32";
    const LETTER: char = 's';
    const ROUNDING: f64 = f32::EPSILON as f64;
    fn nearest(x: f64) -> Self {
        x as f32
    }
}

/// Right-hand sides, one column of `n` elements after the other.
pub struct Rhs<'a, T> {
    pub n: usize,
    pub columns: usize,
    pub elements: &'a mut [T],
}

/// A library. `factor` or `solve` is what the clock sees.
pub trait Peer<T> {
    fn name(&self) -> &str;
    /// P A = L U in place.
    fn factor(&mut self, m: usize, n: usize, a: &mut [T], lda: usize, ipiv: &mut [i64]);
    /// Whatever is left to do so that `a` and `ipiv` are LAPACK's, for the check.
    fn finish(&mut self, _a: &mut [T], _ipiv: &mut [i64]) {}
    /// Whether it can solve A X = B, or with `transposed` A^T X = B.
    fn can_solve(&self, _transposed: bool) -> bool {
        true
    }
    /// B <- A^-1 B or A^-T B, with what `factor` left of a matrix without padding.
    fn solve(&mut self, transposed: bool, lu: &[T], ipiv: &[i64], b: Rhs<'_, T>);
    /// Whether it can invert.
    fn can_invert(&self) -> bool {
        false
    }
    /// A <- A^-1, with what `factor` left of a matrix without padding.
    fn invert(&mut self, _n: usize, _lu: &mut [T], _ipiv: &[i64]) {
        unreachable!("can_invert says so");
    }
}

/// All libraries that are compared.
pub type Peers<T> = Vec<Box<dyn Peer<T>>>;

/// recfact, and the peers that are crates.
pub fn ours_and_crates<T: Element>(threads: usize, without: &[String]) -> Peers<T> {
    let options = Options::new().threads(threads);
    let par = if threads == 1 { Par::Seq } else { Par::rayon(threads) };
    let all: [Box<dyn Peer<T>>; 3] = [
        Box::new(Recfact { options }),
        Box::new(Faer {
            par,
            shape: (0, 0),
            rows: Vec::new(),
            inverse: Vec::new(),
            stack: MemBuffer::new(faer::dyn_stack::StackReq::EMPTY),
        }),
        Box::new(Nalgebra { lu: None }),
    ];
    all.into_iter().filter(|peer| !without.iter().any(|name| name == peer.name())).collect()
}

struct Recfact {
    options: Options,
}

impl<T: Element> Peer<T> for Recfact {
    fn name(&self) -> &str {
        "recfact"
    }
    fn factor(&mut self, m: usize, n: usize, a: &mut [T], lda: usize, ipiv: &mut [i64]) {
        let view = MatrixMut::from_slice(a, m, n, lda).expect("the sizes fit");
        recfact::factor(view, ipiv, &self.options).expect("ipiv is long enough");
    }
    fn solve(&mut self, transposed: bool, lu: &[T], ipiv: &[i64], b: Rhs<'_, T>) {
        let lu = MatrixRef::from_slice(lu, b.n, b.n, b.n).expect("the sizes fit");
        let x = MatrixMut::from_slice(b.elements, b.n, b.columns, b.n).expect("the sizes fit");
        let transpose = if transposed { Transpose::Yes } else { Transpose::No };
        recfact::solve(transpose, lu, ipiv, x, &self.options).expect("the shapes fit");
    }
    fn can_invert(&self) -> bool {
        true
    }
    fn invert(&mut self, n: usize, lu: &mut [T], ipiv: &[i64]) {
        let lu = MatrixMut::from_slice(lu, n, n, n).expect("the sizes fit");
        recfact::inverse(lu, ipiv, &self.options).expect("the shapes fit");
    }
}

struct Faer {
    par: Par,
    shape: (usize, usize),
    rows: Vec<usize>,
    inverse: Vec<usize>,
    stack: MemBuffer,
}

impl<T: Element> Peer<T> for Faer {
    fn name(&self) -> &str {
        "faer"
    }
    fn factor(&mut self, m: usize, n: usize, a: &mut [T], lda: usize, ipiv: &mut [i64]) {
        if self.shape != (m, n) {
            self.shape = (m, n);
            self.rows = vec![0; m];
            self.inverse = vec![0; m];
            self.stack = MemBuffer::new(lu_in_place_scratch::<usize, T>(m, n, self.par, Default::default()));
        }
        let a = MatMut::from_column_major_slice_with_stride_mut(a, m, n, lda);
        let stack = MemStack::new(&mut self.stack);
        lu_in_place(a, &mut self.rows, &mut self.inverse, self.par, stack, Default::default());
        ipiv.fill(0);
    }
    /// From the order of rows to swaps.
    fn finish(&mut self, _a: &mut [T], ipiv: &mut [i64]) {
        let mut now: Vec<usize> = (0..self.rows.len()).collect();
        for (i, p) in ipiv.iter_mut().enumerate() {
            let at = now.iter().position(|&row| row == self.rows[i]).expect("a permutation");
            now.swap(i, at);
            *p = at as i64 + 1;
        }
    }
    fn solve(&mut self, transposed: bool, lu: &[T], _ipiv: &[i64], b: Rhs<'_, T>) {
        let needed = solve_in_place_scratch::<usize, T>(b.n, b.columns, self.par);
        if needed.unaligned_bytes_required() > self.stack.len() {
            self.stack = MemBuffer::new(needed);
        }
        let lu = MatRef::from_column_major_slice(lu, b.n, b.n);
        let rows = PermRef::new_checked(&self.rows, &self.inverse, b.n);
        let x = MatMut::from_column_major_slice_mut(b.elements, b.n, b.columns);
        let stack = MemStack::new(&mut self.stack);
        let solve = if transposed { solve::solve_transpose_in_place } else { solve::solve_in_place };
        solve(lu, lu, rows, x, self.par, stack);
    }
}

/// nalgebra's LU owns its matrix, so it pays for one copy, in and out of the clock alike.
struct Nalgebra<T: Element> {
    lu: Option<(nalgebra::LU<T, nalgebra::Dyn, nalgebra::Dyn>, usize)>,
}

impl<T: Element> Peer<T> for Nalgebra<T> {
    fn name(&self) -> &str {
        "nalgebra"
    }
    fn factor(&mut self, m: usize, n: usize, a: &mut [T], lda: usize, _ipiv: &mut [i64]) {
        let copy = DMatrix::from_fn(m, n, |i, j| a[i + j * lda]);
        self.lu = Some((copy.lu(), lda));
    }
    fn finish(&mut self, a: &mut [T], ipiv: &mut [i64]) {
        let (lu, lda) = self.lu.as_ref().expect("finish follows factor");
        let packed = lu.lu_internal();
        let mut rows = DMatrix::from_fn(packed.nrows(), 1, |i, _| T::nearest(i as f64));
        lu.p().permute_rows(&mut rows);
        let mut now: Vec<usize> = (0..packed.nrows()).collect();
        for (i, p) in ipiv.iter_mut().enumerate() {
            let row: f64 = rows[(i, 0)].into();
            let at = now.iter().position(|&r| r as f64 == row).expect("a permutation");
            now.swap(i, at);
            *p = at as i64 + 1;
        }
        for j in 0..packed.ncols() {
            (0..packed.nrows()).for_each(|i| a[i + j * lda] = packed[(i, j)]);
        }
    }
    fn can_solve(&self, transposed: bool) -> bool {
        !transposed
    }
    fn solve(&mut self, _transposed: bool, _lu: &[T], _ipiv: &[i64], b: Rhs<'_, T>) {
        let (lu, _) = self.lu.as_ref().expect("solve follows factor");
        lu.solve_mut(&mut DMatrixViewMut::from_slice(b.elements, b.n, b.columns));
    }
}
