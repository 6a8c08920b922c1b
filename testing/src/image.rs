//! Bytes as they are expected, among them numbers whose bits are not promised.

use crate::oracle::Float;

/// What is known of a byte.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Mark {
    Known,
    /// It may be any.
    Any,
    /// It may be any, and with those before it that many bytes are a NaN.
    EndOfNan(u8),
}

/// Bytes that are expected. A NaN may have any sign and payload.
#[derive(Debug, Clone, Default)]
pub struct Image {
    bytes: Vec<u8>,
    marks: Vec<Mark>,
}

impl From<Vec<u8>> for Image {
    fn from(bytes: Vec<u8>) -> Self {
        Image { marks: vec![Mark::Known; bytes.len()], bytes }
    }
}

impl Image {
    /// The number of bytes.
    #[must_use]
    pub fn len(&self) -> usize {
        self.bytes.len()
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.bytes.is_empty()
    }

    /// The bytes, with some NaN where any would do.
    #[must_use]
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// Adds bytes.
    pub fn extend(&mut self, bytes: &[u8]) {
        self.bytes.extend(bytes);
        self.marks.resize(self.bytes.len(), Mark::Known);
    }

    /// Adds an element.
    pub fn extend_element<T: Float>(&mut self, x: T) {
        let at = self.len();
        self.extend(&[0; 8][..size_of::<T>()]);
        self.write_element(at, x);
    }

    /// Writes bytes.
    ///
    /// # Panics
    /// If they reach over the end.
    pub fn write(&mut self, at: usize, bytes: &[u8]) {
        self.bytes[at..][..bytes.len()].copy_from_slice(bytes);
        self.marks[at..][..bytes.len()].fill(Mark::Known);
    }

    /// Writes an element.
    ///
    /// # Panics
    /// If it reaches over the end.
    pub fn write_element<T: Float>(&mut self, at: usize, x: T) {
        self.write(at, &x.le_bytes());
        if x.into().is_nan() {
            let size = size_of::<T>();
            self.forget(at, size);
            self.marks[at + size - 1] = Mark::EndOfNan(size as u8);
        }
    }

    /// From now on these bytes may be any.
    ///
    /// # Panics
    /// If they reach over the end.
    pub fn forget(&mut self, at: usize, count: usize) {
        self.marks[at..][..count].fill(Mark::Any);
    }

    /// The element here; `None` if it cannot be told.
    ///
    /// # Panics
    /// If it reaches over the end.
    #[must_use]
    pub fn element<T: Float>(&self, at: usize) -> Option<T> {
        let (size, end) = (size_of::<T>(), at + size_of::<T>());
        let is_known = self.marks[at..end].iter().all(|&mark| mark == Mark::Known);
        let is_nan = self.marks[end - 1] == Mark::EndOfNan(size as u8) && self.is_nan(end);
        (is_known || is_nan).then(|| T::from_le(&self.bytes[at..end]))
    }

    /// These bytes; `None` if one of them cannot be told.
    ///
    /// # Panics
    /// If they reach over the end.
    #[must_use]
    pub fn known(&self, at: usize, count: usize) -> Option<&[u8]> {
        let is_known = self.marks[at..][..count].iter().all(|&mark| mark == Mark::Known);
        is_known.then(|| &self.bytes[at..][..count])
    }

    /// Whether the bytes before this one are a NaN of which nothing has been overwritten.
    fn is_nan(&self, end: usize) -> bool {
        let Mark::EndOfNan(size) = self.marks[end - 1] else { return false };
        self.marks[end - usize::from(size)..end - 1].iter().all(|&mark| mark == Mark::Any)
    }

    /// The first byte that is not as expected; `None` if all are.
    #[must_use]
    pub fn mismatch(&self, actual: &[u8]) -> Option<usize> {
        let good = |at: usize| match self.marks[at] {
            Mark::Known => self.bytes[at] == actual[at],
            Mark::Any => true,
            Mark::EndOfNan(_) if !self.is_nan(at + 1) => true,
            Mark::EndOfNan(4) => f32::from_le(&actual[at - 3..=at]).is_nan(),
            Mark::EndOfNan(_) => f64::from_le(&actual[at - 7..=at]).is_nan(),
        };
        let common = self.len().min(actual.len());
        (0..common).find(|&at| !good(at)).or((self.len() != actual.len()).then_some(common))
    }
}
