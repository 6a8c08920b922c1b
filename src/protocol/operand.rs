//! The description of a matrix or a vector in an extended frame: where it is, and how it lies there.

use std::ops::Range;

use byteorder::{ByteOrder, LittleEndian};

use super::problem::Problem;
use super::refusal::Refusal;

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
        /// Elements from one matrix of a batch to the next; 0 if there is no batch.
        distance: u64,
    },
}

impl Place {
    const PAYLOAD: u32 = 1;
    const SEGMENT: u32 = 2;

    /// Reads the description of an operand that is no batch of matrices. `name` is what messages call the operand.
    ///
    /// # Errors
    /// [`Refusal::Operand`].
    pub fn parse(bytes: &[u8; OPERAND_BYTES], name: &'static str) -> Result<Self, Refusal> {
        match Self::parse_matrices(bytes, name)? {
            Place::Segment { distance: 1.., .. } => {
                Err(Refusal::Operand { name, problem: Problem::NotZero("the last field") })
            }
            place => Ok(place),
        }
    }

    /// Reads the description of the matrices of a batch.
    ///
    /// # Errors
    /// [`Refusal::Operand`].
    pub fn parse_matrices(bytes: &[u8; OPERAND_BYTES], name: &'static str) -> Result<Self, Refusal> {
        let [kind, segment] = [0, 4].map(|at| LittleEndian::read_u32(&bytes[at..]));
        let [offset, ld, distance] = [8, 16, 24].map(|at| LittleEndian::read_u64(&bytes[at..]));
        match kind {
            Self::PAYLOAD => {
                zeros(bytes, name)?;
                Ok(Place::Payload)
            }
            Self::SEGMENT => Ok(Place::Segment { segment, offset, ld, distance }),
            _ => Err(Refusal::Operand { name, problem: Problem::Place(kind) }),
        }
    }

    /// The description.
    #[must_use]
    pub fn to_bytes(self) -> [u8; OPERAND_BYTES] {
        let mut bytes = [0; OPERAND_BYTES];
        match self {
            Place::Payload => LittleEndian::write_u32(&mut bytes, Self::PAYLOAD),
            Place::Segment { segment, offset, ld, distance } => {
                LittleEndian::write_u32(&mut bytes, Self::SEGMENT);
                LittleEndian::write_u32(&mut bytes[4..], segment);
                LittleEndian::write_u64(&mut bytes[8..], offset);
                LittleEndian::write_u64(&mut bytes[16..], ld);
                LittleEndian::write_u64(&mut bytes[24..], distance);
            }
        }
        bytes
    }
}

/// Checks the bytes of all operands of a request with these sizes, `None` if they are too many for a number.
///
/// # Errors
/// [`Refusal::BatchOverLimit`], [`Refusal::BatchShape`].
pub(super) fn check_total(sizes: [i64; 4], bytes: Option<i64>, max_bytes: u64) -> Result<(), Refusal> {
    match bytes.and_then(|bytes| u64::try_from(bytes).ok()) {
        Some(bytes) if bytes > max_bytes => Err(Refusal::BatchOverLimit { sizes, bytes, max_bytes }),
        Some(_) => Ok(()),
        None => Err(Refusal::BatchShape { sizes }),
    }
}

/// Whether an operand is there: its place is not 0.
///
/// # Errors
/// [`Refusal::Operand`] if it is not there, but its description is not zero.
pub(super) fn is_there(bytes: &[u8; OPERAND_BYTES], name: &'static str) -> Result<bool, Refusal> {
    let is_there = LittleEndian::read_u32(bytes) != 0;
    if !is_there {
        zeros(bytes, name)?;
    }
    Ok(is_there)
}

/// Checks that all fields behind the place are zero.
fn zeros(bytes: &[u8; OPERAND_BYTES], name: &'static str) -> Result<(), Refusal> {
    let fields =
        [("the segment", 4..8), ("the offset", 8..16), ("the leading dimension", 16..24), ("the last field", 24..32)];
    match fields.into_iter().find(|(_, range)| bytes[range.clone()].iter().any(|&byte| byte != 0)) {
        Some((field, _)) => Err(Refusal::Operand { name, problem: Problem::NotZero(field) }),
        None => Ok(()),
    }
}

/// How an operand lies in memory: `matrices` times `count` runs of `run` elements of `size` bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Extent {
    /// What messages call the operand.
    pub name: &'static str,
    /// Elements that stand next to each other: rows of a column-major matrix, elements of a vector.
    pub run: usize,
    /// How many runs a matrix has.
    pub count: usize,
    /// How many matrices there are.
    pub matrices: usize,
    /// Bytes of an element.
    pub size: usize,
}

