//! What the ranks are to do. They all get it as the same arguments.

use std::ffi::OsString;
use std::fmt;
use std::num::NonZeroU32;
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::{Path, PathBuf};
use std::str::FromStr;

/// Factor the matrix of a .npy file, or solve a system, with the memory of all ranks together.
///
/// This program is started by an MPI launcher, once for each rank, with the same arguments. `recfact_server solve --launcher ..`
/// and `recfact_server factor --launcher ..` write them.
#[derive(Debug, Clone, PartialEq, Eq, clap::Parser)]
#[command(name = "recfact_rank", version)]
pub struct Job {
    /// The matrix A, a .npy file of f8 or f4; in this name and the others %XX is the byte XX
    #[arg(long, value_name = "FILE", value_parser = decode)]
    pub a: PathBuf,
    /// The right-hand sides; without them A is factored
    #[arg(long, value_name = "FILE", value_parser = decode)]
    pub b: Option<PathBuf>,
    /// The factors of A, if an earlier job has written them: with -lu.npy and -ipiv.npy after this name
    #[arg(long, value_name = "FILE", value_parser = decode, requires = "b")]
    pub factors: Option<PathBuf>,
    /// Where X goes; or the factors, with -lu.npy and -ipiv.npy after this name
    #[arg(long, value_name = "FILE", value_parser = decode)]
    pub out: PathBuf,
    /// What is added to the name of a file until it is complete
    #[arg(long, value_name = "TEXT")]
    pub suffix: String,
    /// Solve A^T X = B
    #[arg(long, requires = "b")]
    pub transpose: bool,
    /// Refine X once
    #[arg(long, requires = "b")]
    pub refine: bool,
    /// Rows and columns of the grid of ranks
    #[arg(long, value_name = "PxQ")]
    pub grid: Option<ProcessGrid>,
    /// Rows and columns of a block
    #[arg(long, value_name = "NB")]
    pub block: Option<NonZeroU32>,
    /// Threads of the BLAS in each rank
    #[arg(long, value_name = "N")]
    pub threads: Option<NonZeroU32>,
    /// The libraries that have ScaLAPACK and BLACS, separated by colons
    #[arg(long, value_name = "FILES")]
    pub scalapack: Option<OsString>,
}

impl Job {
    /// A is factored, or with B the system is solved; nothing else is asked for.
    #[must_use]
    pub fn new(a: &Path, b: Option<&Path>, out: &Path) -> Self {
        Job {
            a: a.into(),
            b: b.map(Into::into),
            factors: None,
            out: out.into(),
            suffix: String::new(),
            transpose: false,
            refine: false,
            grid: None,
            block: None,
            threads: None,
            scalapack: None,
        }
    }

    /// Its arguments. A name is one argument together with its flag, and has no character that means anything to a shell: some
    /// launchers, `ssh` for one, give their arguments to one.
    pub(super) fn arguments(&self) -> Vec<OsString> {
        let named = |flag: &str, value: OsString| {
            let mut argument = OsString::from(format!("--{flag}="));
            argument.push(value);
            argument
        };
        let number = |number: NonZeroU32| number.to_string().into();
        let named = [
            Some(("a", encode(&self.a))),
            self.b.as_deref().map(|b| ("b", encode(b))),
            self.factors.as_deref().map(|factors| ("factors", encode(factors))),
            Some(("out", encode(&self.out))),
            Some(("suffix", self.suffix.clone().into())),
            self.grid.map(|grid| ("grid", grid.to_string().into())),
            self.block.map(|block| ("block", number(block))),
            self.threads.map(|threads| ("threads", number(threads))),
            self.scalapack.clone().map(|libraries| ("scalapack", libraries)),
        ]
        .into_iter()
        .flatten()
        .map(|(flag, value)| named(flag, value));
        let flags = [(self.transpose, "--transpose"), (self.refine, "--refine")];
        named.chain(flags.into_iter().filter(|(set, _)| *set).map(|(_, flag)| flag.into())).collect()
    }

    /// The files that it makes.
    #[must_use]
    pub fn results(&self) -> Vec<PathBuf> {
        if self.b.is_some() { vec![self.out.clone()] } else { factor_files(&self.out).into() }
    }

    /// The name that a result has until it is complete.
    #[must_use]
    pub fn unfinished(&self, result: &Path) -> PathBuf {
        with(result, &self.suffix)
    }
}

/// The files of factors whose names begin so: L and U, and the row swaps.
#[must_use]
pub fn factor_files(prefix: &Path) -> [PathBuf; 2] {
    ["-lu.npy", "-ipiv.npy"].map(|end| with(prefix, end))
}

/// A name with more at its end.
fn with(name: &Path, end: &str) -> PathBuf {
    let mut name = name.as_os_str().to_owned();
    name.push(end);
    name.into()
}

