//! The tables: the bodies, instantiated for each instruction set and element type.

use super::body::tiny::TINY;
use super::body::{batch, finite, gemm, panel, residual, small, trsm, trsm_rows, trsv};
use super::isa::Isa;
use super::scalar::Scalar;
use super::signatures::{
    Elements, Gemm, GemmFar, Group, GroupNorm, GroupTrsm, Lines, Pack, Panel, Residual, RowsTrsm, Small, Trsm, Trsv,
};
use super::tuning::{self, Tuning};

/// The kernels of one instruction set and its block sizes. What each kernel does, and what its caller promises, stands
/// at its argument.
pub struct Kernels<T: Scalar> {
    /// Elements of a register.
    pub(crate) lanes: usize,
    /// Rows of a tile of C.
    pub(crate) mr: usize,
    /// Rows of A that stay in the L2 cache while B goes by; a multiple of `mr`.
    pub(crate) mc: usize,
    /// Columns of A (rows of B) that one pass over C takes.
    pub(crate) kc: usize,
    /// Panels of at most this many columns are not split further.
    pub(crate) nb: usize,
    /// Matrices with at most this many rows and columns are factored as a whole; at most [`small::MAX_ORDER`].
    pub(crate) small: usize,
    /// Rows of a small matrix that stays in registers and needs no work memory, if it has at most
    /// [`TINY`](super::TINY) columns.
    pub(crate) tiny_rows: usize,
    /// The most vectors of right-hand sides that are solved at once.
    pub(crate) row_vectors: usize,
    /// The other block sizes.
    pub(crate) tuning: &'static Tuning,
    pub(crate) gemm: unsafe fn(Gemm<T>),
    pub(crate) gemm_far: unsafe fn(GemmFar<T>),
    pub(crate) pack: unsafe fn(Pack<T>),
    pub(crate) trsm_unit: unsafe fn(Trsm<T>),
    pub(crate) trsm_rows: unsafe fn(RowsTrsm<T>),
    pub(crate) trsv: unsafe fn(Trsv<T>),
    pub(crate) panel: unsafe fn(Panel<T>) -> usize,
    pub(crate) factor_small: unsafe fn(Small<T>) -> usize,
    pub(crate) residual: unsafe fn(Residual<T>),
    pub(crate) all_finite: unsafe fn(Elements<T>) -> bool,
    /// The kernels for batches of the same instruction set. There are none for `portable`, whose registers have too few lanes.
    pub(crate) batch: Option<&'static BatchKernels<T>>,
}

/// A kernel that factors a group of matrices.
pub(crate) type FactorGroup<T> = unsafe fn(Group<T>);

/// The kernels of one instruction set for batches: as many matrices at once as a register has lanes.
pub struct BatchKernels<T: Scalar> {
    /// Matrices of a group.
    pub(crate) lanes: usize,
    pub(crate) interleave: unsafe fn(Lines<T>),
    pub(crate) deinterleave: unsafe fn(Lines<T>),
    /// The kernels, each after the largest number of rows that it takes, in rising order.
    pub(crate) factor: &'static [(usize, FactorGroup<T>)],
    pub(crate) trsm: unsafe fn(GroupTrsm<T>),
    /// The same for the triangle with the magnitudes of the diagonal, and below it those of the elements, negated; products are
    /// rounded before they are added.
    pub(crate) trsm_magnitudes: unsafe fn(GroupTrsm<T>),
    pub(crate) norm1: unsafe fn(GroupNorm<T>),
}

