//! Labels: how `decode` learns what `encode` has sent.
//!
//! A response does not say its shape or its element type. So `encode` puts a request of its own before each matrix:
//! a row of four numbers, which comes back from any server as it was sent, for the factorization of a single row
//! changes none of them. `decode` takes it for what it is and reads the next response by it.

use byteorder::{ByteOrder, LittleEndian};
use nalgebra::DMatrix;
use recfact::protocol::{Command, Shape};

use super::encode::request;

/// The first number of a label: finite, not zero, and not one that anybody computes.
const MAGIC: f64 = f64::from_bits(u64::from_be_bytes(*b"RecFact\x01"));

/// Bytes of the response to a label after its info: four numbers, one swap.
pub(super) const ROW_BYTES: usize = 4 * 8 + 8;

/// The largest size that a label can carry: whole numbers up to here are numbers of its element type.
const LARGEST: usize = 1 << 53;

/// The request that announces an `m` by `n` matrix of a command, unless a size is too large for a label.
pub(super) fn announce(command: Command, m: usize, n: usize) -> Option<Vec<u8>> {
    let row = [MAGIC, f64::from(command.byte()), m as f64, n as f64];
    (m.max(n) <= LARGEST).then(|| request(Command::NAMES[0].1, &DMatrix::from_row_slice(1, 4, &row)))
}

/// Whether these are the first elements of a label.
pub(super) fn begins(elements: &[u8]) -> bool {
    elements.starts_with(&MAGIC.to_le_bytes())
}

/// The shape that a response announces, if it is that of a label; `row` is what comes after its info.
pub(super) fn parse(row: &[u8]) -> Option<Shape> {
    let mut numbers = [0.0; 4];
    LittleEndian::read_f64_into(row.get(..32)?, &mut numbers);
    let [magic, command, m, n] = numbers;
    let whole = |x: f64| (x.fract() == 0.0 && (0.0..=LARGEST as f64).contains(&x)).then_some(x as i64);
    if magic.to_bits() != MAGIC.to_bits() {
        return None;
    }
    let command = Command::from_byte(u8::try_from(whole(command)?).ok()?)?;
    Shape::new(whole(m)?, whole(n)?, command.precision())
}

#[cfg(test)]
mod tests {
    use super::*;
    use recfact::protocol::INFO_BYTES;
    use recfact::server::{Limits, serve};

    #[test]
    fn a_label_comes_back_from_a_server_as_it_was_sent() {
        for ((_, command), (m, n)) in
            Command::NAMES.into_iter().zip([(0, 0), (1, 1), (7, 3), (1 << 40, 2), (3, 1 << 20)])
        {
            let mut response = Vec::new();
            serve(&announce(command, m, n).unwrap()[..], &mut response, &Limits { max_bytes: 32, threads: 1 }).unwrap();
            assert_eq!(response.len(), INFO_BYTES + ROW_BYTES);
            let shape = parse(&response[INFO_BYTES..]).unwrap();
            assert_eq!((shape.m(), shape.n(), shape.precision()), (m, n, command.precision()));
        }
    }

    #[test]
    fn another_row_of_four_numbers_is_no_label() {
        assert_eq!(parse(&[0; ROW_BYTES]), None);
        assert_eq!(parse(&[0xff; ROW_BYTES]), None);
        assert_eq!(announce(Command::NAMES[0].1, LARGEST + 1, 0), None);
    }
}
