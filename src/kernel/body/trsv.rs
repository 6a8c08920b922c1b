//! X <- T^-1 X for one or a few columns, with a lane for each of some rows of T.
//!
//! A block of rows is solved element by element, since each waits for the one before. The rest are updates, which follow what is
//! contiguous in memory:
//!
//! - columns of T: the rows below are updated when a block is known;
//! - rows of T: before a block is solved, what is known is subtracted from it. Squares of T are transposed in registers,
//!   so that here, too, the lanes are different rows, and each element has its one order of operations.
//!
//! Each part is called at one place alone, since it is compiled there: two places would be twice the code.

#![allow(clippy::needless_range_loop)] // registers are named by the indices of the formula

use std::array::from_fn;
use std::hint::black_box;

use crate::kernel::lanes::{Lanes, MAX_LANES};
use crate::kernel::scalar::Scalar;
use crate::kernel::signatures::{Strided, Trsv};

/// Rows that are solved element by element.
const BLOCK: usize = 8;

/// Columns of X that are solved at once.
const COLUMNS: usize = 2;

/// X <- T^-1 X, two columns of X at once. A single column is solved as two that are the same one: nearly all of the time is
/// spent on waiting for elements and on reading T, and a kernel for one would have as much code again.
///
/// # Safety
/// - As [`Trsv`] says.
/// - The CPU has the lanes' instruction set.
#[inline(always)]
pub(in crate::kernel) unsafe fn trsv<V: Lanes>(mut arguments: Trsv<V::T>) {
    while arguments.nrhs > 0 {
        let done = if V::LANES > 1 { arguments.nrhs.min(COLUMNS) } else { 1 };
        let ldx = if done == 1 { 0 } else { arguments.ldx };
        let columns = Trsv { ldx, ..arguments };
        // SAFETY: as many columns as each call takes. The rows of G registers are 8 or 16.
        unsafe {
            match V::LANES {
                16 => self::columns::<V, 1>(columns),
                4 | 8 => self::columns::<V, 2>(columns),
                2 => self::columns::<V, 4>(columns),
                _ => element_by_element(columns),
            }
        }
        arguments.x = arguments.x.wrapping_add(done * arguments.ldx);
        arguments.nrhs -= done;
    }
}

impl<T: Scalar> Trsv<T> {
    /// The same, with distances of which the compiler knows nothing: what it computes of them for one part of the kernel has no
    /// registers in the others.
    #[inline(always)]
    fn opaque(self) -> Self {
        let Strided { ptr, row, col } = self.t;
        Trsv { t: Strided { ptr, row: black_box(row), col: black_box(col) }, inc: black_box(self.inc), ..self }
    }

    /// The address of element (i, k) of T.
    #[inline(always)]
    fn t(self, i: usize, k: usize) -> *const T {
        let Strided { ptr, row, col } = self.t;
        ptr.wrapping_offset(i as isize * row + k as isize * col)
    }

    /// The address of element i of column c of X.
    #[inline(always)]
    fn x(self, i: usize, c: usize) -> *mut T {
        self.x.wrapping_add(c * self.ldx).wrapping_offset(i as isize * self.inc)
    }

    /// Of `count` rows from row i on, the one with the lowest address in X.
    #[inline(always)]
    fn lowest(self, i: usize, count: usize) -> usize {
        if self.inc < 0 { i + count - 1 } else { i }
    }
}

/// The first column of X, without registers.
///
/// # Safety
/// - As for [`trsv`]; there is a column.
#[inline(always)]
unsafe fn element_by_element<T: Scalar>(arguments: Trsv<T>) {
    let (n, is_by_columns) = (arguments.n, arguments.t.row.abs() == 1);
    for i in 0..n {
        // SAFETY: row and column i of T, and elements of a column of X.
        unsafe {
            let less = |x: T, i, k| (*arguments.t(i, k)).neg().mul_add(*arguments.x(k, 0), x);
            let mut x = *arguments.x(i, 0);
            // What the compiler cannot count it does not unroll.
            for k in 0..black_box(if is_by_columns { 0 } else { i }) {
                x = less(x, i, k);
            }
            *arguments.x(i, 0) = if arguments.unit { x } else { x.div(*arguments.t(i, i)) };
            for r in i + 1..black_box(if is_by_columns { n } else { 0 }) {
                *arguments.x(r, 0) = less(*arguments.x(r, 0), r, i);
            }
        }
    }
}

