//! B <- T^-1 B for the triangles of a factored matrix: L, U and their transposes.
//!
//! U and L^T are solved from their last row on: turned by half a circle they are lower triangles as the others are. So
//! there is one solve, for a lower triangle whose elements stand at any distances; only B keeps its rows where they are.

use std::marker::PhantomData;
use std::ops::Range;

use super::scratch;
use crate::kernel::{Kernels, Tiles};
use crate::matrix::{MatrixMut, MatrixRef};
use crate::real::Real;

/// Rows that are solved before the later ones are updated with them: in many columns; in a few, with T copied or read
/// where it stands; and in one or two.
const ROWS: usize = 128;
const ROWS_OF_FEW: usize = 32;
const ROWS_OF_FEW_IN_PLACE: usize = 16;
const ROWS_OF_FEWER: usize = 8;
/// For fewer columns than this T is read where it stands, if its rows are next to each other; a copy would cost more than
/// it saves.
const FEW: usize = 32;
/// For fewer columns than this each of them goes through the rows of T by itself, if those are contiguous.
const FEWER: usize = 3;
/// Columns that are solved at once; it bounds the scratch memory.
const COLUMNS: usize = 512;

/// A lower triangle of order `n`, in the order in which its rows are solved: element (i, k) stands at
/// `i * row + k * col` from the first.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Triangle<'a, T> {
    first: *const T,
    n: usize,
    row: isize,
    col: isize,
    /// Row i of the triangle belongs to row n - 1 - i of B.
    turned: bool,
    /// The diagonal is one, and not stored.
    unit: bool,
    owner: PhantomData<&'a T>,
}

// SAFETY: a triangle is a shared reference to elements.
unsafe impl<T: Sync> Sync for Triangle<'_, T> {}

impl<'a, T: Real> Triangle<'a, T> {
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

    fn new(lu: MatrixRef<'a, T>, transposed: bool, turned: bool) -> Self {
        let n = lu.nrows();
        assert_eq!(lu.ncols(), n, "a triangle is square");
        // Where there is one column, or none, its distance to the next means nothing, and may be anything.
        let lda = if n > 1 { lu.lda() as isize } else { 1 };
        let (row, col) = if transposed { (lda, 1) } else { (1, lda) };
        let upright = Triangle { first: lu.as_ptr(), n, row, col, turned, unit: false, owner: PhantomData };
        if !turned || n == 0 {
            return upright;
        }
        // Counted from the last element backwards.
        Triangle { first: lu.block(n - 1, n - 1, 1, 1).as_ptr(), row: -row, col: -col, ..upright }
    }

    /// B <- T^-1 B. In the order in which the rows are solved, each element takes one fused multiply-subtract for each
    /// element of T to the left of the diagonal, and is then divided by the diagonal, unless that is one.
    ///
    /// # Panics
    /// If B has not n rows.
    pub(crate) fn solve(&self, mut b: MatrixMut<'_, T>, kernels: &Kernels<T>) {
        assert_eq!(b.nrows(), self.n, "triangle: sizes do not fit");
        let rows = match b.ncols() {
            ..FEWER => ROWS_OF_FEWER,
            FEWER..FEW if self.row.abs() == 1 => ROWS_OF_FEW_IN_PLACE,
            FEWER..FEW => ROWS_OF_FEW,
            FEW.. => ROWS,
        }
        .min(self.n);
        // In very few columns of B, where the rows of T are contiguous: each row is subtracted when its turn comes. Else T
        // goes by in blocks of columns, each as soon as its rows of X are known.
        let by_rows = b.ncols() < FEWER && self.col.abs() == 1;
        let line = 64 / size_of::<T>();
        let ldx = (rows.div_ceil(line) | 1) * line;
        let sizes = [ldx * COLUMNS.min(b.ncols()), kernels.lanes * rows, kernels.mc * rows];
        scratch::with(sizes.iter().sum(), |memory: &mut [T]| {
            let (x, memory) = memory.split_at_mut(sizes[0]);
            let (tile, panel) = memory.split_at_mut(sizes[1]);
            for j in (0..b.ncols()).step_by(COLUMNS) {
                let columns = COLUMNS.min(b.ncols() - j);
                let mut b = b.reborrow().split_at_col(j).1.split_at_col(columns).0;
                let mut solved = 0;
                while solved < self.n {
                    // A block of fewer rows comes where it has the least to do: first, or last.
                    let some = if by_rows { (self.n - solved - 1) % rows + 1 } else { rows.min(self.n - solved) };
                    let next = solved..solved + some;
                    solved = next.end;
                    let mut x = MatrixMut::in_memory(x, some, columns, ldx);
                    if by_rows {
                        (0..columns).for_each(|j| self.subtract_rows(next.clone(), b.col_mut(j), kernels));
                        self.solve_rows(next, b.reborrow(), x.reborrow(), tile, kernels);
                    } else {
                        self.solve_rows(next.clone(), b.reborrow(), x.reborrow(), tile, kernels);
                        self.update(next, b.reborrow(), x.as_ref(), panel, kernels);
                    }
                }
            }
        });
    }

