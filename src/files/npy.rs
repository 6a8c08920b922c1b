//! Vectors, matrices and stacks of matrices as .npy files.

use std::fs::File;
use std::io::{self, BufWriter, Read, Write};
use std::path::Path;

use byteorder::{ByteOrder, LittleEndian};
use npyz::{AutoSerialize, DType, DTypeError, Deserialize, TypeChar, TypeRead, TypeStr, WriterBuilder};

/// A type of elements that a file can be written with.
pub use npyz::AutoSerialize as Saved;

use super::error::quote;
use super::npy_header::{Header, string};
use super::{Array, Elements, FileElement, FileError, Grid, Order, fill, sizes};

const MAGIC: &[u8; MAGIC_BYTES] = b"\x93NUMPY";

/// Bytes of a file by which [`is_npy`] tells what it is.
pub const MAGIC_BYTES: usize = 6;

/// The most bytes of a header's dictionary: NumPy's own limit (`max_header_size` of `numpy.load`). The dictionary of an
/// array of numbers has about a hundred.
const MAX_HEADER_BYTES: usize = 10_000;

/// Bytes of elements that are converted at a time: a multiple of the size of each type.
const BUFFER_BYTES: usize = 1 << 16;

/// Whether a file is a .npy file, by its first bytes.
#[must_use]
pub fn is_npy(bytes: &[u8]) -> bool {
    bytes.starts_with(MAGIC)
}

/// Parses an array of real numbers with one to three dimensions; `name` is the file, for messages.
///
/// # Errors
/// If the file holds something else, or more or fewer elements than its shape says.
pub fn parse<T: FileElement>(name: &str, input: impl Read) -> Result<Array<T>, FileError> {
    let mut file = Npy { name, input };
    let (text, _) = file.header()?;
    let header = file.parsed(&text)?;
    if !(1..=3).contains(&header.shape.len()) {
        let shape = &header.shape;
        return Err(file.unusable(format_args!("expected an array of one to three dimensions, got shape {shape:?}")));
    }
    let element = real_number(header.descr).ok_or_else(|| {
        let dtype = quote(header.descr);
        file.unusable(format_args!("expected elements of f4, f8, integers or bool, got dtype {dtype}"))
    })?;
    let contents = Contents::new(&header, element, size_of::<T>()).ok_or_else(|| {
        let shape = sizes(&header.shape);
        file.unusable(format_args!("expected a shape that fits into memory, got {shape}"))
    })?;
    let elements = file.elements(&contents)?;
    Ok(Array::new(contents.grid, elements).expect("as many elements as the shape says"))
}

/// What the header of a file says, and where the elements begin, for those who read them by themselves.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Described {
    /// The sizes of the dimensions.
    pub shape: Vec<usize>,
    /// How the elements follow each other.
    pub order: Order,
    /// The type of the elements, as NumPy spells it: `<f8`.
    pub dtype: String,
    /// Bytes before the first element.
    pub offset: u64,
}

/// Reads the header of a file and no further; `name` is the file, for messages.
///
/// # Errors
/// If the file holds something else.
pub fn describe(name: &str, input: impl Read) -> Result<Described, FileError> {
    let mut file = Npy { name, input };
    let (text, offset) = file.header()?;
    let Header { shape, order, descr } = file.parsed(&text)?;
    Ok(Described { shape, order, dtype: string(descr).unwrap_or(descr).to_owned(), offset })
}

/// The bytes before the elements of a file in Fortran order.
///
/// # Errors
/// If a header cannot have this shape.
pub fn header<E: AutoSerialize>(shape: &[usize]) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    let shape: Vec<u64> = shape.iter().map(|&size| size as u64).collect();
    npyz::WriteOptions::<E>::new()
        .default_dtype()
        .shape(&shape)
        .order(npyz::Order::Fortran)
        .writer(&mut bytes)
        .begin_nd()?;
    Ok(bytes)
}

/// The real numbers of a type, if it is one of them.
fn real_number(descr: &str) -> Option<TypeStr> {
    let element: TypeStr = string(descr)?.parse().ok()?;
    let is_real = matches!(
        (element.type_char(), element.num_bytes()?),
        (TypeChar::Float, 4 | 8) | (TypeChar::Int | TypeChar::Uint, 1 | 2 | 4 | 8) | (TypeChar::Bool, 1)
    );
    is_real.then_some(element)
}

/// Takes a number from the front of some bytes.
type Take = Box<dyn Fn(&mut &[u8]) -> io::Result<f64>>;

/// What reads the numbers of a type, one of [`real_number`]. (A loop for each of them would be many times as large.)
fn converter(element: &TypeStr) -> Result<Take, DTypeError> {
    match (element.type_char(), element.num_bytes()) {
        (TypeChar::Float, Some(8)) => converter_from(element, |x: f64| x),
        (TypeChar::Float, _) => converter_from(element, |x: f32| x.into()),
        (TypeChar::Int, Some(8)) => converter_from(element, |x: i64| x as f64),
        (TypeChar::Int, Some(4)) => converter_from(element, |x: i32| x.into()),
        (TypeChar::Int, Some(2)) => converter_from(element, |x: i16| x.into()),
        (TypeChar::Int, _) => converter_from(element, |x: i8| x.into()),
        (TypeChar::Uint, Some(8)) => converter_from(element, |x: u64| x as f64),
        (TypeChar::Uint, Some(4)) => converter_from(element, |x: u32| x.into()),
        (TypeChar::Uint, Some(2)) => converter_from(element, |x: u16| x.into()),
        (TypeChar::Uint, _) => converter_from(element, |x: u8| x.into()),
        _ => converter_from(element, |x: bool| u8::from(x).into()),
    }
}

