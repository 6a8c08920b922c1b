//! A factorization that somebody watches, and cancels.

use std::thread;
use std::time::Duration;

use testing::{Kind, bits, matrix};

use super::*;
use crate::lu::factor::factor_with;
use crate::lu::monitor::{Monitor, flops};

/// By blocks, by the recursion, by one kernel; tall and wide.
const SHAPES: [(usize, usize); 6] = [(700, 700), (900, 300), (300, 900), (150, 150), (3000, 40), (20, 20)];

#[test]
fn the_operations_that_are_counted_are_those_of_the_whole_factorization() {
    for isa in instruction_sets() {
        for (m, n) in SHAPES {
            let (monitor, options) = (Monitor::new(), Options::new().isa(isa).threads(2));
            let mut a: Vec<f64> = matrix(Kind::Uniform, m, n, 1);
            let (mut plain, mut ipiv) = (a.clone(), vec![0; m.min(n)]);
            let view = MatrixMut::from_slice(&mut a, m, n, m).unwrap();
            factor_with(view, &mut ipiv, &options, Some(&monitor)).unwrap();
            factor(MatrixMut::from_slice(&mut plain, m, n, m).unwrap(), &mut ipiv, &options).unwrap();
            assert_eq!(bits(&a), bits(&plain), "{m}x{n}");
            // A small matrix is one kernel, which nobody could see in its middle.
            let ratio = monitor.done() as f64 / flops(m, n);
            assert!(ratio <= 1.05 && (ratio >= 0.95 || m.max(n) <= 64), "{m}x{n}: {ratio}");
        }
    }
}

#[test]
fn a_factorization_that_is_cancelled_at_any_moment_ends_and_the_next_one_is_right() {
    let (m, n) = (800, 800);
    let a: Vec<f64> = matrix(Kind::Uniform, m, n, 1);
    let (mut expected, mut expected_ipiv) = (a.clone(), vec![0; m]);
    let view = MatrixMut::from_slice(&mut expected, m, n, m).unwrap();
    factor(view, &mut expected_ipiv, &Options::new()).unwrap();
    let (monitor, mut random, mut cancelled) = (Monitor::new(), Random::new(7), 0);
    for isa in instruction_sets() {
        for turn in 0..20 {
            monitor.reset();
            let (mut lu, mut ipiv) = (a.clone(), vec![i64::MAX; m]);
            let view = MatrixMut::from_slice(&mut lu, m, n, m).unwrap();
            let options = Options::new().isa(isa).threads(1 + turn % 2);
            let pause = Duration::from_micros(random.below(8_000) as u64);
            let result = thread::scope(|scope| {
                if turn % 4 != 3 {
                    scope.spawn(|| {
                        thread::sleep(pause);
                        monitor.cancel();
                    });
                }
                factor_with(view, &mut ipiv, &options, Some(&monitor))
            });
            match result {
                Ok(info) => {
                    assert_eq!((info, &ipiv), (0, &expected_ipiv));
                    assert_eq!(bits(&lu), bits(&expected));
                }
                Err(error) => {
                    assert_eq!(error, Error::Cancelled);
                    cancelled += 1;
                }
            }
        }
    }
    assert!(cancelled > 0, "no turn was cancelled in its middle");
}
