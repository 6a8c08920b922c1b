//! The payload of HELLO and of its answer.

use byteorder::{ByteOrder, LittleEndian};

/// The version of the protocol.
pub const PROTOCOL_VERSION: u32 = 2;

/// Bytes of a request before the name of the client.
pub const HELLO_BYTES: usize = 4;

/// Bytes of an answer before its text.
pub const WELCOME_BYTES: usize = 32;

const MAGIC: &[u8; 8] = b"RECFACT\0";

/// The fixed part of the answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Welcome {
    /// The version of the protocol that the server speaks.
    pub version: u32,
    /// What it can do, bit by bit.
    pub features: u64,
    /// The largest matrix, in bytes.
    pub max_bytes: u64,
    /// Threads that a threaded request may use.
    pub threads: u32,
}

impl Welcome {
    /// FACTOR.
    pub const FACTOR: u64 = 1 << 0;
    /// MAP and UNMAP.
    pub const MAP: u64 = 1 << 1;
    /// The batches.
    pub const BATCH: u64 = 1 << 2;
    /// Kept factors, and what is computed with them.
    pub const SYSTEM: u64 = 1 << 3;
    /// Matrices in files: there is an engine for them.
    pub const FILES: u64 = 1 << 4;
    /// The bits of what that engine computes depend on the grid of its ranks.
    pub const FILES_BITS_OF_GRID: u64 = 1 << 5;

    /// Reads an answer; `None` if it does not begin with the name of the protocol.
    #[must_use]
    pub fn parse(bytes: &[u8; WELCOME_BYTES]) -> Option<Self> {
        bytes.starts_with(MAGIC).then(|| Welcome {
            version: LittleEndian::read_u32(&bytes[8..]),
            features: LittleEndian::read_u64(&bytes[12..]),
            max_bytes: LittleEndian::read_u64(&bytes[20..]),
            threads: LittleEndian::read_u32(&bytes[28..]),
        })
    }

    /// Its bytes.
    #[must_use]
    pub fn to_bytes(&self) -> [u8; WELCOME_BYTES] {
        let mut bytes = [0; WELCOME_BYTES];
        bytes[..8].copy_from_slice(MAGIC);
        LittleEndian::write_u32(&mut bytes[8..], self.version);
        LittleEndian::write_u64(&mut bytes[12..], self.features);
        LittleEndian::write_u64(&mut bytes[20..], self.max_bytes);
        LittleEndian::write_u32(&mut bytes[28..], self.threads);
        bytes
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_comes_back_and_another_program_is_none() {
        let welcome = Welcome { version: 2, features: Welcome::MAP, max_bytes: u64::MAX, threads: 7 };
        assert_eq!(Welcome::parse(&welcome.to_bytes()), Some(welcome));
        assert_eq!(Welcome::parse(&[0; WELCOME_BYTES]), None);
    }
}