fn converter_from<E: Deserialize<TypeReader: 'static> + 'static>(
    element: &TypeStr,
    to: fn(E) -> f64,
) -> Result<Take, DTypeError> {
    let reader = E::reader(&DType::Plain(element.clone()))?;
    Ok(Box::new(move |bytes| reader.read_one(bytes).map(to)))
}

/// What a header announces.
struct Contents {
    grid: Grid,
    /// One of [`real_number`].
    element: TypeStr,
    /// Bytes of all elements, in the file and in memory.
    bytes: usize,
    memory: usize,
}

impl Contents {
    /// An array of these elements, unless its bytes are too many to be counted. In memory an element has `memory_each` bytes.
    fn new(header: &Header, element: TypeStr, memory_each: usize) -> Option<Contents> {
        let grid = Grid::new(&header.shape, header.order)?;
        let bytes_each = element.num_bytes()?;
        let (bytes, memory) = (grid.len().checked_mul(bytes_each)?, grid.len().checked_mul(memory_each)?);
        Some(Contents { grid, element, bytes, memory })
    }
}

/// The part of a file that has not been read yet.
struct Npy<'a, R> {
    name: &'a str,
    input: R,
}

impl<R: Read> Npy<'_, R> {
    fn unusable(&self, message: impl ToString) -> FileError {
        FileError::unusable(self.name, message)
    }

    /// What a dictionary says.
    fn parsed<'t>(&self, text: &'t str) -> Result<Header<'t>, FileError> {
        Header::parse(text)
            .map_err(|reason| self.unusable(format_args!("expected a .npy header, got one with {}", quote(&reason))))
    }

    /// Reads the header, and returns its dictionary and its size in bytes.
    fn header(&mut self) -> Result<(String, u64), FileError> {
        let mut start = [0; MAGIC_BYTES + 4]; // the magic bytes, the version, the first bytes of the length
        self.fill_header(&mut start)?;
        if !is_npy(&start) {
            return Err(self.unusable("expected a .npy file, got one that does not begin as such"));
        }
        let mut length = [start[8], start[9], 0, 0];
        let mut bytes = start.len();
        if start[MAGIC_BYTES] != 1 {
            self.fill_header(&mut length[2..])?;
            bytes += 2;
        }
        let length = LittleEndian::read_u32(&length) as usize;
        let mut text = vec![0; length.min(MAX_HEADER_BYTES)];
        self.fill_header(&mut text)?;
        if length > MAX_HEADER_BYTES {
            let message = format!("expected a .npy header of at most {MAX_HEADER_BYTES} bytes, got one of {length}");
            return Err(self.unusable(message));
        }
        Ok((String::from_utf8_lossy(&text).into_owned(), (bytes + length) as u64))
    }

    /// Fills a buffer with a part of the header.
    fn fill_header(&mut self, buf: &mut [u8]) -> Result<(), FileError> {
        if self.fill(buf)? == buf.len() {
            return Ok(());
        }
        Err(self.unusable("expected a .npy header, got the end of the file inside it"))
    }

    fn fill(&mut self, buf: &mut [u8]) -> Result<usize, FileError> {
        fill(&mut self.input, buf).map_err(|error| FileError::unreadable(self.name, error))
    }

    /// Reads the elements, in the order of the file, and its end. They are rounded to `T`; a finite number must stay one.
    fn elements<T: FileElement>(&mut self, contents: &Contents) -> Result<Elements<T>, FileError> {
        let take = converter(&contents.element).map_err(|error| self.unusable(error))?;
        let mut elements = Elements::default();
        let mut buffer = vec![0; BUFFER_BYTES.min(contents.bytes)];
        let mut bytes = 0;
        while bytes < contents.bytes {
            let piece = buffer.len().min(contents.bytes - bytes);
            let got = self.fill(&mut buffer[..piece])?;
            bytes += got;
            if got < piece {
                return Err(self.wrong_length(contents, bytes as u64));
            }
            let mut rest = &buffer[..piece];
            while !rest.is_empty() {
                let at = elements.len() + 1;
                let x = take(&mut rest).map_err(|error| self.unusable(format_args!("element {at}: {error}")))?;
                let rounded = T::from_f64(x);
                if rounded.is_infinite() && x.is_finite() {
                    let message =
                        format!("element {at}: expected a number in the range of {}, got {x:e}", T::TYPE.name());
                    return Err(self.unusable(message));
                }
                elements.push(rounded).map_err(|_| FileError::out_of_memory(self.name, contents.memory))?;
            }
        }
        match io::copy(&mut self.input, &mut io::sink()) {
            Ok(0) => Ok(elements),
            Ok(more) => Err(self.wrong_length(contents, more.saturating_add(bytes as u64))),
            Err(error) => Err(FileError::unreadable(self.name, error)),
        }
    }

    fn wrong_length(&self, contents: &Contents, got: u64) -> FileError {
        let (bytes, shape) = (contents.bytes, sizes(contents.grid.shape()));
        self.unusable(format_args!("expected {bytes} bytes of elements for {shape}, got {got}"))
    }
}

/// Writes an array, whose elements come in C order or in Fortran order.
///
/// # Errors
/// Those of the file.
pub fn write<E: AutoSerialize>(
    path: &Path,
    shape: &[usize],
    order: Order,
    elements: impl IntoIterator<Item = E>,
) -> io::Result<()> {
    let mut file = BufWriter::new(File::create(path)?);
    let shape: Vec<u64> = shape.iter().map(|&size| size as u64).collect();
    let order = if order == Order::C { npyz::Order::C } else { npyz::Order::Fortran };
    let mut writer =
        npyz::WriteOptions::new().default_dtype().shape(&shape).order(order).writer(&mut file).begin_nd()?;
    writer.extend(elements)?;
    writer.finish()?;
    file.flush()
}