/// A name in letters, digits and a few characters that no shell takes for more; any other byte is %XX, in hexadecimal.
fn encode(name: &Path) -> OsString {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"/._-".contains(&byte);
    let encoded = |&byte: &u8| if is_plain(byte) { char::from(byte).to_string() } else { format!("%{byte:02X}") };
    name.as_os_str().as_bytes().iter().map(encoded).collect::<String>().into()
}

/// The name that was encoded so.
fn decode(text: &str) -> Result<PathBuf, &'static str> {
    let mut parts = text.split('%');
    let mut bytes = parts.next().unwrap_or_default().as_bytes().to_vec();
    for part in parts {
        let digits = part.get(..2).and_then(|digits| u8::from_str_radix(digits, 16).ok());
        bytes.push(digits.ok_or("expected two hexadecimal digits after each %")?);
        bytes.extend_from_slice(&part.as_bytes()[2..]);
    }
    if bytes.is_empty() { Err("expected a name") } else { Ok(OsString::from_vec(bytes).into()) }
}

/// How the ranks are arranged: `rows * columns` of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ProcessGrid {
    /// Rows of ranks, at least 1.
    pub rows: u32,
    /// Ranks in a row, at least 1.
    pub columns: u32,
}

impl ProcessGrid {
    /// The grid that is nearest to a square, with at least as many columns as rows: a panel of columns is factored by one column of
    /// ranks, and the fewer they are the fewer messages that takes.
    ///
    /// ```
    /// use recfact_distributed::ProcessGrid;
    ///
    /// assert_eq!(ProcessGrid::of(16).to_string(), "4x4");
    /// assert_eq!(ProcessGrid::of(6).to_string(), "2x3");
    /// assert_eq!(ProcessGrid::of(7).to_string(), "1x7");
    /// ```
    ///
    /// # Panics
    /// If there are no ranks.
    #[must_use]
    pub fn of(ranks: u32) -> Self {
        let divides = |rows: &u32| ranks.is_multiple_of(*rows);
        let rows = (1..=ranks.isqrt()).rev().find(divides).expect("there is a rank, and 1 divides their number");
        ProcessGrid { rows, columns: ranks / rows }
    }

    /// The number of ranks, if it can be counted.
    #[must_use]
    pub fn ranks(self) -> Option<u32> {
        self.rows.checked_mul(self.columns)
    }
}

impl fmt::Display for ProcessGrid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}x{}", self.rows, self.columns)
    }
}

impl FromStr for ProcessGrid {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let parse = || {
            let (rows, columns) = text.split_once('x')?;
            let grid = ProcessGrid { rows: rows.parse().ok()?, columns: columns.parse().ok()? };
            (grid.rows > 0 && grid.columns > 0).then_some(grid)
        };
        parse().ok_or("expected rows x columns of ranks, as in 2x4")
    }
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    #[test]
    fn arguments_are_read_as_they_were_written() {
        let factor = Job { suffix: ".1-2".into(), ..Job::new("--out=x :".as_ref(), None, "-".as_ref()) };
        let solve = Job {
            b: Some(":".into()),
            factors: Some("f f".into()),
            transpose: true,
            refine: true,
            grid: Some(ProcessGrid { rows: 2, columns: 3 }),
            block: NonZeroU32::new(64),
            threads: NonZeroU32::new(1),
            scalapack: Some("liba.so:libb.so".into()),
            ..factor.clone()
        };
        for job in [factor, solve] {
            let arguments = [vec!["recfact_rank".into()], job.arguments()].concat();
            assert_eq!(Job::try_parse_from(arguments).unwrap(), job);
        }
    }

    #[test]
    fn names_of_any_bytes_come_back_and_mean_nothing_to_a_shell() {
        let all: Vec<u8> = (1..=255).collect();
        let odd: [&[u8]; 6] = [b"a b", b"%41", b"$(touch x); `y`", b"--b=x", b"~", &all];
        for name in odd.map(|bytes| PathBuf::from(OsString::from_vec(bytes.to_vec()))) {
            let text = encode(&name).into_string().unwrap();
            assert!(text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"%/._-".contains(&byte)), "{text}");
            assert_eq!(decode(&text), Ok(name));
        }
        for text in ["", "%", "a%4", "%4g", "%\u{f6}\u{f6}"] {
            assert!(decode(text).is_err(), "{text}");
        }
    }

    #[test]
    fn grids_have_all_ranks_and_are_as_near_to_a_square_as_can_be() {
        for ranks in 1..=200 {
            let grid = ProcessGrid::of(ranks);
            assert_eq!(grid.ranks(), Some(ranks));
            assert!(grid.rows <= grid.columns);
            assert!((grid.rows + 1..=ranks.isqrt()).all(|rows| ranks % rows != 0));
            assert_eq!(grid.to_string().parse(), Ok(grid));
        }
        for text in ["", "2", "0x1", "1x0", "x", "2x3x4", "-1x2", "4294967296x1"] {
            assert!(text.parse::<ProcessGrid>().is_err(), "{text}");
        }
    }
}
