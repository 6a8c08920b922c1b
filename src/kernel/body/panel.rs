//! P A = L U of a few columns, the bottom of the recursion: narrow and often tall, so its time is that of passes over
//! memory.
//!
//! Left-looking: column j takes all of its updates in one pass, in which the last column of L is scaled and the
//! largest magnitude is found as well.

use std::hint::black_box;
use std::slice::from_raw_parts_mut;

use super::pivot::{self, Scaling};
use crate::kernel::scalar::Scalar;
use crate::kernel::signatures::Panel;
use crate::kernel::vector::Vector;
use crate::pivoting::Pivoting;

/// P A = L U of a panel in place, n <= NB <= 16. Returns the 1-based index of the first zero pivot, or 0.
///
/// # Safety
/// - As [`Panel`] says.
/// - The CPU has the vectors' instruction set.
#[inline(always)]
pub(in crate::kernel) unsafe fn panel<V: Vector, const NB: usize>(panel: Panel<V::T>) -> usize {
    let Panel { m, n, a, lda, ipiv, pivoting, part } = panel;
    let pivoting = pivoting == Pivoting::Partial;
    assert!(n <= NB && (n <= m || part.is_some()), "a panel has at most NB columns, and as many rows");
    let (first, top) = part.map_or((0, a.cast_const()), |part| (part.column, part.top));
    // Columns whose rows of U are computed here. The compiler must not know that this is n, or it makes a second loop for the last
    // column; nor how small j is, or it makes a copy of `upper` for each.
    let above = black_box(if part.is_some() { 0 } else { n });
    let mut info = 0;
    // What the last column of L is still to be multiplied with; the update of the next column does it on the way.
    let mut scale = V::T::ONE;
    if let Some(p) = first.checked_sub(1) {
        // SAFETY: the pivot of the last column, and the rows of the part in it.
        scale = unsafe { scaled(*top.add(p + p * lda), from_raw_parts_mut(a.add(p * lda), m)) }.unwrap_or(V::T::ONE);
    }
    for j in first..n {
        // SAFETY: columns up to j < n and rows up to m of A; the pivot's row is less than m.
        unsafe {
            // A(i:m, j) <- A(i:m, j) - L(i:m, 0:j) U(0:j, j), i the first row that belongs to L
            let i = if part.is_some() { 0 } else { j };
            let largest = lower::<V, NB>(m - i, j, top, a.add(i), lda, scale);
            let has_next = j + 1 < above;
            if has_next {
                // What of the next column does not wait for this column's pivot:
                // U(0:j, j+1) <- L(0:j, 0:j)^-1 A(0:j, j+1)
                upper(black_box(j), j + 1, a, lda);
            }
            let diagonal = a.add(i + j * lda);
            let row = if pivoting { i + pivot::first_row::<V>(m - i, diagonal, largest) } else { i };
            if part.is_some() {
                *ipiv = row as i64 + 1;
                return 0;
            }
            *ipiv.add(j) = row as i64 + 1;
            if row != j {
                swap_rows(n, a.add(j), a.add(row), lda);
            }
            if has_next {
                // U(j, j+1) <- A(j, j+1) - L(j, 0:j) U(0:j, j+1)
                last_of_upper(j, a, lda);
            }
            // L(j+1:m, j) <- A(j+1:m, j) / U(j, j)
            scale = scaled(*diagonal, from_raw_parts_mut(diagonal.add(1), m - j - 1)).unwrap_or_else(|| {
                info = pivot::first_zero(info, j);
                V::T::ONE
            });
        }
    }
    if n > 0 {
        let i = if part.is_some() { 0 } else { n };
        // SAFETY: rows i to m of column n - 1, the last one of L.
        let l = unsafe { from_raw_parts_mut(a.add(i + (n - 1) * lda), m - i) };
        l.iter_mut().for_each(|x| *x = x.mul(scale));
    }
    info
}

/// What a column of L is still to be multiplied with, so that it is divided by its pivot; `None` for a pivot of zero.
#[inline(always)]
fn scaled<T: Scalar>(pivot: T, l: &mut [T]) -> Option<T> {
    match pivot::scaling(pivot, pivot.abs()) {
        Scaling::Multiply(reciprocal) => Some(reciprocal),
        Scaling::Divide(pivot) => {
            divide(l, pivot);
            Some(T::ONE)
        }
        Scaling::Leave => None,
    }
}

/// x <- x / pivot. Such small pivots are rare, so this is one function for all instruction sets.
#[cold]
#[inline(never)]
fn divide<T: Scalar>(x: &mut [T], pivot: T) {
    x.iter_mut().for_each(|x| *x = x.div(pivot));
}

/// Swaps two rows of `n` elements, `lda` apart.
///
/// # Safety
/// - `x` and `y` are valid for reads and writes of those elements.
#[inline(always)]
unsafe fn swap_rows<T>(n: usize, x: *mut T, y: *mut T, lda: usize) {
    for j in 0..n {
        // SAFETY: column j < n of both rows, which the caller vouches for.
        unsafe { std::ptr::swap(x.add(j * lda), y.add(j * lda)) };
    }
}

