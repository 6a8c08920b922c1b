//! Many small matrices in one call: recfact and what other libraries have for that.

mod library;
mod ours;

use std::path::Path;
use std::time::{Duration, Instant};

use crate::Args;
use crate::peer::Element;
use crate::report::Batches;

/// Matrices of one order, one after the other, and a right-hand side for each.
pub struct Case<T> {
    pub count: usize,
    pub n: usize,
    a: Vec<T>,
    b: Vec<T>,
}

/// Memory that a peer works on, and its results.
pub struct Work<T> {
    pub a: Vec<T>,
    pub b: Vec<T>,
    /// Row swaps and `info` of every matrix, in the integers of each library.
    pub ipiv64: Vec<i64>,
    pub ipiv32: Vec<i32>,
    pub info64: Vec<i64>,
    pub info32: Vec<i32>,
}

/// A way to factor all matrices, and to solve a system with each. `run` is what the clock sees.
pub trait Peer<T> {
    fn name(&self) -> String;
    /// P A = L U of each matrix in place; with `solve` each b becomes x.
    fn run(&mut self, case: &Case<T>, work: &mut Work<T>, solve: bool);
    /// Whether the row swaps are in `ipiv32`; `None` if there are no swaps.
    fn has_narrow_swaps(&self) -> Option<bool>;
}

/// All ways that are compared.
type Peers<T> = Vec<Box<dyn Peer<T>>>;

/// Measures all orders.
pub fn run<T: Element>(args: &Args, count: usize) -> Result<(), Box<dyn std::error::Error>> {
    let mut peers = ours::peers::<T>(args.threads);
    for library in &args.libraries {
        peers.extend(library::peers::<T>(library, args.threads)?);
    }
    let names = peers.iter().map(|peer| peer.name()).collect();
    let title =
        format!("{count} matrices, {}", if args.solve { "factored, one system solved with each" } else { "factored" });
    let mut table = Batches::new(names, T::NAME, args.threads, &title);
    for file in &args.lines {
        table.add_lines(file)?;
    }
    table.print_head();
    for &n in &args.sizes {
        let case = Case::new(count, n);
        table.push(n, case.measure(&mut peers, Duration::from_secs_f64(args.seconds), args));
    }
    save(&table, args.csv.as_deref(), args.svg.as_deref())
}

fn save(table: &Batches, csv: Option<&Path>, svg: Option<&Path>) -> Result<(), Box<dyn std::error::Error>> {
    csv.map_or(Ok(()), |file| table.save_csv(file))?;
    svg.map_or(Ok(()), |file| table.save_svg(file))
}

impl<T: Element> Case<T> {
    fn new(count: usize, n: usize) -> Self {
        let mut random = crate::random();
        let mut numbers = |len| (0..len).map(|_| T::nearest(random())).collect();
        Case { count, n, a: numbers(count * n * n), b: numbers(count * n) }
    }

    /// The best time of each peer for one matrix, in nanoseconds.
    fn measure(&self, peers: &mut [Box<dyn Peer<T>>], budget: Duration, args: &Args) -> Vec<f64> {
        let (count, n) = (self.count, self.n);
        let mut work = Work {
            a: self.a.clone(),
            b: self.b.clone(),
            ipiv64: vec![0; count * n],
            ipiv32: vec![0; count * n],
            info64: vec![0; count],
            info32: vec![0; count],
        };
        let mut best = vec![f64::INFINITY; peers.len()];
        let (begin, mut rounds) = (Instant::now(), 0);
        while rounds < 3 || begin.elapsed() < budget {
            for (peer, best) in peers.iter_mut().zip(&mut best) {
                if args.threads > 1 {
                    // As in the comparison of single matrices: threads of other peers spin long after their work.
                    std::thread::sleep(Duration::from_millis(250));
                }
                for _ in 0..if args.threads > 1 { 20 } else { 1 } {
                    work.a.copy_from_slice(&self.a);
                    work.b.copy_from_slice(&self.b);
                    let clock = Instant::now();
                    peer.run(self, &mut work, args.solve);
                    *best = best.min(clock.elapsed().as_secs_f64());
                }
                if rounds == 0 {
                    self.check(&**peer, &work, args.solve);
                }
            }
            rounds += 1;
        }
        best.iter().map(|seconds| seconds / count as f64 * 1e9).collect()
    }

    /// A x = b for each matrix, where x is the peer's or made from its factors.
    fn check(&self, peer: &dyn Peer<T>, work: &Work<T>, solve: bool) {
        let Some(narrow) = peer.has_narrow_swaps() else { return };
        let n = self.n;
        for k in 0..self.count {
            let (a, b) = (&self.a[k * n * n..][..n * n], &self.b[k * n..][..n]);
            let number = |x: T| -> f64 { x.into() };
            let x: Vec<f64> = if solve {
                work.b[k * n..][..n].iter().map(|&x| number(x)).collect()
            } else {
                let row =
                    |i: usize| if narrow { work.ipiv32[k * n + i] as usize } else { work.ipiv64[k * n + i] as usize };
                let lu = |i: usize, j: usize| number(work.a[k * n * n + i + j * n]);
                solution(n, lu, row, b.iter().map(|&x| number(x)).collect())
            };
            let size = x.iter().fold(1.0_f64, |size, x| size.max(x.abs()));
            for i in 0..n {
                let ax: f64 = (0..n).map(|j| number(a[i + j * n]) * x[j]).sum();
                let error = (ax - number(b[i])).abs();
                let bound = 50.0 * (n * n) as f64 * size * T::ROUNDING;
                assert!(error <= bound, "{}, matrix {k} of order {n}: error {error:e}, bound {bound:e}", peer.name());
            }
        }
    }
}

/// x from the factors of a matrix.
fn solution(n: usize, lu: impl Fn(usize, usize) -> f64, row: impl Fn(usize) -> usize, mut x: Vec<f64>) -> Vec<f64> {
    for i in 0..n {
        x.swap(i, row(i) - 1);
    }
    for k in 0..n {
        (k + 1..n).for_each(|i| x[i] -= lu(i, k) * x[k]);
    }
    for k in (0..n).rev() {
        x[k] /= lu(k, k);
        (0..k).for_each(|i| x[i] -= lu(i, k) * x[k]);
    }
    x
}
