//! A value that belongs to one process: after `fork` the child makes its own.

use std::process;
use std::sync::OnceLock;

/// A value and the process that it belongs to. A forked child must not wait for locks in the value of its parent: a thread
/// that does not exist in the child may hold them.
#[derive(Debug)]
pub(super) struct PerProcess<T> {
    process: u32,
    value: T,
    /// The value of the child; set in the memory of the child only.
    child: OnceLock<Box<PerProcess<T>>>,
}

impl<T> PerProcess<T> {
    /// A value for the calling process.
    pub(super) fn new(value: T) -> Self {
        PerProcess { process: process::id(), value, child: OnceLock::new() }
    }

    /// The value of the calling process. If it has none yet, `fork` makes it from that of the parent.
    pub(super) fn get(&self, fork: impl Fn(&T) -> T) -> &T {
        let process = process::id();
        let mut at = self;
        while at.process != process {
            at = at.child.get_or_init(|| Box::new(PerProcess::new(fork(&at.value))));
        }
        &at.value
    }
}
