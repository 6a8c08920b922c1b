//! The inner loops, one table of them for each instruction set.
//!
//! A kernel knows no matrix: it takes pointers, sizes and leading dimensions ([`signatures`]). The bodies (`body/`) are
//! written once over [`vector::Vector`], which `arch/` implements for each instruction set; `table.rs` instantiates them
//! with the block sizes of `tuning.rs`. A table is chosen at the door of the library and handed down from there.
//!
//! Every kernel keeps the one order of operations: an element is updated by one fused multiply-subtract for each
//! `k`, in rising `k`, starting from the element itself. So all tables give the same bits.

mod arch;
mod body;
mod isa;
mod lanes;
mod microarchitecture;
mod scalar;
mod signatures;
mod table;
mod tuning;
mod vector;

#[cfg(test)]
mod tests;

pub(crate) use body::small::WORK;
pub(crate) use body::tiny::TINY;
pub use isa::Isa;
pub(crate) use lanes::MAX_LANES;
pub(crate) use microarchitecture::Microarchitecture;
pub use scalar::Scalar;
pub(crate) use signatures::{
    Ahead, Elements, Gemm, GemmFar, Group, GroupNorm, GroupTrsm, Lines, Pack, Panel, PanelPart, Residual, RowsTrsm,
    Small, Strided, Tiles, Trsm, Trsv,
};
pub(crate) use table::FactorGroup;
pub use table::{BatchKernels, Kernels};
pub(crate) use table::{f32_table, f64_table};
pub(crate) use tuning::{
    BATCH_COLUMNS, BATCH_FACTOR_BYTES, BATCH_IN_CACHE, BATCH_LEAST, BATCH_RHS, INVERSE_BYTES, INVERSE_COLUMNS,
    INVERSE_ROWS, prefers_avx2,
};
#[cfg(test)]
pub(crate) use tuning::{Crew, Tuning};
