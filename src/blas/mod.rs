//! What the factorization stands on: matrix product and triangular solves of BLAS, on blocks of any size.

mod gemm;
pub(crate) mod scratch;
mod tiles;
mod triangle;
mod trsm;

pub(crate) use gemm::gemm;
pub(crate) use tiles::Packed;
pub(crate) use triangle::{Triangle, solve};
pub(crate) use trsm::trsm;
