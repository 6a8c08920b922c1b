//! recfact: one call for all matrices, and one call for each.

use recfact::{BatchMut, Layout, MatrixMut, Options, Transpose, factor, factor_batch, gesv_batch, solve};

use super::{Case, Peer, Peers, Work};
use crate::peer::Element;

pub fn peers<T: Element>(threads: usize) -> Peers<T> {
    let options = Options::new().threads(threads);
    vec![Box::new(Batch { options }), Box::new(OneByOne { options })]
}

struct Batch {
    options: Options,
}

impl<T: Element> Peer<T> for Batch {
    fn name(&self) -> String {
        "recfact".into()
    }
    fn run(&mut self, &Case { count, n, .. }: &Case<T>, work: &mut Work<T>, solve: bool) {
        let view = |data, columns| {
            BatchMut::from_slice(data, count, [n, columns], Layout::ColumnMajor).expect("the slice has the matrices")
        };
        let (a, ipiv, info) = (view(&mut work.a, n), &mut work.ipiv64[..], &mut work.info64);
        let result = if solve {
            gesv_batch(a, ipiv, view(&mut work.b, 1), info, &self.options)
        } else {
            factor_batch(a, ipiv, info, &self.options)
        };
        result.expect("the sizes fit");
    }
    fn has_narrow_swaps(&self) -> Option<bool> {
        Some(false)
    }
}

struct OneByOne {
    options: Options,
}

impl<T: Element> Peer<T> for OneByOne {
    fn name(&self) -> String {
        "recfact loop".into()
    }
    fn run(&mut self, &Case { n, .. }: &Case<T>, work: &mut Work<T>, with_b: bool) {
        let systems = work.a.chunks_mut(n * n).zip(work.b.chunks_mut(n));
        for (((a, b), ipiv), info) in systems.zip(work.ipiv64.chunks_mut(n)).zip(&mut work.info64) {
            let mut a = MatrixMut::from_slice(a, n, n, n).expect("the slice has the matrix");
            *info = factor(a.reborrow(), ipiv, &self.options).expect("the sizes fit");
            if with_b {
                let b = MatrixMut::from_slice(b, n, 1, n).expect("the slice has the vector");
                solve(Transpose::No, a.as_ref(), ipiv, b, &self.options).expect("the sizes fit");
            }
        }
    }
    fn has_narrow_swaps(&self) -> Option<bool> {
        Some(false)
    }
}
