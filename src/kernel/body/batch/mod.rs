//! As many matrices at once as a register has lanes: the lanes are the matrices. Each does what its own elements say, in the
//! order of operations of every other kernel.
//!
//! The matrices of a group are copied into work memory, interleaved: a vector has one element of each of them. There they are
//! factored, and systems are solved with them; from there the results are copied back.

pub(in crate::kernel) mod copy;
pub(in crate::kernel) mod factor;
pub(in crate::kernel) mod norm;
mod pivot;
pub(in crate::kernel) mod solve;

/// The most rows that a kernel is made for.
const MAX_ROWS: usize = 24;
