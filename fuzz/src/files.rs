//! Files with matrices, as `encode` reads them: text and .npy.

use recfact::files::{Array, FileElement, FileError, npy as npy_file, text as text_file};

use testing::{Float, bits};

/// What is read as text is the same matrix after it has been printed and read again.
pub fn text(data: &[u8]) {
    check::<f64>(text_file::parse("file", data), print, |name, file| text_file::parse(name, file));
    check::<f32>(text_file::parse("file", data), print, |name, file| text_file::parse(name, file));
}

/// What is read as .npy is the same array after it has been written and read again.
pub fn npy(data: &[u8]) {
    let array = npy_file::parse("file", data);
    assert!(array.is_err() || npy_file::is_npy(data));
    check::<f64>(array, write, |name, file| npy_file::parse(name, file));
    check::<f32>(npy_file::parse("file", data), write, |name, file| npy_file::parse(name, file));
}

/// Checks that a message is one line that a terminal can show, and that an array is the same once it has been through a file.
fn check<T: FileElement + Float>(
    parsed: Result<Array<T>, FileError>,
    file: fn(&Array<T>) -> Vec<u8>,
    parse: fn(&str, &[u8]) -> Result<Array<T>, FileError>,
) {
    match parsed {
        Ok(a) => {
            let again = parse("again", &file(&a)).expect("a file that was written from an array");
            assert_eq!(again.grid().shape(), a.grid().shape());
            assert_eq!(bits(&elements(&again)), bits(&elements(&a)));
        }
        Err(error) => assert!(!error.to_string().contains(char::is_control), "{error:?}"),
    }
}

/// The elements in Fortran order.
fn elements<T: FileElement>(a: &Array<T>) -> Vec<T> {
    // An empty array can have more columns than a loop has time for.
    let [count, m, n] = if a.grid().is_empty() { [0; 3] } else { a.grid().sides() };
    let matrices = |i, j| (0..count).map(move |k| a.get(k, i, j));
    (0..n).flat_map(|j| (0..m).flat_map(move |i| matrices(i, j))).collect()
}

/// A matrix as text.
fn print<T: FileElement>(a: &Array<T>) -> Vec<u8> {
    let [_, m, n] = a.grid().sides();
    let line = |i| (0..n).map(|j| format!("{:?} ", a.get(0, i, j))).collect::<String>() + "\n";
    (0..m).map(line).collect::<String>().into_bytes()
}

/// An array as a .npy file of version 1.0, without the padding of the header.
fn write<T: FileElement + Float>(a: &Array<T>) -> Vec<u8> {
    let sizes: String = a.grid().shape().iter().map(|size| format!("{size}, ")).collect();
    let header = format!("{{'descr': '<f{}', 'fortran_order': True, 'shape': ({sizes}), }}\n", size_of::<T>());
    let mut file = b"\x93NUMPY\x01\x00".to_vec();
    file.extend((header.len() as u16).to_le_bytes());
    file.extend(header.bytes());
    file.extend(elements(a).into_iter().flat_map(T::le_bytes));
    file
}
