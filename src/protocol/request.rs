//! The layout of a request: a head, then the elements.

use byteorder::{ByteOrder, LittleEndian};

use super::command::Command;
use super::element::ElementType;
use super::refusal::Refusal;

/// The command that ends a session.
pub const EXIT: u8 = 0xff;

/// Bytes of a request before its matrix: the command, m and n.
pub const HEAD_BYTES: usize = 1 + 8 + 8;

/// The head of a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Head {
    /// What it asks for.
    pub command: Command,
    /// The matrix that follows.
    pub shape: Shape,
}

impl Head {
    /// Reads a head and checks it.
    ///
    /// # Errors
    /// [`Refusal::UnknownCommand`], [`Refusal::BadShape`], [`Refusal::OverLimit`].
    ///
    /// ```
    /// use recfact::protocol::{Command, ElementType, Head, Shape};
    ///
    /// let command = Command::by_name("f64").unwrap();
    /// let head = Head { command, shape: Shape::new(3, 2, ElementType::F64).unwrap() };
    /// assert_eq!(Head::parse(&head.to_bytes(), 48), Ok(head));
    /// assert!(Head::parse(&head.to_bytes(), 47).is_err());
    /// ```
    pub fn parse(head: &[u8; HEAD_BYTES], max_bytes: u64) -> Result<Head, Refusal> {
        let command = Command::from_byte(head[0]).ok_or(Refusal::UnknownCommand(head[0]))?;
        let (m, n) = (LittleEndian::read_i64(&head[1..9]), LittleEndian::read_i64(&head[9..17]));
        let element = command.element();
        let shape = Shape::within(m, n, element, max_bytes)?;
        Ok(Head { command, shape })
    }

    /// Its bytes.
    #[must_use]
    pub fn to_bytes(&self) -> [u8; HEAD_BYTES] {
        let mut head = [0; HEAD_BYTES];
        head[0] = self.command.byte();
        LittleEndian::write_u64(&mut head[1..9], self.shape.m() as u64);
        LittleEndian::write_u64(&mut head[9..17], self.shape.n() as u64);
        head
    }
}

/// The shape of a matrix on the wire. Its sizes are not negative, and its size in bytes fits an `i64`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Shape {
    m: usize,
    n: usize,
    element: ElementType,
}

impl Shape {
    /// An `m` by `n` matrix; `None` if a size is negative, or if the size in bytes does not fit an `i64`.
    #[must_use]
    pub fn new(m: i64, n: i64, element: ElementType) -> Option<Shape> {
        let (m, n) = (usize::try_from(m).ok()?, usize::try_from(n).ok()?);
        let bytes = m.checked_mul(n)?.checked_mul(element.bytes())?;
        i64::try_from(bytes).ok()?;
        Some(Shape { m, n, element })
    }

    /// An `m` by `n` matrix of at most `max_bytes` bytes.
    ///
    /// # Errors
    /// [`Refusal::BadShape`], [`Refusal::OverLimit`].
    pub fn within(m: i64, n: i64, element: ElementType, max_bytes: u64) -> Result<Shape, Refusal> {
        let shape = Shape::new(m, n, element).ok_or(Refusal::BadShape { m, n, element })?;
        let bytes = shape.matrix_bytes() as u64;
        if bytes > max_bytes { Err(Refusal::OverLimit { m, n, bytes, max_bytes }) } else { Ok(shape) }
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
    pub fn element(self) -> ElementType {
        self.element
    }

    /// Bytes of the matrix.
    #[must_use]
    pub fn matrix_bytes(self) -> usize {
        self.m * self.n * self.element.bytes()
    }

    /// The number of pivots, min(m, n).
    #[must_use]
    pub fn pivots(self) -> usize {
        self.m.min(self.n)
    }
}
