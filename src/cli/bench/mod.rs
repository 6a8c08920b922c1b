//! `recfact_server bench`: how long a client waits for a factorization, by size and by the way that the matrix goes.

mod contestants;
mod echo;
mod report;
mod turns;

use std::path::PathBuf;
use std::str::FromStr;

use contestants::Contestants;
use report::{Line, Table};

use super::{Failure, input};
use crate::files::sizes;
use crate::os::{Placement, current_cpu};

/// The orders that are measured unless others are asked for.
const ORDERS: [u32; 15] = [2, 4, 8, 16, 24, 32, 48, 64, 100, 128, 256, 512, 1000, 1500, 2000];

const NOTES: &str = "\
This executable starts itself as a child and sends it matrices, as a Rust client does. The calls take turns, and the medians \
are printed in microseconds:

  in process     the same call without a child: a matrix comes in, its factors come out
  mapped         by the child, in memory that both see
  mapped floor   what that costs without the factorization: a short request and its answer, a copy in and a copy out
  pipe           by the child, in version 1 frames
  pipe floor     the bytes of the matrix to the child and back, without a factorization

Where the servers run decides about calls of a few microseconds: each on a CPU that the system or the server chooses, or all \
on one with --one-cpu. Measure on a machine that does nothing else.

Examples:
  recfact_server bench
  recfact_server bench --one-cpu --svg bench.svg --csv bench.csv
  recfact_server bench --line SciPy=scipy.csv --svg bench.svg 64 256 1000";

#[derive(Debug, clap::Args)]
#[command(after_help = NOTES)]
pub(super) struct Args {
    /// Orders of the square matrices
    #[arg(value_name = "N", default_values_t = ORDERS, value_parser = clap::value_parser!(u32).range(1..=100_000))]
    orders: Vec<u32>,
    /// Threads of a factorization
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..))]
    threads: u32,
    /// Time for each order
    #[arg(long, value_name = "SECONDS", default_value_t = 1.0, value_parser = parse_seconds)]
    seconds: f64,
    /// Keep the servers and the calls on one CPU
    #[arg(long)]
    one_cpu: bool,
    /// Save the table as CSV
    #[arg(long, value_name = "FILE")]
    csv: Option<PathBuf>,
    /// Save a plot: the times as multiples of that in process
    #[arg(long, value_name = "FILE")]
    svg: Option<PathBuf>,
    /// Add a line to the plot, from a file with two columns: order and microseconds
    #[arg(long = "line", value_name = "NAME=FILE")]
    lines: Vec<Source>,
}

/// Where a further line of the plot comes from.
#[derive(Debug, Clone)]
struct Source {
    name: String,
    file: String,
}

impl FromStr for Source {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (name, file) = text.split_once('=').ok_or("expected a name, = and a file")?;
        Ok(Source { name: name.into(), file: file.into() })
    }
}

impl Source {
    fn read(&self) -> Result<Line, Failure> {
        let table = input::read::<f64>(&self.file)?;
        let [1, rows, 2] = table.grid().sides() else {
            let shape = sizes(table.grid().shape());
            let message = format!("expected two columns, order and microseconds, got {shape}");
            return Err(Failure::data(&self.file, message));
        };
        let points = (0..rows).map(|i| (table.get(0, i, 0), table.get(0, i, 1))).collect();
        Ok(Line { name: self.name.clone(), points })
    }
}

fn parse_seconds(text: &str) -> Result<f64, &'static str> {
    text.parse().ok().filter(|&seconds| (0.0..=1e6).contains(&seconds)).ok_or("expected a number of seconds")
}

pub(super) fn run(args: &Args) -> Result<(), Failure> {
    // A mistake in a file is found before the minute that the measurement takes.
    let lines = args.lines.iter().map(Source::read).collect::<Result<Vec<_>, _>>()?;
    if args.one_cpu
        && let Some(cpu) = current_cpu()
    {
        // The servers inherit it.
        Placement::default().keep_on(cpu);
    }
    let mut contestants = Contestants::start(args.threads)?;
    let mut table = Table::begin(contestants.ways(), args.threads)?;
    for &n in &args.orders {
        let n = n as usize;
        table.push(n, &contestants.measure(n, args.seconds)?)?;
    }
    if let Some(file) = &args.csv {
        table.save_csv(file)?;
    }
    match &args.svg {
        Some(file) => table.save_svg(file, &lines),
        None => Ok(()),
    }
}
