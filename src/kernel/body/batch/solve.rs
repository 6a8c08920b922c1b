//! Triangular systems of the matrices of a group.

#![allow(clippy::needless_range_loop)] // registers are named by the indices of the formula

use crate::kernel::lanes::Lanes;
use crate::kernel::scalar::Scalar;
use crate::kernel::signatures::GroupTrsm;

/// Rows and columns of X that are solved at once, where there are as many.
const ROWS: usize = 4;
const COLUMNS: usize = 2;

/// X <- T^-1 B, or with MAGNITUDES X <- M^-1 B, where M has the diagonal |t(i,i)| and below it -|t(i,k)|.
///
/// # Safety
/// - As [`GroupTrsm`] says.
/// - The CPU has the lanes' instruction set.
#[inline(always)]
pub(in crate::kernel) unsafe fn trsm<V: Lanes, const MAGNITUDES: bool>(arguments: GroupTrsm<V::T>) {
    let GroupTrsm { n, nrhs, ldx, .. } = arguments;
    let mut j = 0;
    while j < nrhs {
        let columns = if nrhs - j >= COLUMNS { COLUMNS } else { 1 };
        let x = GroupTrsm { x: arguments.x.wrapping_add(j * ldx * V::LANES), ..arguments };
        let mut i = 0;
        while i < n {
            let rows = if n - i >= ROWS { ROWS } else { 1 };
            // SAFETY: these rows and columns are those of X, and the rows above have been solved.
            unsafe {
                match (rows, columns) {
                    (ROWS, COLUMNS) => tile::<V, ROWS, COLUMNS, MAGNITUDES>(x, i),
                    (ROWS, _) => tile::<V, ROWS, 1, MAGNITUDES>(x, i),
                    (_, COLUMNS) => tile::<V, 1, COLUMNS, MAGNITUDES>(x, i),
                    _ => tile::<V, 1, 1, MAGNITUDES>(x, i),
                }
            }
            i += rows;
        }
        j += columns;
    }
}

/// R rows of X from row `i` on, in its first C columns.
///
/// # Safety
/// - As [`GroupTrsm`] says; these are rows and columns of X.
/// - The CPU has the lanes' instruction set.
#[inline(always)]
unsafe fn tile<V: Lanes, const R: usize, const C: usize, const MAGNITUDES: bool>(arguments: GroupTrsm<V::T>, i: usize) {
    let GroupTrsm { unit, t, row, col, x, inc, ldx, .. } = arguments;
    let lanes = V::LANES as isize;
    let at = |i: usize, k: usize| t.wrapping_offset((i as isize * row + k as isize * col) * lanes);
    let of_x = |i: usize, j: usize| x.wrapping_offset((i as isize * inc + (j * ldx) as isize) * lanes);
    // SAFETY: rows 0 to i + R of T up to the diagonal, and those rows of X.
    unsafe {
        let zero = V::splat(V::T::ZERO);
        let mut tile = [[zero; C]; R];
        for (r, row) in tile.iter_mut().enumerate() {
            for (j, x) in row.iter_mut().enumerate() {
                *x = V::load(of_x(i + r, j));
            }
        }
        for k in 0..i {
            let mut solved = [zero; C];
            for (j, x) in solved.iter_mut().enumerate() {
                *x = V::load(of_x(k, j));
            }
            for (r, row) in tile.iter_mut().enumerate() {
                let t = V::load(at(i + r, k));
                for (x, solved) in row.iter_mut().zip(solved) {
                    *x = less::<V, MAGNITUDES>(*x, t, solved);
                }
            }
        }
        for r in 0..R {
            for k in 0..r {
                let t = V::load(at(i + r, i + k));
                for j in 0..C {
                    tile[r][j] = less::<V, MAGNITUDES>(tile[r][j], t, tile[k][j]);
                }
            }
            if !unit {
                let t = V::load(at(i + r, i + r));
                let t = if MAGNITUDES { t.abs() } else { t };
                for x in &mut tile[r] {
                    *x = x.div(t);
                }
            }
        }
        for (r, row) in tile.iter().enumerate() {
            for (j, x) in row.iter().enumerate() {
                x.store(of_x(i + r, j));
            }
        }
    }
}

/// x - t y with one rounding, or with MAGNITUDES x + |t| y with two.
///
/// # Safety
/// - The CPU has the lanes' instruction set.
#[inline(always)]
unsafe fn less<V: Lanes, const MAGNITUDES: bool>(x: V, t: V, y: V) -> V {
    // SAFETY: the caller's CPU has the instruction set.
    unsafe { if MAGNITUDES { x.sub_mul(t.abs().mul(y), V::splat(V::T::ONE.neg())) } else { x.sub_mul(t, y) } }
}
