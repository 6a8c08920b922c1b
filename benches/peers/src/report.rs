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
    /// GFLOP/s of fused multiply-adds in registers.
    peak: f64,
    rows: Vec<Row>,
}

impl Table {
    pub fn new(names: Vec<String>, element: &'static str, threads: usize, peak: f64) -> Self {
        Table { names, element, threads, peak, rows: Vec::new() }
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
        let cpu = std::fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
        let field = |name: &str| {
            let line = cpu.lines().find(|line| line.split(':').next().is_some_and(|key| key.trim() == name));
            line.and_then(|line| line.split(':').nth(1)).unwrap_or("?").trim().to_owned()
        };
        format!(
            "{} (family {}, model {}), {}, {} thread(s), {}, FMA peak {:.1} GFLOP/s",
            field("model name"),
            field("cpu family"),
            field("model"),
            Isa::best().name(),
            self.threads,
            self.element,
            self.peak
        )
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
