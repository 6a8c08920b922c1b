//! LAPACK's own names, for programs that call LAPACK: GETRF, GETRS and GESV in both precisions, with 32-bit integers
//! (`dgetrf_`) and with 64-bit ones (`dgetrf_64_`); and the names of oneMKL for batches (`batch.rs`).
//!
//! Arguments come by reference, as Fortran passes them; the hidden lengths of strings are ignored. An illegal argument gives
//! `info = -i`, and the `XERBLA` of the process is called if it has one (mostly that of its own LAPACK). Source of the
//! argument checks: `DGETRF`, `DGETRS` and `DGESV` of LAPACK 3.12.

mod batch;
mod xerbla;

use std::ffi::{CStr, c_char, c_void};
use std::io::Write;
use std::sync::OnceLock;

use library::{Element, Isa, Options, Transpose, default_threads, factor, factor_in_steps, solve_triangles};
use nix::libc;
use xerbla::routine;

use crate::arguments::{matrix, matrix_mut};
use crate::transpose;

/// An integer of the caller's LAPACK.
trait Integer: Copy + Into<i64> {
    /// The name of the `XERBLA` that takes such integers.
    const XERBLA: &CStr;

    /// The same number. It fits: it is an `info` or a row of a matrix whose sizes are such integers.
    fn from_i64(x: i64) -> Self;
}

impl Integer for i32 {
    const XERBLA: &CStr = c"xerbla_";

    fn from_i64(x: i64) -> Self {
        x as i32
    }
}

impl Integer for i64 {
    const XERBLA: &CStr = c"xerbla_64_";

    fn from_i64(x: i64) -> Self {
        x
    }
}

/// The number of an illegal argument, counted from 1.
struct Illegal(i32);

/// Writes the `info` of a call. Returns the number of an illegal argument, or 0.
///
/// # Safety
/// `info` is valid for a write of one integer.
unsafe fn report<I: Integer>(result: Result<i64, Illegal>, info: *mut I) -> i64 {
    let value = result.unwrap_or_else(|Illegal(argument)| -i64::from(argument));
    // SAFETY: the caller's promise.
    unsafe { *info = I::from_i64(value) };
    0.max(-value)
}

/// The options of every call. LAPACK has no `info` for a `RECFACT_ISA` that is not an instruction set of this CPU: then the
/// best one is used, and one line is written to stderr.
fn options() -> Options {
    static ISA: OnceLock<Isa> = OnceLock::new();
    let isa = ISA.get_or_init(|| {
        Isa::in_use().unwrap_or_else(|error| {
            // A line on the stack: the standard library's stderr would be a good part of this library.
            let mut line = std::io::Cursor::new([0; 512]);
            // What does not fit is cut off.
            let _ = writeln!(line, "recfact: {error}; using {}", Isa::best().name());
            let len = line.position() as usize;
            let line = line.into_inner();
            // SAFETY: the buffer has these bytes. If stderr cannot be written, there is no other place to report this.
            unsafe { libc::write(libc::STDERR_FILENO, line.as_ptr().cast(), len) };
            Isa::best()
        })
    });
    Options::new().isa(*isa).threads(default_threads())
}

/// The result of a call that cannot fail: its arguments have been checked, and its instruction set is one of this CPU.
fn checked<R>(result: Result<R, library::Error>) -> R {
    result.unwrap_or_else(|error| unreachable!("{error}"))
}

/// An array of the caller, of either kind of integers; not necessarily aligned.
#[derive(Clone, Copy)]
struct Integers {
    start: *mut c_void,
    wide: bool,
}

impl Integers {
    fn new<I: Integer>(start: *const I) -> Self {
        Integers { start: start.cast_mut().cast(), wide: size_of::<I>() == size_of::<i64>() }
    }

    /// The array from element `i` on.
    fn from(self, i: usize) -> Self {
        let size = if self.wide { size_of::<i64>() } else { size_of::<i32>() };
        Integers { start: self.start.wrapping_byte_add(i * size), ..self }
    }

    /// # Safety
    /// The array is not NULL and has more than `i` elements.
    unsafe fn get(self, i: usize) -> i64 {
        // SAFETY: the caller's promise.
        unsafe {
            match self.wide {
                true => self.start.cast::<i64>().add(i).read_unaligned(),
                false => self.start.cast::<i32>().add(i).read_unaligned().into(),
            }
        }
    }

    /// # Safety
    /// As for [`Integers::get`].
    unsafe fn set(self, i: usize, number: i64) {
        // SAFETY: the caller's promise. A row of a matrix with such sizes fits, and so does its `info`.
        unsafe {
            match self.wide {
                true => self.start.cast::<i64>().add(i).write_unaligned(number),
                false => self.start.cast::<i32>().add(i).write_unaligned(number as i32),
            }
        }
    }
}

