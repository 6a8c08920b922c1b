//! The C library: the functions that `include/recfact.h` declares and documents, and with the feature `lapack` LAPACK's
//! own names.
//!
//! Arguments are checked before anything is written. A panic cannot cross an `extern "C"` function: it ends the process.

mod arguments;
mod batch;
mod condition;
mod export;
#[cfg(feature = "lapack")]
mod lapack;
mod out_of_place;
mod refine;
mod short;
mod status;
mod system;

use std::ffi::{CStr, c_char, c_int};

use library::{Element, Isa, Options, Pivoting, Transpose, factor, release};

use arguments::{matrix, matrix_mut, output, slice, slice_mut, threads};
use export::exported;
use status::Status;

/// P A = L U in place, as the header says.
///
/// # Safety
/// - Pointers that are not NULL are valid for the sizes that the header gives.
/// - Nothing else uses that memory during the call.
#[allow(clippy::too_many_arguments)] // the header's argument list
unsafe fn factor_in_place<T: Element>(
    m: i64,
    n: i64,
    a: *mut T,
    lda: i64,
    ipiv: *mut i64,
    pivoting: c_int,
    threads: i64,
    info: *mut i64,
) -> Result<(), Status> {
    let info = output(info)?;
    let pivoting = match pivoting {
        0 => Pivoting::None,
        1 => Pivoting::Partial,
        _ => return Err(Status::Flag),
    };
    let threads = self::threads(threads)?;
    // SAFETY: the caller's promise.
    let (a, ipiv) = unsafe { (matrix_mut(m, n, a, lda)?, slice_mut(m.min(n), ipiv)?) };
    let result = factor(a, ipiv, &Options::new().pivoting(pivoting).threads(threads))?;
    // SAFETY: the pointer is not NULL and aligned, and the caller vouches for one element.
    unsafe { *info = result };
    Ok(())
}

/// A X = B or A^T X = B, as the header says.
///
/// # Safety
/// As for [`factor_in_place`].
#[allow(clippy::too_many_arguments)] // the header's argument list
unsafe fn solve<T: Element>(
    trans: c_char,
    n: i64,
    nrhs: i64,
    lu: *const T,
    lda: i64,
    ipiv: *const i64,
    b: *mut T,
    ldb: i64,
    threads: i64,
) -> Result<(), Status> {
    let transpose = transpose(trans).ok_or(Status::Flag)?;
    let threads = self::threads(threads)?;
    // SAFETY: the caller's promise.
    let (lu, ipiv, b) = unsafe { (matrix(n, n, lu, lda)?, slice(n, ipiv)?, matrix_mut(n, nrhs, b, ldb)?) };
    library::solve(transpose, lu, ipiv, b, &Options::new().threads(threads))?;
    Ok(())
}

/// LAPACK's TRANS: N, T or C, in either case.
fn transpose(trans: c_char) -> Option<Transpose> {
    match (trans as u8).to_ascii_uppercase() {
        b'N' => Some(Transpose::No),
        b'T' => Some(Transpose::Yes),
        b'C' => Some(Transpose::Conjugate),
        _ => None,
    }
}

exported!(recfact_factor_f64, recfact_factor_f32:
    (m: i64, n: i64, a: *mut T, lda: i64, ipiv: *mut i64, pivoting: c_int, threads: i64, info: *mut i64) =>
    factor_in_place(m, n, a, lda, ipiv, pivoting, threads, info));
exported!(recfact_solve_f64, recfact_solve_f32:
    (trans: c_char, n: i64, nrhs: i64, lu: *const T, lda: i64, ipiv: *const i64, b: *mut T, ldb: i64, threads: i64) =>
    solve(trans, n, nrhs, lu, lda, ipiv, b, ldb, threads));

/// See `recfact.h`.
#[unsafe(no_mangle)]
extern "C" fn recfact_release() {
    release();
}

/// See `recfact.h`.
#[unsafe(no_mangle)]
extern "C" fn recfact_strerror(status: c_int) -> *const c_char {
    status::message(status).as_ptr()
}

/// See `recfact.h`.
#[unsafe(no_mangle)]
extern "C" fn recfact_version() -> *const c_char {
    const VERSION: &CStr = match CStr::from_bytes_with_nul(concat!(env!("CARGO_PKG_VERSION"), "\0").as_bytes()) {
        Ok(version) => version,
        Err(_) => panic!("a version has no NUL"),
    };
    VERSION.as_ptr()
}

/// See `recfact.h`.
#[unsafe(no_mangle)]
extern "C" fn recfact_isa() -> *const c_char {
    let names = [(Isa::Portable, c"portable"), (Isa::Avx2, c"avx2"), (Isa::Avx512, c"avx512")];
    let name = |isa| names.iter().find(|(named, _)| *named == isa);
    Isa::in_use().ok().and_then(name).map_or(std::ptr::null(), |(_, name)| name.as_ptr())
}
