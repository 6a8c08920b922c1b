//! Matrices of a caller that are operands of a request, and where they are in the segment.

use std::marker::PhantomData;
use std::ptr;

use crate::batch::{BatchMut, BatchRef, Geometry};
use crate::matrix::{Layout, MatrixMut, MatrixRef};
use crate::protocol::WireElement;

/// The alignment of each operand in a segment: a cache line.
const ALIGNMENT: usize = 64;

/// Matrices of a view that is borrowed as long as this lives.
#[derive(Debug)]
pub(super) struct Matrices<'a, T> {
    ptr: *mut T,
    pub(super) geometry: Geometry,
    owner: PhantomData<&'a T>,
}

impl<T> Clone for Matrices<'_, T> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<T> Copy for Matrices<'_, T> {}

impl<'a, T: WireElement> From<MatrixRef<'a, T>> for Matrices<'a, T> {
    fn from(a: MatrixRef<'a, T>) -> Self {
        Matrices::single(a.as_ptr().cast_mut(), a)
    }
}

impl<'a, T: WireElement> From<MatrixMut<'a, T>> for Matrices<'a, T> {
    fn from(mut a: MatrixMut<'a, T>) -> Self {
        Matrices::single(a.as_mut_ptr(), a.as_ref())
    }
}

impl<'a, T: WireElement> Matrices<'a, T> {
    /// One matrix, whose elements are at `ptr`.
    fn single(ptr: *mut T, a: MatrixRef<'_, T>) -> Self {
        let geometry = Geometry::new(1, [a.nrows(), a.ncols()], Layout::ColumnMajor, a.lda(), 0);
        let geometry = geometry.expect("a view has a good leading dimension");
        Matrices { ptr, geometry, owner: PhantomData }
    }

    /// Matrices that are only read.
    pub(super) fn shared(batch: BatchRef<'a, T>) -> Self {
        Matrices { ptr: batch.as_ptr().cast_mut(), geometry: batch.geometry(), owner: PhantomData }
    }

    pub(super) fn mutable(mut batch: BatchMut<'a, T>) -> Self {
        Matrices { ptr: batch.as_mut_ptr(), geometry: batch.geometry(), owner: PhantomData }
    }

    /// The first of elements that stand next to each other, and their number. All matrices are one run if there is no padding.
    fn runs(self) -> impl Iterator<Item = (*mut T, usize)> {
        let ((length, lines), count) = (self.geometry.lines(), self.geometry.count());
        let (ld, stride) = (self.geometry.ld(), self.geometry.stride());
        let (matrices, lines, length) = if length == 0 || lines == 0 || count == 0 {
            (0, 0, 0)
        } else if ld == length && (stride == length * lines || count == 1) {
            (1, 1, count * lines * length)
        } else if ld == length {
            (count, 1, lines * length)
        } else {
            (count, lines, length)
        };
        let starts = (0..matrices).flat_map(move |k| (0..lines).map(move |j| k * stride + j * ld));
        starts.map(move |start| (self.ptr.wrapping_add(start), length))
    }

    /// The elements in order, in as few slices as possible.
    pub(super) fn slices(self) -> impl Iterator<Item = &'a [T]> {
        // SAFETY: each run lies in the view, whose elements nobody writes meanwhile.
        self.runs().map(|(start, length)| unsafe { std::slice::from_raw_parts(start, length) })
    }

    /// The same, to be written.
    ///
    /// # Safety
    /// - The matrices are those of a mutable view, and nothing else reads or writes them meanwhile.
    pub(super) unsafe fn slices_mut(self) -> impl Iterator<Item = &'a mut [T]> {
        // SAFETY: each run lies in the view, and runs do not overlap; the caller vouches for the rest.
        self.runs().map(|(start, length)| unsafe { std::slice::from_raw_parts_mut(start, length) })
    }

    /// One of the matrices.
    pub(super) fn one(self, index: usize) -> Self {
        let all = self.geometry;
        let one = Geometry::new(1, [all.nrows(), all.ncols()], all.layout(), all.ld(), all.stride());
        let geometry = one.expect("the matrices of a view have a good leading dimension");
        Matrices { ptr: self.ptr.wrapping_add(index * all.stride()), geometry, owner: PhantomData }
    }

    /// Bytes of the elements.
    pub(super) fn bytes(self) -> usize {
        self.runs().map(|(_, length)| length * size_of::<T>()).sum()
    }

    /// Copies the elements to memory without padding.
    ///
    /// # Safety
    /// - There is room for [`Self::bytes`] bytes.
    pub(super) unsafe fn copy_to(self, mut to: *mut u8) {
        for (from, length) in self.runs() {
            let bytes = length * size_of::<T>();
            // SAFETY: a run of the view, and the caller's promise.
            unsafe { ptr::copy_nonoverlapping(from.cast(), to, bytes) };
            to = to.wrapping_add(bytes);
        }
    }

    /// Copies the elements from memory without padding.
    ///
    /// # Safety
    /// - There are [`Self::bytes`] bytes.
    /// - The matrices are those of a mutable view, and nothing else reads or writes them meanwhile.
    pub(super) unsafe fn copy_from(self, mut from: *const u8) {
        for (to, length) in self.runs() {
            let bytes = length * size_of::<T>();
            // SAFETY: a run of the view, and the caller's promise.
            unsafe { ptr::copy_nonoverlapping(from, to.cast(), bytes) };
            from = from.wrapping_add(bytes);
        }
    }
}

/// Where operands are in the segment, by their number.
#[derive(Debug, Clone, Copy)]
pub(super) struct Offsets<const N: usize> {
    offsets: [usize; N],
    /// Bytes of all of them.
    pub(super) bytes: usize,
}

impl<const N: usize> Offsets<N> {
    pub(super) fn new() -> Self {
        Offsets { offsets: [0; N], bytes: 0 }
    }

    /// Gives an operand of this size a place behind the others.
    pub(super) fn append(&mut self, operand: usize, bytes: usize) {
        self.offsets[operand] = self.bytes;
        self.bytes = self.bytes.saturating_add(bytes).checked_next_multiple_of(ALIGNMENT).unwrap_or(usize::MAX);
    }

    /// Gives an operand the place of another.
    pub(super) fn replace(&mut self, operand: usize, other: usize) {
        self.offsets[operand] = self.offsets[other];
    }

    /// Where an operand is, in bytes.
    pub(super) fn of(&self, operand: usize) -> usize {
        self.offsets[operand]
    }
}
