//! The factors of a group.

use super::solve::Factor;
use super::{Work, lines};
use crate::element::Element;
use crate::kernel::{BATCH_IN_CACHE, FactorGroup, Group, GroupNorm, Lines};
use crate::lu::batch::across::Across;
use crate::lu::batch::determinant::Determinant;
use crate::lu::batch::job::{Job, Swaps};
use crate::lu::batch::single::Factored;
use crate::matrix::MatrixMut;

impl<T: Element> Job<'_, T> {
    /// Factors the matrices at once, and solves their systems. Returns a bit for each matrix that is singular.
    ///
    /// # Safety
    /// As for [`Job::group`].
    pub(super) unsafe fn factor_group(
        &self,
        across: &Across<T>,
        factor: FactorGroup<T>,
        [first, count]: [usize; 2],
        work: &Work<T>,
    ) -> u32 {
        let ((m, n, steps), &Work { columns, pivots, info, norm, .. }) = (self.shape(), work);
        let kernels = across.kernels;
        // SAFETY: the caller's promise.
        unsafe {
            self.load_matrices(across, [first, count], work);
            if self.rcond.is_some() {
                std::slice::from_raw_parts_mut(norm, kernels.lanes).fill(T::ZERO);
                (kernels.norm1)(GroupNorm { m, n, a: columns, lda: across.rows, norm, is_strict: false });
            }
            // L^-1 P B comes with the factors, if the right-hand sides are there.
            let is_with_b = !self.transposed && self.nrhs() <= self.columns_of_x(across);
            let with_b = self.x.filter(|_| is_with_b);
            let r = with_b.map_or(0, |x| self.load_columns(&x, across, [first, count], [0, self.nrhs()], work));
            let (next, ahead) = self.ahead(first + count, kernels.lanes);
            factor(Group { m, n: n + r, steps, work: columns, ipiv: pivots, info, next, ahead });
            if let Some(lu) = &self.lu {
                (kernels.deinterleave)(lines(lu, [first, count], [0, n], columns, across));
            }
            let singular = self.store_results(across, [first, count], work);
            match with_b {
                Some(x) => {
                    let columns = self.behind(work, across, r);
                    self.trsm(across, work, columns, Factor::Upper);
                    let x = lines(&x.block, [first, count], [0, r], columns.first, across);
                    (kernels.deinterleave)(Lines { skipped: singular, ..x });
                }
                None => self.solve_columns(across, [first, count], singular, work),
            }
            singular
        }
    }

    /// Factors the matrices one after the other, and copies their factors to work memory. Returns a bit for each one that is
    /// singular, or `None` if somebody has cancelled the job.
    ///
    /// # Safety
    /// As for [`Job::group`].
    pub(super) unsafe fn factor_apart(
        &self,
        across: &Across<T>,
        [first, count]: [usize; 2],
        work: &Work<T>,
        swaps: &mut [i64],
    ) -> Option<u32> {
        let (lanes, (_, n, _)) = (across.lanes(), self.shape());
        let mut singular = 0;
        // SAFETY: the caller's promise; the memory has room for as many matrices as there are lanes.
        unsafe {
            for lane in 0..count {
                let ipiv = self.swaps_of(first + lane, swaps);
                let place = MatrixMut::from_raw_parts(work.apart.add(lane * n * n), n, n, n);
                let Factored { norm, info } = self.factor_single(first + lane, place, ipiv)?;
                singular |= u32::from(info != 0) << lane;
                // The lanes beyond the last matrix have it once more.
                for lane in lane..if lane + 1 < count { lane + 1 } else { lanes } {
                    *work.norm.add(lane) = norm;
                    for (k, &row) in ipiv.iter().enumerate() {
                        *work.pivots.add(k * lanes + lane) = row as i32;
                    }
                }
            }
            (across.kernels.interleave)(Lines {
                matrices: count,
                skipped: 0,
                stride: n * n,
                length: n,
                lines: n,
                a: work.apart,
                lda: n,
                work: work.columns,
                step: 1,
                next: across.rows,
            });
        }
        Some(singular)
    }

    /// Where the next group is, and the cache lines of it for each column of this one; none if the batch is in the L2 cache.
    fn ahead(&self, next: usize, lanes: usize) -> (*const T, usize) {
        let geometry = self.a.geometry;
        let one = geometry.stride() * size_of::<T>();
        let is_in_cache = geometry.count() * one <= BATCH_IN_CACHE;
        let lines = if is_in_cache { 0 } else { (lanes * one).div_ceil(64 * geometry.ncols()) };
        (self.a.matrix(next), lines)
    }

    /// Stores row swaps, `info` and determinants. Returns a bit for each matrix that is singular.
    ///
    /// # Safety
    /// As for [`Job::group`].
    pub(super) unsafe fn store_results(&self, across: &Across<T>, [first, count]: [usize; 2], work: &Work<T>) -> u32 {
        let (lanes, (_, n, steps)) = (across.lanes(), self.shape());
        let mut singular = 0;
        // SAFETY: the results have elements for these matrices, and the work memory for every lane.
        unsafe {
            let rows = |lane: usize| (0..steps).map(move |k| *work.pivots.add(k * lanes + lane));
            match self.swaps {
                Swaps::Lapack(ipiv) => {
                    let mut to = ipiv.add(first * steps);
                    for lane in 0..count {
                        for row in rows(lane) {
                            *to = i64::from(row);
                            to = to.add(1);
                        }
                    }
                }
                Swaps::ZeroBased(piv) => {
                    let mut to = piv.add(first * steps);
                    for lane in 0..count {
                        for row in rows(lane) {
                            *to = row - 1;
                            to = to.add(1);
                        }
                    }
                }
                Swaps::Nowhere => {}
            }
            for lane in 0..count {
                let info = *work.info.add(lane);
                singular |= u32::from(info > 0) << lane;
                self.info.inspect(|to| *to.add(first + lane) = i64::from(info));
            }
            if let Some(det) = self.det {
                for lane in 0..count {
                    let pivots = (0..n).map(|k| *work.columns.add(k * (across.rows + 1) * lanes + lane));
                    let swaps = rows(lane).zip(1..).filter(|(row, k)| row != k).count();
                    *det.add(first + lane) = Determinant::of(pivots, swaps);
                }
            }
        }
        singular
    }
}
