//! Matrices as text: CSV, or numbers separated by white space.

use csv::{ByteRecord, ReaderBuilder, Trim};
use nalgebra::DMatrix;

use super::Failure;
use super::real::CliReal;

/// Parses a matrix; `name` is the file, for messages.
pub(super) fn parse<T: CliReal>(name: &str, bytes: &[u8]) -> Result<DMatrix<T>, Failure> {
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes); // a byte order mark
    let mut rows = Rows { name, elements: Vec::new(), first: None, count: 0 };
    let is_content = |line: &&[u8]| !line.trim_ascii_start().is_empty() && !line.starts_with(b"#");
    if bytes.split(|&b| b == b'\n').filter(is_content).any(|line| line.contains(&b',')) {
        let mut reader = ReaderBuilder::new()
            .has_headers(false)
            .flexible(true)
            .trim(Trim::All)
            .comment(Some(b'#'))
            .from_reader(bytes);
        let mut record = ByteRecord::new();
        // Reading a slice that may be ragged cannot fail.
        while reader.read_byte_record(&mut record).map_err(|error| Failure::data(name, error))? {
            // A line of blanks is one empty field here.
            if record.iter().eq([b""]) {
                continue;
            }
            rows.push(record.position().map_or(0, csv::Position::line), record.iter())?;
        }
    } else {
        for (line, content) in (1..).zip(bytes.split(|&b| b == b'\n')).filter(|(_, line)| is_content(line)) {
            rows.push(line, content.split(u8::is_ascii_whitespace).filter(|field| !field.is_empty()))?;
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

impl<T: CliReal> Rows<'_, T> {
    /// Adds the row that starts at `line`.
    fn push<'f>(&mut self, line: u64, fields: impl Iterator<Item = &'f [u8]>) -> Result<(), Failure> {
        let before = self.elements.len();
        for (column, field) in (1..).zip(fields) {
            let fail = |message: String| Failure::data(self.place(line, column), message);
            let text = String::from_utf8_lossy(field);
            if let Some((first, n)) = self.first.filter(|&(_, n)| column > n) {
                return Err(fail(format!(
                    "expected the end of the line after {n} numbers as in line {first}, got \"{text}\""
                )));
            }
            let x: T = text.parse().map_err(|_| fail(not_a_number(&text)))?;
            if x.is_infinite() && text.contains(|c: char| c.is_ascii_digit()) {
                return Err(fail(format!("expected a number in the range of {}, got \"{text}\"", T::NAME)));
            }
            self.elements.push(x);
        }
        let found = self.elements.len() - before;
        let (first, n) = *self.first.get_or_insert((line, found));
        if found < n {
            let message = format!("expected {n} numbers as in line {first}, got the end of the line after {found}");
            return Err(Failure::data(self.place(line, found + 1), message));
        }
        self.count += 1;
        Ok(())
    }

    fn place(&self, line: u64, column: usize) -> String {
        format!("{}: line {line}, column {column}", self.name)
    }

    fn finish(self) -> Result<DMatrix<T>, Failure> {
        match self.first {
            Some((_, n)) => Ok(DMatrix::from_row_iterator(self.count, n, self.elements)),
            None => Err(Failure::data(self.name, "expected numbers, got none; .npy files can hold empty matrices")),
        }
    }
}

fn not_a_number(text: &str) -> String {
    if text.is_empty() {
        "expected a number, got nothing".into()
    } else {
        format!("expected a number, got \"{text}\"; a line of names must start with #")
    }
}
