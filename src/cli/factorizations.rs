//! The factorizations that a response holds: one, or those of a stack of matrices.

use std::io::Read;

use super::Failure;
use super::responses::{Announced, Responses};
use crate::files::{Array, Elements, FileElement};
use crate::lu::check_info;
use crate::protocol::{Shape, check_ipiv, ipiv_wire_order, label};

/// P A = L U of the m x n matrices of a response, with k = min(m, n).
pub(super) struct Factorizations<T> {
    /// L below the diagonal, U on and above it.
    pub(super) lu: Array<T>,
    /// The row swaps in order, counted from 1: k of each matrix.
    pub(super) ipiv: Vec<i64>,
    /// Of each matrix 0, or k > 0 if U(k,k) is exactly zero (the first such k), -k without pivoting.
    pub(super) info: Elements<i64>,
}

/// One of them.
pub(super) struct Factors<'a, T> {
    lu: &'a Array<T>,
    index: usize,
    pub(super) info: i64,
    pub(super) ipiv: &'a [i64],
}

impl<T: FileElement> Factorizations<T> {
    /// Reads the rest of the response that [`Responses::next`] has gone to, and checks it. `first` is its first number.
    pub(super) fn read(
        responses: &mut Responses<impl Read>,
        announced: &Announced,
        first: i64,
    ) -> Result<Self, Failure> {
        match announced.count {
            None => Self::read_matrix(responses, announced, first),
            Some(count) => Self::read_stack(responses, announced, count, first),
        }
    }

    fn read_matrix(responses: &mut Responses<impl Read>, announced: &Announced, first: i64) -> Result<Self, Failure> {
        // The response does not say whether there was pivoting, and so which sign a singular matrix has.
        check_info(first, announced.shape.pivots()).map_err(|error| responses.fail(error))?;
        let lu = read_lu(responses, announced)?;
        let ipiv = read_ipiv(responses, 1, announced.shape)?;
        check_ipiv(&ipiv, announced.shape).map_err(|error| responses.fail(error))?;
        let mut info = Elements::default();
        info.push(first).map_err(|_| responses.refused(info.bytes_to_grow(), "info"))?;
        Ok(Factorizations { lu, ipiv, info })
    }

    fn read_stack(
        responses: &mut Responses<impl Read>,
        announced: &Announced,
        count: usize,
        status: i64,
    ) -> Result<Self, Failure> {
        let expected = responses.start_of_stack(announced, count, status)?;
        let lu = read_lu(responses, announced)?;
        let ipiv = read_ipiv(responses, count, announced.shape)?;
        let mut info = responses.elements::<i64>(count, "info")?;
        info.slices_mut().for_each(ipiv_wire_order);
        let read = Factorizations { lu, ipiv, info };
        for index in 0..count {
            let Factors { info, ipiv, .. } = read.get(index);
            check_info(info, ipiv.len())
                .and_then(|()| check_ipiv(ipiv, announced.shape))
                .map_err(|error| responses.fail(format_args!("slice {}: {error}", index + 1)))?;
        }
        let singular = read.singular().count();
        if singular != expected {
            let message = format!("expected {expected} matrices with an info other than 0, got {singular}");
            return Err(responses.fail(message));
        }
        Ok(read)
    }

    /// Whether they are those of a stack.
    pub(super) fn is_stack(&self) -> bool {
        self.lu.grid().shape().len() > 2
    }

    /// Those of one matrix, counted from 0.
    pub(super) fn get(&self, index: usize) -> Factors<'_, T> {
        let [_, m, n] = self.lu.grid().sides();
        let k = m.min(n);
        Factors { lu: &self.lu, index, info: self.info.get(index), ipiv: &self.ipiv[index * k..][..k] }
    }

    /// The matrices, counted from 1, whose `info` is not 0.
    pub(super) fn singular(&self) -> impl Iterator<Item = usize> {
        self.info.slices().flatten().zip(1..).filter(|(info, _)| **info != 0).map(|(_, slice)| slice)
    }
}

fn read_lu<T: FileElement>(responses: &mut Responses<impl Read>, announced: &Announced) -> Result<Array<T>, Failure> {
    let mut elements = responses.elements::<T>(announced.grid.len(), "factors")?;
    if elements.slices().next().is_some_and(|first| label::begins(bytemuck::cast_slice(first))) {
        return Err(responses.labelled());
    }
    elements.slices_mut().for_each(T::wire_order);
    Ok(Array::new(announced.grid, elements).expect("as many elements as the grid has were read"))
}

/// Reads the row swaps of `count` matrices, of which the factors are there: they have at least as many elements.
fn read_ipiv(responses: &mut Responses<impl Read>, count: usize, shape: Shape) -> Result<Vec<i64>, Failure> {
    let mut ipiv = Vec::new();
    let swaps = count * shape.pivots();
    ipiv.try_reserve_exact(swaps).map_err(|_| responses.refused(count * shape.ipiv_bytes(), "the row swaps"))?;
    ipiv.resize(swaps, 0);
    responses.fill(bytemuck::cast_slice_mut(&mut ipiv), "row swaps")?;
    ipiv_wire_order(&mut ipiv);
    Ok(ipiv)
}

impl<T: FileElement> Factors<'_, T> {
    /// Rows.
    pub(super) fn m(&self) -> usize {
        self.lu.grid().sides()[1]
    }

    /// Columns.
    pub(super) fn n(&self) -> usize {
        self.lu.grid().sides()[2]
    }

    /// Pivots.
    pub(super) fn k(&self) -> usize {
        self.ipiv.len()
    }

    /// Element (i, j), counted from 0, of L and U in one matrix.
    pub(super) fn get(&self, i: usize, j: usize) -> T {
        self.lu.get(self.index, i, j)
    }
}
