//! The factorizations that are compared.

use std::ffi::c_char;

use faer::dyn_stack::{MemBuffer, MemStack};
use faer::linalg::lu::partial_pivoting::factor::{lu_in_place, lu_in_place_scratch};
use faer::{MatMut, Par};
use nalgebra::DMatrix;
use recfact::{MatrixMut, Options};

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

/// One factorization. `factor` is what the clock sees.
pub trait Peer<T> {
    fn name(&self) -> &str;
    /// P A = L U in place.
    fn factor(&mut self, m: usize, n: usize, a: &mut [T], lda: usize, ipiv: &mut [i64]);
    /// Whatever is left to do so that `a` and `ipiv` are LAPACK's, for the check.
    fn finish(&mut self, _a: &mut [T], _ipiv: &mut [i64]) {}
}

/// recfact, and the peers that are crates.
pub fn ours_and_crates<T: Element>(threads: usize, without: &[String]) -> Vec<Box<dyn Peer<T>>> {
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
}

/// A shared library with LAPACK in it.
#[derive(Debug, Clone)]
pub struct Library {
    name: String,
    path: String,
}

impl Library {
    pub fn parse(text: &str) -> Result<Library, String> {
        let (name, path) = text.split_once('=').ok_or("expected NAME=PATH, as in mkl=/opt/lib/libmkl_rt.so")?;
        Ok(Library { name: name.into(), path: path.into() })
    }

    pub fn name(&self) -> &str {
        &self.name
    }

    /// Loads it. It stays for as long as the process runs: its threads could not survive an unload.
    pub fn load(&self, threads: usize) -> Result<&'static libloading::Library, libloading::Error> {
        for variable in ["OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "OMP_NUM_THREADS", "BLIS_NUM_THREADS"] {
            // SAFETY: no other thread reads the environment yet.
            unsafe { std::env::set_var(variable, threads.to_string()) };
        }
        // SAFETY: the user named this library to be run.
        let library = unsafe { libloading::Library::new(&self.path) }?;
        Ok(Box::leak(Box::new(library)))
    }

    /// Loads it and finds its getrf, with 64-bit integers if there is one, else with 32-bit ones.
    pub fn open<T: Element>(&self, threads: usize) -> Result<Box<dyn Peer<T>>, Box<dyn std::error::Error>> {
        let library = self.load(threads)?;
        let d = T::LETTER;
        for (symbol, long) in
            [(format!("scipy_{d}getrf_64_"), true), (format!("{d}getrf_64_"), true), (format!("{d}getrf_"), false)]
        {
            // SAFETY: LAPACK's names have LAPACK's arguments.
            unsafe {
                if long {
                    if let Ok(function) = library.get::<Getrf<T, i64>>(symbol.as_bytes()) {
                        return Ok(Box::new(Lapack { name: self.name.clone(), function: *function, ipiv: Vec::new() }));
                    }
                } else if let Ok(function) = library.get::<Getrf<T, i32>>(symbol.as_bytes()) {
                    return Ok(Box::new(Lapack { name: self.name.clone(), function: *function, ipiv: Vec::new() }));
                }
            }
        }
        Err(format!("{} has no {d}getrf", self.path).into())
    }
}

pub type Getrf<T, I> =
    unsafe extern "C" fn(m: *const I, n: *const I, a: *mut T, lda: *const I, ipiv: *mut I, info: *mut I) -> c_char;

struct Lapack<T, I> {
    name: String,
    function: Getrf<T, I>,
    ipiv: Vec<I>,
}

impl<T: Element, I: Copy + Default + TryFrom<usize> + Into<i64>> Peer<T> for Lapack<T, I> {
    fn name(&self) -> &str {
        &self.name
    }
    fn factor(&mut self, m: usize, n: usize, a: &mut [T], lda: usize, _ipiv: &mut [i64]) {
        self.ipiv.resize(m.min(n), I::default());
        let int = |x: usize| I::try_from(x).ok().expect("the size fits the library's integers");
        let (m, n, lda, mut info) = (int(m), int(n), int(lda), I::default());
        // SAFETY: getrf's arguments, with memory for them.
        unsafe { (self.function)(&m, &n, a.as_mut_ptr(), &lda, self.ipiv.as_mut_ptr(), &mut info) };
    }
    fn finish(&mut self, _a: &mut [T], ipiv: &mut [i64]) {
        ipiv.iter_mut().zip(&self.ipiv).for_each(|(to, &from)| *to = from.into());
    }
}
