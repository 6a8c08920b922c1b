//! The layout of a response: `info`, the factors, `ipiv`; or an `info` that refuses the request, and nothing else.

use std::ops::RangeInclusive;

use byteorder::{ByteOrder, LittleEndian};

use super::request::Shape;
use crate::error::Error;
use crate::lu;
use crate::pivoting::Pivoting;

/// Bytes of a response before its matrix: `info`.
pub const INFO_BYTES: usize = 8;

/// Bytes of one row swap.
const IPIV_BYTES: usize = 8;

impl Shape {
    /// Bytes of the row swaps in a response.
    #[must_use]
    pub fn ipiv_bytes(self) -> usize {
        self.pivots() * IPIV_BYTES
    }

    /// Bytes of a whole response.
    #[must_use]
    pub fn response_bytes(self) -> usize {
        INFO_BYTES + self.matrix_bytes() + self.ipiv_bytes()
    }
}

/// The parts of a response, in their order on the wire.
#[derive(Debug, Clone, Copy)]
pub struct Response<'a> {
    /// `info`, as its bytes.
    pub info: [u8; INFO_BYTES],
    /// The factors.
    pub matrix: &'a [u8],
    /// The row swaps.
    pub ipiv: &'a [u8],
}

impl<'a> Response<'a> {
    /// Splits a whole response for a matrix of this shape into its parts; `None` if it does not have the right size.
    #[must_use]
    pub fn split(bytes: &'a [u8], shape: Shape) -> Option<Self> {
        if bytes.len() != shape.response_bytes() {
            return None;
        }
        let (info, rest) = bytes.split_first_chunk()?;
        let (matrix, ipiv) = rest.split_at(shape.matrix_bytes());
        Some(Response { info: *info, matrix, ipiv })
    }

    /// The bytes of each part, in order.
    #[must_use]
    pub fn parts(&self) -> [&[u8]; 3] {
        [&self.info, self.matrix, self.ipiv]
    }

    /// `info` as a number.
    #[must_use]
    pub fn info(&self) -> i64 {
        LittleEndian::read_i64(&self.info)
    }
}

/// Converts row swaps from the byte order of the wire to that of the CPU, or back.
pub fn ipiv_wire_order(ipiv: &mut [i64]) {
    LittleEndian::from_slice_i64(ipiv);
}

/// The values of `info` that a factorization of this shape has.
#[must_use]
pub fn info_range(shape: Shape, pivoting: Pivoting) -> RangeInclusive<i64> {
    let k = shape.pivots() as i64;
    match pivoting {
        Pivoting::Partial => 0..=k,
        Pivoting::None => -k..=0,
    }
}

/// Checks that each row swap is possible for this shape.
///
/// # Errors
/// [`Error::Pivot`] for the first one that is not.
pub fn check_ipiv(ipiv: &[i64], shape: Shape) -> Result<(), Error> {
    lu::check_ipiv(ipiv, shape.m())
}
