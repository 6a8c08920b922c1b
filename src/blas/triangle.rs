//! B <- T^-1 B for the triangles of a factored matrix: L, U and their transposes.
//!
//! U and L^T are solved from their last row up. Rotated by 180 degrees (rows and columns reversed) they are lower triangles
//! like L and U^T. So there is one solve, for a lower triangle with arbitrary distances between its elements. The rows of B
//! stay where they are.

use std::marker::PhantomData;
use std::ops::Range;

use super::scratch::{self, leading_dimension};
use super::tiles::sub_product;
use crate::element::Element;
use crate::kernel::{Gemv, Kernels, MAX_ORDER, Strided, Tiles, Trsm, Trsv};
use crate::matrix::{MatrixMut, MatrixRef};

/// A lower triangle of order `n`, with its rows in the order in which they are solved: element (i, k) is
/// `i * row + k * col` elements from the first.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Triangle<'a, T> {
    first: *const T,
    n: usize,
    row: isize,
    col: isize,
    /// Row i of the triangle belongs to row n - 1 - i of B.
    rotated: bool,
    /// The diagonal is one, and not stored.
    unit: bool,
    owner: PhantomData<&'a T>,
}

// SAFETY: a triangle is a shared reference to elements, which threads only read.
unsafe impl<T: Sync> Sync for Triangle<'_, T> {}

impl<'a, T: Element> Triangle<'a, T> {
    /// L of a factored matrix, or with `transposed` L^T.
    ///
    /// # Panics
    /// If the matrix is not square.
    pub(crate) fn lower(lu: MatrixRef<'a, T>, transposed: bool) -> Self {
        Triangle { unit: true, ..Self::new(lu, transposed, transposed) }
    }

    /// U of a factored matrix, or with `transposed` U^T.
    ///
    /// # Panics
    /// If the matrix is not square.
    pub(crate) fn upper(lu: MatrixRef<'a, T>, transposed: bool) -> Self {
        Self::new(lu, transposed, !transposed)
    }

    fn new(lu: MatrixRef<'a, T>, transposed: bool, rotated: bool) -> Self {
        let n = lu.nrows();
        assert!(lu.ncols() == n, "a triangle is square");
        // With one column or none, the leading dimension has no meaning and may be any number.
        let lda = if n > 1 { lu.lda() as isize } else { 1 };
        let (row, col) = if transposed { (lda, 1) } else { (1, lda) };
        let upright = Triangle { first: lu.as_ptr(), n, row, col, rotated, unit: false, owner: PhantomData };
        if !rotated || n == 0 {
            return upright;
        }
        // Elements are counted backwards from the last one.
        Triangle { first: lu.block(n - 1, n - 1, 1, 1).as_ptr(), row: -row, col: -col, ..upright }
    }

    /// B <- T^-1 B. In the order in which the rows are solved, each element takes one fused multiply-subtract for each
    /// element of T to the left of the diagonal, and is then divided by the diagonal, unless that is one.
    fn solve(&self, cut: &Cut, mut b: MatrixMut<'_, T>, memory: &mut [T], kernels: &Kernels<T>) {
        // If B has very few columns and the rows of T are contiguous, each row of T is subtracted when its turn comes.
        // Otherwise T is read in blocks of columns, each as soon as its rows of X are known.
        let by_rows = b.ncols() < kernels.tuning.solve.very_few && self.col.abs() == 1;
        let ldx = cut.ldx::<T>();
        let (x, memory) = memory.split_at_mut(ldx * cut.columns);
        let (tile, panel) = memory.split_at_mut(kernels.lanes * cut.rows);
        for j in (0..b.ncols()).step_by(cut.columns) {
            let columns = cut.columns.min(b.ncols() - j);
            let mut b = b.reborrow().split_at_col(j).1.split_at_col(columns).0;
            let mut solved = 0;
            while solved < self.n {
                let left = self.n - solved;
                // The block with fewer rows is the one with the least work: the first, or the last.
                let rows = if by_rows { (left - 1) % cut.rows + 1 } else { cut.rows.min(left) };
                let next = solved..solved + rows;
                solved = next.end;
                let mut x = MatrixMut::in_memory(x, rows, columns, ldx);
                if by_rows {
                    (0..columns).for_each(|j| self.subtract_rows(next.clone(), b.col_mut(j), kernels));
                    self.solve_rows(next, b.reborrow(), x.reborrow(), tile, kernels);
                } else {
                    self.solve_rows(next.clone(), b.reborrow(), x.reborrow(), tile, kernels);
                    self.update(next, b.reborrow(), x.as_ref(), cut.mc, panel, kernels);
                }
            }
        }
    }

