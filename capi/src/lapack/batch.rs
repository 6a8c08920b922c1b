//! GETRF and GETRS for batches of matrices, by the names and with the arguments that oneMKL gives them
//! (`dgetrf_batch_strided`).
//!
//! `info` has an element for each matrix. An illegal argument is refused for the whole batch: each element of `info` is
//! the negative number of the argument, and `XERBLA` is called once. Source of the arguments: the oneMKL Developer
//! Reference, `?getrf_batch_strided` and `?getrs_batch_strided`. A stride may be smaller there than it says, as long as no
//! matrices overlap.

use std::ffi::c_char;

use library::{Element, factor_batch, solve_batch};

use super::arguments::{Illegal, Integer, Integers, checked};
use super::xerbla::routine;
use super::{getrf, getrs, options};
use crate::batch::Matrices;
use crate::transpose;

/// Row swaps and `info`s that are converted at a time, from or to the integers of the library: 1 MiB. With fewer, matrices
/// of order 4 would not be enough work for two threads.
const PIECE: usize = 1 << 17;

/// Calls a function for each piece of a batch, with its first matrix, the number of its matrices, and memory for `each`
/// integers of each matrix. Returns `false`, and has called nothing, if the system refuses the memory.
fn in_pieces(count: usize, each: usize, f: &mut dyn FnMut(usize, usize, &mut [i64])) -> bool {
    let piece = (PIECE / each).clamp(1, count);
    let mut memory = Vec::new();
    if memory.try_reserve_exact(piece * each).is_err() {
        return false;
    }
    memory.resize(piece * each, 0);
    for first in (0..count).step_by(piece) {
        let len = piece.min(count - first);
        f(first, len, &mut memory[..len * each]);
    }
    true
}

/// The elements from the first to the last of a matrix, both included.
fn span(m: i64, n: i64, ld: i64) -> i64 {
    if m == 0 || n == 0 { 0 } else { ld.saturating_mul(n - 1).saturating_add(m) }
}

/// Whether arrays of `len` elements overlap if each begins `stride` elements after the one before.
fn overlap(batch_size: i64, len: i64, stride: i64) -> bool {
    batch_size > 1 && stride < len
}

/// Writes each `info` of a batch that was refused. Returns the number of the illegal argument, or 0 if there is none.
///
/// # Safety
/// `info` has an element for each matrix.
unsafe fn report_all(result: Result<(), Illegal>, batch_size: i64, info: Integers) -> i64 {
    let Err(Illegal(argument)) = result else { return 0 };
    for k in 0..batch_size {
        // SAFETY: the caller's promise.
        unsafe { info.set(k as usize, -i64::from(argument)) };
    }
    argument.into()
}

/// A batch of matrices, as LAPACK's arguments give it.
#[derive(Clone, Copy)]
struct Batch<T> {
    start: *mut T,
    shape: [i64; 2],
    ld: i64,
    stride: i64,
}

impl<T: Element> Batch<T> {
    /// Some of the matrices.
    fn piece(&self, first: usize, count: usize) -> Matrices<T> {
        let [m, n] = self.shape;
        Matrices::new(self.matrix(first), [count as i64, m, n], [self.ld, self.stride], false)
    }

    /// The first element of a matrix.
    fn matrix(&self, index: usize) -> *mut T {
        self.start.wrapping_offset(index as isize * self.stride as isize)
    }
}

