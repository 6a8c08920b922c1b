//! One file for each instruction set: what a register of elements and its operations are there.

pub(super) mod portable;

#[cfg(target_arch = "x86_64")]
pub(super) mod avx2;
#[cfg(target_arch = "x86_64")]
pub(super) mod avx512;
