//! A number in a frame that may not be there: a CPU that is not known, or a way that took no steps. It is -1 then.

use byteorder::{ByteOrder, LittleEndian};

/// Reads it from the first four bytes.
pub(super) fn read_optional(bytes: &[u8]) -> Option<u32> {
    u32::try_from(LittleEndian::read_i32(bytes)).ok()
}

/// Writes it to the first four bytes.
pub(super) fn write_optional(bytes: &mut [u8], number: Option<u32>) {
    LittleEndian::write_i32(bytes, number.map_or(-1, |number| number as i32));
}
