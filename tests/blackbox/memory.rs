//! How much memory a session takes.

use testing::{Kind, matrix};

use crate::harness::*;

#[test]
fn the_peak_is_the_largest_matrix_and_the_memory_is_given_back() {
    let (m, n) = (400_000, 50);
    let a: Vec<f64> = matrix(Kind::Uniform, m, n, 1);
    let request_bytes = request(0, m, n, &a);
    let response_bytes = 8 + 8 * m * n + 8 * n;
    let mut server = Server::start(&[]);
    for _ in 0..2 {
        // A slightly smaller matrix first: its memory must not be held beside that of the next one.
        let smaller = m / 10 * 9;
        server.ask(&request(0, smaller, n, &a[..smaller * n]), 8 + 8 * smaller * n + 8 * n);
        let response = server.ask(&request_bytes, response_bytes);
        assert_eq!(response[..8], [0; 8]);
    }
    let matrix_kib = (8 * m * n) as u64 / 1024;
    let (peak, bound) = (server.memory_kib("VmHWM"), matrix_kib * 105 / 100 + (16 << 10));
    assert!(peak <= bound, "peak {peak} KiB, bound {bound} KiB");
    assert!(peak >= matrix_kib, "the matrix is in memory: {peak} KiB of {matrix_kib}");

    let small = request(0, 2, 2, &[4.0, 6.0, 3.0, 3.0]);
    for _ in 0..50 {
        server.send(&small);
        server.receive(8 + 32 + 16);
    }
    let after = server.memory_kib("VmRSS");
    assert!(after < 16 << 10, "{after} KiB are still held");
    assert!(server.finish().0.success());
}
