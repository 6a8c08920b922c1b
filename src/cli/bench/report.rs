//! The table on the terminal, as CSV, and as a plot.

use std::fs;
use std::io::{self, Write};
use std::num::NonZeroUsize;
use std::path::Path;
use std::thread::available_parallelism;

use recfact_plot::{Curve, Plot};

use super::contestants::Way;
use crate::cli::stdout::{self, Stdout};
use crate::cli::{Failure, version};

/// The plot's lowest multiple of the time in process. What is below is not shown.
const LOWEST: f64 = 0.1;

/// A line of the plot that was measured elsewhere: orders, and microseconds.
pub(super) struct Line {
    pub(super) name: String,
    pub(super) points: Vec<(f64, f64)>,
}

/// What was measured.
pub(super) struct Table {
    out: Stdout,
    ways: &'static [Way],
    title: String,
    /// The order, and microseconds of each way.
    rows: Vec<(usize, Vec<f64>)>,
}

impl Table {
    /// Prints what is measured where, and the titles of the columns.
    pub(super) fn begin(ways: &'static [Way], threads: u32) -> Result<Self, Failure> {
        let title = title(threads);
        let mut table = Table { out: stdout::open()?, ways, title, rows: Vec::new() };
        table.print_head().map_err(|error| Failure::stdout(&error))?;
        Ok(table)
    }

    fn print_head(&mut self) -> io::Result<()> {
        writeln!(self.out, "{}", self.title)?;
        writeln!(self.out, "medians in microseconds; in brackets, multiples of the time in process")?;
        write!(self.out, "{:>6}", "n")?;
        self.ways.iter().try_for_each(|way| write!(self.out, "{:>width$}", way.name(), width = width(*way)))?;
        writeln!(self.out)?;
        self.out.flush()
    }

    /// Adds a row and prints it; times are in seconds.
    pub(super) fn push(&mut self, n: usize, times: &[f64]) -> Result<(), Failure> {
        self.rows.push((n, times.iter().map(|time| 1e6 * time).collect()));
        self.print_last().map_err(|error| Failure::stdout(&error))
    }

    fn print_last(&mut self) -> io::Result<()> {
        let Some((n, times)) = self.rows.last() else { return Ok(()) };
        write!(self.out, "{n:>6}")?;
        for (way, time) in self.ways.iter().zip(times) {
            let ratio = if has_ratio(*way) { format!(" ({})", rounded(time / times[0])) } else { String::new() };
            write!(self.out, "{:>width$}", rounded(*time) + &ratio, width = width(*way))?;
        }
        writeln!(self.out)?;
        self.out.flush()
    }

    /// Saves the rows as comma-separated values, after a line with the names of the columns.
    pub(super) fn save_csv(&self, file: &Path) -> Result<(), Failure> {
        let mut text = "# n".to_owned();
        self.ways.iter().for_each(|way| text.extend([",", way.name()]));
        for (n, times) in &self.rows {
            text += &format!("\n{n}");
            times.iter().for_each(|time| text += &format!(",{time:.4}"));
        }
        text.push('\n');
        fs::write(file, text).map_err(|error| Failure::io(file.display(), &error))
    }

    /// Saves the plot.
    pub(super) fn save_svg(&self, file: &Path, lines: &[Line]) -> Result<(), Failure> {
        let curves = self.curves(lines);
        let ratios = curves.iter().flat_map(|curve| &curve.points).map(|&(_, ratio)| ratio);
        let highest = ratios.fold(1.0, f64::max);
        let y_title = "time, as a multiple of that in process";
        let plot = Plot { title: &self.title, y_title, y: (LOWEST, 1.5 * highest), curves: &curves };
        let svg = plot.logarithmic().map_err(|error| Failure::data(file.display(), error))?;
        fs::write(file, svg).map_err(|error| Failure::io(file.display(), &error))
    }
}

impl Table {
    /// What is drawn: multiples of the time in process.
    fn curves<'a>(&'a self, lines: &'a [Line]) -> Vec<Curve<'a>> {
        let own = self.ways.iter().enumerate().map(|(at, way)| {
            let points = self.rows.iter().map(|(n, times)| (*n as f64, times[at] / times[0])).collect();
            Curve { name: way.name(), points, width: if way.is_floor() { 1 } else { 2 }, is_limit: false }
        });
        let others = lines.iter().map(|line| {
            let ratio = |&(n, time): &(f64, f64)| {
                let (_, times) = self.rows.iter().find(|(own, _)| *own as f64 == n)?;
                Some((n, time / times[0]))
            };
            Curve {
                name: &line.name,
                points: line.points.iter().filter_map(ratio).collect(),
                width: 2,
                is_limit: false,
            }
        });
        own.chain(others).collect()
    }
}

/// Whether the multiple of the time in process stands behind a time.
fn has_ratio(way: Way) -> bool {
    matches!(way, Way::Mapped | Way::Pipe)
}

/// Characters of a column.
fn width(way: Way) -> usize {
    if has_ratio(way) { 18 } else { 14 }
}

/// A positive number with three significant digits, or all digits before the point.
fn rounded(x: f64) -> String {
    let decimals = (2.0 - x.log10().floor()).clamp(0.0, 6.0) as usize;
    format!("{x:.decimals$}")
}

/// What was measured where.
fn title(threads: u32) -> String {
    let text = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let named = text.lines().find(|line| line.starts_with("model name"));
    let cpu = named.and_then(|line| line.split_once(':')).map_or("unknown CPU", |(_, name)| name.trim());
    let cpus = available_parallelism().map_or(1, NonZeroUsize::get);
    format!("recfact {}; {cpu}, {cpus} CPU(s) to run on; f64, {threads} thread(s)", version())
}
