//! Sweeps the block sizes of `src/kernel/tuning.rs`, one at a time, and compares the instruction sets of this CPU: GFLOP/s by
//! order, all in turns, the best of many times. Nothing of it changes a bit of a result.
//!
//! ```sh
//! cargo bench --bench tuning --features internals -- --threads 1 --type f64 256 512 1000 2000
//! ```

use std::time::{Duration, Instant};

use clap::{Parser, ValueEnum};
use recfact::internals::{Size, Tuned};
use recfact::{Element, Isa, MatrixMut};
use testing::{Float, Kind, matrix};

/// Sweeps block sizes.
#[derive(Parser)]
struct Args {
    /// Orders of square matrices.
    #[arg(default_values_t = [128, 256, 512, 1000, 2000])]
    orders: Vec<usize>,
    /// The type of the elements.
    #[arg(long = "type", default_value = "f64")]
    element: Type,
    /// Threads that factor a matrix.
    #[arg(long, default_value_t = 1)]
    threads: usize,
    /// Seconds for each order and block size.
    #[arg(long, default_value_t = 2.0)]
    seconds: f64,
    /// Said by `cargo bench` and `cargo test`.
    #[arg(long, hide = true)]
    bench: bool,
    #[arg(long, hide = true)]
    test: bool,
}

#[derive(Clone, Copy, ValueEnum)]
enum Type {
    F64,
    F32,
}

/// What is swept: the name of a size, and its values.
const SWEEPS: [(Size, &[usize]); 4] = [
    (Size::Width, &[24, 48, 72, 96, 144, 192]),
    (Size::Chunk, &[24, 48, 96]),
    (Size::Tiles, &[8, 16, 24, 32]),
    (Size::FarBytes, &[1 << 20, 6 << 20, 64 << 20, usize::MAX]),
];

fn main() {
    let args = Args::parse();
    // `cargo test --benches` only wants to know that this builds.
    if args.test {
        return;
    }
    match args.element {
        Type::F64 => sweep::<f64>(&args),
        Type::F32 => sweep::<f32>(&args),
    }
}

fn sweep<T: Element + Float>(args: &Args) {
    let isas: Vec<Isa> = Isa::available().iter().copied().filter(|&isa| isa != Isa::Portable).collect();
    table::<T>(args, "as it is", isas.iter().map(|&isa| (isa.name().to_string(), Tuned::new(isa, &[]))).collect());
    for &isa in &isas {
        for (size, values) in SWEEPS {
            let rows = values.iter().map(|&value| (value.to_string(), Tuned::new(isa, &[(size, value)]))).collect();
            table::<T>(args, &format!("{} {size:?}", isa.name()), rows);
        }
    }
}

/// Prints GFLOP/s: a row for each variant, a column for each order.
fn table<T: Element + Float>(args: &Args, title: &str, variants: Vec<(String, Tuned<T>)>) {
    let columns: Vec<Vec<f64>> = args.orders.iter().map(|&n| column(args, n, &variants)).collect();
    println!("\n{title:>20}{}", args.orders.iter().map(|n| format!("{n:>9}")).collect::<String>());
    for (i, (name, _)) in variants.iter().enumerate() {
        println!("{name:>20}{}", columns.iter().map(|column| format!("{:>9.2}", column[i])).collect::<String>());
    }
}

/// GFLOP/s of each variant for one order.
fn column<T: Element + Float>(args: &Args, n: usize, variants: &[(String, Tuned<T>)]) -> Vec<f64> {
    let input: Vec<T> = matrix(Kind::Uniform, n, n, 1);
    let (mut a, mut ipiv) = (input.clone(), vec![0; n]);
    let mut best = vec![Duration::MAX; variants.len()];
    let begin = Instant::now();
    let mut rounds = 0;
    while rounds < 3 || begin.elapsed().as_secs_f64() < args.seconds * variants.len() as f64 {
        for ((_, tuned), best) in variants.iter().zip(&mut best) {
            a.copy_from_slice(&input);
            let clock = Instant::now();
            tuned.factor(MatrixMut::from_slice(&mut a, n, n, n).expect("n by n elements"), &mut ipiv, args.threads);
            *best = (*best).min(clock.elapsed());
        }
        rounds += 1;
    }
    best.iter().map(|best| 2.0 / 3.0 * (n as f64).powi(3) / best.as_secs_f64() * 1e-9).collect()
}
