//! What the ranks say of a job that they have done.

use std::fmt;
use std::str::FromStr;

use super::job::ProcessGrid;

/// What was done, and how well.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Answer {
    /// LAPACK's `info`: 0, or k if U(k,k) is exactly zero. Then there is no X.
    pub info: i64,
    /// Rows of A.
    pub m: u64,
    /// Columns of A.
    pub n: u64,
    /// Columns of B.
    pub nrhs: u64,
    /// Bits of an element.
    pub bits: u32,
    /// How the ranks were arranged.
    pub grid: ProcessGrid,
    /// Rows and columns of a block.
    pub block: u32,
    /// Steps of refinement.
    pub steps: u32,
    /// From the start of the first rank to the last file in its place.
    pub seconds: f64,
    /// Seconds of the factorization.
    pub factor_seconds: f64,
    /// Those of its floating-point operations, in 10^9 a second.
    pub gflops: f64,
    /// The reciprocal condition number of A in the 1-norm, estimated; NaN if it was not wanted.
    pub rcond: f64,
    /// The largest componentwise backward error of a column of X; NaN if there is no X.
    pub backward_error: f64,
}

impl fmt::Display for Answer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Answer { info, m, n, nrhs, bits, grid, block, steps, seconds, factor_seconds, gflops, .. } = self;
        write!(f, "info={info} m={m} n={n} nrhs={nrhs} bits={bits} grid={grid} block={block} steps={steps}")?;
        write!(f, " seconds={seconds:.3} factor_seconds={factor_seconds:.3} gflops={gflops:.3}")?;
        write!(f, " rcond={:e} backward_error={:e}", self.rcond, self.backward_error)
    }
}

impl FromStr for Answer {
    type Err = ();

    /// Reads what [`Display`](fmt::Display) writes: every field, in any order.
    fn from_str(text: &str) -> Result<Self, ()> {
        fn field<T: FromStr>(text: &str, name: &str) -> Result<T, ()> {
            let value = text.split(' ').find_map(|field| field.strip_prefix(name)?.strip_prefix('='));
            value.and_then(|value| value.parse().ok()).ok_or(())
        }
        Ok(Answer {
            info: field(text, "info")?,
            m: field(text, "m")?,
            n: field(text, "n")?,
            nrhs: field(text, "nrhs")?,
            bits: field(text, "bits")?,
            grid: field(text, "grid")?,
            block: field(text, "block")?,
            steps: field(text, "steps")?,
            seconds: field(text, "seconds")?,
            factor_seconds: field(text, "factor_seconds")?,
            gflops: field(text, "gflops")?,
            rcond: field(text, "rcond")?,
            backward_error: field(text, "backward_error")?,
        })
    }
}
