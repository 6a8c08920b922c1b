//! The factorization by order, shape, kind of matrix, threads and pivoting, and solves with its factors; Gelem/s are
//! GFLOP/s.

use criterion::{BatchSize, BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use recfact::{MatrixMut, MatrixRef, Options, Pivoting, Transpose, factor, solve};
use testing::{Kind, matrix};

const ONE: Options = Options::new();

/// Numbers in [-1, 1).
fn random(len: usize) -> Vec<f64> {
    matrix(Kind::Uniform, len, 1, 1)
}

/// Measures the factorization of an m by n matrix that lies with leading dimension lda.
fn measure(c: &mut Criterion, group: &str, label: &str, [m, n, lda]: [usize; 3], a: &[f64], options: Options) {
    let k = m.min(n) as f64;
    let flops = 2.0 * (m as f64 * n as f64 * k - (m + n) as f64 * k * k / 2.0 + k * k * k / 3.0);
    let mut ipiv = vec![0; m.min(n)];
    let mut group = c.benchmark_group(group);
    group.throughput(Throughput::Elements(flops as u64));
    group.sample_size(20);
    group.bench_function(BenchmarkId::new(label, format!("{m}x{n}")), |bench| {
        bench.iter_batched_ref(
            || a.to_vec(),
            |a| {
                let view = MatrixMut::from_slice(a, m, n, lda).expect("a matrix of this size");
                factor(view, &mut ipiv, &options).expect("ipiv is long enough")
            },
            BatchSize::LargeInput,
        );
    });
    group.finish();
}

fn orders(c: &mut Criterion) {
    for n in [8, 32, 64, 128, 256, 512, 1000, 1024, 2000] {
        // Dominant on the diagonal, so that it has a factorization without pivoting too.
        let mut a = random(n * n);
        (0..n).for_each(|i| a[i * (n + 1)] += 2.0 * n as f64);
        measure(c, "order", "1 thread", [n, n, n], &random(n * n), ONE);
        measure(c, "order", "2 threads", [n, n, n], &random(n * n), ONE.threads(2));
        measure(c, "order", "no pivoting", [n, n, n], &a, ONE.pivoting(Pivoting::None));
    }
}

fn shapes(c: &mut Criterion) {
    for (m, n) in [(4000, 64), (4000, 256), (64, 4000), (1000, 3000)] {
        measure(c, "shape", "1 thread", [m, n, m], &random(m * n), ONE);
    }
}

/// Columns whose distance is a multiple of what the caches are indexed by, and their neighbours.
fn leading_dimensions(c: &mut Criterion) {
    for (n, lda) in [(200, 512), (200, 513), (400, 1024), (400, 1025), (900, 4096), (900, 4097)] {
        measure(c, "lda", &format!("lda {lda}"), [n, n, lda], &random(n * lda), ONE);
    }
    for n in [511, 512, 513, 1023, 1024, 1025, 2047, 2048, 2049] {
        measure(c, "cliff", "1 thread", [n, n, n], &random(n * n), ONE);
    }
}

/// Matrices whose columns are full of equal magnitudes or zeros.
fn ties(c: &mut Criterion) {
    for n in [32, 100, 500] {
        let uniform = random(n * n);
        let kinds: [(&str, Vec<f64>); 4] = [
            ("uniform", uniform.clone()),
            ("0 and 1", uniform.iter().map(|x| f64::from(u8::from(*x > 0.0))).collect()),
            ("integers", uniform.iter().map(|x| (x * 4.0).round()).collect()),
            ("identity", (0..n * n).map(|at| f64::from(u8::from(at % (n + 1) == 0))).collect()),
        ];
        for (kind, a) in &kinds {
            measure(c, "ties", kind, [n, n, n], a, ONE);
        }
    }
}

/// Solves with few and many right-hand sides.
fn solves(c: &mut Criterion) {
    let mut group = c.benchmark_group("solve");
    for n in [8, 32, 100, 500, 1000] {
        let (mut lu, mut ipiv) = (random(n * n), vec![0; n]);
        let view = MatrixMut::from_slice(&mut lu, n, n, n).expect("a matrix of this size");
        factor(view, &mut ipiv, &ONE).expect("ipiv is long enough");
        let lu = MatrixRef::from_slice(&lu, n, n, n).expect("a matrix of this size");
        for nrhs in [1, 4, 40] {
            let b = random(n * nrhs);
            group.throughput(Throughput::Elements((2 * n * n * nrhs) as u64));
            for (transpose, label) in [(Transpose::No, "N"), (Transpose::Yes, "T")] {
                group.bench_function(BenchmarkId::new(label, format!("{n}x{nrhs}")), |bench| {
                    bench.iter_batched_ref(
                        || b.clone(),
                        |b| {
                            let b = MatrixMut::from_slice(b, n, nrhs, n).expect("right-hand sides of this size");
                            solve(transpose, lu, &ipiv, b, &ONE).expect("the shapes fit");
                        },
                        BatchSize::LargeInput,
                    );
                });
            }
        }
    }
    group.finish();
}

criterion_group!(benches, orders, shapes, leading_dimensions, ties, solves);
criterion_main!(benches);
