//! The payload of FACTOR and of its answer.

use byteorder::{ByteOrder, LittleEndian};

use super::element::ElementType;
use super::operand::{Extent, OPERAND_BYTES, Place};
use super::refusal::Refusal;
use super::request::Shape;
use crate::pivoting::Pivoting;

/// Bytes of a request's payload before the matrix.
pub const FACTOR_BYTES: usize = 32 + 3 * OPERAND_BYTES;

/// Bytes of an answer's payload before the matrix.
pub const FACTORED_BYTES: usize = 16;

const SINGLE: u32 = 1 << 0;
const NO_PIVOTING: u32 = 1 << 2;
const ROW_MAJOR: u32 = 1 << 8;
const CHECK_FINITE: u32 = 1 << 9;
const NARROW_IPIV: u32 = 1 << 10;
const KNOWN: u32 = SINGLE | NO_PIVOTING | ROW_MAJOR | CHECK_FINITE | NARROW_IPIV;

/// A request to factor a matrix.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FactorRequest {
    /// The shape and the element type of A.
    pub shape: Shape,
    /// Where pivots come from.
    pub pivoting: Pivoting,
    /// Whether A stands by rows.
    pub row_major: bool,
    /// Whether an A that is not finite is refused.
    pub must_be_finite: bool,
    /// Whether `ipiv` has 32 bits and counts from 0.
    pub narrow_ipiv: bool,
    /// The largest number of threads; 0 for all that the server may use.
    pub threads: u32,
    /// The CPU on which the client runs, if it says so.
    pub cpu: Option<u32>,
    /// Where A is.
    pub a: Place,
    /// Where the factors go.
    pub lu: Place,
    /// Where the row swaps go.
    pub ipiv: Place,
}

impl FactorRequest {
    /// Reads a request and checks what can be checked without the segments.
    ///
    /// # Errors
    /// [`Refusal::Undefined`], [`Refusal::BadShape`], [`Refusal::OverLimit`], [`Refusal::NarrowIpiv`],
    /// [`Refusal::Operand`].
    pub fn parse(bytes: &[u8; FACTOR_BYTES], max_bytes: u64) -> Result<Self, Refusal> {
        let u32_at = |at: usize| LittleEndian::read_u32(&bytes[at..]);
        let i64_at = |at: usize| LittleEndian::read_i64(&bytes[at..]);
        let place = |number: usize, name| {
            let at = 32 + number * OPERAND_BYTES;
            Place::parse(bytes[at..][..OPERAND_BYTES].try_into().expect("bytes of an operand"), name)
        };
        let flags = u32_at(0);
        for (field, bits) in [("flags", flags & !KNOWN), ("bytes 28 to 31", u32_at(28))] {
            if bits != 0 {
                return Err(Refusal::Undefined { field, bits });
            }
        }
        let is_set = |flag: u32| flags & flag != 0;
        let element = if is_set(SINGLE) { ElementType::F32 } else { ElementType::F64 };
        let shape = Shape::within(i64_at(8), i64_at(16), element, max_bytes)?;
        if is_set(NARROW_IPIV) && i32::try_from(shape.m()).is_err() {
            return Err(Refusal::NarrowIpiv { m: shape.m() });
        }
        Ok(FactorRequest {
            shape,
            pivoting: if is_set(NO_PIVOTING) { Pivoting::None } else { Pivoting::Partial },
            row_major: is_set(ROW_MAJOR),
            must_be_finite: is_set(CHECK_FINITE),
            narrow_ipiv: is_set(NARROW_IPIV),
            threads: u32_at(4),
            cpu: u32::try_from(LittleEndian::read_i32(&bytes[24..])).ok(),
            a: place(0, A)?,
            lu: place(1, LU)?,
            ipiv: place(2, IPIV)?,
        })
    }

