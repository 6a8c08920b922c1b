//! The payloads of KEEP, SOLVE, CONDITION, DETERMINANT and INVERSE: what is computed with one matrix, or with factors that the
//! session keeps.

use byteorder::{ByteOrder, LittleEndian};

use super::element::ElementType;
use super::flags::Flags;
use super::operand::{Extent, OPERAND_BYTES, Place, check_total, is_there};
use super::optional::{read_optional, write_optional};
use super::problem::Problem;
use super::refusal::Refusal;
use super::request::Shape;
use super::system_operand::{SystemKind, SystemOperand};
use crate::matrix::Layout;
use crate::options::Norm;
use crate::pivoting::Pivoting;

/// Bytes of a request's payload before the matrices.
pub const SYSTEM_BYTES: usize = 40 + SystemOperand::ALL.len() * OPERAND_BYTES;

/// Bytes of the accuracy of a solution: backward error, forward error, steps.
pub const ACCURACY_BYTES: usize = 24;

/// Where the factors come from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Factors {
    /// They are kept under this handle.
    Kept(u32),
    /// They are computed from A, and then forgotten.
    Computed,
    /// They are computed from A, and then kept, perhaps with A.
    Keep {
        /// Whether A is kept as well.
        with_a: bool,
    },
    /// They are computed from A in f32, if that is enough, and forgotten.
    Mixed,
}

/// A request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SystemRequest {
    /// What is computed.
    pub kind: SystemKind,
    /// The shape of A, n x n, and the element type.
    pub shape: Shape,
    /// Columns of B and X; 0 if there is no B.
    pub nrhs: usize,
    /// Where the factors come from.
    pub factors: Factors,
    /// Where pivots come from.
    pub pivoting: Pivoting,
    /// The order of A.
    pub layout: Layout,
    /// The order of B and X.
    pub layout_of_x: Layout,
    /// Whether an A or a B that is not finite is refused.
    pub must_be_finite: bool,
    /// Whether the system is that of A^T.
    pub transposed: bool,
    /// Whether errors are bounded.
    pub bounds: bool,
    /// The norm of the condition number.
    pub norm: Norm,
    /// The largest number of threads; 0 for all that the server may use.
    pub threads: u32,
    /// The CPU on which the client runs, if it says so.
    pub cpu: Option<u32>,
    /// The largest number of steps of refinement.
    pub max_steps: u32,
    /// Where the operands are, in the order of [`SystemOperand::ALL`]; `None` for those that are not there.
    pub places: [Option<Place>; SystemOperand::ALL.len()],
}

impl SystemRequest {
    /// Reads a request and checks what can be checked without the session.
    ///
    /// # Errors
    /// [`Refusal::Undefined`], [`Refusal::Field`], [`Refusal::BatchShape`], [`Refusal::BatchOverLimit`], [`Refusal::Operand`].
    pub fn parse(kind: SystemKind, bytes: &[u8; SYSTEM_BYTES], max_bytes: u64) -> Result<Self, Refusal> {
        let u32_at = |at: usize| LittleEndian::read_u32(&bytes[at..]);
        let handle = u32_at(28);
        let flags = Flags::parse(u32_at(0), defined_flags(kind, handle != 0))?;
        if u32_at(36) != 0 {
            return Err(Refusal::Undefined { field: "bytes 36 to 39", bits: u32_at(36) });
        }
        let [n, nrhs] = [8, 16].map(|at| LittleEndian::read_i64(&bytes[at..]));
        let zero = |field, got: i64, expected| {
            if got == 0 { Ok(()) } else { Err(Refusal::Field { field, expected, got }) }
        };
        if kind != SystemKind::Solve {
            zero("nrhs", nrhs, "0, since the command has no B")?;
            zero("steps", u32_at(32).into(), "0, since the command solves nothing")?;
        }
        if kind == SystemKind::Keep {
            zero("handle", handle.into(), "0, since the command makes one")?;
        }
        let sizes = [1, n, n, nrhs];
        let bad_shape = || Refusal::BatchShape { sizes };
        let shape = Shape::new(n, n, flags.element()).ok_or_else(bad_shape)?;
        let request = SystemRequest {
            kind,
            shape,
            nrhs: usize::try_from(nrhs).map_err(|_| bad_shape())?,
            factors: factors(kind, flags, handle)?,
            pivoting: flags.pivoting(),
            layout: flags.layout(Flags::A_BY_ROWS),
            layout_of_x: flags.layout(Flags::X_BY_ROWS),
            must_be_finite: flags.is_set(Flags::MUST_BE_FINITE),
            transposed: flags.is_set(Flags::TRANSPOSED),
            bounds: flags.is_set(Flags::BOUNDS),
            norm: if flags.is_set(Flags::INFINITY_NORM) { Norm::Infinity } else { Norm::One },
            threads: u32_at(4),
            cpu: read_optional(&bytes[24..]),
            max_steps: u32_at(32),
            places: places(kind, handle != 0, bytes)?,
        };
        request.check_mixed()?;
        check_total(sizes, request.total_bytes(), max_bytes)?;
        Ok(request)
    }

