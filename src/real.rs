//! The two element types, `f64` and `f32`, and the few operations that the factorization is written with.

use byteorder::{ByteOrder, LittleEndian};

use crate::error::Error;
use crate::kernel::{Isa, Kernels};
use crate::protocol::Precision;

mod sealed {
    use super::{Error, Isa, Kernels, Precision, Real};

    /// What keeps the trait to two types, and what of it is of no use outside.
    pub trait Sealed: Sized {
        /// The table of kernels for an instruction set, if this CPU can run it.
        fn kernels(isa: Isa) -> Option<&'static Kernels<Self>>
        where
            Self: Real;

        /// The table of the instruction set in use.
        fn kernels_in_use() -> Result<&'static Kernels<Self>, Error>
        where
            Self: Real,
        {
            Ok(Self::kernels(Isa::in_use()?).expect("an instruction set in use is one that this CPU has"))
        }

        /// What the wire calls this type.
        const PRECISION: Precision;
        /// Turns elements in the order of bytes of the wire into the CPU's, and back: it is its own inverse, and
        /// does nothing on a little-endian CPU.
        fn wire_order(elements: &mut [Self]);
    }
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

    /// All bits but the sign.
    const MAGNITUDE: Self;

    /// The bits of `self` that are set in `mask`.
    #[must_use]
    fn and(self, mask: Self) -> Self;
    /// The magnitude of `self` with the sign of `sign`.
    #[must_use]
    fn with_sign_of(self, sign: Self) -> Self;
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
}

macro_rules! real {
    ($t:ident, $precision:ident, $swap:ident) => {
        impl sealed::Sealed for $t {
            const PRECISION: Precision = Precision::$precision;

            fn kernels(isa: Isa) -> Option<&'static Kernels<$t>> {
                crate::kernel::table::$t(isa)
            }
            fn wire_order(elements: &mut [$t]) {
                LittleEndian::$swap(elements);
            }
        }

        impl Real for $t {
            const ZERO: Self = 0.0;
            const ONE: Self = 1.0;
            const SAFE_MIN: Self = $t::MIN_POSITIVE;
            const MAGNITUDE: Self = $t::from_bits(!$t::to_bits(-0.0));

            #[inline(always)]
            fn and(self, mask: Self) -> Self {
                $t::from_bits(self.to_bits() & mask.to_bits())
            }

            #[inline(always)]
            fn with_sign_of(self, sign: Self) -> Self {
                self.copysign(sign)
            }
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
        }
    };
}

real!(f32, Single, from_slice_f32);
real!(f64, Double, from_slice_f64);