/// P A = L U of each matrix in place; the arguments are those of DGETRF_BATCH_STRIDED.
///
/// # Safety
/// - Pointers that are not NULL are valid for the sizes.
/// - Nothing else uses that memory during the call.
unsafe fn getrf_batch<T: Element>(
    batch_size: i64,
    a: Batch<T>,
    ipiv: Integers,
    stride_ipiv: i64,
    info: Integers,
) -> Result<(), Illegal> {
    let ([m, n], lda) = (a.shape, a.ld);
    match () {
        _ if m < 0 => return Err(Illegal(1)),
        _ if n < 0 => return Err(Illegal(2)),
        _ if lda < m.max(1) => return Err(Illegal(4)),
        _ if overlap(batch_size, span(m, n, lda), a.stride) => return Err(Illegal(5)),
        _ if overlap(batch_size, m.min(n), stride_ipiv) => return Err(Illegal(7)),
        _ if batch_size < 0 => return Err(Illegal(8)),
        _ => {}
    }
    let (count, k) = (batch_size as usize, m.min(n) as usize);
    // SAFETY: the caller vouches for an element of each matrix.
    let report = |index, number| unsafe { info.set(index, number) };
    if count == 0 || k == 0 {
        (0..count).for_each(|index| report(index, 0));
        return Ok(());
    }
    if ipiv.start.is_null() {
        return Err(Illegal(6));
    }
    // SAFETY: the caller's promise. The view does not live on.
    unsafe { a.piece(0, count).exclusive() }.map_err(|_| Illegal(3))?;
    let swaps_of = |index: usize| ipiv.from(index * stride_ipiv.max(0) as usize);
    let mut factor_piece = |first: usize, len: usize, memory: &mut [i64]| {
        let (swaps, infos) = memory.split_at_mut(len * k);
        // SAFETY: the caller's promise; the arguments of the whole batch have been checked.
        let Ok(piece) = (unsafe { a.piece(first, len).exclusive() }) else { unreachable!("a piece of the batch") };
        checked(factor_batch(piece, &mut swaps[..], infos, &options()));
        for (index, (swaps, &number)) in (first..).zip(swaps.chunks_exact(k).zip(&*infos)) {
            // SAFETY: not NULL, and the caller vouches for min(m, n) elements of each matrix.
            swaps.iter().enumerate().for_each(|(i, &row)| unsafe { swaps_of(index).set(i, row) });
            report(index, number);
        }
    };
    if !in_pieces(count, k + 1, &mut factor_piece) {
        for index in 0..count {
            // SAFETY: the caller's promise.
            report(index, unsafe { getrf(m, n, a.matrix(index), lda, swaps_of(index)) }?);
        }
    }
    Ok(())
}

/// A X = B or A^T X = B for each matrix; the arguments are those of DGETRS_BATCH_STRIDED.
///
/// # Safety
/// As for [`getrf_batch`].
unsafe fn getrs_batch<T: Element>(
    trans: c_char,
    batch_size: i64,
    a: Batch<T>,
    ipiv: Integers,
    stride_ipiv: i64,
    b: Batch<T>,
    info: Integers,
) -> Result<(), Illegal> {
    let transposed = transpose(trans).ok_or(Illegal(1))?;
    let ([n, nrhs], lda, ldb) = (b.shape, a.ld, b.ld);
    match () {
        _ if n < 0 => return Err(Illegal(2)),
        _ if nrhs < 0 => return Err(Illegal(3)),
        _ if lda < n.max(1) => return Err(Illegal(5)),
        _ if overlap(batch_size, span(n, n, lda), a.stride) => return Err(Illegal(6)),
        _ if overlap(batch_size, n, stride_ipiv) => return Err(Illegal(8)),
        _ if ldb < n.max(1) => return Err(Illegal(10)),
        _ if overlap(batch_size, span(n, nrhs, ldb), b.stride) => return Err(Illegal(11)),
        _ if batch_size < 0 => return Err(Illegal(12)),
        _ => {}
    }
    let (count, order) = (batch_size as usize, n as usize);
    if count > 0 && n > 0 && nrhs > 0 {
        // SAFETY: the caller's promise. Neither view lives on.
        unsafe {
            a.piece(0, count).shared().map_err(|_| Illegal(4))?;
            b.piece(0, count).exclusive().map_err(|_| Illegal(9))?;
        }
        if ipiv.start.is_null() {
            return Err(Illegal(7));
        }
        let swaps_of = |index: usize| ipiv.from(index * stride_ipiv.max(0) as usize);
        // SAFETY: not NULL, and the caller vouches for n elements of each matrix.
        let row = |index: usize, i: usize| unsafe { swaps_of(index).get(i) };
        if !(0..count).all(|index| (0..order).all(|i| (1..=n).contains(&row(index, i)))) {
            return Err(Illegal(7));
        }
        let mut solve_piece = |first: usize, len: usize, swaps: &mut [i64]| {
            for (index, swaps) in (first..).zip(swaps.chunks_exact_mut(order)) {
                // `ipiv` is read a second time here. The clamp keeps rows in the matrix even if it has changed.
                swaps.iter_mut().enumerate().for_each(|(i, to)| *to = row(index, i).clamp(1, n));
            }
            // SAFETY: the caller's promise; the arguments of the whole batch have been checked.
            let views = unsafe { (a.piece(first, len).shared(), b.piece(first, len).exclusive()) };
            let (Ok(a), Ok(b)) = views else { unreachable!("a piece of the batch") };
            checked(solve_batch(transposed, a, swaps, b, &options()));
        };
        if !in_pieces(count, order, &mut solve_piece) {
            for index in 0..count {
                let (a, b) = (a.matrix(index).cast_const(), b.matrix(index));
                // SAFETY: the caller's promise.
                unsafe { getrs(trans, n, nrhs, a, lda, swaps_of(index), b, ldb) }.map_err(|_| Illegal(7))?;
            }
        }
    }
    // SAFETY: the caller vouches for an element of each matrix.
    (0..count).for_each(|index| unsafe { info.set(index, 0) });
    Ok(())
}

