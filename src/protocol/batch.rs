//! The payloads of the batches and of their answers: many matrices of one shape in one request.

use byteorder::{ByteOrder, LittleEndian};

use super::batch_operand::{BatchKind, BatchOperand, Role};
use super::element::ElementType;
use super::flags::Flags;
use super::operand::{Extent, OPERAND_BYTES, Place, check_total, is_there};
use super::optional::{read_optional, write_optional};
use super::problem::Problem;
use super::refusal::Refusal;
use super::request::Shape;
use crate::matrix::Layout;
use crate::pivoting::Pivoting;

/// Bytes of a request's payload before the matrices.
pub const BATCH_BYTES: usize = 48 + BatchOperand::ALL.len() * OPERAND_BYTES;

/// Bytes of a determinant: a mantissa and an exponent.
const DET_BYTES: usize = 16;

/// A request for a batch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BatchRequest {
    /// What is computed.
    pub kind: BatchKind,
    /// The number of matrices.
    pub count: usize,
    /// The shape of each A, and the element type.
    pub shape: Shape,
    /// Columns of each B.
    pub nrhs: usize,
    /// Where pivots come from.
    pub pivoting: Pivoting,
    /// The order of A, of the factors, and of B and X.
    pub layouts: [Layout; 3],
    /// Whether an A or a B that is not finite is refused.
    pub must_be_finite: bool,
    /// Whether `ipiv` has 32 bits and counts from 0.
    pub narrow_ipiv: bool,
    /// Whether the systems are those of A^T.
    pub transposed: bool,
    /// The largest number of threads; 0 for all that the server may use.
    pub threads: u32,
    /// The CPU on which the client runs, if it says so.
    pub cpu: Option<u32>,
    /// Where the operands are, in the order of [`BatchOperand::ALL`]; `None` for those that are not there.
    pub places: [Option<Place>; BatchOperand::ALL.len()],
}

impl BatchRequest {
    /// Reads a request and checks what can be checked without the segments.
    ///
    /// # Errors
    /// [`Refusal::Undefined`], [`Refusal::Field`], [`Refusal::BatchShape`], [`Refusal::NotSquare`],
    /// [`Refusal::BatchOverLimit`], [`Refusal::NarrowIpiv`], [`Refusal::Operand`].
    pub fn parse(kind: BatchKind, bytes: &[u8; BATCH_BYTES], max_bytes: u64) -> Result<Self, Refusal> {
        let u32_at = |at: usize| LittleEndian::read_u32(&bytes[at..]);
        let flags = Flags::parse(u32_at(0), defined_flags(kind))?;
        if u32_at(44) != 0 {
            return Err(Refusal::Undefined { field: "bytes 44 to 47", bits: u32_at(44) });
        }
        let sizes = [8, 16, 24, 32].map(|at| LittleEndian::read_i64(&bytes[at..]));
        let [count, m, n, nrhs] = sizes;
        if !kind.has(BatchOperand::B) && nrhs != 0 {
            return Err(Refusal::Field { field: "nrhs", expected: "0, since the command has no B", got: nrhs });
        }
        let bad_shape = || Refusal::BatchShape { sizes };
        let (Ok(count), Ok(nrhs)) = (usize::try_from(count), usize::try_from(nrhs)) else { return Err(bad_shape()) };
        let shape = Shape::new(m, n, flags.element()).ok_or_else(bad_shape)?;
        if kind != BatchKind::Factor && m != n {
            return Err(Refusal::NotSquare { m: shape.m(), n: shape.n() });
        }
        flags.check_ipiv(shape.m())?;
        let request = BatchRequest {
            kind,
            count,
            shape,
            nrhs,
            pivoting: flags.pivoting(),
            layouts: [Flags::A_BY_ROWS, Flags::LU_BY_ROWS, Flags::X_BY_ROWS].map(|by_rows| flags.layout(by_rows)),
            must_be_finite: flags.is_set(Flags::MUST_BE_FINITE),
            narrow_ipiv: flags.is_set(Flags::NARROW_IPIV),
            transposed: flags.is_set(Flags::TRANSPOSED),
            threads: u32_at(4),
            cpu: read_optional(&bytes[40..]),
            places: places(kind, bytes)?,
        };
        request.check_layouts()?;
        check_total(sizes, request.total_bytes(), max_bytes)?;
        Ok(request)
    }

