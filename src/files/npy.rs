//! Matrices as .npy files.

use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::Path;

use byteorder::{ByteOrder, LittleEndian};
use nalgebra::DMatrix;
use npyz::{DType, Deserialize, NpyFile, Order, TypeChar, TypeRead, TypeStr, WriterBuilder};

use super::{FileElement, FileError, quote};

const MAGIC: &[u8] = b"\x93NUMPY";

/// Whether a file is a .npy file, by its first bytes.
pub fn is_npy(bytes: &[u8]) -> bool {
    bytes.starts_with(MAGIC)
}

/// Parses a matrix of real numbers; `name` is the file, for messages.
pub fn parse<T: FileElement>(name: &str, bytes: &[u8]) -> Result<DMatrix<T>, FileError> {
    let fail = |message: String| FileError::new(name, message);
    if !holds_header(bytes) {
        return Err(fail("expected a .npy header, got the end of the file inside it".into()));
    }
    let mut rest = bytes;
    let npy = NpyFile::new(&mut rest).map_err(|error| {
        let reason = error.to_string();
        fail(format!("expected a .npy header, got one with {}", quote(reason.lines().next().unwrap_or_default())))
    })?;
    let &[m, n] = npy.shape() else {
        return Err(fail(format!("expected an array of two dimensions, got shape {:?}", npy.shape())));
    };
    let (order, dtype) = (npy.order(), npy.dtype());
    let data = npy.into_inner();
    let (element, bytes_each) = real_number(&dtype).ok_or_else(|| {
        fail(format!("expected elements of f4, f8, integers or bool, got dtype {}", quote(&dtype.descr())))
    })?;
    // The shape is checked against the bytes that are there before anything is allocated by it.
    let count = usize::try_from(m).ok().zip(usize::try_from(n).ok()).and_then(|(m, n)| m.checked_mul(n));
    let (Some(count), Some(size)) = (count, count.and_then(|count| count.checked_mul(bytes_each))) else {
        return Err(fail(format!("expected a shape that fits into memory, got {m} x {n}")));
    };
    if data.len() != size {
        return Err(fail(format!("expected {size} bytes of elements for {m} x {n}, got {}", data.len())));
    }
    let elements = elements(element, bytes_each, data, count).map_err(fail)?;
    let (m, n) = (m as usize, n as usize);
    Ok(match order {
        Order::Fortran => DMatrix::from_vec(m, n, elements),
        Order::C => DMatrix::from_row_iterator(m, n, elements),
    })
}

/// Whether the file has as many bytes as its header claims to have.
fn holds_header(bytes: &[u8]) -> bool {
    let claimed = match bytes.get(MAGIC.len()..MAGIC.len() + 6) {
        Some(&[1, _, low, high, ..]) => 10 + usize::from(u16::from_le_bytes([low, high])),
        Some(version) => 12 + LittleEndian::read_u32(&version[2..]) as usize,
        None => return false,
    };
    claimed <= bytes.len()
}

/// The type and size of an element, if it is a real number.
fn real_number(dtype: &DType) -> Option<(&TypeStr, usize)> {
    let DType::Plain(element) = dtype else { return None };
    let bytes = element.num_bytes()?;
    match (element.type_char(), bytes) {
        (TypeChar::Float, 4 | 8) | (TypeChar::Int | TypeChar::Uint, 1 | 2 | 4 | 8) | (TypeChar::Bool, 1) => {
            Some((element, bytes))
        }
        _ => None,
    }
}

/// The elements in the order of the file; `element` and `bytes_each` are those of [`real_number`].
fn elements<T: FileElement>(element: &TypeStr, bytes_each: usize, data: &[u8], count: usize) -> Result<Vec<T>, String> {
    match (element.type_char(), bytes_each) {
        (TypeChar::Float, 8) => convert(element, data, count, |x: f64| x),
        (TypeChar::Float, _) => convert(element, data, count, |x: f32| x.into()),
        (TypeChar::Int, 8) => convert(element, data, count, |x: i64| x as f64),
        (TypeChar::Int, 4) => convert(element, data, count, |x: i32| x.into()),
        (TypeChar::Int, 2) => convert(element, data, count, |x: i16| x.into()),
        (TypeChar::Int, _) => convert(element, data, count, |x: i8| x.into()),
        (TypeChar::Uint, 8) => convert(element, data, count, |x: u64| x as f64),
        (TypeChar::Uint, 4) => convert(element, data, count, |x: u32| x.into()),
        (TypeChar::Uint, 2) => convert(element, data, count, |x: u16| x.into()),
        (TypeChar::Uint, _) => convert(element, data, count, |x: u8| x.into()),
        _ => convert(element, data, count, |x: bool| u8::from(x).into()),
    }
}

/// Reads elements of type `E` and rounds them to `T`; a finite number must stay one.
fn convert<T: FileElement, E: Deserialize>(
    element: &TypeStr,
    mut data: &[u8],
    count: usize,
    to: fn(E) -> f64,
) -> Result<Vec<T>, String> {
    let reader = E::reader(&DType::Plain(element.clone())).map_err(|error| error.to_string())?;
    let mut one = |at: usize| {
        let x = to(reader.read_one(&mut data).map_err(|error| format!("element {at}: {error}"))?);
        let rounded = T::from_f64(x);
        if rounded.is_infinite() && x.is_finite() {
            return Err(format!("element {at}: expected a number in the range of {}, got {x:e}", T::TYPE.name()));
        }
        Ok(rounded)
    };
    (1..=count).map(&mut one).collect()
}

/// Writes a column-major array.
pub fn write<E: npyz::AutoSerialize>(
    path: &Path,
    shape: &[u64],
    elements: impl IntoIterator<Item = E>,
) -> io::Result<()> {
    let save = || -> io::Result<()> {
        let mut file = BufWriter::new(File::create(path)?);
        let mut writer = npyz::WriteOptions::new()
            .default_dtype()
            .shape(shape)
            .order(Order::Fortran)
            .writer(&mut file)
            .begin_nd()?;
        writer.extend(elements)?;
        writer.finish()?;
        file.flush()
    };
    save()
}
