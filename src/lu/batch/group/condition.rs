//! Condition numbers of a group.

use super::Work;
use super::solve::{Columns, Factor};
use crate::element::Element;
use crate::kernel::{BATCH_RHS, GroupNorm, MAX_LANES};
use crate::lu::batch::across::Across;
use crate::lu::batch::job::Job;
use crate::lu::condition::{MAX_EXACT_ORDER, estimate_norms, is_well, reciprocal};

impl<T: Element> Job<'_, T> {
    /// Stores the reciprocal condition number of each matrix: a lower bound, where that is enough to tell that the matrix is
    /// well-conditioned.
    ///
    /// # Safety
    /// As for [`Job::group`]; `rcond` is good for `count` elements.
    pub(super) unsafe fn store_conditions(
        &self,
        across: &Across<T>,
        count: usize,
        singular: u32,
        rcond: *mut T,
        work: &Work<T>,
    ) {
        let n = self.a.geometry.ncols();
        let is_singular = |lane: usize| singular >> lane & 1 == 1;
        // SAFETY: the caller's promise.
        unsafe {
            let is_known = |lane: usize| is_singular(lane) || (n <= MAX_EXACT_ORDER && is_well(*rcond.add(lane)));
            // For larger matrices the bound is too low nearly always.
            if n <= MAX_EXACT_ORDER || singular != 0 {
                let bounds = self.bounds_of_inverses(across, work);
                for (lane, bound) in bounds[..count].iter().enumerate() {
                    *rcond.add(lane) = reciprocal(*work.norm.add(lane), *bound);
                }
            }
            if (0..count).all(is_known) {
                return;
            }
            let norms = if n <= MAX_EXACT_ORDER {
                self.norms_of_inverses(across, work)
            } else {
                self.estimate_inverses(across, work)
            };
            for lane in (0..count).filter(|&lane| !is_known(lane)) {
                *rcond.add(lane) = reciprocal(*work.norm.add(lane), norms[lane]);
            }
        }
    }

    /// Bounds of |A^-1|. Take L and U with the magnitudes on their diagonals and the negated magnitudes beside them: their
    /// inverses are positive, and at least as large as L^-1 and U^-1. So one solve with ones gives sums that those of the
    /// magnitudes in the columns of A^-1 do not exceed.
    ///
    /// # Safety
    /// As for [`Job::group`].
    unsafe fn bounds_of_inverses(&self, across: &Across<T>, work: &Work<T>) -> [T; MAX_LANES] {
        let n = self.a.geometry.ncols();
        let mut bounds = [T::ZERO; MAX_LANES];
        // SAFETY: the column is in work memory.
        unsafe {
            std::slice::from_raw_parts_mut(work.column, n * across.lanes()).fill(T::ONE);
            let column = Columns { count: 1, first: work.column, ld: n };
            for factor in [Factor::UpperTransposed, Factor::LowerTransposed] {
                (across.kernels.trsm_magnitudes)(factor.system(n, work.columns, column, across));
            }
            raise_norms(&mut bounds, 1, Columns { count: n, ld: 1, ..column }, across);
        }
        bounds
    }

    /// |A^-1| of each matrix. What is behind the matrices is lost.
    ///
    /// # Safety
    /// As for [`Job::group`].
    unsafe fn norms_of_inverses(&self, across: &Across<T>, work: &Work<T>) -> [T; MAX_LANES] {
        let n = self.a.geometry.ncols();
        let mut norms = [T::ZERO; MAX_LANES];
        // SAFETY: the work memory has room for these columns.
        unsafe {
            for first in (0..n).step_by(BATCH_RHS) {
                let r = BATCH_RHS.min(n - first);
                self.load_identity(across, [first, r], work);
                let x = self.behind(work, across, r);
                self.solve_loaded(across, work, x, false);
                raise_norms(&mut norms, n, x, across);
            }
        }
        norms
    }

    /// An estimate of |A^-1| of each matrix. What is behind the matrices is lost.
    ///
    /// # Safety
    /// As for [`Job::group`].
    unsafe fn estimate_inverses(&self, across: &Across<T>, work: &Work<T>) -> [T; MAX_LANES] {
        let (n, lanes) = (self.a.geometry.ncols(), across.lanes());
        let mut norms = [T::ZERO; MAX_LANES];
        // SAFETY: the work memory has room for these columns; the factors are read, the columns written.
        unsafe {
            let x = std::slice::from_raw_parts_mut(self.behind(work, across, 2).first, 2 * n * lanes);
            let signs = std::slice::from_raw_parts_mut(work.column, n * lanes);
            estimate_norms(n, x, signs, &mut norms[..lanes], |transpose, x| {
                let columns = Columns { count: x.len() / (n * lanes), first: x.as_mut_ptr(), ld: n };
                self.solve_loaded(across, work, columns, transpose.is_transposed());
            });
        }
        norms
    }
}

/// Makes norms those of columns with m rows, where these are larger or NaN.
///
/// # Safety
/// - The columns are in work memory.
unsafe fn raise_norms<T: Element>(norms: &mut [T; MAX_LANES], m: usize, x: Columns<T>, across: &Across<T>) {
    let (norm, is_strict) = (norms.as_mut_ptr(), true);
    // SAFETY: the caller's promise; there are as many norms as lanes at least.
    unsafe { (across.kernels.norm1)(GroupNorm { m, n: x.count, a: x.first, lda: x.ld, norm, is_strict }) }
}
