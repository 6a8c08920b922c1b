//! LAPACK's error handler, XERBLA: where the host has it, and how it is called.
//!
//! An XERBLA need not return: that of the reference stops, R's jumps away, Octave's throws a C++ exception. This library
//! is compiled to abort where something unwinds through it, so a frame of Rust must not stand below the call. On x86-64
//! the exported routines are therefore a few instructions that call the Rust function and, where that has refused an
//! argument, XERBLA. On other CPUs the call is made from Rust, and a C++ exception ends the process.

use std::ffi::{CStr, c_void};
use std::mem::MaybeUninit;
use std::ptr::null_mut;

use nix::libc::{Dl_info, RTLD_DEFAULT, RTLD_LAZY, RTLD_NOLOAD, dladdr, dlclose, dlopen, dlsym};

use super::Integer;

/// The XERBLA for this kind of integers; NULL where there is none. `caller` is an address in the code that called LAPACK:
/// where no library that all may see has one, that code's own libraries are asked, as a LAPACK that was loaded for a
/// plug-in alone.
pub(super) extern "C" fn find<I: Integer>(caller: *const c_void) -> *mut c_void {
    let name: &CStr = I::XERBLA;
    // SAFETY: names are C strings, `file` belongs to a library that is loaded, `handle` is closed once.
    unsafe {
        let known = dlsym(RTLD_DEFAULT, name.as_ptr());
        let mut info = MaybeUninit::<Dl_info>::zeroed();
        if !known.is_null() || dladdr(caller, info.as_mut_ptr()) == 0 {
            return known;
        }
        let file = info.assume_init().dli_fname;
        let handle = if file.is_null() { null_mut() } else { dlopen(file, RTLD_LAZY | RTLD_NOLOAD) };
        if handle.is_null() {
            return null_mut();
        }
        let own = dlsym(handle, name.as_ptr());
        dlclose(handle);
        own
    }
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
            // (Where there are fewer, what is copied is not looked at.) [rsp + 40] is the integer for XERBLA.
            std::arch::naked_asm!(
                ".cfi_startproc",
                "sub rsp, 56",
                ".cfi_adjust_cfa_offset 56",
                "mov rax, [rsp + 64]",
                "mov [rsp], rax",
                "mov rax, [rsp + 72]",
                "mov [rsp + 8], rax",
                "mov rax, [rsp + 80]",
                "mov [rsp + 16], rax",
                "call {inner}",
                "test rax, rax",
                "jz 2f",
                "mov [rsp + 40], rax",
                "mov rdi, [rsp + 56]",
                "call {find}",
                "test rax, rax",
                "jz 2f",
                "lea rdi, [rip + 3f]",
                "lea rsi, [rsp + 40]",
                "mov edx, 6",
                "call rax",
                "2:",
                "add rsp, 56",
                ".cfi_adjust_cfa_offset -56",
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
                let xerbla = $crate::lapack::xerbla::find::<$i>(std::ptr::null());
                if !xerbla.is_null() {
                    let xerbla = std::mem::transmute::<*mut std::ffi::c_void, Xerbla>(xerbla);
                    xerbla(concat!($name, "\0").as_ptr(), &(illegal as $i), 6);
                }
            }
        }
    };
}

pub(super) use routine;
