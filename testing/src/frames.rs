//! Extended frames, written by hand from protocol.md.

use crate::oracle::Float;

/// An extended request.
#[must_use]
pub fn frame(command: u8, payload: &[u8]) -> Vec<u8> {
    [&[command][..], &(payload.len() as u64).to_le_bytes(), payload].concat()
}

/// The answer to an extended request.
#[must_use]
pub fn answer(status: i64, payload: &[u8]) -> Vec<u8> {
    [&status.to_le_bytes()[..], &(payload.len() as u64).to_le_bytes(), payload].concat()
}

/// The description of an operand in the payload.
#[must_use]
pub fn in_payload() -> [u8; 32] {
    in_place(1, 0, 0, 0)
}

/// The description of an operand in a segment; the leading dimension in elements, the offset in bytes.
#[must_use]
pub fn in_segment(segment: u32, offset: u64, ld: u64) -> [u8; 32] {
    in_place(2, segment, offset, ld)
}

/// The description of an operand.
#[must_use]
pub fn in_place(place: u32, segment: u32, offset: u64, ld: u64) -> [u8; 32] {
    let mut bytes = [0; 32];
    bytes[..4].copy_from_slice(&place.to_le_bytes());
    bytes[4..8].copy_from_slice(&segment.to_le_bytes());
    bytes[8..16].copy_from_slice(&offset.to_le_bytes());
    bytes[16..24].copy_from_slice(&ld.to_le_bytes());
    bytes
}

/// Flags of FACTOR.
pub const F32: u32 = 0x001;
/// No pivoting.
pub const NO_PIVOTING: u32 = 0x004;
/// A stands by rows.
pub const ROW_MAJOR: u32 = 0x100;
/// A must be finite.
pub const CHECK_FINITE: u32 = 0x200;
/// `ipiv` has 32 bits and counts from 0.
pub const NARROW: u32 = 0x400;

/// The fields of FACTOR.
#[derive(Debug, Clone, Copy)]
pub struct Factor {
    /// The flags.
    pub flags: u32,
    /// The number of threads.
    pub threads: u32,
    /// Rows.
    pub m: i64,
    /// Columns.
    pub n: i64,
    /// The CPU of the client.
    pub cpu: i32,
    /// What must be zero.
    pub zero: u32,
    /// A, L and U, ipiv.
    pub operands: [[u8; 32]; 3],
}

impl Factor {
    /// Everything in the payload, on one thread.
    #[must_use]
    pub fn new(flags: u32, m: usize, n: usize) -> Self {
        Factor { flags, threads: 1, m: m as i64, n: n as i64, cpu: -1, zero: 0, operands: [in_payload(); 3] }
    }

    /// The whole request, with the elements of A if they are in the payload.
    #[must_use]
    pub fn frame<T: Float>(&self, a: &[T]) -> Vec<u8> {
        let mut payload = [self.flags, self.threads].map(u32::to_le_bytes).concat();
        payload.extend([self.m, self.n].map(i64::to_le_bytes).concat());
        payload.extend(self.cpu.to_le_bytes());
        payload.extend(self.zero.to_le_bytes());
        payload.extend(self.operands.concat());
        a.iter().for_each(|x| payload.extend(x.le_bytes()));
        frame(0x20, &payload)
    }
}

/// The elements of a matrix, row after row.
#[must_use]
pub fn by_rows<T: Copy>(a: &[T], m: usize, n: usize) -> Vec<T> {
    (0..m * n).map(|at| a[at / n + at % n * m]).collect()
}

/// The row swaps as a request wants them.
#[must_use]
pub fn swaps(ipiv: &[i64], narrow: bool) -> Vec<u8> {
    match narrow {
        true => ipiv.iter().flat_map(|&row| (row as i32 - 1).to_le_bytes()).collect(),
        false => ipiv.iter().flat_map(|row| row.to_le_bytes()).collect(),
    }
}
