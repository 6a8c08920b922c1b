//! The kernels, written once for all instruction sets.

pub(super) mod gemm;
pub(super) mod gemv;
pub(super) mod panel;
mod pivot;
pub(super) mod small;
pub(super) mod tiny;
pub(super) mod trsm;
