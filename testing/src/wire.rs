//! Version 1 frames, written by hand from protocol.md: what a server must be sent, and what it must answer.

use crate::oracle::{Float, naive_lu};

/// The first bytes of a request.
#[must_use]
pub fn header(command: u8, m: i64, n: i64) -> Vec<u8> {
    [&[command][..], &m.to_le_bytes(), &n.to_le_bytes()].concat()
}

/// A whole request.
#[must_use]
pub fn request<T: Float>(command: u8, m: usize, n: usize, a: &[T]) -> Vec<u8> {
    let mut frame = header(command, m as i64, n as i64);
    a.iter().for_each(|x| frame.extend(x.le_bytes()));
    frame
}

/// The response that the naive triple loop gives.
#[must_use]
pub fn expected<T: Float>(command: u8, m: usize, n: usize, a: &[T]) -> Vec<u8> {
    let naive = naive_lu(a, m, n, command & 4 == 0);
    let mut frame = naive.info.to_le_bytes().to_vec();
    naive.lu.iter().for_each(|x| frame.extend(x.le_bytes()));
    naive.ipiv.iter().for_each(|row| frame.extend(row.to_le_bytes()));
    frame
}
