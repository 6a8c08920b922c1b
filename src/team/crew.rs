//! Steps that a thread and its helpers do together, one after the other.
//!
//! Between two steps nobody sleeps, so that a step may be as short as a microsecond.

use std::cell::{Cell, UnsafeCell};
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

use super::{run, wait_until};

/// The most parts of a step.
pub(crate) const MAX_PARTS: usize = 64;

/// A thread and the helpers that have come so far.
pub(crate) struct Crew<'a> {
    shared: &'a Shared,
    /// Steps that have had helpers.
    steps: Cell<u64>,
}

/// Part p of a number of parts of a step.
type Step<'s> = dyn Fn(usize, usize) + Sync + 's;

/// What a crew has in common.
struct Shared {
    /// The number of the step, times 256, plus its parts; `END` after the last one.
    step: AtomicU64,
    /// Written by the crew's thread before a step, read by the helpers that have a part in it.
    work: UnsafeCell<*const Step<'static>>,
    /// Helpers that have come.
    helpers: AtomicUsize,
    /// Helpers that have not finished their part.
    working: AtomicUsize,
}

// SAFETY: a step is Sync, so that any thread may call it. `step` and `working` say who may touch `work`, and are changed with the
// ordering that this needs.
unsafe impl Sync for Shared {}

const END: u64 = u64::MAX;

/// Calls `own` with a crew of up to `threads` threads. `flops` is about how many operations all steps have.
pub(crate) fn with_crew(threads: usize, flops: f64, own: &mut dyn FnMut(&Crew<'_>)) {
    let nothing: *const Step<'static> = &|_, _| ();
    let shared = Shared {
        step: AtomicU64::new(0),
        work: UnsafeCell::new(nothing),
        helpers: AtomicUsize::new(0),
        working: AtomicUsize::new(0),
    };
    let mut lead = || {
        own(&Crew { shared: &shared, steps: Cell::new(0) });
        shared.step.store(END, Ordering::Relaxed);
    };
    run(threads.min(MAX_PARTS), flops, &mut lead, &|| shared.help());
}

impl Crew<'_> {
    /// Calls `step(p, parts)` once for each p below `parts`, all at the same time, and returns when all calls have returned.
    /// There are up to `most` parts, and no more than threads have come. Returns their number.
    pub(crate) fn run(&self, most: usize, step: &Step<'_>) -> usize {
        let Shared { step: current, work, helpers, working } = self.shared;
        let parts = most.min(1 + helpers.load(Ordering::Relaxed));
        if parts <= 1 {
            step(0, 1);
            return 1;
        }
        self.steps.set(self.steps.get() + 1);
        // SAFETY: only the lifetime changes. This call returns when no helper runs the step any more; a panic in between aborts.
        let borrowed = unsafe { std::mem::transmute::<*const Step<'_>, *const Step<'static>>(step) };
        // SAFETY: all helpers that had a part in the last step have finished it, and do not look before the next one begins.
        unsafe { *work.get() = borrowed };
        working.store(parts - 1, Ordering::Relaxed);
        current.store(self.steps.get() << 8 | parts as u64, Ordering::Release);
        step(0, parts);
        wait_until(|| working.load(Ordering::Acquire) == 0);
        parts
    }
}

impl Shared {
    /// What a helper does until the last step is over.
    fn help(&self) {
        let me = 1 + self.helpers.fetch_add(1, Ordering::Relaxed);
        let mut last = 0;
        loop {
            wait_until(|| self.step.load(Ordering::Relaxed) != last);
            last = self.step.load(Ordering::Acquire);
            if last == END {
                return;
            }
            // A step that begins without this helper may be over by now.
            let parts = (last & 0xff) as usize;
            if me < parts {
                // SAFETY: the step was written before its number, and does not end before this part does.
                unsafe { (**self.work.get())(me, parts) };
                self.working.fetch_sub(1, Ordering::Release);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_part_of_a_step_is_done_once_and_before_the_step_is_over() {
        for threads in [1, 2, 3, 8] {
            let mut seen = 0;
            with_crew(threads, f64::INFINITY, &mut |crew| {
                // Helpers may come late, or not at all, if this does not wait for them.
                wait_until(|| crew.shared.helpers.load(Ordering::Relaxed) + 1 == threads);
                for most in (1..=8).cycle().take(1000) {
                    let done = [const { AtomicUsize::new(0) }; 8];
                    let parts = crew.run(most, &|part, parts| {
                        assert!(part < parts && parts <= most.min(threads));
                        done[part].fetch_add(1, Ordering::Relaxed);
                    });
                    assert!((0..8).all(|part| done[part].load(Ordering::Relaxed) == usize::from(part < parts)));
                    seen = parts.max(seen);
                }
            });
            assert_eq!(seen, threads);
        }
    }

    #[test]
    fn a_crew_without_steps_ends() {
        for _ in 0..100 {
            let mut calls = 0;
            with_crew(3, f64::INFINITY, &mut |_| calls += 1);
            assert_eq!(calls, 1);
        }
    }
}
