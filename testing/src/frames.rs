//! Extended frames, written by hand from protocol.md: their commands, their layouts, their flags.

use crate::oracle::Float;

/// Who is there, and what can it do.
pub const HELLO: u8 = 0x10;
/// The same bytes come back.
pub const PING: u8 = 0x11;
/// What the session has done.
pub const STATS: u8 = 0x12;
/// Map memory of the client.
pub const MAP: u8 = 0x18;
/// Forget it.
pub const UNMAP: u8 = 0x19;
/// P A = L U.
pub const FACTOR: u8 = 0x20;

/// P A = L U, kept by the session.
pub const KEEP: u8 = 0x30;
/// A X = B, from kept factors or from A.
pub const SOLVE: u8 = 0x31;
/// The reciprocal condition number.
pub const CONDITION: u8 = 0x32;
/// The determinant.
pub const DETERMINANT: u8 = 0x33;
/// The inverse.
pub const INVERSE: u8 = 0x34;
/// Forget kept factors.
pub const RELEASE: u8 = 0x35;

/// P A = L U of many matrices of one shape.
pub const BATCH_FACTOR: u8 = 0x40;
/// A X = B for each of them, with factors.
pub const BATCH_SOLVE: u8 = 0x41;
/// A X = B for each of them, from A itself.
pub const BATCH_GESV: u8 = 0x42;
/// The inverse of each.
pub const BATCH_INVERSE: u8 = 0x43;
/// The determinant of each.
pub const BATCH_DET: u8 = 0x44;

/// P A = L U of a matrix in a file.
pub const FILES_FACTOR: u8 = 0x50;
/// A X = B of matrices in files.
pub const FILES_SOLVE: u8 = 0x51;

/// FACTOR: f32.
pub const SINGLE: u32 = 0x001;
/// FACTOR: no pivoting.
pub const NO_PIVOTING: u32 = 0x004;
/// FACTOR: A is row-major.
pub const ROW_MAJOR: u32 = 0x100;
/// FACTOR: A must be finite.
pub const MUST_BE_FINITE: u32 = 0x200;
/// FACTOR: `ipiv` as i32, counted from 0.
pub const NARROW_IPIV: u32 = 0x400;

/// Batches: B and X are row-major.
pub const X_ROW_MAJOR: u32 = 0x800;
/// Batches: the systems are those of A^T.
pub const TRANSPOSED: u32 = 0x1000;
/// Batches: L and U are row-major.
pub const LU_ROW_MAJOR: u32 = 0x2000;

/// Systems: keep the factors.
pub const KEEP_FACTORS: u32 = 0x4000;
/// Systems: keep A with the factors.
pub const KEEP_A: u32 = 0x8000;
/// SOLVE: bound the errors.
pub const BOUNDS: u32 = 0x1_0000;
/// SOLVE: factor in f32.
pub const MIXED: u32 = 0x2_0000;
/// CONDITION: in the infinity norm.
pub const INFINITY_NORM: u32 = 0x4_0000;

/// Bytes of FACTOR before the matrix.
pub const FACTOR_BYTES: usize = 128;

/// A whole request.
#[must_use]
pub fn frame(command: u8, payload: &[u8]) -> Vec<u8> {
    [&head(command, payload.len() as u64)[..], payload].concat()
}

/// The first bytes of a request with a payload of this length.
#[must_use]
pub fn head(command: u8, length: u64) -> [u8; 9] {
    let mut head = [command; 9];
    head[1..].copy_from_slice(&length.to_le_bytes());
    head
}

/// A number in these bytes.
fn i64_at(bytes: &[u8], at: usize) -> i64 {
    i64::from_le_bytes(*bytes[at..].first_chunk().expect("8 bytes"))
}

fn u32_at(bytes: &[u8], at: usize) -> u32 {
    u32::from_le_bytes(*bytes[at..].first_chunk().expect("4 bytes"))
}

fn i32_at(bytes: &[u8], at: usize) -> i32 {
    i32::from_le_bytes(*bytes[at..].first_chunk().expect("4 bytes"))
}

/// A request to map memory.
#[derive(Debug, Clone, Copy)]
pub struct Map {
    /// 0 for a new segment, or the one whose memory is replaced.
    pub segment: u32,
    /// Bit 0: the server has inherited the descriptor.
    pub flags: u32,
    /// The process whose descriptor it is, or 0.
    pub process: i32,
    /// The descriptor.
    pub descriptor: i32,
    /// Bytes.
    pub size: i64,
}

impl Map {
    /// The bytes of its payload.
    pub const BYTES: usize = 24;

    /// A new segment from a descriptor of this process.
    #[must_use]
    pub fn of_this_process(descriptor: i32, size: i64) -> Self {
        Map { segment: 0, flags: 0, process: std::process::id() as i32, descriptor, size }
    }

