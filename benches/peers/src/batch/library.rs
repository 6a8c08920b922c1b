//! A shared library: LAPACK's routines in a loop, and MKL's two ways to work on many matrices.

use std::ffi::c_char;

use libloading::Library as Loaded;

use super::{Case, Peer, Peers, Work};
use crate::lapack::{Functions, Library};
use crate::peer::Element;

type GetrfBatch<T> = unsafe extern "C" fn(
    m: *const i32,
    n: *const i32,
    a: *mut T,
    lda: *const i32,
    stride_a: *const i32,
    ipiv: *mut i32,
    stride_ipiv: *const i32,
    batch_size: *const i32,
    info: *mut i32,
);

type GetrsBatch<T> = unsafe extern "C" fn(
    trans: *const c_char,
    n: *const i32,
    nrhs: *const i32,
    a: *const T,
    lda: *const i32,
    stride_a: *const i32,
    ipiv: *const i32,
    stride_ipiv: *const i32,
    b: *mut T,
    ldb: *const i32,
    stride_b: *const i32,
    batch_size: *const i32,
    info: *mut i32,
);

const NO_TRANS: c_char = b'N' as c_char;

/// All ways that the library has.
pub fn peers<T: Element>(library: &Library, threads: usize) -> Result<Peers<T>, Box<dyn std::error::Error>> {
    let loaded = library.load(threads)?;
    let name = library.name();
    let d = T::LETTER;
    let mut peers: Peers<T> = Vec::new();
    // SAFETY: LAPACK's and MKL's names have their arguments.
    unsafe {
        let batch = (
            loaded.get::<GetrfBatch<T>>(format!("{d}getrf_batch_strided").as_bytes()),
            loaded.get::<GetrsBatch<T>>(format!("{d}getrs_batch_strided").as_bytes()),
        );
        if let (Ok(getrf), Ok(getrs)) = batch {
            peers.push(Box::new(Batch { name: format!("{name} batch"), getrf: *getrf, getrs: *getrs }));
        }
        if let Some(compact) = Compact::new(name, loaded) {
            peers.push(Box::new(compact));
        }
    }
    let found = [("scipy_", "_64_"), ("", "_64_")].iter().find_map(|names| Functions::find(loaded, names.0, names.1));
    if let Some(functions) = found {
        peers.push(Box::new(Loop { name: format!("{name} loop"), functions }));
    }
    if peers.is_empty() { Err(format!("{name} has no {d}getrf that is known here").into()) } else { Ok(peers) }
}

struct Batch<T> {
    name: String,
    getrf: GetrfBatch<T>,
    getrs: GetrsBatch<T>,
}

impl<T: Element> Peer<T> for Batch<T> {
    fn name(&self) -> String {
        self.name.clone()
    }
    fn run(&mut self, case: &Case<T>, work: &mut Work<T>, solve: bool) {
        let (n, count, one) = (case.n as i32, case.count as i32, 1);
        let (a, ipiv, info) = (work.a.as_mut_ptr(), work.ipiv32.as_mut_ptr(), work.info32.as_mut_ptr());
        // SAFETY: the memory has these matrices, and the results an element for each.
        unsafe {
            (self.getrf)(&n, &n, a, &n, &(n * n), ipiv, &n, &count, info);
            if solve {
                let b = work.b.as_mut_ptr();
                (self.getrs)(&NO_TRANS, &n, &one, a, &n, &(n * n), ipiv, &n, b, &n, &n, &count, info);
            }
        }
    }
    fn has_narrow_swaps(&self) -> Option<bool> {
        Some(true)
    }
}

struct Loop<T: 'static> {
    name: String,
    functions: Functions<T, i64>,
}

