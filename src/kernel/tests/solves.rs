//! The kernels for solves with a triangle.

use super::*;

/// A triangle as the kernels for solves take it, and what it is solved with.
struct Solve<T> {
    n: usize,
    nrhs: usize,
    unit: bool,
    t: Vec<T>,
    /// Distances between the elements, the first of which is at `first`.
    first: usize,
    row: isize,
    col: isize,
    /// B, a right-hand side after the other.
    b: Vec<T>,
}

impl<T: Element + Float> Solve<T> {
    /// L, U^T, U and L^T of a factored matrix, with ones on the diagonal or without.
    fn all(n: usize, nrhs: usize) -> impl Iterator<Item = Self> {
        let kinds = [false, true].into_iter().flat_map(|unit| [false, true].map(|transposed| (unit, transposed)));
        let kinds = kinds.flat_map(|(unit, transposed)| [false, true].map(|rotated| (unit, transposed, rotated)));
        kinds.map(move |(unit, transposed, rotated)| {
            let (t, ldt) = block::<T>(n, n, 4);
            let (row, col) = if transposed { (ldt as isize, 1) } else { (1, ldt as isize) };
            let (first, row, col) = if rotated && n > 0 { ((n - 1) * (ldt + 1), -row, -col) } else { (0, row, col) };
            Solve { n, nrhs, unit, t, first, row, col, b: matrix(Kind::NotFinite, n, nrhs, 5) }
        })
    }

    fn is_rotated(&self) -> bool {
        self.row < 0
    }

    fn strided(&self) -> Strided<T> {
        Strided { ptr: self.t[self.first..].as_ptr(), row: self.row, col: self.col }
    }

    /// Where row i of the triangle is in a column of B.
    fn at(&self, i: usize) -> usize {
        if self.is_rotated() { self.n - 1 - i } else { i }
    }

    /// T^-1 B by plain substitution.
    fn naive(&self) -> Vec<T> {
        let mut x = self.b.clone();
        for x in x.chunks_mut(self.n.max(1)) {
            for i in 0..self.n {
                let t =
                    |k: usize| self.t[(self.first as isize + i as isize * self.row + k as isize * self.col) as usize];
                let mut acc = x[self.at(i)];
                for k in 0..i {
                    acc = Float::neg(t(k)).fma(x[self.at(k)], acc);
                }
                x[self.at(i)] = if self.unit { acc } else { Float::div(acc, t(i)) };
            }
        }
        x
    }

    fn name(&self) -> String {
        let Solve { n, nrhs, unit, row, col, .. } = self;
        format!("n={n} nrhs={nrhs} unit={unit} row={row} col={col}")
    }
}

fn trsv_is_the_naive_one<T: Element + Float>() {
    for (isa, kernels) in kernels::<T>() {
        let cases = (0..=3 * MAX_LANES + 9).flat_map(|n| (0..=7).map(move |nrhs| (n, nrhs)));
        for case in cases.flat_map(|(n, nrhs)| Solve::<T>::all(n, nrhs)) {
            let Solve { n, nrhs, unit, .. } = case;
            let padding = T::from_f64(-777.25);
            let ldx = n + PAD;
            let mut x = vec![padding; ldx * nrhs];
            (0..nrhs).for_each(|j| x[j * ldx..][..n].copy_from_slice(&case.b[j * n..][..n]));
            let inc = if case.is_rotated() { -1 } else { 1 };
            let from = x.as_mut_ptr().wrapping_add(case.at(0).min(n));
            let trsv = Trsv { n, nrhs, unit, t: case.strided(), x: from, inc, ldx };
            // SAFETY: T and X have these sizes and distances.
            unsafe { (kernels.trsv)(trsv) };
            let expected = case.naive();
            for (j, x) in x.chunks(ldx).enumerate() {
                assert_eq!(bits(&x[..n]), bits(&expected[j * n..][..n]), "{isa:?} column {j}: {}", case.name());
                assert!(x[n..].iter().all(|&x| x == padding), "{isa:?} padding: {}", case.name());
            }
        }
    }
}

#[test]
fn trsv_is_the_naive_one_at_every_edge() {
    trsv_is_the_naive_one::<f64>();
    trsv_is_the_naive_one::<f32>();
}

/// Solves in one go, and in two blocks with an update between them.
fn trsm_rows_is_the_naive_one<T: Element + Float>() {
    for (isa, kernels) in kernels::<T>() {
        let cases = (1..=2 * NR + 5).flat_map(|n| (1..=kernels.row_vectors).map(move |vectors| (n, vectors)));
        for (case, vectors) in
            cases.flat_map(|(n, vectors)| Solve::<T>::all(n, vectors * kernels.lanes).map(move |case| (case, vectors)))
        {
            let Solve { n, nrhs, unit, .. } = case;
            let expected = transposed(&case.naive(), n, nrhs);
            for cut in [0, n / 2, n.saturating_sub(NR)] {
                let mut x = transposed(&case.b, n, nrhs);
                let inc = if case.is_rotated() { -(nrhs as isize) } else { nrhs as isize };
                let from = x.as_mut_ptr().wrapping_add(case.at(0) * nrhs);
                let whole = RowsTrsm {
                    known: (0, 0),
                    first: 0,
                    end: n,
                    solves: true,
                    vectors,
                    unit,
                    t: case.strided(),
                    x: from,
                    inc,
                };
                // SAFETY: T and X have these sizes and distances.
                unsafe {
                    (kernels.trsm_rows)(RowsTrsm { end: cut, ..whole });
                    (kernels.trsm_rows)(RowsTrsm { known: (0, cut), first: cut, solves: false, ..whole });
                    (kernels.trsm_rows)(RowsTrsm { known: (cut, cut), first: cut, ..whole });
                }
                assert_eq!(bits(&x), bits(&expected), "{isa:?} cut at {cut}: {}", case.name());
            }
        }
    }
}

#[test]
fn trsm_rows_is_the_naive_one_at_every_edge() {
    trsm_rows_is_the_naive_one::<f64>();
    trsm_rows_is_the_naive_one::<f32>();
}