/// U(0:rows, j) <- L(0:rows, 0:rows)^-1 A(0:rows, j).
///
/// # Safety
/// - Columns 0 to `rows` and column j of A are valid for reads, column j for writes, of `rows` elements.
#[inline(always)]
unsafe fn upper<T: Scalar>(rows: usize, j: usize, a: *mut T, lda: usize) {
    for p in 0..rows {
        // SAFETY: rows and columns below `rows`, and column j.
        unsafe {
            let minus = (*a.add(p + j * lda)).neg();
            for i in p + 1..rows {
                let x = a.add(i + j * lda);
                *x = (*a.add(i + p * lda)).mul_add(minus, *x);
            }
        }
    }
}

/// U(j, j+1) <- A(j, j+1) - L(j, 0:j) U(0:j, j+1).
///
/// # Safety
/// - Columns 0 to j + 1 of A are valid for reads, column j + 1 for writes, of `j + 1` elements.
#[inline(always)]
unsafe fn last_of_upper<T: Scalar>(j: usize, a: *mut T, lda: usize) {
    // SAFETY: rows 0 to j of columns 0 to j + 1.
    unsafe {
        let u = a.add((j + 1) * lda);
        let mut x = *u.add(j);
        for p in 0..j {
            x = (*u.add(p)).neg().mul_add(*a.add(j + p * lda), x);
        }
        *u.add(j) = x;
    }
}

/// [`column`] for a `j` that is not known at compile time.
///
/// # Safety
/// - As for [`column`].
#[inline(always)]
unsafe fn lower<V: Vector, const NB: usize>(
    m: usize,
    j: usize,
    top: *const V::T,
    a: *mut V::T,
    lda: usize,
    scale: V::T,
) -> V::T {
    // The compiler removes the arms beyond the widest panel.
    macro_rules! columns {
        ($($j:literal)*) => {
            match j {
                // SAFETY: the caller vouches for columns 0 to j, which is the J of this arm.
                $($j if $j < NB => unsafe { column::<V, $j>(m, top, a, lda, scale) },)*
                _ => unreachable!("a panel has at most NB columns"),
            }
        };
    }
    columns!(0 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15)
}

/// A(:, J) <- A(:, J) - L(:, 0:J) U(0:J, J); column J - 1 of L is scaled on the way. Returns the largest magnitude.
///
/// # Safety
/// - The CPU has the vectors' instruction set.
/// - Columns 0 to J of A are valid for reads and writes of `m` rows, those of U, which begins at `top`, for reads of J.
#[inline(always)]
unsafe fn column<V: Vector, const J: usize>(m: usize, top: *const V::T, a: *mut V::T, lda: usize, scale: V::T) -> V::T {
    // SAFETY: the caller's CPU has the instruction set; all rows of columns 0 to J.
    unsafe {
        let mut u = [V::splat(V::T::ZERO); J];
        for (p, u) in u.iter_mut().enumerate() {
            *u = V::splat(*top.add(p + J * lda));
        }
        let scale = V::splat(scale);
        let mut largest = [V::splat(V::T::ZERO); 2];
        let mut at = a;
        let mut rows = m;
        while rows >= 2 * V::LANES {
            let (x, y) = (at, at.add(V::LANES));
            let (x, y) = (update::<V, J, false>(x, lda, 0, &u, scale), update::<V, J, false>(y, lda, 0, &u, scale));
            largest = [largest[0].max(x.abs()), largest[1].max(y.abs())];
            at = at.add(2 * V::LANES);
            rows -= 2 * V::LANES;
        }
        if rows >= V::LANES {
            largest[0] = largest[0].max(update::<V, J, false>(at, lda, 0, &u, scale).abs());
            at = at.add(V::LANES);
            rows -= V::LANES;
        }
        if rows > 0 {
            largest[1] = largest[1].max(update::<V, J, true>(at, lda, rows, &u, scale).abs());
        }
        largest[0].max(largest[1]).max_lane()
    }
}

/// A(i, J) <- A(i, J) - L(i, 0) U(0, J) - L(i, 1) U(1, J) - .., with L(i, J-1) scaled first, for one vector of rows
/// from `at` in column 0. With `EDGE` it has `rows` rows, else all.
///
/// # Safety
/// - As for [`column`]; the rows are below m.
#[inline(always)]
unsafe fn update<V: Vector, const J: usize, const EDGE: bool>(
    at: *mut V::T,
    lda: usize,
    rows: usize,
    u: &[V; J],
    scale: V,
) -> V {
    // SAFETY: the caller's CPU has the instruction set; the rows of the vector, or `rows` of them, in columns 0 to J.
    unsafe {
        let load = |from: *const V::T| if EDGE { V::load_partial(from, rows) } else { V::load(from) };
        let store = |x: V, to: *mut V::T| if EDGE { x.store_partial(to, rows) } else { x.store(to) };
        let mut x = load(at.add(J * lda));
        for (p, &u) in u.iter().enumerate() {
            let mut l = load(at.add(p * lda));
            if p == J - 1 {
                l = l.mul(scale);
                store(l, at.add(p * lda));
            }
            x = x.sub_mul(l, u);
        }
        store(x, at.add(J * lda));
        x
    }
}
