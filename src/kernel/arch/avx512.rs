//! Vectors of x86-64 with AVX-512 (F): 8 f64 or 16 f32.

use std::arch::x86_64::*;

use crate::kernel::vector::Vector;

#[derive(Clone, Copy)]
pub(in crate::kernel) struct F64x8(__m512d);

#[derive(Clone, Copy)]
pub(in crate::kernel) struct F32x16(__m512);

// SAFETY of every block below: the trait's contract, that the CPU has AVX-512F and that pointers are good for the
// elements named; partial loads and stores go by a mask, which touches no other element.

macro_rules! vector {
    (
        $v:ident, $t:ident, $lanes:literal, $mask:ident, $splat:ident, $loadu:ident, $maskz_loadu:ident, $storeu:ident,
        $mask_storeu:ident, $fnmadd:ident, $mul:ident, $div:ident, $abs:ident, $max:ident, $reduce_max:ident, $cmp_mask:ident,
        $permute:ident, $mask_mov:ident, $set1_index:ident, $index:ident, $to_int:ident, $from_int:ident
    ) => {
        impl Vector for $v {
            type T = $t;
            const LANES: usize = $lanes;

            #[inline(always)]
            unsafe fn splat(x: $t) -> Self {
                // SAFETY: see above.
                $v(unsafe { $splat(x) })
            }
            #[inline(always)]
            unsafe fn load(from: *const $t) -> Self {
                // SAFETY: see above.
                $v(unsafe { $loadu(from) })
            }
            #[inline(always)]
            unsafe fn load_partial(from: *const $t, count: usize) -> Self {
                // SAFETY: see above.
                $v(unsafe { $maskz_loadu(((1_u32 << count) - 1) as $mask, from) })
            }
            #[inline(always)]
            unsafe fn store(self, to: *mut $t) {
                // SAFETY: see above.
                unsafe { $storeu(to, self.0) }
            }
            #[inline(always)]
            unsafe fn store_partial(self, to: *mut $t, count: usize) {
                // SAFETY: see above.
                unsafe { $mask_storeu(to, ((1_u32 << count) - 1) as $mask, self.0) }
            }
            #[inline(always)]
            unsafe fn sub_mul(self, a: Self, b: Self) -> Self {
                // SAFETY: see above.
                $v(unsafe { $fnmadd(a.0, b.0, self.0) })
            }
            #[inline(always)]
            unsafe fn mul(self, b: Self) -> Self {
                // SAFETY: see above.
                $v(unsafe { $mul(self.0, b.0) })
            }
            #[inline(always)]
            unsafe fn div(self, b: Self) -> Self {
                // SAFETY: see above.
                $v(unsafe { $div(self.0, b.0) })
            }
            #[inline(always)]
            unsafe fn abs(self) -> Self {
                // SAFETY: see above.
                $v(unsafe { $abs(self.0) })
            }
            #[inline(always)]
            unsafe fn and(self, mask: Self) -> Self {
                // On integers: AVX-512F has no such operation on floating point.
                // SAFETY: see above.
                $v(unsafe { $from_int(_mm512_and_si512($to_int(self.0), $to_int(mask.0))) })
            }
            #[inline(always)]
            unsafe fn max(self, x: Self) -> Self {
                // The second operand is what comes out where either is NaN.
                // SAFETY: see above.
                $v(unsafe { $max(x.0, self.0) })
            }
            #[inline(always)]
            unsafe fn max_lane(self) -> $t {
                // SAFETY: see above.
                unsafe { $reduce_max(self.0) }
            }
            #[inline(always)]
            unsafe fn eq_mask(self, x: Self) -> u32 {
                // SAFETY: see above.
                u32::from(unsafe { $cmp_mask::<_CMP_EQ_OQ>(self.0, x.0) })
            }
            #[inline(always)]
            unsafe fn broadcast_lane(self, lane: usize) -> Self {
                // SAFETY: see above.
                $v(unsafe { $permute($set1_index(lane as $index), self.0) })
            }
            #[inline(always)]
            unsafe fn select_prefix(self, count: usize, rest: Self) -> Self {
                // SAFETY: see above.
                $v(unsafe { $mask_mov(rest.0, ((1_u32 << count) - 1) as $mask, self.0) })
            }
            #[inline(always)]
            unsafe fn prefetch(at: *const $t) {
                // SAFETY: see above; a prefetch cannot fault.
                unsafe { _mm_prefetch::<_MM_HINT_T0>(at.cast()) }
            }
        }
    };
}

vector!(
    F64x8,
    f64,
    8,
    __mmask8,
    _mm512_set1_pd,
    _mm512_loadu_pd,
    _mm512_maskz_loadu_pd,
    _mm512_storeu_pd,
    _mm512_mask_storeu_pd,
    _mm512_fnmadd_pd,
    _mm512_mul_pd,
    _mm512_div_pd,
    _mm512_abs_pd,
    _mm512_max_pd,
    _mm512_reduce_max_pd,
    _mm512_cmp_pd_mask,
    _mm512_permutexvar_pd,
    _mm512_mask_mov_pd,
    _mm512_set1_epi64,
    i64,
    _mm512_castpd_si512,
    _mm512_castsi512_pd
);

vector!(
    F32x16,
    f32,
    16,
    __mmask16,
    _mm512_set1_ps,
    _mm512_loadu_ps,
    _mm512_maskz_loadu_ps,
    _mm512_storeu_ps,
    _mm512_mask_storeu_ps,
    _mm512_fnmadd_ps,
    _mm512_mul_ps,
    _mm512_div_ps,
    _mm512_abs_ps,
    _mm512_max_ps,
    _mm512_reduce_max_ps,
    _mm512_cmp_ps_mask,
    _mm512_permutexvar_ps,
    _mm512_mask_mov_ps,
    _mm512_set1_epi32,
    i32,
    _mm512_castps_si512,
    _mm512_castsi512_ps
);
