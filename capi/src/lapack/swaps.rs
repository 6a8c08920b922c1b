//! LASWP: row swaps. It has no `info` and calls no XERBLA. Source: `DLASWP` of LAPACK 3.12.

use super::arguments::{Integers, Matrix};
use library::Element;

/// For each row i from `k1` to `k2`, or from `k2` to `k1` if `incx` is negative, swaps it with row ipiv(k1 + (i - k1) |incx|). Both
/// are counted from 1.
///
/// A row above the matrix, or below its leading dimension, is outside all memory that the caller has promised: then nothing is
/// done. With one column the leading dimension says nothing.
///
/// # Safety
/// - If `a` is not NULL, its `n` columns are valid for the rows that are named, and nothing else uses them during the call.
/// - If `ipiv` is not NULL, it has the elements that are named.
unsafe fn laswp<T: Element>(n: i64, a: Matrix<T>, [k1, k2]: [i64; 2], ipiv: Integers, incx: i64) {
    if n <= 0 || k2 < k1 || incx == 0 || a.start.is_null() || ipiv.start.is_null() {
        return;
    }
    let last_row = if n == 1 { i64::MAX } else { a.ld };
    // SAFETY: the caller vouches for these elements of ipiv.
    let row = |i: i64| unsafe { ipiv.get((k1 - 1 + (i - k1) * incx.abs()) as usize) };
    if k1 < 1 || k2 > last_row || !(k1..=k2).all(|i| (1..=last_row).contains(&row(i))) {
        return;
    }
    for j in 0..n {
        let column = a.start.wrapping_offset((j * a.ld) as isize);
        let swap = |i: i64| {
            // `ipiv` is read a second time here. The clamp keeps rows in the matrix even if it has changed in between.
            let other = row(i).clamp(1, last_row);
            // SAFETY: the caller vouches for both rows of each column. `swap` reads both before it writes.
            unsafe {
                let (x, y) = (column.wrapping_offset(i as isize - 1), column.wrapping_offset(other as isize - 1));
                let (at_x, at_y) = (x.read_unaligned(), y.read_unaligned());
                x.write_unaligned(at_y);
                y.write_unaligned(at_x);
            }
        };
        if incx > 0 { (k1..=k2).for_each(swap) } else { (k1..=k2).rev().for_each(swap) }
    }
}

/// The routine of one precision and one kind of integer.
macro_rules! routines {
    ($t:ty, $i:ty: $laswp:ident) => {
        /// LAPACK's routine of this name.
        ///
        /// # Safety
        /// As LAPACK says: every pointer is valid for what the sizes say.
        #[unsafe(no_mangle)]
        unsafe extern "C" fn $laswp(
            n: *const $i,
            a: *mut $t,
            lda: *const $i,
            k1: *const $i,
            k2: *const $i,
            ipiv: *const $i,
            incx: *const $i,
        ) {
            // SAFETY: the caller's promise.
            unsafe {
                let (a, rows) = (Matrix::new(a, i64::from(*lda)), [i64::from(*k1), i64::from(*k2)]);
                laswp(i64::from(*n), a, rows, Integers::new(ipiv), i64::from(*incx));
            }
        }
    };
}

routines!(f64, i32: dlaswp_);
routines!(f32, i32: slaswp_);
routines!(f64, i64: dlaswp_64_);
routines!(f32, i64: slaswp_64_);
