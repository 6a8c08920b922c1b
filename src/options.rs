//! How to factor and solve.

use crate::kernel::Isa;
use crate::pivoting::Pivoting;

/// How to factor, and how to solve with the factors.
///
/// ```
/// use recfact::{Options, Pivoting};
///
/// let options = Options::new().threads(2).pivoting(Pivoting::None);
/// assert_ne!(options, Options::default());
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Options {
    pub(crate) pivoting: Pivoting,
    pub(crate) threads: usize,
    pub(crate) isa: Option<Isa>,
}

impl Options {
    /// Partial pivoting, one thread, the instruction set of the process ([`Isa::in_use`]).
    #[must_use]
    pub const fn new() -> Self {
        Options { pivoting: Pivoting::Partial, threads: 1, isa: None }
    }

    /// Where pivots come from.
    #[must_use]
    pub const fn pivoting(mut self, pivoting: Pivoting) -> Self {
        self.pivoting = pivoting;
        self
    }

    /// The largest number of threads that a call uses: at least one, and never more than there are processors. The
    /// result does not depend on it, to the bit. Helper threads belong to the calling thread, sleep between its calls,
    /// and end with it.
    #[must_use]
    pub const fn threads(mut self, threads: usize) -> Self {
        self.threads = threads;
        self
    }

    /// Uses the kernels of this instruction set. The result does not depend on it, to the bit.
    #[must_use]
    pub const fn isa(mut self, isa: Isa) -> Self {
        self.isa = Some(isa);
        self
    }
}

impl Default for Options {
    fn default() -> Self {
        Options::new()
    }
}

/// A norm of a matrix.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum Norm {
    /// The largest sum of magnitudes in a column.
    #[default]
    One,
    /// The largest sum of magnitudes in a row.
    Infinity,
}

/// Which system is solved.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum Transpose {
    /// A X = B.
    #[default]
    No,
    /// A^T X = B.
    Yes,
    /// A^H X = B. For real matrices it is the same as [`Transpose::Yes`].
    Conjugate,
}

impl Transpose {
    /// Whether the rows of the factors are read as columns.
    pub(crate) fn is_transposed(self) -> bool {
        self != Transpose::No
    }
}
