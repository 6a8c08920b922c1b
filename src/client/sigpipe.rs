//! Writing to a pipe whose reader has gone, without a signal.
//!
//! A program in Rust ignores SIGPIPE unless it changes that, but this library may be part of a program that does not. The
//! signal is then blocked in the writing thread, and discarded before it is unblocked.

use std::mem::MaybeUninit;
use std::ptr;

use nix::libc;
use nix::sys::signal::{SigSet, SigmaskHow, Signal};

use crate::os::is_ignored;

/// While it lives, no write of this thread ends the process by SIGPIPE. It must be dropped on the same thread.
pub(super) struct NoSigpipe {
    /// The mask to restore; `None` if nothing was changed.
    before: Option<SigSet>,
    thread_bound: std::marker::PhantomData<*const ()>,
}

/// The signal alone.
fn sigpipe() -> SigSet {
    let mut set = SigSet::empty();
    set.add(Signal::SIGPIPE);
    set
}

/// Whether it is pending for this thread or process.
fn is_pending() -> bool {
    let mut pending = MaybeUninit::uninit();
    // SAFETY: the call fills the set; if it fails, the set is not read.
    unsafe { libc::sigpending(pending.as_mut_ptr()) == 0 && libc::sigismember(pending.as_ptr(), libc::SIGPIPE) == 1 }
}

impl NoSigpipe {
    pub(super) fn new() -> Self {
        let block = || sigpipe().thread_swap_mask(SigmaskHow::SIG_BLOCK).ok();
        // A signal that is already pending is blocked, and not ours. It must stay pending, and cannot be told from one that
        // a write here raises; so nothing is changed.
        let before = if is_ignored(Signal::SIGPIPE) || is_pending() { None } else { block() };
        NoSigpipe { before, thread_bound: std::marker::PhantomData }
    }
}

impl Drop for NoSigpipe {
    fn drop(&mut self) {
        if let Some(before) = &self.before {
            let now = libc::timespec { tv_sec: 0, tv_nsec: 0 };
            // SAFETY: the set and the time live through the call. It removes a pending signal, or fails at once if there is
            // none.
            unsafe { libc::sigtimedwait(sigpipe().as_ref(), ptr::null_mut(), &now) };
            // It cannot fail for a mask that was in use.
            let _ = before.thread_set_mask();
        }
    }
}
