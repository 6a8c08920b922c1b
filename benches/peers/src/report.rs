//! The table on the terminal, as CSV, and as a plot.

use std::error::Error;
use std::path::Path;

use recfact::Isa;
use recfact_plot::{Curve, Plot};

/// One size: GFLOP/s of each peer, ours first.
pub struct Row {
    pub n: usize,
    pub gflops: Vec<f64>,
}

impl Row {
    /// Ours over the best of the others.
    fn ratio(&self) -> f64 {
        self.gflops[0] / self.gflops[1..].iter().copied().fold(f64::NAN, f64::max)
    }
}

/// All of them.
pub struct Table {
    names: Vec<String>,
    element: &'static str,
    threads: usize,
    /// What is measured, if it is not the factorization.
    what: Option<String>,
    /// GFLOP/s of fused multiply-adds in registers.
    peak: f64,
    rows: Vec<Row>,
}

impl Table {
    pub fn new(names: Vec<String>, element: &'static str, threads: usize, what: Option<&str>, peak: f64) -> Self {
        Table { names, element, threads, what: what.map(str::to_owned), peak, rows: Vec::new() }
    }

    /// What was measured where, and the titles of the columns.
    pub fn print_head(&self) {
        println!("{}", self.title());
        print!("{:>6}", "n");
        self.names.iter().for_each(|name| print!("{name:>10}"));
        println!("{:>10}{:>10}", "of peak", "ratio");
    }

    /// Adds a row and prints it.
    pub fn push(&mut self, row: Row) {
        print!("{:>6}", row.n);
        row.gflops.iter().for_each(|rate| print!("{rate:>10.2}"));
        println!("{:>9.1}%{:>10.2}", 100.0 * row.gflops[0] / self.peak, row.ratio());
        self.rows.push(row);
    }

    fn title(&self) -> String {
        let what = self.what.as_ref().map(|what| format!(", {what}")).unwrap_or_default();
        format!("{}{what}, FMA peak {:.1} GFLOP/s", machine(self.element, self.threads), self.peak)
    }

    pub fn save_csv(&self, file: &Path) -> Result<(), Box<dyn Error>> {
        let mut out = csv::Writer::from_path(file)?;
        let head = ["n", "element", "threads", "peak"].map(str::to_owned);
        out.write_record(head.iter().chain(&self.names))?;
        for row in &self.rows {
            let first = [row.n.to_string(), self.element.into(), self.threads.to_string(), format!("{:.2}", self.peak)];
            let rates = row.gflops.iter().map(|rate| format!("{rate:.3}"));
            out.write_record(first.into_iter().chain(rates))?;
        }
        Ok(out.flush()?)
    }

    pub fn save_svg(&self, file: &Path) -> Result<(), Box<dyn Error>> {
        let points = |value: &dyn Fn(&Row) -> f64| self.rows.iter().map(|row| (row.n as f64, value(row))).collect();
        let peak = Curve { name: "FMA peak", points: points(&|_| self.peak), width: 1, is_limit: true };
        let peers = self.names.iter().enumerate().map(|(at, name)| {
            let width = if at == 0 { 3 } else { 1 };
            Curve { name, points: points(&|row| row.gflops[at]), width, is_limit: false }
        });
        let curves: Vec<_> = [peak].into_iter().chain(peers).collect();
        let title = self.title();
        let plot = Plot { title: &title, y_title: "GFLOP/s", y: (0.0, self.peak * 1.05), curves: &curves };
        Ok(std::fs::write(file, plot.linear()?)?)
    }
}

/// The CPU, its best instruction set, threads and the element type.
fn machine(element: &str, threads: usize) -> String {
    let cpu = std::fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let field = |name: &str| {
        let line = cpu.lines().find(|line| line.split(':').next().is_some_and(|key| key.trim() == name));
        line.and_then(|line| line.split(':').nth(1)).unwrap_or("?").trim().to_owned()
    };
    let (name, family, model) = (field("model name"), field("cpu family"), field("model"));
    format!(
        "{name} (family {family}, model {model}), {}, {threads} thread(s), {element}",
        Isa::in_use().map_or("none", Isa::name)
    )
}

