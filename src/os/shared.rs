//! Memory that another process can see, and change at any moment.

use std::fmt;
use std::io;
use std::num::NonZeroUsize;
use std::os::fd::OwnedFd;
#[cfg(feature = "cli")]
use std::os::fd::{AsRawFd, BorrowedFd, RawFd};
use std::ptr::NonNull;

use nix::errno::Errno;
use nix::fcntl::{FallocateFlags, FcntlArg, SealFlag, fallocate, fcntl};
#[cfg(feature = "cli")]
use nix::fcntl::{OFlag, open};
use nix::sys::mman::{MapFlags, ProtFlags, mmap, munmap};
#[cfg(feature = "cli")]
use nix::sys::stat::Mode;
use nix::sys::stat::{SFlag, fstat};

#[cfg(feature = "cli")]
use super::descriptor::above_stderr;

/// Bytes that are allocated in one call of the system. A call that a signal interrupts frees all that it has allocated, so a
/// program with a profiler, which has a thousand signals a second, could never finish a long one.
const ALLOCATION_BYTES: i64 = 1 << 20;

/// A mapped memfd that another process has mapped, too. It is reached through pointers only: a reference would promise that
/// nobody changes what it refers to.
#[derive(Debug)]
pub(crate) struct SharedMemory {
    start: NonNull<u8>,
    size: NonZeroUsize,
}

/// Why memory cannot be mapped: what was expected, and the error of the system, if that refused it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Unmappable {
    pub(crate) expected: &'static str,
    pub(crate) error: Option<Errno>,
}

impl fmt::Display for Unmappable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "expected {}", self.expected)?;
        self.error.map_or(Ok(()), |error| write!(f, ", got: {}", io::Error::from(error)))
    }
}

impl Unmappable {
    pub(super) fn because(expected: &'static str) -> impl Fn(Errno) -> Self {
        move |error| Unmappable { expected, error: Some(error) }
    }
}

/// A copy of a descriptor of this process, which must not be negative.
#[cfg(feature = "cli")]
pub(crate) fn inherited(descriptor: RawFd) -> Result<OwnedFd, Unmappable> {
    // SAFETY: the number is not negative, so it is not -1; if no file is open under it, the call says so.
    let borrowed = unsafe { BorrowedFd::borrow_raw(descriptor) };
    above_stderr(borrowed).map_err(Unmappable::because("a descriptor that the server has inherited"))
}

/// The file behind a descriptor of another process, opened anew.
#[cfg(feature = "cli")]
pub(crate) fn of_process(process: i32, descriptor: RawFd) -> Result<OwnedFd, Unmappable> {
    let path = format!("/proc/{process}/fd/{descriptor}");
    // First a look at the file without opening it, which could have an effect: on a device, or on a pipe.
    let refused = Unmappable::because("to open the client's descriptor");
    let look = open(path.as_str(), OFlag::O_PATH | OFlag::O_CLOEXEC, Mode::empty()).map_err(&refused)?;
    check_kind(&look)?;
    let path = format!("/proc/self/fd/{}", look.as_raw_fd());
    open(path.as_str(), OFlag::O_RDWR | OFlag::O_CLOEXEC, Mode::empty()).map_err(&refused)
}

fn check_kind(file: &OwnedFd) -> Result<u64, Unmappable> {
    const KIND: &str = "the descriptor of a memfd";
    let status = fstat(file).map_err(Unmappable::because(KIND))?;
    let kind = SFlag::from_bits_truncate(status.st_mode) & SFlag::S_IFMT;
    if kind != SFlag::S_IFREG {
        return Err(Unmappable { expected: KIND, error: None });
    }
    Ok(u64::try_from(status.st_size).unwrap_or(0))
}

/// Has the system allocate the first `length` bytes of a file.
fn allocate(file: &OwnedFd, length: i64) -> nix::Result<()> {
    let mut start = 0;
    while start < length {
        let bytes = ALLOCATION_BYTES.min(length - start);
        match fallocate(file, FallocateFlags::FALLOC_FL_KEEP_SIZE, start, bytes) {
            Err(Errno::EINTR) => {}
            result => {
                result?;
                start += bytes;
            }
        }
    }
    Ok(())
}

impl SharedMemory {
    /// Maps the first `size` bytes of a memfd that cannot shrink, and has the system allocate them.
    pub(crate) fn map(file: &OwnedFd, size: NonZeroUsize) -> Result<Self, Unmappable> {
        check_kind(file)?;
        // A file of a real file system knows no seals.
        let seals = fcntl(file, FcntlArg::F_GET_SEALS).map_err(Unmappable::because("a memfd with seals"))?;
        if !SealFlag::from_bits_retain(seals).contains(SealFlag::F_SEAL_SHRINK) {
            return Err(Unmappable { expected: "a memfd with F_SEAL_SHRINK", error: None });
        }
        // Only after the seals: from now on the size does not fall.
        if check_kind(file)? < size.get() as u64 {
            return Err(Unmappable { expected: "a memfd of at least the size that is to be mapped", error: None });
        }
        let length =
            i64::try_from(size.get()).map_err(|_| Unmappable::because("a size of a file")(Errno::EOVERFLOW))?;
        // A page that could not be allocated later would kill the process.
        allocate(file, length).map_err(Unmappable::because("memory for all pages of the memfd"))?;
        let protection = ProtFlags::PROT_READ | ProtFlags::PROT_WRITE;
        // Populate: the pages are there, and to map them one by one would take longer.
        let flags = MapFlags::MAP_SHARED | MapFlags::MAP_POPULATE;
        // SAFETY: a new mapping, at an address that the system chooses. What other processes do to it is dealt with by
        // whoever reads it: the only access is by pointer.
        let start = unsafe { mmap(None, size, protection, flags, file, 0) }
            .map_err(Unmappable::because("to map the memfd for reading and writing"))?;
        Ok(SharedMemory { start: start.cast(), size })
    }

    /// Its first byte.
    pub(crate) fn start(&self) -> *mut u8 {
        self.start.as_ptr()
    }

    /// Its size in bytes.
    pub(crate) fn size(&self) -> usize {
        self.size.get()
    }
}

impl Drop for SharedMemory {
    fn drop(&mut self) {
        // SAFETY: the address and size are those of a mapping that this value owns; for such a mapping it does not fail.
        let _ = unsafe { munmap(self.start.cast(), self.size.get()) };
    }
}
