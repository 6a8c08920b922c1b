//! Vectors of 512 bits, 8 f64 or 16 f32, for x86-64 with AVX-512F: twice as wide as AVX2's, twice as many registers, and
//! masks for the edges of a matrix.

use std::arch::x86_64::*;

use crate::kernel::lanes::Lanes;
use crate::kernel::vector::Vector;

#[derive(Clone, Copy)]
pub(in crate::kernel) struct F64x8(__m512d);

#[derive(Clone, Copy)]
pub(in crate::kernel) struct F32x16(__m512);

/// A mask of the first `count <= 16` lanes.
#[inline(always)]
fn prefix(count: usize) -> u32 {
    (1 << count) - 1
}

/// A vector type from the intrinsics for its elements.
macro_rules! vector {
    (
        $v:ident: $lanes:literal $t:ident,
        splat: $splat:ident,
        load: $load:ident,
        load_partial: $maskz_load:ident,
        store: $store:ident,
        store_partial: $mask_store:ident,
        sub_mul: $fnmadd:ident,
        mul: $mul:ident,
        div: $div:ident,
        abs: $abs:ident,
        and: $to_int:ident $from_int:ident,
        max: $max:ident,
        max_lane: $reduce_max:ident,
        eq_mask: $cmp_mask:ident,
        broadcast_lane: $permute:ident $set1_index:ident $index:ident,
        select_prefix: $mask_mov:ident,
        mask: $mask:ident,
    ) => {
        impl Vector for $v {
            type T = $t;
            const LANES: usize = $lanes;

            #[inline(always)]
            unsafe fn splat(x: $t) -> Self {
                // SAFETY: the CPU has AVX-512F (the trait's contract).
                $v(unsafe { $splat(x) })
            }
            #[inline(always)]
            unsafe fn load(from: *const $t) -> Self {
                // SAFETY: the CPU has AVX-512F (the trait's contract); the caller vouches for LANES elements at `from`.
                $v(unsafe { $load(from) })
            }
            #[inline(always)]
            unsafe fn load_partial(from: *const $t, count: usize) -> Self {
                debug_assert!(count <= $lanes);
                // SAFETY: the CPU has AVX-512F (the trait's contract); lanes whose mask is clear are not read.
                $v(unsafe { $maskz_load(prefix(count) as $mask, from) })
            }
            #[inline(always)]
            unsafe fn store(self, to: *mut $t) {
                // SAFETY: the CPU has AVX-512F (the trait's contract); the caller vouches for LANES elements at `to`.
                unsafe { $store(to, self.0) }
            }
            #[inline(always)]
            unsafe fn store_partial(self, to: *mut $t, count: usize) {
                debug_assert!(count <= $lanes);
                // SAFETY: the CPU has AVX-512F (the trait's contract); lanes whose mask is clear are not written.
                unsafe { $mask_store(to, prefix(count) as $mask, self.0) }
            }
            #[inline(always)]
            unsafe fn sub_mul(self, a: Self, b: Self) -> Self {
                // SAFETY: the CPU has AVX-512F (the trait's contract).
                $v(unsafe { $fnmadd(a.0, b.0, self.0) })
            }
            #[inline(always)]
            unsafe fn mul(self, b: Self) -> Self {
                // SAFETY: the CPU has AVX-512F (the trait's contract).
                $v(unsafe { $mul(self.0, b.0) })
            }
            #[inline(always)]
            unsafe fn div(self, b: Self) -> Self {
                // SAFETY: the CPU has AVX-512F (the trait's contract).
                $v(unsafe { $div(self.0, b.0) })
            }
            #[inline(always)]
            unsafe fn abs(self) -> Self {
                // SAFETY: the CPU has AVX-512F (the trait's contract).
                $v(unsafe { $abs(self.0) })
            }
            #[inline(always)]
            unsafe fn and(self, mask: Self) -> Self {
                // On integers: AVX-512F alone has no such operation on floating point.
                // SAFETY: the CPU has AVX-512F (the trait's contract).
                $v(unsafe { $from_int(_mm512_and_si512($to_int(self.0), $to_int(mask.0))) })
            }
            #[inline(always)]
            unsafe fn max(self, x: Self) -> Self {
                // If one operand is NaN, the instruction returns the second.
                // SAFETY: the CPU has AVX-512F (the trait's contract).
                $v(unsafe { $max(x.0, self.0) })
            }
            #[inline(always)]
            unsafe fn max_lane(self) -> $t {
                // SAFETY: the CPU has AVX-512F (the trait's contract).
                unsafe { $reduce_max(self.0) }
            }
            #[inline(always)]
            unsafe fn eq_mask(self, x: Self) -> u32 {
                // SAFETY: the CPU has AVX-512F (the trait's contract).
                u32::from(unsafe { $cmp_mask::<_CMP_EQ_OQ>(self.0, x.0) })
            }
            #[inline(always)]
            unsafe fn broadcast_lane(self, lane: usize) -> Self {
                // SAFETY: the CPU has AVX-512F (the trait's contract).
                $v(unsafe { $permute($set1_index(lane as $index), self.0) })
            }
            #[inline(always)]
            unsafe fn select_prefix(self, count: usize, rest: Self) -> Self {
                debug_assert!(count <= $lanes);
                // SAFETY: the CPU has AVX-512F (the trait's contract).
                $v(unsafe { $mask_mov(rest.0, prefix(count) as $mask, self.0) })
            }
            #[inline(always)]
            unsafe fn prefetch(at: *const $t) {
                // SAFETY: a prefetch cannot fault, whatever the address.
                unsafe { _mm_prefetch::<_MM_HINT_T0>(at.cast()) }
            }
        }
    };
}

