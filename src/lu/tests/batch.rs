//! Batches: the bits of single matrices, whatever the way.

use super::*;
use crate::batch::BatchMut;

/// A batch in memory: `count` matrices of different kinds with padding between lines and matrices.
struct Memory<T> {
    data: Vec<T>,
    count: usize,
    shape: [usize; 2],
    layout: Layout,
    ld: usize,
    stride: usize,
    matrices: Vec<Vec<T>>,
}

impl<T: Element + Float> Memory<T> {
    fn new(count: usize, [m, n]: [usize; 2], layout: Layout, [line_pad, pad]: [usize; 2], seed: u64) -> Self {
        let (length, lines) = if layout == Layout::RowMajor { (n, m) } else { (m, n) };
        let (ld, one) = (length + line_pad, (length + line_pad) * lines);
        let stride = one + pad;
        let kind = |k: usize| KINDS[(k + seed as usize) % KINDS.len()];
        let matrices: Vec<_> = (0..count).map(|k| matrix(kind(k), m, n, seed + k as u64)).collect();
        let mut memory = Memory {
            data: vec![T::from_f64(PADDING); count * stride],
            count,
            shape: [m, n],
            layout,
            ld,
            stride,
            matrices,
        };
        for k in 0..count {
            for (i, j) in (0..m).flat_map(|i| (0..n).map(move |j| (i, j))) {
                let at = memory.at(k, i, j);
                memory.data[at] = memory.matrices[k][i + j * m];
            }
        }
        memory
    }

    /// Where an element of a matrix is.
    fn at(&self, k: usize, i: usize, j: usize) -> usize {
        let (line, place) = if self.layout == Layout::RowMajor { (i, j) } else { (j, i) };
        k * self.stride + line * self.ld + place
    }

    /// Factors the batch and compares everything with the oracle.
    fn check(&mut self, options: &Options) {
        let (count, [m, n]) = (self.count, self.shape);
        let steps = m.min(n);
        let (mut ipiv, mut info) = (vec![-7; count * steps + 1], vec![-7; count + 1]);
        let batch = BatchMut::with_strides(&mut self.data, count, [m, n], self.layout, self.ld, self.stride).unwrap();
        factor_batch(batch, &mut ipiv, &mut info, options).unwrap();
        assert_eq!((ipiv[count * steps], info[count]), (-7, -7), "beyond the results");
        let mut is_element = vec![false; self.data.len()];
        for (k, a) in self.matrices.iter().enumerate() {
            let case = format!("{m} x {n}, matrix {k} of {count}, {:?}, {options:?}", self.layout);
            let naive = naive_lu(a, m, n, options.pivoting == Pivoting::Partial);
            assert_eq!((&ipiv[k * steps..][..steps], info[k]), (&naive.ipiv[..], naive.info), "{case}");
            let places = (0..n).flat_map(|j| (0..m).map(move |i| (i, j)));
            let places: Vec<_> = places.map(|(i, j)| self.at(k, i, j)).collect();
            places.iter().for_each(|&at| is_element[at] = true);
            let lu: Vec<_> = places.iter().map(|&at| self.data[at]).collect();
            assert_eq!(bits(&lu), bits(&naive.lu), "{case}");
        }
        let padding = self.data.iter().zip(is_element).filter(|(_, is_element)| !is_element);
        assert!(padding.into_iter().all(|(&x, _)| x == T::from_f64(PADDING)), "the padding is as it was");
    }
}

/// Options for every instruction set of this CPU, and the layouts.
fn ways() -> impl Iterator<Item = (Options, Layout)> {
    let options = instruction_sets().map(|isa| Options::new().isa(isa));
    options.flat_map(|options| [Layout::ColumnMajor, Layout::RowMajor].map(|layout| (options, layout)))
}

fn every_shape<T: Element + Float>() {
    for (options, layout) in ways() {
        for (m, n) in (0..=18).flat_map(|m| (0..=18).map(move |n| (m, n))) {
            let seed = (19 * m + n) as u64;
            for (count, padding) in [(1, [0, 0]), (17, [2, 3]), (33, [0, 0])] {
                Memory::<T>::new(count, [m, n], layout, padding, seed).check(&options);
            }
        }
        for shape in [[16, 64], [16, 65], [3, 70], [40, 40], [25, 17], [100, 3], [70, 90]] {
            Memory::<T>::new(9, shape, layout, [1, 1], 5).check(&options);
        }
    }
}

