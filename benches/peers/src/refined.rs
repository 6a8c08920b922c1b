//! Our solutions of one system beside each other: in mixed precision, in f64, refined, and refined with a bound of the error.

use std::time::{Duration, Instant};

use recfact::{
    Accuracy, Factored, MatrixMut, MatrixRef, Options, Refinement, Transpose, factor, gesv_mixed, refine, solve,
};

use crate::Args;
use crate::report::{Row, Table};
use crate::turns::Turn;

/// What is measured.
pub const TITLE: &str = "factorization and solution with one right-hand side; the ratio is of mixed precision";

/// Ways to a solution. The first is compared with the best of the others.
pub const WAYS: [&str; 4] = ["mixed", "f64", "refined", "bounded"];

/// Measures all orders.
pub fn run(args: &Args, table: &mut Table) {
    for &n in &args.sizes {
        let mut random = crate::random();
        let mut numbers = |len| (0..len).map(|_| random()).collect();
        let system = System { n, a: numbers(n * n), b: numbers(n), options: Options::new().threads(args.threads) };
        let mut ways = [0, 1, 2, 3];
        let best = Turn::new(args).best_times(&mut ways, |way, is_first| {
            let (time, x) = system.time(*way);
            if is_first {
                system.check(WAYS[*way], &x);
            }
            time
        });
        let flops = 2.0 / 3.0 * (n as f64).powi(3) + 2.0 * (n * n) as f64;
        table.push(Row { n, gflops: best.iter().map(|time| flops / time.as_secs_f64() * 1e-9).collect() });
    }
}

struct System {
    n: usize,
    a: Vec<f64>,
    b: Vec<f64>,
    options: Options,
}

impl System {
    /// Solves it. Returns the time, and x.
    fn time(&self, way: usize) -> (Duration, Vec<f64>) {
        let (n, options) = (self.n, &self.options);
        let (mut lu, mut x, mut ipiv) = (self.a.clone(), self.b.clone(), vec![0; n]);
        let a = MatrixRef::from_slice(&self.a, n, n, n).expect("the sizes fit");
        let b = MatrixRef::from_slice(&self.b, n, 1, n).expect("the sizes fit");
        let clock = Instant::now();
        if way == 0 {
            gesv_mixed(columns(&mut lu, n), &mut ipiv, b, columns(&mut x, n), options).expect("the shapes fit");
            return (clock.elapsed(), x);
        }
        factor(columns(&mut lu, n), &mut ipiv, options).expect("ipiv is long enough");
        let lu = MatrixRef::from_slice(&lu, n, n, n).expect("the sizes fit");
        solve(Transpose::No, lu, &ipiv, columns(&mut x, n), options).expect("the shapes fit");
        if way > 1 {
            let (factored, refinement) = (Factored { a, lu, ipiv: &ipiv }, Refinement::new().bounds(way == 3));
            let mut accuracy = [Accuracy::UNKNOWN];
            refine(Transpose::No, &factored, b, columns(&mut x, n), &mut accuracy, &refinement, options)
                .expect("the shapes fit");
        }
        (clock.elapsed(), x)
    }

    /// |b - A x| is at most sqrt(n) eps |A| |x|, which mixed precision promises, in the infinity norm.
    fn check(&self, name: &str, x: &[f64]) {
        let n = self.n;
        let (mut rest, mut sums) = (self.b.clone(), vec![0.0; n]);
        for (column, x) in self.a.chunks_exact(n).zip(x) {
            for ((rest, sum), a) in rest.iter_mut().zip(&mut sums).zip(column) {
                *rest -= a * x;
                *sum += a.abs();
            }
        }
        let largest = |x: &[f64]| x.iter().fold(0.0_f64, |largest, x| largest.max(x.abs()));
        // The residual itself is computed with rounding errors of n terms.
        let bound = 2.0 * n as f64 * f64::EPSILON * largest(&sums) * largest(x);
        assert!(largest(&rest) <= bound, "{name} at order {n}: residual {:e}, bound {bound:e}", largest(&rest));
    }
}

/// Elements as columns of n.
fn columns(elements: &mut [f64], n: usize) -> MatrixMut<'_, f64> {
    let ncols = elements.len() / n;
    MatrixMut::from_slice(elements, n, ncols, n).expect("the sizes fit")
}
