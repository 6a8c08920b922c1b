//! What the recursion stands on: the matrix product and the triangular solve of BLAS, on blocks of any size.

mod gemm;
pub(crate) mod scratch;
mod triangle;
mod trsm;

pub(crate) use gemm::gemm;
pub(crate) use triangle::Triangle;
pub(crate) use trsm::trsm;
