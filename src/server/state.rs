//! What the requests of a session share.

use super::stats::Stats;
use super::store::Store;
use super::watch::Watch;
use crate::kernel::Isa;
use crate::os::Placement;
use recfact_distributed::Engine;

/// What a session may use.
#[derive(Debug, Clone)]
pub struct Limits {
    /// The largest matrix, in bytes.
    pub max_bytes: u64,
    /// Bytes of all factors that are kept.
    pub keep_bytes: u64,
    /// Threads for the threaded commands.
    pub threads: usize,
    /// What computes with matrices in files, if anything does.
    pub engine: Option<Engine>,
}

/// What the requests of a session share.
pub(super) struct State<'l> {
    pub(super) limits: &'l Limits,
    pub(super) watch: &'l Watch,
    /// The present request, counted from 1; a label belongs to the request that it announces.
    pub(super) request: u64,
    pub(super) isa: Isa,
    pub(super) store: Store,
    pub(super) stats: Stats,
    pub(super) placement: Placement,
}

impl<'l> State<'l> {
    pub(super) fn new(limits: &'l Limits, watch: &'l Watch, isa: Isa) -> Self {
        let (store, stats, placement) = (Store::default(), Stats::new(), Placement::default());
        State { limits, watch, request: 1, isa, store, stats, placement }
    }
}
