//! The memory of a caller that is read and written.

use std::marker::PhantomData;
use std::ptr;

use byteorder::{ByteOrder, LittleEndian};

use crate::batch::{BatchMut, BatchRef, Geometry};
use crate::lu::{Determinant, Swaps};
use crate::protocol::{BatchOperand, WireElement, ipiv_wire_order};

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

impl<'a, T: WireElement> Matrices<'a, T> {
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

/// The row swaps of the caller.
#[derive(Debug)]
pub(super) enum Ipiv<'a> {
    /// Those of factors that the caller has.
    Given(&'a [i64]),
    /// Where they go, if they are wanted.
    Wanted(Swaps<'a>),
}

/// The vectors of the caller: exactly as many numbers as the batch has.
#[derive(Debug)]
pub(super) struct Vectors<'a> {
    pub(super) ipiv: Ipiv<'a>,
    pub(super) info: &'a mut [i64],
    pub(super) det: &'a mut [Determinant],
}

impl Vectors<'_> {
    /// The row swaps that are sent.
    pub(super) fn sent(&self) -> &[i64] {
        if let Ipiv::Given(ipiv) = self.ipiv { ipiv } else { &[] }
    }

    /// The bytes of the results, in the order of the wire.
    pub(super) fn results(&mut self) -> [(BatchOperand, &mut [u8]); 3] {
        let ipiv: &mut [u8] = match &mut self.ipiv {
            Ipiv::Wanted(Swaps::Lapack(ipiv)) => bytemuck::cast_slice_mut(ipiv),
            Ipiv::Wanted(Swaps::ZeroBased(ipiv)) => bytemuck::cast_slice_mut(ipiv),
            _ => &mut [],
        };
        let (start, bytes) = (self.det.as_mut_ptr().cast(), size_of_val(self.det));
        // SAFETY: a determinant is two numbers without padding, and every bit pattern is one.
        let det = unsafe { std::slice::from_raw_parts_mut(start, bytes) };
        let info = bytemuck::cast_slice_mut(self.info);
        [(BatchOperand::Ipiv, ipiv), (BatchOperand::Info, info), (BatchOperand::Det, det)]
    }

    /// Converts the results from the byte order of the wire to that of the CPU.
    pub(super) fn wire_order(&mut self) {
        match &mut self.ipiv {
            Ipiv::Wanted(Swaps::Lapack(ipiv)) => ipiv_wire_order(ipiv),
            Ipiv::Wanted(Swaps::ZeroBased(ipiv)) => ipiv.iter_mut().for_each(|row| *row = i32::from_le(*row)),
            _ => {}
        }
        LittleEndian::from_slice_i64(self.info);
        for det in &mut *self.det {
            det.mantissa = f64::from_bits(u64::from_le(det.mantissa.to_bits()));
            det.exponent = i64::from_le(det.exponent);
        }
    }
}
