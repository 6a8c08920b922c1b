//! A helper thread: what it and its caller say to each other, and how it waits.

use std::cell::UnsafeCell;
use std::hint::spin_loop;
use std::process;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use nix::sys::signal::{SigSet, SigmaskHow};

use super::{has_memory, wait_until};

/// How long a helper spins before it sleeps: about the time that a client takes from one request to the next.
pub(super) const SPIN_TIME: Duration = Duration::from_micros(50);
/// The stack of a helper, in bytes.
const STACK_BYTES: usize = 1 << 20;
/// An upper bound on what else a helper takes when it starts (its name, its signal stack, its handle), in bytes.
const START_BYTES: usize = 256 << 10;

/// Aborts if a job panics: the other threads would wait for it for ever, or use what it borrows after it has gone.
pub(super) struct AbortOnPanic;

impl Drop for AbortOnPanic {
    fn drop(&mut self) {
        process::abort();
    }
}

/// A helper has nothing to do, and looks for a job.
const IDLE: u32 = 0;
/// A helper has nothing to do, and sleeps until it is woken.
const ASLEEP: u32 = 1;
/// There is a job, which the helper may take and the caller may take back.
const OFFERED: u32 = 2;
/// The helper runs the job; the caller must wait.
const TAKEN: u32 = 3;
/// The helper must end.
const DISMISSED: u32 = 4;

/// What a helper and its caller share.
struct JobSlot {
    state: AtomicU32,
    /// Written by the caller while the state is IDLE or ASLEEP, read by the helper while it is TAKEN.
    job: UnsafeCell<*const (dyn Fn() + Sync)>,
}

// SAFETY: the pointer is to a job that is Sync, so that any thread may call it.
unsafe impl Send for JobSlot {}
// SAFETY: `state` says which of the two threads may touch `job`, and is changed with the ordering that this needs.
unsafe impl Sync for JobSlot {}

pub(super) struct Helper {
    slot: Arc<JobSlot>,
    thread: JoinHandle<()>,
}

impl Helper {
    /// Starts a thread that blocks all signals: those belong to the threads that the program itself made. `None` if the
    /// system refuses a thread or memory.
    pub(super) fn start() -> Option<Self> {
        if !has_memory(STACK_BYTES + START_BYTES) {
            return None;
        }
        let no_job: *const (dyn Fn() + Sync) = &|| ();
        let slot = Arc::new(JobSlot { state: AtomicU32::new(IDLE), job: UnsafeCell::new(no_job) });
        let before = SigSet::all().thread_swap_mask(SigmaskHow::SIG_SETMASK).ok()?;
        let theirs = Arc::clone(&slot);
        let started =
            thread::Builder::new().name("recfact".into()).stack_size(STACK_BYTES).spawn(move || theirs.serve());
        before.thread_set_mask().expect("a mask that was in use");
        Some(Helper { slot, thread: started.ok()? })
    }

    /// Offers a job to a helper that is awake; to one that sleeps only if it may be woken.
    pub(super) fn offer(&self, job: &(dyn Fn() + Sync), wakes: bool) {
        // SAFETY: only the lifetime changes. `withdraw` is called before the job's borrows end, and returns when the
        // helper no longer runs the job; a panic in between aborts.
        let job = unsafe { std::mem::transmute::<*const (dyn Fn() + Sync), *const (dyn Fn() + Sync + 'static)>(job) };
        if !wakes && self.slot.state.load(Ordering::Relaxed) == ASLEEP {
            return;
        }
        // SAFETY: the state is IDLE or ASLEEP, in which the helper does not look at the job.
        unsafe { *self.slot.job.get() = job };
        if self.slot.state.swap(OFFERED, Ordering::Release) == ASLEEP {
            self.thread.thread().unpark();
        }
    }

    /// Takes the job back, or if the helper has taken it, waits for its end.
    pub(super) fn withdraw(&self) {
        let state = &self.slot.state;
        if state.compare_exchange(OFFERED, IDLE, Ordering::Relaxed, Ordering::Acquire).is_err() {
            wait_until(|| state.load(Ordering::Acquire) != TAKEN);
        }
    }

    /// Tells the helper to end.
    pub(super) fn dismiss(&self) {
        self.slot.state.store(DISMISSED, Ordering::Release);
        self.thread.thread().unpark();
    }

    /// Waits for the end of a helper that was dismissed. One that panicked has aborted the process.
    pub(super) fn join(self) {
        drop(self.thread.join());
    }

    #[cfg(test)]
    pub(super) fn is_asleep(&self) -> bool {
        self.slot.state.load(Ordering::Relaxed) == ASLEEP
    }
}

impl JobSlot {
    /// What a helper does until it must end.
    fn serve(&self) {
        loop {
            self.wait_for_a_job();
            match self.state.compare_exchange(OFFERED, TAKEN, Ordering::Acquire, Ordering::Relaxed) {
                Ok(_) => {
                    let guard = AbortOnPanic;
                    // SAFETY: the state is TAKEN: the job was written, and its borrows last until the state is IDLE.
                    unsafe { (**self.job.get())() };
                    std::mem::forget(guard);
                    self.state.store(IDLE, Ordering::Release);
                }
                Err(DISMISSED) => return,
                // The caller has taken the job back in between.
                Err(_) => {}
            }
        }
    }

    /// Spins for a short while, then sleeps, until there is a job.
    fn wait_for_a_job(&self) {
        let mut since = Instant::now();
        while self.state.load(Ordering::Relaxed) == IDLE {
            for _ in 0..64 {
                if self.state.load(Ordering::Relaxed) != IDLE {
                    return;
                }
                spin_loop();
            }
            if since.elapsed() > SPIN_TIME
                && self.state.compare_exchange(IDLE, ASLEEP, Ordering::Relaxed, Ordering::Relaxed).is_ok()
            {
                while self.state.load(Ordering::Relaxed) == ASLEEP {
                    thread::park();
                }
                since = Instant::now();
            }
        }
    }
}
