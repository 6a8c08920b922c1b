//! Between a file and a matrix that is spread over the ranks: bands of whole lines, a band for each rank at a time.
//!
//! Every element goes through the file system once, in pieces of megabytes, whatever the grid is; `redistribute` moves it on.

use crate::element::Scalar;
use crate::failure::Failure;
use crate::file::{Input, Output};
use crate::matrix::{Layout, Matrix, zeros};
use crate::process_grid::Grid;
use crate::progress::Progress;

/// Bytes of a band, unless one line has more.
const BAND_BYTES: usize = 4 << 20;

/// The bands of a matrix in a file, one round of them after the other.
pub struct Bands<T> {
    /// The present bands.
    pub band: Matrix<T>,
    is_by_rows: bool,
    /// Lines, and the length of one.
    lines: usize,
    length: usize,
    /// Lines of a band.
    width: usize,
    /// Lines as they are in the file, if they are rows.
    rows: Vec<T>,
}

/// Lines of a band: whole blocks, if there are that many, so that products of bands are products of blocks.
pub fn width<T>([lines, length]: [usize; 2], ranks: usize, block: usize) -> usize {
    let width = (BAND_BYTES / size_of::<T>() / length.max(1)).clamp(1, lines.div_ceil(ranks).max(1));
    if width > block { width / block * block } else { width }
}

impl<T: Scalar> Bands<T> {
    /// Bands of an m x n matrix.
    ///
    /// # Errors
    /// If the system refuses memory.
    pub fn new(grid: &Grid<'_, T>, [m, n]: [usize; 2], is_by_rows: bool) -> Result<Self, Failure> {
        let [lines, length] = if is_by_rows { [m, n] } else { [n, m] };
        let ranks = grid.team.ranks() as usize;
        let width = width::<T>([lines, length], ranks, grid.block);
        let layout = Self::layout(grid, length, width, is_by_rows);
        let band = Matrix::zeros(layout)?;
        let rows = zeros(if is_by_rows { width * length } else { 0 })?;
        Ok(Bands { band, is_by_rows, lines, length, width, rows })
    }

    fn layout(grid: &Grid<'_, T>, length: usize, width: usize, is_by_rows: bool) -> Layout {
        let all = width * grid.team.ranks() as usize;
        if is_by_rows { grid.rows(all, length, width) } else { grid.columns(length, all, width) }
    }

    /// The rounds: the first line of each, and the number of its lines.
    pub fn rounds(&self, grid: &Grid<'_, T>) -> impl Iterator<Item = (usize, usize)> + use<T> {
        let (all, lines) = (self.width * grid.team.ranks() as usize, if self.length == 0 { 0 } else { self.lines });
        (0..lines).step_by(all).map(move |first| (first, all.min(lines - first)))
    }

    /// The lines of this rank in the round that begins with a line: the first one, and their number.
    fn own(&self, grid: &Grid<'_, T>, round: usize) -> (usize, usize) {
        let first = round + grid.team.rank() as usize * self.width;
        (first, self.lines.saturating_sub(first).min(self.width))
    }

    /// Reads this rank's band of a round. All ranks must agree on the result.
    fn read(&mut self, grid: &Grid<'_, T>, input: &Input, round: usize) -> Result<(), Failure> {
        let (first, count) = self.own(grid, round);
        let to = if self.is_by_rows { &mut self.rows } else { &mut self.band.local };
        let to = &mut to[..count * self.length];
        input.read(first * self.length, to)?;
        input.check_finite(first, to)?;
        if self.is_by_rows {
            transpose(&self.rows[..count * self.length], self.length, &mut self.band.local, self.width);
        }
        Ok(())
    }

    /// Reads all bands, and has each round of them used: `take` gets the bands, the first line and the number of lines.
    ///
    /// # Errors
    /// If a rank cannot read, or meets a number that is not finite.
    pub fn read_all(
        &mut self,
        grid: &Grid<'_, T>,
        input: &Input,
        mut take: impl FnMut(&Matrix<T>, usize, usize),
    ) -> Result<(), Failure> {
        for (first, count) in self.rounds(grid) {
            let read = self.read(grid, input, first);
            grid.team.agree(read)?;
            take(&self.band, first, count);
        }
        Ok(())
    }
}

/// A <- the matrix of a file.
///
/// # Errors
/// As [`Bands::read_all`].
pub fn read<T: Scalar>(
    grid: &Grid<'_, T>,
    input: &Input,
    a: &mut Matrix<T>,
    progress: &Progress,
) -> Result<(), Failure> {
    let by_rows = input.is_by_rows();
    let mut bands = grid.team.agree(Bands::new(grid, [input.m, input.n], by_rows))?;
    bands.read_all(grid, input, |band, first, count| {
        let (size, at) = if by_rows { ([count, input.n], [first, 0]) } else { ([input.m, count], [0, first]) };
        grid.redistribute(size, band, [0; 2], a, at);
        progress.remind();
    })
}

/// A file <- A.
///
/// # Errors
/// If a rank cannot write.
pub fn write<T: Scalar>(
    grid: &Grid<'_, T>,
    a: &Matrix<T>,
    output: &Output,
    progress: &Progress,
) -> Result<(), Failure> {
    let (m, n) = (a.layout.m, a.layout.n);
    let mut bands = grid.team.agree(Bands::new(grid, [m, n], false))?;
    for (first, count) in bands.rounds(grid) {
        grid.redistribute([m, count], a, [0, first], &mut bands.band, [0; 2]);
        let (own, columns) = bands.own(grid, first);
        grid.team.agree(output.write(own * m, &bands.band.local[..columns * m]))?;
        progress.remind();
    }
    Ok(())
}

/// B <- A^T for rows of `length` elements that follow each other; B has a leading dimension of `ldb`.
fn transpose<T: Copy>(a: &[T], length: usize, b: &mut [T], ldb: usize) {
    /// Rows and columns that are worked on together, so that their cache lines are used up.
    const TILE: usize = 16;
    let rows = a.len() / length;
    for (i0, j0) in (0..rows).step_by(TILE).flat_map(|i0| (0..length).step_by(TILE).map(move |j0| (i0, j0))) {
        for j in j0..(j0 + TILE).min(length) {
            for i in i0..(i0 + TILE).min(rows) {
                b[i + j * ldb] = a[i * length + j];
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_become_columns() {
        for (rows, length, ldb) in [(1, 1, 1), (3, 40, 5), (17, 33, 17), (0, 3, 2)] {
            let a: Vec<usize> = (0..rows * length).collect();
            let mut b = vec![usize::MAX; ldb * length];
            transpose(&a, length, &mut b, ldb);
            for (at, &x) in b.iter().enumerate() {
                let (i, j) = (at % ldb, at / ldb);
                assert_eq!(x, if i < rows { i * length + j } else { usize::MAX });
            }
        }
    }

    #[test]
    fn bands_are_whole_blocks_if_they_can_be_and_no_wider_than_what_there_is() {
        assert_eq!(width::<f64>([4000, 4000], 2, 64), 128);
        assert_eq!(width::<f64>([200_000, 200_000], 100, 64), 2);
        assert_eq!(width::<f64>([10, 10], 4, 64), 3);
        assert_eq!(width::<f64>([1, 1 << 40], 2, 64), 1);
        assert_eq!(width::<f64>([0, 0], 2, 64), 1);
    }
}
