//! A server that a signal ends finishes the request that it has read.

use std::io;
use std::sync::atomic::{AtomicBool, AtomicI32, Ordering};

use nix::sys::signal::{SaFlags, SigAction, SigHandler, SigSet, Signal, raise, sigaction};

use super::disposition::is_ignored;

/// The signal that asked for an end, or 0.
static PENDING: AtomicI32 = AtomicI32::new(0);
/// Whether the server waits for input, so that nothing is lost by ending now.
static WAITING: AtomicBool = AtomicBool::new(false);

/// From now on SIGTERM and SIGINT end the process with status 128 + signal: at once while it waits for input, and after
/// the response if a request has been read; [`end_signal`] tells that one has come. A second signal ends it at once in any case. If the parent has set SIGINT to
/// be ignored, as a shell does for its background jobs, it stays ignored.
///
/// # Errors
/// If the system refuses a handler.
pub(crate) fn end_on_signals() -> io::Result<()> {
    let mut both = SigSet::empty();
    for signal in [Signal::SIGTERM, Signal::SIGINT] {
        if signal == Signal::SIGINT && is_ignored(signal) {
            continue;
        }
        both.add(signal);
        let action = SigAction::new(SigHandler::Handler(on_signal), SaFlags::SA_RESTART, SigSet::empty());
        // SAFETY: the handler touches atomics and calls _exit, both of which are async-signal-safe.
        unsafe { sigaction(signal, &action) }?;
    }
    // A parent that had blocked them when it started this process has passed that mask on.
    both.thread_unblock()?;
    Ok(())
}

/// From now on SIGUSR1 calls a handler.
///
/// # Errors
/// If the system refuses.
pub(crate) fn on_sigusr1(handler: extern "C" fn(i32)) -> io::Result<()> {
    let action = SigAction::new(SigHandler::Handler(handler), SaFlags::SA_RESTART, SigSet::empty());
    // SAFETY: the handler of the one caller touches atomics only.
    unsafe { sigaction(Signal::SIGUSR1, &action) }?;
    let mut signal = SigSet::empty();
    signal.add(Signal::SIGUSR1);
    signal.thread_unblock()?;
    Ok(())
}

/// The signal that has asked for an end.
pub(crate) fn end_signal() -> Option<Signal> {
    Signal::try_from(PENDING.load(Ordering::SeqCst)).ok()
}

/// Ends the process by a signal, as its parent would see it without a handler.
pub(crate) fn end_by(signal: Signal) -> ! {
    let default = SigAction::new(SigHandler::SigDfl, SaFlags::empty(), SigSet::empty());
    // SAFETY: no handler is installed.
    let _ = unsafe { sigaction(signal, &default) };
    let _ = raise(signal);
    exit_by(signal as i32)
}

extern "C" fn on_signal(signal: i32) {
    let again = PENDING.swap(signal, Ordering::SeqCst) != 0;
    if again || WAITING.load(Ordering::SeqCst) {
        exit_by(signal);
    }
}

/// Ends the process with the status of a signal. Async-signal-safe.
fn exit_by(signal: i32) -> ! {
    // SAFETY: _exit has no preconditions.
    unsafe { nix::libc::_exit(128 + signal) }
}

/// Waits for input. A signal that [`end_on_signals`] handles ends the process during the wait; one that has arrived before
/// ends it now.
pub(super) fn while_waiting<R>(wait: impl FnOnce() -> R) -> R {
    WAITING.store(true, Ordering::SeqCst);
    let signal = PENDING.load(Ordering::SeqCst);
    if signal != 0 {
        exit_by(signal);
    }
    let result = wait();
    WAITING.store(false, Ordering::SeqCst);
    result
}
