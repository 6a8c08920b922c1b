//! A value of which every process has its own: after `fork` the child makes another.

use std::process;
use std::sync::OnceLock;

/// A value and the process that it belongs to. Locks in the values of other processes may be held for ever, by threads
/// that the fork has left behind.
#[derive(Debug)]
pub(super) struct PerProcess<T> {
    process: u32,
    value: T,
    /// That of the child, in the memory of the child.
    child: OnceLock<Box<PerProcess<T>>>,
}

impl<T> PerProcess<T> {
    /// A value for the process that calls.
    pub(super) fn new(value: T) -> Self {
        PerProcess { process: process::id(), value, child: OnceLock::new() }
    }

    /// The value of the process that calls; `fork` makes it from that of the parent where it has none yet.
    pub(super) fn get(&self, fork: impl Fn(&T) -> T) -> &T {
        let process = process::id();
        let mut at = self;
        while at.process != process {
            at = at.child.get_or_init(|| Box::new(PerProcess::new(fork(&at.value))));
        }
        &at.value
    }
}
