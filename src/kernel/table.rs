//! The tables: the bodies, instantiated for each instruction set and element type.

use super::{Isa, Kernels, Tiles, gemm, gemv, panel, small, trsm};

/// A module with the kernels of one instruction set and element type: thin functions that carry its target features
/// and inline the bodies, and the table of them.
///
/// `mv` vectors by `nr` columns make a tile of C, by `nt` columns one of a triangular solve; a panel has `tv` times `LANES`
/// columns; matrices of at most `small` rows and columns are factored as a whole.
macro_rules! kernels {
    ($(#[$feature:meta])* $name:ident: $t:ty as $v:ty, mv: $mv:literal, nr: $nr:literal, nt: $nt:literal, tv: $tv:literal, small: $small:literal) => {
        mod $name {
            use super::*;
            use crate::kernel::vector::Vector;

            type V = $v;
            type T = $t;

            // SAFETY of each call below: the caller's promise is passed on unchanged.

            $(#[$feature])*
            #[allow(clippy::too_many_arguments)] // BLAS's own argument list
            unsafe fn gemm(m: usize, n: usize, k: usize, a: Tiles<T>, b: *const T, ldb: usize, c: *mut T, ldc: usize) {
                // SAFETY: see above.
                unsafe { gemm::gemm::<V, $mv, $nr>(m, n, k, a, b, ldb, c, ldc) }
            }

            $(#[$feature])*
            #[allow(clippy::too_many_arguments)] // BLAS's own argument list
            unsafe fn gemv(
                m: usize,
                n: usize,
                a: *const T,
                row: isize,
                col: isize,
                x: *const T,
                incx: isize,
                y: *mut T,
                incy: isize,
            ) {
                // SAFETY: see above.
                unsafe { gemv::gemv::<V>(m, n, a, row, col, x, incx, y, incy) }
            }

            $(#[$feature])*
            unsafe fn pack(m: usize, k: usize, a: *const T, lda: usize, to: *mut T) {
                // SAFETY: see above.
                unsafe { gemm::pack::<V, $mv>(m, k, a, lda, to) }
            }

            $(#[$feature])*
            #[allow(clippy::too_many_arguments)] // BLAS's own argument list
            unsafe fn trsm_unit(
                m: usize,
                n: usize,
                k: usize,
                l: *const T,
                ldl: usize,
                b: *mut T,
                ldb: usize,
                x: *mut T,
                ldx: usize,
            ) {
                // SAFETY: see above.
                unsafe { trsm::trsm::<V, $mv, $nt, true>(m, n, k, l, ldl, b, ldb, x, ldx) }
            }

            $(#[$feature])*
            #[allow(clippy::too_many_arguments)] // BLAS's own argument list
            unsafe fn trsm(
                m: usize,
                n: usize,
                k: usize,
                l: *const T,
                ldl: usize,
                b: *mut T,
                ldb: usize,
                x: *mut T,
                ldx: usize,
            ) {
                // SAFETY: see above.
                unsafe { trsm::trsm::<V, 1, $nt, false>(m, n, k, l, ldl, b, ldb, x, ldx) }
            }

            $(#[$feature])*
            unsafe fn panel(m: usize, n: usize, a: *mut T, lda: usize, ipiv: *mut i64, pivoting: bool) -> usize {
                // SAFETY: see above.
                unsafe { panel::panel::<V, { $tv * V::LANES }>(m, n, a, lda, ipiv, pivoting) }
            }

            $(#[$feature])*
            unsafe fn factor_small(m: usize, n: usize, a: *mut T, lda: usize, ipiv: *mut i64, work: *mut T) -> usize {
                // SAFETY: see above.
                unsafe { small::small::<V, $small>(m, n, a, lda, ipiv, work) }
            }

            pub(super) static TABLE: Kernels<T> = Kernels {
                mr: $mv * V::LANES,
                lanes: V::LANES,
                mc: 16 * $mv * V::LANES,
                kc: 256,
                nb: $tv * V::LANES,
                small: $small,
                gemm,
                gemv,
                pack,
                trsm_unit,
                trsm,
                panel,
                factor_small,
            };
        }
    };
}

// An x86-64 without AVX2 has no fused multiply-add, and registers are no help: small kernels.
#[cfg(target_arch = "x86_64")]
kernels!(portable_f64: f64 as crate::kernel::portable::Array<f64, 1>, mv: 1, nr: 2, nt: 1, tv: 1, small: 0);
#[cfg(target_arch = "x86_64")]
kernels!(portable_f32: f32 as crate::kernel::portable::Array<f32, 1>, mv: 1, nr: 2, nt: 1, tv: 1, small: 0);

#[cfg(not(target_arch = "x86_64"))]
kernels!(portable_f64: f64 as crate::kernel::portable::Array<f64, 2>, mv: 2, nr: 4, nt: 4, tv: 2, small: 40);
#[cfg(not(target_arch = "x86_64"))]
kernels!(portable_f32: f32 as crate::kernel::portable::Array<f32, 4>, mv: 2, nr: 4, nt: 4, tv: 1, small: 40);

#[cfg(target_arch = "x86_64")]
kernels!(#[target_feature(enable = "avx2,fma")] avx2_f64: f64 as crate::kernel::avx2::F64x4, mv: 2, nr: 6, nt: 4, tv: 2, small: 40);
#[cfg(target_arch = "x86_64")]
kernels!(#[target_feature(enable = "avx2,fma")] avx2_f32: f32 as crate::kernel::avx2::F32x8, mv: 2, nr: 6, nt: 4, tv: 1, small: 40);

#[cfg(target_arch = "x86_64")]
kernels!(#[target_feature(enable = "avx2,fma,avx512f")] avx512_f64: f64 as crate::kernel::avx512::F64x8, mv: 3, nr: 8, nt: 4, tv: 1, small: 40);
#[cfg(target_arch = "x86_64")]
kernels!(#[target_feature(enable = "avx2,fma,avx512f")] avx512_f32: f32 as crate::kernel::avx512::F32x16, mv: 3, nr: 8, nt: 4, tv: 1, small: 40);

macro_rules! lookup {
    ($t:ident: $portable:ident, $avx2:ident, $avx512:ident) => {
        /// The table for an instruction set, if this CPU has it.
        pub(crate) fn $t(isa: Isa) -> Option<&'static Kernels<$t>> {
            if !isa.is_available() {
                return None;
            }
            match isa {
                Isa::Portable => Some(&$portable::TABLE),
                #[cfg(target_arch = "x86_64")]
                Isa::Avx2 => Some(&$avx2::TABLE),
                #[cfg(target_arch = "x86_64")]
                Isa::Avx512 => Some(&$avx512::TABLE),
                #[cfg(not(target_arch = "x86_64"))]
                Isa::Avx2 | Isa::Avx512 => None,
            }
        }
    };
}

lookup!(f32: portable_f32, avx2_f32, avx512_f32);
lookup!(f64: portable_f64, avx2_f64, avx512_f64);
