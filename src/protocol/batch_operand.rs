//! The commands of batches, and which operands and flags each of them has.

/// What is computed for each matrix.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BatchKind {
    /// P A = L U.
    Factor,
    /// A X = B from the factors.
    Solve,
    /// A X = B from A.
    Gesv,
    /// The inverse.
    Inverse,
    /// The determinant.
    Det,
}

/// An operand of a batch, in the order of the descriptions.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BatchOperand {
    /// The matrices, or their factors.
    A,
    /// The factors.
    Lu,
    /// The row swaps.
    Ipiv,
    /// The right-hand sides.
    B,
    /// The solutions, or the inverses.
    X,
    /// `info`.
    Info,
    /// Lower bounds of the reciprocals of the condition numbers.
    Rcond,
    /// The determinants.
    Det,
}

/// What an operand is for a command.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// The command does not have it.
    Absent,
    /// It is read.
    Input,
    /// It is written.
    Result,
    /// It is written, if it is wanted.
    Wanted,
}

impl BatchOperand {
    /// All of them, in the order of the descriptions.
    pub const ALL: [BatchOperand; 8] = {
        use BatchOperand::{A, B, Det, Info, Ipiv, Lu, Rcond, X};
        [A, Lu, Ipiv, B, X, Info, Rcond, Det]
    };

    /// What messages call it.
    pub(super) fn name(self, role: Role) -> &'static str {
        match self {
            BatchOperand::A => "A",
            BatchOperand::Lu => "the place of L and U",
            BatchOperand::Ipiv if role == Role::Input => "ipiv",
            BatchOperand::Ipiv => "the place of ipiv",
            BatchOperand::B => "B",
            BatchOperand::X => "the place of X",
            BatchOperand::Info => "the place of info",
            BatchOperand::Rcond => "the place of rcond",
            BatchOperand::Det => "the place of det",
        }
    }

    /// The operand whose place it may have.
    #[must_use]
    pub fn may_replace(self) -> Option<BatchOperand> {
        match self {
            BatchOperand::Lu => Some(BatchOperand::A),
            BatchOperand::X => Some(BatchOperand::B),
            _ => None,
        }
    }

    /// Whether it is one vector for the whole batch.
    #[must_use]
    pub fn is_vector(self) -> bool {
        !matches!(self, BatchOperand::A | BatchOperand::Lu | BatchOperand::B | BatchOperand::X)
    }
}

impl BatchKind {
    /// Every command, in the order of their bytes.
    pub const ALL: [BatchKind; 5] =
        [BatchKind::Factor, BatchKind::Solve, BatchKind::Gesv, BatchKind::Inverse, BatchKind::Det];

    /// What it does with an operand.
    #[must_use]
    pub fn role(self, operand: BatchOperand) -> Role {
        use Role::{Absent, Input, Result, Wanted};
        let roles = match self {
            BatchKind::Factor => [Input, Wanted, Wanted, Absent, Absent, Result, Absent, Absent],
            BatchKind::Solve => [Input, Absent, Input, Input, Result, Absent, Absent, Absent],
            BatchKind::Gesv => [Input, Wanted, Wanted, Input, Result, Result, Wanted, Absent],
            BatchKind::Inverse => [Input, Absent, Absent, Absent, Result, Result, Wanted, Absent],
            BatchKind::Det => [Input, Absent, Absent, Absent, Absent, Absent, Absent, Result],
        };
        roles[operand as usize]
    }

    pub(super) fn has(self, operand: BatchOperand) -> bool {
        self.role(operand) != Role::Absent
    }
}
