//! How ill-conditioned a factored matrix is.
//!
//! ScaLAPACK's own `p?gecon` (2.2.1) is wrong: on eight matrices its result was 4 to 567 times too large.

use recfact::{Transpose, estimate_norms};

use crate::element::Scalar;
use crate::failure::Failure;
use crate::matrix::{Matrix, zeros};
use crate::process_grid::Grid;
use crate::team::Int;

/// Columns of right-hand sides that the estimate needs at once.
const COLUMNS: usize = 2;

/// Elements that each rank needs for [`rcond`] beside a part of the right-hand sides.
pub fn memory(n: usize) -> usize {
    (COLUMNS + 1) * n
}

/// The reciprocal condition number of A in the 1-norm, estimated: from its factors, and from |A|. It is 0 if A^-1 overflows.
///
/// Every rank has all of the vectors. Each element of a solution comes from one rank, so that all have the same and go the same way.
///
/// # Errors
/// If a rank gets no memory.
pub fn rcond<T: Scalar>(grid: &Grid<'_, T>, lu: &Matrix<T>, ipiv: &[Int], anorm: T) -> Result<f64, Failure> {
    let n = lu.layout.n;
    if n == 0 {
        return Ok(1.0);
    }
    let mut memory = grid.team.agree(zeros(memory(n)))?;
    let mut columns = grid.team.agree(Matrix::zeros(grid.layout([n, COLUMNS], [grid.block, COLUMNS])))?;
    let mut solve = |transpose, x: &mut [T]| {
        let is_there = x.len() / n;
        let Matrix { layout, .. } = &columns;
        let places: Vec<_> = (0..layout.columns_here.min(is_there))
            .flat_map(|j| (0..layout.rows_here).map(move |i| (i, j)))
            .map(|(i, j)| (i + j * layout.rows_here, layout.row(i) + layout.column(j) * n))
            .collect();
        columns.local.fill(T::ZERO);
        places.iter().for_each(|&(here, there)| columns.local[here] = x[there]);
        grid.getrs(transpose, lu, ipiv, &mut columns);
        x.fill(T::ZERO);
        places.iter().for_each(|&(here, there)| x[there] = columns.local[here]);
        grid.sum(x);
    };
    let (x, signs) = memory.split_at_mut(COLUMNS * n);
    let mut norm = [T::ZERO];
    if n == 1 {
        x[0] = T::ONE;
        solve(Transpose::No, &mut x[..1]);
        norm[0] = x[0].abs();
    } else {
        estimate_norms(n, x, signs, &mut norm, solve);
    }
    let rcond = 1.0 / norm[0].into() / anorm.into();
    Ok(if rcond.is_finite() { rcond } else { 0.0 })
}
