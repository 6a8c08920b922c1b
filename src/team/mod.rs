//! Helper threads that stay from one factorization to the next.
//!
//! Each thread that factors has a team of its own. Its helpers spin for a short while after a job, then sleep, so that
//! an idle process uses no processor time. A job is offered, not assigned: if a helper has not taken it by the time the
//! others are done, the call does not wait for that helper. To wake a helper costs more than a small job: there, only calls in
//! quick succession do it.

use std::cell::{Cell, RefCell};
use std::ffi::c_void;
use std::hint::{black_box, spin_loop};
use std::num::NonZeroUsize;
use std::process;
use std::sync::OnceLock;
use std::thread::{self, LocalKey};
use std::time::Instant;

use nix::libc::{pthread_key_create, pthread_key_t, pthread_setspecific};

mod crew;
mod helper;

pub(crate) use crew::{Crew, MAX_PARTS, with_crew};
use helper::{AbortOnPanic, Helper, SPIN_TIME};

/// A job of at least this many operations wakes helpers that sleep. A smaller one does if the last one ended less than `SPIN_TIME`
/// ago: then they will be awake for the next. Zen 4, two threads, LU of order 100 to 230 once in 0.3 ms, f64, on 2026-11-29: to wake a
/// helper took 10 us of the caller's time and 20 to 40 us until it came, and two threads took less time than one from order 144 to 180 on.
const WAKE_FLOPS: f64 = 3e6;
/// Iterations of a spinning wait before it lets other threads run.
const SPINS_BEFORE_YIELD: u32 = 1000;

/// An upper bound on what the standard library takes to read files and environment variables, in bytes.
const READ_BYTES: usize = 64 << 10;
/// An upper bound on what the C library takes to note a destructor, in bytes; more than what the allocator caches for each
/// thread, which the C library does not use for this.
const NOTE_BYTES: usize = 4 << 10;

/// Whether the system has this much memory just now. Code that cannot report a failed allocation (the standard library, the
/// C library) ends the process. So what it takes is asked for first, in one piece, and freed at once.
fn has_memory(bytes: usize) -> bool {
    let mut probe = Vec::<u8>::new();
    let refused = probe.try_reserve_exact(bytes).is_err();
    drop(black_box(probe));
    !refused
}

/// Whether this thread may use a thread-local value that has a destructor: at the first use the C library takes memory to
/// note the destructor, or ends the process. `used` is the value's mark in this thread that there was such a use.
pub(crate) fn may_use_local(used: &'static LocalKey<Cell<bool>>) -> bool {
    if !used.get() {
        used.set(has_memory(NOTE_BYTES));
    }
    used.get()
}

/// Processors that this process may use; one while there is no memory to find out.
pub(crate) fn cores() -> usize {
    static CORES: OnceLock<usize> = OnceLock::new();
    if CORES.get().is_none() && !has_memory(READ_BYTES) {
        return 1;
    }
    *CORES.get_or_init(|| thread::available_parallelism().map_or(1, NonZeroUsize::get))
}

/// The number of threads to use if the caller does not choose one: the environment variable `RECFACT_NUM_THREADS` if that is
/// a number above zero, otherwise one for each processor. The variable is read once.
pub fn default_threads() -> usize {
    static THREADS: OnceLock<usize> = OnceLock::new();
    if THREADS.get().is_none() && !has_memory(READ_BYTES) {
        return 1;
    }
    *THREADS.get_or_init(|| {
        let named = std::env::var("RECFACT_NUM_THREADS").ok().and_then(|value| value.trim().parse().ok());
        named.filter(|&threads| threads > 0).unwrap_or_else(cores)
    })
}

/// Calls `own` on this thread and, at the same time, `job` on up to `threads - 1` helpers; returns when all calls have
/// returned. `flops` is about how many operations the whole job has.
///
/// A helper may call `job` late, or not at all: `own` must do all the work that helpers leave.
#[inline(never)] // one copy for all callers
pub(crate) fn run(threads: usize, flops: f64, own: &mut dyn FnMut(), job: &(dyn Fn() + Sync)) {
    if threads <= 1 || !may_use_local(&USED) {
        return own();
    }
    let with_helpers = TEAM.try_with(|team| {
        let mut team = team.borrow_mut();
        let wakes = flops >= WAKE_FLOPS || team.last.is_some_and(|last| last.elapsed() < SPIN_TIME);
        let helpers = team.helpers(threads - 1);
        let guard = AbortOnPanic;
        helpers.iter().for_each(|helper| helper.offer(job, wakes));
        own();
        // From here on the job's borrows may end.
        helpers.iter().for_each(Helper::withdraw);
        std::mem::forget(guard);
        team.last = Some(Instant::now());
    });
    if with_helpers.is_err() {
        // A thread that is about to end has no team.
        own();
    }
}

/// Ends the helpers of the calling thread.
pub(crate) fn release() {
    if USED.get() {
        // A thread that is about to end has already dropped its team.
        let _ = TEAM.try_with(|team| team.replace(Team::new(0)));
    }
}

/// Ends the helpers of the calling thread with it, also if it is the program's first thread and calls `pthread_exit`. The
/// C library then calls the destructors of keys, but not those of thread-local memory, and a process whose last threads
/// are helpers would never end.
fn end_with_thread() {
    extern "C" fn end(_: *mut c_void) {
        release();
    }
    static KEY: OnceLock<Option<pthread_key_t>> = OnceLock::new();
    let key = *KEY.get_or_init(|| {
        let mut key = 0;
        // SAFETY: the key is written to a local variable; its destructor takes any value.
        (unsafe { pthread_key_create(&mut key, Some(end)) } == 0).then_some(key)
    });
    if let Some(key) = key {
        // A destructor is called for values that are not null.
        let value: *const c_void = (&raw const KEY).cast();
        // SAFETY: the key exists, and its value is never read. If there is no memory for the value, only the destructor
        // is not called.
        unsafe { pthread_setspecific(key, value) };
    }
}

