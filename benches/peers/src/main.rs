//! LU factorization and solves of recfact and its peers, side by side: all of them in turns in one process, the input
//! refreshed outside of the clock, the answers checked; the best of many times counts.

#![allow(clippy::needless_range_loop)] // the checks read like their formulas

mod batch;
mod factorizations;
mod inverses;
mod lapack;
mod peak;
mod peer;
mod refined;
mod report;
mod systems;
mod turns;

use std::path::PathBuf;

use clap::{Parser, ValueEnum};
use lapack::Library;
use peer::{Element, Peers};
use report::Table;

/// Compares recfact with faer, nalgebra and LAPACK libraries that you name.
#[derive(Debug, Parser)]
struct Args {
    /// Orders of the square matrices
    #[arg(default_values_t = [4, 8, 16, 32, 64, 100, 128, 200, 256, 384, 500, 512, 1000, 1024, 2000, 2048])]
    sizes: Vec<usize>,
    /// Rows, where they differ from the columns: every matrix is M x (order)
    #[arg(long, value_name = "M")]
    rows: Option<usize>,
    /// Threads for each library
    #[arg(long, default_value_t = 1)]
    threads: usize,
    /// Element type
    #[arg(long, value_enum, default_value_t = Type::F64)]
    r#type: Type,
    /// Measure solves with K right-hand sides and a matrix that has been factored
    #[arg(long, value_name = "K", conflicts_with_all = ["batch", "rows", "lda"])]
    rhs: Option<usize>,
    /// With --rhs: solve with the transpose of the matrix
    #[arg(long, requires = "rhs")]
    transpose: bool,
    /// Measure inverses: the factorization, and the inverse in place of the factors
    #[arg(long, conflicts_with_all = ["batch", "rhs", "rows", "lda"])]
    inverse: bool,
    /// Measure ways to one solution beside each other: in mixed precision, in f64, refined, with a bound of the error
    #[arg(long, conflicts_with_all = ["batch", "rhs", "rows", "lda", "inverse", "libraries", "type"])]
    refined: bool,
    /// A shared library with dgetrf and dgetrs, as NAME=PATH; may be given several times
    #[arg(long = "library", value_name = "NAME=PATH", value_parser = Library::parse)]
    libraries: Vec<Library>,
    /// Leave out a peer of the crates: faer or nalgebra
    #[arg(long, value_name = "NAME")]
    without: Vec<String>,
    /// Seconds for each size, at least; three turns of each peer take longer with several threads
    #[arg(long, default_value_t = 1.0)]
    seconds: f64,
    /// Elements from one column to the next, where it is not the number of rows
    #[arg(long)]
    lda: Option<usize>,
    /// Factor COUNT matrices of each order, with one call if the peer has a function for batches
    #[arg(long, value_name = "COUNT")]
    batch: Option<usize>,
    /// With --batch: also solve a system with each matrix
    #[arg(long, requires = "batch")]
    solve: bool,
    /// With --batch: a CSV file with n and further columns, ns for each matrix, that is shown beside the peers; may be given
    /// several times
    #[arg(long, requires = "batch", value_name = "FILE")]
    lines: Vec<PathBuf>,
    /// Save the table here
    #[arg(long, value_name = "FILE")]
    csv: Option<PathBuf>,
    /// Save a plot here
    #[arg(long, value_name = "FILE")]
    svg: Option<PathBuf>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Type {
    F32,
    F64,
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let args = Args::parse();
    if args.refined {
        let names = refined::WAYS.map(str::to_owned).to_vec();
        let mut table = Table::new(names, "f64", args.threads, Some(refined::TITLE), peak::gflops::<f64>(args.threads));
        table.print_head();
        refined::run(&args, &mut table);
        return save(&args, &table);
    }
    match (args.r#type, args.batch) {
        (Type::F32, None) => run::<f32>(&args),
        (Type::F64, None) => run::<f64>(&args),
        (Type::F32, Some(count)) => batch::run::<f32>(&args, count),
        (Type::F64, Some(count)) => batch::run::<f64>(&args, count),
    }
}

fn run<T: Element>(args: &Args) -> Result<(), Box<dyn std::error::Error>> {
    let mut peers: Peers<T> = peer::ours_and_crates(args.threads, &args.without);
    for library in &args.libraries {
        peers.push(library.open(args.threads)?);
    }
    if args.rhs.is_some() {
        peers.retain(|peer| peer.can_solve(args.transpose));
    }
    if args.inverse {
        peers.retain(|peer| peer.can_invert());
    }
    let names = peers.iter().map(|peer| peer.name().to_owned()).collect();
    let what = match args.rhs {
        Some(nrhs) => Some(systems::title(nrhs, args.transpose)),
        None => args.inverse.then(|| "inverses".to_owned()),
    };
    let mut table = Table::new(names, T::NAME, args.threads, what.as_deref(), peak::gflops::<T>(args.threads));
    table.print_head();
    match args.rhs {
        Some(nrhs) => systems::run(args, nrhs, &mut peers, &mut table),
        None if args.inverse => inverses::run(args, &mut peers, &mut table),
        None => factorizations::run(args, &mut peers, &mut table),
    }
    save(args, &table)
}

/// Saves the table and the plot where that is wanted.
fn save(args: &Args, table: &Table) -> Result<(), Box<dyn std::error::Error>> {
    if let Some(file) = &args.csv {
        table.save_csv(file)?;
    }
    if let Some(file) = &args.svg {
        table.save_svg(file)?;
    }
    Ok(())
}

/// Random numbers from -1 to 1, always the same.
fn random() -> impl FnMut() -> f64 {
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    move || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state >> 11) as f64 / (1u64 << 52) as f64 - 1.0
    }
}
