//! Responses as they stand in a stream: read, checked, and held in no more memory than they need.

use std::collections::TryReserveError;
use std::fmt::Display;
use std::io::{self, ErrorKind, Read};

use byteorder::{ByteOrder, LittleEndian};

use super::Failure;
use crate::files::{Elements, FileElement, Matrix, Order, fill};
use crate::lu::check_info;
use crate::protocol::{INFO_BYTES, Shape, check_ipiv, describe_refusal, ipiv_wire_order, label, refusal_code};

/// A stream of responses.
pub(super) struct Responses<R> {
    input: R,
    /// The response that is being read, counted from 1; labels do not count.
    pub(super) number: usize,
}

/// The factorization P A = L U of an m x n matrix, with k = min(m, n).
pub(super) struct Factors<T> {
    /// 0, or k > 0 if U(k,k) is exactly zero (the first such k), -k without pivoting.
    pub(super) info: i64,
    /// L below the diagonal, U on and above it.
    pub(super) packed: Matrix<T>,
    /// The row swaps in order, counted from 1.
    pub(super) ipiv: Vec<i64>,
}

impl<R: Read> Responses<R> {
    pub(super) fn new(input: R) -> Self {
        Responses { input, number: 0 }
    }

    /// Goes to the next response: its shape and `info`; `None` at the end of the input. Without a given shape a label
    /// must come first. A refusal is an error.
    pub(super) fn next(&mut self, given: Option<Shape>) -> Result<Option<(Shape, i64)>, Failure> {
        self.number += 1;
        let Some(info) = self.info()? else {
            // A stream without any response is the trace of a request that failed earlier in the pipeline.
            return if self.number > 1 { Ok(None) } else { Err(self.fail("expected a response, got end of input")) };
        };
        if let Some(shape) = given {
            return Ok(Some((shape, info)));
        }
        let mut row = [0; label::ROW_BYTES];
        self.fill(&mut row, "label")?;
        let shape = label::parse(&row)
            .ok_or_else(|| self.fail("expected a label; for requests made without one say --shape"))?;
        match self.info()? {
            Some(info) => Ok(Some((shape, info))),
            None => Err(self.fail("expected a response after its label, got end of input")),
        }
    }

    /// Reads the factors and row swaps of the response that [`Responses::next`] has gone to, and checks them.
    pub(super) fn factors<T: FileElement>(&mut self, shape: Shape, info: i64) -> Result<Factors<T>, Failure> {
        let (m, n) = (shape.m(), shape.n());
        // The response does not say whether there was pivoting, and so which sign a singular matrix has.
        check_info(info, shape.pivots()).map_err(|error| self.fail(error))?;
        let (mut elements, got) = Elements::<T>::read(&mut self.input, m * n)
            .map_err(|error| self.unreadable(&error, shape.matrix_bytes(), "the factors"))?;
        self.complete(shape.matrix_bytes(), got, "factors")?;
        if elements.slices().next().is_some_and(|first| label::begins(bytemuck::cast_slice(first))) {
            return Err(self.fail("got a label: this stream says its shapes itself, leave out --shape"));
        }
        elements.slices_mut().for_each(T::wire_order);

        // There are no more of them than columns and rows of the factors that are there.
        let mut ipiv = Vec::new();
        ipiv.try_reserve_exact(shape.pivots()).map_err(|_| self.refused(shape.ipiv_bytes(), "the row swaps"))?;
        ipiv.resize(shape.pivots(), 0);
        self.fill(bytemuck::cast_slice_mut(&mut ipiv), "row swaps")?;
        ipiv_wire_order(&mut ipiv);
        check_ipiv(&ipiv, shape).map_err(|error| self.fail(error))?;
        let packed = Matrix::new(m, n, Order::Columns, elements).expect("m*n elements were read");
        Ok(Factors { info, packed, ipiv })
    }

    /// Reads `info`; `None` at the end of the input.
    fn info(&mut self) -> Result<Option<i64>, Failure> {
        let mut bytes = [0; INFO_BYTES];
        let got = fill(&mut self.input, &mut bytes).map_err(|error| Failure::io("stdin", &error))?;
        if got == 0 {
            return Ok(None);
        }
        self.complete(INFO_BYTES, got, "info")?;
        let info = LittleEndian::read_i64(&bytes);
        match refusal_code(info) {
            None => Ok(Some(info)),
            Some(code) => Err(self.fail(format_args!("the server refused the request: {}", describe_refusal(code)))),
        }
    }

