//! Arrays in .npy files, written and read by hand from the format's description.

use crate::oracle::Float;

/// An array as it lies in a file. Its fields may say what they like.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Npy {
    /// The type of the elements, as NumPy spells it: `<f8`.
    pub descr: String,
    /// Whether they follow each other in Fortran order.
    pub is_fortran: bool,
    /// The sizes.
    pub shape: Vec<usize>,
    /// The bytes of the elements.
    pub data: Vec<u8>,
}

impl Npy {
    /// A vector, a matrix, or matrices one after the other, whose elements are given column by column.
    ///
    /// # Panics
    /// If the shape has other than one to three sizes, or not as many elements.
    #[must_use]
    pub fn of<T: Float>(is_fortran: bool, shape: &[usize], a: &[T]) -> Self {
        let [count, m, n] = sizes(shape);
        assert_eq!(a.len(), count * m * n);
        let at = |k: usize, i: usize, j: usize| a[k * m * n + j * m + i].le_bytes();
        let data = if is_fortran {
            (0..n).flat_map(|j| (0..m).flat_map(move |i| (0..count).flat_map(move |k| at(k, i, j)))).collect()
        } else {
            (0..count).flat_map(|k| (0..m).flat_map(move |i| (0..n).flat_map(move |j| at(k, i, j)))).collect()
        };
        Npy { descr: format!("<f{}", size_of::<T>()), is_fortran, shape: shape.to_vec(), data }
    }

    /// A vector of integers.
    #[must_use]
    pub fn of_integers(integers: &[i64]) -> Self {
        let data = integers.iter().flat_map(|integer| integer.to_le_bytes()).collect();
        Npy { descr: "<i8".into(), is_fortran: true, shape: vec![integers.len()], data }
    }

    /// The bytes before the elements.
    #[must_use]
    pub fn header(&self) -> Vec<u8> {
        self.file(&[])
    }

    /// The file.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        self.file(&self.data)
    }

    fn file(&self, data: &[u8]) -> Vec<u8> {
        let shape: String = self.shape.iter().map(|size| format!("{size}, ")).collect();
        file(&self.descr, self.is_fortran, &format!("({shape})"), data)
    }

    /// Reads a file.
    ///
    /// # Panics
    /// If it is none.
    #[must_use]
    pub fn parse(file: &[u8]) -> Self {
        assert!(file.starts_with(b"\x93NUMPY\x01\x00"), "a .npy file of version 1");
        let (header, data) = parts(file);
        let after = |key: &str, end: char| {
            let value = header.split_once(&format!("'{key}': ")).expect("a header has this key").1;
            value.split(end).next().unwrap_or(value).to_owned()
        };
        let shape = after("shape", ')').trim_start_matches('(').to_owned();
        let shape = shape.split(',').map(str::trim).filter(|size| !size.is_empty());
        Npy {
            descr: after("descr", ',').trim_matches('\'').to_owned(),
            is_fortran: after("fortran_order", ',') == "True",
            shape: shape.map(|size| size.parse().expect("a size")).collect(),
            data: data.to_vec(),
        }
    }

    /// The elements of a matrix or a vector, column by column.
    ///
    /// # Panics
    /// If it has elements of another type, or not as many as its shape says.
    #[must_use]
    pub fn columns<T: Float>(&self) -> Vec<T> {
        assert_eq!(self.descr, format!("<f{}", size_of::<T>()));
        assert!(self.shape.len() <= 2, "expected a matrix or a vector, got {:?}", self.shape);
        let [_, m, n] = sizes(&self.shape);
        let elements: Vec<T> = self.data.chunks_exact(size_of::<T>()).map(T::from_le).collect();
        assert_eq!(elements.len(), m * n);
        let at = |i: usize, j: usize| if self.is_fortran { i + j * m } else { i * n + j };
        (0..n).flat_map(|j| (0..m).map(move |i| at(i, j))).map(|at| elements[at]).collect()
    }

    /// The elements of a vector of integers.
    ///
    /// # Panics
    /// If it is none.
    #[must_use]
    pub fn integers(&self) -> Vec<i64> {
        let (elements, rest) = self.data.as_chunks();
        assert!(self.descr == "<i8" && self.shape == [elements.len()] && rest.is_empty(), "a vector of integers");
        elements.iter().map(|&bytes| i64::from_le_bytes(bytes)).collect()
    }
}

/// Matrices, rows and columns.
fn sizes(shape: &[usize]) -> [usize; 3] {
    match *shape {
        [m] => [1, m, 1],
        [m, n] => [1, m, n],
        [count, m, n] => [count, m, n],
        _ => panic!("expected a vector, a matrix or matrices, got {shape:?}"),
    }
}

/// A file whose header and data say what they like. The shape is a tuple as Python writes it.
#[must_use]
pub fn file(descr: &str, is_fortran: bool, shape: &str, data: &[u8]) -> Vec<u8> {
    let order = if is_fortran { "True" } else { "False" };
    let mut header = format!("{{'descr': '{descr}', 'fortran_order': {order}, 'shape': {shape}, }}");
    while (10 + header.len() + 1) % 64 != 0 {
        header.push(' ');
    }
    header.push('\n');
    [b"\x93NUMPY\x01\x00", &(header.len() as u16).to_le_bytes()[..], header.as_bytes(), data].concat()
}

/// The header of a file, and what follows it.
///
/// # Panics
/// If the file is shorter than it says.
#[must_use]
pub fn parts(file: &[u8]) -> (String, &[u8]) {
    let (start, data) = file.split_at(10 + usize::from(u16::from_le_bytes([file[8], file[9]])));
    (String::from_utf8_lossy(&start[10..]).into_owned(), data)
}
