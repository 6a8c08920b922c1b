//! Matrices and lists as CSV files: a row a line, commas between the numbers.

use std::fmt::Debug;
use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::Path;

use super::number::push_shortest;

/// Writes an m x n array with the shortest digits that give the same numbers again. `after_row` is called after each row.
///
/// # Errors
/// Those of the file.
pub fn write<E: Debug>(
    path: &Path,
    m: usize,
    n: usize,
    element: impl Fn(usize, usize) -> E,
    mut after_row: impl FnMut(),
) -> io::Result<()> {
    let mut file = BufWriter::new(File::create(path)?);
    let mut text = String::new();
    // An array without columns may have any number of rows, and holds nothing to write.
    let rows = if n == 0 { 0 } else { m };
    for i in 0..rows {
        for j in 0..n {
            text.clear();
            push_shortest(&mut text, element(i, j));
            text.push_str(if j + 1 < n { "," } else { "\n" });
            file.write_all(text.as_bytes())?;
        }
        after_row();
    }
    file.flush()
}
