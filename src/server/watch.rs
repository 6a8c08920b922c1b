//! What others may know of a session while it computes, and ask of it.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread::Thread;

use crate::lu::Monitor;

/// Operations of a request that may be worth a report: a slow core takes half a second for them.
const LONG_FLOPS: f64 = 1e9;

/// The request that is being computed.
///
/// Its methods only touch atomics, except those for the thread that reports.
#[derive(Debug, Default)]
pub struct Watch {
    monitor: Monitor,
    /// The request, counted from 1; 0 between requests.
    request: AtomicU64,
    /// Operations of the request.
    total: AtomicU64,
    /// The last long request that was not computed to its end; 0 if there is none.
    given_up: AtomicU64,
    reporter: OnceLock<Thread>,
}

impl Watch {
    /// No request is being computed.
    #[must_use]
    pub const fn new() -> Self {
        Watch {
            monitor: Monitor::new(),
            request: AtomicU64::new(0),
            total: AtomicU64::new(0),
            given_up: AtomicU64::new(0),
            reporter: OnceLock::new(),
        }
    }

    /// Cancels the request that is being computed; between requests it does nothing. May be called in a signal handler.
    pub fn cancel(&self) {
        if self.request.load(Ordering::SeqCst) != 0 {
            self.monitor.cancel();
        }
    }

    /// The request that is being computed, counted from 1, and how much of it is done, from 0 to 1.
    #[must_use]
    pub fn progress(&self) -> Option<(u64, f64)> {
        let (request, total) = (self.request.load(Ordering::SeqCst), self.total.load(Ordering::Relaxed));
        (request != 0).then(|| (request, (self.monitor.done() as f64 / total.max(1) as f64).min(1.0)))
    }

    /// Whether this long request, which is over, was computed to its end.
    #[must_use]
    pub fn is_completed(&self, request: u64) -> bool {
        self.given_up.load(Ordering::SeqCst) != request
    }

    /// From now on the calling thread is unparked when a long computation begins.
    pub fn report_to_this_thread(&self) {
        let _ = self.reporter.set(std::thread::current());
    }

    /// Calls `compute` as the computation of a request, which takes this number of floating-point operations.
    pub(super) fn during<R, E>(
        &self,
        request: u64,
        total: f64,
        compute: impl FnOnce(&Monitor) -> Result<R, E>,
    ) -> Result<R, E> {
        self.monitor.reset();
        self.total.store(total as u64, Ordering::Relaxed);
        self.request.store(request, Ordering::SeqCst);
        let is_long = total >= LONG_FLOPS;
        if is_long && let Some(reporter) = self.reporter.get() {
            reporter.unpark();
        }
        let result = compute(&self.monitor);
        if is_long && result.is_err() {
            self.given_up.store(request, Ordering::SeqCst);
        }
        self.request.store(0, Ordering::SeqCst);
        result
    }
}
