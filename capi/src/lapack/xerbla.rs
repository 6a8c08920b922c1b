//! LAPACK's error handler, XERBLA: how it is found, and how it is called.
//!
//! An XERBLA need not return: the reference implementation stops the program, R's jumps out, Octave's throws a C++
//! exception. This library is compiled to abort if something unwinds through it, so no frame of Rust may be on the stack
//! during the call. On x86-64 the exported routines are therefore a few instructions that call the Rust function and, if
//! that has refused an argument, XERBLA. On other CPUs Rust makes the call, and a C++ exception ends the process.

use std::ffi::c_void;

use nix::libc::{RTLD_DEFAULT, dlsym};

use super::Integer;

/// The XERBLA for this kind of integers that is visible to the whole process; NULL if there is none.
pub(super) extern "C" fn find<I: Integer>() -> *mut c_void {
    // SAFETY: the name is a C string.
    unsafe { dlsym(RTLD_DEFAULT, I::XERBLA.as_ptr()) }
}

/// Defines an exported routine. It calls `$inner` with the same arguments, which returns the number of an illegal argument,
/// or 0. If there is an illegal argument and an XERBLA, it calls XERBLA.
///
/// `$on_stack` lists the arguments that are on the stack, after the six in registers: up to 7, counted from 0.
#[cfg(target_arch = "x86_64")]
macro_rules! routine {
    ($exported:ident = $inner:expr, $name:literal, $i:ty, $on_stack:literal: ($($argument:ident: $t:ty),*)) => {
        /// LAPACK's routine of this name.
        ///
        /// # Safety
        /// As LAPACK says: every pointer is valid for what the sizes say.
        #[unsafe(naked)]
        #[unsafe(no_mangle)]
        unsafe extern "C-unwind" fn $exported($($argument: $t),*) {
            // The arguments on the stack, above the return address, are copied. [rsp + 56] is the integer for XERBLA.
            std::arch::naked_asm!(
                ".cfi_startproc",
                "sub rsp, 72",
                ".cfi_adjust_cfa_offset 72",
                concat!(".irp at,", $on_stack),
                "mov rax, [rsp + 80 + 8*\\at]",
                "mov [rsp + 8*\\at], rax",
                ".endr",
                "call {inner}",
                "test rax, rax",
                "jz 2f",
                "mov [rsp + 56], rax",
                "call {find}",
                "test rax, rax",
                "jz 2f",
                "lea rdi, [rip + 3f]",
                "lea rsi, [rsp + 56]",
                "mov edx, {length}",
                "call rax",
                "2:",
                "add rsp, 72",
                ".cfi_adjust_cfa_offset -72",
                "ret",
                ".cfi_endproc",
                concat!("3: .asciz \"", $name, "\""),
                length = const $name.len(),
                inner = sym $inner,
                find = sym $crate::lapack::xerbla::find::<$i>,
            )
        }
    };
}

#[cfg(not(target_arch = "x86_64"))]
macro_rules! routine {
    ($exported:ident = $inner:expr, $name:literal, $i:ty, $on_stack:literal: ($($argument:ident: $t:ty),*)) => {
        /// LAPACK's routine of this name.
        ///
        /// # Safety
        /// As LAPACK says: every pointer is valid for what the sizes say.
        #[unsafe(no_mangle)]
        unsafe extern "C-unwind" fn $exported($($argument: $t),*) {
            type Xerbla = unsafe extern "C-unwind" fn(name: *const u8, info: *const $i, length: usize);
            // SAFETY: the caller vouches for the arguments. A function named XERBLA takes these arguments in every LAPACK.
            unsafe {
                let illegal = $inner($($argument),*);
                if illegal == 0 {
                    return;
                }
                let xerbla = $crate::lapack::xerbla::find::<$i>();
                if !xerbla.is_null() {
                    let xerbla = std::mem::transmute::<*mut std::ffi::c_void, Xerbla>(xerbla);
                    xerbla(concat!($name, "\0").as_ptr(), &(illegal as $i), $name.len());
                }
            }
        }
    };
}

pub(super) use routine;
