//! Factors that an earlier job has written, or another program with LAPACK's meaning of them.

use std::path::Path;

use recfact::files::sizes;
use recfact_distributed::factor_files;

use crate::element::Scalar;
use crate::failure::Failure;
use crate::file::Input;
use crate::matrix::{Layout, zeros};
use crate::team::Int;

/// The files of the factors of a square matrix.
pub struct Factors {
    /// L and U.
    pub lu: Input,
    /// The row swaps.
    ipiv: Input,
}

impl Factors {
    /// Opens the files whose names begin so.
    ///
    /// # Errors
    /// If one is no .npy file with a matrix or a vector.
    pub fn open(prefix: &Path) -> Result<Self, Failure> {
        let [lu, ipiv] = factor_files(prefix);
        Ok(Factors { lu: Input::open(&lu)?, ipiv: Input::open(&ipiv)? })
    }

    /// The files.
    pub fn files(&self) -> [&Input; 2] {
        [&self.lu, &self.ipiv]
    }

    /// Checks that their types and shapes are those of the factors of A.
    ///
    /// # Errors
    /// If they are not.
    pub fn check<T: Scalar>(&self, a: &Input) -> Result<(), Failure> {
        self.lu.check::<T>()?;
        self.ipiv.check::<i64>()?;
        for (file, expected) in [(&self.lu, &a.shape[..]), (&self.ipiv, &a.shape[..1])] {
            if file.shape != expected {
                let [expected, of_a, got] = [expected, &a.shape, &file.shape].map(sizes);
                let name = a.path.display();
                let text = format_args!("expected {expected}, since {name} is {of_a}, got {got}");
                return Err(Failure::file(&file.path, text));
            }
        }
        Ok(())
    }

    /// Checks that these are the factors of A, by the normwise backward error of an X that they gave.
    ///
    /// # Errors
    /// If half of the digits of X are wrong. With the factors of A that happens only where elimination is unstable.
    pub fn check_solution<T: Scalar>(&self, a: &Input, normwise_error: f64) -> Result<(), Failure> {
        if normwise_error > T::PRECISION.to_f64().sqrt() {
            let name = a.path.display();
            let text = format_args!(
                "expected the factors of {name}, got others: they give an X with a normwise backward error of {normwise_error:.2e}"
            );
            return Err(Failure::file(&self.lu.path, text));
        }
        Ok(())
    }

    /// Reads the row swaps of the rows of a matrix that are here.
    ///
    /// # Errors
    /// If the file cannot be read, or if a swap is none that a factorization makes: it goes down, to a row of the matrix.
    pub fn read_ipiv(&self, layout: &Layout, ipiv: &mut [Int]) -> Result<(), Failure> {
        for (local, rows) in layout.row_blocks(layout.m) {
            let mut swaps: Vec<i64> = zeros(rows.len())?;
            self.ipiv.read(rows.start, &mut swaps)?;
            for ((to, swap), row) in ipiv[local].iter_mut().zip(swaps).zip(rows) {
                let (row, m) = (row as i64 + 1, layout.m as i64);
                let is_swap = (row..=m).contains(&swap);
                *to = Int::try_from(swap).ok().filter(|_| is_swap).ok_or_else(|| {
                    let text = format_args!("swap {row}: expected a row from {row} to {m}, counted from 1, got {swap}");
                    Failure::file(&self.ipiv.path, text)
                })?;
            }
        }
        Ok(())
    }
}
