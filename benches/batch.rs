//! P A = L U of a thousand small matrices: by one call for all of them, and by one call for each.

use criterion::{BatchSize, BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use recfact::{BatchMut, Element, Isa, Layout, MatrixMut, Options, factor, factor_batch};

/// Matrices of a batch.
const COUNT: usize = 1000;

fn batches<T: Element>(c: &mut Criterion, element: &str, from_f64: fn(f64) -> T) {
    for &isa in Isa::available() {
        let mut group = c.benchmark_group(format!("{element} {}", isa.name()));
        group.sample_size(20);
        for n in [2, 3, 4, 6, 8, 10, 12, 16, 24, 32, 64] {
            let options = Options::new().isa(isa);
            let a: Vec<T> = (0..COUNT * n * n).map(|at| from_f64(((at * 7919 % 10007) as f64).sin())).collect();
            let (mut ipiv, mut info) = (vec![0; COUNT * n], vec![0; COUNT]);
            group.throughput(Throughput::Elements(COUNT as u64));
            for (name, layout) in [("columns", Layout::ColumnMajor), ("rows", Layout::RowMajor)] {
                group.bench_function(BenchmarkId::new(name, n), |bench| {
                    let factor = |a: &mut Vec<T>| {
                        let batch = BatchMut::from_slice(a, COUNT, [n, n], layout).expect("the slice has the batch");
                        factor_batch(batch, &mut ipiv[..], &mut info, &options)
                            .expect("this CPU has the instruction set");
                    };
                    bench.iter_batched_ref(|| a.clone(), factor, BatchSize::LargeInput);
                });
            }
            group.bench_function(BenchmarkId::new("one by one", n), |bench| {
                let factor = |a: &mut Vec<T>| {
                    for ((a, ipiv), info) in a.chunks_mut(n * n).zip(ipiv.chunks_mut(n)).zip(&mut info) {
                        let a = MatrixMut::from_slice(a, n, n, n).expect("the slice has the matrix");
                        *info = factor(a, ipiv, &options).expect("this CPU has the instruction set");
                    }
                };
                bench.iter_batched_ref(|| a.clone(), factor, BatchSize::LargeInput);
            });
        }
        group.finish();
    }
}

fn all(c: &mut Criterion) {
    batches::<f64>(c, "f64", |x| x);
    batches::<f32>(c, "f32", |x| x as f32);
}

criterion_group!(benches, all);
criterion_main!(benches);
