//! The kernels, one by one, of every instruction set that this CPU has; Gelem/s are GFLOP/s.

use std::hint::black_box;

use criterion::{BatchSize, BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use recfact::{Element, Isa, Pivoting, internals};
use testing::{Float, Kind};

fn kernels<T: Element + Float>(c: &mut Criterion, name: &str) {
    for isa in Isa::ALL.into_iter().filter(|isa| isa.is_available()) {
        let name = |operation: &str| format!("{operation}_{name}_{}", isa.name());
        let matrix = |m: usize, n: usize| testing::matrix::<T>(Kind::Uniform, m, n, 1);
        let (small, nb) = internals::sizes::<T>(isa);

        let mut group = c.benchmark_group(name("gemm"));
        for (m, n, k) in [(144, 48, 8), (144, 48, 24), (144, 48, 48), (144, 48, 96), (144, 48, 256), (960, 48, 96)] {
            let (a, b) = (internals::pack(isa, m, k, &matrix(m, k)), matrix(k, n));
            let mut to = matrix(m, n);
            group.throughput(Throughput::Elements(2 * (m * n * k) as u64));
            group.bench_function(format!("{m}x{n}x{k}"), |bench| {
                bench.iter(|| internals::gemm(isa, [m, n, k], black_box(&a), &b, &mut to));
            });
        }
        group.finish();

        let mut group = c.benchmark_group(name("all_finite"));
        for n in [16, 64, 256, 1000] {
            let a = matrix(n, n);
            group.throughput(Throughput::Elements((n * n) as u64));
            group.bench_function(BenchmarkId::from_parameter(n), |bench| {
                bench.iter(|| internals::all_finite(isa, black_box(&a)));
            });
        }
        group.finish();

        let mut group = c.benchmark_group(name("trsm"));
        for m in [8, 24, 48, 96] {
            let (l, b) = (matrix(m, m), matrix(m, 48));
            group.throughput(Throughput::Elements((m * (m - 1) * 48) as u64));
            group.bench_function(BenchmarkId::from_parameter(m), |bench| {
                bench.iter_batched_ref(
                    || b.clone(),
                    |b| internals::trsm(isa, m, 48, black_box(&l), b),
                    BatchSize::SmallInput,
                );
            });
        }
        group.finish();

        let mut group = c.benchmark_group(name("panel"));
        for m in [64, 256, 1024, 4096] {
            let (a, mut ipiv) = (matrix(m, nb), vec![0; nb]);
            group.throughput(Throughput::Elements((nb * nb * m) as u64 - (nb * nb * nb) as u64 / 3));
            for (pivoting, label) in [(Pivoting::Partial, "pivoting"), (Pivoting::None, "none")] {
                group.bench_function(BenchmarkId::new(label, m), |bench| {
                    bench.iter_batched_ref(
                        || a.clone(),
                        |a| internals::panel(isa, m, nb, pivoting, a, &mut ipiv),
                        BatchSize::SmallInput,
                    );
                });
            }
        }
        group.finish();

        let mut group = c.benchmark_group(name("small"));
        for n in [4, 8, 16, 32, small] {
            let (a, mut ipiv) = (matrix(n, n), vec![0; n]);
            group.throughput(Throughput::Elements(2 * (n * n * n) as u64 / 3));
            group.bench_function(BenchmarkId::from_parameter(n), |bench| {
                bench.iter_batched_ref(|| a.clone(), |a| internals::small(isa, n, a, &mut ipiv), BatchSize::SmallInput);
            });
        }
        group.finish();
    }
}

/// The transpose, which is the same on every instruction set.
fn transpose<T: Element + Float>(c: &mut Criterion, name: &str) {
    let mut group = c.benchmark_group(format!("transpose_{name}"));
    for n in [16, 64, 256, 1000, 1024] {
        let (a, mut b) = (testing::matrix::<T>(Kind::Uniform, n, n, 1), testing::matrix::<T>(Kind::Uniform, n, n, 1));
        group.throughput(Throughput::Elements((n * n) as u64));
        group.bench_function(BenchmarkId::from_parameter(n), |bench| {
            bench.iter(|| internals::transpose(n, n, black_box(&a), &mut b));
        });
    }
    group.finish();
}

fn all(c: &mut Criterion) {
    kernels::<f64>(c, "f64");
    kernels::<f32>(c, "f32");
    transpose::<f64>(c, "f64");
    transpose::<f32>(c, "f32");
}

criterion_group!(benches, all);
criterion_main!(benches);
