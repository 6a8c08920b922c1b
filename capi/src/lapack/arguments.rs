//! What LAPACK's routines are called with, and what they answer.

use std::ffi::{CStr, c_void};

use library::{Element, MatrixMut, MatrixRef};

use crate::arguments::{matrix, matrix_mut};

/// An integer of the caller's LAPACK.
pub(super) trait Integer: Copy + Into<i64> {
    /// The name of the `XERBLA` that takes such integers.
    const XERBLA: &CStr;
    /// Where the linker's word for it is, in a table of `xerbla.rs`.
    const XERBLA_INDEX: usize;

    /// The same number. It fits: it is an `info` or a row of a matrix whose sizes are such integers.
    fn from_i64(x: i64) -> Self;
}

impl Integer for i32 {
    const XERBLA: &CStr = c"xerbla_";
    const XERBLA_INDEX: usize = 0;

    fn from_i64(x: i64) -> Self {
        x as i32
    }
}

impl Integer for i64 {
    const XERBLA: &CStr = c"xerbla_64_";
    const XERBLA_INDEX: usize = 1;

    fn from_i64(x: i64) -> Self {
        x
    }
}

/// The number of an illegal argument, counted from 1.
pub(super) struct Illegal(pub(super) i32);

/// That the system refuses memory, in the place of the number of an argument: LAPACKE's `LAPACK_WORK_MEMORY_ERROR`. XERBLA is
/// not called for it.
pub(super) const NO_MEMORY: Illegal = Illegal(1010);

/// Writes the `info` of a call. Returns the number of an illegal argument, or 0.
///
/// # Safety
/// `info` is valid for a write of one integer.
pub(super) unsafe fn report<I: Integer>(result: Result<i64, Illegal>, info: *mut I) -> i64 {
    let value = result.unwrap_or_else(|Illegal(argument)| -i64::from(argument));
    // SAFETY: the caller's promise.
    unsafe { *info = I::from_i64(value) };
    if value == -i64::from(NO_MEMORY.0) { 0 } else { 0.max(-value) }
}

/// The result of a call that cannot fail: its arguments have been checked, and its instruction set is one of this CPU.
pub(super) fn checked<R>(result: Result<R, library::Error>) -> R {
    result.unwrap_or_else(|error| unreachable!("{error}"))
}

/// The result of a call that fails only if the system refuses memory.
///
/// # Errors
/// [`NO_MEMORY`].
pub(super) fn allocated<R>(result: Result<R, library::Error>) -> Result<R, Illegal> {
    match result {
        Err(library::Error::OutOfMemory { .. }) => Err(NO_MEMORY),
        result => Ok(checked(result)),
    }
}

/// An array of the caller, of either kind of integers; not necessarily aligned.
#[derive(Clone, Copy)]
pub(super) struct Integers {
    pub(super) start: *mut c_void,
    wide: bool,
}

impl Integers {
    pub(super) fn new<I: Integer>(start: *const I) -> Self {
        Integers { start: start.cast_mut().cast(), wide: size_of::<I>() == size_of::<i64>() }
    }

    /// The array from element `i` on.
    pub(super) fn from(self, i: usize) -> Self {
        let size = if self.wide { size_of::<i64>() } else { size_of::<i32>() };
        Integers { start: self.start.wrapping_byte_add(i * size), ..self }
    }

