//! The files: .npy files whose elements all ranks read and write at the same time, each its own.

use std::fs::{self, File, OpenOptions};
use std::io;
use std::os::unix::fs::{FileExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use nix::libc::{O_NOFOLLOW, O_NONBLOCK};
use recfact::files::{Order, npy, sizes};

use crate::element::{Scalar, Stored};
use crate::failure::Failure;
use crate::team::Team;

/// A matrix in a file.
pub struct Input {
    pub path: PathBuf,
    file: File,
    /// The sizes as they are in the file: two, or one of a vector.
    pub shape: Vec<usize>,
    pub m: usize,
    pub n: usize,
    pub order: Order,
    pub dtype: String,
    /// Bytes before the elements.
    offset: u64,
    /// Bytes of the file.
    len: u64,
}

impl Input {
    /// Opens a file, and reads its header.
    ///
    /// # Errors
    /// If it is no .npy file with a matrix or a vector.
    pub fn open(path: &Path) -> Result<Self, Failure> {
        let name = path.display().to_string();
        // Opening a pipe would wait for its writer.
        let mut options = OpenOptions::new();
        options.read(true).custom_flags(O_NONBLOCK);
        let file = options.open(path).map_err(|error| Failure::file(path, error))?;
        let metadata = file.metadata().map_err(|error| Failure::file(path, error))?;
        if !metadata.is_file() {
            return Err(Failure::file(path, "expected a file, got a folder, a pipe or a device"));
        }
        let npy::Described { shape, order, dtype, offset } = npy::describe(&name, &file)?;
        let (m, n) = match shape[..] {
            [m] => (m, 1),
            [m, n] => (m, n),
            _ => {
                let got = sizes(&shape);
                return Err(Failure::file(path, format_args!("expected an array of one or two dimensions, got {got}")));
            }
        };
        let len = metadata.len();
        // A vector is a column whatever its order says.
        let order = if shape.len() == 1 { Order::Fortran } else { order };
        Ok(Input { path: path.to_owned(), file, shape, m, n, order, dtype, offset, len })
    }

    /// Checks that it has elements of this type, and neither more nor fewer than its shape says.
    ///
    /// # Errors
    /// If it has others.
    pub fn check<E: Stored>(&self) -> Result<(), Failure> {
        let expected = E::DTYPE;
        if self.dtype != expected {
            return Err(Failure::file(
                &self.path,
                format_args!(
                    "expected elements of {expected}, got dtype {}; numpy.save(name, a.astype('{expected}')) makes such a file",
                    self.dtype
                ),
            ));
        }
        let bytes = self.m.checked_mul(self.n).and_then(|len| len.checked_mul(size_of::<E>()));
        let bytes = bytes.and_then(|bytes| self.offset.checked_add(bytes as u64));
        if bytes == Some(self.len) {
            return Ok(());
        }
        let (expected, shape) = (bytes.map_or("fewer".into(), |bytes| bytes.to_string()), sizes(&self.shape));
        Err(Failure::file(
            &self.path,
            format_args!("expected {expected} bytes for {shape} of {}, got {}", self.dtype, self.len),
        ))
    }

    /// What all ranks must have found alike, in numbers.
    pub fn fingerprint(&self) -> [u64; 7] {
        let dtype = self.dtype.bytes().fold(0, |hash: u64, byte| hash.wrapping_mul(31).wrapping_add(byte.into()));
        let (dimensions, by_rows) = (self.shape.len() as u64, u64::from(self.is_by_rows()));
        [self.m as u64, self.n as u64, dimensions, by_rows, dtype, self.offset, self.len]
    }

    /// How its lines follow each other, each of them in one piece: the number of lines and the length of one. Lines are columns, or
    /// rows in C order.
    pub fn lines(&self) -> [usize; 2] {
        if self.is_by_rows() { [self.m, self.n] } else { [self.n, self.m] }
    }

    /// Whether lines are rows.
    pub fn is_by_rows(&self) -> bool {
        self.order == Order::C
    }

    /// Reads elements from number `first` on, as many as `to` has.
    ///
    /// # Errors
    /// If the file cannot be read, or ends.
    pub fn read<E: Stored>(&self, first: usize, to: &mut [E]) -> Result<(), Failure> {
        let at = self.offset + (first * size_of::<E>()) as u64;
        self.file.read_exact_at(bytemuck::cast_slice_mut(to), at).map_err(|error| match error.kind() {
            io::ErrorKind::UnexpectedEof => Failure::file(
                &self.path,
                format_args!("expected {} bytes, got the end of the file before; was it cut short?", self.len),
            ),
            _ => Failure::file(&self.path, error),
        })?;
        E::from_file(to);
        Ok(())
    }

    /// Checks that all elements of some lines are finite.
    ///
    /// # Errors
    /// If one is not.
    pub fn check_finite<T: Scalar>(&self, first: usize, lines: &[T]) -> Result<(), Failure> {
        let Some(at) = lines.iter().position(|x| !(*x).into().is_finite()) else { return Ok(()) };
        let [_, length] = self.lines();
        let (line, inside) = (first + at / length + 1, at % length + 1);
        let (row, column) = if self.is_by_rows() { (line, inside) } else { (inside, line) };
        let x = lines[at];
        Err(Failure::file(&self.path, format_args!("row {row}, column {column}: expected a finite number, got {x:?}")))
    }
}

/// A result: a file in Fortran order that has another name until it is complete.
pub struct Output {
    path: PathBuf,
    unfinished: PathBuf,
    file: File,
    offset: u64,
}

impl Output {
    /// Creates the file with its header and its full length, on the first rank, and opens it on the others.
    ///
    /// # Errors
    /// If a rank cannot do that, or if the name is that of a folder.
    pub fn create<E: npy::Saved>(
        team: &Team,
        path: &Path,
        unfinished: &Path,
        shape: &[usize],
    ) -> Result<Self, Failure> {
        let failure = |error: io::Error| Failure::file(path, error);
        let create = || {
            if path.is_dir() {
                return Err(Failure::file(path, "expected the name of a file, got that of a folder"));
            }
            let header = npy::header::<E>(shape).map_err(failure)?;
            let write = || {
                let file = OpenOptions::new().write(true).create_new(true).open(unfinished)?;
                file.write_all_at(&header, 0)?;
                file.set_len((header.len() + shape.iter().product::<usize>() * size_of::<E>()) as u64)
            };
            write().map_err(failure)
        };
        team.agree(if team.rank() == 0 { create() } else { Ok(()) })?;
        let open = || {
            let file = OpenOptions::new().write(true).custom_flags(O_NOFOLLOW).open(unfinished)?;
            let offset = npy::header::<E>(shape)?.len() as u64;
            Ok(Output { path: path.to_owned(), unfinished: unfinished.to_owned(), file, offset })
        };
        let output = team.agree(open().map_err(failure));
        if output.is_err() && team.rank() == 0 {
            let _ = fs::remove_file(unfinished);
        }
        output
    }

    /// Writes elements from number `first` on.
    ///
    /// # Errors
    /// If the file cannot be written.
    pub fn write<E: bytemuck::Pod>(&self, first: usize, elements: &[E]) -> Result<(), Failure> {
        let at = self.offset + (first * size_of::<E>()) as u64;
        self.file.write_all_at(bytemuck::cast_slice(elements), at).map_err(|error| Failure::file(&self.path, error))
    }

    /// Waits until what this rank has written is in the file.
    ///
    /// # Errors
    /// If it cannot be written; some file systems say so only now.
    pub fn sync(&self) -> Result<(), Failure> {
        self.file.sync_data().map_err(|error| Failure::file(&self.path, error))
    }

    /// Gives the file its name.
    ///
    /// # Errors
    /// If it cannot be renamed.
    pub fn rename(&self) -> Result<(), Failure> {
        fs::rename(&self.unfinished, &self.path).map_err(|error| Failure::file(&self.path, error))
    }

    /// Removes the file, unless it has its name.
    pub fn discard(&self) {
        let _ = fs::remove_file(&self.unfinished);
    }
}
