//! Memory that a client hands to a server.

use std::fs::File;
use std::os::fd::AsRawFd;
use std::os::unix::fs::FileExt;

pub use nix::fcntl::SealFlag;
use nix::fcntl::{FcntlArg, fcntl};
use nix::sys::memfd::{MFdFlags, memfd_create};

/// A memfd, close-on-exec.
#[derive(Debug)]
pub struct Memfd(pub File);

impl Memfd {
    /// As protocol.md wants it: sealed against shrinking.
    #[must_use]
    pub fn new(size: usize) -> Self {
        Self::with_seals(size, SealFlag::F_SEAL_SHRINK)
    }

    /// With these seals, if any.
    ///
    /// # Panics
    /// If the system refuses.
    #[must_use]
    pub fn with_seals(size: usize, seals: SealFlag) -> Self {
        let flags = MFdFlags::MFD_CLOEXEC | MFdFlags::MFD_ALLOW_SEALING;
        let file = File::from(memfd_create("recfact-test", flags).expect("a memfd"));
        file.set_len(size as u64).expect("a size");
        if !seals.is_empty() {
            fcntl(&file, FcntlArg::F_ADD_SEALS(seals)).expect("seals");
        }
        Memfd(file)
    }

    /// Its number in this process.
    #[must_use]
    pub fn descriptor(&self) -> i32 {
        self.0.as_raw_fd()
    }

    /// Writes bytes.
    ///
    /// # Panics
    /// If the system refuses.
    pub fn write(&self, at: usize, bytes: &[u8]) {
        self.0.write_all_at(bytes, at as u64).expect("the memory takes bytes");
    }

    /// The bytes from here on.
    ///
    /// # Panics
    /// If there are fewer.
    #[must_use]
    pub fn read(&self, at: usize, count: usize) -> Vec<u8> {
        let mut bytes = vec![0; count];
        self.0.read_exact_at(&mut bytes, at as u64).expect("the memory has these bytes");
        bytes
    }
}