vector! {
    F64x8: 8 f64,
    splat: _mm512_set1_pd,
    load: _mm512_loadu_pd,
    load_partial: _mm512_maskz_loadu_pd,
    store: _mm512_storeu_pd,
    store_partial: _mm512_mask_storeu_pd,
    sub_mul: _mm512_fnmadd_pd,
    mul: _mm512_mul_pd,
    div: _mm512_div_pd,
    abs: _mm512_abs_pd,
    and: _mm512_castpd_si512 _mm512_castsi512_pd,
    max: _mm512_max_pd,
    max_lane: _mm512_reduce_max_pd,
    eq_mask: _mm512_cmp_pd_mask,
    broadcast_lane: _mm512_permutexvar_pd _mm512_set1_epi64 i64,
    select_prefix: _mm512_mask_mov_pd,
    mask: __mmask8,
}

vector! {
    F32x16: 16 f32,
    splat: _mm512_set1_ps,
    load: _mm512_loadu_ps,
    load_partial: _mm512_maskz_loadu_ps,
    store: _mm512_storeu_ps,
    store_partial: _mm512_mask_storeu_ps,
    sub_mul: _mm512_fnmadd_ps,
    mul: _mm512_mul_ps,
    div: _mm512_div_ps,
    abs: _mm512_abs_ps,
    and: _mm512_castps_si512 _mm512_castsi512_ps,
    max: _mm512_max_ps,
    max_lane: _mm512_reduce_max_ps,
    eq_mask: _mm512_cmp_ps_mask,
    broadcast_lane: _mm512_permutexvar_ps _mm512_set1_epi32 i32,
    select_prefix: _mm512_mask_mov_ps,
    mask: __mmask16,
}

/// A mask is a bit for each lane.
macro_rules! lanes {
    (
        $v:ident: $mask:ident,
        cmp: $cmp:ident,
        select: $blend:ident,
        sign: $set1:ident $to_int:ident $from_int:ident,
        store_indices: $to_i32:ident $store:ident,
        transpose: $transpose:ident,
    ) => {
        impl Lanes for $v {
            type Mask = $mask;

            #[inline(always)]
            unsafe fn equals(self, x: Self) -> $mask {
                // SAFETY: the CPU has AVX-512F (the trait's contract).
                unsafe { $cmp::<_CMP_EQ_OQ>(self.0, x.0) }
            }
            #[inline(always)]
            unsafe fn is_less(self, x: Self) -> $mask {
                // SAFETY: the CPU has AVX-512F (the trait's contract).
                unsafe { $cmp::<_CMP_LT_OQ>(self.0, x.0) }
            }
            #[inline(always)]
            unsafe fn both(a: $mask, b: $mask) -> $mask {
                a & b
            }
            #[inline(always)]
            unsafe fn any(mask: $mask) -> bool {
                mask != 0
            }
            #[inline(always)]
            unsafe fn select(mask: $mask, yes: Self, no: Self) -> Self {
                // SAFETY: the CPU has AVX-512F (the trait's contract).
                $v(unsafe { $blend(mask, no.0, yes.0) })
            }
            #[inline(always)]
            unsafe fn with_sign(self, sign: Self) -> Self {
                // On integers, as `and` above.
                // SAFETY: the CPU has AVX-512F (the trait's contract).
                unsafe {
                    let sign = _mm512_and_si512($to_int(sign.0), $to_int($set1(-0.0)));
                    $v($from_int(_mm512_or_si512($to_int(self.0), sign)))
                }
            }
            #[inline(always)]
            unsafe fn store_indices(self, to: *mut i32) {
                // SAFETY: the CPU has AVX-512F (the trait's contract); the caller vouches for LANES elements at `to`.
                unsafe { $store(to.cast(), $to_i32(self.0)) }
            }
            #[inline(always)]
            unsafe fn transpose(block: *mut Self) {
                // SAFETY: the CPU has AVX-512F (the trait's contract); the caller vouches for LANES registers.
                unsafe { $transpose(&mut *block.cast()) }
            }
        }
    };
}

