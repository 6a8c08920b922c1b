//! Borrowed views of many matrices of one shape.

use std::marker::PhantomData;

use crate::element::Element;
use crate::error::Error;
use crate::matrix::{Layout, span};

/// How the matrices of a batch lie in memory: `count` matrices, `m` by `n`, of which each begins `stride` elements after the
/// one before. Each lies as its [`Layout`] says, with a leading dimension: elements from one column to the next, or from one
/// row to the next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Geometry {
    count: usize,
    m: usize,
    n: usize,
    layout: Layout,
    ld: usize,
    stride: usize,
}

impl Geometry {
    /// Matrices one after the other, without padding.
    #[must_use]
    pub const fn packed(count: usize, [m, n]: [usize; 2], layout: Layout) -> Self {
        let ld = match layout {
            Layout::ColumnMajor => m,
            Layout::RowMajor => n,
        };
        // A product that overflows is found again when the span is computed.
        Geometry { count, m, n, layout, ld, stride: m.saturating_mul(n) }
    }

    /// Matrices with this leading dimension, `stride` elements from one to the next.
    ///
    /// # Errors
    /// [`Error::LeadingDimension`] if `ld` is less than the rows of column-major matrices, or the columns of row-major
    /// ones; [`Error::Stride`] if two matrices would overlap.
    pub fn new(count: usize, [m, n]: [usize; 2], layout: Layout, ld: usize, stride: usize) -> Result<Self, Error> {
        let geometry = Geometry { count, m, n, layout, ld, stride };
        let (length, _) = geometry.lines();
        if ld < length {
            return Err(Error::LeadingDimension { m: length, lda: ld });
        }
        match geometry.one() {
            Some(expected) if count > 1 && stride < expected => Err(Error::Stride { expected, found: stride }),
            _ => Ok(geometry),
        }
    }

    /// Number of matrices.
    #[must_use]
    pub const fn count(&self) -> usize {
        self.count
    }

    /// Number of rows of each matrix, `m`.
    #[must_use]
    pub const fn nrows(&self) -> usize {
        self.m
    }

    /// Number of columns of each matrix, `n`.
    #[must_use]
    pub const fn ncols(&self) -> usize {
        self.n
    }

    /// The order of the elements of each matrix.
    #[must_use]
    pub const fn layout(&self) -> Layout {
        self.layout
    }

    /// Leading dimension: elements from one column to the next, or from one row to the next.
    #[must_use]
    pub const fn ld(&self) -> usize {
        self.ld
    }

    /// Elements from one matrix to the next.
    #[must_use]
    pub const fn stride(&self) -> usize {
        self.stride
    }

    /// Elements from the first to the last of all matrices, both included; `None` on overflow.
    #[must_use]
    pub fn span(&self) -> Option<usize> {
        match (self.count, self.one()) {
            (0, _) | (_, Some(0)) => Some(0),
            // From the first element to the last, as in a matrix whose columns are the matrices.
            (count, one) => one.and_then(|one| span(one, count, self.stride)),
        }
    }

    /// Elements that stand next to each other in a matrix, and how often: columns and their number, or rows and theirs.
    pub(crate) const fn lines(&self) -> (usize, usize) {
        match self.layout {
            Layout::ColumnMajor => (self.m, self.n),
            Layout::RowMajor => (self.n, self.m),
        }
    }

    /// The span of one matrix.
    fn one(&self) -> Option<usize> {
        let (length, lines) = self.lines();
        span(length, lines, self.ld)
    }

    /// Checks that `found` elements hold the matrices.
    fn check(&self, found: usize) -> Result<(), Error> {
        match self.span() {
            Some(expected) if expected <= found => Ok(()),
            expected => Err(Error::SliceTooShort { expected, found }),
        }
    }
}

/// A mutable view of many matrices of one shape.
///
/// ```
/// use recfact::{BatchMut, Layout};
///
/// // Two matrices with the rows (1, 2) and (3, 4), and (5, 6) and (7, 8), row after row.
/// let mut data = [1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0];
/// let batch = BatchMut::from_slice(&mut data, 2, [2, 2], Layout::RowMajor)?;
/// assert_eq!(batch.geometry().stride(), 4);
/// # Ok::<(), recfact::Error>(())
/// ```
#[derive(Debug)]
pub struct BatchMut<'a, T> {
    ptr: *mut T,
    geometry: Geometry,
    owner: PhantomData<&'a mut T>,
}