/// Two columns of X, `ldx` apart, which may be 0. If the rows of T are contiguous, G registers have a lane for each of some
/// rows.
///
/// # Safety
/// - As for [`trsv`]; there are as many columns.
#[inline(always)]
unsafe fn columns<V: Lanes, const G: usize>(arguments: Trsv<V::T>) {
    let n = arguments.n;
    let is_by_columns = arguments.t.row.abs() == 1;
    // Rows that do not fill a block have the least work as the last ones by columns, by rows as the first ones.
    let first = if is_by_columns { 0 } else { n % BLOCK };
    // Columns of T that have been subtracted from a block before its turn.
    let mut squared = 0;
    let mut k = 0;
    while k < n {
        let end = if k < first { first } else { n.min(k + BLOCK) };
        // SAFETY: rows and columns below n. Each row that is solved has been updated with those before.
        unsafe {
            if end - k < BLOCK {
                solve_rest(arguments, k, end);
            } else {
                // Two questions, or the compiler would make two loops, and all of the code twice.
                if !black_box(is_by_columns) {
                    if (n - k).is_multiple_of(G * V::LANES) {
                        squared = subtract::<V, G>(arguments, k);
                    }
                    sums(arguments, k, squared);
                }
                solve_block(arguments, k);
                if black_box(is_by_columns) {
                    update_rows_below::<V>(arguments, k);
                }
            }
        }
        k = end;
    }
}

/// Updates rows with a block that has been solved, which begins at row `k`: the next rows at once. The rest is updated after
/// the next block in the order of the instructions: while that is solved, of which each element waits for the one before,
/// there is time for it. So the rest is updated with the block before.
///
/// # Safety
/// - As for [`update`]; the columns of T are contiguous.
#[inline(always)]
unsafe fn update_rows_below<V: Lanes>(arguments: Trsv<V::T>, k: usize) {
    let n = arguments.n;
    // At least the rows that do not fill a block: there is no rest of the last block.
    let near = BLOCK.max(V::LANES);
    let next = (k, k + BLOCK, n.min(k + BLOCK + near));
    let (mut block, mut from, mut end) = if k > 0 { (k - BLOCK, k + near, n) } else { next };
    loop {
        // SAFETY: the caller's promise; these rows follow the block. If both columns are the same one, one update is enough.
        unsafe {
            if arguments.ldx == 0 {
                update::<V, 1>(arguments, block, from, end);
            } else {
                update::<V, COLUMNS>(arguments, block, from, end);
            }
        }
        if block == k {
            return;
        }
        (block, from, end) = next;
    }
}

/// X2 <- T22^-1 X2 for BLOCK rows from row `k` on.
///
/// # Safety
/// - As for [`columns`]; there are as many rows, which have been updated with those before.
#[inline(always)]
#[allow(clippy::reversed_empty_ranges, reason = "no row is below the last one")]
unsafe fn solve_block<T: Scalar>(arguments: Trsv<T>, k: usize) {
    let arguments = arguments.opaque();
    let (first, Strided { row, col, .. }) = (arguments.t(k, k), arguments.t);
    let x: [*mut T; COLUMNS] = from_fn(|c| arguments.x(k, c));
    // SAFETY: BLOCK elements of the columns of X.
    let mut acc: [[T; COLUMNS]; BLOCK] =
        from_fn(|r| from_fn(|c| unsafe { *x[c].wrapping_offset(r as isize * arguments.inc) }));
    // Each step stands by itself, so that all of `acc` has registers.
    macro_rules! steps {
        ($($p:literal)*) => {
            $({
                let t = |r: usize| first.wrapping_offset(r as isize * row + $p * col);
                // SAFETY: the elements of T22 on and below the diagonal, row p of X2.
                unsafe {
                    // x(p, :) <- x(p, :) / T(p, p)
                    if !arguments.unit {
                        let t = *t($p);
                        acc[$p] = acc[$p].map(|x| x.div(t));
                    }
                    for c in 0..COLUMNS {
                        *x[c].wrapping_offset($p * arguments.inc) = acc[$p][c];
                    }
                    // x(r, :) <- x(r, :) - T(r, p) x(p, :), r > p
                    for r in $p + 1..BLOCK {
                        let t = (*t(r)).neg();
                        for c in 0..COLUMNS {
                            acc[r][c] = t.mul_add(acc[$p][c], acc[r][c]);
                        }
                    }
                }
            })*
        };
    }
    steps!(0 1 2 3 4 5 6 7);
}

