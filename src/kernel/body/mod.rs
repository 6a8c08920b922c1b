//! The kernels, each written once for all instruction sets and element types, over [`Vector`](super::vector::Vector).

pub(super) mod batch;
mod column;
pub(super) mod finite;
pub(super) mod gemm;
mod order;
pub(super) mod panel;
mod pivot;
mod registers;
pub(super) mod residual;
pub(super) mod small;
pub(super) mod tiny;
pub(super) mod trsm;
pub(super) mod trsm_rows;
pub(super) mod trsv;
mod unrolled;
