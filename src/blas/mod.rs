//! What the recursion stands on: the matrix product and the triangular solve of BLAS, on blocks of any size.

mod gemm;
pub(crate) mod scratch;
mod trsm;

pub(crate) use gemm::gemm;
pub(crate) use trsm::trsm;
