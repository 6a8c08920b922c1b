//! Memory from the system, page by page, and how much of it there is.

use std::fs::File;
use std::io::{self, Read};
use std::num::NonZeroUsize;
use std::ptr::NonNull;

use nix::sys::mman::{MapFlags, MmapAdvise, ProtFlags, madvise, mmap_anonymous, munmap};
use nix::unistd::{SysconfVar, sysconf};

/// The machine's physical memory in bytes, if the system reports it.
#[must_use]
pub(crate) fn physical_memory() -> Option<u64> {
    let pages = sysconf(SysconfVar::_PHYS_PAGES).ok()??;
    let page = sysconf(SysconfVar::PAGE_SIZE).ok()??;
    u64::try_from(pages).ok()?.checked_mul(u64::try_from(page).ok()?)
}

/// Resident memory of this process in bytes, now and at its peak, if the system tells.
pub(crate) fn resident_memory() -> Option<(u64, u64)> {
    let (mut text, mut length) = ([0; 4096], 0);
    let mut file = File::open("/proc/self/status").ok()?;
    while let got @ 1.. = file.read(&mut text[length..]).ok()? {
        length += got;
    }
    let text = std::str::from_utf8(&text[..length]).ok()?;
    let bytes = |key: &str| {
        let line = text.lines().find_map(|line| line.strip_prefix(key))?;
        Some(line.trim().strip_suffix("kB")?.trim().parse::<u64>().ok()? * 1024)
    };
    Some((bytes("VmRSS:")?, bytes("VmHWM:")?))
}

/// The smallest mapping for which huge pages are asked for: two pages of 2 MiB.
const HUGE_BYTES: usize = 4 << 20;

/// Private zeroed memory from the system, aligned to pages. A page takes memory when it is first touched.
#[derive(Debug)]
pub(crate) struct Mapping {
    start: NonNull<u8>,
    size: NonZeroUsize,
}

// SAFETY: the mapping is owned, as a Box<[u8]> owns its bytes.
unsafe impl Send for Mapping {}

impl Mapping {
    /// Maps `size` bytes.
    ///
    /// # Errors
    /// If the system refuses. It refuses zero bytes, and more than it has.
    pub(crate) fn anonymous(size: usize) -> io::Result<Self> {
        let size = NonZeroUsize::new(size).ok_or(io::ErrorKind::InvalidInput)?;
        let protection = ProtFlags::PROT_READ | ProtFlags::PROT_WRITE;
        // SAFETY: a new private mapping, at an address that the system chooses, aliases nothing.
        let start = unsafe { mmap_anonymous(None, size, protection, MapFlags::MAP_PRIVATE) }?;
        if size.get() >= HUGE_BYTES {
            // A large matrix costs fewer page faults and fewer misses of the TLB. If the system refuses, it is only slower.
            // SAFETY: the advice changes no byte of the mapping.
            let _ = unsafe { madvise(start, size.get(), MmapAdvise::MADV_HUGEPAGE) };
        }
        Ok(Mapping { start: start.cast(), size })
    }

    /// Its size in bytes.
    #[must_use]
    pub(crate) fn size(&self) -> usize {
        self.size.get()
    }

    /// Its bytes.
    #[must_use]
    pub(crate) fn as_mut_slice(&mut self) -> &mut [u8] {
        // SAFETY: the mapping is readable and writable, initialized (zeroed) by the system, and borrowed mutably.
        unsafe { std::slice::from_raw_parts_mut(self.start.as_ptr(), self.size.get()) }
    }
}

impl Drop for Mapping {
    fn drop(&mut self) {
        // SAFETY: the address and size are those of a mapping that this value owns; for such a mapping it does not fail.
        let _ = unsafe { munmap(self.start.cast(), self.size.get()) };
    }
}