/// Nanoseconds for each matrix of a batch, by order and peer, ours first.
pub struct Batches {
    names: Vec<String>,
    title: String,
    rows: Vec<(usize, Vec<f64>)>,
    /// Curves that were measured elsewhere.
    lines: Vec<(String, Vec<(f64, f64)>)>,
}

impl Batches {
    pub fn new(names: Vec<String>, element: &'static str, threads: usize, what: &str) -> Self {
        let title = format!("{}, {what}", machine(element, threads));
        Batches { names, title, rows: Vec::new(), lines: Vec::new() }
    }

    /// Adds the columns of a CSV file that has n in the first one.
    pub fn add_lines(&mut self, file: &Path) -> Result<(), Box<dyn Error>> {
        let mut table = csv::Reader::from_path(file)?;
        let names: Vec<String> = table.headers()?.iter().skip(1).map(str::to_owned).collect();
        let first = self.lines.len();
        self.lines.extend(names.into_iter().map(|name| (name, Vec::new())));
        for record in table.records() {
            let numbers = record?.iter().map(str::parse).collect::<Result<Vec<f64>, _>>()?;
            for ((_, points), &value) in self.lines[first..].iter_mut().zip(&numbers[1..]) {
                points.push((numbers[0], value));
            }
        }
        Ok(())
    }

    fn line_at(points: &[(f64, f64)], n: usize) -> f64 {
        points.iter().find(|(order, _)| *order == n as f64).map_or(f64::NAN, |&(_, value)| value)
    }

    pub fn print_head(&self) {
        println!("{}; ns for each matrix", self.title);
        print!("{:>6}", "n");
        let names = self.names.iter().chain(self.lines.iter().map(|(name, _)| name));
        names.for_each(|name| print!("  {name:>12}"));
        println!();
    }

    /// Adds a row and prints it: the times, and for the others how many times ours they are.
    pub fn push(&mut self, n: usize, times: Vec<f64>) {
        print!("{n:>6}");
        let others = self.lines.iter().map(|(_, points)| Self::line_at(points, n));
        let names = self.names.iter().chain(self.lines.iter().map(|(name, _)| name));
        for (name, time) in names.zip(times.iter().copied().chain(others)) {
            print!("  {:>width$}", format!("{time:.1} ({:.2})", time / times[0]), width = name.len().max(12));
        }
        println!();
        self.rows.push((n, times));
    }

    pub fn save_csv(&self, file: &Path) -> Result<(), Box<dyn Error>> {
        let mut out = csv::Writer::from_path(file)?;
        out.write_record([&"n".to_owned()].into_iter().chain(&self.names))?;
        for (n, times) in &self.rows {
            out.write_record([n.to_string()].into_iter().chain(times.iter().map(|time| format!("{time:.2}"))))?;
        }
        Ok(out.flush()?)
    }

    pub fn save_svg(&self, file: &Path) -> Result<(), Box<dyn Error>> {
        let peers = self.names.iter().enumerate().map(|(at, name)| {
            let points = self.rows.iter().map(|(n, times)| (*n as f64, times[at])).collect();
            Curve { name, points, width: if at == 0 { 3 } else { 1 }, is_limit: false }
        });
        let lines = self.lines.iter().map(|(name, points)| {
            let points = points.iter().copied().filter(|(n, _)| self.rows.iter().any(|(m, _)| *m as f64 == *n));
            Curve { name, points: points.collect(), width: 1, is_limit: false }
        });
        let curves: Vec<_> = peers.chain(lines).collect();
        let values = || curves.iter().flat_map(|curve| &curve.points).map(|&(_, y)| y);
        let y = (values().fold(f64::MAX, f64::min) / 1.5, values().fold(0.0, f64::max) * 1.5);
        let plot = Plot { title: &self.title, y_title: "ns for each matrix", y, curves: &curves };
        Ok(std::fs::write(file, plot.logarithmic()?)?)
    }
}
