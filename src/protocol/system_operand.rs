//! The commands that work with one matrix or with kept factors, and their operands.

/// What is computed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SystemKind {
    /// P A = L U, kept by the session.
    Keep,
    /// A X = B.
    Solve,
    /// The reciprocal condition number.
    Condition,
    /// The determinant.
    Determinant,
    /// The inverse.
    Inverse,
}

impl SystemKind {
    /// Every command, in the order of their bytes.
    pub const ALL: [SystemKind; 5] =
        [SystemKind::Keep, SystemKind::Solve, SystemKind::Condition, SystemKind::Determinant, SystemKind::Inverse];
}

/// An operand, in the order of the descriptions.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SystemOperand {
    /// The matrix.
    A,
    /// The right-hand sides.
    B,
    /// The solution or the inverse.
    X,
    /// How good each column of the solution is.
    Accuracy,
}

impl SystemOperand {
    /// All of them, in the order of the descriptions.
    pub const ALL: [SystemOperand; 4] = [SystemOperand::A, SystemOperand::B, SystemOperand::X, SystemOperand::Accuracy];

    /// What messages call it.
    pub(super) fn name(self) -> &'static str {
        match self {
            SystemOperand::A => "A",
            SystemOperand::B => "B",
            SystemOperand::X => "the place of X",
            SystemOperand::Accuracy => "the place of the accuracy",
        }
    }
}
