//! What a register of elements and its operations are on each instruction set.

pub(super) mod portable;

#[cfg(target_arch = "x86_64")]
pub(super) mod avx2;
#[cfg(target_arch = "x86_64")]
pub(super) mod avx512;
