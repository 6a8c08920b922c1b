//! A matrix that is spread over all ranks: block (i, j) is on the rank in row i mod P and column j mod Q of the grid.

use std::ops::Range;

use recfact_distributed::ProcessGrid;

use crate::element::Scalar;
use crate::failure::Failure;
use crate::team::Int;

/// How a matrix is spread, and what of it is here.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Layout {
    pub m: usize,
    pub n: usize,
    /// Rows and columns of a block.
    block: [usize; 2],
    grid: ProcessGrid,
    /// Row and column of this rank.
    here: (u32, u32),
    /// Local rows and columns.
    pub rows_here: usize,
    pub columns_here: usize,
    /// ScaLAPACK's array descriptor: dense, context, m, n, rows and columns of a block, the rank of the first block, the leading
    /// dimension.
    pub descriptor: [Int; 9],
}

impl Layout {
    /// Spreads an m x n matrix.
    ///
    /// # Panics
    /// If a size has no 32-bit integer; [`checks::bytes`](crate::checks::bytes) refuses it before.
    pub fn new(context: Int, [m, n]: [usize; 2], block: [usize; 2], grid: ProcessGrid, here: (u32, u32)) -> Self {
        let block = block.map(|size| size.max(1));
        let rows_here = count_here(m, block[0], here.0, grid.rows);
        let columns_here = count_here(n, block[1], here.1, grid.columns);
        let lld = rows_here.max(1);
        let [m_, n_, mb, nb, lld] =
            [m, n, block[0], block[1], lld].map(|size| Int::try_from(size).expect("a size that was checked"));
        let descriptor = [1, context, m_, n_, mb, nb, 0, 0, lld];
        Layout { m, n, block, grid, here, rows_here, columns_here, descriptor }
    }

    /// The number of local elements.
    pub fn len(&self) -> usize {
        self.rows_here * self.columns_here
    }

    /// Elements of the `ipiv` of a factorization: one for each local row, and a block.
    pub fn ipiv_len(&self) -> usize {
        self.rows_here + self.block[0]
    }

    /// The row of the matrix that a local row is.
    pub fn row(&self, local: usize) -> usize {
        global(local, self.block[0], self.here.0, self.grid.rows)
    }

    /// The column of the matrix that a local column is.
    pub fn column(&self, local: usize) -> usize {
        global(local, self.block[1], self.here.1, self.grid.columns)
    }

    /// The blocks of rows that are here, of the first `m` rows: where each is here, and where in the matrix.
    pub fn row_blocks(&self, m: usize) -> impl Iterator<Item = (Range<usize>, Range<usize>)> {
        (0..self.rows_here).step_by(self.block[0]).filter_map(move |local| {
            let row = self.row(local);
            // The rows of a block follow each other in the matrix, too.
            let count = self.block[0].min(self.rows_here - local).min(m.saturating_sub(row));
            (count > 0).then(|| (local..local + count, row..row + count))
        })
    }

    /// Where a row is, if it is here.
    pub fn local_row(&self, row: usize) -> Option<usize> {
        local(row, self.block[0], self.here.0, self.grid.rows)
    }
}

/// Memory for some zeros.
///
/// # Errors
/// If the system refuses it.
pub fn zeros<T: Default + Clone>(len: usize) -> Result<Vec<T>, Failure> {
    let mut zeros = Vec::new();
    zeros.try_reserve_exact(len).map_err(|_| {
        let bytes = len.saturating_mul(size_of::<T>());
        Failure::memory(format_args!("expected {bytes} bytes of memory, got none from the system"))
    })?;
    zeros.resize(len, T::default());
    Ok(zeros)
}

/// Rows or columns on one of `ranks` ranks (ScaLAPACK: `NUMROC`).
pub fn count_here(size: usize, block: usize, rank: u32, ranks: u32) -> usize {
    let (rank, ranks, blocks) = (rank as usize, ranks as usize, size / block);
    let whole = blocks / ranks * block;
    match rank.cmp(&(blocks % ranks)) {
        std::cmp::Ordering::Less => whole + block,
        std::cmp::Ordering::Equal => whole + size % block,
        std::cmp::Ordering::Greater => whole,
    }
}

fn global(local: usize, block: usize, rank: u32, ranks: u32) -> usize {
    (local / block * ranks as usize + rank as usize) * block + local % block
}

fn local(at: usize, block: usize, rank: u32, ranks: u32) -> Option<usize> {
    let (number, ranks) = (at / block, ranks as usize);
    (number % ranks == rank as usize).then(|| number / ranks * block + at % block)
}

/// The part of a matrix that is on this rank.
pub struct Matrix<T> {
    pub layout: Layout,
    /// Column by column; never without an element, since Fortran is given its address.
    pub local: Vec<T>,
}

impl<T: Scalar> Matrix<T> {
    /// A matrix of zeros.
    ///
    /// # Errors
    /// If the system refuses memory.
    pub fn zeros(layout: Layout) -> Result<Self, Failure> {
        let local = zeros(layout.len().max(1))?;
        Ok(Matrix { layout, local })
    }

    /// Checks that a part is inside.
    ///
    /// # Panics
    /// If it is not.
    pub fn check(&self, [i, j]: [usize; 2], [m, n]: [usize; 2]) {
        let Layout { m: rows, n: columns, .. } = self.layout;
        assert!(i + m <= rows && j + n <= columns, "{m} x {n} at ({i}, {j}) of {rows} x {columns}");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blocks_of_rows_are_all_rows_once_up_to_the_last_that_is_wanted() {
        for (m, block, ranks, wanted) in [(0, 4, 2, 0), (17, 4, 3, 17), (17, 4, 3, 9), (64, 64, 2, 3), (10, 1, 4, 10)] {
            let grid = ProcessGrid { rows: ranks, columns: 1 };
            let mut rows = Vec::new();
            for rank in 0..ranks {
                let layout = Layout::new(0, [m, 1], [block, 1], grid, (rank, 0));
                for (here, there) in layout.row_blocks(wanted) {
                    assert!(here.len() == there.len() && here.len() <= block, "{here:?} {there:?}");
                    assert!(here.clone().map(|local| layout.row(local)).eq(there.clone()));
                    rows.extend(there);
                }
            }
            rows.sort_unstable();
            assert!(rows.into_iter().eq(0..wanted), "{wanted} of {m} rows in blocks of {block} on {ranks}");
        }
    }

    #[test]
    fn each_row_is_on_one_rank_and_comes_back() {
        for (size, block, ranks) in
            [(0, 4, 3), (1, 4, 3), (17, 4, 3), (64, 64, 2), (65, 64, 2), (1000, 7, 5), (3, 1, 4)]
        {
            let here: Vec<_> = (0..ranks).map(|rank| count_here(size, block, rank, ranks)).collect();
            assert_eq!(here.iter().sum::<usize>(), size, "{size} in blocks of {block} on {ranks}");
            for row in 0..size {
                let on: Vec<_> = (0..ranks).filter_map(|rank| Some((rank, local(row, block, rank, ranks)?))).collect();
                let [(rank, at)] = on[..] else { panic!("row {row} is on {on:?}") };
                assert!(at < here[rank as usize]);
                assert_eq!(global(at, block, rank, ranks), row);
            }
        }
    }
}
