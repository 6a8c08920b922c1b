//! The payloads of FILES_FACTOR and FILES_SOLVE: matrices in files, for an engine of many processes.

use byteorder::{ByteOrder, LittleEndian};

use super::files_kind::FilesKind;
use super::flags::Flags;
use super::refusal::Refusal;

/// Bytes of a request's payload before the names of the files.
pub const FILES_BYTES: usize = 36;

/// Bytes of an answer.
pub const FILES_ANSWER_BYTES: usize = 96;

/// The most bytes of the name of a file: those of Linux (`PATH_MAX`), without the zero at its end.
pub const MAX_NAME_BYTES: u32 = 4095;

/// The fixed part of a request. The names of A, of B, of the result and of the factors follow it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FilesRequest {
    /// What is computed.
    pub kind: FilesKind,
    /// Whether the system is that of A^T.
    pub transposed: bool,
    /// Steps of refinement: 0 or 1.
    pub steps: u32,
    /// Rows and columns of the grid of ranks, if the client chooses them.
    pub grid: Option<[u32; 2]>,
    /// Rows and columns of a block; 0 if the server chooses them.
    pub block: u32,
    /// Bytes of the names of A, of B, of the result, of the factors of A. There may be none of B and of the factors.
    pub name_bytes: [u32; 4],
}

impl FilesRequest {
    /// Reads a request.
    ///
    /// # Errors
    /// [`Refusal::Undefined`], [`Refusal::Field`].
    pub fn parse(kind: FilesKind, bytes: &[u8; FILES_BYTES]) -> Result<Self, Refusal> {
        let u32_at = |at: usize| LittleEndian::read_u32(&bytes[at..]);
        let solves = kind == FilesKind::Solve;
        let flags = Flags::parse(u32_at(0), if solves { Flags::TRANSPOSED } else { 0 })?;
        let expect = |is_so: bool, field, expected, got: u32| {
            if is_so { Ok(()) } else { Err(Refusal::Field { field, expected, got: got.into() }) }
        };
        let [rows, columns, block, steps] = [4, 8, 12, 32].map(u32_at);
        expect((rows == 0) == (columns == 0), "columns of the grid", "0 if its rows are, and else not", columns)?;
        expect(steps <= u32::from(solves), "steps", if solves { "0 or 1" } else { "0" }, steps)?;
        let name_bytes = [16, 20, 24, 28].map(u32_at);
        let [a, b, result, factors] = name_bytes;
        let expect_name = |field, got| expect((1..=MAX_NAME_BYTES).contains(&got), field, "1 to 4095", got);
        expect_name("bytes of A's name", a)?;
        if solves {
            expect_name("bytes of B's name", b)?;
            expect(factors <= MAX_NAME_BYTES, "bytes of the factors' name", "at most 4095", factors)?;
        } else {
            expect(b == 0, "bytes of B's name", "0, since the command has no B", b)?;
            expect(factors == 0, "bytes of the factors' name", "0, since the command makes them", factors)?;
        }
        expect_name("bytes of the result's name", result)?;
        let grid = (rows > 0).then_some([rows, columns]);
        Ok(FilesRequest { kind, transposed: flags.is_set(Flags::TRANSPOSED), steps, grid, block, name_bytes })
    }

    /// Its bytes.
    #[must_use]
    pub fn to_bytes(&self) -> [u8; FILES_BYTES] {
        let mut bytes = [0; FILES_BYTES];
        let [rows, columns] = self.grid.unwrap_or_default();
        let [a, b, result, factors] = self.name_bytes;
        let flags = Flags::bits([(self.transposed, Flags::TRANSPOSED)]);
        let fields = [flags, rows, columns, self.block, a, b, result, factors, self.steps];
        LittleEndian::write_u32_into(&fields, &mut bytes);
        bytes
    }

    /// Bytes of all names.
    #[must_use]
    pub fn payload_bytes(&self) -> u64 {
        self.name_bytes.iter().map(|&bytes| u64::from(bytes)).sum()
    }
}

/// An answer.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct FilesAnswer {
    /// LAPACK's `info`.
    pub info: i64,
    /// Rows and columns of A, columns of B.
    pub sizes: [u64; 3],
    /// Bits of an element.
    pub bits: u32,
    /// Rows and columns of the grid of ranks.
    pub grid: [u32; 2],
    /// Rows and columns of a block.
    pub block: u32,
    /// Steps of refinement that X has taken.
    pub steps: u32,
    /// Seconds of the job, seconds of the factorization, 10^9 operations of the latter by the second, rcond, backward error.
    pub figures: [f64; 5],
}

