//! X <- T^-1 X for several right-hand sides, with a lane for each of them: the rows of X are contiguous.
//!
//! ```text
//!                  C vectors of right-hand sides
//!                     +--+
//!                     |  | rows that are solved
//!                     +--+
//!   +-----------+--+  +--+   A tile of X stays in registers: first T(:, k) X(k, :) is subtracted for the rows k that
//!   | T         | \|  |  |   are solved, as in gemm; then it is solved with the triangle.
//!   +-----------+--+  +--+
//! ```
//!
//! T is read one element at a time. So it may be transposed or reversed, and is never copied.

#![allow(clippy::needless_range_loop)] // registers are named by the indices of the formula

use std::array::from_fn;
use std::hint::black_box;

use crate::kernel::scalar::Scalar;
use crate::kernel::signatures::{RowsTrsm, Strided};
use crate::kernel::vector::Vector;

/// X2 <- X2 - T21 X1, and then X2 <- T22^-1 X2 if it `solves`, in tiles of R rows. X has up to MAX vectors in a row.
///
/// # Safety
/// - As [`RowsTrsm`] says.
/// - The CPU has the vectors' instruction set.
#[inline(always)]
pub(in crate::kernel) unsafe fn trsm_rows<V: Vector, const R: usize, const MAX: usize>(arguments: RowsTrsm<V::T>) {
    // SAFETY: the caller's promise; X has as many vectors in a row. The compiler removes the arms beyond MAX.
    unsafe {
        match arguments.vectors {
            1 => tiles::<V, R, 1>(arguments),
            2 if MAX >= 2 => tiles::<V, R, 2>(arguments),
            3 if MAX >= 3 => tiles::<V, R, 3>(arguments),
            _ => unreachable!("a row of X has 1 to MAX vectors"),
        }
    }
}

/// The same, with C vectors in a row of X.
///
/// # Safety
/// - As for [`trsm_rows`]; `vectors` is C.
#[inline(always)]
unsafe fn tiles<V: Vector, const R: usize, const C: usize>(arguments: RowsTrsm<V::T>) {
    let mut i = arguments.first;
    while i < arguments.end {
        // Rows that do not fill a tile come first: in a triangle they have the least work.
        // SAFETY: as many rows are left, and those before row i are solved if they are rows of X2; C vectors of X.
        unsafe {
            if (arguments.end - i).is_multiple_of(R) {
                tile::<V, R, C>(arguments, i);
                i += R;
            } else {
                for c in 0..black_box(C) {
                    tile::<V, 1, 1>(RowsTrsm { x: arguments.x.add(c * V::LANES), ..arguments }, i);
                }
                i += 1;
            }
        }
    }
}

/// R rows from row `i` on.
///
/// # Safety
/// - As for [`tiles`]; these are rows of X2. If they are to be solved, those of X2 before them are solved.
#[inline(always)]
unsafe fn tile<V: Vector, const R: usize, const C: usize>(arguments: RowsTrsm<V::T>, i: usize) {
    let RowsTrsm { known, solves, unit, t: Strided { ptr: t, row, col }, x, inc, .. } = arguments;
    // The compiler computes nothing of these for all tiles at once, for which it has no registers.
    let (row, col, inc) = (black_box(row), black_box(col), black_box(inc));
    let solved = if solves { i } else { known.1 };
    // Each row has a register of its own for its address; otherwise each address would be computed from the one before.
    let rows: [*const V::T; R] = from_fn(|r| t.wrapping_offset((i + r) as isize * row));
    let x2 = x.wrapping_offset(i as isize * inc);
    // SAFETY: the caller's CPU has the instruction set; C vectors of each of these rows of X, and the elements of these rows
    // of T in the columns of X1, or up to the diagonal. The prefetched address is only computed.
    unsafe {
        // acc <- X2
        let mut acc = [[V::splat(V::T::ZERO); C]; R];
        for r in 0..R {
            for c in 0..C {
                acc[r][c] = V::load(x2.offset(r as isize * inc).add(c * V::LANES));
            }
        }
        // acc <- acc - T21(:, k) X1(k, :), k rising
        let mut at = known.0 as isize * col;
        let mut x1 = x.wrapping_offset(known.0 as isize * inc).cast_const();
        for _ in known.0..solved {
            let x: [V; C] = from_fn(|c| V::load(x1.add(c * V::LANES)));
            for r in 0..R {
                let t = V::splat(*rows[r].wrapping_offset(at));
                for c in 0..C {
                    acc[r][c] = acc[r][c].sub_mul(t, x[c]);
                }
            }
            // The tile below comes next.
            V::prefetch(rows[R - 1].wrapping_offset(at + R as isize * row));
            at = at.wrapping_add(col);
            x1 = x1.wrapping_offset(inc);
        }
        if solves {
            // acc <- T22^-1 acc
            let t22 = rows.map(|row| row.wrapping_offset(at));
            solve::<V, R, C>(&mut acc, &t22, col, unit);
        }
        // X2 <- acc
        for r in 0..R {
            for c in 0..C {
                acc[r][c].store(x2.offset(r as isize * inc).add(c * V::LANES));
            }
        }
    }
}

/// acc <- T22^-1 acc, by rows from the first to the last.
///
/// # Safety
/// - The CPU has the vectors' instruction set.
/// - The rows of T22 are good for the elements up to the diagonal, `col` apart.
#[inline(always)]
unsafe fn solve<V: Vector, const R: usize, const C: usize>(
    acc: &mut [[V; C]; R],
    rows: &[*const V::T; R],
    col: isize,
    unit: bool,
) {
    // Each step stands by itself, so that all of `acc` has registers. The compiler removes the steps beyond the tile's rows.
    macro_rules! steps {
        ($($p:literal)*) => {
            $(if $p < R {
                let t = |r: usize| rows[r].wrapping_offset($p * col);
                // SAFETY: the caller's CPU has the instruction set; the elements of column p on and below the diagonal.
                unsafe {
                    // acc(p, :) <- acc(p, :) / T(p, p)
                    if !unit {
                        let t = V::splat(*t($p));
                        for c in 0..C {
                            acc[$p][c] = acc[$p][c].div(t);
                        }
                    }
                    // acc(r, :) <- acc(r, :) - T(r, p) acc(p, :), r > p
                    for r in $p + 1..R {
                        let t = V::splat(*t(r));
                        for c in 0..C {
                            acc[r][c] = acc[r][c].sub_mul(t, acc[$p][c]);
                        }
                    }
                }
            })*
        };
    }
    steps!(0 1 2 3 4 5 6 7);
    const { assert!(R <= 8) };
}
