//! The description of a matrix or a vector in an extended frame: where it is, and how it lies there.

use std::ops::Range;

use byteorder::{ByteOrder, LittleEndian};

use super::refusal::{Problem, Refusal};

/// Bytes of a description.
pub const OPERAND_BYTES: usize = 32;

/// Where an operand is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place {
    /// In the payload, after what comes before it.
    Payload,
    /// In a segment of mapped memory.
    Segment {
        /// The number of the segment.
        segment: u32,
        /// The first element, in bytes from the start of the segment.
        offset: u64,
        /// Elements from one column to the next, or in a row-major matrix from one row to the next; 0 for a vector.
        ld: u64,
    },
}

impl Place {
    const PAYLOAD: u32 = 1;
    const SEGMENT: u32 = 2;

    /// Reads a description. `name` is what messages call the operand.
    ///
    /// # Errors
    /// [`Refusal::Operand`].
    pub fn parse(bytes: &[u8; OPERAND_BYTES], name: &'static str) -> Result<Self, Refusal> {
        let [kind, segment] = [0, 4].map(|at| LittleEndian::read_u32(&bytes[at..]));
        let [offset, ld, distance] = [8, 16, 24].map(|at| LittleEndian::read_u64(&bytes[at..]));
        let refuse = |problem| Err(Refusal::Operand { name, problem });
        match kind {
            _ if distance != 0 => refuse(Problem::NotZero("the last field")),
            Self::PAYLOAD if segment != 0 => refuse(Problem::NotZero("the segment")),
            Self::PAYLOAD if offset != 0 => refuse(Problem::NotZero("the offset")),
            Self::PAYLOAD if ld != 0 => refuse(Problem::NotZero("the leading dimension")),
            Self::PAYLOAD => Ok(Place::Payload),
            Self::SEGMENT => Ok(Place::Segment { segment, offset, ld }),
            _ => refuse(Problem::Place(kind)),
        }
    }

    /// The description.
    #[must_use]
    pub fn to_bytes(self) -> [u8; OPERAND_BYTES] {
        let mut bytes = [0; OPERAND_BYTES];
        match self {
            Place::Payload => LittleEndian::write_u32(&mut bytes, Self::PAYLOAD),
            Place::Segment { segment, offset, ld } => {
                LittleEndian::write_u32(&mut bytes, Self::SEGMENT);
                LittleEndian::write_u32(&mut bytes[4..], segment);
                LittleEndian::write_u64(&mut bytes[8..], offset);
                LittleEndian::write_u64(&mut bytes[16..], ld);
            }
        }
        bytes
    }
}

/// How an operand lies in memory: `count` runs of `run` elements of `size` bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Extent {
    /// What messages call the operand.
    pub name: &'static str,
    /// Elements that stand next to each other: rows of a column-major matrix, elements of a vector.
    pub run: usize,
    /// How many runs there are.
    pub count: usize,
    /// Bytes of an element.
    pub size: usize,
}

impl Extent {
    /// The bytes of a segment of `segment_bytes` bytes in which the operand lies; none if it has no elements.
    ///
    /// # Errors
    /// [`Refusal::Operand`]: a short leading dimension, an element outside of the segment, one that is not aligned.
    pub fn range(&self, offset: u64, ld: u64, segment_bytes: usize) -> Result<Range<usize>, Refusal> {
        let &Extent { name, run, count, size } = self;
        let refuse = |problem| Refusal::Operand { name, problem };
        if run == 0 || count == 0 {
            return Ok(0..0);
        }
        // A single run has no next one.
        if count > 1 && ld < run as u64 {
            return Err(refuse(Problem::LeadingDimension { ld, run }));
        }
        let end = || {
            let between = if count > 1 { ld.checked_mul(count as u64 - 1)? } else { 0 };
            between.checked_add(run as u64)?.checked_mul(size as u64)?.checked_add(offset)
        };
        let end = end().filter(|&end| end <= segment_bytes as u64);
        let end = end.ok_or_else(|| refuse(Problem::Outside { offset, segment_bytes }))?;
        if !offset.is_multiple_of(size as u64) {
            return Err(refuse(Problem::Misaligned { offset, size }));
        }
        // Both fit, since the end is not beyond the segment.
        Ok(offset as usize..end as usize)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        /// The last byte of the last element decides, with numbers of any size.
        #[test]
        fn a_range_holds_every_element_and_no_other_is_accepted(
            offset in prop_oneof![0..200_u64, any::<u64>()],
            ld in prop_oneof![0..20_u64, any::<u64>()],
            run in 0..12_usize,
            count in 0..12_usize,
            size in prop_oneof![Just(4_usize), Just(8)],
            segment_bytes in 0..2000_usize,
        ) {
            let extent = Extent { name: "A", run, count, size };
            let wide = |x: u64| u128::from(x);
            let (run128, count128, size128) = (run as u128, count as u128, size as u128);
            let ends: Vec<u128> = (0..count128)
                .map(|j| wide(offset) + (j * if count > 1 { wide(ld) } else { 0 } + run128) * size128)
                .collect();
            let empty = run == 0 || count == 0;
            let fits = ends.iter().all(|&end| end <= segment_bytes as u128);
            let apart = count < 2 || wide(ld) >= run128;
            let accepted = empty || fits && apart && wide(offset) % size128 == 0;
            let range = extent.range(offset, ld, segment_bytes);
            prop_assert_eq!(range.is_ok(), accepted);
            if let (Ok(range), false) = (range, empty) {
                prop_assert_eq!((range.start as u128, range.end as u128), (wide(offset), *ends.iter().max().unwrap()));
            }
        }

        #[test]
        fn a_description_comes_back(segment in any::<u32>(), offset in any::<u64>(), ld in any::<u64>()) {
            for place in [Place::Payload, Place::Segment { segment, offset, ld }] {
                prop_assert_eq!(Place::parse(&place.to_bytes(), "A"), Ok(place));
            }
        }

        #[test]
        fn any_bytes_are_a_description_or_refused(bytes in any::<[u8; OPERAND_BYTES]>(), kind in 0..4_u8) {
            let mut bytes = bytes;
            bytes[..4].copy_from_slice(&[kind, 0, 0, 0]);
            if let Ok(place) = Place::parse(&bytes, "A") {
                prop_assert_eq!(place.to_bytes(), bytes);
            }
        }
    }
}
