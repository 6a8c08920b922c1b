//! Matrices in files: text, CSV and .npy.

mod element;
pub mod npy;
pub mod text;

pub use element::FileElement;

/// Why a file cannot be used: one line, `place: message`.
#[derive(Debug)]
pub struct FileError {
    /// The file, and where in it.
    pub place: String,
    /// What was expected there, and what came.
    pub message: String,
}

impl FileError {
    fn new(place: impl ToString, message: impl ToString) -> Self {
        FileError { place: place.to_string(), message: message.to_string() }
    }
}

/// The beginning of what stands in a file, for a message: in quotes, control characters made visible.
fn quote(text: &str) -> String {
    const LONGEST: usize = 40;
    let visible = |c: char| if c.is_control() { c.escape_debug().collect() } else { String::from(c) };
    let start: String = text.chars().take(LONGEST).map(visible).collect();
    let more = if text.chars().nth(LONGEST).is_some() { ".." } else { "" };
    format!("\"{start}{more}\"")
}
