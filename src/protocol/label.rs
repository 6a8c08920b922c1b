//! Labels: how `decode` learns what `encode` has sent.
//!
//! A response does not say its shape or its element type. So `encode` puts a request of its own before each matrix: a row
//! of four numbers. Any server returns it unchanged, since the factors of a single row are the row itself. `decode`
//! recognizes it, and learns from it the shape of the next response. A server counts a label as part of the request that
//! it announces.
//!
//! A stack of matrices is announced by two labels: the first has the number of matrices, the second is that of one of them.

use byteorder::{ByteOrder, LittleEndian};

use super::batch_operand::BatchKind;
use super::command::{Command, FrameCommand};
use super::element::ElementType;
use super::request::{HEAD_BYTES, Head, Shape};

/// The first number of a label: finite, not zero, and not the result of any likely computation.
const MAGIC: f64 = f64::from_bits(u64::from_be_bytes(*b"RecFact\x01"));

/// The largest size that a label can carry: all integers up to here are exact as f64.
const MAX_SIZE: usize = 1 << 53;

/// Bytes of the request that is a label.
pub const REQUEST_BYTES: usize = HEAD_BYTES + MATRIX_BYTES;

/// Bytes of the response to a label after its `info`: four numbers, one swap.
pub const ROW_BYTES: usize = MATRIX_BYTES + 8;

const MATRIX_BYTES: usize = 4 * 8;

/// The second number of the first label of a stack.
const STACK: u8 = FrameCommand::Batch(BatchKind::Factor).byte();

/// What a label says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Label {
    /// The next response is that of a matrix of this shape; after the label of a stack, that of matrices of this shape.
    Matrix(Shape),
    /// The next response is that of a stack with this number of matrices. Their label follows.
    Stack(usize),
}

/// The head of a label.
fn head() -> Head {
    let shape = Shape::new(1, 4, ElementType::F64).expect("a small shape");
    Head { command: Command::NAMES[0].1, shape }
}

/// The request that announces a version 1 request, or after [`announce_stack`] the matrices of a stack; `None` if a size is
/// too large for a label.
#[must_use]
pub fn announce(announced: &Head) -> Option<[u8; REQUEST_BYTES]> {
    request(announced.command.byte(), [announced.shape.m(), announced.shape.n()])
}

/// The first of the two requests that announce a stack of `count` matrices; `None` if they are too many for a label.
#[must_use]
pub fn announce_stack(count: usize) -> Option<[u8; REQUEST_BYTES]> {
    request(STACK, [count, 0])
}

/// A label with these numbers.
fn request(command: u8, sizes: [usize; 2]) -> Option<[u8; REQUEST_BYTES]> {
    if sizes.into_iter().max() > Some(MAX_SIZE) {
        return None;
    }
    let mut request = [0; REQUEST_BYTES];
    let (start, matrix) = request.split_at_mut(HEAD_BYTES);
    start.copy_from_slice(&head().to_bytes());
    LittleEndian::write_f64_into(&[MAGIC, f64::from(command), sizes[0] as f64, sizes[1] as f64], matrix);
    Some(request)
}

/// Whether a request with this head and these elements, of which the first are enough, is a label.
#[must_use]
pub fn is_label(request: &Head, elements: &[u8]) -> bool {
    *request == head() && begins(elements)
}

/// Whether these are the first elements of a label.
#[must_use]
pub fn begins(elements: &[u8]) -> bool {
    elements.starts_with(&MAGIC.to_le_bytes())
}

/// What a response announces, if it is the response to a label; `row` holds its bytes after `info`.
#[must_use]
pub fn parse(row: &[u8]) -> Option<Label> {
    let mut numbers = [0.0; 4];
    LittleEndian::read_f64_into(row.get(..MATRIX_BYTES)?, &mut numbers);
    let [magic, command, m, n] = numbers;
    let whole = |x: f64| (x.fract() == 0.0 && (0.0..=MAX_SIZE as f64).contains(&x)).then_some(x as i64);
    if magic.to_bits() != MAGIC.to_bits() {
        return None;
    }
    let (command, m, n) = (u8::try_from(whole(command)?).ok()?, whole(m)?, whole(n)?);
    if command == STACK {
        return (n == 0).then_some(Label::Stack(usize::try_from(m).ok()?));
    }
    Shape::new(m, n, Command::from_byte(command)?.element()).map(Label::Matrix)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_label_tells_the_shape_that_it_announces() {
        for ((_, command), (m, n)) in
            Command::NAMES.into_iter().zip([(0, 0), (1, 1), (7, 3), (1 << 40, 2), (3, 1 << 20)])
        {
            let announced = Head { command, shape: Shape::new(m, n, command.element()).unwrap() };
            let request = announce(&announced).unwrap();
            let (start, row) = request.split_first_chunk().unwrap();
            assert!(is_label(&Head::parse(start, 32).unwrap(), row));
            assert_eq!(parse(row), Some(Label::Matrix(announced.shape)));
        }
    }

    #[test]
    fn the_first_label_of_a_stack_tells_how_many_matrices_it_has() {
        for count in [0, 1, 1000, MAX_SIZE] {
            let request = announce_stack(count).unwrap();
            let (start, row) = request.split_first_chunk().unwrap();
            assert!(is_label(&Head::parse(start, 32).unwrap(), row));
            assert_eq!(parse(row), Some(Label::Stack(count)));
        }
        assert_eq!(announce_stack(MAX_SIZE + 1), None);
    }

    #[test]
    fn another_row_of_four_numbers_is_no_label() {
        assert_eq!(parse(&[0; ROW_BYTES]), None);
        assert_eq!(parse(&[0xff; ROW_BYTES]), None);
        assert!(!is_label(&head(), &[0; 8]));
        let (name, command) = Command::NAMES[0];
        let wide = Head { command, shape: Shape::new(0, MAX_SIZE as i64 + 1, ElementType::F64).expect(name) };
        assert_eq!(announce(&wide), None);
    }
}
