//! Matrices of which a crew shares the rows. (Small ones are among the cases of `mod.rs`.)

use super::*;

/// Crews as they ship, which share panels only of many rows. The last two have pivots in the parts of both threads, and ties.
#[test]
fn tall_factors_are_the_naive_ones_to_the_bit() {
    let kinds = [Kind::Uniform, Kind::NotFinite, Kind::DuplicateRows, Kind::Ties];
    for (seed, kind) in (1..).zip(kinds) {
        for (m, n) in [(6003, 7), (6000, 8), (5500, 41), (2500, 33), (1540, 60)] {
            for (threads, pivoting) in [(2, true), (3, true), (2, false)] {
                let case = Case { kind, m, n, pad: 3, nb: None, threads, way: Way::Rows, pivoting, seed };
                check::<f64>(case);
                check::<f32>(case);
            }
        }
    }
}

#[test]
fn tall_matrices_go_to_a_crew_if_there_are_threads() {
    let kernels = kernels::<f64>(Isa::Portable).unwrap();
    let is_shared = |m, n, threads| matches!(Cut::choose(m, n, threads, kernels), Cut::Rows(_));
    assert!(is_shared(4000, 64, 2) && is_shared(100_000, 1000, 2) && is_shared(1 << 40, 1, 64));
    assert!(!is_shared(4000, 64, 1) && !is_shared(4000, 600, 2) && !is_shared(1200, 100, 2) && !is_shared(4000, 1, 2));
}
