//! Vectors of 256 bits, 4 f64 or 8 f32, for x86-64 with AVX2 and FMA: nearly every such CPU since 2015. A mask is a register
//! with all bits of a lane set, or none.

use std::arch::x86_64::*;

use super::x86::register;

/// All bits set, then none: a mask of the first `count` of N lanes starts N - count lanes before the middle.
static MASK64: [i64; 8] = [-1, -1, -1, -1, 0, 0, 0, 0];
static MASK32: [i32; 16] = [-1, -1, -1, -1, -1, -1, -1, -1, 0, 0, 0, 0, 0, 0, 0, 0];

register! {
    F64x4(__m256d): 4 f64,
    mask: __m256d,
    splat: _mm256_set1_pd,
    load: _mm256_loadu_pd,
    load_partial: |from, count| _mm256_maskload_pd(from, _mm256_loadu_si256(MASK64.as_ptr().add(4 - count).cast())),
    store: _mm256_storeu_pd,
    store_partial: |x, to, count| store_partial_pd(x, to, count),
    sub_mul: _mm256_fnmadd_pd,
    add: _mm256_add_pd,
    sub: _mm256_sub_pd,
    mul: _mm256_mul_pd,
    div: _mm256_div_pd,
    abs: |x| _mm256_andnot_pd(_mm256_set1_pd(-0.0), x),
    and: |x, mask| _mm256_and_pd(x, mask),
    max: _mm256_max_pd,
    max_lane: max_lane_pd,
    eq_mask: |x, y| _mm256_movemask_pd(_mm256_cmp_pd::<_CMP_EQ_OQ>(x, y)) as u32,
    broadcast_lane: |x, lane| broadcast_lane_pd(x, lane),
    select_prefix: |x, count, rest| {
        _mm256_blendv_pd(rest, x, _mm256_loadu_pd(MASK64.as_ptr().add(4 - count).cast()))
    },
    select_bits: |x, bits, rest| {
        let lanes = _mm256_setr_epi64x(1, 2, 4, 8);
        let set = _mm256_cmpeq_epi64(_mm256_and_si256(_mm256_set1_epi64x(bits.into()), lanes), lanes);
        _mm256_blendv_pd(rest, x, _mm256_castsi256_pd(set))
    },
    permute: |x, rows| {
        // A row of 8 bytes is two of 4.
        let even = _mm256_slli_epi64::<1>(_mm256_cvtepu8_epi64(_mm_cvtsi64_si128(rows as i64)));
        let odd = _mm256_slli_epi64::<32>(_mm256_add_epi64(even, _mm256_set1_epi64x(1)));
        let x = _mm256_permutevar8x32_ps(_mm256_castpd_ps(x), _mm256_or_si256(even, odd));
        _mm256_castps_pd(x)
    },
    flip_sign: |x, sign| _mm256_xor_pd(x, _mm256_and_pd(sign, _mm256_set1_pd(-0.0))),
    compare: _mm256_cmp_pd,
    both: |a, b| _mm256_and_pd(a, b),
    any: |mask| _mm256_movemask_pd(mask) != 0,
    select: |mask, yes, no| _mm256_blendv_pd(no, yes, mask),
    with_sign: |x, sign| _mm256_or_pd(x, _mm256_and_pd(sign, _mm256_set1_pd(-0.0))),
    store_indices: _mm256_cvttpd_epi32 _mm_storeu_si128,
    transpose: transpose_pd,
}

register! {
    F32x8(__m256): 8 f32,
    mask: __m256,
    splat: _mm256_set1_ps,
    load: _mm256_loadu_ps,
    load_partial: |from, count| _mm256_maskload_ps(from, _mm256_loadu_si256(MASK32.as_ptr().add(8 - count).cast())),
    store: _mm256_storeu_ps,
    store_partial: |x, to, count| store_partial_ps(x, to, count),
    sub_mul: _mm256_fnmadd_ps,
    add: _mm256_add_ps,
    sub: _mm256_sub_ps,
    mul: _mm256_mul_ps,
    div: _mm256_div_ps,
    abs: |x| _mm256_andnot_ps(_mm256_set1_ps(-0.0), x),
    and: |x, mask| _mm256_and_ps(x, mask),
    max: _mm256_max_ps,
    max_lane: max_lane_ps,
    eq_mask: |x, y| _mm256_movemask_ps(_mm256_cmp_ps::<_CMP_EQ_OQ>(x, y)) as u32,
    broadcast_lane: |x, lane| _mm256_permutevar8x32_ps(x, _mm256_set1_epi32(lane as i32)),
    select_prefix: |x, count, rest| {
        _mm256_blendv_ps(rest, x, _mm256_loadu_ps(MASK32.as_ptr().add(8 - count).cast()))
    },
    select_bits: |x, bits, rest| {
        let lanes = _mm256_setr_epi32(1, 2, 4, 8, 16, 32, 64, 128);
        let set = _mm256_cmpeq_epi32(_mm256_and_si256(_mm256_set1_epi32(bits as i32), lanes), lanes);
        _mm256_blendv_ps(rest, x, _mm256_castsi256_ps(set))
    },
    permute: |x, rows| _mm256_permutevar8x32_ps(x, _mm256_cvtepu8_epi32(_mm_cvtsi64_si128(rows as i64))),
    flip_sign: |x, sign| _mm256_xor_ps(x, _mm256_and_ps(sign, _mm256_set1_ps(-0.0))),
    compare: _mm256_cmp_ps,
    both: |a, b| _mm256_and_ps(a, b),
    any: |mask| _mm256_movemask_ps(mask) != 0,
    select: |mask, yes, no| _mm256_blendv_ps(no, yes, mask),
    with_sign: |x, sign| _mm256_or_ps(x, _mm256_and_ps(sign, _mm256_set1_ps(-0.0))),
    store_indices: _mm256_cvttps_epi32 _mm256_storeu_si256,
    transpose: transpose_ps,
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