/// A function that carries an instruction set's target features and inlines the body of a kernel.
macro_rules! kernel {
    ($(#[$feature:meta])* $name:ident($arguments:ty) -> $result:ty = $body:expr $(, $inner:ident)?) => {
        $(#[$feature])*
        unsafe fn $name(arguments: $arguments) -> $result {
            // SAFETY: the caller promises what the argument's type says, and that the CPU has the instruction set.
            unsafe { $body(arguments $(, $inner)?) }
        }
    };
}

/// A module with the kernels of one instruction set and element type, and the table of them.
macro_rules! table {
    ($(#[$feature:meta])* $name:ident: $t:ty as $v:ty, $tuning:ident, $batch:expr) => {
        mod $name {
            use super::*;
            use crate::kernel::vector::Vector;

            type V = $v;
            type T = $t;
            static TUNING: Tuning = tuning::$tuning;
            const SHAPE: tuning::Shape = tuning::$tuning.shape;
            const MV: usize = SHAPE.mv;
            const NR: usize = SHAPE.nr;
            const NT: usize = SHAPE.nt;
            const NB: usize = SHAPE.nb;

            kernel!($(#[$feature])* gemm(Gemm<T>) -> () = gemm::gemm::<V, MV, NR>);
            kernel!($(#[$feature])* gemm_far(GemmFar<T>) -> () = gemm::gemm_far::<V, MV, NR>, gemm);
            kernel!($(#[$feature])* pack(Pack<T>) -> () = gemm::pack::<V, MV>);
            kernel!($(#[$feature])* trsm_unit(Trsm<T>) -> () = trsm::trsm::<V, MV, NT>);
            kernel!($(#[$feature])* trsm_rows(RowsTrsm<T>) -> () = trsm_rows::trsm_rows::<V, { SHAPE.xr }, { SHAPE.xv }>);
            kernel!($(#[$feature])* trsv(Trsv<T>) -> () = trsv::trsv::<V>);
            kernel!($(#[$feature])* panel(Panel<T>) -> usize = panel::panel::<V, NB>);
            kernel!($(#[$feature])* factor_small(Small<T>) -> usize = small::small::<V, { SHAPE.small }>);
            kernel!($(#[$feature])* residual(Residual<T>) -> () = residual::residual::<V>);
            kernel!($(#[$feature])* all_finite(Elements<T>) -> bool = finite::all_finite::<V>);

            pub(super) static TABLE: Kernels<T> = Kernels {
                lanes: V::LANES,
                mr: MV * V::LANES,
                mc: TUNING.mc_tiles * MV * V::LANES,
                kc: TUNING.kc,
                nb: NB,
                small: SHAPE.small,
                tiny_rows: if 2 * V::LANES < TINY { 2 * V::LANES } else { TINY },
                row_vectors: SHAPE.xv,
                tuning: &TUNING,
                gemm,
                gemm_far,
                pack,
                trsm_unit,
                trsm_rows,
                trsv,
                panel,
                factor_small,
                residual,
                all_finite,
                batch: $batch,
            };
        }
    };
}

table!(portable_f64: f64 as crate::kernel::arch::portable::F64, PORTABLE_F64, None);
table!(portable_f32: f32 as crate::kernel::arch::portable::F32, PORTABLE_F32, None);

#[cfg(target_arch = "x86_64")]
table!(#[target_feature(enable = "avx2,fma")] avx2_f64: f64 as crate::kernel::arch::avx2::F64x4, AVX2_F64, Some(&avx2_f64_batch::TABLE));
#[cfg(target_arch = "x86_64")]
table!(#[target_feature(enable = "avx2,fma")] avx2_f32: f32 as crate::kernel::arch::avx2::F32x8, AVX2_F32, Some(&avx2_f32_batch::TABLE));

#[cfg(target_arch = "x86_64")]
table!(#[target_feature(enable = "avx2,fma,avx512f")] avx512_f64: f64 as crate::kernel::arch::avx512::F64x8, AVX512_F64, Some(&avx512_f64_batch::TABLE));
#[cfg(target_arch = "x86_64")]
table!(#[target_feature(enable = "avx2,fma,avx512f")] avx512_f32: f32 as crate::kernel::arch::avx512::F32x16, AVX512_F32, Some(&avx512_f32_batch::TABLE));

/// A module with the kernels for batches of one instruction set and element type, and the table of them.
#[cfg(target_arch = "x86_64")]
macro_rules! batch_table {
    (#[$feature:meta] $name:ident: $v:ty, rows: $($factor:ident $rows:literal),*) => {
        mod $name {
            use super::*;
            use crate::kernel::vector::Vector;

            type V = $v;
            type T = <V as Vector>::T;

            kernel!(#[$feature] interleave(Lines<T>) -> () = batch::copy::interleave::<V>);
            kernel!(#[$feature] deinterleave(Lines<T>) -> () = batch::copy::deinterleave::<V>);
            $(kernel!(#[$feature] $factor(Group<T>) -> () = batch::factor::factor::<V, $rows>);)*
            kernel!(#[$feature] trsm(GroupTrsm<T>) -> () = batch::solve::trsm::<V>);
            kernel!(#[$feature] trsm_magnitudes(GroupTrsm<T>) -> () = batch::solve::trsm_magnitudes::<V>);
            kernel!(#[$feature] norm1(GroupNorm<T>) -> () = batch::norm::norm1::<V>);

            pub(super) static TABLE: BatchKernels<T> = BatchKernels {
                lanes: V::LANES,
                interleave,
                deinterleave,
                factor: &[$(($rows, $factor)),*],
                trsm,
                trsm_magnitudes,
                norm1,
            };
        }
    };
}

#[cfg(target_arch = "x86_64")]
batch_table!(#[target_feature(enable = "avx2,fma")] avx2_f64_batch: crate::kernel::arch::avx2::F64x4,
    rows: factor_1 1, factor_2 2, factor_3 3, factor_4 4, factor_6 6, factor_8 8, factor_12 12, factor_16 16);
#[cfg(target_arch = "x86_64")]
batch_table!(#[target_feature(enable = "avx2,fma")] avx2_f32_batch: crate::kernel::arch::avx2::F32x8,
    rows: factor_1 1, factor_2 2, factor_3 3, factor_4 4, factor_6 6, factor_8 8, factor_12 12, factor_16 16);
#[cfg(target_arch = "x86_64")]
batch_table!(#[target_feature(enable = "avx2,fma,avx512f")] avx512_f64_batch: crate::kernel::arch::avx512::F64x8,
    rows: factor_1 1, factor_2 2, factor_3 3, factor_4 4, factor_6 6, factor_8 8, factor_12 12, factor_16 16, factor_20 20, factor_24 24);
#[cfg(target_arch = "x86_64")]
batch_table!(#[target_feature(enable = "avx2,fma,avx512f")] avx512_f32_batch: crate::kernel::arch::avx512::F32x16,
    rows: factor_1 1, factor_2 2, factor_3 3, factor_4 4, factor_6 6, factor_8 8, factor_12 12, factor_16 16, factor_20 20, factor_24 24);

macro_rules! lookup {
    ($name:ident, $t:ident: $portable:ident, $avx2:ident, $avx512:ident) => {
        /// The table for an instruction set, if this CPU has it.
        pub(crate) fn $name(isa: Isa) -> Option<&'static Kernels<$t>> {
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

lookup!(f32_table, f32: portable_f32, avx2_f32, avx512_f32);
lookup!(f64_table, f64: portable_f64, avx2_f64, avx512_f64);
