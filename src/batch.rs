//! Borrowed views of many matrices of one shape.

use std::marker::PhantomData;

use crate::element::Element;
use crate::error::Error;
use crate::matrix::{Layout, span};

/// A mutable view of `count` matrices, `m` by `n`. Each begins `stride` elements after the one before, and lies in memory as
/// [`Layout`] says, with a leading dimension: elements from one column to the next, or from one row to the next.
///
/// ```
/// use recfact::{BatchMut, Layout};
///
/// // Two matrices with the rows (1, 2) and (3, 4), and (5, 6) and (7, 8), row after row.
/// let mut data = [1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0];
/// let batch = BatchMut::from_slice(&mut data, 2, [2, 2], Layout::RowMajor)?;
/// assert_eq!((batch.count(), batch.nrows(), batch.ncols()), (2, 2, 2));
/// # Ok::<(), recfact::Error>(())
/// ```
#[derive(Debug)]
pub struct BatchMut<'a, T> {
    ptr: *mut T,
    count: usize,
    m: usize,
    n: usize,
    layout: Layout,
    ld: usize,
    stride: usize,
    owner: PhantomData<&'a mut T>,
}

// SAFETY: a view is an exclusive reference to its elements, as `&mut [T]` is.
unsafe impl<T: Send> Send for BatchMut<'_, T> {}

impl<'a, T: Element> BatchMut<'a, T> {
    /// Views a slice as `count` matrices one after the other, without padding.
    ///
    /// # Errors
    /// [`Error::SliceTooShort`].
    pub fn from_slice(data: &'a mut [T], count: usize, [m, n]: [usize; 2], layout: Layout) -> Result<Self, Error> {
        let ld = if layout == Layout::RowMajor { n } else { m };
        let expected = m.checked_mul(n);
        let stride = expected.ok_or(Error::SliceTooShort { expected, found: data.len() })?;
        Self::with_strides(data, count, [m, n], layout, ld, stride)
    }

    /// Views a slice as `count` matrices with this leading dimension, `stride` elements from one to the next. What is between
    /// columns, rows and matrices is neither read nor written.
    ///
    /// # Errors
    /// [`Error::LeadingDimension`] if `ld` is less than the rows of column-major matrices, or the columns of row-major
    /// ones; [`Error::Stride`] if two matrices would overlap; [`Error::SliceTooShort`].
    pub fn with_strides(
        data: &'a mut [T],
        count: usize,
        [m, n]: [usize; 2],
        layout: Layout,
        ld: usize,
        stride: usize,
    ) -> Result<Self, Error> {
        let (length, lines) = if layout == Layout::RowMajor { (n, m) } else { (m, n) };
        if ld < length {
            return Err(Error::LeadingDimension { m: length, lda: ld });
        }
        let one = span(length, lines, ld);
        if let Some(expected) = one.filter(|&one| count > 1 && stride < one) {
            return Err(Error::Stride { expected, found: stride });
        }
        let all = match (count, one) {
            (0, _) | (_, Some(0)) => Some(0),
            // From the first element to the last, as in a matrix whose columns are the matrices.
            (_, one) => one.and_then(|one| span(one, count, stride)),
        };
        match all {
            Some(expected) if expected <= data.len() => {}
            expected => return Err(Error::SliceTooShort { expected, found: data.len() }),
        }
        Ok(BatchMut { ptr: data.as_mut_ptr(), count, m, n, layout, ld, stride, owner: PhantomData })
    }

    /// Number of matrices.
    #[must_use]
    pub fn count(&self) -> usize {
        self.count
    }

    /// Number of rows of each matrix, `m`.
    #[must_use]
    pub fn nrows(&self) -> usize {
        self.m
    }

    /// Number of columns of each matrix, `n`.
    #[must_use]
    pub fn ncols(&self) -> usize {
        self.n
    }

    /// The order of the elements of each matrix.
    #[must_use]
    pub fn layout(&self) -> Layout {
        self.layout
    }

    /// Leading dimension: elements from one column to the next, or from one row to the next.
    #[must_use]
    pub fn ld(&self) -> usize {
        self.ld
    }

    /// Elements from one matrix to the next.
    #[must_use]
    pub fn stride(&self) -> usize {
        self.stride
    }

    /// The first element of the first matrix. Elements between the matrices may belong to another view.
    pub(crate) fn as_mut_ptr(&mut self) -> *mut T {
        self.ptr
    }
}
