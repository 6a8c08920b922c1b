//! Factorizations of single matrices.

use crate::Args;
use crate::peer::{Element, Peer, Peers};
use crate::report::{Row, Table};
use crate::turns::{Copies, Turn};

/// Measures all orders.
pub fn run<T: Element>(args: &Args, peers: &mut Peers<T>, table: &mut Table) {
    for &n in &args.sizes {
        let m = args.rows.unwrap_or(n);
        let case = Case::new(m, n, args.lda.unwrap_or(m).max(m));
        table.push(Row { n, gflops: case.measure(peers, Turn::new(args)) });
    }
}

/// A matrix to factor.
struct Case<T> {
    m: usize,
    n: usize,
    lda: usize,
    a: Vec<T>,
}

impl<T: Element> Case<T> {
    /// A random matrix.
    fn new(m: usize, n: usize, lda: usize) -> Self {
        let mut random = crate::random();
        Case { m, n, lda, a: (0..lda * n).map(|_| T::nearest(random())).collect() }
    }

    /// Additions and multiplications of the factorization.
    fn flops(&self) -> f64 {
        let (m, n) = (self.m as f64, self.n as f64);
        let k = m.min(n);
        // The sum over j < k of (m-j-1) + 2 (m-j-1) (n-j-1), to leading order.
        2.0 * (m * n * k - (m + n) * k * k / 2.0 + k * k * k / 3.0)
    }

    /// The best GFLOP/s of each peer.
    fn measure(&self, peers: &mut [Box<dyn Peer<T>>], turn: Turn) -> Vec<f64> {
        let mut work = Copies::new(self.a.len());
        let mut ipiv = vec![0_i64; self.m.min(self.n)];
        let best = turn.best_times(peers, |peer, is_first| {
            let time = work.time(&self.a, |a| peer.factor(self.m, self.n, a, self.lda, &mut ipiv));
            if is_first {
                let lu = work.first(self.a.len());
                peer.finish(lu, &mut ipiv);
                self.check(peer.name(), lu, &ipiv);
            }
            time
        });
        best.iter().map(|time| self.flops() / time.as_secs_f64() * 1e-9).collect()
    }

    /// P A x = L (U x) for a vector x, within the bound of a backward stable factorization.
    fn check(&self, name: &str, lu: &[T], ipiv: &[i64]) {
        let (m, n, lda) = (self.m, self.n, self.lda);
        let k = m.min(n);
        let at = |a: &[T], i: usize, j: usize| -> f64 { a[i + j * lda].into() };
        let x: Vec<f64> = (0..n).map(|j| if j % 3 == 0 { 1.0 } else { -0.5 }).collect();
        let mut ax = vec![0.0; m];
        for j in 0..n {
            (0..m).for_each(|i| ax[i] += at(&self.a, i, j) * x[j]);
        }
        for (i, &p) in ipiv.iter().enumerate() {
            ax.swap(i, p as usize - 1);
        }
        let mut ux = vec![0.0; k];
        for j in 0..n {
            (0..k.min(j + 1)).for_each(|i| ux[i] += at(lu, i, j) * x[j]);
        }
        let mut lux = ux.clone();
        lux.resize(m, 0.0);
        for j in 0..k {
            (j + 1..m).for_each(|i| lux[i] += at(lu, i, j) * ux[j]);
        }
        let error = ax.iter().zip(&lux).fold(0.0_f64, |worst, (a, b)| worst.max((a - b).abs()));
        let order = m.max(n) as f64;
        let bound = 20.0 * order * order.sqrt() * T::ROUNDING;
        assert!(error <= bound, "{name} at {m} x {n}: error {error:e}, bound {bound:e}");
    }
}