    /// A new segment from a descriptor that the server has inherited.
    #[must_use]
    pub fn inherited(descriptor: i32, size: i64) -> Self {
        Map { segment: 0, flags: 1, process: 0, descriptor, size }
    }

    /// The payload.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        let numbers = [self.segment, self.flags, self.process as u32, self.descriptor as u32].map(u32::to_le_bytes);
        [&numbers.concat()[..], &self.size.to_le_bytes()].concat()
    }

    /// Reads a payload.
    ///
    /// # Panics
    /// If it is too short.
    #[must_use]
    pub fn parse(bytes: &[u8]) -> Self {
        Map {
            segment: u32_at(bytes, 0),
            flags: u32_at(bytes, 4),
            process: i32_at(bytes, 8),
            descriptor: i32_at(bytes, 12),
            size: i64_at(bytes, 16),
        }
    }

    /// The request.
    #[must_use]
    pub fn frame(&self) -> Vec<u8> {
        frame(MAP, &self.to_bytes())
    }
}

/// The description of a matrix or a vector, with any numbers in its fields.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Operand {
    /// 1 in the payload, 2 in a segment.
    pub place: u32,
    /// The segment, or 0.
    pub segment: u32,
    /// Of the first element, in bytes.
    pub offset: i64,
    /// The leading dimension.
    pub ld: i64,
    /// The distance of matrices in a batch, or 0.
    pub distance: i64,
}

impl Operand {
    /// Not there.
    pub const ABSENT: Self = Operand { place: 0, segment: 0, offset: 0, ld: 0, distance: 0 };
    /// In the payload.
    pub const PAYLOAD: Self = Operand { place: 1, segment: 0, offset: 0, ld: 0, distance: 0 };

    /// In a segment.
    #[must_use]
    pub fn in_segment(segment: u32, offset: usize, ld: usize) -> Self {
        Operand { place: 2, segment, offset: offset as i64, ld: ld as i64, distance: 0 }
    }

    /// The matrices of a batch in a segment.
    #[must_use]
    pub fn of_batch(segment: u32, offset: usize, ld: usize, distance: usize) -> Self {
        Operand { distance: distance as i64, ..Self::in_segment(segment, offset, ld) }
    }

    /// Whether it is one, wherever it points to.
    #[must_use]
    pub fn is_description(&self) -> bool {
        self.distance == 0 && self.is_description_of_matrices()
    }

    /// Whether it is one of the matrices of a batch.
    #[must_use]
    pub fn is_description_of_matrices(&self) -> bool {
        let Operand { place, segment, offset, ld, distance } = *self;
        place == 2 || place == 1 && (segment, offset, ld, distance) == (0, 0, 0, 0)
    }

    /// Its bytes.
    #[must_use]
    pub fn to_bytes(self) -> Vec<u8> {
        let numbers = [self.offset, self.ld, self.distance].map(i64::to_le_bytes).concat();
        [&self.place.to_le_bytes()[..], &self.segment.to_le_bytes(), &numbers].concat()
    }

    /// Reads a description.
    ///
    /// # Panics
    /// If there are too few bytes.
    #[must_use]
    pub fn parse(bytes: &[u8]) -> Self {
        let [offset, ld, distance] = [8, 16, 24].map(|at| i64_at(bytes, at));
        Operand { place: u32_at(bytes, 0), segment: u32_at(bytes, 4), offset, ld, distance }
    }
}

/// The fixed part of FACTOR, with any numbers in its fields.
#[derive(Debug, Clone, Copy)]
pub struct Factor {
    /// Bits.
    pub flags: u32,
    /// The largest number of threads.
    pub threads: u32,
    /// Rows.
    pub m: i64,
    /// Columns.
    pub n: i64,
    /// The CPU of the client, or -1.
    pub cpu: i32,
    /// 0.
    pub reserved: u32,
    /// A, the factors, the row swaps.
    pub operands: [Operand; 3],
}

impl Factor {
    /// Everything in the payload.
    #[must_use]
    pub fn in_payload(flags: u32, m: usize, n: usize) -> Self {
        let (m, n) = (m as i64, n as i64);
        Factor { flags, threads: 0, m, n, cpu: -1, reserved: 0, operands: [Operand::PAYLOAD; 3] }
    }