/// Waits for another thread of the team: spins at first, then lets other threads run in between.
pub(crate) fn wait_until(condition: impl Fn() -> bool) {
    let mut spins = 0;
    while !condition() {
        if spins < SPINS_BEFORE_YIELD {
            spins += 1;
            spin_loop();
        } else {
            thread::yield_now();
        }
    }
}

thread_local! {
    static TEAM: RefCell<Team> = const { RefCell::new(Team::new(0)) };
    /// Whether `TEAM` was used.
    static USED: Cell<bool> = const { Cell::new(false) };
}

struct Team {
    helpers: Vec<Helper>,
    /// The process that started them: a forked child does not have these threads.
    process: u32,
    /// When the last job ended.
    last: Option<Instant>,
}

impl Team {
    const fn new(process: u32) -> Self {
        Team { helpers: Vec::new(), process, last: None }
    }

    /// Up to `count` helpers; fewer if the system refuses threads or memory.
    fn helpers(&mut self, count: usize) -> &[Helper] {
        let process = process::id();
        if self.process != process {
            *self = Team::new(process);
            end_with_thread();
        }
        while self.helpers.len() < count && self.helpers.try_reserve(1).is_ok() {
            match Helper::start() {
                Some(helper) => self.helpers.push(helper),
                None => break,
            }
        }
        &self.helpers[..count.min(self.helpers.len())]
    }
}

impl Drop for Team {
    /// Ends the helpers and waits for them, so that none outlives the thread that it belongs to.
    fn drop(&mut self) {
        let helpers = std::mem::take(&mut self.helpers);
        if self.process != process::id() {
            return helpers.into_iter().for_each(std::mem::forget);
        }
        helpers.iter().for_each(Helper::dismiss);
        helpers.into_iter().for_each(Helper::join);
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::time::Duration;

    use super::*;

    /// Has a team take the parts of a job by number. Returns how many were done.
    fn count(threads: usize, parts: usize) -> usize {
        let (next, done) = (AtomicUsize::new(0), AtomicUsize::new(0));
        let job = || {
            while next.fetch_add(1, Ordering::Relaxed) < parts {
                done.fetch_add(1, Ordering::Relaxed);
            }
        };
        run(threads, f64::INFINITY, &mut &job, &job);
        done.into_inner()
    }

    #[test]
    fn every_part_of_a_job_is_done_once_whoever_does_it() {
        for threads in [0, 1, 2, 3, 8] {
            for parts in [0, 1, 2, 1000] {
                assert_eq!(count(threads, parts), parts);
            }
        }
    }

    #[test]
    fn a_helper_that_sleeps_takes_the_next_job() {
        for _ in 0..20 {
            thread::sleep(4 * SPIN_TIME);
            let helpers = AtomicUsize::new(0);
            // The caller leaves only when a helper has come.
            let wait = || wait_until(|| helpers.load(Ordering::Acquire) == 1);
            run(2, f64::INFINITY, &mut &wait, &|| helpers.store(1, Ordering::Release));
        }
    }

    /// Makes a helper, and waits until it sleeps.
    fn put_to_sleep() {
        run(2, f64::INFINITY, &mut || (), &|| ());
        TEAM.with_borrow(|team| wait_until(|| team.helpers[0].is_asleep()));
    }

    /// Whether a helper comes to a small job.
    fn comes_to_small_job() -> bool {
        let (start, helpers) = (Instant::now(), AtomicUsize::new(0));
        let own = || wait_until(|| helpers.load(Ordering::Relaxed) > 0 || start.elapsed() > Duration::from_millis(5));
        run(2, 0.0, &mut &own, &|| helpers.store(1, Ordering::Relaxed));
        helpers.into_inner() > 0
    }

    #[test]
    fn small_jobs_wake_a_helper_only_in_quick_succession() {
        let comes = |last| {
            put_to_sleep();
            TEAM.with_borrow_mut(|team| team.last = last);
            comes_to_small_job()
        };
        assert!((0..20).all(|_| !comes(None)));
        assert!((0..100).any(|_| comes(Some(Instant::now() + Duration::from_secs(60)))));
    }

    fn threads_of_this_process() -> usize {
        std::fs::read_dir("/proc/self/task").unwrap().count()
    }

    #[test]
    fn no_helper_outlives_its_thread_or_a_release() {
        // Other tests of this program have helpers, too, but fewer than this.
        const MANY: usize = 200;
        let threads_with_helpers = || {
            run(MANY, 0.0, &mut || (), &|| ());
            threads_of_this_process()
        };
        assert!(threads_with_helpers() >= MANY);
        release();
        assert!(threads_of_this_process() < MANY);
        assert!(thread::spawn(threads_with_helpers).join().unwrap() >= MANY);
        assert!(threads_of_this_process() < MANY);
    }

    #[test]
    fn many_callers_have_their_own_teams() {
        thread::scope(|scope| {
            for _ in 0..8 {
                scope.spawn(|| (0..50).for_each(|_| assert_eq!(count(3, 100), 100)));
            }
        });
    }
}
