//! Batches: the bits of single matrices, whatever the way.

mod factors;
mod refused;
mod systems;

use super::*;
use crate::batch::{BatchMut, BatchRef, Geometry};

const LAYOUTS: [Layout; 2] = [Layout::ColumnMajor, Layout::RowMajor];

/// A batch in memory: matrices with padding between lines and matrices.
#[derive(Clone)]
struct Memory<T> {
    data: Vec<T>,
    geometry: Geometry,
    /// The same matrices, column-major.
    matrices: Vec<Vec<T>>,
}

impl<T: Element + Float> Memory<T> {
    /// Matrices of different kinds.
    fn new(count: usize, [m, n]: [usize; 2], layout: Layout, padding: [usize; 2], seed: u64) -> Self {
        let kind = |k: usize| KINDS[(k + seed as usize) % KINDS.len()];
        let matrices: Vec<_> = (0..count).map(|k| matrix(kind(k), m, n, seed + k as u64)).collect();
        Self::of(matrices, [m, n], layout, padding)
    }

    fn of(matrices: Vec<Vec<T>>, [m, n]: [usize; 2], layout: Layout, [line_pad, pad]: [usize; 2]) -> Self {
        let (length, lines) = if layout == Layout::RowMajor { (n, m) } else { (m, n) };
        let (ld, one) = (length + line_pad, (length + line_pad) * lines);
        let geometry = Geometry::new(matrices.len(), [m, n], layout, ld, one + pad).unwrap();
        let data = vec![T::from_f64(PADDING); matrices.len() * (one + pad)];
        let mut memory = Memory { data, geometry, matrices };
        for k in 0..memory.matrices.len() {
            for (at, place) in memory.places(k).into_iter().enumerate() {
                memory.data[place] = memory.matrices[k][at];
            }
        }
        memory
    }

    /// Where the elements of a matrix are, in column-major order.
    fn places(&self, k: usize) -> Vec<usize> {
        let (m, n) = (self.geometry.nrows(), self.geometry.ncols());
        let places = (0..n).flat_map(|j| (0..m).map(move |i| (i, j)));
        let place = |(i, j)| {
            let (line, place) = if self.geometry.layout() == Layout::RowMajor { (i, j) } else { (j, i) };
            k * self.geometry.stride() + line * self.geometry.ld() + place
        };
        places.map(place).collect()
    }

    /// Compares the matrices with others, and all that is between them with what was there.
    fn assert_holds<'e>(&self, expected: impl Iterator<Item = &'e [T]>, case: &str) {
        let mut is_element = vec![false; self.data.len()];
        for (k, expected) in expected.enumerate() {
            let places = self.places(k);
            places.iter().for_each(|&at| is_element[at] = true);
            let found: Vec<_> = places.iter().map(|&at| self.data[at]).collect();
            assert_eq!(bits(&found), bits(expected), "{case}, matrix {k}");
        }
        let padding = self.data.iter().zip(is_element).filter(|(_, is_element)| !is_element);
        assert!(padding.into_iter().all(|(&x, _)| x == T::from_f64(PADDING)), "{case}: the padding is not as it was");
    }

    fn view(&self) -> BatchRef<'_, T> {
        BatchRef::new(&self.data, self.geometry).unwrap()
    }

    fn view_mut(&mut self) -> BatchMut<'_, T> {
        BatchMut::new(&mut self.data, self.geometry).unwrap()
    }
}

/// Options for every instruction set of this CPU, and the layouts.
fn ways() -> impl Iterator<Item = (Options, Layout)> {
    let options = instruction_sets().map(|isa| Options::new().isa(isa));
    options.flat_map(|options| LAYOUTS.map(|layout| (options, layout)))
}
