//! A shared library with LAPACK in it: its getrf, getrs and getri.

use std::ffi::c_char;

use libloading::Library as Loaded;

use crate::peer::{Element, Peer, Rhs};

/// A shared library that the user has named.
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
    pub fn load(&self, threads: usize) -> Result<&'static Loaded, libloading::Error> {
        for variable in ["OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "OMP_NUM_THREADS", "BLIS_NUM_THREADS"] {
            // SAFETY: no other thread reads the environment yet.
            unsafe { std::env::set_var(variable, threads.to_string()) };
        }
        // SAFETY: the user named this library to be run.
        let library = unsafe { Loaded::new(&self.path) }?;
        Ok(Box::leak(Box::new(library)))
    }

    /// Loads it and finds its routines, with 64-bit integers if there are such, else with 32-bit ones.
    pub fn open<T: Element>(&self, threads: usize) -> Result<Box<dyn Peer<T>>, Box<dyn std::error::Error>> {
        let library = self.load(threads)?;
        let name = || self.name.clone();
        for (prefix, suffix) in [("scipy_", "_64_"), ("", "_64_")] {
            if let Some(functions) = Functions::find(library, prefix, suffix) {
                return Ok(Box::new(Lapack::<T, i64> { name: name(), functions, ipiv: Vec::new(), work: Vec::new() }));
            }
        }
        if let Some(functions) = Functions::find(library, "", "_") {
            return Ok(Box::new(Lapack::<T, i32> { name: name(), functions, ipiv: Vec::new(), work: Vec::new() }));
        }
        Err(format!("{} has no {}getrf", self.path, T::LETTER).into())
    }
}

pub type Getrf<T, I> =
    unsafe extern "C" fn(m: *const I, n: *const I, a: *mut T, lda: *const I, ipiv: *mut I, info: *mut I) -> c_char;

pub type Getrs<T, I> = unsafe extern "C" fn(
    trans: *const c_char,
    n: *const I,
    nrhs: *const I,
    a: *const T,
    lda: *const I,
    ipiv: *const I,
    b: *mut T,
    ldb: *const I,
    info: *mut I,
);

pub type Getri<T, I> = unsafe extern "C" fn(
    n: *const I,
    a: *mut T,
    lda: *const I,
    ipiv: *const I,
    work: *mut T,
    lwork: *const I,
    info: *mut I,
);

/// The routines of one library, with one kind of integers.
pub struct Functions<T: 'static, I: 'static> {
    pub getrf: Getrf<T, I>,
    pub getrs: Getrs<T, I>,
    pub getri: Getri<T, I>,
}

impl<T: Element, I> Functions<T, I> {
    /// Those with this prefix and suffix; `_64_` means 64-bit integers.
    pub fn find(library: &'static Loaded, prefix: &str, suffix: &str) -> Option<Self> {
        assert_eq!(suffix == "_64_", size_of::<I>() == 8, "the suffix names the integers");
        let symbol = |routine: &str| format!("{prefix}{}{routine}{suffix}", T::LETTER);
        // SAFETY: LAPACK's names have LAPACK's arguments.
        unsafe {
            Some(Functions {
                getrf: *library.get(symbol("getrf").as_bytes()).ok()?,
                getrs: *library.get(symbol("getrs").as_bytes()).ok()?,
                getri: *library.get(symbol("getri").as_bytes()).ok()?,
            })
        }
    }
}

struct Lapack<T: 'static, I: 'static> {
    name: String,
    functions: Functions<T, I>,
    ipiv: Vec<I>,
    work: Vec<T>,
}

fn int<I: TryFrom<usize>>(x: usize) -> I {
    I::try_from(x).ok().expect("the size fits the library's integers")
}

impl<T: Element, I: Copy + Default + TryFrom<usize> + Into<i64>> Peer<T> for Lapack<T, I> {
    fn name(&self) -> &str {
        &self.name
    }
    fn factor(&mut self, m: usize, n: usize, a: &mut [T], lda: usize, _ipiv: &mut [i64]) {
        self.ipiv.resize(m.min(n), I::default());
        let (m, n, lda, mut info) = (int(m), int(n), int(lda), I::default());
        // SAFETY: getrf's arguments, with memory for them.
        unsafe { (self.functions.getrf)(&m, &n, a.as_mut_ptr(), &lda, self.ipiv.as_mut_ptr(), &mut info) };
    }
    fn finish(&mut self, _a: &mut [T], ipiv: &mut [i64]) {
        ipiv.iter_mut().zip(&self.ipiv).for_each(|(to, &from)| *to = from.into());
    }
    fn solve(&mut self, transposed: bool, lu: &[T], _ipiv: &[i64], b: Rhs<'_, T>) {
        let trans = if transposed { b'T' } else { b'N' } as c_char;
        let (n, nrhs, mut info) = (int(b.n), int(b.columns), I::default());
        let (ipiv, x) = (self.ipiv.as_ptr(), b.elements.as_mut_ptr());
        // SAFETY: getrs' arguments, with memory for them; the factors are those that `factor` left.
        unsafe { (self.functions.getrs)(&trans, &n, &nrhs, lu.as_ptr(), &n, ipiv, x, &n, &mut info) };
    }
    fn can_invert(&self) -> bool {
        true
    }
    fn invert(&mut self, n: usize, lu: &mut [T], _ipiv: &[i64]) {
        // More than the block size of any of them.
        self.work.resize(128 * n, T::nearest(0.0));
        let (n, lwork, mut info) = (int(n), int(self.work.len()), I::default());
        let (a, ipiv, work) = (lu.as_mut_ptr(), self.ipiv.as_ptr(), self.work.as_mut_ptr());
        // SAFETY: getri's arguments, with memory for them; the factors are those that `factor` left.
        unsafe { (self.functions.getri)(&n, a, &n, ipiv, work, &lwork, &mut info) };
    }
}
