//! Norms of a matrix (LAPACK: `DLANGE`).

use crate::element::Element;
use crate::matrix::MatrixRef;

/// Columns whose sums are in progress at once: one sum waits for each of its additions.
const COLUMNS: usize = 8;

/// Rows whose sums are in progress at once.
const ROWS: usize = 64;

/// The largest sum of magnitudes in a column; NaN if a column has one. Each sum is in the order of the rows.
pub(crate) fn norm1<T: Element>(a: MatrixRef<'_, T>) -> T {
    let (m, lda) = (a.nrows(), a.lda());
    let columns = if m == 0 { 0 } else { a.ncols() };
    let (mut largest, mut j) = (T::ZERO, 0);
    while j < columns {
        let mut sums = [T::ZERO; COLUMNS];
        // The last column once more, where there are fewer.
        let column = |c: usize| a.as_ptr().wrapping_add((j + c).min(columns - 1) * lda);
        let starts: [*const T; COLUMNS] = std::array::from_fn(column);
        for i in 0..m {
            for (sum, start) in sums.iter_mut().zip(starts) {
                // SAFETY: row i of a column of the view.
                *sum = sum.add(unsafe { *start.add(i) }.abs());
            }
        }
        largest = sums.into_iter().fold(largest, larger);
        j += COLUMNS;
    }
    largest
}

/// The largest sum of magnitudes in a row; NaN if a row has one. Each sum is in the order of the columns.
pub(crate) fn norm_infinity<T: Element>(a: MatrixRef<'_, T>) -> T {
    let (m, lda) = (a.nrows(), a.lda());
    let columns = if m == 0 { 0 } else { a.ncols() };
    let mut largest = T::ZERO;
    for first in (0..m).step_by(ROWS) {
        let mut sums = [T::ZERO; ROWS];
        let sums = &mut sums[..ROWS.min(m - first)];
        for j in 0..columns {
            let rows = a.as_ptr().wrapping_add(first + j * lda);
            for (i, sum) in sums.iter_mut().enumerate() {
                // SAFETY: row `first + i` of column j of the view.
                *sum = sum.add(unsafe { *rows.add(i) }.abs());
            }
        }
        largest = sums.iter().copied().fold(largest, larger);
    }
    largest
}

/// The largest magnitude; NaN if there is one.
pub(crate) fn norm_max<T: Element>(x: &[T]) -> T {
    x.iter().map(|x| x.abs()).fold(T::ZERO, larger)
}

/// The larger number, or NaN if one of them is.
pub(crate) fn larger<T: Element>(largest: T, x: T) -> T {
    if x <= largest || is_nan(largest) { largest } else { x }
}

#[allow(clippy::eq_op)] // a NaN is not equal to itself
pub(crate) fn is_nan<T: Element>(x: T) -> bool {
    x != x
}