    /// Whether it is solved one of its columns after the other.
    fn is_short(&self, columns: usize, kernels: &Kernels<T>) -> bool {
        let has_columns = self.row.abs() == 1 && self.rotated != self.unit;
        has_columns && columns < kernels.tuning.solve.very_few && self.n <= MAX_ORDER
    }

    /// B <- T^-1 B, for a short L or U.
    fn solve_short(&self, mut b: MatrixMut<'_, T>, kernels: &Kernels<T>) {
        assert!(b.nrows() == self.n && self.is_short(b.ncols(), kernels), "triangle: not short");
        let last = self.n - 1;
        let t = if self.rotated { self.element(last, last) } else { self.first };
        let (n, nrhs, ldt, ldx) = (self.n, b.ncols(), self.col.unsigned_abs(), b.lda());
        let trsv = Trsv { n, nrhs, upper: self.rotated, t, ldt, x: b.as_mut_ptr(), ldx };
        // SAFETY: T is a triangle of an n x n matrix that begins there, B has n rows, and the views do not overlap.
        unsafe { (kernels.trsv)(trsv) };
    }

    /// X <- T11^-1 B1, and B1 <- X, where T11 has these rows and columns and B1 these rows. The rows of X are in the order
    /// of T.
    fn solve_rows(
        &self,
        rows: Range<usize>,
        b: MatrixMut<'_, T>,
        mut x: MatrixMut<'_, T>,
        tile: &mut [T],
        kernels: &Kernels<T>,
    ) {
        let (lanes, columns, ldx) = (kernels.lanes, x.ncols(), x.lda());
        let above = if self.rotated { self.n - rows.end } else { rows.start };
        let mut b1 = b.split_at_row(above).1.split_at_row(rows.len()).0;
        for j in 0..columns {
            self.copy(b1.col_mut(j), x.col_mut(j));
        }
        let to = x.as_mut_ptr();
        for i in (0..rows.len()).step_by(lanes) {
            let next = rows.start + i..rows.end.min(rows.start + i + lanes);
            self.pack(next.clone(), rows.start..next.end, lanes, tile);
            if self.unit {
                (0..next.len()).for_each(|d| tile[d + (i + d) * lanes] = T::ONE);
            }
            let (m, l, x) = (next.len(), tile.as_ptr(), to.wrapping_add(i));
            // SAFETY: the tile has these rows of T11 and its columns up to the diagonal; i rows of X are solved.
            unsafe { (kernels.trsm)(Trsm { m, n: columns, k: i, l, ldl: lanes, b: to, ldb: ldx, x, ldx }) };
        }
        for j in 0..columns {
            self.copy(x.col_mut(j), b1.col_mut(j));
        }
    }

    /// Copies rows of B into the order of T, or back.
    #[inline(never)] // one copy for all callers
    fn copy(&self, from: &[T], to: &mut [T]) {
        if self.rotated {
            to.iter_mut().zip(from.iter().rev()).for_each(|(to, from)| *to = *from);
        } else {
            to.copy_from_slice(from);
        }
    }