    /// Its bytes.
    #[must_use]
    pub fn to_bytes(&self) -> [u8; SYSTEM_BYTES] {
        let mut bytes = [0; SYSTEM_BYTES];
        let keeps = matches!(self.factors, Factors::Keep { .. });
        let flags = Flags::bits([
            (self.shape.element() == ElementType::F32, Flags::SINGLE),
            (self.pivoting == Pivoting::None, Flags::NO_PIVOTING),
            (self.layout == Layout::RowMajor, Flags::A_BY_ROWS),
            (self.layout_of_x == Layout::RowMajor, Flags::X_BY_ROWS),
            (self.must_be_finite, Flags::MUST_BE_FINITE),
            (self.transposed, Flags::TRANSPOSED),
            (keeps && self.kind != SystemKind::Keep, Flags::KEEP),
            (self.factors == Factors::Keep { with_a: true }, Flags::KEEP_A),
            (self.factors == Factors::Mixed, Flags::MIXED),
            (self.bounds, Flags::BOUNDS),
            (self.norm == Norm::Infinity, Flags::INFINITY_NORM),
        ]);
        LittleEndian::write_u32(&mut bytes[..], flags);
        LittleEndian::write_u32(&mut bytes[4..], self.threads);
        LittleEndian::write_u64(&mut bytes[8..], self.shape.n() as u64);
        LittleEndian::write_u64(&mut bytes[16..], self.nrhs as u64);
        write_optional(&mut bytes[24..], self.cpu);
        if let Factors::Kept(handle) = self.factors {
            LittleEndian::write_u32(&mut bytes[28..], handle);
        }
        LittleEndian::write_u32(&mut bytes[32..], self.max_steps);
        for (operand, place) in bytes[40..].chunks_exact_mut(OPERAND_BYTES).zip(self.places) {
            place.inspect(|place| operand.copy_from_slice(&place.to_bytes()));
        }
        bytes
    }

    /// Where an operand is, if it is there.
    #[must_use]
    pub fn place(&self, operand: SystemOperand) -> Option<Place> {
        self.places[operand as usize]
    }

    /// Whether the solution is refined, or told how good it is.
    #[must_use]
    pub fn is_refined(&self) -> bool {
        self.max_steps > 0 || self.place(SystemOperand::Accuracy).is_some()
    }

    /// Columns of X.
    #[must_use]
    pub fn columns(&self) -> usize {
        if self.kind == SystemKind::Inverse { self.shape.n() } else { self.nrhs }
    }

