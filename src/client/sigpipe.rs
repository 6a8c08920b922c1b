//! Writing to a pipe that nobody reads, without a signal.
//!
//! Programs in Rust ignore SIGPIPE unless they were told otherwise, but a library may find itself in one that does
//! not. The signal is then blocked in the writing thread, and taken back before it is let through again.

use std::mem::MaybeUninit;
use std::ptr;

use nix::libc;
use nix::sys::signal::{SigSet, SigmaskHow, Signal};

use crate::os::is_ignored;

/// While it lives, no write of this thread ends the process by SIGPIPE. It must be dropped on the same thread.
pub(super) struct NoSigpipe {
    /// The mask to go back to; `None` where nothing was changed.
    before: Option<SigSet>,
    thread_bound: std::marker::PhantomData<*const ()>,
}

/// The signal alone.
fn sigpipe() -> SigSet {
    let mut set = SigSet::empty();
    set.add(Signal::SIGPIPE);
    set
}

/// Whether it has come to this thread or process, and waits to be let through.
fn is_pending() -> bool {
    let mut pending = MaybeUninit::uninit();
    // SAFETY: a set that the call fills; where it fails nothing is read.
    unsafe { libc::sigpending(pending.as_mut_ptr()) == 0 && libc::sigismember(pending.as_ptr(), libc::SIGPIPE) == 1 }
}

impl NoSigpipe {
    pub(super) fn new() -> Self {
        let block = || sigpipe().thread_swap_mask(SigmaskHow::SIG_BLOCK).ok();
        // A signal that waits already is blocked, and somebody else's: it stays, and another would not be told from it.
        let before = if is_ignored(Signal::SIGPIPE) || is_pending() { None } else { block() };
        NoSigpipe { before, thread_bound: std::marker::PhantomData }
    }
}

impl Drop for NoSigpipe {
    fn drop(&mut self) {
        if let Some(before) = &self.before {
            let now = libc::timespec { tv_sec: 0, tv_nsec: 0 };
            // SAFETY: a set and a time that live through the call; it takes a signal that is pending, or fails at
            // once where none is.
            unsafe { libc::sigtimedwait(sigpipe().as_ref(), ptr::null_mut(), &now) };
            // It fails for no mask that was in use.
            let _ = before.thread_set_mask();
        }
    }
}
