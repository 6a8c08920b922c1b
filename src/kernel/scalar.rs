//! The arithmetic that the kernels are written in, for one real number: so that each kernel stands once for f32 and f64.

use std::fmt::Debug;

use bytemuck::Pod;

/// A real number, `f64` or `f32`, and the operations that a factorization needs.
///
/// All methods are `#[inline(always)]`, so that they are compiled for the instruction set of the function that they
/// end up in: `mul_add` is one instruction there.
pub trait Scalar: Pod + PartialOrd + Debug + Default + Send + Sync {
    /// Zero.
    const ZERO: Self;
    /// One.
    const ONE: Self;
    /// The smallest normal number. Its reciprocal is finite; that of a smaller number may not be
    /// (LAPACK: `DLAMCH('S')`).
    const SAFE_MIN: Self;
    /// The distance from 1 to the next larger number (LAPACK: `DLAMCH('P')`).
    const PRECISION: Self;
    /// All bits but the sign.
    const MAGNITUDE_MASK: Self;
    /// The first whole numbers: rows of small matrices.
    const INDICES: [Self; 32];

    /// The bits of `self` that are set in `mask`.
    #[must_use]
    fn and(self, mask: Self) -> Self;
    /// The magnitude of `self` with the sign of `sign`.
    #[must_use]
    fn copysign(self, sign: Self) -> Self;
    /// `self * b + c`, rounded once.
    #[must_use]
    fn mul_add(self, b: Self, c: Self) -> Self;
    /// `|self|`.
    #[must_use]
    fn abs(self) -> Self;
    /// `-self`.
    #[must_use]
    fn neg(self) -> Self;
    /// `self + b`.
    #[must_use]
    fn add(self, b: Self) -> Self;
    /// `self - b`.
    #[must_use]
    fn sub(self, b: Self) -> Self;
    /// `self * b`.
    #[must_use]
    fn mul(self, b: Self) -> Self;
    /// `self / b`.
    #[must_use]
    fn div(self, b: Self) -> Self;
    /// The number in double precision.
    #[must_use]
    fn to_f64(self) -> f64;
    /// The nearest number of this type.
    #[must_use]
    fn rounded(x: f64) -> Self;
}

macro_rules! scalar {
    ($t:ident) => {
        impl Scalar for $t {
            const ZERO: Self = 0.0;
            const ONE: Self = 1.0;
            const SAFE_MIN: Self = $t::MIN_POSITIVE;
            const PRECISION: Self = $t::EPSILON;
            const MAGNITUDE_MASK: Self = $t::from_bits(!$t::to_bits(-0.0));
            const INDICES: [Self; 32] = {
                let (mut indices, mut i) = ([0.0; 32], 0);
                while i < 32 {
                    indices[i] = i as $t;
                    i += 1;
                }
                indices
            };

            #[inline(always)]
            fn and(self, mask: Self) -> Self {
                $t::from_bits(self.to_bits() & mask.to_bits())
            }
            #[inline(always)]
            fn copysign(self, sign: Self) -> Self {
                $t::copysign(self, sign)
            }
            #[inline(always)]
            fn mul_add(self, b: Self, c: Self) -> Self {
                $t::mul_add(self, b, c)
            }
            #[inline(always)]
            fn abs(self) -> Self {
                $t::abs(self)
            }
            #[inline(always)]
            fn neg(self) -> Self {
                -self
            }
            #[inline(always)]
            fn add(self, b: Self) -> Self {
                self + b
            }
            #[inline(always)]
            fn sub(self, b: Self) -> Self {
                self - b
            }
            #[inline(always)]
            fn mul(self, b: Self) -> Self {
                self * b
            }
            #[inline(always)]
            fn div(self, b: Self) -> Self {
                self / b
            }
            #[inline(always)]
            fn to_f64(self) -> f64 {
                f64::from(self)
            }
            #[inline(always)]
            fn rounded(x: f64) -> Self {
                x as $t
            }
        }
    };
}

scalar!(f32);
scalar!(f64);
