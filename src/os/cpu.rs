//! On which CPU this thread runs.

use nix::sched::sched_getcpu;

/// The CPU on which the calling thread runs, if the system tells.
pub(crate) fn current_cpu() -> Option<u32> {
    sched_getcpu().ok().and_then(|cpu| cpu.try_into().ok())
}
