//! Vectors for any CPU: arrays, which the compiler turns into whatever registers its baseline has. They are what runs if
//! there is no better instruction set, and what the others are compared with.
//!
//! If the baseline has no fused multiply-add (x86-64's has none), each one is a call of the C library's `fma`: exact, and
//! slow.

use std::array::from_fn;

use crate::kernel::lanes::Lanes;
use crate::kernel::scalar::Scalar;
use crate::kernel::vector::Vector;

/// `N` elements.
#[derive(Clone, Copy)]
pub(in crate::kernel) struct Array<T, const N: usize>([T; N]);

impl<T: Scalar, const N: usize> Vector for Array<T, N> {
    type T = T;
    const LANES: usize = N;

    #[inline(always)]
    unsafe fn splat(x: T) -> Self {
        Array([x; N])
    }
    #[inline(always)]
    unsafe fn load(from: *const T) -> Self {
        // SAFETY: the caller vouches for N elements at `from`.
        Array(unsafe { from.cast::<[T; N]>().read_unaligned() })
    }
    #[inline(always)]
    unsafe fn load_partial(from: *const T, count: usize) -> Self {
        // SAFETY: the caller vouches for `count` elements at `from`, and i < count.
        Array(from_fn(|i| if i < count { unsafe { *from.add(i) } } else { T::ZERO }))
    }
    #[inline(always)]
    unsafe fn store(self, to: *mut T) {
        // SAFETY: the caller vouches for N elements at `to`.
        unsafe { to.cast::<[T; N]>().write_unaligned(self.0) }
    }
    #[inline(always)]
    unsafe fn store_partial(self, to: *mut T, count: usize) {
        for (i, &x) in self.0.iter().enumerate().take(count) {
            // SAFETY: the caller vouches for `count` elements at `to`, and i < count.
            unsafe { *to.add(i) = x };
        }
    }
    #[inline(always)]
    unsafe fn sub_mul(self, a: Self, b: Self) -> Self {
        Array(from_fn(|i| a.0[i].neg().mul_add(b.0[i], self.0[i])))
    }
    #[inline(always)]
    unsafe fn add(self, b: Self) -> Self {
        Array(from_fn(|i| self.0[i].add(b.0[i])))
    }
    #[inline(always)]
    unsafe fn sub(self, b: Self) -> Self {
        Array(from_fn(|i| self.0[i].sub(b.0[i])))
    }
    #[inline(always)]
    unsafe fn mul(self, b: Self) -> Self {
        Array(from_fn(|i| self.0[i].mul(b.0[i])))
    }
    #[inline(always)]
    unsafe fn div(self, b: Self) -> Self {
        Array(from_fn(|i| self.0[i].div(b.0[i])))
    }
    #[inline(always)]
    unsafe fn abs(self) -> Self {
        Array(self.0.map(Scalar::abs))
    }
    #[inline(always)]
    unsafe fn and(self, mask: Self) -> Self {
        Array(from_fn(|i| self.0[i].and(mask.0[i])))
    }
    #[inline(always)]
    unsafe fn max(self, x: Self) -> Self {
        Array(from_fn(|i| if x.0[i] > self.0[i] { x.0[i] } else { self.0[i] }))
    }
    #[inline(always)]
    unsafe fn max_lane(self) -> T {
        self.0.into_iter().fold(T::ZERO, |max, x| if x > max { x } else { max })
    }
    #[inline(always)]
    unsafe fn eq_mask(self, x: Self) -> u32 {
        (0..N).fold(0, |mask, i| mask | u32::from(self.0[i] == x.0[i]) << i)
    }
    #[inline(always)]
    unsafe fn broadcast_lane(self, lane: usize) -> Self {
        Array([self.0[lane]; N])
    }
    #[inline(always)]
    unsafe fn select_prefix(self, count: usize, rest: Self) -> Self {
        Array(from_fn(|i| if i < count { self.0[i] } else { rest.0[i] }))
    }
    #[inline(always)]
    unsafe fn select_bits(self, bits: u32, rest: Self) -> Self {
        Array(from_fn(|i| if bits >> i & 1 == 1 { self.0[i] } else { rest.0[i] }))
    }
    #[inline(always)]
    unsafe fn permute(self, rows: u64) -> Self {
        Array(from_fn(|i| self.0[usize::from(rows.to_le_bytes()[i % 8])]))
    }
    #[inline(always)]
    unsafe fn flip_sign(self, sign: Self) -> Self {
        Array(from_fn(|i| if T::ONE.copysign(sign.0[i]) < T::ZERO { self.0[i].neg() } else { self.0[i] }))
    }
    #[inline(always)]
    unsafe fn prefetch(_at: *const T) {}

    #[inline(always)]
    unsafe fn prefetch_to_l2(_at: *const T) {}
}

impl<T: Scalar, const N: usize> Lanes for Array<T, N> {
    type Mask = [bool; N];

    #[inline(always)]
    unsafe fn equals(self, x: Self) -> [bool; N] {
        from_fn(|i| self.0[i] == x.0[i])
    }
    #[inline(always)]
    unsafe fn is_less(self, x: Self) -> [bool; N] {
        from_fn(|i| self.0[i] < x.0[i])
    }
    #[inline(always)]
    unsafe fn both(a: [bool; N], b: [bool; N]) -> [bool; N] {
        from_fn(|i| a[i] && b[i])
    }
    #[inline(always)]
    unsafe fn any(mask: [bool; N]) -> bool {
        mask.contains(&true)
    }
    #[inline(always)]
    unsafe fn select(mask: [bool; N], yes: Self, no: Self) -> Self {
        Array(from_fn(|i| if mask[i] { yes.0[i] } else { no.0[i] }))
    }
    #[inline(always)]
    unsafe fn with_sign(self, sign: Self) -> Self {
        Array(from_fn(|i| self.0[i].copysign(sign.0[i])))
    }
    #[inline(always)]
    unsafe fn store_indices(self, to: *mut i32) {
        for (i, x) in self.0.into_iter().enumerate() {
            // SAFETY: the caller vouches for N elements.
            unsafe { *to.add(i) = x.to_f64() as i32 }
        }
    }
    #[inline(always)]
    unsafe fn transpose(block: *mut Self) {
        // SAFETY: the caller vouches for N registers.
        let block = unsafe { &mut *block.cast::<[Self; N]>() };
        for i in 0..N {
            for j in 0..i {
                let x = block[i].0[j];
                block[i].0[j] = block[j].0[i];
                block[j].0[i] = x;
            }
        }
    }
}

// An x86-64 without AVX2 has no fused multiply-add, and wider vectors would only make the kernels larger.
#[cfg(target_arch = "x86_64")]
pub(in crate::kernel) type F64 = Array<f64, 1>;
#[cfg(target_arch = "x86_64")]
pub(in crate::kernel) type F32 = Array<f32, 1>;
#[cfg(not(target_arch = "x86_64"))]
pub(in crate::kernel) type F64 = Array<f64, 2>;
#[cfg(not(target_arch = "x86_64"))]
pub(in crate::kernel) type F32 = Array<f32, 4>;
