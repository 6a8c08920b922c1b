//! The element types as the command line needs them: read from text and files, printed, put into frames.

use std::str::FromStr;

use byteorder::{ByteOrder, LittleEndian};

use crate::protocol::WireElement;

/// An element type with everything that the subcommands do to it.
pub trait FileElement: WireElement + FromStr + Into<f64> + npyz::AutoSerialize {
    /// Whether it is an infinity.
    fn is_infinite(self) -> bool;
    /// The nearest element; used where a file holds other numbers.
    fn from_f64(x: f64) -> Self;
    /// Elements to little-endian bytes.
    fn to_bytes(elements: &[Self]) -> Vec<u8>;
    /// Little-endian bytes to elements.
    fn from_bytes(bytes: &[u8]) -> Vec<Self>;
}

macro_rules! file_element {
    ($t:ident, $write:ident, $read:ident) => {
        impl FileElement for $t {
            fn is_infinite(self) -> bool {
                self.is_infinite()
            }
            fn from_f64(x: f64) -> Self {
                x as $t
            }
            fn to_bytes(elements: &[Self]) -> Vec<u8> {
                let mut bytes = vec![0; size_of_val(elements)];
                LittleEndian::$write(elements, &mut bytes);
                bytes
            }
            fn from_bytes(bytes: &[u8]) -> Vec<Self> {
                let mut elements = vec![0.0; bytes.len() / size_of::<$t>()];
                LittleEndian::$read(bytes, &mut elements);
                elements
            }
        }
    };
}

file_element!(f64, write_f64_into, read_f64_into);
file_element!(f32, write_f32_into, read_f32_into);
