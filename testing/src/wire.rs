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

/// Makes every NaN the same in the responses to requests with these commands and shapes, since which NaN comes out is not
/// promised. What follows the last response stays.
///
/// # Panics
/// If there are too few bytes.
pub fn unify_nan(responses: &mut [u8], requests: impl IntoIterator<Item = (u8, usize, usize)>) {
    fn typed<T: Float>(elements: &mut [u8]) {
        for bytes in elements.chunks_exact_mut(size_of::<T>()) {
            let x: f64 = T::from_le(bytes).into();
            if x.is_nan() {
                bytes.fill(0xff);
            }
        }
    }
    let mut rest = responses;
    for (command, m, n) in requests {
        let (size, unify): (_, fn(&mut [u8])) = match command & 1 {
            0 => (size_of::<f64>(), typed::<f64>),
            _ => (size_of::<f32>(), typed::<f32>),
        };
        let (elements, after) = rest[8..].split_at_mut(m * n * size);
        unify(elements);
        rest = &mut after[8 * m.min(n)..];
    }
}