    /// Its bytes.
    #[must_use]
    pub fn to_bytes(&self) -> [u8; BATCH_BYTES] {
        let mut bytes = [0; BATCH_BYTES];
        let by_rows = self.layouts.map(|layout| layout == Layout::RowMajor);
        let flags = Flags::bits([
            (self.shape.element() == ElementType::F32, Flags::SINGLE),
            (self.pivoting == Pivoting::None, Flags::NO_PIVOTING),
            (by_rows[0], Flags::A_BY_ROWS),
            (by_rows[1], Flags::LU_BY_ROWS),
            (by_rows[2], Flags::X_BY_ROWS),
            (self.must_be_finite, Flags::MUST_BE_FINITE),
            (self.narrow_ipiv, Flags::NARROW_IPIV),
            (self.transposed, Flags::TRANSPOSED),
        ]);
        LittleEndian::write_u32(&mut bytes[..], flags);
        LittleEndian::write_u32(&mut bytes[4..], self.threads);
        let sizes = [self.count, self.shape.m(), self.shape.n(), self.nrhs];
        for (size, to) in sizes.into_iter().zip(bytes[8..40].chunks_exact_mut(8)) {
            LittleEndian::write_u64(to, size as u64);
        }
        write_optional(&mut bytes[40..], self.cpu);
        for (operand, place) in bytes[48..].chunks_exact_mut(OPERAND_BYTES).zip(self.places) {
            place.inspect(|place| operand.copy_from_slice(&place.to_bytes()));
        }
        bytes
    }

    /// Where an operand is, if it is there.
    #[must_use]
    pub fn place(&self, operand: BatchOperand) -> Option<Place> {
        self.places[operand as usize]
    }

    /// The order of the elements of an operand.
    #[must_use]
    pub fn layout(&self, operand: BatchOperand) -> Layout {
        match operand {
            BatchOperand::A => self.layouts[0],
            BatchOperand::Lu => self.layouts[1],
            _ => self.layouts[2],
        }
    }

    /// Rows and columns of each matrix of an operand.
    #[must_use]
    pub fn sides(&self, operand: BatchOperand) -> [usize; 2] {
        let (m, n) = (self.shape.m(), self.shape.n());
        match operand {
            BatchOperand::B => [n, self.nrhs],
            BatchOperand::X if self.kind != BatchKind::Inverse => [n, self.nrhs],
            _ => [m, n],
        }
    }

    /// How an operand lies in memory. A vector for the whole batch is one run.
    #[must_use]
    pub fn extent(&self, operand: BatchOperand) -> Extent {
        let name = operand.name(self.kind.role(operand));
        let size = self.size(operand);
        if operand.is_vector() {
            return Extent::of_vector(name, self.count * self.length(operand), size);
        }
        let [rows, columns] = self.sides(operand);
        let (run, count) = match self.layout(operand) {
            Layout::ColumnMajor => (rows, columns),
            Layout::RowMajor => (columns, rows),
        };
        Extent { matrices: self.count, ..Extent::of_matrix(name, [run, count], size) }
    }

    /// Bytes of an element, or of a number.
    fn size(&self, operand: BatchOperand) -> usize {
        match operand {
            BatchOperand::Ipiv if self.narrow_ipiv => size_of::<i32>(),
            BatchOperand::Ipiv | BatchOperand::Info | BatchOperand::Det => size_of::<i64>(),
            _ => self.shape.element().bytes(),
        }
    }

    /// Numbers of a vector for each matrix.
    fn length(&self, operand: BatchOperand) -> usize {
        match operand {
            BatchOperand::Ipiv => self.shape.pivots(),
            BatchOperand::Det => DET_BYTES / size_of::<i64>(),
            _ => 1,
        }
    }

    /// Whether an operand has the place of the one that it may replace.
    #[must_use]
    pub fn replaces(&self, operand: BatchOperand) -> bool {
        let replaced = operand.may_replace().and_then(|replaced| self.place(replaced));
        replaced.is_some() && replaced == self.place(operand)
    }

    /// Whether an operand is read from the payload.
    #[must_use]
    pub fn is_sent(&self, operand: BatchOperand) -> bool {
        self.kind.role(operand) == Role::Input && self.place(operand) == Some(Place::Payload)
    }

    /// Whether an operand is written to the payload of the answer.
    #[must_use]
    pub fn is_answered(&self, operand: BatchOperand) -> bool {
        self.kind.role(operand) != Role::Input && self.place(operand) == Some(Place::Payload)
    }

    /// Bytes of the operands in the payload of the request.
    #[must_use]
    pub fn payload_bytes(&self) -> usize {
        let sent = BatchOperand::ALL.into_iter().filter(|&operand| self.is_sent(operand));
        sent.map(|operand| self.extent(operand).bytes()).sum()
    }

