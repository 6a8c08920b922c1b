//! Vectors of 512 bits, 8 f64 or 16 f32, for x86-64 with AVX-512F: twice as wide as AVX2's, twice as many registers, and
//! masks for the edges of a matrix. A mask is a bit for each lane.

use std::arch::x86_64::*;

use super::x86::register;

/// A mask of the first `count <= 16` lanes.
#[inline(always)]
fn prefix(count: usize) -> u32 {
    (1 << count) - 1
}

// Bits are those of integers: AVX-512F alone has no such operations on floating point.
register! {
    F64x8(__m512d): 8 f64,
    mask: __mmask8,
    splat: _mm512_set1_pd,
    load: _mm512_loadu_pd,
    load_partial: |from, count| _mm512_maskz_loadu_pd(prefix(count) as __mmask8, from),
    store: _mm512_storeu_pd,
    store_partial: |x, to, count| _mm512_mask_storeu_pd(to, prefix(count) as __mmask8, x),
    sub_mul: _mm512_fnmadd_pd,
    add: _mm512_add_pd,
    sub: _mm512_sub_pd,
    mul: _mm512_mul_pd,
    div: _mm512_div_pd,
    abs: |x| _mm512_abs_pd(x),
    and: |x, mask| _mm512_castsi512_pd(_mm512_and_si512(_mm512_castpd_si512(x), _mm512_castpd_si512(mask))),
    max: _mm512_max_pd,
    max_lane: _mm512_reduce_max_pd,
    eq_mask: |x, y| u32::from(_mm512_cmp_pd_mask::<_CMP_EQ_OQ>(x, y)),
    broadcast_lane: |x, lane| _mm512_permutexvar_pd(_mm512_set1_epi64(lane as i64), x),
    select_prefix: |x, count, rest| _mm512_mask_mov_pd(rest, prefix(count) as __mmask8, x),
    select_bits: |x, bits, rest| _mm512_mask_mov_pd(rest, bits as __mmask8, x),
    permute: |x, rows| _mm512_permutexvar_pd(_mm512_cvtepu8_epi64(_mm_cvtsi64_si128(rows as i64)), x),
    flip_sign: |x, sign| {
        let sign = _mm512_and_si512(_mm512_castpd_si512(sign), _mm512_castpd_si512(_mm512_set1_pd(-0.0)));
        _mm512_castsi512_pd(_mm512_xor_si512(_mm512_castpd_si512(x), sign))
    },
    compare: _mm512_cmp_pd_mask,
    both: |a, b| a & b,
    any: |mask| mask != 0,
    select: |mask, yes, no| _mm512_mask_blend_pd(mask, no, yes),
    with_sign: |x, sign| {
        let sign = _mm512_and_si512(_mm512_castpd_si512(sign), _mm512_castpd_si512(_mm512_set1_pd(-0.0)));
        _mm512_castsi512_pd(_mm512_or_si512(_mm512_castpd_si512(x), sign))
    },
    store_indices: _mm512_cvttpd_epi32 _mm256_storeu_si256,
    transpose: transpose_pd,
}

register! {
    F32x16(__m512): 16 f32,
    mask: __mmask16,
    splat: _mm512_set1_ps,
    load: _mm512_loadu_ps,
    load_partial: |from, count| _mm512_maskz_loadu_ps(prefix(count) as __mmask16, from),
    store: _mm512_storeu_ps,
    store_partial: |x, to, count| _mm512_mask_storeu_ps(to, prefix(count) as __mmask16, x),
    sub_mul: _mm512_fnmadd_ps,
    add: _mm512_add_ps,
    sub: _mm512_sub_ps,
    mul: _mm512_mul_ps,
    div: _mm512_div_ps,
    abs: |x| _mm512_abs_ps(x),
    and: |x, mask| _mm512_castsi512_ps(_mm512_and_si512(_mm512_castps_si512(x), _mm512_castps_si512(mask))),
    max: _mm512_max_ps,
    max_lane: _mm512_reduce_max_ps,
    eq_mask: |x, y| u32::from(_mm512_cmp_ps_mask::<_CMP_EQ_OQ>(x, y)),
    broadcast_lane: |x, lane| _mm512_permutexvar_ps(_mm512_set1_epi32(lane as i32), x),
    select_prefix: |x, count, rest| _mm512_mask_mov_ps(rest, prefix(count) as __mmask16, x),
    select_bits: |x, bits, rest| _mm512_mask_mov_ps(rest, bits as __mmask16, x),
    permute: |x, rows| _mm512_permutexvar_ps(_mm512_cvtepu8_epi32(_mm_cvtsi64_si128(rows as i64)), x),
    flip_sign: |x, sign| {
        let sign = _mm512_and_si512(_mm512_castps_si512(sign), _mm512_castps_si512(_mm512_set1_ps(-0.0)));
        _mm512_castsi512_ps(_mm512_xor_si512(_mm512_castps_si512(x), sign))
    },
    compare: _mm512_cmp_ps_mask,
    both: |a, b| a & b,
    any: |mask| mask != 0,
    select: |mask, yes, no| _mm512_mask_blend_ps(mask, no, yes),
    with_sign: |x, sign| {
        let sign = _mm512_and_si512(_mm512_castps_si512(sign), _mm512_castps_si512(_mm512_set1_ps(-0.0)));
        _mm512_castsi512_ps(_mm512_or_si512(_mm512_castps_si512(x), sign))
    },
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
