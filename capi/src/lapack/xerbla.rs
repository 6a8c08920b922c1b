//! LAPACK's error handler, XERBLA: where the host has it, and how it is called.
//!
//! An XERBLA need not return: that of the reference stops, R's jumps away, Octave's throws a C++ exception. This library
//! is compiled to abort where something unwinds through it, so a frame of Rust must not stand below the call. On x86-64
//! the exported routines are therefore a few instructions that call the Rust function and, where that has refused an
//! argument, XERBLA. On other CPUs the call is made from Rust, and a C++ exception ends the process.

use std::ffi::c_void;

use nix::libc::{RTLD_DEFAULT, dlsym};

use super::Integer;

/// The XERBLA for this kind of integers that the whole process sees; NULL where there is none.
pub(super) extern "C" fn find<I: Integer>() -> *mut c_void {
    // SAFETY: the name is a C string.
    unsafe { dlsym(RTLD_DEFAULT, I::XERBLA.as_ptr()) }
}

/// Defines an exported routine: `$inner` of the same arguments, which returns the number of an illegal argument or 0, and
/// then, where there is one, the call of XERBLA.
#[cfg(target_arch = "x86_64")]
macro_rules! routine {
    ($exported:ident = $inner:expr, $name:literal, $i:ty: ($($argument:ident: $t:ty),*)) => {
        /// LAPACK's routine of this name.
        ///
        /// # Safety
        /// As LAPACK says: every pointer is good for what the sizes say.
        #[unsafe(naked)]
        #[unsafe(no_mangle)]
        unsafe extern "C-unwind" fn $exported($($argument: $t),*) {
            // Six arguments stand in registers; up to three more on the stack, above the address of return, are copied.
            // (Where there are fewer, what is copied is not looked at.) [rsp + 24] is the integer for XERBLA.
            std::arch::naked_asm!(
                ".cfi_startproc",
                "sub rsp, 40",
                ".cfi_adjust_cfa_offset 40",
                "mov rax, [rsp + 48]",
                "mov [rsp], rax",
                "mov rax, [rsp + 56]",
                "mov [rsp + 8], rax",
                "mov rax, [rsp + 64]",
                "mov [rsp + 16], rax",
                "call {inner}",
                "test rax, rax",
                "jz 2f",
                "mov [rsp + 24], rax",
                "call {find}",
                "test rax, rax",
                "jz 2f",
                "lea rdi, [rip + 3f]",
                "lea rsi, [rsp + 24]",
                "mov edx, 6",
                "call rax",
                "2:",
                "add rsp, 40",
                ".cfi_adjust_cfa_offset -40",
                "ret",
                ".cfi_endproc",
                concat!("3: .asciz \"", $name, "\""),
                inner = sym $inner,
                find = sym $crate::lapack::xerbla::find::<$i>,
            )
        }
    };
}

#[cfg(not(target_arch = "x86_64"))]
macro_rules! routine {
    ($exported:ident = $inner:expr, $name:literal, $i:ty: ($($argument:ident: $t:ty),*)) => {
        /// LAPACK's routine of this name.
        ///
        /// # Safety
        /// As LAPACK says: every pointer is good for what the sizes say.
        #[unsafe(no_mangle)]
        unsafe extern "C-unwind" fn $exported($($argument: $t),*) {
            type Xerbla = unsafe extern "C-unwind" fn(name: *const u8, info: *const $i, length: usize);
            // SAFETY: the caller's promise; a function of this name takes these arguments in every LAPACK.
            unsafe {
                let illegal = $inner($($argument),*);
                if illegal == 0 {
                    return;
                }
                let xerbla = $crate::lapack::xerbla::find::<$i>();
                if !xerbla.is_null() {
                    let xerbla = std::mem::transmute::<*mut std::ffi::c_void, Xerbla>(xerbla);
                    xerbla(concat!($name, "\0").as_ptr(), &(illegal as $i), 6);
                }
            }
        }
    };
}

pub(super) use routine;
