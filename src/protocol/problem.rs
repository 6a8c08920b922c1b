//! What can be wrong with an operand, in words.

use std::fmt;

/// What is wrong with an operand.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Problem {
    /// A place that there is not.
    Place(u32),
    /// A field that must be zero.
    NotZero(&'static str),
    /// A leading dimension shorter than a column, or a row.
    LeadingDimension {
        /// The leading dimension.
        ld: u64,
        /// Elements of a column, or a row.
        run: usize,
    },
    /// An element outside of the segment.
    Outside {
        /// The offset of the first element.
        offset: u64,
        /// Bytes of the segment.
        segment_bytes: usize,
    },
    /// A distance with which matrices of a batch would overlap.
    Distance {
        /// The distance.
        distance: u64,
        /// Elements from the first to the last of a matrix.
        span: u64,
    },
    /// An operand that the command does not have.
    Absent,
    /// The place of an operand whose elements have another order.
    Order,
    /// A row swap that names no row.
    Row {
        /// Its number in the batch, counted from 1.
        index: usize,
        /// The row, counted as the request counts.
        row: i64,
        /// The first row and the last one.
        rows: [i64; 2],
    },
    /// An offset that is no multiple of the size of an element.
    Misaligned {
        /// The offset.
        offset: u64,
        /// Bytes of an element.
        size: usize,
    },
    /// Memory of another operand.
    Overlap(&'static str),
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Problem::Place(place) => write!(f, "expected place 1 (the payload) or 2 (a segment), got {place}"),
            Problem::NotZero(field) => write!(f, "expected {field} to be 0, got another number"),
            Problem::LeadingDimension { ld, run } => {
                write!(f, "expected a leading dimension of at least {run}, got {ld}")
            }
            Problem::Outside { offset, segment_bytes } => {
                write!(
                    f,
                    "expected all elements in the segment of {segment_bytes} bytes, got some outside from offset {offset}"
                )
            }
            Problem::Distance { distance, span } => {
                write!(f, "expected matrices at least {span} elements apart, got a distance of {distance}")
            }
            Problem::Absent => write!(f, "expected place 0, since the command has no such operand, got another"),
            Problem::Order => write!(f, "expected the order of A in the place of A, got the other"),
            Problem::Row { index, row, rows: [first, last] } => {
                write!(f, "expected swap {index} to be a row in {first}..={last}, got {row}")
            }
            Problem::Misaligned { offset, size } => {
                write!(f, "expected an offset that is a multiple of {size}, got {offset}")
            }
            Problem::Overlap(other) => write!(f, "expected memory of its own, got that of {other}"),
        }
    }
}