    /// How an operand lies in memory.
    #[must_use]
    pub fn extent(&self, operand: SystemOperand) -> Extent {
        let (n, size, name) = (self.shape.n(), self.shape.element().bytes(), operand.name());
        let (columns, layout) = match operand {
            SystemOperand::A => (n, self.layout),
            SystemOperand::B => (self.nrhs, self.layout_of_x),
            SystemOperand::X => (self.columns(), self.layout_of_x),
            SystemOperand::Accuracy => {
                // If it is there, the product has been checked.
                let numbers = self.nrhs.saturating_mul(ACCURACY_BYTES / size_of::<f64>());
                return Extent::of_vector(name, numbers, size_of::<f64>());
            }
        };
        let sides = match layout {
            Layout::ColumnMajor => [n, columns],
            Layout::RowMajor => [columns, n],
        };
        Extent::of_matrix(name, sides, size)
    }

    /// Whether X has the place of B.
    #[must_use]
    pub fn replaces_b(&self) -> bool {
        let b = self.place(SystemOperand::B);
        b.is_some() && b == self.place(SystemOperand::X)
    }

    /// Whether an operand is read from the payload.
    #[must_use]
    pub fn is_sent(&self, operand: SystemOperand) -> bool {
        matches!(operand, SystemOperand::A | SystemOperand::B) && self.place(operand) == Some(Place::Payload)
    }

    /// Bytes of the operands in the payload of the request.
    #[must_use]
    pub fn payload_bytes(&self) -> usize {
        let sent = SystemOperand::ALL.into_iter().filter(|&operand| self.is_sent(operand));
        sent.map(|operand| self.extent(operand).bytes()).sum()
    }

    /// Bytes of all operands; X in the place of B does not count. `None` if the sum has 2^63 or more.
    fn total_bytes(&self) -> Option<i64> {
        let (n, size) = (self.shape.n(), self.shape.element().bytes());
        let mut total = 0_usize;
        for operand in SystemOperand::ALL {
            let bytes = match operand {
                _ if self.place(operand).is_none() => 0,
                SystemOperand::A => self.shape.matrix_bytes(),
                SystemOperand::X if self.replaces_b() => 0,
                SystemOperand::B => n.checked_mul(self.nrhs)?.checked_mul(size)?,
                SystemOperand::X => n.checked_mul(self.columns())?.checked_mul(size)?,
                SystemOperand::Accuracy => self.nrhs.checked_mul(ACCURACY_BYTES)?,
            };
            total = total.checked_add(bytes)?;
        }
        i64::try_from(total).ok()
    }

    /// Checks that mixed precision is asked for nothing that it does not have.
    fn check_mixed(&self) -> Result<(), Refusal> {
        if self.factors != Factors::Mixed {
            return Ok(());
        }
        let asked = [
            (self.shape.element() == ElementType::F32, Flags::SINGLE),
            (self.pivoting == Pivoting::None, Flags::NO_PIVOTING),
            (self.transposed, Flags::TRANSPOSED),
            (self.bounds, Flags::BOUNDS),
        ];
        match Flags::bits(asked) {
            0 if self.is_refined() => {
                let expected = "0 and the accuracy not to be wanted, in mixed precision";
                Err(Refusal::Field { field: "steps", expected, got: self.max_steps.into() })
            }
            0 => Ok(()),
            bits => Err(Refusal::Undefined { field: "flags beside that of mixed precision", bits }),
        }
    }
}

/// The flags that a command defines.
fn defined_flags(kind: SystemKind, is_kept: bool) -> u32 {
    let solves = kind == SystemKind::Solve;
    Flags::bits([
        (true, Flags::SINGLE | Flags::MUST_BE_FINITE),
        (!is_kept, Flags::NO_PIVOTING | Flags::A_BY_ROWS | Flags::KEEP_A),
        (!is_kept && kind != SystemKind::Keep, Flags::KEEP),
        (!is_kept && solves, Flags::MIXED),
        (solves, Flags::TRANSPOSED | Flags::BOUNDS),
        (solves || kind == SystemKind::Inverse, Flags::X_BY_ROWS),
        (kind == SystemKind::Condition, Flags::INFINITY_NORM),
    ])
}