    /// The payload, without the matrix.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut bytes = [self.flags, self.threads].map(u32::to_le_bytes).concat();
        bytes.extend([self.m, self.n].map(i64::to_le_bytes).concat());
        bytes.extend(self.cpu.to_le_bytes());
        bytes.extend(self.reserved.to_le_bytes());
        self.operands.iter().for_each(|operand| bytes.extend(operand.to_bytes()));
        bytes
    }

    /// Reads the fixed part.
    ///
    /// # Panics
    /// If the payload is too short.
    #[must_use]
    pub fn parse(bytes: &[u8]) -> Self {
        Factor {
            flags: u32_at(bytes, 0),
            threads: u32_at(bytes, 4),
            m: i64_at(bytes, 8),
            n: i64_at(bytes, 16),
            cpu: i32_at(bytes, 24),
            reserved: u32_at(bytes, 28),
            operands: [32, 64, 96].map(|at| Operand::parse(&bytes[at..])),
        }
    }

    /// The request, with the elements that are in the payload, in their order.
    #[must_use]
    pub fn frame<T: Float>(&self, elements: &[T]) -> Vec<u8> {
        let elements: Vec<u8> = elements.iter().flat_map(|x| x.le_bytes()).collect();
        frame(FACTOR, &[self.to_bytes(), elements].concat())
    }
}

/// Bytes of a batch before the matrices.
pub const BATCH_BYTES: usize = 304;

/// What the commands from 0x40 on do with the operands A, L and U, `ipiv`, B, X, `info`, rcond, det: `i` input, `r` result,
/// `w` result if it is wanted, `.` none.
pub const BATCH_ROLES: [&[u8; 8]; 5] = [b"iww..r..", b"i.iir...", b"iwwirrw.", b"i...rrw.", b"i......r"];

/// The fixed part of a batch, with any numbers in its fields.
#[derive(Debug, Clone, Copy)]
pub struct Batch {
    /// Which one.
    pub command: u8,
    /// Bits.
    pub flags: u32,
    /// The largest number of threads.
    pub threads: u32,
    /// Matrices, rows, columns, columns of right-hand sides.
    pub sizes: [i64; 4],
    /// The CPU of the client, or -1.
    pub cpu: i32,
    /// 0.
    pub reserved: u32,
    /// A, L and U, `ipiv`, B, X, `info`, rcond, det.
    pub operands: [Operand; 8],
}

impl Batch {
    /// All operands that the command has in the payload.
    ///
    /// # Panics
    /// If it is no such command.
    #[must_use]
    pub fn in_payload(command: u8, flags: u32, sizes: [usize; 4]) -> Self {
        let roles = BATCH_ROLES[usize::from(command - BATCH_FACTOR)];
        let operands = roles.map(|role| if role == b'.' { Operand::ABSENT } else { Operand::PAYLOAD });
        Batch { command, flags, threads: 1, sizes: sizes.map(|size| size as i64), cpu: -1, reserved: 0, operands }
    }

    /// The payload, without the matrices.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut bytes = [self.flags, self.threads].map(u32::to_le_bytes).concat();
        bytes.extend(self.sizes.map(i64::to_le_bytes).concat());
        bytes.extend(self.cpu.to_le_bytes());
        bytes.extend(self.reserved.to_le_bytes());
        self.operands.iter().for_each(|operand| bytes.extend(operand.to_bytes()));
        bytes
    }

    /// Reads the fixed part.
    ///
    /// # Panics
    /// If the payload is too short.
    #[must_use]
    pub fn parse(command: u8, bytes: &[u8]) -> Self {
        Batch {
            command,
            flags: u32_at(bytes, 0),
            threads: u32_at(bytes, 4),
            sizes: [8, 16, 24, 32].map(|at| i64_at(bytes, at)),
            cpu: i32_at(bytes, 40),
            reserved: u32_at(bytes, 44),
            operands: std::array::from_fn(|at| Operand::parse(&bytes[48 + 32 * at..])),
        }
    }

    /// The request, with what is in the payload.
    #[must_use]
    pub fn frame(&self, payload: &[u8]) -> Vec<u8> {
        frame(self.command, &[&self.to_bytes(), payload].concat())
    }
}

/// Bytes of the commands from 0x30 on before the matrices.
pub const SYSTEM_BYTES: usize = 168;

/// The fixed part of the commands from 0x30 on, with any numbers in its fields.
#[derive(Debug, Clone, Copy)]
pub struct System {
    /// Which one.
    pub command: u8,
    /// Bits.
    pub flags: u32,
    /// The largest number of threads.
    pub threads: u32,
    /// The order of A.
    pub n: i64,
    /// Columns of right-hand sides.
    pub nrhs: i64,
    /// The CPU of the client, or -1.
    pub cpu: i32,
    /// Of kept factors, or 0.
    pub handle: u32,
    /// The largest number of steps of refinement.
    pub steps: u32,
    /// 0.
    pub reserved: u32,
    /// A, B, X, the accuracy.
    pub operands: [Operand; 4],
}

