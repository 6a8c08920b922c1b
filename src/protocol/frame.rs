//! Requests and responses: where their fields stand and how large they are. The one place that knows.

use byteorder::{ByteOrder, LittleEndian};

use super::command::{Command, Precision};
use super::fault::Fault;

/// The command that ends a session.
pub const EXIT: u8 = 0xff;

/// Bytes of a request before its matrix: the command, m and n.
pub const HEADER_BYTES: usize = 1 + 8 + 8;

/// Bytes of a response before its matrix: `info`.
pub const INFO_BYTES: usize = 8;

/// Bytes of one row swap in a response.
const IPIV_BYTES: usize = 8;

/// The first bytes of a request for an `m` by `n` matrix.
#[must_use]
pub fn request_header(command: Command, m: usize, n: usize) -> [u8; HEADER_BYTES] {
    let mut header = [0; HEADER_BYTES];
    header[0] = command.byte();
    LittleEndian::write_u64(&mut header[1..9], m as u64);
    LittleEndian::write_u64(&mut header[9..17], n as u64);
    header
}

/// The shape of a matrix on the wire, checked: not negative, of a size that is a number, within the limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Shape {
    m: usize,
    n: usize,
    precision: Precision,
}

impl Shape {
    /// Reads m and n from the header of a request and checks them.
    ///
    /// # Errors
    /// [`Fault::BadShape`] and [`Fault::OverLimit`].
    pub fn from_header(header: &[u8; HEADER_BYTES], precision: Precision, max_bytes: u64) -> Result<Shape, Fault> {
        let (m, n) = (LittleEndian::read_i64(&header[1..9]), LittleEndian::read_i64(&header[9..17]));
        let shape = Shape::new(m, n, precision).ok_or(Fault::BadShape { m, n, precision })?;
        let bytes = shape.matrix_bytes() as u64;
        if bytes > max_bytes {
            return Err(Fault::OverLimit { m, n, bytes, max_bytes });
        }
        Ok(shape)
    }

    /// An `m` by `n` matrix, unless a size is negative or the bytes of the matrix do not fit an `i64`.
    #[must_use]
    pub fn new(m: i64, n: i64, precision: Precision) -> Option<Shape> {
        let (m, n) = (usize::try_from(m).ok()?, usize::try_from(n).ok()?);
        let bytes = m.checked_mul(n)?.checked_mul(precision.bytes())?;
        i64::try_from(bytes).ok()?;
        Some(Shape { m, n, precision })
    }

    /// Rows.
    #[must_use]
    pub fn m(self) -> usize {
        self.m
    }

    /// Columns.
    #[must_use]
    pub fn n(self) -> usize {
        self.n
    }

    /// The element type.
    #[must_use]
    pub fn precision(self) -> Precision {
        self.precision
    }

    /// Bytes of the matrix.
    #[must_use]
    pub fn matrix_bytes(self) -> usize {
        self.m * self.n * self.precision.bytes()
    }

    /// Row swaps in the response: min(m, n).
    #[must_use]
    pub fn ipiv_len(self) -> usize {
        self.m.min(self.n)
    }

    /// Bytes of the row swaps in the response.
    #[must_use]
    pub fn ipiv_bytes(self) -> usize {
        self.ipiv_len() * IPIV_BYTES
    }
}
