//! The recursion and its block equations; it runs on one thread, or on a crew that shares its parts.

use std::ops::Range;

use super::ipiv::laswp;
use super::monitor::{Monitor, flops, update_flops};
use super::tall;
use crate::blas::{gemm, scratch, trsm};
use crate::element::Element;
use crate::kernel::{Kernels, Panel, Small, TINY, WORK};
use crate::matrix::MatrixMut;
use crate::pivoting::Pivoting;
use crate::team::Crew;

/// What all levels of the recursion have in common.
pub(super) struct Recursion<'k, T: Element> {
    pub(super) kernels: &'k Kernels<T>,
    pub(super) pivoting: Pivoting,
    /// Who watches the factorization. If it is cancelled, what is left is not done, and no result means anything.
    pub(super) monitor: Option<&'k Monitor>,
    /// The threads that share the work; `None` for one thread.
    pub(super) crew: Option<&'k Crew<'k>>,
}

impl<T: Element> Recursion<'_, T> {
    /// P A = L U in place; `ipiv` has `min(m, n)` elements. Returns the 1-based index of the first zero pivot, or 0.
    ///
    /// With A11 of `n1` columns:
    /// ```text
    /// P [A11 A12]   [L11  . ] [U11 U12]
    ///   [A21 A22] = [L21 L22] [ .  U22]
    /// ```
    pub(super) fn factor(&self, mut a: MatrixMut<'_, T>, ipiv: &mut [i64]) -> usize {
        let (m, n) = (a.nrows(), a.ncols());
        let k = m.min(n);
        if k == 0 {
            return 0;
        }
        if m.max(n) <= self.kernels.small
            && self.pivoting == Pivoting::Partial
            && let Some(info) = self.small(a.reborrow(), ipiv)
        {
            return info;
        }
        if n <= self.kernels.nb && n <= m {
            self.count(|| flops(m, n));
            return self.panel(a, ipiv);
        }
        let n1 = self.split(k, n);
        let (ipiv1, ipiv2) = ipiv.split_at_mut(n1);

        // [A11; A21] = P1^T [L11; L21] U11
        let (mut left, mut right) = a.reborrow().split_at_col(n1);
        let info1 = self.factor(left.reborrow(), ipiv1);
        if self.is_cancelled() {
            return 0;
        }
        let (l, kernels) = (left.as_ref(), self.kernels);
        self.for_columns(right.reborrow(), &|mut right| {
            // [A12; A22] <- P1 [A12; A22]
            laswp(right.reborrow(), ipiv1);
            // A12 <- L11^-1 A12 = U12
            trsm(l.block(0, 0, n1, n1), right.split_at_row(n1).0, kernels);
        });
        let (a12, mut a22) = right.split_at_row(n1);
        let u12 = a12.as_ref();
        self.for_rows(a22.reborrow(), &|rows: Range<usize>, a22| {
            // A22 <- A22 - L21 U12
            gemm(l.block(n1 + rows.start, 0, rows.len(), n1), u12, a22, kernels);
        });
        self.count(|| update_flops(m, n - n1, n1));
        // A22 = P2^T L22 U22
        let info2 = self.factor(a22, ipiv2);
        if self.is_cancelled() {
            return 0;
        }
        // A21 <- P2 A21 = L21
        self.for_columns(left.split_at_row(n1).1, &|left| laswp(left, ipiv2));
        // P = P2 P1: the rows of P2 are counted from n1
        ipiv2.iter_mut().for_each(|row| *row += n1 as i64);

        match (info1, info2) {
            (0, 0) => 0,
            (0, k) => n1 + k,
            (k, _) => k,
        }
    }

    /// Calls `work` with all rows of A, or at the same time with parts of them.
    fn for_rows(&self, a: MatrixMut<'_, T>, work: &(impl Fn(Range<usize>, MatrixMut<'_, T>) + Sync)) {
        match self.crew {
            None => work(0..a.nrows(), a),
            Some(crew) => {
                tall::for_rows(crew, self.kernels.tuning.crew.rows, a, &|_, rows, a| work(rows, a));
            }
        }
    }

    /// Calls `work` with all columns of A, or at the same time with parts of them.
    fn for_columns(&self, a: MatrixMut<'_, T>, work: &(impl Fn(MatrixMut<'_, T>) + Sync)) {
        match self.crew {
            None => work(a),
            Some(crew) => tall::for_columns(crew, self.kernels.tuning.crew.columns, a, work),
        }
    }

    pub(super) fn is_cancelled(&self) -> bool {
        self.monitor.is_some_and(Monitor::is_cancelled)
    }

    pub(super) fn count(&self, flops: impl FnOnce() -> f64) {
        if let Some(monitor) = self.monitor {
            monitor.count(flops());
        }
    }

    /// `info` for the 1-based index of the first zero pivot: without pivoting the same number, negative.
    pub(super) fn info(&self, first_zero: usize) -> i64 {
        match self.pivoting {
            Pivoting::Partial => first_zero as i64,
            Pivoting::None => -(first_zero as i64),
        }
    }

    /// The number of columns of the left part: about half of the pivots, rounded up to whole panels; all of them if they fit
    /// one panel.
    fn split(&self, k: usize, n: usize) -> usize {
        let nb = self.kernels.nb;
        if k <= nb {
            debug_assert!(k < n);
            return k;
        }
        (k / 2).next_multiple_of(nb).min(k - 1)
    }

    /// P A = L U of at most `small` rows and columns; `None` if the system refuses the memory for it.
    fn small(&self, mut a: MatrixMut<'_, T>, ipiv: &mut [i64]) -> Option<usize> {
        let (m, n, lda) = (a.nrows(), a.ncols(), a.lda());
        assert!(ipiv.len() == m.min(n) && !ipiv.is_empty() && m.max(n) <= self.kernels.small);
        let (a, ipiv) = (a.as_mut_ptr(), ipiv.as_mut_ptr());
        let factor = |work| {
            // SAFETY: A is m by n with leading dimension lda, and ipiv has min(m, n) elements; work has WORK, or is not
            // needed.
            unsafe { (self.kernels.factor_small)(Small { m, n, a, lda, ipiv, work }) }
        };
        if m <= self.kernels.tiny_rows && m.max(n) <= TINY {
            return Some(factor(std::ptr::null_mut()));
        }
        scratch::with(WORK, |work| factor(work.as_mut_ptr()))
    }

    /// P A = L U of at most `nb` columns, and no more columns than rows.
    fn panel(&self, mut a: MatrixMut<'_, T>, ipiv: &mut [i64]) -> usize {
        let (m, n, lda) = (a.nrows(), a.ncols(), a.lda());
        if let Some(crew) = self.crew.filter(|_| tall::is_tall_panel(m, n, self.kernels)) {
            return tall::panel(crew, a, ipiv, self.pivoting, self.kernels);
        }
        assert!(n <= m && ipiv.len() == n);
        let (a, ipiv, pivoting) = (a.as_mut_ptr(), ipiv.as_mut_ptr(), self.pivoting);
        // SAFETY: A is m by n with leading dimension lda, and ipiv has n elements.
        unsafe { (self.kernels.panel)(Panel { m, n, a, lda, ipiv, pivoting, part: None }) }
    }
}
