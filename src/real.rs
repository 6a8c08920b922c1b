//! The two element types, `f64` and `f32`, and the few operations that the factorization is written with.

use crate::kernel::{Isa, Kernels};

mod sealed {
    pub trait Sealed {}
    impl Sealed for f32 {}
    impl Sealed for f64 {}
}

/// An element of a matrix: `f64` or `f32`.
///
/// The trait is sealed: the wire, the kernels and the guarantee of equal bits are made for these two types.
pub trait Real: sealed::Sealed + nalgebra::Scalar + bytemuck::Pod + PartialOrd + Default + Send + Sync {
    /// Zero.
    const ZERO: Self;
    /// One.
    const ONE: Self;
    /// The smallest normal number. Its reciprocal is finite; that of a smaller pivot may not be
    /// (LAPACK: `DLAMCH('S')`).
    const SAFE_MIN: Self;
    /// The distance from 1 to the next larger number.
    const EPSILON: Self;

    /// `self * b + c` with one rounding.
    #[must_use]
    fn mul_add(self, b: Self, c: Self) -> Self;
    /// `|self|`.
    #[must_use]
    fn magnitude(self) -> Self;
    /// `-self`.
    #[must_use]
    fn negate(self) -> Self;
    /// `self * b`.
    #[must_use]
    fn times(self, b: Self) -> Self;
    /// `self / b`.
    #[must_use]
    fn over(self, b: Self) -> Self;
    /// The table of kernels for an instruction set, if this CPU can run it.
    fn kernels(isa: Isa) -> Option<&'static Kernels<Self>>;
}

macro_rules! real {
    ($t:ident) => {
        impl Real for $t {
            const ZERO: Self = 0.0;
            const ONE: Self = 1.0;
            const SAFE_MIN: Self = $t::MIN_POSITIVE;
            const EPSILON: Self = $t::EPSILON;

            #[inline(always)]
            fn mul_add(self, b: Self, c: Self) -> Self {
                $t::mul_add(self, b, c)
            }
            #[inline(always)]
            fn magnitude(self) -> Self {
                self.abs()
            }
            #[inline(always)]
            fn negate(self) -> Self {
                -self
            }
            #[inline(always)]
            fn times(self, b: Self) -> Self {
                self * b
            }
            #[inline(always)]
            fn over(self, b: Self) -> Self {
                self / b
            }
            fn kernels(isa: Isa) -> Option<&'static Kernels<Self>> {
                crate::kernel::table::$t(isa)
            }
        }
    };
}

real!(f32);
real!(f64);
