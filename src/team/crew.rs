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
pub(crate) fn with_crew<R>(threads: usize, flops: f64, own: impl FnOnce(&Crew<'_>) -> R) -> R {
    let nothing: *const Step<'static> = &|_, _| ();
    let shared = Shared {
        step: AtomicU64::new(0),
        work: UnsafeCell::new(nothing),
        helpers: AtomicUsize::new(0),
        working: AtomicUsize::new(0),
    };
    let (mut own, mut result) = (Some(own), None);
    let mut lead = || {
        let own = own.take().expect("this is called once");
        result = Some(own(&Crew { shared: &shared, steps: Cell::new(0) }));
        shared.step.store(END, Ordering::Relaxed);
    };
    run(threads.min(MAX_PARTS), flops, &mut lead, &|| shared.help());
    result.expect("the crew's thread has returned")
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
    fn each_part_of_each_step_is_done_once_and_no_step_begins_before_the_last_one_is_over() {
        for threads in [1, 2, 3, 8] {
            let done: [AtomicUsize; 8] = std::array::from_fn(|_| AtomicUsize::new(0));
            let seen = with_crew(threads, f64::INFINITY, |crew| {
                // Helpers come late, or not at all.
                wait_for(crew, threads);
                (0..1000)
                    .map(|step| {
                        let most = 1 + step % 8;
                        let before: usize = done.iter().map(|count| count.load(Ordering::Relaxed)).sum();
                        let parts = crew.run(most, &|part, parts| {
                            assert!(part < parts && parts <= most.min(threads));
                            done[part].fetch_add(1, Ordering::Relaxed);
                        });
                        let after: usize = done.iter().map(|count| count.load(Ordering::Relaxed)).sum();
                        assert_eq!(after - before, parts);
                        parts
                    })
                    .max()
            });
            assert_eq!(seen, Some(threads));
        }
    }

    /// Waits until all threads of a crew have come.
    fn wait_for(crew: &Crew<'_>, threads: usize) {
        wait_until(|| crew.shared.helpers.load(Ordering::Relaxed) + 1 == threads);
    }

    #[test]
    fn a_crew_without_steps_ends() {
        for _ in 0..100 {
            assert_eq!(with_crew(3, f64::INFINITY, |_| 7), 7);
        }
    }

    #[test]
    fn a_step_may_write_what_it_borrows() {
        let total = with_crew(2, f64::INFINITY, |crew| {
            (0..10_000_u64).fold(0, |total, step| {
                let sums: [AtomicU64; 2] = [const { AtomicU64::new(0) }; 2];
                crew.run(2, &|part, parts| sums[part].store(step * 2 / parts as u64, Ordering::Relaxed));
                let sum = sums.iter().map(|sum| sum.load(Ordering::Relaxed)).sum::<u64>();
                total + sum / 2
            })
        });
        assert_eq!(total, (0..10_000_u64).sum::<u64>());
    }
}