    /// Bytes of all operands, without those that have the place of others; `None` if a matrix or the sum has 2^63 or more.
    fn total_bytes(&self) -> Option<i64> {
        let mut total = 0_i64;
        for operand in BatchOperand::ALL {
            if self.place(operand).is_none() || self.replaces(operand) {
                continue;
            }
            let [rows, columns] = if operand.is_vector() { [self.length(operand), 1] } else { self.sides(operand) };
            let one = rows.checked_mul(columns)?.checked_mul(self.size(operand))?;
            i64::try_from(one).ok()?;
            total = total.checked_add(i64::try_from(one.checked_mul(self.count)?).ok()?)?;
        }
        Some(total)
    }

    /// Checks that operands in one place have one order.
    fn check_layouts(&self) -> Result<(), Refusal> {
        let [a, lu, _] = self.layouts;
        let is_segment = matches!(self.place(BatchOperand::A), Some(Place::Segment { .. }));
        let is_empty = self.count == 0 || self.shape.pivots() == 0;
        if is_segment && !is_empty && self.replaces(BatchOperand::Lu) && a != lu {
            return Err(Refusal::Operand { name: BatchOperand::Lu.name(Role::Result), problem: Problem::Order });
        }
        Ok(())
    }
}

/// The flags that a command defines: those of the operands that it has.
fn defined_flags(kind: BatchKind) -> u32 {
    let has = |operand| kind.has(operand);
    Flags::bits([
        (true, Flags::SINGLE | Flags::A_BY_ROWS | Flags::MUST_BE_FINITE),
        (kind != BatchKind::Solve, Flags::NO_PIVOTING),
        (has(BatchOperand::Ipiv), Flags::NARROW_IPIV),
        (has(BatchOperand::X), Flags::X_BY_ROWS),
        (has(BatchOperand::B), Flags::TRANSPOSED),
        (has(BatchOperand::Lu), Flags::LU_BY_ROWS),
    ])
}

/// Reads the descriptions of the operands.
fn places(kind: BatchKind, bytes: &[u8; BATCH_BYTES]) -> Result<[Option<Place>; BatchOperand::ALL.len()], Refusal> {
    let mut places = [None; BatchOperand::ALL.len()];
    for (operand, description) in BatchOperand::ALL.into_iter().zip(bytes[48..].chunks_exact(OPERAND_BYTES)) {
        let role = kind.role(operand);
        let description = description.try_into().expect("bytes of an operand");
        let name = operand.name(role);
        let parse = if operand.is_vector() { Place::parse } else { Place::parse_matrices };
        places[operand as usize] = match role {
            Role::Absent if is_there(description, name)? => {
                return Err(Refusal::Operand { name, problem: Problem::Absent });
            }
            Role::Absent => None,
            Role::Wanted if !is_there(description, name)? => None,
            _ => Some(parse(description, name)?),
        };
    }
    Ok(places)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn any_bytes_are_a_request_or_refused(
            mut bytes in proptest::collection::vec(any::<u8>(), BATCH_BYTES),
            kind in proptest::sample::select(BatchKind::ALL.to_vec()),
            places in any::<[u8; 8]>(),
            sparse in any::<bool>(),
        ) {
            if sparse {
                // Most random bytes are refused at the first field.
                bytes[1..4].copy_from_slice(&[places[0] & 0x3f & (defined_flags(kind) >> 8) as u8, 0, 0]);
                bytes[0] &= defined_flags(kind) as u8;
                for (at, size) in bytes[8..40].chunks_exact_mut(8).enumerate() {
                    size[if at == 0 { 1 } else { 2 }..].fill(0);
                }
                if kind != BatchKind::Factor {
                    bytes.copy_within(16..24, 24);
                }
                if !kind.has(BatchOperand::B) {
                    bytes[32..40].fill(0);
                }
                bytes[44..48].fill(0);
                for (operand, place) in BatchOperand::ALL.into_iter().zip(places) {
                    let at = 48 + 32 * operand as usize;
                    let place = if kind.has(operand) { place % 4 } else { 0 };
                    if place < 2 {
                        bytes[at..at + 32].fill(0);
                    } else if operand.is_vector() {
                        bytes[at + 24..at + 32].fill(0);
                    }
                    bytes[at..at + 4].copy_from_slice(&[place, 0, 0, 0]);
                }
            }
            let bytes: [u8; BATCH_BYTES] = bytes.try_into().unwrap();
            if let Ok(request) = BatchRequest::parse(kind, &bytes, u64::MAX) {
                let again = request.to_bytes();
                prop_assert_eq!(BatchRequest::parse(kind, &again, u64::MAX), Ok(request));
                // A CPU below zero is none, whatever its number.
                prop_assert_eq!((&again[..40], &again[44..]), (&bytes[..40], &bytes[44..]));
            }
        }
    }
}
