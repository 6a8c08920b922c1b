//! The fixed part of the answer to FACTOR and to the batches.

use byteorder::{ByteOrder, LittleEndian};

use super::optional::{read_optional, write_optional};

/// Bytes of an answer's payload before the results.
pub const FACTORED_BYTES: usize = 16;

/// The fixed part of an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Factored {
    /// LAPACK's `info`; for a batch the number of matrices whose `info` is not 0.
    pub info: i64,
    /// The CPU on which the server runs, if it says so.
    pub cpu: Option<u32>,
    /// For how many microseconds the server will look for the next request without sleeping.
    pub spin: u32,
}

impl Factored {
    /// Reads an answer.
    #[must_use]
    pub fn parse(bytes: &[u8; FACTORED_BYTES]) -> Self {
        let cpu = read_optional(&bytes[8..]);
        Factored { info: LittleEndian::read_i64(bytes), cpu, spin: LittleEndian::read_u32(&bytes[12..]) }
    }

    /// Its bytes.
    #[must_use]
    pub fn to_bytes(&self) -> [u8; FACTORED_BYTES] {
        let mut bytes = [0; FACTORED_BYTES];
        LittleEndian::write_i64(&mut bytes, self.info);
        write_optional(&mut bytes[8..], self.cpu);
        LittleEndian::write_u32(&mut bytes[12..], self.spin);
        bytes
    }
}
