//! On which CPU this thread runs.

use nix::sched::{CpuSet, sched_getaffinity, sched_getcpu, sched_setaffinity};
use nix::unistd::Pid;

/// The CPU on which the calling thread runs, if the system tells.
pub(crate) fn current_cpu() -> Option<u32> {
    sched_getcpu().ok().and_then(|cpu| cpu.try_into().ok())
}

/// Keeps the calling thread on one CPU, and lets it go again.
#[derive(Debug, Default)]
pub(crate) struct Placement {
    /// The CPUs that the thread might use before it was first kept on one.
    all: Option<CpuSet>,
    /// The CPU on which it is kept.
    kept: Option<u32>,
}

impl Placement {
    /// Keeps the thread on a CPU. Nothing happens if that is none of those that the process may use, or if the system
    /// refuses.
    pub(crate) fn keep_on(&mut self, cpu: u32) {
        if self.kept == Some(cpu) {
            return;
        }
        if self.all.is_none() {
            self.all = sched_getaffinity(this_thread()).ok();
        }
        let Some(all) = &self.all else { return };
        let mut one = CpuSet::new();
        let may_use = all.is_set(cpu as usize) == Ok(true);
        if may_use && one.set(cpu as usize).is_ok() && sched_setaffinity(this_thread(), &one).is_ok() {
            self.kept = Some(cpu);
        }
    }

    /// Lets the thread use all of its CPUs again.
    pub(crate) fn let_go(&mut self) {
        if let (Some(_), Some(all)) = (self.kept.take(), &self.all) {
            // It may use what it might use before; if the system refuses, it stays where it is.
            let _ = sched_setaffinity(this_thread(), all);
        }
    }
}

fn this_thread() -> Pid {
    Pid::from_raw(0)
}
