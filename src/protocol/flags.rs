//! The bits that say how a matrix is factored and solved with, the same in every command that has them.

use super::element::ElementType;
use super::refusal::Refusal;
use crate::matrix::Layout;
use crate::pivoting::Pivoting;

/// The flags of a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Flags(u32);

impl Flags {
    pub(super) const SINGLE: u32 = 1 << 0;
    pub(super) const NO_PIVOTING: u32 = 1 << 2;
    pub(super) const A_BY_ROWS: u32 = 1 << 8;
    pub(super) const MUST_BE_FINITE: u32 = 1 << 9;
    pub(super) const NARROW_IPIV: u32 = 1 << 10;
    pub(super) const X_BY_ROWS: u32 = 1 << 11;
    pub(super) const TRANSPOSED: u32 = 1 << 12;
    pub(super) const LU_BY_ROWS: u32 = 1 << 13;
    pub(super) const KEEP: u32 = 1 << 14;
    pub(super) const KEEP_A: u32 = 1 << 15;
    pub(super) const BOUNDS: u32 = 1 << 16;
    pub(super) const MIXED: u32 = 1 << 17;
    pub(super) const INFINITY_NORM: u32 = 1 << 18;

    /// Reads flags, of which the command defines these.
    ///
    /// # Errors
    /// [`Refusal::Undefined`].
    pub(super) fn parse(bits: u32, defined: u32) -> Result<Self, Refusal> {
        match bits & !defined {
            0 => Ok(Flags(bits)),
            bits => Err(Refusal::Undefined { field: "flags", bits }),
        }
    }

    /// Those of the bits that are to be set.
    pub(super) fn bits<const N: usize>(flags: [(bool, u32); N]) -> u32 {
        flags.iter().filter(|(set, _)| *set).fold(0, |bits, (_, flag)| bits | flag)
    }

    pub(super) fn is_set(self, flag: u32) -> bool {
        self.0 & flag != 0
    }

    pub(super) fn element(self) -> ElementType {
        if self.is_set(Self::SINGLE) { ElementType::F32 } else { ElementType::F64 }
    }

    pub(super) fn pivoting(self) -> Pivoting {
        if self.is_set(Self::NO_PIVOTING) { Pivoting::None } else { Pivoting::Partial }
    }

    /// The order that this flag gives.
    pub(super) fn layout(self, by_rows: u32) -> Layout {
        if self.is_set(by_rows) { Layout::RowMajor } else { Layout::ColumnMajor }
    }

    /// Checks that the row swaps of a matrix with `m` rows have room, if they are to have 32 bits.
    ///
    /// # Errors
    /// [`Refusal::NarrowIpiv`].
    pub(super) fn check_ipiv(self, m: usize) -> Result<(), Refusal> {
        let is_too_narrow = self.is_set(Self::NARROW_IPIV) && i32::try_from(m).is_err();
        if is_too_narrow { Err(Refusal::NarrowIpiv { m }) } else { Ok(()) }
    }
}
