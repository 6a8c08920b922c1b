//! LAPACK's error handler, XERBLA: how it is found, and how it is called.
//!
//! An XERBLA need not return: the reference implementation stops the program, R's jumps out, Octave's throws a C++
//! exception. This library is compiled to abort if something unwinds through it, so no frame of Rust may be on the stack
//! during the call. On x86-64 the exported routines are therefore a few instructions that call the Rust function and, if
//! that has refused an argument, XERBLA. On other CPUs Rust makes the call, and a C++ exception ends the process.

use std::arch::global_asm;
use std::ffi::c_void;
use std::slice::from_raw_parts;

use nix::libc::{RTLD_DEFAULT, dlsym};

use super::arguments::Integer;
use super::write_line;

/// An XERBLA; it takes the name of the routine, the number of the argument, and the length of the name.
pub(super) type Xerbla<I> = unsafe extern "C-unwind" fn(name: *const u8, info: *const I, length: usize);

// A table of the XERBLAs that the linker finds, for both kinds of integers: NULL if there is none. Rust has no weak references.
// They find an XERBLA that is in no table of dynamic symbols, since the program is linked statically with this library; and a
// linker that sees them in the shared library puts the XERBLA of the program into that table.
global_asm!(
    ".weak xerbla_",
    ".weak xerbla_64_",
    ".pushsection .data.rel.ro.recfact_xerbla, \"aw\"",
    ".p2align 3",
    ".globl recfact_xerbla",
    ".hidden recfact_xerbla",
    "recfact_xerbla:",
    ".quad xerbla_",
    ".quad xerbla_64_",
    ".popsection",
);

unsafe extern "C" {
    /// The table.
    static recfact_xerbla: [Option<Xerbla<c_void>>; 2];
}

/// The XERBLA for this kind of integers: the one that the linker has found, or one that is visible to the whole process now, or
/// one that writes LAPACK's message to stderr and returns.
pub(super) extern "C" fn find<I: Integer>() -> *mut c_void {
    // SAFETY: the table has two pointers, which nobody changes once the library has been loaded.
    if let Some(linked) = unsafe { recfact_xerbla[I::XERBLA_INDEX] } {
        return linked as *mut c_void;
    }
    // SAFETY: the name is a C string.
    let visible = unsafe { dlsym(RTLD_DEFAULT, I::XERBLA.as_ptr()) };
    if visible.is_null() { say::<I> as *mut c_void } else { visible }
}

/// The XERBLA of a process that has none. Unlike LAPACK's it does not end the process.
///
/// # Safety
/// The name has `length` bytes, and `info` is the number of an argument.
unsafe extern "C" fn say<I: Integer>(name: *const u8, info: *const I, length: usize) {
    // SAFETY: the caller's promise.
    let (name, argument): (_, i64) = unsafe { (from_raw_parts(name, length), (*info).into()) };
    let name = std::str::from_utf8(name).unwrap_or_default();
    write_line(format_args!(" ** On entry to {name} parameter number {argument:2} had an illegal value"));
}

/// Defines an exported routine. It calls `$inner` with the same arguments, which returns the number of an illegal argument,
/// or 0. If there is an illegal argument, it calls XERBLA.
///
/// `$on_stack` lists the arguments that are on the stack, after the six in registers: up to 16, counted from 0.
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
            // The arguments on the stack, above the return address, are copied. [rsp + 128] is the integer for XERBLA.
            std::arch::naked_asm!(
                ".cfi_startproc",
                "sub rsp, 136",
                ".cfi_adjust_cfa_offset 136",
                concat!(".irp at,", $on_stack),
                "mov rax, [rsp + 144 + 8*\\at]",
                "mov [rsp + 8*\\at], rax",
                ".endr",
                "call {inner}",
                "test rax, rax",
                "jz 2f",
                "mov [rsp + 128], rax",
                "call {find}",
                "lea rdi, [rip + 3f]",
                "lea rsi, [rsp + 128]",
                "mov edx, {length}",
                "call rax",
                "2:",
                "add rsp, 136",
                ".cfi_adjust_cfa_offset -136",
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
            // SAFETY: the caller vouches for the arguments. A function named XERBLA takes these arguments in every LAPACK.
            unsafe {
                let illegal = $inner($($argument),*);
                if illegal == 0 {
                    return;
                }
                let xerbla = $crate::lapack::xerbla::find::<$i>();
                let xerbla = std::mem::transmute::<*mut std::ffi::c_void, $crate::lapack::xerbla::Xerbla<$i>>(xerbla);
                xerbla(concat!($name, "\0").as_ptr(), &(illegal as $i), $name.len());
            }
        }
    };
}

pub(super) use routine;
