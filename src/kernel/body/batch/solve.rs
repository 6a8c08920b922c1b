//! Triangular systems of the matrices of a group.

#![allow(clippy::needless_range_loop)] // registers are named by the indices of the formula

use crate::kernel::lanes::Lanes;
use crate::kernel::scalar::Scalar;
use crate::kernel::signatures::GroupTrsm;

/// Rows of X that are known or solved at once.
const ROWS: usize = 4;

/// Columns of X that are solved at once, where there are as many: those of a triangle whose columns are contiguous, if there
/// are registers for them, and of one whose rows are.
const MANY_COLUMNS: usize = 4;
const COLUMNS: usize = 2;

/// X <- T^-1 B.
///
/// # Safety
/// - As [`GroupTrsm`] says.
/// - The CPU has the lanes' instruction set.
#[inline(always)]
pub(in crate::kernel) unsafe fn trsm<V: Lanes>(mut arguments: GroupTrsm<V::T>) {
    let is_by_columns = arguments.row.abs() == 1;
    // Registers hold four times as many elements of X that are known.
    let has_registers = V::LANES * size_of::<V::T>() == 64;
    while arguments.nrhs > 0 {
        let columns = match arguments.nrhs {
            MANY_COLUMNS.. if is_by_columns && has_registers => MANY_COLUMNS,
            COLUMNS.. => COLUMNS,
            _ => 1,
        };
        // SAFETY: there are as many columns.
        unsafe {
            match (is_by_columns, columns) {
                (true, MANY_COLUMNS) => by_columns::<V, MANY_COLUMNS>(arguments),
                (true, COLUMNS) => by_columns::<V, COLUMNS>(arguments),
                (true, _) => by_columns::<V, 1>(arguments),
                (false, COLUMNS) => by_rows::<V, COLUMNS, false>(arguments),
                (false, _) => by_rows::<V, 1, false>(arguments),
            }
        }
        arguments.x = arguments.x.wrapping_add(columns * arguments.ldx * V::LANES);
        arguments.nrhs -= columns;
    }
}

/// X <- M^-1 B for one column, where M has the diagonal |t(i,i)| and below it -|t(i,k)|.
///
/// # Safety
/// As for [`trsm`].
#[inline(always)]
pub(in crate::kernel) unsafe fn trsm_magnitudes<V: Lanes>(arguments: GroupTrsm<V::T>) {
    // SAFETY: the caller's promise.
    unsafe { by_rows::<V, 1, true>(arguments) }
}

/// The first C columns of X, where the columns of T are contiguous: the rest of X is updated as soon as some rows are known.
///
/// # Safety
/// As for [`trsm`]; there are as many columns.
#[inline(always)]
unsafe fn by_columns<V: Lanes, const C: usize>(arguments: GroupTrsm<V::T>) {
    let mut k = 0;
    while k < arguments.n {
        // SAFETY: these rows are those of X, and it has been updated by those above.
        unsafe {
            if arguments.n - k >= ROWS {
                known_rows::<V, ROWS, C>(arguments, k);
                k += ROWS;
            } else {
                known_rows::<V, 1, C>(arguments, k);
                k += 1;
            }
        }
    }
}

/// The first C columns of X, where the rows of T are contiguous, or with MAGNITUDES those of M^-1 B.
///
/// # Safety
/// As for [`trsm`]; there are as many columns.
#[inline(always)]
unsafe fn by_rows<V: Lanes, const C: usize, const MAGNITUDES: bool>(arguments: GroupTrsm<V::T>) {
    let mut i = 0;
    while i < arguments.n {
        // SAFETY: these rows are those of X, and the rows above have been solved.
        unsafe {
            if arguments.n - i >= ROWS {
                tile::<V, ROWS, C, MAGNITUDES>(arguments, i);
                i += ROWS;
            } else {
                tile::<V, 1, C, MAGNITUDES>(arguments, i);
                i += 1;
            }
        }
    }
}

/// Solves R rows of X from row `k` on, in its first C columns, and updates the rows below.
///
/// # Safety
/// - As [`GroupTrsm`] says; these are rows and columns of X.
/// - The CPU has the lanes' instruction set.
#[inline(always)]
unsafe fn known_rows<V: Lanes, const R: usize, const C: usize>(arguments: GroupTrsm<V::T>, k: usize) {
    let GroupTrsm { n, unit, t, row, col, x, inc, ldx, .. } = arguments;
    let lanes = V::LANES as isize;
    let at = |i: usize, k: usize| t.wrapping_offset((i as isize * row + k as isize * col) * lanes);
    let of_x = |i: usize, j: usize| x.wrapping_offset((i as isize * inc + (j * ldx) as isize) * lanes);
    // SAFETY: columns k to k + R of T from the diagonal on, and those rows of X.
    unsafe {
        let mut known = [[V::splat(V::T::ZERO); C]; R];
        for r in 0..R {
            for j in 0..C {
                known[r][j] = V::load(of_x(k + r, j));
            }
            for p in 0..r {
                let t = V::load(at(k + r, k + p));
                for j in 0..C {
                    known[r][j] = known[r][j].sub_mul(t, known[p][j]);
                }
            }
            if !unit {
                let t = V::load(at(k + r, k + r));
                for x in &mut known[r] {
                    *x = x.div(t);
                }
            }
            for (j, x) in known[r].iter().enumerate() {
                x.store(of_x(k + r, j));
            }
        }
        for i in k + R..n {
            let mut row = [V::splat(V::T::ZERO); C];
            for (j, x) in row.iter_mut().enumerate() {
                *x = V::load(of_x(i, j));
            }
            for (r, known) in known.iter().enumerate() {
                let t = V::load(at(i, k + r));
                for (x, known) in row.iter_mut().zip(known) {
                    *x = x.sub_mul(t, *known);
                }
            }
            for (j, x) in row.iter().enumerate() {
                x.store(of_x(i, j));
            }
        }
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
