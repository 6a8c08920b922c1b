//! What a crew does together in a matrix of many rows and few columns: each thread has a part of the rows, or of the columns.
//!
//! Blocks of columns (`blocked.rs`) would leave such a matrix to one thread, since it is all panel. A crew shares the panels, one
//! column after the other, and the updates. Which thread has which part changes no bit.

use std::ops::Range;
use std::sync::atomic::{AtomicUsize, Ordering};

use crate::blas::trsm;
use crate::element::Element;
use crate::kernel::{Kernels, Panel, PanelPart};
use crate::matrix::MatrixMut;
use crate::pivoting::Pivoting;
use crate::team::{Crew, MAX_PARTS};

/// The first element of a matrix of which each thread has a part.
struct First<T>(*mut T);

// SAFETY: `part` gives each thread other rows or columns of the matrix.
unsafe impl<T: Send> Sync for First<T> {}

impl<T> First<T> {
    fn at(&self, offset: usize) -> *mut T {
        self.0.wrapping_add(offset)
    }
}

/// Work on a part of a matrix: its number, its rows, and the view of them.
type RowsWork<'w, T> = dyn Fn(usize, Range<usize>, MatrixMut<'_, T>) + Sync + 'w;

/// Divides the rows of A into parts, of at least `min_rows` each if there are several, and calls `work` with all of them at the same
/// time. Returns the number of parts.
pub(super) fn for_rows<T: Element>(
    crew: &Crew<'_>,
    min_rows: usize,
    mut a: MatrixMut<'_, T>,
    work: &RowsWork<'_, T>,
) -> usize {
    let (m, n, lda) = (a.nrows(), a.ncols(), a.lda());
    let first = First(a.as_mut_ptr());
    crew.run(m / min_rows, &|p, parts| {
        let rows = part(p, parts, m);
        // SAFETY: these rows of A, which is borrowed mutably and not used otherwise; no other part has them.
        let a = unsafe { MatrixMut::from_raw_parts(first.at(rows.start), rows.len(), n, lda) };
        work(p, rows, a);
    })
}

/// Divides the columns of A into parts, of at least `min_columns` each if there are several, and calls `work` with all of them at the
/// same time.
pub(super) fn for_columns<T: Element>(
    crew: &Crew<'_>,
    min_columns: usize,
    mut a: MatrixMut<'_, T>,
    work: &(dyn Fn(MatrixMut<'_, T>) + Sync),
) {
    let (m, n, lda) = (a.nrows(), a.ncols(), a.lda());
    let first = First(a.as_mut_ptr());
    crew.run(n / min_columns, &|p, parts| {
        let columns = part(p, parts, n);
        // SAFETY: these columns of A, as above.
        work(unsafe { MatrixMut::from_raw_parts(first.at(columns.start * lda), m, columns.len(), lda) });
    });
}

/// Part p of 0 to `whole`; none is empty if there are no more parts than that.
fn part(p: usize, parts: usize, whole: usize) -> Range<usize> {
    whole * p / parts..whole * (p + 1) / parts
}

/// Whether a crew factors an `m` by `n` matrix in less time than blocks of columns are.
pub(super) fn is_tall<T: Element>(m: usize, n: usize, kernels: &Kernels<T>) -> bool {
    let crew = &kernels.tuning.crew;
    m >= crew.ratio.saturating_mul(n) && m.saturating_mul(size_of::<T>()) >= crew.bytes
}

/// Whether a crew takes less time than one thread for a panel of `m` rows and `n` columns.
pub(super) fn is_tall_panel<T: Element>(m: usize, n: usize, kernels: &Kernels<T>) -> bool {
    m > n && m.saturating_mul(size_of::<T>()) >= kernels.tuning.crew.panel_bytes
}

/// P A = L U of at most `nb` columns; m > n. Returns the 1-based index of the first zero pivot, or 0.
pub(super) fn panel<T: Element>(
    crew: &Crew<'_>,
    mut a: MatrixMut<'_, T>,
    ipiv: &mut [i64],
    pivoting: Pivoting,
    kernels: &Kernels<T>,
) -> usize {
    let n = a.ncols();
    assert!(a.nrows() > n && n <= kernels.nb && ipiv.len() == n, "a panel that is shared has more rows than columns");
    let mut first_zero = 0;
    for (j, pivot) in ipiv.iter_mut().enumerate() {
        // U(0:j, j) <- L(0:j, 0:j)^-1 A(0:j, j)
        let (l, rest) = a.reborrow().split_at_row(j).0.split_at_col(j);
        trsm(l.as_ref(), rest.split_at_col(1).0, kernels);
        let row = column(crew, a.reborrow(), j, pivoting, kernels);
        *pivot = row as i64 + 1;
        (0..n).for_each(|c| a.col_mut(c).swap(j, row));
        if a.col_mut(j)[j] == T::ZERO && first_zero == 0 {
            first_zero = j + 1;
        }
    }
    column(crew, a, n, pivoting, kernels);
    first_zero
}

/// Divides column j - 1 of L by its pivot, and A(j:m, j) <- A(j:m, j) - L(j:m, 0:j) U(0:j, j), if there is such a column. Returns the
/// row of the pivot of column j.
fn column<T: Element>(
    crew: &Crew<'_>,
    a: MatrixMut<'_, T>,
    j: usize,
    pivoting: Pivoting,
    kernels: &Kernels<T>,
) -> usize {
    let (n, lda) = (a.ncols(), a.lda());
    let found = [const { AtomicUsize::new(0) }; MAX_PARTS];
    let (mut top, mut below) = a.split_at_row(j);
    let u = First(top.as_mut_ptr());
    let parts = for_rows(crew, kernels.tuning.crew.rows, below.reborrow(), &|p, rows, mut a| {
        let mut row = 1;
        let part = Some(PanelPart { column: j, top: u.at(0) });
        let panel = Panel { m: rows.len(), n, a: a.as_mut_ptr(), lda, ipiv: &raw mut row, pivoting, part };
        // SAFETY: the part has rows; the j rows above all parts are only read, and have all columns.
        unsafe { (kernels.panel)(panel) };
        found[p].store(rows.start + row as usize - 1, Ordering::Relaxed);
    });
    if j == n || pivoting == Pivoting::None {
        return j;
    }
    // Of equal magnitudes the first; a NaN, and a zero, is never larger. A part's candidate is NaN if all else in it is zero.
    let (mut largest, mut pivot) = (T::ZERO, 0);
    for row in found[..parts].iter().map(|row| row.load(Ordering::Relaxed)) {
        let magnitude = below.col_mut(j)[row].abs();
        if magnitude > largest {
            (largest, pivot) = (magnitude, row);
        }
    }
    j + pivot
}
