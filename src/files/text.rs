//! Matrices as text: CSV, or numbers separated by white space.

use csv::{ByteRecord, ReaderBuilder, Trim};
use nalgebra::DMatrix;

use super::{FileElement, FileError, quote};

/// Parses a matrix; `name` is the file, for messages.
pub fn parse<T: FileElement>(name: &str, bytes: &[u8]) -> Result<DMatrix<T>, FileError> {
    if bytes.contains(&0) {
        return Err(FileError::new(name, "expected text, CSV or a .npy file, got other binary data"));
    }
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes); // a byte order mark
    let lines = || {
        let all = (1..).zip(bytes.split(|&b| b == b'\n'));
        all.filter(|(_, line)| !line.trim_ascii().is_empty() && !line.starts_with(b"#"))
    };
    let mut rows = Rows { name, elements: Vec::new(), first: None, count: 0 };
    if lines().any(|(_, line)| line.contains(&b',')) {
        let mut csv = ReaderBuilder::new();
        csv.has_headers(false).trim(Trim::All).buffer_capacity(1 << 10);
        let mut record = ByteRecord::new();
        for (number, line) in lines() {
            // A reader for each line, so that a quote that is not closed spoils that line alone.
            let read = csv.from_reader(line).read_byte_record(&mut record);
            read.map_err(|error| FileError::new(format_args!("{name}: line {number}"), error))?;
            rows.push(number, record.iter())?;
        }
    } else {
        for (number, line) in lines() {
            rows.push(number, line.split(u8::is_ascii_whitespace).filter(|field| !field.is_empty()))?;
        }
    }
    rows.finish()
}

/// The rows read so far.
struct Rows<'a, T> {
    name: &'a str,
    /// Row by row.
    elements: Vec<T>,
    /// The line and the length of the first row.
    first: Option<(u64, usize)>,
    count: usize,
}

impl<T: FileElement> Rows<'_, T> {
    /// Adds the row that stands in `line`.
    fn push<'f>(&mut self, line: u64, fields: impl Iterator<Item = &'f [u8]>) -> Result<(), FileError> {
        let before = self.elements.len();
        for (column, field) in (1..).zip(fields) {
            let fail = |message: String| FileError::new(self.place(line, column), message);
            let text = String::from_utf8_lossy(field);
            if let Some((first, n)) = self.first.filter(|&(_, n)| column > n) {
                let end = format!("the end of the line after {n} numbers as in line {first}");
                return Err(fail(format!("expected {end}, got {}", quote(&text))));
            }
            let x: T = text.parse().map_err(|_| fail(not_a_number(&text)))?;
            if x.is_infinite() && text.contains(|c: char| c.is_ascii_digit()) {
                return Err(fail(format!(
                    "expected a number in the range of {}, got {}",
                    T::TYPE.name(),
                    quote(&text)
                )));
            }
            self.elements.push(x);
        }
        let found = self.elements.len() - before;
        let (first, n) = *self.first.get_or_insert((line, found));
        if found < n {
            let message = format!("expected {n} numbers as in line {first}, got the end of the line after {found}");
            return Err(FileError::new(self.place(line, found + 1), message));
        }
        self.count += 1;
        Ok(())
    }

    fn place(&self, line: u64, column: usize) -> String {
        format!("{}: line {line}, column {column}", self.name)
    }

    fn finish(self) -> Result<DMatrix<T>, FileError> {
        match self.first {
            Some((_, n)) => Ok(DMatrix::from_row_iterator(self.count, n, self.elements)),
            None => Err(FileError::new(self.name, "expected numbers, got none; .npy files can hold empty matrices")),
        }
    }
}

fn not_a_number(text: &str) -> String {
    if text.is_empty() {
        "expected a number, got nothing".into()
    } else {
        format!("expected a number, got {}; a line of names must start with #", quote(text))
    }
}
