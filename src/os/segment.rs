//! Memory that this process shares with its children: a memfd that is made, grown and mapped here.

use std::io;
use std::mem;
use std::num::NonZeroUsize;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};
use std::os::unix::process::CommandExt;
use std::process::{self, Command};
use std::ptr::NonNull;

use nix::errno::Errno;
use nix::fcntl::{FallocateFlags, FcntlArg, FdFlag, SealFlag, fallocate, fcntl};
use nix::libc::STDIN_FILENO;
use nix::sys::memfd::{MFdFlags, memfd_create};
use nix::sys::mman::{MmapAdvise, madvise};
use nix::sys::resource::{Resource, getrlimit};
use nix::unistd::ftruncate;

use super::descriptor::above_stderr;
use super::shared::{SharedMemory, Unmappable};

/// A memfd and its mapping in this process.
///
/// A forked child has the descriptor, but not the mapping, and must not touch the address: something else may be there.
#[derive(Debug)]
pub(crate) struct Segment {
    file: OwnedFd,
    /// Bytes of the file, which is sealed against shrinking.
    file_bytes: usize,
    memory: Option<SharedMemory>,
    /// The process that has mapped it.
    owner: u32,
}

// SAFETY: the mapping is owned, and is reached through pointers by whoever has the segment.
unsafe impl Send for Segment {}

impl Segment {
    /// Makes an empty memfd that cannot shrink. The descriptor is close-on-exec.
    pub(crate) fn new() -> io::Result<Self> {
        let file = memfd_create("recfact", MFdFlags::MFD_CLOEXEC | MFdFlags::MFD_ALLOW_SEALING)?;
        // A child's stdin, stdout and stderr would take the place of these.
        let file = if file.as_raw_fd() > 2 { file } else { above_stderr(&file)? };
        fcntl(&file, FcntlArg::F_ADD_SEALS(SealFlag::F_SEAL_SHRINK | SealFlag::F_SEAL_SEAL))?;
        Ok(Segment { file, file_bytes: 0, memory: None, owner: process::id() })
    }

    /// The memfd.
    pub(crate) fn file(&self) -> BorrowedFd<'_> {
        self.file.as_fd()
    }

    /// Bytes that are mapped.
    pub(crate) fn size(&self) -> usize {
        self.memory.as_ref().map_or(0, SharedMemory::size)
    }

    /// The first byte that is mapped.
    pub(crate) fn start(&self) -> *mut u8 {
        self.memory.as_ref().map_or(NonNull::dangling().as_ptr(), SharedMemory::start)
    }

    /// Maps `size` bytes in place of what was mapped, and frees the pages of the file after them. What is in the bytes
    /// that stay is kept.
    ///
    /// # Errors
    /// If the system refuses; then nothing has changed.
    pub(crate) fn resize(&mut self, size: NonZeroUsize) -> Result<(), Unmappable> {
        let result = self.map(size);
        // After a failure, some pages may have been allocated for nothing.
        self.free_from(self.size());
        result
    }

    fn map(&mut self, size: NonZeroUsize) -> Result<(), Unmappable> {
        if size.get() > self.file_bytes {
            lengthen(&self.file, size.get()).map_err(Unmappable::because("a longer memfd"))?;
            self.file_bytes = size.get();
        }
        let memory = SharedMemory::map(&self.file, size)?;
        let start = NonNull::new(memory.start()).expect("an address that the system has chosen").cast();
        // SAFETY: the whole mapping, which has just been made. The advice does not change what it holds.
        unsafe { madvise(start, size.get(), MmapAdvise::MADV_DONTFORK) }
            .map_err(Unmappable::because("to keep the memory from forked children"))?;
        self.memory = Some(memory);
        Ok(())
    }

    /// Frees the pages from `start` on. If the system cannot do that, they stay until the segment is dropped.
    fn free_from(&self, start: usize) {
        let punch = FallocateFlags::FALLOC_FL_PUNCH_HOLE | FallocateFlags::FALLOC_FL_KEEP_SIZE;
        if start < self.file_bytes {
            let _ = fallocate(&self.file, punch, start as i64, (self.file_bytes - start) as i64);
        }
    }
}

impl Drop for Segment {
    fn drop(&mut self) {
        if self.owner != process::id() {
            mem::forget(self.memory.take());
        }
    }
}

/// Makes a file longer. A file beyond the limit of the process is an error: the system would also send SIGXFSZ, which ends
/// the program.
fn lengthen(file: &OwnedFd, size: usize) -> nix::Result<()> {
    let (limit, _) = getrlimit(Resource::RLIMIT_FSIZE)?;
    match i64::try_from(size) {
        Ok(length) if size as u64 <= limit => ftruncate(file, length),
        _ => Err(Errno::EFBIG),
    }
}

/// The process that this command starts inherits the descriptor, under its number; no other child does. The descriptor must
/// be open when the command is run.
pub(crate) fn let_inherit(command: &mut Command, fd: BorrowedFd<'_>) {
    let fd = fd.as_raw_fd();
    let inherit = move || {
        // If the program has closed its stdin, the pipe for that of the child may have this number already. The standard
        // library then leaves it close-on-exec in a child with a closure like this one.
        for fd in [STDIN_FILENO, fd] {
            // SAFETY: both descriptors are open: that of the child's stdin, and one that was open when the process forked.
            let fd = unsafe { BorrowedFd::borrow_raw(fd) };
            fcntl(fd, FcntlArg::F_SETFD(FdFlag::empty()))?;
        }
        Ok(())
    };
    // SAFETY: between fork and exec the closure makes calls of the system, and takes no memory and no lock.
    unsafe { command.pre_exec(inherit) };
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Bytes of the file that take memory.
    fn allocated(segment: &Segment) -> usize {
        nix::sys::stat::fstat(segment.file()).unwrap().st_blocks as usize * 512
    }

    fn resize(segment: &mut Segment, size: usize) -> Result<(), Unmappable> {
        segment.resize(NonZeroUsize::new(size).unwrap())
    }

    #[test]
    fn a_segment_grows_and_shrinks_and_keeps_what_it_holds_and_no_more() {
        let mut segment = Segment::new().unwrap();
        assert_eq!(segment.size(), 0);
        for size in [1 << 16, 5 << 20, 1 << 16, 3 << 20] {
            resize(&mut segment, size).unwrap();
            assert_eq!((segment.size(), allocated(&segment)), (size, size));
            let first = segment.start();
            // SAFETY: the first and the last byte of the mapping.
            let kept = unsafe {
                let (kept, last) = (*first, first.add(size - 1));
                (*first, *last) = (7, *last + 1);
                kept
            };
            assert_eq!(kept, if size == 1 << 16 && segment.file_bytes == 1 << 16 { 0 } else { 7 });
        }
    }

    #[test]
    fn a_size_that_the_system_refuses_changes_nothing() {
        let mut segment = Segment::new().unwrap();
        resize(&mut segment, 1 << 16).unwrap();
        let error = resize(&mut segment, usize::MAX).unwrap_err();
        assert_eq!(error.to_string(), "expected a longer memfd, got: File too large (os error 27)");
        assert_eq!((segment.size(), allocated(&segment)), (1 << 16, 1 << 16));
    }
}