/// X2 <- T22^-1 X2 for a few rows, `from` to `end`.
///
/// # Safety
/// - As for [`columns`]; these are rows of X, which have been updated with those before.
#[inline(always)]
unsafe fn solve_rest<T: Scalar>(arguments: Trsv<T>, from: usize, end: usize) {
    let (Strided { col, .. }, inc) = (arguments.t, arguments.inc);
    for i in from..end {
        let (mut t, mut known): (_, [*mut T; COLUMNS]) = (arguments.t(i, from), from_fn(|c| arguments.x(from, c)));
        // SAFETY: row i of T up to the diagonal, rows `from` to i of the columns of X.
        unsafe {
            let mut acc: [T; COLUMNS] = from_fn(|c| *arguments.x(i, c));
            // Few steps, which the compiler would unroll if it could count them.
            for _ in from..black_box(i) {
                for c in 0..COLUMNS {
                    acc[c] = (*t).neg().mul_add(*known[c], acc[c]);
                    known[c] = known[c].wrapping_offset(inc);
                }
                t = t.wrapping_offset(col);
            }
            for c in 0..COLUMNS {
                *known[c] = if arguments.unit { acc[c] } else { acc[c].div(*t) };
            }
        }
    }
}

/// X2 <- X2 - T21 X1: X1 are BLOCK rows from row `k` on, X2 the rows `from` to `end`, of which there may be none.
///
/// # Safety
/// - As for [`columns`]; X1 and X2 are rows of X.
#[inline(always)]
unsafe fn update<V: Lanes, const C: usize>(arguments: Trsv<V::T>, k: usize, from: usize, end: usize) {
    // SAFETY: the caller's CPU has the instruction set; BLOCK elements of C columns of X.
    let known: [[V; C]; BLOCK] = unsafe { from_fn(|p| from_fn(|c| V::splat(*arguments.x(k + p, c)))) };
    let arguments = arguments.opaque();
    let col = arguments.t.col;
    let mut i = from;
    // SAFETY: the caller's CPU has the instruction set; these rows of BLOCK columns of T and C columns of X, LANES at once, or
    // those that are left.
    unsafe {
        while i + V::LANES <= end {
            let low = arguments.lowest(i, V::LANES);
            let (t, mut acc): (_, [V; C]) = (arguments.t(low, k), from_fn(|c| V::load(arguments.x(low, c))));
            for p in 0..BLOCK {
                let t = V::load(t.wrapping_offset(p as isize * col));
                for c in 0..C {
                    acc[c] = acc[c].sub_mul(t, known[p][c]);
                }
            }
            for c in 0..C {
                acc[c].store(arguments.x(low, c));
            }
            i += V::LANES;
        }
        if i < end {
            let count = end - i;
            let low = arguments.lowest(i, count);
            let t = arguments.t(low, k);
            let mut acc: [V; C] = from_fn(|c| V::load_partial(arguments.x(low, c), count));
            for p in 0..BLOCK {
                let t = V::load_partial(t.wrapping_offset(p as isize * col), count);
                for c in 0..C {
                    acc[c] = acc[c].sub_mul(t, known[p][c]);
                }
            }
            for c in 0..C {
                acc[c].store_partial(arguments.x(low, c), count);
            }
        }
    }
}

