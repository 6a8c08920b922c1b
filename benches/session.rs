//! A request and its answer through the pipes of a running server, by hand and by the Rust client, and the same in process.

use std::io::{Read, Write};
use std::process::{Command, Stdio};

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use nalgebra::DMatrix;
use recfact::client::{Builder, Client, Transport};
use recfact::{Lu, Options};

fn round_trip(c: &mut Criterion) {
    let mut server = Command::new(env!("CARGO_BIN_EXE_recfact_server"));
    let mut child = server.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().expect("the server starts");
    let mut stdin = child.stdin.take().expect("stdin is piped");
    let mut stdout = child.stdout.take().expect("stdout is piped");
    let mut group = c.benchmark_group("round_trip");
    group.sample_size(20);
    for (command, name) in [(0_u8, "f64"), (2, "f64-threaded")] {
        for n in [1, 10, 16, 64, 256, 1000] {
            let mut request = vec![command];
            (0..2).for_each(|_| request.extend((n as i64).to_le_bytes()));
            request.extend((0..n * n).flat_map(|at| ((at * 7919 % 10007) as f64).sin().to_le_bytes()));
            let mut response = vec![0; 8 + 8 * n * n + 8 * n];
            group.throughput(Throughput::Bytes((request.len() + response.len()) as u64));
            group.bench_function(BenchmarkId::new(name, n), |bench| {
                bench.iter(|| {
                    // Both may be larger than a pipe, but the server reads all of a request before it answers.
                    stdin.write_all(&request).expect("the server reads");
                    stdout.read_exact(&mut response).expect("the server answers");
                });
            });
            assert_eq!(response[..8], [0; 8], "info");
        }
    }
    group.finish();
    drop(stdin);
    assert_eq!(stdout.read_to_end(&mut Vec::new()).expect("stdout can be read"), 0, "bytes after the last answer");
    assert!(child.wait().expect("the server ends").success());
}

/// A client that has made its first request.
fn client(mapped: bool) -> Client {
    let builder = Builder::new().program(env!("CARGO_BIN_EXE_recfact_server")).mapped(mapped);
    let client = builder.spawn().expect("the server starts");
    client.lu(&DMatrix::<f64>::identity(1, 1), &Options::default()).expect("the server answers");
    assert_eq!(client.transport() == Transport::Mapped, mapped, "{}", client.transport());
    client
}

/// The Rust client, with version 1 frames and with mapped memory, and the library in process: all take a borrowed matrix and
/// return the factors.
fn calls(c: &mut Criterion) {
    let clients = [("client, version 1", client(false)), ("client, mapped", client(true))];
    let mut group = c.benchmark_group("call");
    group.sample_size(20);
    for n in [1, 2, 10, 16, 64, 100, 256, 1000] {
        let a = DMatrix::from_fn(n, n, |i, j| (((i + j * n) * 7919 % 10007) as f64).sin());
        let options = Options::default();
        group.throughput(Throughput::Bytes(2 * size_of_val(a.as_slice()) as u64));
        for (name, client) in &clients {
            group.bench_function(BenchmarkId::new(*name, n), |bench| {
                bench.iter(|| client.lu(&a, &options).expect("the server answers"));
            });
        }
        group.bench_function(BenchmarkId::new("in process", n), |bench| {
            bench.iter(|| Lu::new(a.clone(), &options).unwrap());
        });
    }
    group.finish();
}

criterion_group!(benches, round_trip, calls);
criterion_main!(benches);