/// A shared view of many matrices of one shape.
///
/// ```
/// use recfact::{BatchRef, Geometry, Layout};
///
/// // The first two columns of two matrices with three.
/// let geometry = Geometry::new(2, [2, 2], Layout::ColumnMajor, 2, 6)?;
/// BatchRef::new(&[4.0, 6.0, 3.0, 3.0, f64::NAN, f64::NAN, 1.0, 1.0, 1.0, 1.0], geometry)?;
/// # Ok::<(), recfact::Error>(())
/// ```
#[derive(Debug, Clone, Copy)]
pub struct BatchRef<'a, T> {
    ptr: *const T,
    geometry: Geometry,
    owner: PhantomData<&'a T>,
}

// SAFETY: a view is an exclusive reference to its elements, as `&mut [T]` is.
unsafe impl<T: Send> Send for BatchMut<'_, T> {}
// SAFETY: a view is a shared reference to its elements; it may go to another thread where `&[T]` may.
unsafe impl<T: Sync> Send for BatchRef<'_, T> {}
// SAFETY: through a shared view elements are only read, as through `&[T]`.
unsafe impl<T: Sync> Sync for BatchRef<'_, T> {}

impl<'a, T: Element> BatchMut<'a, T> {
    /// Views a slice as `count` matrices one after the other, without padding.
    ///
    /// # Errors
    /// [`Error::SliceTooShort`].
    pub fn from_slice(data: &'a mut [T], count: usize, shape: [usize; 2], layout: Layout) -> Result<Self, Error> {
        Self::new(data, Geometry::packed(count, shape, layout))
    }

    /// Views a slice as matrices. What is between columns, rows and matrices is neither read nor written.
    ///
    /// # Errors
    /// [`Error::SliceTooShort`].
    pub fn new(data: &'a mut [T], geometry: Geometry) -> Result<Self, Error> {
        geometry.check(data.len())?;
        Ok(BatchMut { ptr: data.as_mut_ptr(), geometry, owner: PhantomData })
    }

    /// The matrices of which the first begins at `ptr`.
    ///
    /// # Safety
    /// - The elements are valid for reads and writes, and `ptr` is aligned.
    /// - Nothing else reads or writes the elements while the view lives.
    #[must_use]
    pub const unsafe fn from_raw_parts(ptr: *mut T, geometry: Geometry) -> Self {
        BatchMut { ptr, geometry, owner: PhantomData }
    }

    /// How the matrices lie in memory.
    #[must_use]
    pub const fn geometry(&self) -> Geometry {
        self.geometry
    }

    /// The first element of the first matrix. Elements between the matrices may belong to another view.
    pub(crate) const fn as_mut_ptr(&mut self) -> *mut T {
        self.ptr
    }
}

impl<'a, T: Element> BatchRef<'a, T> {
    /// Views a slice as `count` matrices one after the other, without padding.
    ///
    /// # Errors
    /// [`Error::SliceTooShort`].
    pub fn from_slice(data: &'a [T], count: usize, shape: [usize; 2], layout: Layout) -> Result<Self, Error> {
        Self::new(data, Geometry::packed(count, shape, layout))
    }

    /// Views a slice as matrices. What is between columns, rows and matrices is not read.
    ///
    /// # Errors
    /// [`Error::SliceTooShort`].
    pub fn new(data: &'a [T], geometry: Geometry) -> Result<Self, Error> {
        geometry.check(data.len())?;
        Ok(BatchRef { ptr: data.as_ptr(), geometry, owner: PhantomData })
    }

    /// The matrices of which the first begins at `ptr`.
    ///
    /// # Safety
    /// - The elements are valid for reads, and `ptr` is aligned.
    /// - Nothing writes the elements while the view lives.
    #[must_use]
    pub const unsafe fn from_raw_parts(ptr: *const T, geometry: Geometry) -> Self {
        BatchRef { ptr, geometry, owner: PhantomData }
    }

    /// How the matrices lie in memory.
    #[must_use]
    pub const fn geometry(&self) -> Geometry {
        self.geometry
    }

    /// The first element of the first matrix.
    pub(crate) const fn as_ptr(&self) -> *const T {
        self.ptr
    }
}
