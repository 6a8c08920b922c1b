//! What `protocol.md` says of requests, written down a second time to hold the code against: the sizes are 128-bit
//! numbers, in which m*n does not overflow.

/// The head of a request that a server accepts.
#[derive(Debug, Clone, Copy)]
pub struct Request {
    pub single: bool,
    pub threaded: bool,
    pub pivoting: bool,
    pub m: u128,
    pub n: u128,
}

impl Request {
    /// Reads a head. A server with this limit refuses a bad one with the code that comes back as the error.
    pub fn parse(head: &[u8; 17], max_bytes: u64) -> Result<Request, u8> {
        let command = head[0];
        let size = |at: usize| i64::from_le_bytes(*head[at..].first_chunk().expect("8 bytes"));
        if command > 7 {
            return Err(1);
        }
        let (Ok(m), Ok(n)) = (u128::try_from(size(1)), u128::try_from(size(9))) else { return Err(2) };
        let bit = |bit: u8| command & (1 << bit) != 0;
        let request = Request { single: bit(0), threaded: bit(1), pivoting: !bit(2), m, n };
        match request.matrix_bytes() {
            bytes if bytes >= 1 << 63 => Err(2),
            bytes if bytes > max_bytes.into() => Err(3),
            _ => Ok(request),
        }
    }

    /// Bytes of the matrix; 2^128 - 1 for every larger number.
    pub fn matrix_bytes(&self) -> u128 {
        (self.m * self.n).saturating_mul(if self.single { 4 } else { 8 })
    }

    /// How many row swaps the answer has.
    pub fn pivots(&self) -> u128 {
        self.m.min(self.n)
    }

    /// Bytes of the answer.
    pub fn response_bytes(&self) -> u128 {
        8 + self.matrix_bytes() + 8 * self.pivots()
    }
}

/// Splits the first 8 bytes off, as a number.
pub fn split_i64(bytes: &[u8]) -> Option<(i64, &[u8])> {
    let (number, rest) = bytes.split_first_chunk()?;
    Some((i64::from_le_bytes(*number), rest))
}

/// The numbers in these bytes, 8 for each.
pub fn numbers(bytes: &[u8]) -> Vec<i64> {
    bytes.chunks_exact(8).map(|number| split_i64(number).expect("8 bytes").0).collect()
}
