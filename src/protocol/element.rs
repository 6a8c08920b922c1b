//! Elements on the wire: their tags, sizes and order of bytes.

use byteorder::{ByteOrder, LittleEndian};

use crate::element::Element;

/// The element type of a matrix on the wire.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum ElementType {
    /// IEEE 754 binary64, 8 bytes.
    F64,
    /// IEEE 754 binary32, 4 bytes.
    F32,
}

impl ElementType {
    /// Every type.
    pub const ALL: [ElementType; 2] = [ElementType::F64, ElementType::F32];

    /// Bytes of one element.
    #[must_use]
    pub fn bytes(self) -> usize {
        match self {
            ElementType::F64 => size_of::<f64>(),
            ElementType::F32 => size_of::<f32>(),
        }
    }

    /// Its name: `f64`, `f32`.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            ElementType::F64 => "f64",
            ElementType::F32 => "f32",
        }
    }
}

/// An element that the wire can carry.
pub trait WireElement: Element {
    /// What the wire calls this type.
    const TYPE: ElementType;

    /// Turns elements in the order of bytes of the wire into the CPU's, and back: it is its own inverse, and does nothing
    /// on a little-endian CPU.
    fn wire_order(elements: &mut [Self]);
}

impl WireElement for f32 {
    const TYPE: ElementType = ElementType::F32;

    fn wire_order(elements: &mut [Self]) {
        LittleEndian::from_slice_f32(elements);
    }
}

impl WireElement for f64 {
    const TYPE: ElementType = ElementType::F64;

    fn wire_order(elements: &mut [Self]) {
        LittleEndian::from_slice_f64(elements);
    }
}
