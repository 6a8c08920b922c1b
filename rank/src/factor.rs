//! P A = L U, block by block, so that it is known how far it is.
//!
//! These are the steps of ScaLAPACK's `p?getrf`, which says nothing while it runs. With wider panels two ranks took 1.4 times as long
//! for n = 4000.

use recfact::flops;

use crate::element::Scalar;
use crate::matrix::Matrix;
use crate::process_grid::Grid;
use crate::team::Int;

/// Factors A in place: U on and above the diagonal, L below it. Local row i is swapped with row `ipiv[i]`, counted from 1 in all of A.
/// `progress` is told the floating-point operations so far.
pub fn factor<T: Scalar>(grid: &Grid<'_, T>, a: &mut Matrix<T>, ipiv: &mut [Int], mut progress: impl FnMut(f64)) {
    let (m, n) = (a.layout.m, a.layout.n);
    let k = m.min(n);
    let all = flops(m, n);
    for j in (0..k).step_by(grid.block) {
        let kb = grid.block.min(k - j);
        // P [A11; A21] = [L11; L21] U11
        grid.getrf([m - j, kb], a, j, ipiv);
        // The rows of the columns at the left and at the right are swapped.
        grid.laswp(a, 0..j, j..j + kb, ipiv);
        grid.laswp(a, j + kb..n, j..j + kb, ipiv);
        if j + kb < n {
            // A12 <- L11^-1 A12
            grid.trsm_lower([kb, n - j - kb], a, j, j + kb);
        }
        // A22 <- A22 - L21 A12
        grid.gemm_trailing(a, [j + kb, j + kb], kb);
        progress(all - flops(m - j - kb, n - j - kb));
    }
}

/// The first k, counted from 1, for which U(k,k) is exactly zero, or 0. (`p?getrf` does not say it if A has one row.)
pub fn info<T: Scalar>(grid: &Grid<'_, T>, lu: &Matrix<T>) -> i64 {
    let layout = &lu.layout;
    let zero = (0..layout.columns_here).map(|local| (local, layout.column(local))).find(|&(local, column)| {
        let row = if column < layout.m { layout.local_row(column) } else { None };
        row.is_some_and(|row| lu.local[row + local * layout.rows_here] == T::ZERO)
    });
    let first = grid.team.min(zero.map_or(Int::MAX, |(_, column)| column as Int + 1));
    if first == Int::MAX { 0 } else { first.into() }
}