    /// X <- T11^-1 B1, and B1 <- X: T11 has these rows and columns, B1 these rows. X has them in the order of T.
    fn solve_rows(
        &self,
        rows: Range<usize>,
        b: MatrixMut<'_, T>,
        mut x: MatrixMut<'_, T>,
        tile: &mut [T],
        kernels: &Kernels<T>,
    ) {
        let (lanes, columns, ldx) = (kernels.lanes, x.ncols(), x.lda());
        let above = if self.turned { self.n - rows.end } else { rows.start };
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
            // SAFETY: the tile has these rows of T11 and its columns up to the diagonal; i rows of X are solved.
            unsafe { (kernels.trsm)(next.len(), columns, i, tile.as_ptr(), lanes, to, ldx, to.wrapping_add(i), ldx) };
        }
        for j in 0..columns {
            self.copy(x.col_mut(j), b1.col_mut(j));
        }
    }

    /// Copies rows of B into the order of T, or back.
    #[inline(never)] // one copy is enough
    fn copy(&self, from: &[T], to: &mut [T]) {
        if self.turned {
            to.iter_mut().zip(from.iter().rev()).for_each(|(to, from)| *to = *from);
        } else {
            to.copy_from_slice(from);
        }
    }

    /// y <- y - T10 x, where y is these elements of a column of B and x those that were solved before them. The rows of T
    /// are contiguous.
    fn subtract_rows(&self, rows: Range<usize>, b: &mut [T], kernels: &Kernels<T>) {
        let inc = if self.turned { -1 } else { 1 };
        assert!(b.len() == self.n && self.col == inc, "triangle: no contiguous rows");
        let element = |i| if self.turned { self.n - 1 - i } else { i };
        let b = b.as_mut_ptr();
        let (x, y) = (b.wrapping_add(element(0)), b.wrapping_add(element(rows.start)));
        // SAFETY: T10 has these rows, and as many columns as there are elements of B before y.
        unsafe {
            let t10 = self.element(rows.start, 0);
            (kernels.gemv)(rows.len(), rows.start, t10, self.row, inc, x, inc, y, inc);
        }
    }

    /// B2 <- B2 - T21 X, where T21 has these columns and the rows after them.
    fn update(
        &self,
        columns: Range<usize>,
        b: MatrixMut<'_, T>,
        x: MatrixRef<'_, T>,
        panel: &mut [T],
        kernels: &Kernels<T>,
    ) {
        let (m, n, k, mr) = (self.n - columns.end, b.ncols(), columns.len(), kernels.mr);
        if m == 0 {
            return;
        }
        let above = if self.turned { 0 } else { columns.end };
        let mut b2 = b.split_at_row(above).1.split_at_row(m).0;
        let ldc = b2.lda();
        // T21 with its rows in the order of B's.
        let t21 = if self.turned { self.rows_reversed() } else { *self };
        let rows = if self.turned { 0..m } else { columns.end..self.n };
        if t21.row == 1 && n < FEW {
            let ptr = t21.element(rows.start, columns.start);
            if n == 1 {
                // SAFETY: T21 has these rows and columns, X has as many rows as it has columns; y is B2, one column.
                return unsafe { (kernels.gemv)(m, k, ptr, 1, t21.col, x.as_ptr(), 1, b2.as_mut_ptr(), 1) };
            }
            // The columns may go backwards: a step is counted modulo the address space.
            let tiles = Tiles { ptr, tile: mr, col: t21.col as usize };
            // SAFETY: the tiles are T21, X has as many rows as it has columns; C is B2, which has its rows.
            return unsafe { (kernels.gemm)(m, n, k, tiles, x.as_ptr(), x.lda(), b2.as_mut_ptr(), ldc) };
        }
        for i in (0..m).step_by(kernels.mc) {
            let some = kernels.mc.min(m - i);
            for tile in (0..some).step_by(mr) {
                let first = rows.start + i + tile;
                t21.pack(first..first + mr.min(some - tile), columns.clone(), mr, &mut panel[tile * k..]);
            }
            let mut c = b2.reborrow().split_at_row(i).1;
            let tiles = Tiles { ptr: panel.as_ptr(), tile: mr * k, col: mr };
            // SAFETY: the tiles hold some rows of T21, X has as many rows as they have columns; C is those rows of B2.
            unsafe { (kernels.gemm)(some, n, k, tiles, x.as_ptr(), x.lda(), c.as_mut_ptr(), ldc) };
        }
    }

    /// The same elements with the rows counted from the other end.
    fn rows_reversed(&self) -> Self {
        Triangle { first: self.element(self.n - 1, 0), row: -self.row, ..*self }
    }

    /// Where element (i, k) stands.
    fn element(&self, i: usize, k: usize) -> *const T {
        assert!(i < self.n && k < self.n, "triangle: no such element");
        self.first.wrapping_offset(i as isize * self.row + k as isize * self.col)
    }

    /// A block of T into a tile of `mr` rows, column after column, filled up with zeros.
    #[inline(never)] // one copy is enough
    fn pack(&self, rows: Range<usize>, columns: Range<usize>, mr: usize, tile: &mut [T]) {
        assert!(
            rows.len() <= mr && rows.end <= self.n && columns.end <= self.n && columns.len() * mr <= tile.len(),
            "pack: sizes do not fit"
        );
        for (k, to) in columns.zip(tile.chunks_exact_mut(mr)) {
            let (to, rest) = to.split_at_mut(rows.len());
            for (i, to) in rows.clone().zip(to) {
                // SAFETY: element (i, k) of an n by n matrix, from whichever corner it is counted.
                *to = unsafe { *self.first.offset(i as isize * self.row + k as isize * self.col) };
            }
            rest.fill(T::ZERO);
        }
    }
}
