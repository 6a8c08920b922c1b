//! Inverses of single matrices: the factorization, and the inverse in place of the factors.

use crate::Args;
use crate::peer::{Element, Peer, Peers};
use crate::report::{Row, Table};
use crate::turns::{Copies, Turn};

/// Measures all orders.
pub fn run<T: Element>(args: &Args, peers: &mut Peers<T>, table: &mut Table) {
    for &n in &args.sizes {
        let mut random = crate::random();
        let a: Vec<T> = (0..n * n).map(|_| T::nearest(random())).collect();
        table.push(Row { n, gflops: measure(&a, n, peers, Turn::new(args)) });
    }
}

/// The best GFLOP/s of each peer.
fn measure<T: Element>(a: &[T], n: usize, peers: &mut [Box<dyn Peer<T>>], turn: Turn) -> Vec<f64> {
    let mut work = Copies::new(a.len());
    let mut ipiv = vec![0_i64; n];
    let best = turn.best_times(peers, |peer, is_first| {
        let time = work.time(a, |a| {
            peer.factor(n, n, a, n, &mut ipiv);
            peer.invert(n, a, &ipiv);
        });
        if is_first {
            check(peer.name(), a, work.first(a.len()), n);
        }
        time
    });
    let flops = 2.0 * (n as f64).powi(3);
    best.iter().map(|time| flops / time.as_secs_f64() * 1e-9).collect()
}

/// A (X v) = v for a vector v, within the bound of a stable inversion.
fn check<T: Element>(name: &str, a: &[T], x: &[T], n: usize) {
    let product = |a: &[T], v: &[f64]| {
        let mut product = vec![0.0; n];
        for (column, v) in a.chunks_exact(n).zip(v) {
            product.iter_mut().zip(column).for_each(|(sum, &a)| *sum += Into::<f64>::into(a) * v);
        }
        product
    };
    let v: Vec<f64> = (0..n).map(|j| if j % 3 == 0 { 1.0 } else { -0.5 }).collect();
    let y = product(x, &v);
    let error = product(a, &y).iter().zip(&v).fold(0.0_f64, |worst, (a, b)| worst.max((a - b).abs()));
    let size = y.iter().fold(1.0_f64, |size, y| size.max(y.abs()));
    let largest = x.iter().fold(1.0_f64, |size, &x| size.max(Into::<f64>::into(x).abs()));
    let bound = 50.0 * (n * n) as f64 * size.max(largest) * T::ROUNDING;
    assert!(error <= bound, "{name} at order {n}: error {error:e}, bound {bound:e}");
}