/// Where the factors come from.
fn factors(kind: SystemKind, flags: Flags, handle: u32) -> Result<Factors, Refusal> {
    let (keeps, with_a) = (kind == SystemKind::Keep || flags.is_set(Flags::KEEP), flags.is_set(Flags::KEEP_A));
    match (handle, keeps, flags.is_set(Flags::MIXED)) {
        (0, true, false) => Ok(Factors::Keep { with_a }),
        (0, true, true) => Err(Refusal::Undefined { field: "flags beside that of mixed precision", bits: Flags::KEEP }),
        (0, false, _) if with_a => {
            Err(Refusal::Undefined { field: "flags of factors that are not kept", bits: Flags::KEEP_A })
        }
        (0, false, true) => Ok(Factors::Mixed),
        (0, false, false) => Ok(Factors::Computed),
        (handle, ..) => Ok(Factors::Kept(handle)),
    }
}

/// Reads the descriptions of the operands.
fn places(
    kind: SystemKind,
    is_kept: bool,
    bytes: &[u8; SYSTEM_BYTES],
) -> Result<[Option<Place>; SystemOperand::ALL.len()], Refusal> {
    let mut places = [None; SystemOperand::ALL.len()];
    for (operand, description) in SystemOperand::ALL.into_iter().zip(bytes[40..].chunks_exact(OPERAND_BYTES)) {
        let description = description.try_into().expect("bytes of an operand");
        let name = operand.name();
        let solves = kind == SystemKind::Solve;
        let is_there = is_there(description, name)?;
        let is_needed = match operand {
            SystemOperand::A => !is_kept,
            SystemOperand::B => solves,
            SystemOperand::X => solves || kind == SystemKind::Inverse,
            SystemOperand::Accuracy => solves && is_there,
        };
        places[operand as usize] = match (is_needed, is_there) {
            (false, true) => return Err(Refusal::Operand { name, problem: Problem::Absent }),
            (false, false) => None,
            (true, _) => Some(Place::parse(description, name)?),
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
            mut bytes in proptest::collection::vec(any::<u8>(), SYSTEM_BYTES),
            kind in proptest::sample::select(SystemKind::ALL.to_vec()),
            (is_kept, has_steps, sparse) in any::<[bool; 3]>().prop_map(|[a, b, c]| (a, b, c)),
            places in any::<[u8; 4]>(),
        ) {
            if sparse {
                // Most random bytes are refused at the first field.
                let flags = LittleEndian::read_u32(&bytes) & defined_flags(kind, is_kept);
                LittleEndian::write_u32(&mut bytes, flags);
                bytes[9..16].fill(0);
                bytes[if kind == SystemKind::Solve { 17 } else { 16 }..24].fill(0);
                bytes[28..32].fill(u8::from(is_kept));
                bytes[if kind == SystemKind::Solve && has_steps { 33 } else { 32 }..40].fill(0);
                for (at, place) in (40..).step_by(OPERAND_BYTES).zip(places) {
                    bytes[at + 24..at + 32].fill(0);
                    if place % 3 < 2 {
                        bytes[at..at + 32].fill(0);
                    }
                    bytes[at..at + 4].copy_from_slice(&[place % 3, 0, 0, 0]);
                }
            }
            let bytes: [u8; SYSTEM_BYTES] = bytes.try_into().unwrap();
            if let Ok(request) = SystemRequest::parse(kind, &bytes, u64::MAX) {
                let again = request.to_bytes();
                prop_assert_eq!(SystemRequest::parse(kind, &again, u64::MAX), Ok(request));
                // A CPU below zero is none, whatever its number.
                prop_assert_eq!((&again[..24], &again[28..]), (&bytes[..24], &bytes[28..]));
            }
        }
    }
}
