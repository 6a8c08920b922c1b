//! The ranks as a grid, over which matrices are spread block by block, and ScaLAPACK's functions for such matrices.

use std::ffi::CStr;

use recfact::Transpose;
use recfact_distributed::ProcessGrid;

use crate::element::{Routines, Scalar};
use crate::failure::Failure;
use crate::matrix::{Layout, Matrix};
use crate::team::{Int, ONE, Team};

/// The grid of ranks, and what it computes.
pub struct Grid<'t, T> {
    pub team: &'t Team,
    /// Rows and columns of ranks.
    pub shape: ProcessGrid,
    /// Rows and columns of a block.
    pub block: usize,
    routines: Routines<T>,
    context: Int,
    /// The context of all ranks in a column.
    column: Int,
}

impl<'t, T: Scalar> Grid<'t, T> {
    /// Arranges the ranks.
    ///
    /// # Errors
    /// If the libraries lack a function, or if a grid that was asked for has not as many ranks as there are.
    pub fn new(team: &'t Team, shape: Option<ProcessGrid>, block: usize) -> Result<Self, Failure> {
        let routines = team.agree(Routines::of(&team.libraries))?;
        let shape = shape.unwrap_or_else(|| ProcessGrid::of(team.ranks()));
        if shape.ranks() != Some(team.ranks()) {
            let ranks = team.ranks();
            return Err(Failure::engine(format_args!(
                "expected a grid of the {ranks} ranks that there are, got {shape}"
            )));
        }
        let (context, column) = (team.context(shape.rows, shape.columns), team.context(team.ranks(), 1));
        pipeline(team, context);
        Ok(Grid { team, shape, block, routines, context, column })
    }

    /// How a matrix lies on the grid that has blocks of this many rows and columns.
    pub fn layout(&self, [m, n]: [usize; 2], block: [usize; 2]) -> Layout {
        let (rank, shape) = (self.team.rank(), self.shape);
        let here = (rank / shape.columns, rank % shape.columns);
        Layout::new(self.context, [m, n], block, shape, here)
    }

    /// How `m` by `n` elements lie of which each rank has `width` whole columns, in the order of the ranks.
    pub fn columns(&self, m: usize, n: usize, width: usize) -> Layout {
        let shape = ProcessGrid { rows: 1, columns: self.team.ranks() };
        Layout::new(self.team.row(), [m, n], [m, width], shape, (0, self.team.rank()))
    }

    /// The same of whole rows.
    pub fn rows(&self, m: usize, n: usize, height: usize) -> Layout {
        let shape = ProcessGrid { rows: self.team.ranks(), columns: 1 };
        Layout::new(self.column, [m, n], [height, n], shape, (self.team.rank(), 0))
    }

    /// B(ib.., jb..) <- A(ia.., ja..), m x n, on whatever grids they lie.
    pub fn redistribute(
        &self,
        [m, n]: [usize; 2],
        a: &Matrix<T>,
        at_a: [usize; 2],
        b: &mut Matrix<T>,
        at_b: [usize; 2],
    ) {
        a.check(at_a, [m, n]);
        b.check(at_b, [m, n]);
        let ([m, n], [ia, ja], [ib, jb]) = ([m, n].map(int), at_a.map(one_based), at_b.map(one_based));
        // SAFETY: both parts are inside of their matrices, and the context of the row has all ranks.
        unsafe {
            (self.routines.gemr2d)(
                &m,
                &n,
                a.local.as_ptr(),
                &ia,
                &ja,
                a.layout.descriptor.as_ptr(),
                b.local.as_mut_ptr(),
                &ib,
                &jb,
                b.layout.descriptor.as_ptr(),
                &self.team.row(),
            );
        }
    }

