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
    /// A matrix or a vector, whose elements are given column by column.
    ///
    /// # Panics
    /// If the shape has other than one or two sizes, or not as many elements.
    #[must_use]
    pub fn of<T: Float>(is_fortran: bool, shape: &[usize], a: &[T]) -> Self {
        let (m, n) = sizes(shape);
        assert_eq!(a.len(), m * n);
        let data = if is_fortran {
            a.iter().flat_map(|x| x.le_bytes()).collect()
        } else {
            (0..m).flat_map(|i| (0..n).flat_map(move |j| a[i + j * m].le_bytes())).collect()
        };
        Npy { descr: format!("<f{}", size_of::<T>()), is_fortran, shape: shape.to_vec(), data }
    }

    /// The bytes before the elements.
    #[must_use]
    pub fn header(&self) -> Vec<u8> {
        let order = if self.is_fortran { "True" } else { "False" };
        let shape: String = self.shape.iter().map(|size| format!("{size}, ")).collect();
        let mut header = format!("{{'descr': '{}', 'fortran_order': {order}, 'shape': ({shape}), }}", self.descr);
        while (10 + header.len() + 1) % 64 != 0 {
            header.push(' ');
        }
        header.push('\n');
        [b"\x93NUMPY\x01\x00", &(header.len() as u16).to_le_bytes()[..], header.as_bytes()].concat()
    }

    /// The file.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        [self.header(), self.data.clone()].concat()
    }

    /// Reads a file.
    ///
    /// # Panics
    /// If it is none.
    #[must_use]
    pub fn parse(file: &[u8]) -> Self {
        assert!(file.starts_with(b"\x93NUMPY\x01\x00"), "a .npy file of version 1");
        let (start, data) = file.split_at(10 + usize::from(u16::from_le_bytes([file[8], file[9]])));
        let header = String::from_utf8_lossy(&start[10..]).into_owned();
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
        let (m, n) = sizes(&self.shape);
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

/// Rows and columns.
fn sizes(shape: &[usize]) -> (usize, usize) {
    match *shape {
        [m] => (m, 1),
        [m, n] => (m, n),
        _ => panic!("expected a matrix or a vector, got {shape:?}"),
    }
}
