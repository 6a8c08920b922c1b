//! How much work a request of an extended frame is, and on which CPU it is done.

use super::state::Limits;
use crate::os::Placement;

/// Operations of a computation that is done on the CPU of the client: it is over before the scheduler would have moved
/// another process away from there. With one thread that is a millisecond (30 GFLOP/s, a Zen 3 with AVX2, November 2026); with
/// several only what a single one does (`min_work_for_helpers` in `kernel/tuning.rs`).
const SHORT_FLOPS: f64 = 3e7;
const SHORT_THREADED_FLOPS: f64 = 1e6;

/// A computation of a request.
pub(super) struct Effort {
    pub(super) operations: f64,
    pub(super) threads: usize,
}

impl Effort {
    /// A computation begins, with up to this number of threads; 0 for all that the session may use.
    pub(super) fn begin(operations: f64, threads: u32, limits: &Limits, placement: &mut Placement) -> Self {
        let threads = match threads as usize {
            0 => limits.threads,
            threads => threads.min(limits.threads),
        };
        let effort = Effort { operations, threads };
        if !effort.is_short() {
            placement.let_go();
        }
        effort
    }

    /// The client, which has told its CPU, has its answer. If the computation was short, from the next request on this process
    /// wakes where the client, which then waits, has just run.
    pub(super) fn end(&self, cpu: Option<u32>, placement: &mut Placement) {
        if let Some(cpu) = cpu.filter(|_| self.is_short()) {
            placement.keep_on(cpu);
        }
    }

    fn is_short(&self) -> bool {
        self.operations < if self.threads > 1 { SHORT_THREADED_FLOPS } else { SHORT_FLOPS }
    }
}
