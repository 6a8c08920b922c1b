//! A X = B from the factors of A, how good X is, and a step that makes it better.

use recfact::Transpose;

use crate::element::Scalar;
use crate::failure::Failure;
use crate::file::Input;
use crate::matrix::Matrix;
use crate::process_grid::Grid;
use crate::progress::Progress;
use crate::residual::Residual;
use crate::team::Int;

/// A factored system.
pub struct System<'s, T> {
    pub grid: &'s Grid<'s, T>,
    pub a: &'s Input,
    pub b: &'s Input,
    pub trans: Transpose,
    pub lu: &'s Matrix<T>,
    pub ipiv: &'s [Int],
    pub progress: &'s Progress,
}

/// X, and how good it is.
pub struct Solved<T> {
    pub x: Matrix<T>,
    pub backward_error: f64,
    pub normwise_error: f64,
    /// Steps of refinement that X has taken.
    pub steps: u32,
    /// The 1-norm of A.
    pub anorm: T,
}

impl<T: Scalar> System<'_, T> {
    /// Columns of a block of right-hand sides: each column of ranks has some, if there are enough.
    pub fn block(grid: &Grid<'_, T>, nrhs: usize) -> usize {
        nrhs.div_ceil(grid.shape.columns as usize).clamp(1, grid.block)
    }

    /// Memory for X.
    ///
    /// # Errors
    /// If a rank gets none.
    pub fn memory_for_x(grid: &Grid<'_, T>, b: &Input) -> Result<Matrix<T>, Failure> {
        let layout = grid.layout([b.m, b.n], [grid.block, Self::block(grid, b.n)]);
        grid.team.agree(Matrix::zeros(layout))
    }

    /// Solves it; `x` is B.
    ///
    /// # Errors
    /// If a file cannot be read again, or if a rank gets no memory.
    pub fn solve(&self, mut x: Matrix<T>, is_refined: bool) -> Result<Solved<T>, Failure> {
        self.grid.getrs(self.trans, self.lu, self.ipiv, &mut x);
        let residual = self.residual(&x)?;
        let backward_error = residual.backward_error(self.grid);
        let Residual { anorm, normwise_error, .. } = residual;
        let solved = Solved { x, backward_error, normwise_error, steps: 0, anorm };
        if is_refined { self.refine(solved, residual.r) } else { Ok(solved) }
    }

    fn residual(&self, x: &Matrix<T>) -> Result<Residual<T>, Failure> {
        Residual::of(self.grid, [self.a, self.b], self.trans, x, self.progress)
    }

    /// X <- X + op(A)^-1 R, unless that makes it worse.
    fn refine(&self, mut solved: Solved<T>, r: Matrix<T>) -> Result<Solved<T>, Failure> {
        let mut d = r;
        self.grid.getrs(self.trans, self.lu, self.ipiv, &mut d);
        // D <- X + D
        d.local.iter_mut().zip(&solved.x.local).for_each(|(d, x)| *d = d.add(*x));
        let residual = self.residual(&d)?;
        let backward_error = residual.backward_error(self.grid);
        if backward_error.is_finite() && backward_error <= solved.backward_error {
            solved = Solved { x: d, backward_error, normwise_error: residual.normwise_error, steps: 1, ..solved };
        }
        Ok(solved)
    }
}
