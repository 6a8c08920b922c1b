//! The element types, each with ScaLAPACK's functions for it.

use recfact::Element;
use recfact::files::FileElement;
use recfact::protocol::WireElement;

use crate::failure::Failure;
use crate::libraries::{Libraries, functions};
use crate::team::Int;

functions! {
    /// ScaLAPACK and PBLAS for one element type, and sums and maxima over all ranks. A matrix is an array, the row and the column
    /// where the part of it begins that is meant (counted from 1), and its descriptor.
    Routines<T>:
    // m, n, A, ipiv, info
    getrf(*const Int, *const Int, *mut T, *const Int, *const Int, *const Int, *mut Int, *mut Int);
    // trans, n, nrhs, A, ipiv, B, info
    getrs(*const u8, *const Int, *const Int, *const T, *const Int, *const Int, *const Int, *mut Int, *mut T, *const Int, *const Int, *const Int, *mut Int, usize);
    // direction, rows or columns, n, A, k1, k2, ipiv
    laswp(*const u8, *const u8, *const Int, *mut T, *const Int, *const Int, *const Int, *const Int, *const Int, *const Int, usize, usize);
    // side, uplo, trans, diag, m, n, alpha, A, B
    trsm(*const u8, *const u8, *const u8, *const u8, *const Int, *const Int, *const T, *const T, *const Int, *const Int, *const Int, *mut T, *const Int, *const Int, *const Int, usize, usize, usize, usize);
    // transa, transb, m, n, k, alpha, A, B, beta, C
    gemm(*const u8, *const u8, *const Int, *const Int, *const Int, *const T, *const T, *const Int, *const Int, *const Int, *const T, *const Int, *const Int, *const Int, *const T, *mut T, *const Int, *const Int, *const Int, usize, usize);
    // m, n, A, B, a context of all ranks
    gemr2d(*const Int, *const Int, *const T, *const Int, *const Int, *const Int, *mut T, *const Int, *const Int, *const Int, *const Int);
    // context, scope, topology, m, n, A, lda, row and column of the rank that gets it
    gsum2d(*const Int, *const u8, *const u8, *const Int, *const Int, *mut T, *const Int, *const Int, *const Int, usize, usize);
}

/// What a file has: an element of a matrix, or a row swap.
pub trait Stored: bytemuck::Pod {
    /// The type, as NumPy spells it.
    const DTYPE: &'static str;

    /// Converts elements from the byte order of the file to that of the CPU.
    fn from_file(elements: &mut [Self]);
}

/// An element type of ScaLAPACK.
pub trait Scalar: Element + FileElement + Stored + Default + PartialOrd {
    /// The letter with which its functions begin.
    const LETTER: char;
}

macro_rules! scalar {
    ($type:ident, $letter:literal, $dtype:literal) => {
        impl Stored for $type {
            const DTYPE: &'static str = $dtype;

            fn from_file(elements: &mut [Self]) {
                WireElement::wire_order(elements);
            }
        }

        impl Scalar for $type {
            const LETTER: char = $letter;
        }
    };
}

scalar!(f64, 'd', "<f8");
scalar!(f32, 's', "<f4");

/// A row swap.
impl Stored for i64 {
    const DTYPE: &'static str = "<i8";

    fn from_file(elements: &mut [Self]) {
        elements.iter_mut().for_each(|number| *number = i64::from_le(*number));
    }
}

impl<T: Scalar> Routines<T> {
    /// Finds the functions.
    ///
    /// # Errors
    /// If the libraries lack one.
    pub fn of(libraries: &Libraries) -> Result<Self, Failure> {
        let letter = T::LETTER;
        // BLACS' functions have no p before the letter.
        Self::load(
            libraries,
            |name| if name == "gsum2d" { format!("{letter}{name}_") } else { format!("p{letter}{name}_") },
        )
    }
}
