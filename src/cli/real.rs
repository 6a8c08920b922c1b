//! The element types as the command line needs them: read from text and files, printed, put into frames.

use std::str::FromStr;

use byteorder::{ByteOrder, LittleEndian};
use recfact::Real;

/// An element type with everything that the subcommands do to it.
pub(super) trait CliReal: Real + FromStr + Into<f64> + npyz::AutoSerialize + 'static {
    /// Its name in messages.
    const NAME: &'static str;

    fn is_infinite(self) -> bool;
    /// The nearest element; used where a file holds other numbers.
    fn from_f64(x: f64) -> Self;
    /// Elements to little-endian bytes.
    fn to_bytes(elements: &[Self]) -> Vec<u8>;
    /// Little-endian bytes to elements.
    fn from_bytes(bytes: &[u8]) -> Vec<Self>;
}

macro_rules! cli_real {
    ($t:ident, $write:ident, $read:ident) => {
        impl CliReal for $t {
            const NAME: &'static str = stringify!($t);

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

cli_real!(f64, write_f64_into, read_f64_into);
cli_real!(f32, write_f32_into, read_f32_into);
