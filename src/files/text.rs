//! Matrices as text: CSV, or numbers separated by white space, a row a line.
//!
//! A line may be as long as the whole file, so nothing is held of it but the number that is being read. What follows the
//! first number that does not end its line, a comma or a blank, follows all others, too.

use std::borrow::Cow;
use std::io::{BufRead, ErrorKind};

use super::error::quote;
use super::{Array, Elements, FileElement, FileError, Grid, Order};

/// The most characters of a number.
const MAX_FIELD: usize = 4096;

/// What some editors write at the start of a file.
const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

/// Parses a matrix; `name` is the file, for messages.
///
/// Empty lines and lines that begin with `#` are passed over. A number may stand in quotes.
///
/// # Errors
/// The first line and column that holds something else, or is missing.
pub fn parse<T: FileElement>(name: &str, input: impl BufRead) -> Result<Array<T>, FileError> {
    let mut fields = Fields { name, input, line: 0, column: 0, field: Vec::new() };
    let mut rows = Rows { name, elements: Elements::default(), first: None, separator: None, count: 0 };
    fields.skip_byte_order_mark()?;
    while fields.next_row()? {
        loop {
            let after = fields.next()?;
            rows.push(&Field { line: fields.line, column: fields.column, text: &fields.text(), after })?;
            if after == After::Line {
                break;
            }
        }
        rows.end_row(fields.line, fields.column)?;
    }
    rows.finish()
}

/// What follows a number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum After {
    Blank,
    Comma,
    /// The end of the line, or of the input.
    Line,
}

impl After {
    fn words(self) -> &'static str {
        match self {
            After::Blank => "a blank",
            After::Comma => "a comma",
            After::Line => "the end of the line",
        }
    }
}

/// The text of a file, number by number.
struct Fields<'a, R> {
    name: &'a str,
    input: R,
    /// The line, counted from 1.
    line: u64,
    /// The number in the line that was read last, counted from 1, and its text as it stands there.
    column: usize,
    field: Vec<u8>,
}

impl<R: BufRead> Fields<'_, R> {
    /// The next byte, which stays in the input; `None` at its end.
    fn peek(&mut self) -> Result<Option<u8>, FileError> {
        let byte = loop {
            match self.input.fill_buf() {
                Ok(buf) => break buf.first().copied(),
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return Err(FileError::unreadable(self.name, error)),
            }
        };
        if byte == Some(0) { Err(self.not_text()) } else { Ok(byte) }
    }

    /// Takes bytes from the input as long as they fit. Returns the first that does not, which stays.
    fn skip(&mut self, fits: impl Fn(u8) -> bool) -> Result<Option<u8>, FileError> {
        loop {
            match self.peek()? {
                Some(byte) if fits(byte) => self.input.consume(1),
                other => return Ok(other),
            }
        }
    }

    /// The same for white space inside a line.
    fn skip_blanks(&mut self) -> Result<Option<u8>, FileError> {
        self.skip(|byte| byte.is_ascii_whitespace() && byte != b'\n')
    }

    fn skip_byte_order_mark(&mut self) -> Result<(), FileError> {
        if self.peek()? == BYTE_ORDER_MARK.first().copied() {
            for &byte in BYTE_ORDER_MARK {
                if self.peek()? != Some(byte) {
                    return Err(self.not_text());
                }
                self.input.consume(1);
            }
        }
        Ok(())
    }

    /// Goes to the next line that holds something; whether there is one. The last one must have been read to its end.
    fn next_row(&mut self) -> Result<bool, FileError> {
        loop {
            (self.line, self.column) = (self.line + 1, 0);
            let first = match self.peek()? {
                Some(b'#') => self.skip(|byte| byte != b'\n')?,
                _ => self.skip_blanks()?,
            };
            match first {
                None => return Ok(false),
                Some(b'\n') => self.input.consume(1),
                Some(_) => return Ok(true),
            }
        }
    }

    /// Reads a number and what separates it from the next.
    fn next(&mut self) -> Result<After, FileError> {
        self.column += 1;
        self.field.clear();
        self.skip_blanks()?;
        let mut quoted = false;
        loop {
            let byte = match self.peek()? {
                None | Some(b'\n') => break,
                Some(byte) if !quoted && (byte == b',' || byte.is_ascii_whitespace()) => break,
                Some(byte) => byte,
            };
            // A quote that is not closed ends with its line, and spoils no other.
            quoted ^= byte == b'"';
            if self.field.len() == MAX_FIELD {
                let message =
                    format!("expected a number of at most {MAX_FIELD} characters, got {}", quote(&self.text()));
                return Err(FileError::unusable(place(self.name, self.line, self.column), message));
            }
            self.field.push(byte);
            self.input.consume(1);
        }
        let (after, bytes) = match self.skip_blanks()? {
            None => (After::Line, 0),
            Some(b'\n') => (After::Line, 1),
            Some(b',') => (After::Comma, 1),
            Some(_) => (After::Blank, 0),
        };
        self.input.consume(bytes);
        Ok(after)
    }

    /// The number without the quotes that it may stand in.
    fn text(&self) -> Cow<'_, str> {
        let field = &self.field[..];
        let field = field.strip_prefix(b"\"").map_or(field, |rest| rest.strip_suffix(b"\"").unwrap_or(rest));
        String::from_utf8_lossy(field.trim_ascii())
    }

    fn not_text(&self) -> FileError {
        FileError::unusable(self.name, "expected text, CSV or a .npy file, got other binary data")
    }
}