    /// y <- y - T10 x, where y is these elements of a column of B and x the elements solved before them. The rows of T must be
    /// contiguous.
    fn subtract_rows(&self, rows: Range<usize>, b: &mut [T], kernels: &Kernels<T>) {
        let inc = if self.rotated { -1 } else { 1 };
        assert!(b.len() == self.n && self.col == inc, "triangle: no contiguous rows");
        let element = |i| if self.rotated { self.n - 1 - i } else { i };
        let b = b.as_mut_ptr();
        let (x, y) = (b.wrapping_add(element(0)), b.wrapping_add(element(rows.start)));
        let t10 = Strided { ptr: self.element(rows.start, 0), row: self.row, col: inc };
        let gemv = Gemv { m: rows.len(), n: rows.start, a: t10, x, incx: inc, y, incy: inc };
        // SAFETY: T10 has these rows, and as many columns as elements are solved before y; x and y are disjoint parts of b.
        unsafe { (kernels.gemv)(gemv) };
    }

    /// B2 <- B2 - T21 X, where T21 has these columns and the rows below them.
    fn update(
        &self,
        columns: Range<usize>,
        b: MatrixMut<'_, T>,
        x: MatrixRef<'_, T>,
        mc: usize,
        panel: &mut [T],
        kernels: &Kernels<T>,
    ) {
        let (m, n, k, mr) = (self.n - columns.end, b.ncols(), columns.len(), kernels.mr);
        if m == 0 {
            return;
        }
        let above = if self.rotated { 0 } else { columns.end };
        let mut b2 = b.split_at_row(above).1.split_at_row(m).0;
        // T21, with its rows in the order of the rows of B.
        let t21 = if self.rotated { self.rows_reversed() } else { *self };
        let rows = if self.rotated { 0..m } else { columns.end..self.n };
        if t21.row == 1 && n < kernels.tuning.solve.few {
            let ptr = t21.element(rows.start, columns.start);
            if n == 1 {
                let a = Strided { ptr, row: 1, col: t21.col };
                let gemv = Gemv { m, n: k, a, x: x.as_ptr(), incx: 1, y: b2.as_mut_ptr(), incy: 1 };
                // SAFETY: T21 has these rows and columns, X has as many rows as it has columns; y is B2, one column.
                return unsafe { (kernels.gemv)(gemv) };
            }
            // The distance between columns may be negative; it is added modulo 2^64.
            let tiles = Tiles { ptr, tile: mr, col: t21.col as usize };
            // SAFETY: the tiles are T21, which has the rows of B2, and as many columns as X has rows.
            return unsafe { sub_product(tiles, x, b2, kernels) };
        }
        for i in (0..m).step_by(mc) {
            let height = mc.min(m - i);
            for tile in (0..height).step_by(mr) {
                let first = rows.start + i + tile;
                t21.pack(first..first + mr.min(height - tile), columns.clone(), mr, &mut panel[tile * k..]);
            }
            let c = b2.reborrow().split_at_row(i).1.split_at_row(height).0;
            let tiles = Tiles { ptr: panel.as_ptr(), tile: mr * k, col: mr };
            // SAFETY: the tiles hold those rows of T21, and as many columns as X has rows.
            unsafe { sub_product(tiles, x, c, kernels) };
        }
    }

    /// The same elements, with the rows counted from the other end.
    fn rows_reversed(&self) -> Self {
        Triangle { first: self.element(self.n - 1, 0), row: -self.row, ..*self }
    }

    /// The address of element (i, k).
    fn element(&self, i: usize, k: usize) -> *const T {
        assert!(i < self.n && k < self.n, "triangle: no such element");
        self.first.wrapping_offset(i as isize * self.row + k as isize * self.col)
    }

