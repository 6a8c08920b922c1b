//! Writing to a pipe that nobody reads, without a signal.
//!
//! Programs in Rust ignore SIGPIPE unless they were told otherwise, but a library may find itself in one that does
//! not. The signal is then blocked in the writing thread, and taken back before it is let through again.

use std::ptr;

use nix::libc;
use nix::sys::signal::{SigSet, SigmaskHow, Signal};

use crate::os::is_ignored;

/// While it lives, no write of this thread ends the process by SIGPIPE. It must be dropped on the same thread.
pub(super) struct NoSigpipe {
    /// The mask to go back to; `None` where the signal is ignored anyway.
    before: Option<SigSet>,
    thread_bound: std::marker::PhantomData<*const ()>,
}

/// The signal alone.
fn sigpipe() -> SigSet {
    let mut set = SigSet::empty();
    set.add(Signal::SIGPIPE);
    set
}

impl NoSigpipe {
    pub(super) fn new() -> Self {
        let block = || sigpipe().thread_swap_mask(SigmaskHow::SIG_BLOCK).ok();
        let before = if is_ignored(Signal::SIGPIPE) { None } else { block() };
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
