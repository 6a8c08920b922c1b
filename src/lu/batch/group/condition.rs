//! Condition numbers of a group.

use super::Work;
use super::solve::{Columns, Factor};
use crate::element::Element;
use crate::kernel::{BATCH_RHS, MAX_LANES};
use crate::lu::batch::across::Across;
use crate::lu::batch::job::Job;
use crate::lu::condition::{MAX_EXACT_ORDER, estimate_norms, is_well, norm1, reciprocal};

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
        let (lanes, n) = (across.lanes(), self.a.geometry.ncols());
        let is_singular = |lane: usize| singular >> lane & 1 == 1;
        // SAFETY: the caller's promise.
        unsafe {
            let is_known = |lane: usize| is_singular(lane) || (n <= MAX_EXACT_ORDER && is_well(*rcond.add(lane)));
            // For larger matrices the bound is too low nearly always.
            if n <= MAX_EXACT_ORDER || singular != 0 {
                self.bound_inverses(across, work);
                for lane in 0..count {
                    let sums = (0..n).map(|k| std::iter::once(*work.column.add(k * lanes + lane)));
                    *rcond.add(lane) = reciprocal(*work.norm.add(lane), norm1(sums));
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

    /// Makes a column of sums that those of the magnitudes in the columns of A^-1 do not exceed. Take L and U with the
    /// magnitudes on their diagonals and the negated magnitudes beside them: their inverses are positive, and at least as
    /// large as L^-1 and U^-1. So one solve with ones is enough.
    ///
    /// # Safety
    /// As for [`Job::group`].
    unsafe fn bound_inverses(&self, across: &Across<T>, work: &Work<T>) {
        let n = self.a.geometry.ncols();
        // SAFETY: the column is in work memory.
        unsafe {
            std::slice::from_raw_parts_mut(work.column, n * across.lanes()).fill(T::ONE);
            let column = Columns { count: 1, first: work.column, ld: n };
            for factor in [Factor::UpperTransposed, Factor::LowerTransposed] {
                (across.kernels.trsm_magnitudes)(factor.system(n, work.columns, column, across));
            }
        }
    }

    /// |A^-1| of each matrix. What is behind the matrices is lost.
    ///
    /// # Safety
    /// As for [`Job::group`].
    unsafe fn norms_of_inverses(&self, across: &Across<T>, work: &Work<T>) -> [T; MAX_LANES] {
        let (n, lanes) = (self.a.geometry.ncols(), across.lanes());
        let mut norms = [T::ZERO; MAX_LANES];
        // SAFETY: the work memory has room for these columns.
        unsafe {
            for first in (0..n).step_by(BATCH_RHS) {
                let r = BATCH_RHS.min(n - first);
                self.load_identity(across, [first, r], work);
                let x = self.behind(work, across, r);
                self.solve_loaded(across, work, x, false);
                for (lane, known) in norms[..lanes].iter_mut().enumerate() {
                    let at = |i: usize, j: usize| x.first.add((i + j * x.ld) * lanes + lane);
                    let norm = norm1((0..r).map(|j| (0..n).map(move |i| *at(i, j))));
                    *known = norm1([*known, norm].map(std::iter::once).into_iter());
                }
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
