//! What others may see of a computation while it runs, and ask of it.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use crate::error::Error;

/// Counts the floating-point operations of a factorization, a solution or an inversion, and can cancel it.
///
/// Its methods only touch atomics, so they may be called from another thread or from a signal handler.
#[derive(Debug, Default)]
pub struct Monitor {
    done: AtomicU64,
    cancelled: AtomicBool,
}

impl Monitor {
    /// Nothing is done, and nothing is cancelled.
    #[must_use]
    pub const fn new() -> Self {
        Monitor { done: AtomicU64::new(0), cancelled: AtomicBool::new(false) }
    }

    /// Makes it as new.
    pub fn reset(&self) {
        self.done.store(0, Ordering::Relaxed);
        self.cancelled.store(false, Ordering::Relaxed);
    }

    /// Has the computation end as soon as its threads have finished the block that they are at.
    pub fn cancel(&self) {
        self.cancelled.store(true, Ordering::Relaxed);
    }

    /// Whether it has been cancelled.
    #[must_use]
    pub fn is_cancelled(&self) -> bool {
        self.cancelled.load(Ordering::Relaxed)
    }

    /// Whether a computation is to go on.
    ///
    /// # Errors
    /// [`Error::Cancelled`].
    pub(super) fn check(monitor: Option<&Self>) -> Result<(), Error> {
        if monitor.is_some_and(Monitor::is_cancelled) { Err(Error::Cancelled) } else { Ok(()) }
    }

    /// Floating-point operations so far, to leading order.
    #[must_use]
    pub fn done(&self) -> u64 {
        self.done.load(Ordering::Relaxed)
    }

    /// From now on this many are done.
    #[cfg(feature = "cli")]
    pub(crate) fn set_done(&self, flops: u64) {
        self.done.store(flops, Ordering::Relaxed);
    }

    #[cold]
    pub(super) fn count(&self, flops: f64) {
        self.done.fetch_add(flops as u64, Ordering::Relaxed);
    }
}

/// Floating-point operations of the factorization of an `m` by `n` matrix, to leading order (LAPACK Working Note 41).
#[must_use]
#[inline(never)]
pub fn flops(m: usize, n: usize) -> f64 {
    let (m, n, k) = (m as f64, n as f64, m.min(n) as f64);
    2.0 * k * (m * n - (m + n) * k / 2.0 + k * k / 3.0)
}

/// Those of the solution of a system of order `n` with `nrhs` right-hand sides, from the factors.
#[must_use]
#[inline(never)]
pub fn solve_flops(n: usize, nrhs: usize) -> f64 {
    2.0 * n as f64 * n as f64 * nrhs as f64
}

/// Those of the inverse of order `n`, from the factors.
#[must_use]
#[inline(never)]
pub fn inverse_flops(n: usize) -> f64 {
    4.0 / 3.0 * (n as f64).powi(3)
}

/// Those of the update of `n` columns with `m` rows by a panel of `k` columns: `k` rows of U, and a product.
#[inline(never)]
pub(super) fn update_flops(m: usize, n: usize, k: usize) -> f64 {
    let (m, n, k) = (m as f64, n as f64, k as f64);
    n * k * k + 2.0 * (m - k).max(0.0) * n * k
}