#[test]
fn batches_of_every_shape_have_the_bits_of_single_matrices() {
    every_shape::<f64>();
    every_shape::<f32>();
}

#[test]
fn threads_share_a_batch_and_change_no_bit() {
    for (options, layout) in ways() {
        for threads in [2, 3, 8] {
            for (count, shape) in [(1000, [8, 8]), (500, [16, 13]), (100, [33, 33]), (5000, [4, 4]), (1, [5, 5])] {
                Memory::<f64>::new(count, shape, layout, [0, 0], 3).check(&options.threads(threads));
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, failure_persistence: None, ..ProptestConfig::default() })]
    #[test]
    fn any_batch_has_the_bits_of_single_matrices(
        count in 0_usize..70,
        shape in [0_usize..24, 0_usize..24],
        by_rows: bool,
        padding in [0_usize..4, 0_usize..9],
        pivots: bool,
        threads in 1_usize..4,
        seed in 0_u64..1000,
    ) {
        let layout = if by_rows { Layout::RowMajor } else { Layout::ColumnMajor };
        let pivoting = if pivots { Pivoting::Partial } else { Pivoting::None };
        for isa in instruction_sets() {
            let options = Options::new().isa(isa).threads(threads).pivoting(pivoting);
            Memory::<f64>::new(count, shape, layout, padding, seed).check(&options);
            Memory::<f32>::new(count, shape, layout, padding, seed).check(&options);
        }
    }
}

#[test]
fn what_does_not_fit_is_refused_and_nothing_is_written() {
    let view = |len: usize, count, shape, layout, ld, stride| {
        let mut data = vec![1.0; len];
        BatchMut::with_strides(&mut data, count, shape, layout, ld, stride).map(drop)
    };
    let (columns, rows) = (Layout::ColumnMajor, Layout::RowMajor);
    assert_eq!(view(12, 2, [2, 3], columns, 2, 6), Ok(()));
    assert_eq!(view(11, 2, [2, 3], columns, 2, 6), Err(Error::SliceTooShort { expected: Some(12), found: 11 }));
    assert_eq!(view(12, 2, [2, 3], columns, 2, 5), Err(Error::Stride { expected: 6, found: 5 }));
    assert_eq!(view(12, 2, [2, 3], columns, 1, 6), Err(Error::LeadingDimension { m: 2, lda: 1 }));
    assert_eq!(view(12, 2, [2, 3], rows, 2, 6), Err(Error::LeadingDimension { m: 3, lda: 2 }));
    assert_eq!(view(6, 1, [2, 3], rows, 3, 0), Ok(()));
    assert_eq!(view(0, 0, [2, 3], rows, 3, 0), Ok(()));
    assert_eq!(view(0, usize::MAX, [0, 3], columns, 0, 0), Ok(()));
    let overflow = Err(Error::SliceTooShort { expected: None, found: 0 });
    assert_eq!(view(0, usize::MAX, [2, 2], columns, 2, 4), overflow);
    assert_eq!(view(0, 1, [2, usize::MAX], columns, 2, 4), overflow);
    let mut none: [f64; 0] = [];
    let whole = BatchMut::from_slice(&mut none, 1, [usize::MAX, 2], columns).map(drop);
    assert_eq!(whole, overflow);

    let mut data = matrix::<f64>(Kind::Uniform, 2, 4, 1);
    let before = data.clone();
    for (ipiv, info, expected) in [
        (3, 2, Error::BatchResults { name: "ipiv", expected: 4, found: 3 }),
        (4, 1, Error::BatchResults { name: "info", expected: 2, found: 1 }),
    ] {
        let batch = BatchMut::from_slice(&mut data, 2, [2, 2], columns).unwrap();
        let result = factor_batch(batch, &mut vec![0; ipiv], &mut vec![0; info], &Options::new());
        assert_eq!(result, Err(expected));
        assert_eq!(data, before);
    }
    let mut info = [7; 3];
    let empty = BatchMut::<f64>::from_slice(&mut [], 3, [0, 5], rows).unwrap();
    factor_batch(empty, &mut [], &mut info, &Options::new()).unwrap();
    assert_eq!(info, [0; 3]);
}