/// A number as it stands in a file.
struct Field<'a> {
    line: u64,
    /// Counted in numbers, from 1.
    column: usize,
    text: &'a str,
    after: After,
}

/// The rows read so far.
struct Rows<'a, T> {
    name: &'a str,
    /// Row by row.
    elements: Elements<T>,
    /// The line and the length of the first row.
    first: Option<(u64, usize)>,
    /// The line of the first number that had one after it in its line, and what was between the two.
    separator: Option<(u64, After)>,
    count: usize,
}

impl<T: FileElement> Rows<'_, T> {
    /// Adds the next number of a row.
    fn push(&mut self, field: &Field<'_>) -> Result<(), FileError> {
        let fail = |message: String| FileError::unusable(place(self.name, field.line, field.column), message);
        if let Some((first, n)) = self.first.filter(|&(_, n)| field.column > n) {
            let end = format!("the end of the line after {n} numbers as in line {first}");
            return Err(fail(format!("expected {end}, got {}", quote(field.text))));
        }
        let x = parse_number(field.text).map_err(fail)?;
        if field.after != After::Line {
            let (first, separator) = *self.separator.get_or_insert((field.line, field.after));
            if field.after != separator {
                let (expected, got, text) = (separator.words(), field.after.words(), quote(field.text));
                let message = format!("expected {expected} after {text} as in line {first}, got {got}");
                return Err(FileError::unusable(place(self.name, field.line, field.column), message));
            }
        }
        self.elements.push(x).map_err(|_| {
            FileError::out_of_memory(place(self.name, field.line, field.column), self.elements.bytes_to_grow())
        })
    }

    /// Ends the row of `found` numbers that stands in `line`.
    fn end_row(&mut self, line: u64, found: usize) -> Result<(), FileError> {
        let (first, n) = *self.first.get_or_insert((line, found));
        if found < n {
            let message = format!("expected {n} numbers as in line {first}, got the end of the line after {found}");
            return Err(FileError::unusable(place(self.name, line, found + 1), message));
        }
        self.count += 1;
        Ok(())
    }

    fn finish(self) -> Result<Array<T>, FileError> {
        let nothing = "expected numbers, got none; .npy files can hold empty matrices";
        let (_, n) = self.first.ok_or_else(|| FileError::unusable(self.name, nothing))?;
        let grid = Grid::new(&[self.count, n], Order::C);
        Ok(grid.and_then(|grid| Array::new(grid, self.elements)).expect("each row has n numbers"))
    }
}

fn place(name: &str, line: u64, column: usize) -> String {
    format!("{name}: line {line}, column {column}")
}

/// Parses a number. One that is written in digits must not become infinite.
fn parse_number<T: FileElement>(text: &str) -> Result<T, String> {
    let x: T = text.parse().map_err(|_| match text {
        "" => "expected a number, got nothing".into(),
        _ => format!("expected a number, got {}; a line of names must start with #", quote(text)),
    })?;
    if x.is_infinite() && text.contains(|c: char| c.is_ascii_digit()) {
        return Err(format!("expected a number in the range of {}, got {}", T::TYPE.name(), quote(text)));
    }
    Ok(x)
}
