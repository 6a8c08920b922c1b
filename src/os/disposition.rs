//! What a process does with a signal.

#[cfg(feature = "client")]
use std::fs;

use nix::sys::signal::Signal;

/// Whether this process ignores this signal.
pub(crate) fn is_ignored(signal: Signal) -> bool {
    let mut action = std::mem::MaybeUninit::<nix::libc::sigaction>::zeroed();
    // SAFETY: without a new action the call only writes the present one. If it fails, all zeros are a valid value, too.
    unsafe {
        nix::libc::sigaction(signal as i32, std::ptr::null(), action.as_mut_ptr());
        action.assume_init().sa_sigaction == nix::libc::SIG_IGN
    }
}

/// Whether another process has a handler for this signal. `false` if there is no such process, or if the system does not
/// tell.
#[cfg(feature = "client")]
pub(crate) fn catches(process: u32, signal: Signal) -> bool {
    let status = fs::read_to_string(format!("/proc/{process}/status")).unwrap_or_default();
    // A hexadecimal number, whose lowest bit is signal 1.
    let caught = status.lines().find_map(|line| u64::from_str_radix(line.strip_prefix("SigCgt:")?.trim(), 16).ok());
    caught.is_some_and(|caught| caught >> (signal as u32 - 1) & 1 == 1)
}
