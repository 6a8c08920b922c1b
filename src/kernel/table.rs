//! The tables: the bodies of `body.rs`, instantiated for each instruction set and element type.

use super::{Isa, Kernels, body};
use crate::real::Real;

/// A module with the kernels of one instruction set: thin functions that carry its target features and inline the
/// bodies, and the table of them.
macro_rules! instruction_set {
    ($(#[$feature:meta])* $name:ident, mr: $mr:literal, nr: $nr:literal) => {
        mod $name {
            use super::*;

            // SAFETY (of each call below): the caller's promise is passed on unchanged.

            $(#[$feature])*
            unsafe fn gemm_tile<T: Real>(k: usize, a: *const T, lda: usize, b: *const T, ldb: usize, c: *mut T, ldc: usize) {
                // SAFETY: see above.
                unsafe { body::gemm_tile::<T, $mr, $nr>(k, a, lda, b, ldb, c, ldc) }
            }

            $(#[$feature])*
            #[allow(clippy::too_many_arguments)] // BLAS's own argument list
            unsafe fn gemm_edge<T: Real>(
                m: usize, n: usize, k: usize, a: *const T, lda: usize, b: *const T, ldb: usize, c: *mut T, ldc: usize,
            ) {
                // SAFETY: see above.
                unsafe { body::gemm_edge(m, n, k, a, lda, b, ldb, c, ldc) }
            }

            $(#[$feature])*
            unsafe fn trsm<T: Real>(m: usize, n: usize, l: *const T, ldl: usize, b: *mut T, ldb: usize) {
                // SAFETY: see above.
                unsafe { body::trsm(m, n, l, ldl, b, ldb) }
            }

            $(#[$feature])*
            unsafe fn panel<T: Real, const PIVOTING: bool>(
                m: usize, n: usize, a: *mut T, lda: usize, ipiv: *mut i64,
            ) -> usize {
                // SAFETY: see above.
                unsafe { body::panel::<T, PIVOTING>(m, n, a, lda, ipiv) }
            }

            pub(super) const fn kernels<T: Real>() -> Kernels<T> {
                Kernels {
                    mr: $mr,
                    nr: $nr,
                    mc: 256,
                    kc: 256,
                    nb: 8,
                    gemm_tile: gemm_tile::<T>,
                    gemm_edge: gemm_edge::<T>,
                    trsm: trsm::<T>,
                    panel: panel::<T, true>,
                    panel_nopiv: panel::<T, false>,
                }
            }
        }
    };
}

instruction_set!(portable, mr: 8, nr: 4);

#[cfg(target_arch = "x86_64")]
instruction_set!(#[target_feature(enable = "avx2,fma")] avx2, mr: 8, nr: 4);

macro_rules! lookup {
    ($t:ident) => {
        /// The table for an instruction set, if this CPU has it.
        pub(crate) fn $t(isa: Isa) -> Option<&'static Kernels<$t>> {
            static PORTABLE: Kernels<$t> = portable::kernels();
            #[cfg(target_arch = "x86_64")]
            static AVX2: Kernels<$t> = avx2::kernels();

            if !isa.is_available() {
                return None;
            }
            match isa {
                Isa::Portable => Some(&PORTABLE),
                #[cfg(target_arch = "x86_64")]
                Isa::Avx2 => Some(&AVX2),
                #[cfg(not(target_arch = "x86_64"))]
                Isa::Avx2 => None,
            }
        }
    };
}

lookup!(f32);
lookup!(f64);
