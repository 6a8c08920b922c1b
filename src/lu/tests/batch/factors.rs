//! Factors of batches.

use super::*;

impl<T: Element + Float> Memory<T> {
    /// Factors the batch and compares everything with the oracle.
    fn check(&mut self, options: &Options) {
        let (count, m, n) = (self.geometry.count(), self.geometry.nrows(), self.geometry.ncols());
        let steps = m.min(n);
        let (mut ipiv, mut info) = (vec![-7; count * steps + 1], vec![-7; count + 1]);
        factor_batch(self.view_mut(), &mut ipiv[..], &mut info, options).unwrap();
        let case = format!("{:?}, {options:?}", self.geometry);
        assert_eq!((ipiv[count * steps], info[count]), (-7, -7), "{case}: beyond the results");
        let naive = |a: &Vec<T>| naive_lu(a, m, n, options.pivoting == Pivoting::Partial);
        let naive: Vec<_> = self.matrices.iter().map(naive).collect();
        for (k, naive) in naive.iter().enumerate() {
            assert_eq!((&ipiv[k * steps..][..steps], info[k]), (&naive.ipiv[..], naive.info), "{case}, matrix {k}");
        }
        self.assert_holds(naive.iter().map(|naive| &naive.lu[..]), &case);
    }
}

fn every_shape<T: Element + Float>() {
    for (options, layout) in ways() {
        for (m, n) in (0..=40).flat_map(|m| (0..=40).map(move |n| (m, n))) {
            let seed = (41 * m + n) as u64;
            // Most of the larger ones are worked on one after the other.
            let counts = if m.max(n) <= 26 { &[(1, [0, 0]), (17, [2, 3]), (33, [0, 0])][..] } else { &[(9, [1, 2])] };
            for &(count, padding) in counts {
                Memory::<T>::new(count, [m, n], layout, padding, seed).check(&options);
            }
        }
        for count in [0, 3, 7, 8, 9, 1000] {
            for shape in [[2, 2], [4, 5], [8, 8], [13, 12], [20, 20]] {
                Memory::<T>::new(count, shape, layout, [0, 1], 8).check(&options);
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
        let layout = LAYOUTS[usize::from(by_rows)];
        let pivoting = if pivots { Pivoting::Partial } else { Pivoting::None };
        for isa in instruction_sets() {
            let options = Options::new().isa(isa).threads(threads).pivoting(pivoting);
            Memory::<f64>::new(count, shape, layout, padding, seed).check(&options);
            Memory::<f32>::new(count, shape, layout, padding, seed).check(&options);
        }
    }
}
