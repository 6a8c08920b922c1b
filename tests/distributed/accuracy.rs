//! How good a solution is, and how ill-conditioned a matrix: computed without the ranks, in more than their precision.

use recfact::nalgebra::DMatrix;
use recfact::{Lu, Options};
use testing::Float;
use testing::exact::{exact, float, inverse, norm1};

/// Up to this order inverses are computed in exact arithmetic.
const EXACT_ORDER: usize = 12;

/// A square matrix, its elements column by column.
pub struct Matrix<'a, T> {
    pub n: usize,
    pub elements: &'a [T],
    /// Whether its transpose is meant.
    pub is_transposed: bool,
}

impl<T: Float> Matrix<'_, T> {
    fn at(&self, i: usize, j: usize) -> f64 {
        let (i, j) = if self.is_transposed { (j, i) } else { (i, j) };
        self.elements[i + j * self.n].into()
    }

    /// The largest componentwise backward error of a column of X: |b - A x| / (|A| |x| + |b|), for X and B column by
    /// column.
    pub fn backward_error(&self, x: &[T], b: &[T]) -> f64 {
        let n = self.n;
        let of_row = |x: &[T], b: &[T], i: usize| {
            let terms = (0..n).map(|j| (-self.at(i, j), x[j].into()));
            let residual = accurate_sum(terms.chain([(1.0, b[i].into())]));
            let size: f64 = (0..n).map(|j| (self.at(i, j) * x[j].into()).abs()).sum::<f64>() + b[i].into().abs();
            if residual == 0.0 { 0.0 } else { residual.abs() / size }
        };
        let columns = x.chunks_exact(n.max(1)).zip(b.chunks_exact(n.max(1)));
        columns.flat_map(|(x, b)| (0..n).map(move |i| of_row(x, b, i))).fold(0.0, f64::max)
    }

    /// 1 / (|A| |A^-1|) in the 1-norm, of A itself.
    pub fn rcond(&self) -> f64 {
        let n = self.n;
        if n <= EXACT_ORDER {
            let a = exact(self.elements);
            let inverse = inverse(&a, n).expect("a matrix that is not singular");
            return float(&(norm1(&a, n) * norm1(&inverse, n)).recip());
        }
        let a = DMatrix::from_iterator(n, n, self.elements.iter().map(|&x| x.into()));
        let norm = |a: &DMatrix<f64>| a.column_iter().map(|column| column.lp_norm(1)).fold(0.0, f64::max);
        let lu = Lu::new(a.clone(), &Options::default()).unwrap();
        1.0 / norm(&a) / norm(&lu.inverse().unwrap())
    }
}

/// The sum of products, as good as in twice the precision of f64 (T. Ogita, S. M. Rump, S. Oishi, "Accurate sum and dot
/// product", SIAM J. Sci. Comput. 26, 2005: Dot2).
fn accurate_sum(products: impl Iterator<Item = (f64, f64)>) -> f64 {
    let (mut sum, mut error) = (0.0_f64, 0.0);
    for (x, y) in products {
        let product = x * y;
        let next = sum + product;
        let back = next - sum;
        error += x.mul_add(y, -product) + ((sum - (next - back)) + (product - back));
        sum = next;
    }
    sum + error
}

/// The number that stands after some words.
pub fn number_after(text: &str, words: &str) -> f64 {
    let (_, rest) = text.split_once(words).unwrap_or_else(|| panic!("expected {words:?} in {text:?}"));
    let number = rest.trim_start_matches("about ").trim_start_matches(' ').split([' ', ';', ',']).next();
    number
        .and_then(|number| number.parse().ok())
        .unwrap_or_else(|| panic!("expected a number after {words:?}: {text:?}"))
}
