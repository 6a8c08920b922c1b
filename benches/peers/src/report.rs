//! The table on the terminal, as CSV, and as a plot.

use std::error::Error;
use std::path::Path;

use plotters::prelude::*;
use recfact::Isa;

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
        let root = SVGBackend::new(file, (900, 520)).into_drawing_area();
        root.fill(&WHITE)?;
        let (first, last) = (self.rows.first().map_or(1, |row| row.n), self.rows.last().map_or(2, |row| row.n));
        let mut chart = ChartBuilder::on(&root)
            .caption(self.title(), ("sans-serif", 15))
            .margin(12)
            .x_label_area_size(40)
            .y_label_area_size(50)
            .build_cartesian_2d((first as f64..last as f64).log_scale(), 0.0..self.peak * 1.05)?;
        chart
            .configure_mesh()
            .x_desc("n")
            .y_desc("GFLOP/s")
            .x_labels(12)
            .x_label_formatter(&|n| format!("{n:.0}"))
            .draw()?;
        let peak = [(first as f64, self.peak), (last as f64, self.peak)];
        chart
            .draw_series(LineSeries::new(peak, BLACK.stroke_width(1)))?
            .label("FMA peak")
            .legend(|(x, y)| PathElement::new([(x, y), (x + 20, y)], BLACK));
        for (at, name) in self.names.iter().enumerate() {
            let color = Palette99::pick(at).to_rgba();
            let width = if at == 0 { 3 } else { 1 };
            let points: Vec<_> = self.rows.iter().map(|row| (row.n as f64, row.gflops[at])).collect();
            chart
                .draw_series(LineSeries::new(points, color.stroke_width(width)).point_size(2))?
                .label(name)
                .legend(move |(x, y)| PathElement::new([(x, y), (x + 20, y)], color.stroke_width(width)));
        }
        chart
            .configure_series_labels()
            .position(SeriesLabelPosition::UpperLeft)
            .background_style(WHITE.mix(0.8))
            .border_style(BLACK.mix(0.3))
            .draw()?;
        Ok(root.present()?)
    }
}
