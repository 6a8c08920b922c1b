//! Vectors of x86-64 with AVX2 and FMA: 4 f64 or 8 f32.

use std::arch::x86_64::*;

use crate::kernel::vector::Vector;

#[derive(Clone, Copy)]
pub(in crate::kernel) struct F64x4(__m256d);

#[derive(Clone, Copy)]
pub(in crate::kernel) struct F32x8(__m256);

/// All bits set, then none: a mask of the first `count` of N lanes starts N - count lanes before the middle.
static MASK64: [i64; 8] = [-1, -1, -1, -1, 0, 0, 0, 0];
static MASK32: [i32; 16] = [-1, -1, -1, -1, -1, -1, -1, -1, 0, 0, 0, 0, 0, 0, 0, 0];

// SAFETY of every block below: the trait's contract, that the CPU has AVX2 and FMA and that pointers are good for the
// elements named; partial loads read by a mask, which touches no other element.

impl Vector for F64x4 {
    type T = f64;
    const LANES: usize = 4;

    #[inline(always)]
    unsafe fn splat(x: f64) -> Self {
        // SAFETY: see above.
        F64x4(unsafe { _mm256_set1_pd(x) })
    }
    #[inline(always)]
    unsafe fn load(from: *const f64) -> Self {
        // SAFETY: see above.
        F64x4(unsafe { _mm256_loadu_pd(from) })
    }
    #[inline(always)]
    unsafe fn load_partial(from: *const f64, count: usize) -> Self {
        debug_assert!(count <= 4);
        // SAFETY: see above; the mask lies in its table since count <= 4.
        unsafe {
            let mask = _mm256_loadu_si256(MASK64.as_ptr().add(4 - count).cast());
            F64x4(_mm256_maskload_pd(from, mask))
        }
    }
    #[inline(always)]
    unsafe fn store(self, to: *mut f64) {
        // SAFETY: see above.
        unsafe { _mm256_storeu_pd(to, self.0) }
    }
    #[inline(always)]
    unsafe fn store_partial(self, to: *mut f64, count: usize) {
        // Masked stores are slow on AMD; two narrower ones are not.
        // SAFETY: see above; `count` elements are written.
        unsafe {
            if count >= 4 {
                return self.store(to);
            }
            let (mut half, mut to) = (_mm256_castpd256_pd128(self.0), to);
            if count & 2 != 0 {
                _mm_storeu_pd(to, half);
                (half, to) = (_mm256_extractf128_pd::<1>(self.0), to.add(2));
            }
            if count & 1 != 0 {
                _mm_store_sd(to, half);
            }
        }
    }
    #[inline(always)]
    unsafe fn sub_mul(self, a: Self, b: Self) -> Self {
        // SAFETY: see above.
        F64x4(unsafe { _mm256_fnmadd_pd(a.0, b.0, self.0) })
    }
    #[inline(always)]
    unsafe fn mul(self, b: Self) -> Self {
        // SAFETY: see above.
        F64x4(unsafe { _mm256_mul_pd(self.0, b.0) })
    }
    #[inline(always)]
    unsafe fn div(self, b: Self) -> Self {
        // SAFETY: see above.
        F64x4(unsafe { _mm256_div_pd(self.0, b.0) })
    }
    #[inline(always)]
    unsafe fn abs(self) -> Self {
        // SAFETY: see above.
        F64x4(unsafe { _mm256_andnot_pd(_mm256_set1_pd(-0.0), self.0) })
    }
    #[inline(always)]
    unsafe fn and(self, mask: Self) -> Self {
        // SAFETY: see above.
        F64x4(unsafe { _mm256_and_pd(self.0, mask.0) })
    }
    #[inline(always)]
    unsafe fn max(self, x: Self) -> Self {
        // The second operand is what comes out where either is NaN.
        // SAFETY: see above.
        F64x4(unsafe { _mm256_max_pd(x.0, self.0) })
    }
    #[inline(always)]
    unsafe fn max_lane(self) -> f64 {
        // SAFETY: see above.
        unsafe {
            let half = _mm_max_pd(_mm256_castpd256_pd128(self.0), _mm256_extractf128_pd::<1>(self.0));
            _mm_cvtsd_f64(_mm_max_pd(half, _mm_unpackhi_pd(half, half)))
        }
    }
    #[inline(always)]
    unsafe fn eq_mask(self, x: Self) -> u32 {
        // SAFETY: see above.
        unsafe { _mm256_movemask_pd(_mm256_cmp_pd::<_CMP_EQ_OQ>(self.0, x.0)) as u32 }
    }
    #[inline(always)]
    unsafe fn broadcast_lane(self, lane: usize) -> Self {
        // SAFETY: see above.
        unsafe {
            let pair = _mm256_set1_epi64x((2 * lane as i64) | (2 * lane as i64 + 1) << 32);
            F64x4(_mm256_castps_pd(_mm256_permutevar8x32_ps(_mm256_castpd_ps(self.0), pair)))
        }
    }
    #[inline(always)]
    unsafe fn select_prefix(self, count: usize, rest: Self) -> Self {
        debug_assert!(count <= 4);
        // SAFETY: see above; the mask lies in its table since count <= 4.
        unsafe {
            let mask = _mm256_loadu_pd(MASK64.as_ptr().add(4 - count).cast());
            F64x4(_mm256_blendv_pd(rest.0, self.0, mask))
        }
    }
    #[inline(always)]
    unsafe fn prefetch(at: *const f64) {
        // SAFETY: see above; a prefetch cannot fault.
        unsafe { _mm_prefetch::<_MM_HINT_T0>(at.cast()) }
    }
}

