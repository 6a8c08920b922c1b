//! Computations that somebody watches, and cancels.

use std::thread;
use std::time::Duration;

use testing::{Kind, bits, matrix};

use super::*;
use crate::batch::{BatchMut, BatchRef};
use crate::lu::batch::{BatchSystem, Coefficients, Solution, Swaps, system_batch_with};
use crate::lu::factor::factor_with;
use crate::lu::inverse::inverse_with;
use crate::lu::mixed::gesv_mixed_with;
use crate::lu::monitor::{Monitor, flops, inverse_flops, solve_flops};
use crate::lu::solve::solve_with;
use crate::matrix::Layout;
use crate::options::Transpose;

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

#[test]
fn the_operations_that_are_counted_are_those_of_the_whole_batch() {
    for isa in instruction_sets() {
        for (count, n, nrhs) in [(300, 5, 2), (40, 30, 3), (2, 400, 1), (7, 16, 0)] {
            let (monitor, options) = (Monitor::new(), Options::new().isa(isa).threads(2));
            let a: Vec<f64> = matrix(Kind::Uniform, n, n * count, 1);
            let (mut b, mut info) = (vec![1.0; n * nrhs * count], vec![0; count]);
            let a = BatchRef::from_slice(&a, count, [n, n], Layout::ColumnMajor).unwrap();
            let x = Solution::Of(BatchMut::from_slice(&mut b, count, [n, nrhs], Layout::ColumnMajor).unwrap());
            let system = BatchSystem { transpose: Transpose::No, x, rcond: None };
            let a = Coefficients::Kept(a);
            system_batch_with(a, Swaps::Nowhere, system, &mut info, &options, Some(&monitor)).unwrap();
            let ratio = monitor.done() as f64 / count as f64 / (flops(n, n) + solve_flops(n, nrhs));
            assert!((0.9..=1.05).contains(&ratio), "{count} of order {n}: {ratio}");
        }
    }
}

#[test]
fn a_batch_that_is_cancelled_at_any_moment_ends_and_makes_no_use_of_what_is_not_there() {
    let (monitor, mut random, mut cancelled) = (Monitor::new(), Random::new(7), 0);
    for turn in 0..20 {
        monitor.reset();
        let (count, n) = [(2000, 12), (3, 500)][turn % 2];
        let a: Vec<f64> = matrix(Kind::Uniform, n, n * count, 1);
        let (mut x, mut info) = (a.clone(), vec![0; count]);
        let a = BatchRef::from_slice(&a, count, [n, n], Layout::RowMajor).unwrap();
        let x = Solution::Inverse(BatchMut::from_slice(&mut x, count, [n, n], Layout::RowMajor).unwrap());
        let system = BatchSystem { transpose: Transpose::No, x, rcond: None };
        let options = Options::new().threads(1 + turn % 2);
        let pause = Duration::from_micros(random.below(3_000) as u64);
        let result = thread::scope(|scope| {
            scope.spawn(|| {
                thread::sleep(pause);
                monitor.cancel();
            });
            system_batch_with(Coefficients::Kept(a), Swaps::Nowhere, system, &mut info, &options, Some(&monitor))
        });
        match result {
            Ok(()) => assert!(info.iter().all(|&info| info == 0)),
            Err(error) => {
                assert_eq!(error, Error::Cancelled);
                cancelled += 1;
            }
        }
    }
    assert!(cancelled > 0, "no turn was cancelled in its middle");
}

/// What is computed with factors of order n, and how many operations that takes.
#[derive(Debug, Clone, Copy)]
enum Work {
    Solve(usize),
    Inverse,
    Mixed,
}

const WORK: [Work; 4] = [Work::Solve(1), Work::Solve(1300), Work::Inverse, Work::Mixed];

impl Work {
    fn flops(self, n: usize) -> f64 {
        match self {
            Work::Solve(nrhs) => solve_flops(n, nrhs),
            Work::Inverse => inverse_flops(n),
            Work::Mixed => flops(n, n),
        }
    }

    /// The result for a matrix `a` and its factors.
    fn run(
        self,
        a: &[f64],
        lu: &DMatrix<f64>,
        ipiv: &[i64],
        threads: usize,
        monitor: &Monitor,
    ) -> Result<Vec<u64>, Error> {
        let (n, options, monitor) = (ipiv.len(), Options::new().threads(threads), Some(monitor));
        let mut x = match self {
            Work::Solve(nrhs) => DMatrix::from_vec(n, nrhs, matrix(Kind::Uniform, n, nrhs, 2)),
            Work::Inverse => lu.clone(),
            Work::Mixed => DMatrix::zeros(n, 1),
        };
        match self {
            Work::Solve(_) => solve_with(Transpose::No, lu.into(), ipiv, (&mut x).into(), &options, monitor)?,
            Work::Inverse => assert_eq!(inverse_with((&mut x).into(), ipiv, &options, monitor)?, 0),
            Work::Mixed => {
                let (mut a, mut ipiv) = (DMatrix::from_column_slice(n, n, a), vec![0; n]);
                let b = DMatrix::from_element(n, 1, 1.0);
                gesv_mixed_with((&mut a).into(), &mut ipiv, (&b).into(), (&mut x).into(), &options, monitor)?;
            }
        }
        Ok(bits(x.as_slice()))
    }
}

#[test]
fn what_is_computed_with_factors_is_counted_and_cancelled() {
    let n = 500;
    let a: Vec<f64> = matrix(Kind::Uniform, n, n, 1);
    let (mut lu, mut ipiv) = (DMatrix::from_column_slice(n, n, &a), vec![0; n]);
    factor(&mut lu, &mut ipiv, &Options::new()).unwrap();
    let mut random = Random::new(7);
    for work in WORK {
        let (monitor, mut cancelled) = (Monitor::new(), 0);
        let expected = work.run(&a, &lu, &ipiv, 1, &monitor).unwrap();
        let ratio = monitor.done() as f64 / work.flops(n);
        assert!((0.95..=1.05).contains(&ratio), "{work:?}: {ratio}");
        for turn in 0..12 {
            monitor.reset();
            let pause = Duration::from_micros(random.below(15_000) as u64);
            let result = thread::scope(|scope| {
                if turn == 0 {
                    monitor.cancel();
                } else if turn % 4 != 3 {
                    scope.spawn(|| {
                        thread::sleep(pause);
                        monitor.cancel();
                    });
                }
                work.run(&a, &lu, &ipiv, 1 + turn % 2, &monitor)
            });
            match result {
                Ok(x) => assert_eq!(x, expected, "{work:?}"),
                Err(error) => {
                    assert_eq!(error, Error::Cancelled);
                    cancelled += 1;
                }
            }
        }
        assert!(cancelled > 0, "{work:?}: no turn was cancelled");
    }
}
