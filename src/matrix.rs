//! Borrowed column-major views: a pointer, `m` rows, `n` columns and the distance between columns (`lda`).
//!
//! A view can be cut into disjoint blocks. A `&mut [T]` cannot, since the rows of two blocks of the same columns
//! interleave in memory. Views do no arithmetic.

use std::marker::PhantomData;

use nalgebra::{DMatrixView, DMatrixViewMut, Dim, Dyn, IsContiguous, Matrix, RawStorage, RawStorageMut, U1};

use crate::element::Element;
use crate::error::Error;

/// The order of the elements of a matrix in memory.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Layout {
    /// Column after column.
    ColumnMajor,
    /// Row after row.
    RowMajor,
}

/// A mutable view of a column-major matrix, `m` by `n`; element (i, j) is at `i + j * lda`.
///
/// ```
/// use recfact::MatrixMut;
///
/// // 2 x 2 with a leading dimension of 3: the third element of each column is padding.
/// let mut data = [4.0, 6.0, f64::NAN, 3.0, 3.0];
/// let a = MatrixMut::from_slice(&mut data, 2, 2, 3)?;
/// assert_eq!((a.nrows(), a.ncols(), a.lda()), (2, 2, 3));
/// # Ok::<(), recfact::Error>(())
/// ```
#[derive(Debug)]
pub struct MatrixMut<'a, T> {
    ptr: *mut T,
    m: usize,
    n: usize,
    lda: usize,
    owner: PhantomData<&'a mut T>,
}

/// A shared view of a column-major matrix, `m` by `n`; element (i, j) is at `i + j * lda`.
///
/// ```
/// use recfact::MatrixRef;
///
/// let a = MatrixRef::from_slice(&[4.0, 6.0, f64::NAN, 3.0, 3.0], 2, 2, 3)?;
/// assert_eq!((a.nrows(), a.ncols(), a.lda()), (2, 2, 3));
/// # Ok::<(), recfact::Error>(())
/// ```
#[derive(Debug, Clone, Copy)]
pub struct MatrixRef<'a, T> {
    ptr: *const T,
    m: usize,
    n: usize,
    lda: usize,
    owner: PhantomData<&'a T>,
}

// SAFETY: a view is an exclusive reference to its elements, as `&mut [T]` is.
unsafe impl<T: Send> Send for MatrixMut<'_, T> {}
// SAFETY: a view is a shared reference to its elements; it may go to another thread where `&[T]` may.
unsafe impl<T: Sync> Send for MatrixRef<'_, T> {}
// SAFETY: through a shared view elements are only read, as through `&[T]`.
unsafe impl<T: Sync> Sync for MatrixRef<'_, T> {}

/// Elements from the first to the last of an `m` by `n` matrix, both included; `None` on overflow.
pub(crate) fn span(m: usize, n: usize, lda: usize) -> Option<usize> {
    if m == 0 || n == 0 { Some(0) } else { lda.checked_mul(n - 1)?.checked_add(m) }
}

/// The number of contiguous runs of elements in a matrix, `lda` elements from one to the next, and the length of each: one
/// run if there is no padding between the columns, otherwise one for each column; none in an empty matrix.
fn runs(m: usize, n: usize, lda: usize) -> (usize, usize) {
    match (m, n) {
        (0, _) | (_, 0) => (0, 0),
        _ if lda == m => (1, m * n),
        _ => (n, m),
    }
}

/// Checks that `len` elements hold an `m` by `n` matrix with leading dimension `lda`.
fn check(len: usize, m: usize, n: usize, lda: usize) -> Result<(), Error> {
    if lda < m {
        return Err(Error::LeadingDimension { m, lda });
    }
    match span(m, n, lda) {
        Some(expected) if expected <= len => Ok(()),
        expected => Err(Error::SliceTooShort { expected, found: len }),
    }
}

impl<'a, T: Element> MatrixMut<'a, T> {
    /// Views a slice as an `m` by `n` matrix with leading dimension `lda` (elements from one column to the next).
    ///
    /// # Errors
    /// `lda < m`, or a slice shorter than `lda * (n - 1) + m`.
    pub fn from_slice(data: &'a mut [T], m: usize, n: usize, lda: usize) -> Result<Self, Error> {
        check(data.len(), m, n, lda)?;
        Ok(Self { ptr: data.as_mut_ptr(), m, n, lda, owner: PhantomData })
    }

    /// As [`Self::from_slice`], for memory that was reserved for the matrix.
    ///
    /// # Panics
    /// If `from_slice` returns an error.
    pub(crate) fn in_memory(memory: &'a mut [T], m: usize, n: usize, lda: usize) -> Self {
        assert!(check(memory.len(), m, n, lda).is_ok(), "the memory does not fit the matrix");
        Self { ptr: memory.as_mut_ptr(), m, n, lda, owner: PhantomData }
    }

