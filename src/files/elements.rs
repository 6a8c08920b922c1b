//! A vector that grows without moving what it holds.
//!
//! A `Vec` that grows holds its old and its new memory at once, up to three times what it needs, and ends the process if
//! the system refuses. Matrices of the size of the memory are read into chunks of 1 MiB instead: each is asked for when
//! the elements for it are there, so that memory grows with what comes and never with what a header claims, and a
//! refusal is an error.

use std::collections::TryReserveError;
use std::io::{self, Read};

use bytemuck::Pod;

/// Bytes of a chunk.
const CHUNK_BYTES: usize = 1 << 20;

/// Elements in chunks of 1 MiB.
#[derive(Debug, Clone)]
pub struct Elements<T> {
    /// All but the last are full.
    chunks: Vec<Vec<T>>,
    len: usize,
}

impl<T> Default for Elements<T> {
    fn default() -> Self {
        Elements { chunks: Vec::new(), len: 0 }
    }
}

impl<T: Pod> Elements<T> {
    const PER_CHUNK: usize = CHUNK_BYTES / size_of::<T>();

    /// Elements held.
    #[must_use]
    pub fn len(&self) -> usize {
        self.len
    }

    /// Whether none is held.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Bytes of what is held and one chunk more, which the system is asked for next; for a message.
    #[must_use]
    pub fn bytes_to_grow(&self) -> usize {
        self.len * size_of::<T>() + CHUNK_BYTES
    }

    /// Appends an element.
    ///
    /// # Errors
    /// If the system refuses memory.
    pub fn push(&mut self, element: T) -> Result<(), TryReserveError> {
        match self.chunks.last_mut() {
            Some(chunk) if chunk.len() < Self::PER_CHUNK => chunk.push(element),
            _ => self.add_chunk()?.push(element),
        }
        self.len += 1;
        Ok(())
    }

    /// Reads `count` elements, their bytes as they come. Returns the number of bytes beside them: fewer than those of
    /// `count` elements if the input ended, and then the elements are those of whole chunks.
    ///
    /// # Errors
    /// [`io::ErrorKind::OutOfMemory`] if the system refuses memory, and those of `input`.
    pub fn read(input: &mut impl Read, count: usize) -> io::Result<(Self, usize)> {
        let (mut elements, mut bytes) = (Elements::default(), 0);
        while elements.len < count {
            let expected = (count - elements.len).min(Self::PER_CHUNK);
            let chunk = elements.add_chunk()?;
            chunk.resize(expected, T::zeroed());
            let got = fill(input, bytemuck::cast_slice_mut(chunk))?;
            bytes += got;
            if got < size_of_val(&chunk[..]) {
                elements.chunks.pop();
                break;
            }
            elements.len += expected;
        }
        Ok((elements, bytes))
    }

    /// The elements in order, in slices.
    pub fn slices(&self) -> impl Iterator<Item = &[T]> {
        self.chunks.iter().map(Vec::as_slice)
    }

    /// The same, to be changed.
    pub fn slices_mut(&mut self) -> impl Iterator<Item = &mut [T]> {
        self.chunks.iter_mut().map(Vec::as_mut_slice)
    }

    /// Element `index`, counted from 0.
    ///
    /// # Panics
    /// If there is no such element.
    #[must_use]
    pub fn get(&self, index: usize) -> T {
        self.chunks[index / Self::PER_CHUNK][index % Self::PER_CHUNK]
    }

    /// A new chunk, empty, with memory for all of its elements.
    fn add_chunk(&mut self) -> Result<&mut Vec<T>, TryReserveError> {
        self.chunks.try_reserve(1)?;
        let mut chunk = Vec::new();
        chunk.try_reserve_exact(Self::PER_CHUNK)?;
        self.chunks.push(chunk);
        Ok(self.chunks.last_mut().expect("one was pushed"))
    }
}

/// Fills a buffer, however the bytes are split into reads. Returns how many came before the input ended.
///
/// # Errors
/// Those of `input`.
pub fn fill(input: &mut impl Read, buf: &mut [u8]) -> io::Result<usize> {
    let mut filled = 0;
    while filled < buf.len() {
        match input.read(&mut buf[filled..]) {
            Ok(0) => break,
            Ok(got) => filled += got,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(filled)
}

#[cfg(test)]
mod tests {
    use super::*;

    const PER_CHUNK: usize = CHUNK_BYTES / size_of::<u16>();

    #[test]
    fn elements_are_found_again_whichever_way_they_came() {
        let expected: Vec<u16> = (0..2 * PER_CHUNK + 3).map(|i| (i * 7) as u16).collect();
        let mut pushed = Elements::default();
        expected.iter().for_each(|&x| pushed.push(x).unwrap());
        let bytes: &[u8] = bytemuck::cast_slice(&expected);
        let (read, got) = Elements::read(&mut &bytes[..], expected.len()).unwrap();
        assert_eq!(got, bytes.len());
        for elements in [pushed, read] {
            assert_eq!(elements.len(), expected.len());
            assert_eq!(elements.slices().flatten().copied().collect::<Vec<_>>(), expected);
            for i in [0, 1, PER_CHUNK - 1, PER_CHUNK, 2 * PER_CHUNK - 1, 2 * PER_CHUNK, 2 * PER_CHUNK + 2] {
                assert_eq!(elements.get(i), expected[i]);
            }
        }
    }

    #[test]
    fn a_claim_without_bytes_takes_no_memory() {
        let (elements, bytes) = Elements::<u64>::read(&mut &[0; 100][..], usize::MAX).unwrap();
        assert_eq!((elements.len(), elements.chunks.len(), bytes), (0, 0, 100));
    }
}