impl<T: Element> Peer<T> for Loop<T> {
    fn name(&self) -> String {
        self.name.clone()
    }
    fn run(&mut self, case: &Case<T>, work: &mut Work<T>, solve: bool) {
        let n = case.n as i64;
        for k in 0..case.count {
            let (a, b) = (&mut work.a[k * case.n * case.n..], &mut work.b[k * case.n..]);
            let (ipiv, info) = (&mut work.ipiv64[k * case.n..], &mut work.info64[k]);
            // SAFETY: the memory has this matrix and its results.
            unsafe {
                (self.functions.getrf)(&n, &n, a.as_mut_ptr(), &n, ipiv.as_mut_ptr(), info);
                if solve {
                    let (a, ipiv, b) = (a.as_ptr(), ipiv.as_ptr(), b.as_mut_ptr());
                    (self.functions.getrs)(&NO_TRANS, &n, &1, a, &n, ipiv, b, &n, info);
                }
            }
        }
    }
    fn has_narrow_swaps(&self) -> Option<bool> {
        Some(false)
    }
}

/// MKL's compact format, which interleaves matrices. It does not pivot, so its answers are not checked.
struct Compact<T: 'static> {
    name: String,
    format: i32,
    size: unsafe extern "C" fn(ld: i32, sd: i32, format: i32, count: i32) -> i32,
    pack: unsafe extern "C" fn(i32, i32, i32, a: *const *const T, i32, ap: *mut T, i32, format: i32, count: i32),
    unpack: unsafe extern "C" fn(i32, i32, i32, a: *const *mut T, i32, ap: *const T, i32, format: i32, count: i32),
    factor: unsafe extern "C" fn(i32, i32, i32, ap: *mut T, i32, info: *mut i32, format: i32, count: i32),
    packed: Vec<u8>,
}

impl<T: Element> Compact<T> {
    const COLUMN_MAJOR: i32 = 102;

    /// # Safety
    /// The library is MKL, or has none of its names.
    unsafe fn new(name: &str, loaded: &'static Loaded) -> Option<Self> {
        let d = T::LETTER;
        // SAFETY: MKL's names have MKL's arguments.
        unsafe {
            let format: libloading::Symbol<'_, unsafe extern "C" fn() -> i32> =
                loaded.get(b"mkl_get_format_compact").ok()?;
            Some(Compact {
                name: format!("{name} compact, no pivots"),
                format: format(),
                size: *loaded.get(format!("mkl_{d}get_size_compact").as_bytes()).ok()?,
                pack: *loaded.get(format!("mkl_{d}gepack_compact").as_bytes()).ok()?,
                unpack: *loaded.get(format!("mkl_{d}geunpack_compact").as_bytes()).ok()?,
                factor: *loaded.get(format!("mkl_{d}getrfnp_compact").as_bytes()).ok()?,
                packed: Vec::new(),
            })
        }
    }
}

impl<T: Element> Peer<T> for Compact<T> {
    fn name(&self) -> String {
        self.name.clone()
    }
    fn run(&mut self, case: &Case<T>, work: &mut Work<T>, _solve: bool) {
        let (n, count, format) = (case.n as i32, case.count as i32, self.format);
        let matrices: Vec<*mut T> = work.a.chunks_mut(case.n * case.n).map(<[T]>::as_mut_ptr).collect();
        // SAFETY: the packed memory has the size that the library asks for, aligned to cache lines; the pointers are those of
        // the matrices.
        unsafe {
            let size = (self.size)(n, n, format, count) as usize;
            self.packed.resize(size + 64, 0);
            let start = self.packed.as_ptr().align_offset(64);
            let packed: *mut T = self.packed[start..].as_mut_ptr().cast();
            (self.pack)(Self::COLUMN_MAJOR, n, n, matrices.as_ptr().cast(), n, packed, n, format, count);
            (self.factor)(Self::COLUMN_MAJOR, n, n, packed, n, work.info32.as_mut_ptr(), format, count);
            (self.unpack)(Self::COLUMN_MAJOR, n, n, matrices.as_ptr(), n, packed, n, format, count);
        }
    }
    fn has_narrow_swaps(&self) -> Option<bool> {
        None
    }
}
