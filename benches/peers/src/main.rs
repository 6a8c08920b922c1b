//! LU factorization of recfact and its peers, side by side: all of them in turns in one process, the input refreshed
//! outside of the clock, the answers checked; the best of many times counts.

#![allow(clippy::needless_range_loop)] // the check reads like its formulas

mod batch;
mod peak;
mod peer;
mod report;

use std::path::PathBuf;
use std::time::{Duration, Instant};

use clap::{Parser, ValueEnum};
use peer::{Element, Library, Peer};
use report::{Row, Table};

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
    /// A shared library with dgetrf, as NAME=PATH; may be given several times
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
    match (args.r#type, args.batch) {
        (Type::F32, None) => run::<f32>(&args),
        (Type::F64, None) => run::<f64>(&args),
        (Type::F32, Some(count)) => batch::run::<f32>(&args, count),
        (Type::F64, Some(count)) => batch::run::<f64>(&args, count),
    }
}

fn run<T: Element>(args: &Args) -> Result<(), Box<dyn std::error::Error>> {
    let mut peers = peer::ours_and_crates::<T>(args.threads, &args.without);
    for library in &args.libraries {
        peers.push(library.open::<T>(args.threads)?);
    }
    let names = peers.iter().map(|peer| peer.name().to_owned()).collect();
    let mut table = Table::new(names, T::NAME, args.threads, peak::gflops::<T>(args.threads));
    table.print_head();
    for &n in &args.sizes {
        let m = args.rows.unwrap_or(n);
        let case = Case::new(m, n, args.lda.unwrap_or(m).max(m));
        table.push(Row {
            n,
            gflops: case.measure(&mut peers, Duration::from_secs_f64(args.seconds), Turn::new(args.threads)),
        });
    }
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

/// A matrix to factor.
struct Case<T> {
    m: usize,
    n: usize,
    lda: usize,
    a: Vec<T>,
}

/// Bytes of copies that are factored one after the other under one clock, where a single one is too quick for it.
const BATCH_BYTES: usize = 16 << 10;

/// How long each peer has its turn.
#[derive(Clone, Copy)]
struct Turn {
    rest: Duration,
    calls: usize,
    time: Duration,
}

impl Turn {
    /// The threads of some peers spin long after their work is done (MKL: 200 ms), so that the next peer must wait; and
    /// its own threads must be awake before its best time counts.
    fn new(threads: usize) -> Self {
        match threads {
            1 => Turn { rest: Duration::ZERO, calls: 1, time: Duration::ZERO },
            _ => Turn { rest: Duration::from_millis(250), calls: 4, time: Duration::from_millis(50) },
        }
    }

    fn rest(self) {
        std::thread::sleep(self.rest);
    }
}

impl<T: Element> Case<T> {
    /// A random matrix.
    fn new(m: usize, n: usize, lda: usize) -> Self {
        let mut random = random();
        Case { m, n, lda, a: (0..lda * n).map(|_| T::nearest(random())).collect() }
    }

    /// Additions and multiplications of the factorization.
    fn flops(&self) -> f64 {
        let (m, n) = (self.m as f64, self.n as f64);
        let k = m.min(n);
        // The sum over j < k of (m-j-1) + 2 (m-j-1) (n-j-1), to leading order.
        2.0 * (m * n * k - (m + n) * k * k / 2.0 + k * k * k / 3.0)
    }

    /// The best GFLOP/s of each peer.
    fn measure(&self, peers: &mut [Box<dyn Peer<T>>], budget: Duration, turn: Turn) -> Vec<f64> {
        let len = self.a.len();
        let copies = (BATCH_BYTES / (len * size_of::<T>()).max(1)).clamp(1, 64);
        // Copies start at a cache line.
        let line = 64 / size_of::<T>();
        let stride = len.next_multiple_of(line);
        let mut memory = vec![T::default(); stride * copies + line];
        let start = memory.as_ptr().align_offset(64);
        let work = &mut memory[start..];
        let mut ipiv = vec![0_i64; self.m.min(self.n)];
        let mut best = vec![f64::INFINITY; peers.len()];
        let begin = Instant::now();
        let mut rounds = 0;
        while rounds < 3 || begin.elapsed() < budget {
            for (peer, best) in peers.iter_mut().zip(&mut best) {
                turn.rest();
                let begin = Instant::now();
                let mut calls = 0;
                while calls < turn.calls || begin.elapsed() < turn.time {
                    for copy in work.chunks_mut(stride).take(copies) {
                        copy[..len].copy_from_slice(&self.a);
                    }
                    let clock = Instant::now();
                    for copy in work.chunks_mut(stride).take(copies) {
                        peer.factor(self.m, self.n, &mut copy[..len], self.lda, &mut ipiv);
                    }
                    *best = best.min(clock.elapsed().as_secs_f64() / copies as f64);
                    calls += 1;
                }
                if rounds == 0 {
                    peer.finish(&mut work[..len], &mut ipiv);
                    self.check(peer.name(), &work[..len], &ipiv);
                }
            }
            rounds += 1;
        }
        best.iter().map(|seconds| self.flops() / seconds * 1e-9).collect()
    }

    /// P A x = L (U x) for a vector x, within the bound of a backward stable factorization.
    fn check(&self, name: &str, lu: &[T], ipiv: &[i64]) {
        let (m, n, lda) = (self.m, self.n, self.lda);
        let k = m.min(n);
        let at = |a: &[T], i: usize, j: usize| -> f64 { a[i + j * lda].into() };
        let x: Vec<f64> = (0..n).map(|j| if j % 3 == 0 { 1.0 } else { -0.5 }).collect();
        let mut ax = vec![0.0; m];
        for j in 0..n {
            (0..m).for_each(|i| ax[i] += at(&self.a, i, j) * x[j]);
        }
        for (i, &p) in ipiv.iter().enumerate() {
            ax.swap(i, p as usize - 1);
        }
        let mut ux = vec![0.0; k];
        for j in 0..n {
            (0..k.min(j + 1)).for_each(|i| ux[i] += at(lu, i, j) * x[j]);
        }
        let mut lux = ux.clone();
        lux.resize(m, 0.0);
        for j in 0..k {
            (j + 1..m).for_each(|i| lux[i] += at(lu, i, j) * ux[j]);
        }
        let error = ax.iter().zip(&lux).fold(0.0_f64, |worst, (a, b)| worst.max((a - b).abs()));
        let order = m.max(n) as f64;
        let bound = 20.0 * order * order.sqrt() * T::ROUNDING;
        assert!(error <= bound, "{name} at {m} x {n}: error {error:e}, bound {bound:e}");
    }
}