    /// A block of T into a tile of `mr` rows, column after column, filled up with zeros.
    #[inline(never)] // one copy for all callers
    fn pack(&self, rows: Range<usize>, columns: Range<usize>, mr: usize, tile: &mut [T]) {
        assert!(
            rows.len() <= mr && rows.end <= self.n && columns.end <= self.n && columns.len() * mr <= tile.len(),
            "pack: sizes do not fit"
        );
        for (k, to) in columns.zip(tile.chunks_exact_mut(mr)) {
            let (to, rest) = to.split_at_mut(rows.len());
            for (i, to) in rows.clone().zip(to) {
                // SAFETY: this is element (i, k) of an n by n matrix; i and k are below n, as asserted.
                *to = unsafe { *self.first.offset(i as isize * self.row + k as isize * self.col) };
            }
            rest.fill(T::ZERO);
        }
    }
}

/// B <- T^-1 B.
///
/// # Panics
/// If B does not have the rows of the triangle.
pub(crate) fn solve_triangle<T: Element>(triangle: &Triangle<'_, T>, b: MatrixMut<'_, T>, kernels: &Kernels<T>) {
    solve_all(std::slice::from_ref(triangle), b, kernels);
}

/// B <- T2^-1 T1^-1 B, for two triangles of one matrix.
///
/// # Panics
/// If B does not have the rows of the triangles.
pub(crate) fn solve<T: Element>(triangles: [Triangle<'_, T>; 2], b: MatrixMut<'_, T>, kernels: &Kernels<T>) {
    solve_all(&triangles, b, kernels);
}

fn solve_all<T: Element>(triangles: &[Triangle<'_, T>], mut b: MatrixMut<'_, T>, kernels: &Kernels<T>) {
    assert!(triangles.iter().all(|triangle| triangle.n == b.nrows()), "triangle: sizes do not fit");
    if b.nrows() == 0 || b.ncols() == 0 {
        return;
    }
    let columns = b.ncols();
    if triangles.iter().all(|triangle| triangle.is_short(columns, kernels)) {
        return triangles.iter().for_each(|triangle| triangle.solve_short(b.reborrow(), kernels));
    }
    let mut solve = |cut: &Cut, memory: &mut [T]| {
        triangles.iter().for_each(|triangle| triangle.solve(cut, b.reborrow(), memory, kernels));
    };
    let cut = Cut::choose(&triangles[0], columns, kernels);
    if scratch::with(cut.size(kernels), |memory| solve(&cut, memory)).is_none() {
        scratch::on_stack(|memory| solve(&Cut::minimal(columns, kernels), memory));
    }
}

/// How a solve is cut into blocks.
struct Cut {
    /// Rows that are solved before the later ones are updated with them.
    rows: usize,
    /// Columns of B that are solved at once.
    columns: usize,
    /// Rows of T that are packed at once for an update.
    mc: usize,
}

impl Cut {
    /// The block sizes that were measured to be the fastest.
    fn choose<T: Element>(triangle: &Triangle<'_, T>, columns: usize, kernels: &Kernels<T>) -> Self {
        let tuning = &kernels.tuning.solve;
        let rows = match columns {
            _ if columns < tuning.very_few => tuning.rows_very_few,
            _ if columns >= tuning.few => tuning.rows,
            _ if triangle.row.abs() == 1 => tuning.rows_few_in_place,
            _ => tuning.rows_few,
        };
        Cut { rows: rows.min(triangle.n), columns: tuning.columns.min(columns), mc: kernels.mc }
    }

    /// Block sizes that need no more memory than [`scratch::on_stack`] has.
    fn minimal<T: Element>(columns: usize, kernels: &Kernels<T>) -> Self {
        Cut { rows: 4, columns: columns.min(8), mc: kernels.mr }
    }

    /// The leading dimension of X.
    fn ldx<T>(&self) -> usize {
        leading_dimension::<T>(self.rows)
    }

    /// Elements of memory: a block of rows of X, a tile of T11, and a panel of T21.
    fn size<T: Element>(&self, kernels: &Kernels<T>) -> usize {
        self.ldx::<T>() * self.columns + (kernels.lanes + self.mc.next_multiple_of(kernels.mr)) * self.rows
    }
}
