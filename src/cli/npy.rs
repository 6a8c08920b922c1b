//! Matrices as .npy files.

use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::Path;

use nalgebra::DMatrix;
use npyz::{DType, Deserialize, NpyFile, Order, WriterBuilder};

use super::Failure;
use super::real::CliReal;

/// Whether a file is a .npy file, by its first bytes.
pub(super) fn is_npy(bytes: &[u8]) -> bool {
    bytes.starts_with(b"\x93NUMPY")
}

/// Parses a matrix of any real type; `name` is the file, for messages.
pub(super) fn parse<T: CliReal>(name: &str, bytes: &[u8]) -> Result<DMatrix<T>, Failure> {
    let fail = |message: String| Failure::data(name, message);
    let mut rest = bytes;
    let npy = NpyFile::new(&mut rest).map_err(|error| fail(format!("expected a .npy header, got: {error}")))?;
    let &[m, n] = npy.shape() else {
        return Err(fail(format!("expected an array of two dimensions, got shape {:?}", npy.shape())));
    };
    let (order, dtype) = (npy.order(), npy.dtype());
    let data = npy.into_inner();
    // The header is checked against the bytes that are there before anything is allocated by it.
    let count = usize::try_from(m).ok().zip(usize::try_from(n).ok()).and_then(|(m, n)| m.checked_mul(n));
    let size = count.zip(dtype.num_bytes()).and_then(|(count, size)| count.checked_mul(size));
    let (Some(count), Some(size)) = (count, size) else {
        return Err(fail(format!("expected a shape that fits into memory, got {m} x {n}")));
    };
    if data.len() < size {
        return Err(fail(format!("expected {size} bytes of elements for {m} x {n}, got {}", data.len())));
    }
    let elements: Vec<T> = elements(&dtype, data, count).ok_or_else(|| {
        fail(format!("expected real numbers (floating point, integer or bool), got dtype {}", dtype.descr()))
    })?;
    let (m, n) = (m as usize, n as usize);
    Ok(match order {
        Order::Fortran => DMatrix::from_vec(m, n, elements),
        Order::C => DMatrix::from_row_iterator(m, n, elements),
    })
}

/// The elements in the order of the file, if their type is a real one.
fn elements<T: CliReal>(dtype: &DType, data: &[u8], count: usize) -> Option<Vec<T>> {
    fn read<T: CliReal, E: Deserialize>(dtype: &DType, data: &[u8], count: usize, to: fn(E) -> f64) -> Option<Vec<T>> {
        use npyz::TypeRead;
        let reader = E::reader(dtype).ok()?;
        let mut data = data;
        (0..count).map(|_| Some(T::from_f64(to(reader.read_one(&mut data).ok()?)))).collect()
    }
    macro_rules! first_of {
        ($($e:ty),*) => { None $(.or_else(|| read::<T, $e>(dtype, data, count, |x| x as f64)))* };
    }
    first_of!(f64, f32, i64, i32, i16, i8, u64, u32, u16, u8)
        .or_else(|| read::<T, bool>(dtype, data, count, |x| f64::from(u8::from(x))))
}

/// Writes a column-major array.
pub(super) fn write<E: npyz::AutoSerialize>(
    path: &Path,
    shape: &[u64],
    elements: impl IntoIterator<Item = E>,
) -> Result<(), Failure> {
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
    save().map_err(|error| Failure::io(path.display(), &error))
}