    /// P A = L U for the `m` rows and `n` columns from `(k, k)` on, with rows counted in all of A.
    pub fn getrf(&self, [m, n]: [usize; 2], a: &mut Matrix<T>, k: usize, ipiv: &mut [Int]) {
        a.check([k; 2], [m, n]);
        assert!(ipiv.len() >= a.layout.ipiv_len(), "getrf: ipiv has {} elements", ipiv.len());
        let (m, n, at, mut info) = (int(m), int(n), one_based(k), 0);
        // SAFETY: the part is inside of A, and begins with a block; `ipiv` has an element for each local row and a block more. What
        // `info` says is found otherwise.
        unsafe {
            let (a, descriptor) = (a.local.as_mut_ptr(), a.layout.descriptor.as_ptr());
            (self.routines.getrf)(&m, &n, a, &at, &at, descriptor, ipiv.as_mut_ptr(), &mut info);
        }
        assert!(info >= 0, "getrf: argument {} is illegal", -info);
    }

    /// Does the row swaps `k1..k2` to the columns `columns` of A.
    pub fn laswp(
        &self,
        a: &mut Matrix<T>,
        columns: std::ops::Range<usize>,
        swaps: std::ops::Range<usize>,
        ipiv: &[Int],
    ) {
        if columns.is_empty() {
            return;
        }
        a.check([swaps.start, columns.start], [swaps.len(), columns.len()]);
        assert!(ipiv.len() >= a.layout.ipiv_len(), "laswp: ipiv has {} elements", ipiv.len());
        let (n, j, k1, k2) = (int(columns.len()), one_based(columns.start), one_based(swaps.start), int(swaps.end));
        // SAFETY: the columns and the rows k1 to k2 are those of A, and the swaps are those of `getrf`.
        unsafe {
            let (a, descriptor) = (a.local.as_mut_ptr(), a.layout.descriptor.as_ptr());
            (self.routines.laswp)(text(c"F"), text(c"R"), &n, a, &1, &j, descriptor, &k1, &k2, ipiv.as_ptr(), ONE, ONE);
        }
    }

    /// A(k.., j..) <- L^-1 A(k.., j..), m x n, with the unit lower triangle of A at (k, k).
    pub fn trsm_lower(&self, [m, n]: [usize; 2], a: &mut Matrix<T>, k: usize, j: usize) {
        a.check([k; 2], [m; 2]);
        a.check([k, j], [m, n]);
        let (m, n, k, j) = (int(m), int(n), one_based(k), one_based(j));
        // SAFETY: both parts are inside of A and do not overlap, since j is behind the triangle.
        unsafe {
            let (at, descriptor) = (a.local.as_mut_ptr(), a.layout.descriptor.as_ptr());
            let [side, uplo, trans, diag] = [c"L", c"L", c"N", c"U"].map(text);
            (self.routines.trsm)(
                side,
                uplo,
                trans,
                diag,
                &m,
                &n,
                &T::ONE,
                at,
                &k,
                &k,
                descriptor,
                at,
                &k,
                &j,
                descriptor,
                ONE,
                ONE,
                ONE,
                ONE,
            );
        }
    }

    /// A22 <- A22 - A21 A12, where A12 and A21 are the `k` rows and columns before (i, j), and A22 is all behind it.
    pub fn gemm_trailing(&self, a: &mut Matrix<T>, [i, j]: [usize; 2], k: usize) {
        let [m, n] = [a.layout.m - i, a.layout.n - j];
        if m == 0 || n == 0 {
            return;
        }
        a.check([i, j - k], [m, k]);
        let at = a.local.as_mut_ptr();
        let ([m, n, k], [i, j], [before_i, before_j]) =
            ([m, n, k].map(int), [i, j].map(one_based), [i - k, j - k].map(one_based));
        let descriptor = a.layout.descriptor.as_ptr();
        // SAFETY: the three parts are inside of A, and A22 overlaps none of the others.
        unsafe {
            (self.routines.gemm)(
                text(c"N"),
                text(c"N"),
                &m,
                &n,
                &k,
                &T::from_f64(-1.0),
                at,
                &i,
                &before_j,
                descriptor,
                at,
                &before_i,
                &j,
                descriptor,
                &T::ONE,
                at,
                &i,
                &j,
                descriptor,
                ONE,
                ONE,
            );
        }
    }