lanes! {
    F64x8: __mmask8,
    cmp: _mm512_cmp_pd_mask,
    select: _mm512_mask_blend_pd,
    sign: _mm512_set1_pd _mm512_castpd_si512 _mm512_castsi512_pd,
    store_indices: _mm512_cvttpd_epi32 _mm256_storeu_si256,
    transpose: transpose_pd,
}

lanes! {
    F32x16: __mmask16,
    cmp: _mm512_cmp_ps_mask,
    select: _mm512_mask_blend_ps,
    sign: _mm512_set1_ps _mm512_castps_si512 _mm512_castsi512_ps,
    store_indices: _mm512_cvttps_epi32 _mm512_storeu_si512,
    transpose: transpose_ps,
}

/// # Safety
/// - The CPU has AVX-512F.
#[inline(always)]
unsafe fn transpose_pd(x: &mut [F64x8; 8]) {
    let (mut pairs, mut quads) = ([x[0].0; 8], [x[0].0; 8]);
    // SAFETY: the caller's CPU has AVX-512F.
    unsafe {
        // Pairs of rows in each quarter of a register. A shuffle of quarters takes 0 and 2, or 1 and 3, of two registers.
        for i in 0..4 {
            pairs[2 * i] = _mm512_unpacklo_pd(x[2 * i].0, x[2 * i + 1].0);
            pairs[2 * i + 1] = _mm512_unpackhi_pd(x[2 * i].0, x[2 * i + 1].0);
        }
        for i in [0, 1, 4, 5] {
            quads[i] = _mm512_shuffle_f64x2::<0x88>(pairs[i], pairs[i + 2]);
            quads[i + 2] = _mm512_shuffle_f64x2::<0xdd>(pairs[i], pairs[i + 2]);
        }
        for i in 0..4 {
            x[i].0 = _mm512_shuffle_f64x2::<0x88>(quads[i], quads[i + 4]);
            x[i + 4].0 = _mm512_shuffle_f64x2::<0xdd>(quads[i], quads[i + 4]);
        }
    }
}

/// # Safety
/// - The CPU has AVX-512F.
#[inline(always)]
unsafe fn transpose_ps(x: &mut [F32x16; 16]) {
    let (mut fours, mut eights) = ([x[0].0; 16], [x[0].0; 16]);
    // SAFETY: the caller's CPU has AVX-512F.
    unsafe {
        // 4 x 4 in each quarter of four registers; then quarters, as above.
        for i in [0, 4, 8, 12] {
            let (ab0, ab1) = (_mm512_unpacklo_ps(x[i].0, x[i + 1].0), _mm512_unpackhi_ps(x[i].0, x[i + 1].0));
            let (cd0, cd1) = (_mm512_unpacklo_ps(x[i + 2].0, x[i + 3].0), _mm512_unpackhi_ps(x[i + 2].0, x[i + 3].0));
            fours[i] = _mm512_shuffle_ps::<0x44>(ab0, cd0);
            fours[i + 1] = _mm512_shuffle_ps::<0xee>(ab0, cd0);
            fours[i + 2] = _mm512_shuffle_ps::<0x44>(ab1, cd1);
            fours[i + 3] = _mm512_shuffle_ps::<0xee>(ab1, cd1);
        }
        for i in [0, 1, 2, 3, 8, 9, 10, 11] {
            eights[i] = _mm512_shuffle_f32x4::<0x88>(fours[i], fours[i + 4]);
            eights[i + 4] = _mm512_shuffle_f32x4::<0xdd>(fours[i], fours[i + 4]);
        }
        for i in 0..8 {
            x[i].0 = _mm512_shuffle_f32x4::<0x88>(eights[i], eights[i + 8]);
            x[i + 8].0 = _mm512_shuffle_f32x4::<0xdd>(eights[i], eights[i + 8]);
        }
    }
}
