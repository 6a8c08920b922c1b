//! The operations of BLAS that the factorization and the solves need, on blocks of any size: matrix products, triangular
//! solves, norms and residuals, over the kernels. They know no pivots and no threads.

mod gemm;
mod norm;
mod residual;
mod rows;
pub(crate) mod scratch;
mod tiles;
mod transpose;
mod triangle;
mod trsm;

pub(crate) use gemm::gemm;
pub(crate) use norm::{is_nan, larger, norm_infinity, norm_max, norm1};
pub(crate) use residual::Residuals;
pub(crate) use rows::by_rows;
pub(crate) use tiles::{Next, Packed};
pub(crate) use transpose::transpose;
pub(crate) use triangle::{Triangle, solve_triangle};
pub(crate) use trsm::trsm;