impl Vector for F32x8 {
    type T = f32;
    const LANES: usize = 8;

    #[inline(always)]
    unsafe fn splat(x: f32) -> Self {
        // SAFETY: see above.
        F32x8(unsafe { _mm256_set1_ps(x) })
    }
    #[inline(always)]
    unsafe fn load(from: *const f32) -> Self {
        // SAFETY: see above.
        F32x8(unsafe { _mm256_loadu_ps(from) })
    }
    #[inline(always)]
    unsafe fn load_partial(from: *const f32, count: usize) -> Self {
        debug_assert!(count <= 8);
        // SAFETY: see above; the mask lies in its table since count <= 8.
        unsafe {
            let mask = _mm256_loadu_si256(MASK32.as_ptr().add(8 - count).cast());
            F32x8(_mm256_maskload_ps(from, mask))
        }
    }
    #[inline(always)]
    unsafe fn store(self, to: *mut f32) {
        // SAFETY: see above.
        unsafe { _mm256_storeu_ps(to, self.0) }
    }
    #[inline(always)]
    unsafe fn store_partial(self, to: *mut f32, count: usize) {
        // As for F64x4.
        // SAFETY: see above; `count` elements are written.
        unsafe {
            if count >= 8 {
                return self.store(to);
            }
            let (mut rest, mut to) = (_mm256_castps256_ps128(self.0), to);
            if count & 4 != 0 {
                _mm_storeu_ps(to, rest);
                (rest, to) = (_mm256_extractf128_ps::<1>(self.0), to.add(4));
            }
            if count & 2 != 0 {
                _mm_storel_epi64(to.cast(), _mm_castps_si128(rest));
                (rest, to) = (_mm_movehl_ps(rest, rest), to.add(2));
            }
            if count & 1 != 0 {
                _mm_store_ss(to, rest);
            }
        }
    }
    #[inline(always)]
    unsafe fn sub_mul(self, a: Self, b: Self) -> Self {
        // SAFETY: see above.
        F32x8(unsafe { _mm256_fnmadd_ps(a.0, b.0, self.0) })
    }
    #[inline(always)]
    unsafe fn mul(self, b: Self) -> Self {
        // SAFETY: see above.
        F32x8(unsafe { _mm256_mul_ps(self.0, b.0) })
    }
    #[inline(always)]
    unsafe fn div(self, b: Self) -> Self {
        // SAFETY: see above.
        F32x8(unsafe { _mm256_div_ps(self.0, b.0) })
    }
    #[inline(always)]
    unsafe fn abs(self) -> Self {
        // SAFETY: see above.
        F32x8(unsafe { _mm256_andnot_ps(_mm256_set1_ps(-0.0), self.0) })
    }
    #[inline(always)]
    unsafe fn and(self, mask: Self) -> Self {
        // SAFETY: see above.
        F32x8(unsafe { _mm256_and_ps(self.0, mask.0) })
    }
    #[inline(always)]
    unsafe fn max(self, x: Self) -> Self {
        // SAFETY: see above, and F64x4 for the order of the operands.
        F32x8(unsafe { _mm256_max_ps(x.0, self.0) })
    }
    #[inline(always)]
    unsafe fn max_lane(self) -> f32 {
        // SAFETY: see above.
        unsafe {
            let four = _mm_max_ps(_mm256_castps256_ps128(self.0), _mm256_extractf128_ps::<1>(self.0));
            let two = _mm_max_ps(four, _mm_movehl_ps(four, four));
            _mm_cvtss_f32(_mm_max_ss(two, _mm_movehdup_ps(two)))
        }
    }
    #[inline(always)]
    unsafe fn eq_mask(self, x: Self) -> u32 {
        // SAFETY: see above.
        unsafe { _mm256_movemask_ps(_mm256_cmp_ps::<_CMP_EQ_OQ>(self.0, x.0)) as u32 }
    }
    #[inline(always)]
    unsafe fn broadcast_lane(self, lane: usize) -> Self {
        // SAFETY: see above.
        F32x8(unsafe { _mm256_permutevar8x32_ps(self.0, _mm256_set1_epi32(lane as i32)) })
    }
    #[inline(always)]
    unsafe fn select_prefix(self, count: usize, rest: Self) -> Self {
        debug_assert!(count <= 8);
        // SAFETY: see above; the mask lies in its table since count <= 8.
        unsafe {
            let mask = _mm256_loadu_ps(MASK32.as_ptr().add(8 - count).cast());
            F32x8(_mm256_blendv_ps(rest.0, self.0, mask))
        }
    }
    #[inline(always)]
    unsafe fn prefetch(at: *const f32) {
        // SAFETY: see above; a prefetch cannot fault.
        unsafe { _mm_prefetch::<_MM_HINT_T0>(at.cast()) }
    }
}
