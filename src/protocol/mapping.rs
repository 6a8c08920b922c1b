//! The payloads of MAP, UNMAP and their answers.

use byteorder::{ByteOrder, LittleEndian};

use super::refusal::Refusal;

/// Bytes of a request to map.
pub const MAP_BYTES: usize = 24;

/// Bytes of the number of a segment: the answer to MAP, and the request UNMAP.
pub const SEGMENT_BYTES: usize = 4;

/// Whose descriptor it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Owner {
    /// The server has inherited it.
    Server,
    /// This process has it open.
    Process(i32),
}

/// A request to map memory.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MapRequest {
    /// The segment whose memory is replaced; `None` for a new segment.
    pub segment: Option<u32>,
    /// Whose descriptor it is.
    pub owner: Owner,
    /// The descriptor.
    pub descriptor: i32,
    /// Bytes to map.
    pub size: usize,
}

impl MapRequest {
    const INHERITED: u32 = 1;

    /// Reads a request.
    ///
    /// # Errors
    /// [`Refusal::Undefined`], [`Refusal::Field`].
    pub fn parse(bytes: &[u8; MAP_BYTES]) -> Result<Self, Refusal> {
        let [segment, flags] = [0, 4].map(|at| LittleEndian::read_u32(&bytes[at..]));
        let [process, descriptor] = [8, 12].map(|at| LittleEndian::read_i32(&bytes[at..]));
        let size = LittleEndian::read_i64(&bytes[16..]);
        let field = |field, expected, got| Err(Refusal::Field { field, expected, got });
        let owner = match flags {
            Self::INHERITED if process == 0 => Owner::Server,
            Self::INHERITED => {
                return field("the process id", "0, since the descriptor is inherited", process.into());
            }
            0 if process > 0 => Owner::Process(process),
            0 => return field("the process id", "a number above 0", process.into()),
            _ => return Err(Refusal::Undefined { field: "flags", bits: flags & !Self::INHERITED }),
        };
        if descriptor < 0 {
            return field("the descriptor", "a number of at least 0", descriptor.into());
        }
        match usize::try_from(size) {
            Ok(size @ 1..) => Ok(MapRequest { segment: Some(segment).filter(|&s| s != 0), owner, descriptor, size }),
            _ => field("the size", "at least 1 byte", size),
        }
    }

    /// Its bytes.
    #[must_use]
    pub fn to_bytes(&self) -> [u8; MAP_BYTES] {
        let (flags, process) = match self.owner {
            Owner::Server => (Self::INHERITED, 0),
            Owner::Process(process) => (0, process),
        };
        let mut bytes = [0; MAP_BYTES];
        LittleEndian::write_u32(&mut bytes, self.segment.unwrap_or(0));
        LittleEndian::write_u32(&mut bytes[4..], flags);
        LittleEndian::write_i32(&mut bytes[8..], process);
        LittleEndian::write_i32(&mut bytes[12..], self.descriptor);
        LittleEndian::write_u64(&mut bytes[16..], self.size as u64);
        bytes
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn any_bytes_are_a_request_or_refused(bytes in any::<[u8; MAP_BYTES]>(), flags in 0..3_u8, negative in any::<bool>()) {
            let mut bytes = bytes;
            bytes[4..8].copy_from_slice(&[flags, 0, 0, 0]);
            bytes[15] &= if negative { 0xff } else { 0x7f };
            if let Ok(request) = MapRequest::parse(&bytes) {
                prop_assert_eq!(request.to_bytes(), bytes);
            }
        }
    }
}