/// The arguments of DGETRF_BATCH_STRIDED by reference; returns the number of an illegal one, or 0.
///
/// # Safety
/// As LAPACK says: every pointer is valid for what the sizes say.
#[allow(clippy::too_many_arguments)] // oneMKL's argument list
unsafe extern "C" fn getrf_by_reference<T: Element, I: Integer>(
    m: *const I,
    n: *const I,
    a: *mut T,
    lda: *const I,
    stride_a: *const I,
    ipiv: *mut I,
    stride_ipiv: *const I,
    batch_size: *const I,
    info: *mut I,
) -> i64 {
    // SAFETY: the caller's promise.
    unsafe {
        let (shape, batch_size, info) = ([(*m).into(), (*n).into()], (*batch_size).into(), Integers::new(info));
        let a = Batch { start: a, shape, ld: (*lda).into(), stride: (*stride_a).into() };
        let result = getrf_batch(batch_size, a, Integers::new(ipiv), (*stride_ipiv).into(), info);
        report_all(result, batch_size, info)
    }
}

/// The arguments of DGETRS_BATCH_STRIDED by reference; returns the number of an illegal one, or 0.
///
/// # Safety
/// As for [`getrf_by_reference`].
#[allow(clippy::too_many_arguments)] // oneMKL's argument list
unsafe extern "C" fn getrs_by_reference<T: Element, I: Integer>(
    trans: *const c_char,
    n: *const I,
    nrhs: *const I,
    a: *const T,
    lda: *const I,
    stride_a: *const I,
    ipiv: *const I,
    stride_ipiv: *const I,
    b: *mut T,
    ldb: *const I,
    stride_b: *const I,
    batch_size: *const I,
    info: *mut I,
) -> i64 {
    // SAFETY: the caller's promise.
    unsafe {
        let (n, nrhs, batch_size, info) = ((*n).into(), (*nrhs).into(), (*batch_size).into(), Integers::new(info));
        let a = Batch { start: a.cast_mut(), shape: [n, n], ld: (*lda).into(), stride: (*stride_a).into() };
        let b = Batch { start: b, shape: [n, nrhs], ld: (*ldb).into(), stride: (*stride_b).into() };
        let (ipiv, stride_ipiv) = (Integers::new(ipiv), (*stride_ipiv).into());
        report_all(getrs_batch(*trans, batch_size, a, ipiv, stride_ipiv, b, info), batch_size, info)
    }
}

/// The routines of one precision and one kind of integer, under names without and with an underscore at the end.
macro_rules! routines {
    ($t:ty, $i:ty: $($getrf:ident)* = $getrf_name:literal, $($getrs:ident)* = $getrs_name:literal) => {
        $(routine!($getrf = getrf_by_reference::<$t, $i>, $getrf_name, $i, "0,1,2":
            (m: *const $i, n: *const $i, a: *mut $t, lda: *const $i, stride_a: *const $i, ipiv: *mut $i,
             stride_ipiv: *const $i, batch_size: *const $i, info: *mut $i));)*
        $(routine!($getrs = getrs_by_reference::<$t, $i>, $getrs_name, $i, "0,1,2,3,4,5,6":
            (trans: *const c_char, n: *const $i, nrhs: *const $i, a: *const $t, lda: *const $i, stride_a: *const $i,
             ipiv: *const $i, stride_ipiv: *const $i, b: *mut $t, ldb: *const $i, stride_b: *const $i,
             batch_size: *const $i, info: *mut $i));)*
    };
}

routines!(f64, i32: dgetrf_batch_strided dgetrf_batch_strided_ = "DGETRF_BATCH_STRIDED",
    dgetrs_batch_strided dgetrs_batch_strided_ = "DGETRS_BATCH_STRIDED");
routines!(f32, i32: sgetrf_batch_strided sgetrf_batch_strided_ = "SGETRF_BATCH_STRIDED",
    sgetrs_batch_strided sgetrs_batch_strided_ = "SGETRS_BATCH_STRIDED");
routines!(f64, i64: dgetrf_batch_strided_64 dgetrf_batch_strided_64_ = "DGETRF_BATCH_STRIDED",
    dgetrs_batch_strided_64 dgetrs_batch_strided_64_ = "DGETRS_BATCH_STRIDED");
routines!(f32, i64: sgetrf_batch_strided_64 sgetrf_batch_strided_64_ = "SGETRF_BATCH_STRIDED",
    sgetrs_batch_strided_64 sgetrs_batch_strided_64_ = "SGETRS_BATCH_STRIDED");