    /// C(ic..) <- C(ic..) + alpha op(A) B(ib..), where A has `m` rows and `n` columns, and C has all columns of B.
    pub fn gemm(
        &self,
        (trans, alpha): (Transpose, f64),
        (a, [m, n]): (&Matrix<T>, [usize; 2]),
        (b, ib): (&Matrix<T>, usize),
        (c, ic): (&mut Matrix<T>, usize),
    ) {
        let (rows, inner) = if trans == Transpose::No { (m, n) } else { (n, m) };
        let nrhs = b.layout.n;
        if rows == 0 || nrhs == 0 {
            return;
        }
        a.check([0; 2], [m, n]);
        b.check([ib, 0], [inner, nrhs]);
        c.check([ic, 0], [rows, nrhs]);
        let ([rows, inner, nrhs], [ib, ic]) = ([rows, inner, nrhs].map(int), [ib, ic].map(one_based));
        // SAFETY: the parts are inside of three matrices.
        unsafe {
            (self.routines.gemm)(
                letter(trans),
                text(c"N"),
                &rows,
                &nrhs,
                &inner,
                &T::from_f64(alpha),
                a.local.as_ptr(),
                &1,
                &1,
                a.layout.descriptor.as_ptr(),
                b.local.as_ptr(),
                &ib,
                &1,
                b.layout.descriptor.as_ptr(),
                &T::ONE,
                c.local.as_mut_ptr(),
                &ic,
                &1,
                c.layout.descriptor.as_ptr(),
                ONE,
                ONE,
            );
        }
    }

    /// B <- op(A)^-1 B, from the factors of A.
    pub fn getrs(&self, trans: Transpose, lu: &Matrix<T>, ipiv: &[Int], b: &mut Matrix<T>) {
        assert_eq!((lu.layout.m, lu.layout.n), (b.layout.m, b.layout.m), "getrs: the sizes fit");
        assert!(ipiv.len() >= lu.layout.ipiv_len(), "getrs: ipiv has {} elements", ipiv.len());
        if b.layout.n == 0 || b.layout.m == 0 {
            return;
        }
        let (n, nrhs, mut info) = (int(b.layout.m), int(b.layout.n), 0);
        // The elements of the last block are work space of the function.
        let mut ipiv = ipiv.to_vec();
        // SAFETY: A is n x n, B has n rows in the same blocks, and the swaps are those of `getrf`; those that the function overwrites
        // are this function's own.
        unsafe {
            (self.routines.getrs)(
                letter(trans),
                &n,
                &nrhs,
                lu.local.as_ptr(),
                &1,
                &1,
                lu.layout.descriptor.as_ptr(),
                ipiv.as_mut_ptr(),
                b.local.as_mut_ptr(),
                &1,
                &1,
                b.layout.descriptor.as_ptr(),
                &mut info,
                ONE,
            );
        }
        assert!(info == 0, "getrs: argument {} is illegal", -info);
    }

    /// The sums of the numbers of all ranks, one by one.
    pub fn sum(&self, numbers: &mut [T]) {
        // SAFETY: the function is that of this type.
        unsafe { self.team.sum_by(self.routines.gsum2d, numbers) }
    }
}

/// Has panels go from one column of ranks to the next, as `p?getrf` does, so that the first of them goes on before the last one has
/// its panel. A library without this function is slower on large grids.
fn pipeline(team: &Team, context: Int) {
    type TopSet = unsafe extern "C" fn(*const Int, *const u8, *const u8, *const u8, usize, usize, usize);
    // SAFETY: the type is that of PBLAS' function: a context, an operation, a scope, a topology, and the lengths of the three texts,
    // of which each ends in a zero byte as well.
    unsafe {
        if let Ok(set) = team.libraries.find::<TopSet>("pb_topset_") {
            set(&context, text(c"Broadcast"), text(c"Rowwise"), text(c"S-ring"), 9, 7, 6);
        }
    }
}

/// An integer of Fortran. The sizes of a matrix have been checked when its layout was made.
fn int(size: usize) -> Int {
    Int::try_from(size).expect("a size that was checked")
}

/// A row or a column as Fortran counts it.
fn one_based(at: usize) -> Int {
    int(at + 1)
}

fn text(text: &'static CStr) -> *const u8 {
    text.as_ptr().cast()
}

fn letter(trans: Transpose) -> *const u8 {
    text(if trans == Transpose::No { c"N" } else { c"T" })
}