    /// # Safety
    /// The array is not NULL and has more than `i` elements.
    pub(super) unsafe fn get(self, i: usize) -> i64 {
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
    pub(super) unsafe fn set(self, i: usize, number: i64) {
        // SAFETY: the caller's promise. A row of a matrix with such sizes fits, and so does its `info`.
        unsafe {
            match self.wide {
                true => self.start.cast::<i64>().add(i).write_unaligned(number),
                false => self.start.cast::<i32>().add(i).write_unaligned(number as i32),
            }
        }
    }

    /// The row swaps of an `n` by `n` matrix, as the library takes them.
    ///
    /// # Errors
    /// The number `argument`, if the array is NULL or names a row outside the matrix; [`NO_MEMORY`].
    ///
    /// # Safety
    /// If the array is not NULL, it has `n` elements.
    pub(super) unsafe fn rows(self, n: i64, argument: i32) -> Result<Vec<i64>, Illegal> {
        if self.start.is_null() && n > 0 {
            return Err(Illegal(argument));
        }
        let mut rows = array(n as usize, 0)?;
        // SAFETY: not NULL, and the caller vouches for n elements.
        rows.iter_mut().enumerate().for_each(|(i, row)| *row = unsafe { self.get(i) });
        if rows.iter().all(|row| (1..=n).contains(row)) { Ok(rows) } else { Err(Illegal(argument)) }
    }
}

/// Memory for the call.
///
/// # Errors
/// [`NO_MEMORY`].
pub(super) fn array<V: Copy>(len: usize, value: V) -> Result<Vec<V>, Illegal> {
    let mut array = Vec::new();
    array.try_reserve_exact(len).map_err(|_| NO_MEMORY)?;
    array.resize(len, value);
    Ok(array)
}

/// A matrix of the caller, whose sizes are known elsewhere.
#[derive(Clone, Copy)]
pub(super) struct Matrix<T> {
    pub(super) start: *mut T,
    pub(super) ld: i64,
}

impl<T: Element> Matrix<T> {
    /// Nothing is written through `start` unless [`Matrix::exclusive`] or [`Matrix::column_mut`] is called.
    pub(super) fn new(start: *const T, ld: i64) -> Self {
        Matrix { start: start.cast_mut(), ld }
    }

    /// Whether the leading dimension is too small for `m` rows.
    pub(super) fn is_narrow(self, m: i64) -> bool {
        self.ld < m.max(1)
    }

    /// The matrix, to be read.
    ///
    /// # Errors
    /// The number `argument`, if it is NULL, not aligned, or does not fit the address space.
    ///
    /// # Safety
    /// If it is not NULL, its elements are valid for reads, and nothing writes them while the view lives.
    pub(super) unsafe fn shared<'a>(self, m: i64, n: i64, argument: i32) -> Result<MatrixRef<'a, T>, Illegal> {
        // SAFETY: the caller's promise.
        unsafe { matrix(m, n, self.start.cast_const(), self.ld) }.map_err(|_| Illegal(argument))
    }

    /// The matrix, to be written.
    ///
    /// # Errors
    /// As for [`Matrix::shared`].
    ///
    /// # Safety
    /// If it is not NULL, its elements are valid for reads and writes, and nothing else uses them while the view lives.
    pub(super) unsafe fn exclusive<'a>(self, m: i64, n: i64, argument: i32) -> Result<MatrixMut<'a, T>, Illegal> {
        // SAFETY: the caller's promise.
        unsafe { matrix_mut(m, n, self.start, self.ld) }.map_err(|_| Illegal(argument))
    }

    /// The first `m` elements of column `j`, counted from 0, to be read.
    ///
    /// # Safety
    /// - A view of a matrix with these elements has been made, so that the pointer has been checked.
    /// - The elements are valid for reads, and nothing writes them while the slice lives.
    pub(super) unsafe fn column<'a>(self, m: i64, j: i64) -> &'a [T] {
        // SAFETY: the caller's promise; the offset fits, since the whole matrix does.
        unsafe { std::slice::from_raw_parts(self.start.offset((j * self.ld) as isize), m as usize) }
    }

    /// The same, to be written.
    ///
    /// # Safety
    /// - A view of a matrix with these elements has been made, so that the pointer has been checked.
    /// - The elements are valid for reads and writes, and nothing else uses them while the slice lives.
    pub(super) unsafe fn column_mut<'a>(self, m: i64, j: i64) -> &'a mut [T] {
        // SAFETY: the caller's promise; the offset is one within the matrix, which fits the address space.
        unsafe { std::slice::from_raw_parts_mut(self.start.offset((j * self.ld) as isize), m as usize) }
    }
}