/// P A = L U of an `m` by `n` matrix in place; the arguments are DGETRF's.
///
/// # Safety
/// - Pointers that are not NULL are valid for the sizes.
/// - Nothing else uses that memory during the call.
unsafe fn getrf<T: Element>(m: i64, n: i64, a: *mut T, lda: i64, ipiv: Integers) -> Result<i64, Illegal> {
    match () {
        _ if m < 0 => return Err(Illegal(1)),
        _ if n < 0 => return Err(Illegal(2)),
        _ if lda < m.max(1) => return Err(Illegal(4)),
        _ if m == 0 || n == 0 => return Ok(0),
        _ if ipiv.start.is_null() => return Err(Illegal(5)),
        _ => {}
    }
    // SAFETY: the caller's promise.
    let a = unsafe { matrix_mut(m, n, a, lda) }.map_err(|_| Illegal(3))?;
    let k = m.min(n) as usize;
    // SAFETY: not NULL, and the caller vouches for min(m, n) elements; i is below that.
    let store = |i: usize, row| unsafe { ipiv.set(i, row) };
    let mut rows = Vec::new();
    if rows.try_reserve_exact(k).is_err() {
        return Ok(checked(factor_in_steps(a, &mut |i, row| store(i, row), &options())));
    }
    rows.resize(k, 0);
    let info = checked(factor(a, &mut rows, &options()));
    rows.into_iter().enumerate().for_each(|(i, row)| store(i, row));
    Ok(info)
}

/// A X = B or A^T X = B from the factors; the arguments are DGETRS's.
///
/// # Safety
/// As for [`getrf`].
#[allow(clippy::too_many_arguments)] // LAPACK's own argument list
unsafe fn getrs<T: Element>(
    trans: c_char,
    n: i64,
    nrhs: i64,
    a: *const T,
    lda: i64,
    ipiv: Integers,
    b: *mut T,
    ldb: i64,
) -> Result<i64, Illegal> {
    let transpose = transpose(trans).ok_or(Illegal(1))?;
    match () {
        _ if n < 0 => return Err(Illegal(2)),
        _ if nrhs < 0 => return Err(Illegal(3)),
        _ if lda < n.max(1) => return Err(Illegal(5)),
        _ if ldb < n.max(1) => return Err(Illegal(8)),
        _ if n == 0 || nrhs == 0 => return Ok(0),
        _ if ipiv.start.is_null() => return Err(Illegal(6)),
        _ => {}
    }
    // SAFETY: the caller's promise.
    let a = unsafe { matrix(n, n, a, lda) }.map_err(|_| Illegal(4))?;
    // SAFETY: the caller vouches for n by nrhs elements that nothing else uses.
    let mut b = unsafe { matrix_mut(n, nrhs, b, ldb) }.map_err(|_| Illegal(7))?;
    // SAFETY: not NULL, and the caller vouches for n elements; i is below n.
    let row = |i: usize| unsafe { ipiv.get(i) };
    if !(0..n as usize).all(|i| (1..=n).contains(&row(i))) {
        return Err(Illegal(6));
    }
    // `ipiv` is read a second time here. The clamp keeps rows in the matrix even if it has changed in between.
    let swap = |column: &mut [T], i: usize| column.swap(i, (row(i).clamp(1, n) - 1) as usize);
    let columns = b.ncols();
    if transpose == Transpose::No {
        // B <- P B
        (0..columns).for_each(|j| (0..n as usize).for_each(|i| swap(b.col_mut(j), i)));
    }
    checked(solve_triangles(transpose, a, b.reborrow(), &options()));
    if transpose != Transpose::No {
        // B <- P^T B
        (0..columns).for_each(|j| (0..n as usize).rev().for_each(|i| swap(b.col_mut(j), i)));
    }
    Ok(0)
}

/// A X = B: factors A and solves; the arguments are DGESV's.
///
/// # Safety
/// As for [`getrf`].
#[allow(clippy::too_many_arguments)] // LAPACK's own argument list
unsafe fn gesv<T: Element>(
    n: i64,
    nrhs: i64,
    a: *mut T,
    lda: i64,
    ipiv: Integers,
    b: *mut T,
    ldb: i64,
) -> Result<i64, Illegal> {
    match () {
        _ if n < 0 => return Err(Illegal(1)),
        _ if nrhs < 0 => return Err(Illegal(2)),
        _ if lda < n.max(1) => return Err(Illegal(4)),
        _ if ldb < n.max(1) => return Err(Illegal(7)),
        _ if n == 0 => return Ok(0),
        _ if a.is_null() => return Err(Illegal(3)),
        _ if ipiv.start.is_null() => return Err(Illegal(5)),
        _ if b.is_null() && nrhs > 0 => return Err(Illegal(6)),
        _ => {}
    }
    let no_trans = b'N' as c_char;
    // SAFETY: the caller's promise.
    match unsafe { getrf(n, n, a, lda, ipiv) }.map_err(|_| Illegal(3))? {
        // SAFETY: the caller vouches for A, ipiv and B; A and ipiv hold the factors now.
        0 => unsafe { getrs(no_trans, n, nrhs, a.cast_const(), lda, ipiv, b, ldb) }.map_err(|_| Illegal(6)),
        singular => Ok(singular),
    }
}

