//! The payload of FACTOR and of its answer.

use byteorder::{ByteOrder, LittleEndian};

use super::element::ElementType;
use super::flags::Flags;
use super::operand::{Extent, OPERAND_BYTES, Place};
use super::optional::{read_optional, write_optional};
use super::refusal::Refusal;
use super::request::Shape;
use crate::pivoting::Pivoting;

/// Bytes of a request's payload before the matrix.
pub const FACTOR_BYTES: usize = 32 + 3 * OPERAND_BYTES;

const KNOWN: u32 = Flags::SINGLE | Flags::NO_PIVOTING | Flags::A_BY_ROWS | Flags::MUST_BE_FINITE | Flags::NARROW_IPIV;

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
        let flags = Flags::parse(u32_at(0), KNOWN)?;
        if u32_at(28) != 0 {
            return Err(Refusal::Undefined { field: "bytes 28 to 31", bits: u32_at(28) });
        }
        let shape = Shape::within(i64_at(8), i64_at(16), flags.element(), max_bytes)?;
        flags.check_ipiv(shape.m())?;
        Ok(FactorRequest {
            shape,
            pivoting: flags.pivoting(),
            row_major: flags.is_set(Flags::A_BY_ROWS),
            must_be_finite: flags.is_set(Flags::MUST_BE_FINITE),
            narrow_ipiv: flags.is_set(Flags::NARROW_IPIV),
            threads: u32_at(4),
            cpu: read_optional(&bytes[24..]),
            a: place(0, A)?,
            lu: place(1, LU)?,
            ipiv: place(2, IPIV)?,
        })
    }

    /// Its bytes.
    #[must_use]
    pub fn to_bytes(&self) -> [u8; FACTOR_BYTES] {
        let mut bytes = [0; FACTOR_BYTES];
        let flags = Flags::bits([
            (self.shape.element() == ElementType::F32, Flags::SINGLE),
            (self.pivoting == Pivoting::None, Flags::NO_PIVOTING),
            (self.row_major, Flags::A_BY_ROWS),
            (self.must_be_finite, Flags::MUST_BE_FINITE),
            (self.narrow_ipiv, Flags::NARROW_IPIV),
        ]);
        LittleEndian::write_u32(&mut bytes[..], flags);
        LittleEndian::write_u32(&mut bytes[4..], self.threads);
        LittleEndian::write_u64(&mut bytes[8..], self.shape.m() as u64);
        LittleEndian::write_u64(&mut bytes[16..], self.shape.n() as u64);
        write_optional(&mut bytes[24..], self.cpu);
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
        Extent::of_matrix(A, [run, count], self.shape.element().bytes())
    }

    /// How the factors lie in memory.
    #[must_use]
    pub fn lu_extent(&self) -> Extent {
        Extent::of_matrix(LU, [self.shape.m(), self.shape.n()], self.shape.element().bytes())
    }

    /// How the row swaps lie in memory.
    #[must_use]
    pub fn ipiv_extent(&self) -> Extent {
        let size = if self.narrow_ipiv { size_of::<i32>() } else { size_of::<i64>() };
        Extent::of_vector(IPIV, self.shape.pivots(), size)
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
