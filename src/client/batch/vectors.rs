//! The vectors of a caller that are read and written.

use byteorder::{ByteOrder, LittleEndian};

use crate::lu::{Determinant, Swaps};
use crate::protocol::{BatchOperand, ipiv_wire_order};

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
