//! LAPACK's own names, for programs that call LAPACK: its routines for LU of real matrices in both precisions, with 32-bit
//! integers (`dgetrf_`) and with 64-bit ones (`dgetrf_64_`); and the names of oneMKL for batches (`batch.rs`).
//!
//! Arguments come by reference, as Fortran passes them; the hidden lengths of strings are ignored. An illegal argument gives
//! `info = -i`, and the `XERBLA` of the process is called (mostly that of its own LAPACK). Here are GETRF, which is GETF2 and
//! GETRF2 as well, GETRS and GESV; source of their argument checks: `DGETRF`, `DGETRS` and `DGESV` of LAPACK 3.12.

mod arguments;
mod batch;
mod condition;
mod equilibrate;
mod expert;
mod inverse;
mod mixed;
mod refine;
mod swaps;
mod xerbla;

use std::ffi::c_char;
use std::fmt::Arguments;
use std::io::Write;
use std::sync::OnceLock;

use library::{Element, Isa, Options, Transpose, default_threads, factor, factor_in_steps, solve_triangles};
use nix::libc;

use crate::arguments::{matrix, matrix_mut};
use crate::transpose;
use arguments::{Illegal, Integer, Integers, checked, report};
use xerbla::routine;

/// Writes a line to stderr.
fn write_line(text: Arguments<'_>) {
    // A line on the stack: the standard library's stderr would be a good part of this library.
    let mut line = std::io::Cursor::new([0; 512]);
    // What does not fit is cut off.
    let _ = writeln!(line, "{text}");
    let len = line.position() as usize;
    let line = line.into_inner();
    // SAFETY: the buffer has these bytes. If stderr cannot be written, there is no other place to report this.
    unsafe { libc::write(libc::STDERR_FILENO, line.as_ptr().cast(), len) };
}

/// The options of every call. LAPACK has no `info` for a `RECFACT_ISA` that is not an instruction set of this CPU: then the
/// best one is used, and one line is written to stderr.
fn options() -> Options {
    static ISA: OnceLock<Isa> = OnceLock::new();
    let isa = ISA.get_or_init(|| {
        Isa::in_use().unwrap_or_else(|error| {
            write_line(format_args!("recfact: {error}; using {}", Isa::best().name()));
            Isa::best()
        })
    });
    Options::new().isa(*isa).threads(default_threads())
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

/// The routines of one precision and one kind of integer. There are several names for GETRF, which are those of its parts in
/// LAPACK: the factors are the same.
macro_rules! routines {
    ($t:ty, $i:ty: $($getrf:ident = $getrf_name:literal)*; $getrs:ident = $getrs_name:literal, $gesv:ident = $gesv_name:literal) => {
        $(routine!($getrf = getrf_by_reference::<$t, $i>, $getrf_name, $i, "0":
            (m: *const $i, n: *const $i, a: *mut $t, lda: *const $i, ipiv: *mut $i, info: *mut $i));)*
        routine!($getrs = getrs_by_reference::<$t, $i>, $getrs_name, $i, "0,1,2":
            (trans: *const c_char, n: *const $i, nrhs: *const $i, a: *const $t, lda: *const $i, ipiv: *const $i, b: *mut $t,
             ldb: *const $i, info: *mut $i));
        routine!($gesv = gesv_by_reference::<$t, $i>, $gesv_name, $i, "0,1":
            (n: *const $i, nrhs: *const $i, a: *mut $t, lda: *const $i, ipiv: *mut $i, b: *mut $t, ldb: *const $i,
             info: *mut $i));
    };
}

routines!(f64, i32: dgetrf_ = "DGETRF" dgetf2_ = "DGETF2" dgetrf2_ = "DGETRF2"; dgetrs_ = "DGETRS", dgesv_ = "DGESV ");
routines!(f32, i32: sgetrf_ = "SGETRF" sgetf2_ = "SGETF2" sgetrf2_ = "SGETRF2"; sgetrs_ = "SGETRS", sgesv_ = "SGESV ");
routines!(f64, i64: dgetrf_64_ = "DGETRF" dgetf2_64_ = "DGETF2" dgetrf2_64_ = "DGETRF2";
    dgetrs_64_ = "DGETRS", dgesv_64_ = "DGESV ");
routines!(f32, i64: sgetrf_64_ = "SGETRF" sgetf2_64_ = "SGETF2" sgetrf2_64_ = "SGETRF2";
    sgetrs_64_ = "SGETRS", sgesv_64_ = "SGESV ");