    /// Its bytes.
    #[must_use]
    pub fn to_bytes(&self) -> [u8; FACTOR_BYTES] {
        let mut bytes = [0; FACTOR_BYTES];
        let flags = [
            (self.shape.element() == ElementType::F32, SINGLE),
            (self.pivoting == Pivoting::None, NO_PIVOTING),
            (self.row_major, ROW_MAJOR),
            (self.must_be_finite, CHECK_FINITE),
            (self.narrow_ipiv, NARROW_IPIV),
        ];
        let flags = flags.iter().filter(|(set, _)| *set).fold(0, |flags, (_, flag)| flags | flag);
        LittleEndian::write_u32(&mut bytes[..], flags);
        LittleEndian::write_u32(&mut bytes[4..], self.threads);
        LittleEndian::write_u64(&mut bytes[8..], self.shape.m() as u64);
        LittleEndian::write_u64(&mut bytes[16..], self.shape.n() as u64);
        LittleEndian::write_i32(&mut bytes[24..], self.cpu.map_or(-1, |cpu| cpu as i32));
        for (operand, place) in bytes[32..].chunks_exact_mut(OPERAND_BYTES).zip([self.a, self.lu, self.ipiv]) {
            operand.copy_from_slice(&place.to_bytes());
        }
        bytes
    }

    /// How A lies in memory.
    #[must_use]
    pub fn a_extent(&self) -> Extent {
        let (m, n) = (self.shape.m(), self.shape.n());
        let (run, count) = if self.row_major { (n, m) } else { (m, n) };
        Extent { name: A, run, count, size: self.shape.element().bytes() }
    }

    /// How the factors lie in memory.
    #[must_use]
    pub fn lu_extent(&self) -> Extent {
        Extent { name: LU, run: self.shape.m(), count: self.shape.n(), size: self.shape.element().bytes() }
    }

    /// How the row swaps lie in memory.
    #[must_use]
    pub fn ipiv_extent(&self) -> Extent {
        let size = if self.narrow_ipiv { size_of::<i32>() } else { size_of::<i64>() };
        Extent { name: IPIV, run: self.shape.pivots(), count: 1, size }
    }

    /// Bytes of the matrix in the payload of the request.
    #[must_use]
    pub fn payload_bytes(&self) -> usize {
        if self.a == Place::Payload { self.shape.matrix_bytes() } else { 0 }
    }
}

const A: &str = "A";
const LU: &str = "the place of L and U";
const IPIV: &str = "the place of ipiv";

/// The fixed part of the answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Factored {
    /// LAPACK's `info`.
    pub info: i64,
    /// The CPU on which the server runs, if it says so.
    pub cpu: Option<u32>,
    /// For how many microseconds the server will look for the next request without sleeping.
    pub spin: u32,
}

impl Factored {
    /// Reads an answer.
    #[must_use]
    pub fn parse(bytes: &[u8; FACTORED_BYTES]) -> Self {
        let cpu = u32::try_from(LittleEndian::read_i32(&bytes[8..])).ok();
        Factored { info: LittleEndian::read_i64(bytes), cpu, spin: LittleEndian::read_u32(&bytes[12..]) }
    }

    /// Its bytes.
    #[must_use]
    pub fn to_bytes(&self) -> [u8; FACTORED_BYTES] {
        let mut bytes = [0; FACTORED_BYTES];
        LittleEndian::write_i64(&mut bytes, self.info);
        LittleEndian::write_i32(&mut bytes[8..], self.cpu.map_or(-1, |cpu| cpu as i32));
        LittleEndian::write_u32(&mut bytes[12..], self.spin);
        bytes
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn any_bytes_are_a_request_or_refused(
            mut bytes in proptest::collection::vec(any::<u8>(), FACTOR_BYTES),
            sparse in any::<bool>(),
        ) {
            if sparse {
                // Most random bytes are refused at the first field.
                for at in [1, 2, 3, 28, 29, 30, 31] {
                    bytes[at] = 0;
                }
                bytes[0] &= 5;
                bytes[1] &= 7;
                bytes[10..16].fill(0);
                bytes[18..24].fill(0);
                for at in [32, 64, 96] {
                    let place = bytes[at] & 3;
                    bytes[at..at + 4].copy_from_slice(&[place, 0, 0, 0]);
                    bytes[at + 24..at + 32].fill(0);
                }
            }
            let bytes: [u8; FACTOR_BYTES] = bytes.try_into().unwrap();
            if let Ok(request) = FactorRequest::parse(&bytes, u64::MAX) {
                let again = request.to_bytes();
                prop_assert_eq!(FactorRequest::parse(&again, u64::MAX), Ok(request));
                // A CPU below zero is none, whatever its number.
                prop_assert_eq!((&again[..24], &again[28..]), (&bytes[..24], &bytes[28..]));
            }
        }
    }
}
