//! `recfact_server factor`: P A = L U of a matrix that no machine can hold, by the ranks of a launcher.

use std::num::NonZeroU32;
use std::path::PathBuf;

use recfact_distributed::{Job, RanksArgs};

use super::exit::ExitStatus;
use super::{Failure, ranks};

const NOTES: &str = "\
A is a .npy file of f8 or f4 on storage that all ranks see. PREFIX-lu.npy becomes L below the diagonal, without its ones, and U on and \
above it, in Fortran order; PREFIX-ipiv.npy the row swaps as LAPACK's: 1-based, in order. Both replace files of the same name, when \
they are complete.

The bits of the factors depend on the grid of ranks and on the BLAS, unlike everywhere else in this program.

solve --launcher .. --factors PREFIX solves systems with them.

A matrix that this machine can hold needs no ranks: recfact_server encode A | recfact_server | recfact_server decode --npy out

Examples:
  recfact_server factor --launcher \"mpirun -n 4\" A.npy -o out/A
  recfact_server factor --launcher \"srun -n 256\" --grid 16x16 A.npy -o A";

#[derive(Debug, clap::Args)]
#[command(after_help = NOTES)]
pub(super) struct Args {
    /// The matrix, a .npy file
    #[arg(value_name = "A")]
    a: String,
    /// With what the names of the results begin
    #[arg(short, long, value_name = "PREFIX")]
    output: PathBuf,
    /// Threads of the BLAS in each rank [default: 1]
    #[arg(long, value_name = "N")]
    threads: Option<NonZeroU32>,
    #[command(flatten)]
    ranks: RanksArgs,
}

pub(super) fn run(args: &Args) -> Result<(), Failure> {
    let Some(engine) = ranks::engine(args.ranks.engine())? else {
        return Err(Failure::new(
            ExitStatus::Usage,
            "expected --launcher, as \"mpirun -n 4\"; without ranks: recfact_server encode A | recfact_server | recfact_server decode --npy out",
        ));
    };
    let job = args.ranks.job(ranks::file(&args.a)?, None, &args.output);
    ranks::run("factor", &engine, &Job { threads: args.threads, ..job })
}
