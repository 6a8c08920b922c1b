//! Vectors of 256 bits, 4 f64 or 8 f32, for x86-64 with AVX2 and FMA: nearly every such CPU since 2015.

use std::arch::x86_64::*;

use crate::kernel::lanes::Lanes;
use crate::kernel::vector::Vector;

#[derive(Clone, Copy)]
pub(in crate::kernel) struct F64x4(__m256d);

#[derive(Clone, Copy)]
pub(in crate::kernel) struct F32x8(__m256);

/// All bits set, then none: a mask of the first `count` of N lanes starts N - count lanes before the middle.
static MASK64: [i64; 8] = [-1, -1, -1, -1, 0, 0, 0, 0];
static MASK32: [i32; 16] = [-1, -1, -1, -1, -1, -1, -1, -1, 0, 0, 0, 0, 0, 0, 0, 0];

/// A vector type from the intrinsics for its elements, and from the functions below where there is no single one.
macro_rules! vector {
    (
        $v:ident: $lanes:literal $t:ident,
        splat: $splat:ident,
        load: $load:ident,
        load_partial: $maskload:ident,
        store: $store:ident,
        store_partial: $store_partial:ident,
        sub_mul: $fnmadd:ident,
        mul: $mul:ident,
        div: $div:ident,
        abs: $andnot:ident,
        and: $and:ident,
        max: $max:ident,
        max_lane: $max_lane:ident,
        eq_mask: $cmp:ident $movemask:ident,
        broadcast_lane: $broadcast_lane:ident,
        select_prefix: $blendv:ident,
        masks: $masks:ident,
    ) => {
        impl Vector for $v {
            type T = $t;
            const LANES: usize = $lanes;

            #[inline(always)]
            unsafe fn splat(x: $t) -> Self {
                // SAFETY: the CPU has AVX (the trait's contract).
                $v(unsafe { $splat(x) })
            }
            #[inline(always)]
            unsafe fn load(from: *const $t) -> Self {
                // SAFETY: the CPU has AVX (the trait's contract); the caller vouches for LANES elements at `from`.
                $v(unsafe { $load(from) })
            }
            #[inline(always)]
            unsafe fn load_partial(from: *const $t, count: usize) -> Self {
                debug_assert!(count <= $lanes);
                // SAFETY: the CPU has AVX (the trait's contract); LANES masks start at LANES - count of 2 * LANES, and
                // lanes whose mask is clear are not read.
                unsafe {
                    let mask = _mm256_loadu_si256($masks.as_ptr().add($lanes - count).cast());
                    $v($maskload(from, mask))
                }
            }
            #[inline(always)]
            unsafe fn store(self, to: *mut $t) {
                // SAFETY: the CPU has AVX (the trait's contract); the caller vouches for LANES elements at `to`.
                unsafe { $store(to, self.0) }
            }
            #[inline(always)]
            unsafe fn store_partial(self, to: *mut $t, count: usize) {
                // SAFETY: the CPU has AVX (the trait's contract); the caller vouches for `count` elements at `to`.
                unsafe { $store_partial(self.0, to, count) }
            }
            #[inline(always)]
            unsafe fn sub_mul(self, a: Self, b: Self) -> Self {
                // SAFETY: the CPU has FMA (the trait's contract).
                $v(unsafe { $fnmadd(a.0, b.0, self.0) })
            }
            #[inline(always)]
            unsafe fn mul(self, b: Self) -> Self {
                // SAFETY: the CPU has AVX (the trait's contract).
                $v(unsafe { $mul(self.0, b.0) })
            }
            #[inline(always)]
            unsafe fn div(self, b: Self) -> Self {
                // SAFETY: the CPU has AVX (the trait's contract).
                $v(unsafe { $div(self.0, b.0) })
            }
            #[inline(always)]
            unsafe fn abs(self) -> Self {
                // SAFETY: the CPU has AVX (the trait's contract).
                $v(unsafe { $andnot($splat(-0.0), self.0) })
            }
            #[inline(always)]
            unsafe fn and(self, mask: Self) -> Self {
                // SAFETY: the CPU has AVX (the trait's contract).
                $v(unsafe { $and(self.0, mask.0) })
            }
            #[inline(always)]
            unsafe fn max(self, x: Self) -> Self {
                // If one operand is NaN, the instruction returns the second.
                // SAFETY: the CPU has AVX (the trait's contract).
                $v(unsafe { $max(x.0, self.0) })
            }
            #[inline(always)]
            unsafe fn max_lane(self) -> $t {
                // SAFETY: the CPU has AVX (the trait's contract).
                unsafe { $max_lane(self.0) }
            }
            #[inline(always)]
            unsafe fn eq_mask(self, x: Self) -> u32 {
                // SAFETY: the CPU has AVX (the trait's contract).
                unsafe { $movemask($cmp::<_CMP_EQ_OQ>(self.0, x.0)) as u32 }
            }
            #[inline(always)]
            unsafe fn broadcast_lane(self, lane: usize) -> Self {
                // SAFETY: the CPU has AVX2 (the trait's contract).
                $v(unsafe { $broadcast_lane(self.0, lane) })
            }
            #[inline(always)]
            unsafe fn select_prefix(self, count: usize, rest: Self) -> Self {
                debug_assert!(count <= $lanes);
                // SAFETY: the CPU has AVX (the trait's contract); LANES masks start at LANES - count of 2 * LANES.
                unsafe {
                    let mask = $load($masks.as_ptr().add($lanes - count).cast());
                    $v($blendv(rest.0, self.0, mask))
                }
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
    F64x4: 4 f64,
    splat: _mm256_set1_pd,
    load: _mm256_loadu_pd,
    load_partial: _mm256_maskload_pd,
    store: _mm256_storeu_pd,
    store_partial: store_partial_pd,
    sub_mul: _mm256_fnmadd_pd,
    mul: _mm256_mul_pd,
    div: _mm256_div_pd,
    abs: _mm256_andnot_pd,
    and: _mm256_and_pd,
    max: _mm256_max_pd,
    max_lane: max_lane_pd,
    eq_mask: _mm256_cmp_pd _mm256_movemask_pd,
    broadcast_lane: broadcast_lane_pd,
    select_prefix: _mm256_blendv_pd,
    masks: MASK64,
}

vector! {
    F32x8: 8 f32,
    splat: _mm256_set1_ps,
    load: _mm256_loadu_ps,
    load_partial: _mm256_maskload_ps,
    store: _mm256_storeu_ps,
    store_partial: store_partial_ps,
    sub_mul: _mm256_fnmadd_ps,
    mul: _mm256_mul_ps,
    div: _mm256_div_ps,
    abs: _mm256_andnot_ps,
    and: _mm256_and_ps,
    max: _mm256_max_ps,
    max_lane: max_lane_ps,
    eq_mask: _mm256_cmp_ps _mm256_movemask_ps,
    broadcast_lane: broadcast_lane_ps,
    select_prefix: _mm256_blendv_ps,
    masks: MASK32,
}

/// The first `count` lanes to memory, by narrower stores: masked stores are slow on AMD's CPUs.
///
/// # Safety
/// - The CPU has AVX.
/// - `to` is valid for writes of `count` elements, or of 4 if `count` is larger.
#[inline(always)]
unsafe fn store_partial_pd(x: __m256d, to: *mut f64, count: usize) {
    // SAFETY: the caller's CPU has AVX; the stores take the `count` elements at `to` in order: 4, or first 2, then 1.
    unsafe {
        if count >= 4 {
            return _mm256_storeu_pd(to, x);
        }
        let (mut rest, mut to) = (_mm256_castpd256_pd128(x), to);
        if count & 2 != 0 {
            _mm_storeu_pd(to, rest);
            (rest, to) = (_mm256_extractf128_pd::<1>(x), to.add(2));
        }
        if count & 1 != 0 {
            _mm_store_sd(to, rest);
        }
    }
}

/// The first `count` lanes to memory, as [`store_partial_pd`] does it.
///
/// # Safety
/// - The CPU has AVX.
/// - `to` is valid for writes of `count` elements, or of 8 if `count` is larger.
#[inline(always)]
unsafe fn store_partial_ps(x: __m256, to: *mut f32, count: usize) {
    // SAFETY: the caller's CPU has AVX; the stores take the `count` elements at `to` in order: 8, or first 4, then 2,
    // then 1.
    unsafe {
        if count >= 8 {
            return _mm256_storeu_ps(to, x);
        }
        let (mut rest, mut to) = (_mm256_castps256_ps128(x), to);
        if count & 4 != 0 {
            _mm_storeu_ps(to, rest);
            (rest, to) = (_mm256_extractf128_ps::<1>(x), to.add(4));
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

/// # Safety
/// - The CPU has AVX.
#[inline(always)]
unsafe fn max_lane_pd(x: __m256d) -> f64 {
    // SAFETY: the caller's CPU has AVX.
    unsafe {
        let two = _mm_max_pd(_mm256_castpd256_pd128(x), _mm256_extractf128_pd::<1>(x));
        _mm_cvtsd_f64(_mm_max_pd(two, _mm_unpackhi_pd(two, two)))
    }
}

/// # Safety
/// - The CPU has AVX.
#[inline(always)]
unsafe fn max_lane_ps(x: __m256) -> f32 {
    // SAFETY: the caller's CPU has AVX.
    unsafe {
        let four = _mm_max_ps(_mm256_castps256_ps128(x), _mm256_extractf128_ps::<1>(x));
        let two = _mm_max_ps(four, _mm_movehl_ps(four, four));
        _mm_cvtss_f32(_mm_max_ss(two, _mm_movehdup_ps(two)))
    }
}

/// A lane that is not known at compile time, as two halves: AVX2 permutes lanes of 32 bits only.
///
/// # Safety
/// - The CPU has AVX2.
#[inline(always)]
unsafe fn broadcast_lane_pd(x: __m256d, lane: usize) -> __m256d {
    // SAFETY: the caller's CPU has AVX2.
    unsafe {
        let halves = _mm256_set1_epi64x((2 * lane as i64) | (2 * lane as i64 + 1) << 32);
        _mm256_castps_pd(_mm256_permutevar8x32_ps(_mm256_castpd_ps(x), halves))
    }
}

/// # Safety
/// - The CPU has AVX2.
#[inline(always)]
unsafe fn broadcast_lane_ps(x: __m256, lane: usize) -> __m256 {
    // SAFETY: the caller's CPU has AVX2.
    unsafe { _mm256_permutevar8x32_ps(x, _mm256_set1_epi32(lane as i32)) }
}

/// A mask is a register with all bits of a lane set, or none.
macro_rules! lanes {
    (
        $v:ident: $register:ident,
        cmp: $cmp:ident,
        bits: $and:ident $or:ident,
        any: $movemask:ident,
        select: $blendv:ident,
        sign: $set1:ident,
        store_indices: $to_i32:ident $store:ident,
        transpose: $transpose:ident,
    ) => {
        impl Lanes for $v {
            type Mask = $register;

            #[inline(always)]
            unsafe fn equals(self, x: Self) -> $register {
                // SAFETY: the CPU has AVX (the trait's contract).
                unsafe { $cmp::<_CMP_EQ_OQ>(self.0, x.0) }
            }
            #[inline(always)]
            unsafe fn is_less(self, x: Self) -> $register {
                // SAFETY: the CPU has AVX (the trait's contract).
                unsafe { $cmp::<_CMP_LT_OQ>(self.0, x.0) }
            }
            #[inline(always)]
            unsafe fn both(a: $register, b: $register) -> $register {
                // SAFETY: the CPU has AVX (the trait's contract).
                unsafe { $and(a, b) }
            }
            #[inline(always)]
            unsafe fn any(mask: $register) -> bool {
                // SAFETY: the CPU has AVX (the trait's contract).
                unsafe { $movemask(mask) != 0 }
            }
            #[inline(always)]
            unsafe fn select(mask: $register, yes: Self, no: Self) -> Self {
                // SAFETY: the CPU has AVX (the trait's contract).
                $v(unsafe { $blendv(no.0, yes.0, mask) })
            }
            #[inline(always)]
            unsafe fn with_sign(self, sign: Self) -> Self {
                // SAFETY: the CPU has AVX (the trait's contract).
                $v(unsafe { $or(self.0, $and(sign.0, $set1(-0.0))) })
            }
            #[inline(always)]
            unsafe fn store_indices(self, to: *mut i32) {
                // SAFETY: the CPU has AVX (the trait's contract); the caller vouches for LANES elements at `to`.
                unsafe { $store(to.cast(), $to_i32(self.0)) }
            }
            #[inline(always)]
            unsafe fn transpose(block: *mut Self) {
                // SAFETY: the CPU has AVX (the trait's contract); the caller vouches for LANES registers.
                unsafe { $transpose(&mut *block.cast()) }
            }
        }
    };
}

lanes! {
    F64x4: __m256d,
    cmp: _mm256_cmp_pd,
    bits: _mm256_and_pd _mm256_or_pd,
    any: _mm256_movemask_pd,
    select: _mm256_blendv_pd,
    sign: _mm256_set1_pd,
    store_indices: _mm256_cvttpd_epi32 _mm_storeu_si128,
    transpose: transpose_pd,
}

lanes! {
    F32x8: __m256,
    cmp: _mm256_cmp_ps,
    bits: _mm256_and_ps _mm256_or_ps,
    any: _mm256_movemask_ps,
    select: _mm256_blendv_ps,
    sign: _mm256_set1_ps,
    store_indices: _mm256_cvttps_epi32 _mm256_storeu_si256,
    transpose: transpose_ps,
}

/// # Safety
/// - The CPU has AVX.
#[inline(always)]
unsafe fn transpose_pd(x: &mut [F64x4; 4]) {
    let [a, b, c, d] = [x[0].0, x[1].0, x[2].0, x[3].0];
    // SAFETY: the caller's CPU has AVX.
    unsafe {
        // Pairs of rows in each half, then halves.
        let (ab0, ab1) = (_mm256_unpacklo_pd(a, b), _mm256_unpackhi_pd(a, b));
        let (cd0, cd1) = (_mm256_unpacklo_pd(c, d), _mm256_unpackhi_pd(c, d));
        x[0].0 = _mm256_permute2f128_pd::<0x20>(ab0, cd0);
        x[1].0 = _mm256_permute2f128_pd::<0x20>(ab1, cd1);
        x[2].0 = _mm256_permute2f128_pd::<0x31>(ab0, cd0);
        x[3].0 = _mm256_permute2f128_pd::<0x31>(ab1, cd1);
    }
}

/// # Safety
/// - The CPU has AVX.
#[inline(always)]
unsafe fn transpose_ps(x: &mut [F32x8; 8]) {
    // SAFETY: the caller's CPU has AVX.
    unsafe {
        let (low, high) = (quads([x[0], x[1], x[2], x[3]]), quads([x[4], x[5], x[6], x[7]]));
        x[0].0 = _mm256_permute2f128_ps::<0x20>(low[0], high[0]);
        x[1].0 = _mm256_permute2f128_ps::<0x20>(low[1], high[1]);
        x[2].0 = _mm256_permute2f128_ps::<0x20>(low[2], high[2]);
        x[3].0 = _mm256_permute2f128_ps::<0x20>(low[3], high[3]);
        x[4].0 = _mm256_permute2f128_ps::<0x31>(low[0], high[0]);
        x[5].0 = _mm256_permute2f128_ps::<0x31>(low[1], high[1]);
        x[6].0 = _mm256_permute2f128_ps::<0x31>(low[2], high[2]);
        x[7].0 = _mm256_permute2f128_ps::<0x31>(low[3], high[3]);
    }
}

/// Transposes the 4 x 4 elements in each half of four registers.
///
/// # Safety
/// - The CPU has AVX.
#[inline(always)]
unsafe fn quads([a, b, c, d]: [F32x8; 4]) -> [__m256; 4] {
    // SAFETY: the caller's CPU has AVX.
    unsafe {
        let (ab0, ab1) = (_mm256_unpacklo_ps(a.0, b.0), _mm256_unpackhi_ps(a.0, b.0));
        let (cd0, cd1) = (_mm256_unpacklo_ps(c.0, d.0), _mm256_unpackhi_ps(c.0, d.0));
        [
            _mm256_shuffle_ps::<0x44>(ab0, cd0),
            _mm256_shuffle_ps::<0xee>(ab0, cd0),
            _mm256_shuffle_ps::<0x44>(ab1, cd1),
            _mm256_shuffle_ps::<0xee>(ab1, cd1),
        ]
    }
}
