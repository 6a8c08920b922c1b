//! The element types of a matrix, and which kernels they have.

use crate::error::Error;
use crate::kernel::{Isa, Kernels, Scalar, f32_table, f64_table};

mod sealed {
    use super::{Isa, Kernels, Scalar};

    /// What keeps the trait to the types that there are kernels for.
    pub trait Sealed: Scalar {
        /// The table of kernels for an instruction set, if this CPU can run it.
        fn kernels(isa: Isa) -> Option<&'static Kernels<Self>>;
    }
}

/// An element of a matrix: `f64` or `f32`.
///
/// The trait is sealed: the wire, the kernels and the guarantee of equal bits are made for these two types.
pub trait Element: sealed::Sealed + nalgebra::Scalar {}

impl sealed::Sealed for f32 {
    fn kernels(isa: Isa) -> Option<&'static Kernels<f32>> {
        f32_table(isa)
    }
}

impl sealed::Sealed for f64 {
    fn kernels(isa: Isa) -> Option<&'static Kernels<f64>> {
        f64_table(isa)
    }
}

impl Element for f32 {}
impl Element for f64 {}

/// The table of an instruction set.
///
/// # Errors
/// [`Error::IsaUnavailable`] if this CPU lacks it.
pub(crate) fn kernels<T: Element>(isa: Isa) -> Result<&'static Kernels<T>, Error> {
    T::kernels(isa).ok_or_else(|| Error::IsaUnavailable { isa, available: Isa::available() })
}
