//! Extended frames: a command, the length of the payload, the payload. A response is a status, a length, a payload.

use byteorder::{ByteOrder, LittleEndian};

use super::command::FrameCommand;
use super::refusal::Refusal;

/// Bytes of a request before its payload: the command and the length.
pub const FRAME_HEAD_BYTES: usize = 1 + 8;

/// Bytes of a response before its payload: the status and the length.
pub const ANSWER_HEAD_BYTES: usize = 8 + 8;

impl FrameCommand {
    /// The head of a request with a payload of this length.
    #[must_use]
    pub fn head(self, length: usize) -> [u8; FRAME_HEAD_BYTES] {
        let mut head = [self.byte(); FRAME_HEAD_BYTES];
        LittleEndian::write_u64(&mut head[1..], length as u64);
        head
    }
}

/// Whether the first byte of a request is that of an extended frame.
#[must_use]
pub fn is_frame(byte: u8) -> bool {
    (0x10..=0xfe).contains(&byte)
}

/// The longest payload that a session with this limit on matrices reads.
#[must_use]
pub fn max_payload(max_bytes: u64) -> u64 {
    max_bytes.saturating_add(64 << 10).max(1 << 30)
}

/// The length of a payload, checked.
///
/// # Errors
/// [`Refusal::PayloadTooLong`].
pub fn payload_length(bytes: [u8; 8], max_bytes: u64) -> Result<u64, Refusal> {
    let (length, max) = (u64::from_le_bytes(bytes), max_payload(max_bytes));
    if length > max { Err(Refusal::PayloadTooLong { length, max }) } else { Ok(length) }
}

/// The head of an answer.
#[must_use]
pub fn answer_head(status: i64, length: usize) -> [u8; ANSWER_HEAD_BYTES] {
    let mut head = [0; ANSWER_HEAD_BYTES];
    LittleEndian::write_i64(&mut head[..8], status);
    LittleEndian::write_u64(&mut head[8..], length as u64);
    head
}