impl FilesAnswer {
    /// Reads an answer.
    #[must_use]
    pub fn parse(bytes: &[u8; FILES_ANSWER_BYTES]) -> Self {
        let u32_at = |at: usize| LittleEndian::read_u32(&bytes[at..]);
        FilesAnswer {
            info: LittleEndian::read_i64(&bytes[..]),
            sizes: [8, 16, 24].map(|at| LittleEndian::read_u64(&bytes[at..])),
            bits: u32_at(32),
            grid: [u32_at(36), u32_at(40)],
            block: u32_at(44),
            steps: u32_at(48),
            figures: [56, 64, 72, 80, 88].map(|at| LittleEndian::read_f64(&bytes[at..])),
        }
    }

    /// Its bytes.
    #[must_use]
    pub fn to_bytes(&self) -> [u8; FILES_ANSWER_BYTES] {
        let mut bytes = [0; FILES_ANSWER_BYTES];
        LittleEndian::write_i64(&mut bytes[..], self.info);
        LittleEndian::write_u64_into(&self.sizes, &mut bytes[8..32]);
        let [rows, columns] = self.grid;
        LittleEndian::write_u32_into(&[self.bits, rows, columns, self.block, self.steps], &mut bytes[32..52]);
        LittleEndian::write_f64_into(&self.figures, &mut bytes[56..]);
        bytes
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn any_bytes_are_a_request_or_refused(
            bytes in proptest::array::uniform9(prop_oneof![Just(0_u32), 0_u32..3, 1_u32..5000, any::<u32>()]),
            solves in any::<bool>(),
            is_transposed in any::<bool>(),
        ) {
            let kind = if solves { FilesKind::Solve } else { FilesKind::Factor };
            let mut fields = bytes;
            if is_transposed {
                fields[0] = Flags::TRANSPOSED;
            }
            let mut bytes = [0; FILES_BYTES];
            LittleEndian::write_u32_into(&fields, &mut bytes);
            if let Ok(request) = FilesRequest::parse(kind, &bytes) {
                prop_assert_eq!(request.to_bytes(), bytes);
                prop_assert!(request.payload_bytes() <= 4 * u64::from(MAX_NAME_BYTES));
            }
        }
    }

    #[test]
    fn what_a_request_cannot_have_is_named() {
        let bytes = |at: usize, value: u32| {
            let mut fields = [0, 0, 0, 0, 1, 1, 1, 0, 0];
            fields[at] = value;
            let mut bytes = [0; FILES_BYTES];
            LittleEndian::write_u32_into(&fields, &mut bytes);
            bytes
        };
        assert!(FilesRequest::parse(FilesKind::Solve, &bytes(0, Flags::TRANSPOSED)).is_ok());
        assert!(FilesRequest::parse(FilesKind::Factor, &bytes(5, 0)).is_ok());
        assert!(FilesRequest::parse(FilesKind::Solve, &bytes(7, 4095)).is_ok());
        let mistakes = [(0, 1), (1, 1), (2, 1), (4, 0), (4, 4096), (5, 0), (6, 0), (6, u32::MAX), (7, 4096), (8, 2)];
        for (at, value) in mistakes {
            assert!(FilesRequest::parse(FilesKind::Solve, &bytes(at, value)).is_err(), "field {at} is {value}");
        }
        for (at, value) in [(0, Flags::TRANSPOSED), (7, 1), (8, 1)] {
            let mut bytes = bytes(at, value);
            LittleEndian::write_u32(&mut bytes[20..], 0);
            assert!(FilesRequest::parse(FilesKind::Factor, &bytes).is_err(), "field {at} is {value}");
        }
    }

    #[test]
    fn an_answer_comes_back() {
        let answer = FilesAnswer {
            info: -1,
            sizes: [2, 3, 4],
            bits: 64,
            grid: [5, 6],
            block: 7,
            steps: 1,
            figures: [0.5, 1.5, 2.5, 3.5, 4.5],
        };
        assert_eq!(FilesAnswer::parse(&answer.to_bytes()), answer);
    }
}