impl System {
    /// All operands that the command has in the payload, but for the accuracy.
    #[must_use]
    pub fn in_payload(command: u8, flags: u32, handle: u32, n: usize, nrhs: usize) -> Self {
        let here = |is_there: bool| if is_there { Operand::PAYLOAD } else { Operand::ABSENT };
        let (solves, inverts) = (command == SOLVE, command == INVERSE);
        let operands = [here(handle == 0), here(solves), here(solves || inverts), Operand::ABSENT];
        let (n, nrhs) = (n as i64, nrhs as i64);
        System { command, flags, threads: 1, n, nrhs, cpu: -1, handle, steps: 0, reserved: 0, operands }
    }

    /// The payload, without the matrices.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut bytes = [self.flags, self.threads].map(u32::to_le_bytes).concat();
        bytes.extend([self.n, self.nrhs].map(i64::to_le_bytes).concat());
        bytes.extend(self.cpu.to_le_bytes());
        bytes.extend([self.handle, self.steps, self.reserved].map(u32::to_le_bytes).concat());
        self.operands.iter().for_each(|operand| bytes.extend(operand.to_bytes()));
        bytes
    }

    /// Reads the fixed part.
    ///
    /// # Panics
    /// If the payload is too short.
    #[must_use]
    pub fn parse(command: u8, bytes: &[u8]) -> Self {
        System {
            command,
            flags: u32_at(bytes, 0),
            threads: u32_at(bytes, 4),
            n: i64_at(bytes, 8),
            nrhs: i64_at(bytes, 16),
            cpu: i32_at(bytes, 24),
            handle: u32_at(bytes, 28),
            steps: u32_at(bytes, 32),
            reserved: u32_at(bytes, 36),
            operands: [40, 72, 104, 136].map(|at| Operand::parse(&bytes[at..])),
        }
    }

    /// The request, with the elements that are in the payload, in their order.
    #[must_use]
    pub fn frame<T: Float>(&self, elements: &[T]) -> Vec<u8> {
        let elements: Vec<u8> = elements.iter().flat_map(|x| x.le_bytes()).collect();
        frame(self.command, &[self.to_bytes(), elements].concat())
    }
}

/// A request to forget kept factors.
#[must_use]
pub fn release(handle: u32) -> Vec<u8> {
    frame(RELEASE, &handle.to_le_bytes())
}

/// The payload of FILES_FACTOR and FILES_SOLVE: flags, P, Q, the size of a block, bytes of the names of A, B, the result and the factors,
/// steps; and the names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Files {
    /// The nine numbers.
    pub fixed: [u32; 9],
    /// What follows them.
    pub names: Vec<u8>,
}

impl Files {
    /// Bytes before the names.
    pub const BYTES: usize = 36;

    /// A request that chooses nothing, without factors; without the name of a B it is FILES_FACTOR.
    #[must_use]
    pub fn of(a: &str, b: &str, result: &str) -> Self {
        let [of_a, of_b, of_result] = [a, b, result].map(|name| name.len() as u32);
        Files { fixed: [0, 0, 0, 0, of_a, of_b, of_result, 0, 0], names: [a, b, result].concat().into_bytes() }
    }

    /// The same with factors that are there.
    #[must_use]
    pub fn with_factors(mut self, prefix: &str) -> Self {
        self.fixed[7] = prefix.len() as u32;
        self.names.extend(prefix.bytes());
        self
    }

    /// The payload.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        [self.fixed.map(u32::to_le_bytes).concat(), self.names.clone()].concat()
    }

    /// Reads a payload, unless it is too short.
    #[must_use]
    pub fn parse(payload: &[u8]) -> Option<Self> {
        let (fixed, names) = payload.split_first_chunk::<{ Self::BYTES }>()?;
        Some(Files { fixed: std::array::from_fn(|at| u32_at(fixed, 4 * at)), names: names.to_vec() })
    }

    /// Whether the fixed part is one of the command.
    #[must_use]
    pub fn is_good(&self, command: u8) -> bool {
        let solves = command == FILES_SOLVE;
        let [flags, rows, columns, _, a, b, result, factors, steps] = self.fixed;
        let is_name = |bytes: u32| (1..=4095).contains(&bytes);
        let flags_are_good = flags & !(if solves { TRANSPOSED } else { 0 }) == 0;
        let b_is_good = if solves { is_name(b) && factors <= 4095 } else { b == 0 && factors == 0 };
        let sizes_are_good = (rows == 0) == (columns == 0) && steps <= u32::from(solves);
        flags_are_good && sizes_are_good && is_name(a) && b_is_good && is_name(result)
    }

    /// Bytes of the names, as the fixed part says.
    #[must_use]
    pub fn name_bytes(&self) -> u64 {
        self.fixed[4..8].iter().map(|&bytes| u64::from(bytes)).sum()
    }
}