impl Extent {
    /// A matrix with runs of this length, and of this number.
    #[must_use]
    pub fn of_matrix(name: &'static str, [run, count]: [usize; 2], size: usize) -> Self {
        Extent { name, run, count, matrices: 1, size }
    }

    /// A vector.
    #[must_use]
    pub fn of_vector(name: &'static str, run: usize, size: usize) -> Self {
        Extent { name, run, count: 1, matrices: 1, size }
    }

    /// Whether there are no elements.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.run == 0 || self.count == 0 || self.matrices == 0
    }

    /// Bytes of all elements, without what is between them.
    #[must_use]
    pub fn bytes(&self) -> usize {
        if self.is_empty() { 0 } else { self.run * self.count * self.matrices * self.size }
    }

    /// The bytes of a segment of `segment_bytes` bytes in which the operand lies; none if it has no elements.
    ///
    /// # Errors
    /// [`Refusal::Operand`]: a short leading dimension or distance, an element outside of the segment, one that is not
    /// aligned.
    pub fn range(&self, offset: u64, ld: u64, distance: u64, segment_bytes: usize) -> Result<Range<usize>, Refusal> {
        let &Extent { name, run, count, matrices, size } = self;
        let refuse = |problem| Refusal::Operand { name, problem };
        if self.is_empty() {
            return Ok(0..0);
        }
        // A single run has no next one, and a single matrix neither.
        if count > 1 && ld < run as u64 {
            return Err(refuse(Problem::LeadingDimension { ld, run }));
        }
        let outside = || refuse(Problem::Outside { offset, segment_bytes });
        let span = |length: u64, count: usize, ld: u64| {
            if count > 1 { ld.checked_mul(count as u64 - 1)?.checked_add(length) } else { Some(length) }
        };
        let one = span(run as u64, count, ld).ok_or_else(outside)?;
        if matrices > 1 && distance < one {
            return Err(refuse(Problem::Distance { distance, span: one }));
        }
        let end = || span(one, matrices, distance)?.checked_mul(size as u64)?.checked_add(offset);
        let end = end().filter(|&end| end <= segment_bytes as u64).ok_or_else(outside)?;
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
            distance in prop_oneof![0..200_u64, any::<u64>()],
            run in 0..12_usize,
            count in 0..12_usize,
            matrices in prop_oneof![Just(1), 0..6_usize],
            size in prop_oneof![Just(4_usize), Just(8)],
            segment_bytes in 0..2000_usize,
        ) {
            let extent = Extent { name: "A", run, count, matrices, size };
            let wide = |x: u64| u128::from(x);
            let size128 = size as u128;
            let starts = (0..matrices as u128).flat_map(|k| (0..count as u128).map(move |j| (k, j)));
            let starts: Vec<u128> = starts.map(|(k, j)| k * wide(distance) + j * wide(ld)).collect();
            let end = |starts: &[u128]| starts.iter().max().map(|start| wide(offset) + (start + run as u128) * size128);
            let apart = (count < 2 || wide(ld) >= run as u128)
                && (matrices < 2 || count == 0 || wide(distance) >= starts[count - 1] + run as u128);
            let empty = extent.is_empty();
            let fits = end(&starts).is_none_or(|end| end <= segment_bytes as u128);
            let accepted = empty || fits && apart && wide(offset) % size128 == 0;
            let range = extent.range(offset, ld, distance, segment_bytes);
            prop_assert_eq!(range.is_ok(), accepted);
            if let (Ok(range), false) = (range, empty) {
                prop_assert_eq!((range.start as u128, Some(range.end as u128)), (wide(offset), end(&starts)));
            }
        }

        #[test]
        fn a_description_comes_back(numbers in any::<[u64; 3]>(), segment in any::<u32>()) {
            let [offset, ld, distance] = numbers;
            for place in [Place::Payload, Place::Segment { segment, offset, ld, distance }] {
                prop_assert_eq!(Place::parse_matrices(&place.to_bytes(), "A"), Ok(place));
                let expected = if place == Place::Payload || distance == 0 { Some(place) } else { None };
                prop_assert_eq!(Place::parse(&place.to_bytes(), "A").ok(), expected);
            }
        }

        #[test]
        fn any_bytes_are_a_description_or_refused(bytes in any::<[u8; OPERAND_BYTES]>(), kind in 0..4_u8) {
            let mut bytes = bytes;
            bytes[..4].copy_from_slice(&[kind, 0, 0, 0]);
            for place in [Place::parse(&bytes, "A"), Place::parse_matrices(&bytes, "A")].into_iter().flatten() {
                prop_assert_eq!(place.to_bytes(), bytes);
            }
        }
    }
}
