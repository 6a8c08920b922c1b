//! The files that a job makes. They are created before anything is computed, so that a folder that cannot be written to is known at once,
//! and get their names together when all of them are complete.

use recfact_distributed::Job;

use crate::bands;
use crate::element::Scalar;
use crate::failure::Failure;
use crate::file::Output;
use crate::matrix::Matrix;
use crate::process_grid::Grid;
use crate::progress::Progress;
use crate::team::{Int, Team};

/// The files, unfinished.
pub struct Results<'t> {
    team: &'t Team,
    /// X, or the factors and the row swaps.
    outputs: Vec<Output>,
    is_complete: bool,
}

impl<'t> Results<'t> {
    /// Creates the files: X with the shape of B, or the factors of a matrix with this shape.
    ///
    /// # Errors
    /// If a rank cannot write there.
    pub fn create<T: Scalar>(team: &'t Team, job: &Job, shape: &[usize]) -> Result<Self, Failure> {
        let mut results = Results { team, outputs: Vec::new(), is_complete: false };
        for (at, path) in job.results().iter().enumerate() {
            let unfinished = job.unfinished(path);
            let output = if at == 0 {
                Output::create::<T>(team, path, &unfinished, shape)
            } else {
                let swaps = shape.iter().min().copied().unwrap_or(0);
                Output::create::<i64>(team, path, &unfinished, &[swaps])
            };
            results.outputs.push(output?);
        }
        Ok(results)
    }

    /// Writes X, or the factors.
    ///
    /// # Errors
    /// If a rank cannot.
    pub fn write<T: Scalar>(&self, grid: &Grid<'_, T>, a: &Matrix<T>, progress: &Progress) -> Result<(), Failure> {
        bands::write(grid, a, &self.outputs[0], progress)
    }

    /// Writes the row swaps, as LAPACK's: those of each row of ranks are in its first rank.
    ///
    /// # Errors
    /// If a rank cannot.
    pub fn write_ipiv<T: Scalar>(&self, grid: &Grid<'_, T>, lu: &Matrix<T>, ipiv: &[Int]) -> Result<(), Failure> {
        let (layout, k) = (&lu.layout, lu.layout.m.min(lu.layout.n));
        let is_first = self.team.rank().is_multiple_of(grid.shape.columns);
        let write = || {
            for (local, rows) in layout.row_blocks(k).filter(|_| is_first) {
                let swaps: Vec<i64> = ipiv[local].iter().map(|&row| row.into()).collect();
                self.outputs[1].write(rows.start, &swaps)?;
            }
            Ok(())
        };
        self.team.agree(write())
    }

    /// Gives the files their names.
    ///
    /// # Errors
    /// If a rank cannot write what it has to, or if a file cannot be renamed.
    pub fn complete(mut self) -> Result<(), Failure> {
        self.team.agree(self.outputs.iter().try_for_each(Output::sync))?;
        let is_first = self.team.rank() == 0;
        self.team.agree(if is_first { self.outputs.iter().try_for_each(Output::rename) } else { Ok(()) })?;
        self.is_complete = true;
        Ok(())
    }
}

impl Drop for Results<'_> {
    fn drop(&mut self) {
        if !self.is_complete && self.team.rank() == 0 {
            self.outputs.iter().for_each(Output::discard);
        }
    }
}
