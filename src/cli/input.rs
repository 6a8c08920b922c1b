//! Arrays that subcommands read: from files of every kind, or from stdin.

use std::fs::File;
use std::io::{self, BufReader, Read};

use super::Failure;
use crate::files::{Array, FileElement, fill, npy, text};
use crate::os::Input;

/// Bytes of a file that are read at a time.
const BUFFER_BYTES: usize = 1 << 16;

/// What stands for stdin in place of a file.
pub(super) const STDIN: &str = "-";

/// The file, in an error.
pub(super) fn name_of(file: &str) -> &str {
    if file == STDIN { "stdin" } else { file }
}

/// Reads an array from a file of any kind; - is stdin.
pub(super) fn read<T: FileElement>(file: &str) -> Result<Array<T>, Failure> {
    let name = name_of(file);
    let mut input = open(file).map_err(|error| Failure::io(name, &error))?;
    let mut start = [0; npy::MAGIC_BYTES];
    let got = fill(&mut input, &mut start).map_err(|error| Failure::io(name, &error))?;
    let (start, parse) = (&start[..got], if npy::is_npy(&start) { npy::parse } else { text::parse });
    Ok(parse(name, start.chain(input))?)
}

fn open(file: &str) -> io::Result<BufReader<Box<dyn Read>>> {
    let input: Box<dyn Read> = if file == STDIN { Box::new(Input::stdin()?) } else { Box::new(File::open(file)?) };
    Ok(BufReader::with_capacity(BUFFER_BYTES, input))
}
