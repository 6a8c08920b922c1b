//! Where pivots come from.

/// Where the pivots of a factorization come from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum Pivoting {
    /// The element of the largest magnitude that is left in the column (partial pivoting).
    #[default]
    Partial,
    /// The element on the diagonal: `ipiv` is 1, 2, .. and a zero pivot gives a negative `info`.
    None,
}
