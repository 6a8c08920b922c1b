//! What a call of the library can refuse.

use std::fmt;

use crate::kernel::Isa;

/// Why a call was refused. A call that returns one of these, except [`Error::Cancelled`], has written nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Error {
    /// The leading dimension is smaller than the number of rows.
    LeadingDimension {
        /// Rows of the matrix; columns, if it is row-major.
        m: usize,
        /// The leading dimension that was given.
        lda: usize,
    },
    /// The slice is too short for the matrix, or the size of the matrix overflows.
    SliceTooShort {
        /// Elements needed: `lda * (n - 1) + m`, or `None` if this overflows.
        expected: Option<usize>,
        /// Elements given.
        found: usize,
    },
    /// The matrices of a batch would overlap.
    Stride {
        /// Elements from the first to the last of a matrix, both included.
        expected: usize,
        /// The distance from one matrix to the next that was given.
        found: usize,
    },
    /// A result of a batch has too few elements for all matrices.
    BatchResults {
        /// What the result is.
        name: &'static str,
        /// Elements needed.
        expected: usize,
        /// Elements given.
        found: usize,
    },
    /// A batch has another shape than the others.
    BatchShape {
        /// What the matrices are.
        name: &'static str,
        /// Matrices, and rows and columns of each.
        expected: [usize; 3],
        /// Those that were given.
        found: [usize; 3],
    },
    /// `ipiv` does not have `min(m, n)` elements (as an output it may have more).
    IpivLength {
        /// `min(m, n)`.
        expected: usize,
        /// Elements given.
        found: usize,
    },
    /// A row swap that LAPACK's `ipiv` cannot hold.
    Pivot {
        /// Its 1-based index.
        index: usize,
        /// The row it names.
        row: i64,
        /// Rows of the matrix.
        m: usize,
    },
    /// An `info` that no factorization of this matrix has.
    Info {
        /// The `info`.
        info: i64,
        /// Pivots of the matrix.
        k: usize,
    },
    /// The value of the environment variable `RECFACT_ISA` is not an instruction set of this CPU.
    InstructionSet {
        /// The value.
        asked: &'static str,
        /// What this CPU has.
        available: &'static [Isa],
    },
    /// The options name an instruction set that this CPU lacks.
    IsaUnavailable {
        /// The one that was asked for.
        isa: Isa,
        /// What this CPU has.
        available: &'static [Isa],
    },
    /// The system refused memory for the result. (A factorization or a solve in place needs none.)
    OutOfMemory {
        /// Bytes asked for.
        bytes: usize,
    },
    /// The computation was cancelled. What was to be factored holds neither the matrix nor its factors.
    Cancelled,
    /// The matrix has a NaN or an infinity, and the caller wanted that to be checked.
    NotFinite,
    /// The operation needs a square matrix.
    NotSquare {
        /// Rows of the matrix.
        m: usize,
        /// Columns of the matrix.
        n: usize,
    },
    /// The right-hand side has another number of rows than the matrix.
    RightHandSide {
        /// Rows of the matrix.
        expected: usize,
        /// Rows of the right-hand side.
        found: usize,
    },
    /// A matrix has another shape than it must have beside the others.
    Shape {
        /// What the matrix is.
        name: &'static str,
        /// Rows and columns that it must have.
        expected: [usize; 2],
        /// Those that it has.
        found: [usize; 2],
    },
    /// There is not an [`Accuracy`](crate::Accuracy) for each right-hand side.
    AccuracyLength {
        /// Right-hand sides.
        expected: usize,
        /// Elements given.
        found: usize,
    },
    /// U has a zero on its diagonal, so the system has no unique solution.
    Singular {
        /// The 1-based index of the first zero on the diagonal of U.
        index: usize,
    },
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Error::LeadingDimension { m, lda } => {
                write!(f, "expected a leading dimension of at least {m}, got {lda}")
            }
            Error::SliceTooShort { expected: Some(expected), found } => {
                write!(f, "expected a slice of at least lda*(n-1)+m = {expected} elements, got {found}")
            }
            Error::SliceTooShort { expected: None, found } => {
                write!(f, "expected lda*(n-1)+m to fit an address, but it overflows; the slice has {found} elements")
            }
            Error::Stride { expected, found } => {
                write!(f, "expected the matrices of a batch to be at least {expected} elements apart, got {found}")
            }
            Error::BatchResults { name, expected, found } => {
                write!(f, "expected {name} to have {expected} elements for all matrices of the batch, got {found}")
            }
            Error::BatchShape { name, expected: [count, m, n], found: [found, rows, columns] } => {
                write!(f, "expected {name} to be {count} matrices of {m} x {n}, got {found} of {rows} x {columns}")
            }
            Error::IpivLength { expected, found } => {
                write!(f, "expected ipiv to have min(m,n) = {expected} elements, got {found}")
            }
            Error::Pivot { index, row, m } => {
                // A solve accepts a row above the diagonal; no factorization gives one.
                let first = if (1..index as i64).contains(&row) { index } else { 1 };
                write!(f, "expected ipiv({index}) to be a row in {first}..={m}, got {row}")
            }
            Error::Info { info, k } => write!(f, "expected info in -{k}..={k}, got {info}"),
            Error::InstructionSet { asked, available } => {
                write!(
                    f,
                    "expected RECFACT_ISA to be an instruction set of this CPU ({}), got {asked:?}",
                    Names(available)
                )
            }
            Error::IsaUnavailable { isa, available } => {
                write!(f, "expected an instruction set of this CPU ({}), got {}", Names(available), isa.name())
            }
            Error::OutOfMemory { bytes } => {
                write!(f, "expected {bytes} bytes of memory for the result, got none from the system")
            }
            Error::Cancelled => write!(f, "expected to finish, but the computation was cancelled"),
            Error::NotFinite => write!(f, "expected a matrix of finite numbers, got one with a NaN or an infinity"),
            Error::NotSquare { m, n } => write!(f, "expected a square matrix, got {m} x {n}"),
            Error::RightHandSide { expected, found } => {
                write!(f, "expected a right-hand side of {expected} rows, got {found}")
            }
            Error::Shape { name, expected: [m, n], found: [rows, columns] } => {
                write!(f, "expected {name} to be {m} x {n}, got {rows} x {columns}")
            }
            Error::AccuracyLength { expected, found } => {
                write!(f, "expected accuracy to have {expected} elements, one for each right-hand side, got {found}")
            }
            Error::Singular { index } => {
                write!(f, "expected a nonsingular matrix, but U({index},{index}) is exactly zero")
            }
        }
    }
}

impl std::error::Error for Error {}

/// The names of instruction sets, with commas between them.
struct Names(&'static [Isa]);

impl fmt::Display for Names {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, isa) in self.0.iter().enumerate() {
            write!(f, "{}{}", if at == 0 { "" } else { ", " }, isa.name())?;
        }
        Ok(())
    }
}
