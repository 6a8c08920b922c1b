//! What `protocol.md` says of requests, written down a second time to hold the code against: the sizes are 128-bit
//! numbers, in which m*n does not overflow.

/// A request to factor a matrix that a server accepts.
#[derive(Debug, Clone, Copy)]
pub struct Request {
    /// f32 instead of f64.
    pub single: bool,
    /// Whether several threads may be used.
    pub threaded: bool,
    /// Whether rows are swapped.
    pub pivoting: bool,
    /// Rows.
    pub m: u128,
    /// Columns.
    pub n: u128,
}

impl Request {
    /// Reads a head.
    ///
    /// # Errors
    /// The code with which a server with this limit refuses it.
    ///
    /// # Panics
    /// Never.
    pub fn parse(head: &[u8; 17], max_bytes: u64) -> Result<Request, u8> {
        let command = head[0];
        let size = |at: usize| i64::from_le_bytes(*head[at..].first_chunk().expect("8 bytes"));
        if command > 7 {
            return Err(1);
        }
        let bit = |bit: u8| command & (1 << bit) != 0;
        Request { single: bit(0), threaded: bit(1), pivoting: !bit(2), m: 0, n: 0 }.of_shape(
            size(1),
            size(9),
            max_bytes,
        )
    }

    /// The same for a matrix of this shape.
    ///
    /// # Errors
    /// The code with which a server with this limit refuses it.
    pub fn of_shape(self, m: i64, n: i64, max_bytes: u64) -> Result<Request, u8> {
        let (Ok(m), Ok(n)) = (u128::try_from(m), u128::try_from(n)) else { return Err(2) };
        let request = Request { m, n, ..self };
        match request.matrix_bytes() {
            bytes if bytes >= 1 << 63 => Err(2),
            bytes if bytes > max_bytes.into() => Err(3),
            _ => Ok(request),
        }
    }

    /// Bytes of the matrix; 2^128 - 1 for every larger number.
    #[must_use]
    pub fn matrix_bytes(&self) -> u128 {
        (self.m * self.n).saturating_mul(if self.single { 4 } else { 8 })
    }

    /// How many row swaps the answer has.
    #[must_use]
    pub fn pivots(&self) -> u128 {
        self.m.min(self.n)
    }

    /// Bytes of the answer.
    #[must_use]
    pub fn response_bytes(&self) -> u128 {
        8 + self.matrix_bytes() + 8 * self.pivots()
    }
}

/// Splits the first 8 bytes off, as a number.
#[must_use]
pub fn split_i64(bytes: &[u8]) -> Option<(i64, &[u8])> {
    let (number, rest) = bytes.split_first_chunk()?;
    Some((i64::from_le_bytes(*number), rest))
}

/// The numbers in these bytes, 8 for each.
///
/// # Panics
/// Never.
#[must_use]
pub fn numbers(bytes: &[u8]) -> Vec<i64> {
    bytes.chunks_exact(8).map(|number| split_i64(number).expect("8 bytes").0).collect()
}