    /// The `m` by `n` matrix that begins at `ptr`.
    ///
    /// # Safety
    /// - The elements are valid for reads and writes, and `ptr` is aligned.
    /// - `lda >= m`.
    /// - Nothing else reads or writes the elements while the view lives.
    #[must_use]
    pub unsafe fn from_raw_parts(ptr: *mut T, m: usize, n: usize, lda: usize) -> Self {
        Self { ptr, m, n, lda, owner: PhantomData }
    }

    /// Number of rows, `m`.
    #[must_use]
    pub fn nrows(&self) -> usize {
        self.m
    }

    /// Number of columns, `n`.
    #[must_use]
    pub fn ncols(&self) -> usize {
        self.n
    }

    /// Leading dimension: elements from one column to the next.
    #[must_use]
    pub fn lda(&self) -> usize {
        self.lda
    }

    /// The first element, for a kernel. Elements outside of the `m` by `n` block may belong to another view.
    pub(crate) fn as_mut_ptr(&mut self) -> *mut T {
        self.ptr
    }

    /// The same view for a shorter time.
    #[must_use]
    pub fn reborrow(&mut self) -> MatrixMut<'_, T> {
        MatrixMut { owner: PhantomData, ..*self }
    }

    /// The same elements, shared.
    #[must_use]
    pub fn as_ref(&self) -> MatrixRef<'_, T> {
        MatrixRef { ptr: self.ptr, m: self.m, n: self.n, lda: self.lda, owner: PhantomData }
    }

    /// Column `j`.
    ///
    /// # Panics
    /// If `j >= n`.
    #[must_use]
    pub fn col_mut(&mut self, j: usize) -> &mut [T] {
        assert!(j < self.n, "column beyond the last");
        if self.m == 0 {
            return &mut [];
        }
        // SAFETY: j < n and m > 0, so the column's m elements lie in the view, which is borrowed mutably here.
        unsafe { std::slice::from_raw_parts_mut(self.ptr.add(j * self.lda), self.m) }
    }

    /// Copies the elements of a matrix of the same shape.
    ///
    /// # Panics
    /// If the shapes differ.
    pub(crate) fn copy_from(&mut self, a: MatrixRef<'_, T>) {
        assert!(a.m == self.m && a.n == self.n, "the shapes differ");
        // A matrix without rows may have more columns than a loop has time for.
        let columns = if self.m == 0 { 0 } else { self.n };
        for j in 0..columns {
            // SAFETY: column j of both views, which are borrows of different memory: this one is mutable.
            unsafe { std::ptr::copy_nonoverlapping(a.ptr.add(j * a.lda), self.ptr.add(j * self.lda), self.m) };
        }
    }

    /// Its elements in order, in as few slices as possible: see [`runs`].
    #[cfg(feature = "client")]
    pub(crate) fn into_slices(self) -> impl Iterator<Item = &'a mut [T]> {
        let (count, length) = runs(self.m, self.n, self.lda);
        (0..count).map(move |j| {
            // SAFETY: the run lies in the view, which is consumed; runs do not overlap.
            unsafe { std::slice::from_raw_parts_mut(self.ptr.add(j * self.lda), length) }
        })
    }

    /// The first `j` columns, and the others.
    ///
    /// # Panics
    /// If `j > n`.
    #[must_use]
    pub fn split_at_col(self, j: usize) -> (Self, Self) {
        assert!(j <= self.n, "split beyond the last column");
        // Wrapping: with m = 0 or j = n the address is not used, and may lie outside of the allocation.
        let right = self.ptr.wrapping_add(j.wrapping_mul(self.lda));
        (Self { n: j, ..self }, Self { ptr: right, n: self.n - j, ..self })
    }

    /// The first `i` rows, and the others.
    ///
    /// # Panics
    /// If `i > m`.
    #[must_use]
    pub fn split_at_row(self, i: usize) -> (Self, Self) {
        assert!(i <= self.m, "split beyond the last row");
        let below = self.ptr.wrapping_add(i);
        (Self { m: i, ..self }, Self { ptr: below, m: self.m - i, ..self })
    }
}

impl<'a, T: Element> MatrixRef<'a, T> {
    /// Views a slice as an `m` by `n` matrix with leading dimension `lda` (elements from one column to the next).
    ///
    /// # Errors
    /// `lda < m`, or a slice shorter than `lda * (n - 1) + m`.
    pub fn from_slice(data: &'a [T], m: usize, n: usize, lda: usize) -> Result<Self, Error> {
        check(data.len(), m, n, lda)?;
        Ok(Self { ptr: data.as_ptr(), m, n, lda, owner: PhantomData })
    }