    /// Fills a buffer, for which the input must have enough.
    fn fill(&mut self, buf: &mut [u8], what: &str) -> Result<(), Failure> {
        let got = fill(&mut self.input, buf).map_err(|error| Failure::io("stdin", &error))?;
        self.complete(buf.len(), got, what)
    }

    /// Fails unless as many bytes came as were expected.
    fn complete(&self, bytes: usize, got: usize, what: &str) -> Result<(), Failure> {
        if got == bytes {
            return Ok(());
        }
        Err(self.fail(format_args!("expected {bytes} bytes of {what}, got end of input after {got}")))
    }

    fn fail(&self, message: impl Display) -> Failure {
        Failure::data(self.place(), message)
    }

    /// Memory that the system refused.
    pub(super) fn refused(&self, bytes: usize, purpose: &str) -> Failure {
        Failure::out_of_memory(self.place(), bytes, purpose)
    }

    fn unreadable(&self, error: &io::Error, bytes: usize, purpose: &str) -> Failure {
        match error.kind() {
            ErrorKind::OutOfMemory => self.refused(bytes, purpose),
            _ => Failure::io("stdin", error),
        }
    }

    fn place(&self) -> String {
        format!("response {}", self.number)
    }
}

impl<T: FileElement> Factors<T> {
    /// Rows.
    pub(super) fn m(&self) -> usize {
        self.packed.nrows()
    }

    /// Columns.
    pub(super) fn n(&self) -> usize {
        self.packed.ncols()
    }

    /// Pivots.
    pub(super) fn k(&self) -> usize {
        self.ipiv.len()
    }
}

/// A permutation of rows, counted from 0. Row swaps touch at most twice as many rows as there are, often fewer than the
/// matrix has; only those are held.
pub(super) struct RowOrder {
    /// The rows below row k that a swap touches, in rising order.
    below: Vec<usize>,
    /// What stands in rows 0 to k - 1, then what stands in those of `below`.
    rows: Vec<usize>,
}

impl RowOrder {
    /// What the swaps make of the rows 0, 1, 2, .. Asks for at most [`RowOrder::bytes`] of memory.
    pub(super) fn new(ipiv: &[i64]) -> Result<RowOrder, TryReserveError> {
        let k = ipiv.len();
        let (mut below, mut rows) = (Vec::new(), Vec::new());
        below.try_reserve_exact(k)?;
        below.extend(ipiv.iter().map(|&row| row as usize - 1).filter(|&row| row >= k));
        below.sort_unstable();
        below.dedup();
        rows.try_reserve_exact(k + below.len())?;
        rows.extend((0..k).chain(below.iter().copied()));
        let mut order = RowOrder { below, rows };
        for (i, &row) in ipiv.iter().enumerate() {
            let other = order.held(row as usize - 1).expect("each row of ipiv is held");
            order.rows.swap(i, other);
        }
        Ok(order)
    }

    /// Bytes for `k` swaps.
    pub(super) fn bytes(k: usize) -> usize {
        3 * k * size_of::<usize>()
    }

    /// Row `i` of P A is this row of A.
    pub(super) fn get(&self, i: usize) -> usize {
        self.held(i).map_or(i, |at| self.rows[at])
    }

    /// Where row `i` is held, if a swap touches it.
    fn held(&self, i: usize) -> Option<usize> {
        let k = self.rows.len() - self.below.len();
        if i < k { Some(i) } else { self.below.binary_search(&i).ok().map(|at| k + at) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_order_of_the_rows_is_what_the_swaps_make_of_all_of_them() {
        let m = 9;
        for ipiv in
            [vec![], vec![1, 2, 3], vec![9, 9, 9], vec![4, 8, 8, 4], vec![2, 9, 5, 9], vec![9, 9, 8, 8, 7, 7, 7]]
        {
            let mut rows: Vec<usize> = (0..m).collect();
            ipiv.iter().enumerate().for_each(|(i, &row)| rows.swap(i, row as usize - 1));
            let order = RowOrder::new(&ipiv).unwrap();
            assert_eq!((0..m).map(|i| order.get(i)).collect::<Vec<_>>(), rows, "{ipiv:?}");
        }
    }
}
