//! The element types as files need them: read from text and numbers of other types, written as text and as .npy.

use std::fmt::Debug;
use std::str::FromStr;

use crate::protocol::WireElement;

/// An element type that files can hold.
pub trait FileElement: WireElement + FromStr + Into<f64> + Debug + npyz::AutoSerialize {
    /// The nearest element; used if a file holds other numbers.
    fn from_f64(x: f64) -> Self;

    /// Whether it is an infinity.
    fn is_infinite(self) -> bool {
        self.into().is_infinite()
    }
}

impl FileElement for f64 {
    fn from_f64(x: f64) -> Self {
        x
    }
}

impl FileElement for f32 {
    fn from_f64(x: f64) -> Self {
        x as f32
    }
}
