//! Elements on the wire: their tags, sizes and byte order.

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

/// An element type that can be sent.
pub trait WireElement: Element {
    /// The same type on the wire.
    const TYPE: ElementType;

    /// Converts elements from the byte order of the wire to that of the CPU, or back: it is its own inverse. On a
    /// little-endian CPU it does nothing.
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
