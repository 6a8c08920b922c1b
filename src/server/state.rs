//! What the requests of a session share.

use super::stats::Stats;
use super::store::Store;
use crate::kernel::Isa;
use crate::os::Placement;

/// What a session may use.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// The largest matrix, in bytes.
    pub max_bytes: u64,
    /// Threads for the threaded commands.
    pub threads: usize,
}

/// What the requests of a session share.
pub(super) struct State<'l> {
    pub(super) limits: &'l Limits,
    pub(super) isa: Isa,
    pub(super) store: Store,
    pub(super) stats: Stats,
    pub(super) placement: Placement,
}

impl<'l> State<'l> {
    pub(super) fn new(limits: &'l Limits, isa: Isa) -> Self {
        State { limits, isa, store: Store::default(), stats: Stats::new(), placement: Placement::default() }
    }
}
