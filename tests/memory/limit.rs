//! A process that gets no more memory.

use nix::sys::resource::{Resource, getrlimit, setrlimit};
use testing::process::status_kib;

/// While it lives the process gets no memory, neither from the system nor from what the allocator has kept.
pub struct NoMemory {
    limits: (u64, u64),
    _hoard: Hoard,
}

impl NoMemory {
    pub fn begin() -> Self {
        let mut hoard = Hoard::default();
        let limits = getrlimit(Resource::RLIMIT_DATA).unwrap();
        setrlimit(Resource::RLIMIT_DATA, (status_kib("self", "VmData") + 4) << 10, limits.1).unwrap();
        hoard.take_all();
        NoMemory { limits, _hoard: hoard }
    }
}

impl Drop for NoMemory {
    fn drop(&mut self) {
        setrlimit(Resource::RLIMIT_DATA, self.limits.0, self.limits.1).unwrap();
    }
}

/// Memory that is taken so that nobody else gets it.
pub struct Hoard(Vec<Vec<u8>>);

impl Default for Hoard {
    fn default() -> Self {
        Hoard(Vec::with_capacity(1 << 16))
    }
}

impl Hoard {
    /// Takes everything that the allocator has for this thread.
    pub fn take_all(&mut self) {
        for bytes in [1 << 16, 1 << 12, 1 << 8, 1 << 4, 1] {
            while let Some(block) = reserve(bytes) {
                assert!(self.0.len() < self.0.capacity(), "the limit does not hold");
                self.0.push(block);
            }
        }
    }
}

fn reserve(bytes: usize) -> Option<Vec<u8>> {
    let mut block = Vec::new();
    block.try_reserve_exact(bytes).ok().map(|()| block)
}
