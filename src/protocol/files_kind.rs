//! What a request about matrices in files asks for.

/// What is computed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FilesKind {
    /// P A = L U.
    Factor,
    /// A X = B.
    Solve,
}
