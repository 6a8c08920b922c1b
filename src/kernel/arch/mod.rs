//! One file for each instruction set: what a register of elements and its operations are there. Those of x86-64 have a table
//! of them, from which `x86.rs` makes the methods.

pub(super) mod portable;

#[cfg(target_arch = "x86_64")]
pub(super) mod avx2;
#[cfg(target_arch = "x86_64")]
pub(super) mod avx512;
#[cfg(target_arch = "x86_64")]
mod x86;