/// X2 <- X2 - T21 X1: X2 are BLOCK rows from row `i` on, X1 the rows from `from` to those, element by element.
///
/// # Safety
/// - As for [`columns`]; X1 and X2 are rows of X.
#[inline(always)]
unsafe fn sums<T: Scalar>(arguments: Trsv<T>, i: usize, from: usize) {
    let arguments = arguments.opaque();
    // SAFETY: BLOCK rows of these columns of T, those rows of the columns of X.
    unsafe {
        let mut acc: [[T; COLUMNS]; BLOCK] = from_fn(|r| from_fn(|c| *arguments.x(i + r, c)));
        let Strided { row, col, .. } = arguments.t;
        let mut t = arguments.t(i, from);
        for k in from..i {
            let x: [T; COLUMNS] = from_fn(|c| *arguments.x(k, c));
            let column = t;
            t = t.wrapping_offset(col);
            for r in 0..BLOCK {
                let t = (*column.wrapping_offset(r as isize * row)).neg();
                for c in 0..COLUMNS {
                    acc[r][c] = t.mul_add(x[c], acc[r][c]);
                }
            }
        }
        for r in 0..BLOCK {
            for c in 0..COLUMNS {
                *arguments.x(i + r, c) = acc[r][c];
            }
        }
    }
}

/// X2 <- X2 - T21 X1: X2 are G registers of rows from row `i` on, X1 the rows before them that fill registers. Returns their
/// number.
///
/// # Safety
/// - As for [`columns`]; X2 are rows of X, and the rows of T are contiguous.
#[inline(always)]
unsafe fn subtract<V: Lanes, const G: usize>(arguments: Trsv<V::T>, i: usize) -> usize {
    let arguments = arguments.opaque();
    let end = i / V::LANES * V::LANES;
    // The lanes, and the columns of T, are in the order of the addresses of X, which may be the reverse one.
    let low = |g: usize| arguments.lowest(i + g * V::LANES, V::LANES);
    let (first, step) = if arguments.inc < 0 { (V::LANES - 1, -1) } else { (0, 1) };
    // SAFETY: the caller's CPU has the instruction set; G registers of rows of the columns of X; LANES rows and columns of T at
    // once, all columns before row i; the LANES registers of a block, from `first` on in steps of `step`.
    unsafe {
        let mut acc: [[V; COLUMNS]; G] = from_fn(|g| from_fn(|c| V::load(arguments.x(low(g), c))));
        let mut blocks = [[V::splat(V::T::ZERO); MAX_LANES]; G];
        for k in (0..end).step_by(V::LANES) {
            for g in 0..G {
                let mut row = arguments.t(low(g), arguments.lowest(k, V::LANES));
                for lane in 0..V::LANES {
                    blocks[g][lane] = V::load(row);
                    row = row.wrapping_offset(arguments.t.row * step);
                }
                V::transpose(blocks[g].as_mut_ptr());
            }
            let mut column = blocks.as_ptr().cast::<V>().wrapping_add(first);
            let mut x: [*mut V::T; COLUMNS] = from_fn(|c| arguments.x(k, c));
            // Unrolled, this would have no registers for the addresses.
            for _ in 0..black_box(V::LANES) {
                let known: [V; COLUMNS] = from_fn(|c| V::splat(*x[c]));
                for g in 0..G {
                    let t = *column.wrapping_add(g * MAX_LANES);
                    for c in 0..COLUMNS {
                        acc[g][c] = acc[g][c].sub_mul(t, known[c]);
                    }
                }
                x = x.map(|x| x.wrapping_offset(arguments.inc));
                column = column.wrapping_offset(step);
            }
        }
        for g in 0..G {
            for c in 0..COLUMNS {
                acc[g][c].store(arguments.x(low(g), c));
            }
        }
    }
    end
}
