//! Solves with single matrices, which each peer has factored for itself.

use crate::Args;
use crate::peer::{Element, Peer, Peers, Rhs};
use crate::report::{Row, Table};
use crate::turns::{Copies, Turn};

/// What is measured.
pub fn title(nrhs: usize, transposed: bool) -> String {
    format!("{} with {nrhs} right-hand side(s)", if transposed { "transposed solves" } else { "solves" })
}

/// Measures all orders.
pub fn run<T: Element>(args: &Args, nrhs: usize, peers: &mut Peers<T>, table: &mut Table) {
    for &n in &args.sizes {
        let system = System::new(n, nrhs, args.transpose);
        table.push(Row { n, gflops: system.measure(peers, Turn::new(args)) });
    }
}

/// A X = B or A^T X = B.
struct System<T> {
    n: usize,
    nrhs: usize,
    transposed: bool,
    a: Vec<T>,
    b: Vec<T>,
}

/// The factors of a peer.
struct Factors<T> {
    lu: Vec<T>,
    ipiv: Vec<i64>,
}

impl<T: Element> System<T> {
    /// A random system.
    fn new(n: usize, nrhs: usize, transposed: bool) -> Self {
        let mut random = crate::random();
        let mut numbers = |len| (0..len).map(|_| T::nearest(random())).collect();
        System { n, nrhs, transposed, a: numbers(n * n), b: numbers(n * nrhs) }
    }

    /// The best GFLOP/s of each peer.
    fn measure(&self, peers: &mut [Box<dyn Peer<T>>], turn: Turn) -> Vec<f64> {
        let (n, columns) = (self.n, self.nrhs);
        let mut factored: Vec<_> = peers
            .iter_mut()
            .map(|peer| {
                let mut factors = Factors { lu: self.a.clone(), ipiv: vec![0; n] };
                peer.factor(n, n, &mut factors.lu, n, &mut factors.ipiv);
                (peer, factors)
            })
            .collect();
        let mut work = Copies::new(self.b.len());
        let best = turn.best_times(&mut factored, |(peer, Factors { lu, ipiv }), is_first| {
            let time = work.time(&self.b, |b| peer.solve(self.transposed, lu, ipiv, Rhs { n, columns, elements: b }));
            if is_first {
                self.check(peer.name(), work.first(self.b.len()));
            }
            time
        });
        let flops = 2.0 * (n * n * columns) as f64;
        best.iter().map(|time| flops / time.as_secs_f64() * 1e-9).collect()
    }

    /// A x = b for each column, within the bound of a backward stable solve.
    fn check(&self, name: &str, x: &[T]) {
        let n = self.n;
        let number = |x: T| -> f64 { x.into() };
        for (x, b) in x.chunks(n).zip(self.b.chunks(n)) {
            let mut rest: Vec<f64> = b.iter().map(|&b| number(b)).collect();
            for j in 0..n {
                for i in 0..n {
                    let (row, column) = if self.transposed { (j, i) } else { (i, j) };
                    rest[row] -= number(self.a[i + j * n]) * number(x[column]);
                }
            }
            let size = x.iter().fold(1.0_f64, |size, &x| size.max(number(x).abs()));
            let error = rest.iter().fold(0.0_f64, |worst, x| worst.max(x.abs()));
            let bound = 50.0 * (n * n) as f64 * size * T::ROUNDING;
            assert!(error <= bound, "{name} at order {n}: error {error:e}, bound {bound:e}");
        }
    }
}
