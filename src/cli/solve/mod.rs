//! `recfact_server solve`: A X = B of matrices in files, in this process or by the ranks of a launcher.

mod system;

use std::num::{NonZeroU32, NonZeroUsize};
use std::path::PathBuf;

use recfact_distributed::{Engine, Job, RANKS_HEADING, RanksArgs};
use system::System;

use super::exit::ExitStatus;
use super::input::STDIN;
use super::operand::Operand;
use super::output::Output;
use super::verdict::{Solved, judge};
use super::{EXECUTABLE, Failure, ranks, say, threads};
use crate::error::Error;
use crate::files::FileElement;
use crate::options::{Options, Transpose};
use crate::team::default_threads;

const NOTES: &str = "\
A is square, or a stack of square matrices: a .npy array of three dimensions. B is a matrix with as many rows, or a stack of such \
matrices. A vector is a column: text with one number a line, or a .npy array of one dimension.

If both are stacks, each A has its own B. If one of them is a stack, the other one is used for each of its matrices: a .npy array \
of one dimension as a vector, one of two dimensions as a matrix, as in NumPy 2. X has the shape that numpy.linalg.solve gives it.

X is printed, or saved as .npy, as CSV, or as text if FILE ends otherwise. In text and CSV the matrices of a stack stand one below \
the other.

On stderr stands how well-conditioned A is. Below the precision, X may have no correct digit; that is a warning. It is an error if \
a matrix is singular, or if A or B has a NaN or an infinity: status 65, and no X.

With --refine X becomes as good as if it had been computed in twice the precision, and on stderr stands also a bound of its error, \
relative to the largest element of a column of X; if nothing is known of the error, that is a warning. With --mixed the factors are \
computed in f32, in half the time for large matrices, and X is refined to the backward error of f64; if f32 is not enough, f64 is used.

With --launcher A and B are .npy files of f8 or f4, one matrix each, on storage that all ranks see; X is saved there, in Fortran \
order. --refine does one step. With --factors A is not factored, and is read only to find out how good X is. The bits of X depend on \
the grid of ranks and on their BLAS, unlike everywhere else in this program.

Examples:
  recfact_server solve a.csv b.csv
  printf '4 3\\n6 3\\n' | recfact_server solve - b.csv -o x.npy
  recfact_server solve --refine --digits 17 a.npy b.npy
  recfact_server solve --transpose a.npy b.npy
  recfact_server solve --launcher \"mpirun -n 4\" a.npy b.npy -o x.npy
  recfact_server solve --launcher \"mpirun -n 4\" --factors out/a a.npy b.npy -o x.npy";

#[derive(Debug, clap::Args)]
#[command(after_help = NOTES)]
pub(super) struct Args {
    /// The matrix as text, CSV or .npy, or a stack of matrices as .npy; - is stdin
    #[arg(value_name = "A")]
    a: String,
    /// The right-hand sides, in a file of any kind; - is stdin
    #[arg(value_name = "B")]
    b: String,
    /// Save X in this file, by its ending: .npy, .csv, or text
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,
    /// Solve A^T X = B
    #[arg(long)]
    transpose: bool,
    /// Refine X, and tell how large its error may be
    #[arg(long)]
    refine: bool,
    /// Factor in f32 and refine to the accuracy of f64
    #[arg(long, conflicts_with_all = ["refine", "f32", "launcher"])]
    mixed: bool,
    /// The largest number of threads [default: RECFACT_NUM_THREADS, or as many as the process may use; with --launcher 1 in each rank]
    #[arg(long, value_name = "N", value_parser = threads::parse)]
    threads: Option<NonZeroUsize>,
    /// Compute in f32
    #[arg(long, conflicts_with = "launcher")]
    f32: bool,
    /// Significant digits of text [default: 6 if it is printed; in a file those that give the same numbers again]
    #[arg(long, value_name = "N", conflicts_with = "launcher", value_parser = clap::value_parser!(u8).range(1..=17))]
    digits: Option<u8>,
    /// Solve with the factors of A in PREFIX-lu.npy and PREFIX-ipiv.npy, which `factor -o PREFIX` has saved
    #[arg(long, value_name = "PREFIX", requires = "launcher", help_heading = RANKS_HEADING)]
    factors: Option<PathBuf>,
    #[command(flatten)]
    ranks: RanksArgs,
}

pub(super) fn run(args: &Args) -> Result<(), Failure> {
    if let Some(engine) = ranks::engine(args.ranks.engine())? {
        return by_ranks(args, &engine);
    }
    if args.a == STDIN && args.b == STDIN {
        return Err(Failure::new(
            ExitStatus::Usage,
            "expected A or B to be a file, got - for both; stdin is read once",
        ));
    }
    let transpose = if args.transpose { Transpose::Yes } else { Transpose::No };
    let options = Options::new().threads(args.threads.map_or_else(default_threads, NonZeroUsize::get));
    let options = &options;
    match (args.f32, args.refine) {
        _ if args.mixed => solve::<f64>(args, &|system, a, b| system.mixed(a, b, transpose, options)),
        (false, refine) => solve::<f64>(args, &|system, a, b| system.solve(a, b, refine, transpose, options)),
        (true, refine) => solve::<f32>(args, &|system, a, b| system.solve(a, b, refine, transpose, options)),
    }
}

/// Has the ranks of a launcher do all of it.
fn by_ranks(args: &Args, engine: &Engine) -> Result<(), Failure> {
    let output = args.output.as_deref().filter(|file| file.extension().is_some_and(|extension| extension == "npy"));
    let Some(output) = output else {
        let message = "expected -o FILE.npy, since X is not printed with --launcher";
        return Err(Failure::new(ExitStatus::Usage, message));
    };
    let job = args.ranks.job(ranks::file(&args.a)?, Some(ranks::file(&args.b)?), output);
    let threads = args.threads.and_then(|threads| NonZeroU32::new(u32::try_from(threads.get()).unwrap_or(u32::MAX)));
    ranks::run(
        "solve",
        engine,
        &Job { factors: args.factors.clone(), transpose: args.transpose, refine: args.refine, threads, ..job },
    )
}

/// Computes X, and tells what the library says of it.
type Compute<'c, T> = &'c dyn Fn(&System, Operand<'_, T>, Operand<'_, T>) -> Result<(Vec<T>, Solved<T>), Error>;

/// Reads A and B, computes X, says how good it is and writes it.
#[inline(never)]
fn solve<T: FileElement>(args: &Args, compute: Compute<'_, T>) -> Result<(), Failure> {
    let a = Operand::<T>::read(&args.a)?;
    let b = Operand::<T>::read(&args.b)?;
    let system = System::new(&a, &b)?;
    let (name, is_stack) = (a.name, a.is_stack());
    let (x, solved) = compute(&system, a, b).map_err(|error| Failure::library(name, error, "the solution"))?;
    if let Some(verdict) = judge(name, is_stack, system.n, &solved)? {
        say(&format!("{EXECUTABLE} solve"), verdict);
    }
    Output { file: args.output.as_deref(), digits: args.digits }.write(&x, &system.x)
}