/// DGETRF's arguments as Fortran passes them; returns the number of an illegal one, or 0.
///
/// # Safety
/// As LAPACK says: every pointer is valid for what the sizes say.
unsafe extern "C" fn getrf_by_reference<T: Element, I: Integer>(
    m: *const I,
    n: *const I,
    a: *mut T,
    lda: *const I,
    ipiv: *mut I,
    info: *mut I,
) -> i64 {
    // SAFETY: the caller's promise.
    unsafe { report(getrf((*m).into(), (*n).into(), a, (*lda).into(), Integers::new(ipiv)), info) }
}

/// DGETRS's arguments as Fortran passes them; returns the number of an illegal one, or 0.
///
/// # Safety
/// As for [`getrf_by_reference`].
#[allow(clippy::too_many_arguments)] // LAPACK's own argument list
unsafe extern "C" fn getrs_by_reference<T: Element, I: Integer>(
    trans: *const c_char,
    n: *const I,
    nrhs: *const I,
    a: *const T,
    lda: *const I,
    ipiv: *const I,
    b: *mut T,
    ldb: *const I,
    info: *mut I,
) -> i64 {
    // SAFETY: the caller's promise.
    unsafe {
        let (n, nrhs, lda, ldb) = ((*n).into(), (*nrhs).into(), (*lda).into(), (*ldb).into());
        report(getrs(*trans, n, nrhs, a, lda, Integers::new(ipiv), b, ldb), info)
    }
}

/// DGESV's arguments as Fortran passes them; returns the number of an illegal one, or 0.
///
/// # Safety
/// As for [`getrf_by_reference`].
#[allow(clippy::too_many_arguments)] // LAPACK's own argument list
unsafe extern "C" fn gesv_by_reference<T: Element, I: Integer>(
    n: *const I,
    nrhs: *const I,
    a: *mut T,
    lda: *const I,
    ipiv: *mut I,
    b: *mut T,
    ldb: *const I,
    info: *mut I,
) -> i64 {
    // SAFETY: the caller's promise.
    unsafe {
        let (n, nrhs, lda, ldb) = ((*n).into(), (*nrhs).into(), (*lda).into(), (*ldb).into());
        report(gesv(n, nrhs, a, lda, Integers::new(ipiv), b, ldb), info)
    }
}

/// The three routines of one precision and one kind of integer.
macro_rules! routines {
    ($t:ty, $i:ty: $getrf:ident = $getrf_name:literal, $getrs:ident = $getrs_name:literal, $gesv:ident = $gesv_name:literal) => {
        routine!($getrf = getrf_by_reference::<$t, $i>, $getrf_name, $i, "0":
            (m: *const $i, n: *const $i, a: *mut $t, lda: *const $i, ipiv: *mut $i, info: *mut $i));
        routine!($getrs = getrs_by_reference::<$t, $i>, $getrs_name, $i, "0,1,2":
            (trans: *const c_char, n: *const $i, nrhs: *const $i, a: *const $t, lda: *const $i, ipiv: *const $i, b: *mut $t,
             ldb: *const $i, info: *mut $i));
        routine!($gesv = gesv_by_reference::<$t, $i>, $gesv_name, $i, "0,1":
            (n: *const $i, nrhs: *const $i, a: *mut $t, lda: *const $i, ipiv: *mut $i, b: *mut $t, ldb: *const $i,
             info: *mut $i));
    };
}

routines!(f64, i32: dgetrf_ = "DGETRF", dgetrs_ = "DGETRS", dgesv_ = "DGESV ");
routines!(f32, i32: sgetrf_ = "SGETRF", sgetrs_ = "SGETRS", sgesv_ = "SGESV ");
routines!(f64, i64: dgetrf_64_ = "DGETRF", dgetrs_64_ = "DGETRS", dgesv_64_ = "DGESV ");
routines!(f32, i64: sgetrf_64_ = "SGETRF", sgetrs_64_ = "SGETRS", sgesv_64_ = "SGESV ");
