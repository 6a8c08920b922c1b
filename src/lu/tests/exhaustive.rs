//! Every small shape, and shapes around every block size and crossover, as they ship and with blocks forced on them.
//!
//! With checks of overflow (`cargo test` without `--release`) a part of the shapes must do.

use super::*;

/// What the naive loop takes a column at a time.
const SMALL: usize = 70;

/// Number of a shape -> how it is factored, so that every choice meets every neighbourhood of shapes.
fn choice(number: usize) -> (usize, Way, usize) {
    let threads = [1, 2, 3, 8][number % 4];
    let way = [Way::Chosen, Way::Blocks(8), Way::Blocks(24), Way::Blocks(5), Way::Rows][number / 4 % 5];
    (threads, way, number % 3)
}

fn every_small_shape<T: Element + Float>() {
    let kinds = [Kind::Uniform, Kind::Ties, Kind::Graded, Kind::DuplicateRows, Kind::Subnormal, Kind::Huge];
    let step = if cfg!(debug_assertions) { 11 } else { 1 };
    let shapes = (0..=SMALL).flat_map(|m| (0..=SMALL).map(move |n| (m, n)));
    for (number, (m, n)) in shapes.enumerate().step_by(step) {
        for (seed, kind) in (number as u64..).zip(kinds) {
            let a: Vec<T> = matrix(kind, m, n, seed);
            for pivoting in [true, false] {
                let naive = naive_lu(&a, m, n, pivoting);
                let (threads, way, pad) = choice(seed as usize);
                let shipped = Case { kind, m, n, pad, nb: None, threads, way: Way::Chosen, pivoting, seed };
                compare(&a, &naive, shipped);
                compare(&a, &naive, Case { way, ..shipped });
            }
        }
    }
}

#[test]
fn every_shape_up_to_70_is_the_naive_one_to_the_bit_f64() {
    every_small_shape::<f64>();
}

#[test]
fn every_shape_up_to_70_is_the_naive_one_to_the_bit_f32() {
    every_small_shape::<f32>();
}

/// Around the orders at which another way of factoring takes over, and around multiples of blocks, tiles and cache
/// blocks, with as many threads as the case names.
fn around_every_crossover<T: Element + Float>() {
    let square = [79, 80, 81, 96, 111, 112, 113, 240, 257, 319, 320, 321, 511, 512, 767, 768, 769, 1023, 1025, 1500];
    let mut shapes: Vec<(usize, usize)> = square.map(|n| (n, n)).into();
    shapes.extend([(15, 200), (16, 200), (17, 40), (64, 700), (111, 222), (112, 500), (113, 225), (250, 900)]);
    shapes.extend([(700, 16), (900, 64), (1500, 100), (1200, 330), (3000, 40)]);
    let largest = if cfg!(debug_assertions) { 60_000 } else { usize::MAX };
    for (number, (m, n)) in shapes.into_iter().enumerate().filter(|(_, (m, n))| m * n <= largest) {
        let seed = number as u64;
        let kind = [Kind::Uniform, Kind::Ties][number % 2];
        let a: Vec<T> = matrix(kind, m, n, seed);
        // Without pivoting ties grow beyond all numbers at once.
        for (pivoting, kind) in [(true, kind), (false, Kind::Uniform)] {
            let a = if pivoting { a.clone() } else { matrix(kind, m, n, seed) };
            let naive = naive_lu(&a, m, n, pivoting);
            for (threads, pad) in [(1, 0), (2, 1), (3, 5), (8, 0)] {
                compare(&a, &naive, Case { kind, m, n, pad, nb: None, threads, way: Way::Chosen, pivoting, seed });
            }
        }
    }
}

#[test]
fn shapes_around_every_crossover_are_the_naive_ones_to_the_bit_f64() {
    around_every_crossover::<f64>();
}

#[test]
fn shapes_around_every_crossover_are_the_naive_ones_to_the_bit_f32() {
    around_every_crossover::<f32>();
}