    /// The `m` by `n` matrix that begins at `ptr`.
    ///
    /// # Safety
    /// - The elements are valid for reads, and `ptr` is aligned.
    /// - `lda >= m`.
    /// - Nothing writes the elements while the view lives.
    #[must_use]
    pub unsafe fn from_raw_parts(ptr: *const T, m: usize, n: usize, lda: usize) -> Self {
        Self { ptr, m, n, lda, owner: PhantomData }
    }

    /// Number of rows, `m`.
    #[must_use]
    pub fn nrows(&self) -> usize {
        self.m
    }

    /// Number of columns, `n`.
    #[must_use]
    pub fn ncols(&self) -> usize {
        self.n
    }

    /// Leading dimension: elements from one column to the next.
    #[must_use]
    pub fn lda(&self) -> usize {
        self.lda
    }

    /// Its elements in order, in as few slices as possible: see [`runs`].
    #[cfg(feature = "client")]
    pub(crate) fn slices(self) -> impl Iterator<Item = &'a [T]> {
        // SAFETY: the run lies in the view, whose elements are only read while it lives.
        self.runs().map(|(start, length)| unsafe { std::slice::from_raw_parts(start, length) })
    }

    /// The start and the length of each slice of [`Self::slices`], for a kernel.
    pub(crate) fn runs(self) -> impl Iterator<Item = (*const T, usize)> {
        let (count, length) = runs(self.m, self.n, self.lda);
        (0..count).map(move |j| (self.ptr.wrapping_add(j * self.lda), length))
    }

    /// Column `j`.
    ///
    /// # Panics
    /// If `j >= n`.
    pub(crate) fn col(&self, j: usize) -> &'a [T] {
        assert!(j < self.n, "column beyond the last");
        if self.m == 0 {
            return &[];
        }
        // SAFETY: j < n and m > 0, so the column's m elements lie in the view, whose elements are only read while it lives.
        unsafe { std::slice::from_raw_parts(self.ptr.add(j * self.lda), self.m) }
    }

    /// The first element, for a kernel. Elements outside of the `m` by `n` block may belong to another view.
    pub(crate) fn as_ptr(&self) -> *const T {
        self.ptr
    }

    /// The `m` by `n` block whose first element is (i, j).
    ///
    /// # Panics
    /// If the block does not lie in the view.
    #[must_use]
    pub(crate) fn block(&self, i: usize, j: usize, m: usize, n: usize) -> Self {
        assert!(i <= self.m && m <= self.m - i, "block beyond the last row");
        assert!(j <= self.n && n <= self.n - j, "block beyond the last column");
        // Wrapping: the address of an empty block is not used.
        Self { ptr: self.ptr.wrapping_add(i.wrapping_add(j.wrapping_mul(self.lda))), m, n, ..*self }
    }
}

impl<'a, T: Element, R: Dim, C: Dim, S> From<&'a mut Matrix<T, R, C, S>> for MatrixMut<'a, T>
where
    S: RawStorageMut<T, R, C> + IsContiguous,
{
    fn from(a: &'a mut Matrix<T, R, C, S>) -> Self {
        let (m, n) = a.shape();
        Self { ptr: a.as_mut_slice().as_mut_ptr(), m, n, lda: m, owner: PhantomData }
    }
}

impl<'a, T: Element, R: Dim, C: Dim, S> From<&'a Matrix<T, R, C, S>> for MatrixRef<'a, T>
where
    S: RawStorage<T, R, C> + IsContiguous,
{
    fn from(a: &'a Matrix<T, R, C, S>) -> Self {
        let (m, n) = a.shape();
        Self { ptr: a.as_slice().as_ptr(), m, n, lda: m, owner: PhantomData }
    }
}

impl<'a, T: Element> From<DMatrixViewMut<'a, T, U1, Dyn>> for MatrixMut<'a, T> {
    fn from(mut a: DMatrixViewMut<'a, T, U1, Dyn>) -> Self {
        let ((m, n), lda) = (a.shape(), a.strides().1);
        Self { ptr: a.as_mut_ptr(), m, n, lda, owner: PhantomData }
    }
}

impl<'a, T: Element> From<DMatrixView<'a, T, U1, Dyn>> for MatrixRef<'a, T> {
    fn from(a: DMatrixView<'a, T, U1, Dyn>) -> Self {
        let ((m, n), lda) = (a.shape(), a.strides().1);
        Self { ptr: a.as_ptr(), m, n, lda, owner: PhantomData }
    }
}
