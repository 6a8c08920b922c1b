//! Files with matrices, as `encode` reads them: text and .npy.

use recfact::files::{FileElement, FileError, Matrix, npy as npy_file, text as text_file};

use testing::{Float, bits};

/// What is read as text is the same matrix after it has been printed and read again.
pub fn text(data: &[u8]) {
    check::<f64>(text_file::parse("file", data), print, |name, file| text_file::parse(name, file));
    check::<f32>(text_file::parse("file", data), print, |name, file| text_file::parse(name, file));
}

/// What is read as .npy is the same matrix after it has been written and read again.
pub fn npy(data: &[u8]) {
    let matrix = npy_file::parse("file", data);
    assert!(matrix.is_err() || npy_file::is_npy(data));
    check::<f64>(matrix, write, |name, file| npy_file::parse(name, file));
    check::<f32>(npy_file::parse("file", data), write, |name, file| npy_file::parse(name, file));
}

/// Checks that a message is one line that a terminal can show, and that a matrix is the same once it has been through a file.
fn check<T: FileElement + Float>(
    parsed: Result<Matrix<T>, FileError>,
    file: fn(&Matrix<T>) -> Vec<u8>,
    parse: fn(&str, &[u8]) -> Result<Matrix<T>, FileError>,
) {
    match parsed {
        Ok(a) => {
            let again = parse("again", &file(&a)).expect("a file that was written from a matrix");
            assert_eq!((again.nrows(), again.ncols()), (a.nrows(), a.ncols()));
            assert_eq!(bits(&elements(&again)), bits(&elements(&a)));
        }
        Err(error) => assert!(!error.to_string().contains(char::is_control), "{error:?}"),
    }
}

/// The elements column by column.
fn elements<T: FileElement>(a: &Matrix<T>) -> Vec<T> {
    // An empty matrix can have more columns than a loop has time for.
    let columns = if a.nrows() == 0 { 0 } else { a.ncols() };
    (0..columns).flat_map(|j| (0..a.nrows()).map(move |i| a.get(i, j))).collect()
}

/// A matrix as text.
fn print<T: FileElement>(a: &Matrix<T>) -> Vec<u8> {
    let line = |i| (0..a.ncols()).map(|j| format!("{:?} ", a.get(i, j))).collect::<String>() + "\n";
    (0..a.nrows()).map(line).collect::<String>().into_bytes()
}

/// A matrix as a .npy file of version 1.0, without the padding of the header.
fn write<T: FileElement + Float>(a: &Matrix<T>) -> Vec<u8> {
    let (m, n, bytes) = (a.nrows(), a.ncols(), size_of::<T>());
    let header = format!("{{'descr': '<f{bytes}', 'fortran_order': True, 'shape': ({m}, {n}), }}\n");
    let mut file = b"\x93NUMPY\x01\x00".to_vec();
    file.extend((header.len() as u16).to_le_bytes());
    file.extend(header.bytes());
    file.extend(elements(a).into_iter().flat_map(T::le_bytes));
    file
}
