//! The short form, `(A, m, n, ipiv) -> info`. Its names are those that other libraries export, with and without an
//! exclamation mark.

use std::ffi::c_int;

use library::Element;

use crate::factor_in_place;

/// A refusal is this plus its status: no factorization has such an `info`, since no matrix has that many columns.
const REFUSED: i64 = i64::MIN;

/// P A = L U with `lda = m`; returns `info`, or i64::MIN + status.
///
/// # Safety
/// As for [`factor_in_place`].
unsafe fn short<T: Element>(a: *mut T, m: i64, n: i64, ipiv: *mut i64, pivoting: c_int, threads: i64) -> i64 {
    let mut info = 0;
    // SAFETY: the caller's promise.
    match unsafe { factor_in_place(m, n, a, m, ipiv, pivoting, threads, &mut info) } {
        Ok(()) => info,
        Err(status) => REFUSED + status as i64,
    }
}

/// A function under both of its names.
macro_rules! short {
    ($t:ty, pivoting: $pivoting:literal, threads: $threads:literal, $name:ident, $with_mark:ident = $mark:literal) => {
        /// See `recfact.h`.
        ///
        /// # Safety
        /// See `recfact.h`.
        #[unsafe(no_mangle)]
        unsafe extern "C" fn $name(a: *mut $t, m: i64, n: i64, ipiv: *mut i64) -> i64 {
            // SAFETY: the caller's promise.
            unsafe { short(a, m, n, ipiv, $pivoting, $threads) }
        }

        /// The same function under its other name.
        ///
        /// # Safety
        /// See `recfact.h`.
        #[unsafe(export_name = $mark)]
        unsafe extern "C" fn $with_mark(a: *mut $t, m: i64, n: i64, ipiv: *mut i64) -> i64 {
            // SAFETY: the caller's promise.
            unsafe { short(a, m, n, ipiv, $pivoting, $threads) }
        }
    };
}

short!(f64, pivoting: 1, threads: 1, recursive_lu_f64, f64_mark = "recursive_lu_f64!");
short!(f32, pivoting: 1, threads: 1, recursive_lu_f32, f32_mark = "recursive_lu_f32!");
short!(f64, pivoting: 1, threads: 0, recursive_lu_f64_threaded, f64_threaded_mark = "recursive_lu_f64_threaded!");
short!(f32, pivoting: 1, threads: 0, recursive_lu_f32_threaded, f32_threaded_mark = "recursive_lu_f32_threaded!");
short!(f64, pivoting: 0, threads: 1, recursive_lu_f64_nopiv, f64_nopiv_mark = "recursive_lu_f64_nopiv!");
short!(f32, pivoting: 0, threads: 1, recursive_lu_f32_nopiv, f32_nopiv_mark = "recursive_lu_f32_nopiv!");
short!(f64, pivoting: 0, threads: 0, recursive_lu_f64_threaded_nopiv, f64_both_mark = "recursive_lu_f64_threaded_nopiv!");
short!(f32, pivoting: 0, threads: 0, recursive_lu_f32_threaded_nopiv, f32_both_mark = "recursive_lu_f32_threaded_nopiv!");
