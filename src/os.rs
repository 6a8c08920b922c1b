//! What the server asks of the operating system: blocking descriptors, mapped memory, an orderly end on a signal.

use std::io::{self, IoSlice, Read, Write};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::ptr::NonNull;
use std::sync::atomic::{AtomicBool, AtomicI32, Ordering};
use std::{fs::File, num::NonZeroUsize};

use nix::fcntl::{FcntlArg, OFlag, fcntl};
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::mman::{MapFlags, ProtFlags, mmap_anonymous, munmap};
use nix::sys::signal::{SaFlags, SigAction, SigHandler, SigSet, Signal, sigaction};
use nix::unistd::{SysconfVar, dup2_stdout, sysconf};

/// The signal that asked for an end, or 0.
static PENDING: AtomicI32 = AtomicI32::new(0);
/// Whether the server waits for input, so that nothing is lost by ending now.
static WAITING: AtomicBool = AtomicBool::new(false);

/// Where requests come from. Reads block, whatever flags the descriptor has or gets.
///
/// After [`end_on_signals`] a signal ends the process while a read waits.
#[derive(Debug)]
pub struct Input(File);

/// Where responses go. Writes block, whatever flags the descriptor has or gets.
#[derive(Debug)]
pub struct Output(File);

impl Input {
    /// Takes a descriptor and clears its `O_NONBLOCK`.
    #[must_use]
    pub fn new(fd: OwnedFd) -> Self {
        clear_nonblocking(fd.as_fd());
        Input(fd.into())
    }

    /// The process's standard input.
    ///
    /// # Errors
    /// When the descriptor cannot be duplicated.
    pub fn stdin() -> io::Result<Self> {
        Ok(Input::new(io::stdin().as_fd().try_clone_to_owned()?))
    }
}

impl Output {
    /// Takes a descriptor and clears its `O_NONBLOCK`.
    #[must_use]
    pub fn new(fd: OwnedFd) -> Self {
        clear_nonblocking(fd.as_fd());
        Output(fd.into())
    }

    /// Takes the process's standard output for itself: whatever else writes to descriptor 1 from now on reaches
    /// stderr, and never the client.
    ///
    /// # Errors
    /// When the descriptors cannot be duplicated.
    pub fn take_stdout() -> io::Result<Self> {
        let private = io::stdout().as_fd().try_clone_to_owned()?;
        dup2_stdout(io::stderr())?;
        Ok(Output::new(private))
    }
}

impl Read for Input {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        WAITING.store(true, Ordering::SeqCst);
        let signal = PENDING.load(Ordering::SeqCst);
        if signal != 0 {
            exit_by(signal);
        }
        let result = blocking(PollFlags::POLLIN, &mut self.0, |file| file.read(buf));
        WAITING.store(false, Ordering::SeqCst);
        result
    }
}

impl Write for Output {
    fn write(&mut self, buf: &[u8]) -> io::Result<usize> {
        blocking(PollFlags::POLLOUT, &mut self.0, |file| file.write(buf))
    }

    fn write_vectored(&mut self, bufs: &[IoSlice<'_>]) -> io::Result<usize> {
        blocking(PollFlags::POLLOUT, &mut self.0, |file| file.write_vectored(bufs))
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Clears `O_NONBLOCK`, which the parent's event loop may have set. A failure is not reported here: such a
/// descriptor fails its first read or write, too, and that says more.
fn clear_nonblocking(fd: BorrowedFd<'_>) {
    if let Ok(flags) = fcntl(fd, FcntlArg::F_GETFL) {
        let flags = OFlag::from_bits_retain(flags);
        if flags.contains(OFlag::O_NONBLOCK) {
            let _ = fcntl(fd, FcntlArg::F_SETFL(flags - OFlag::O_NONBLOCK));
        }
    }
}

/// Tries an operation until it neither was interrupted nor would block; sleeps in `poll` in between.
fn blocking<T>(ready: PollFlags, file: &mut File, mut try_it: impl FnMut(&mut File) -> io::Result<T>) -> io::Result<T> {
    loop {
        match try_it(file) {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                // The outcome does not matter: an error or a hangup shows itself in the next try.
                let _ = poll(&mut [PollFd::new(file.as_fd(), ready)], PollTimeout::NONE);
            }
            result => return result,
        }
    }
}

/// From now on SIGTERM and SIGINT end the process with status 128 + signal: at once while it waits for input, after
/// the response where a request has been read; a second one at once in any case. A SIGINT that the parent has set
/// to be ignored (as a shell does for its background jobs) stays so.
///
/// # Errors
/// When the system refuses a handler.
pub fn end_on_signals() -> io::Result<()> {
    let mut both = SigSet::empty();
    for signal in [Signal::SIGTERM, Signal::SIGINT] {
        if signal == Signal::SIGINT && is_ignored(signal) {
            continue;
        }
        both.add(signal);
        let action = SigAction::new(SigHandler::Handler(on_signal), SaFlags::SA_RESTART, SigSet::empty());
        // SAFETY: the handler touches atomics and calls _exit, both of which are async-signal-safe.
        unsafe { sigaction(signal, &action) }?;
    }
    // A parent that blocks them while it spawns has handed that mask down.
    both.thread_unblock()?;
    Ok(())
}

/// Whether the process ignores this signal.
pub(crate) fn is_ignored(signal: Signal) -> bool {
    let mut action = std::mem::MaybeUninit::<nix::libc::sigaction>::zeroed();
    // SAFETY: without a new action the call only writes the present one, of which all zeros are a value, too.
    unsafe {
        nix::libc::sigaction(signal as i32, std::ptr::null(), action.as_mut_ptr());
        action.assume_init().sa_sigaction == nix::libc::SIG_IGN
    }
}

extern "C" fn on_signal(signal: i32) {
    let again = PENDING.swap(signal, Ordering::SeqCst) != 0;
    if again || WAITING.load(Ordering::SeqCst) {
        exit_by(signal);
    }
}

/// Ends the process with the status of a signal. Async-signal-safe.
fn exit_by(signal: i32) -> ! {
    // SAFETY: _exit has no preconditions.
    unsafe { nix::libc::_exit(128 + signal) }
}

/// The machine's physical memory in bytes, if the system tells.
#[must_use]
pub fn physical_memory() -> Option<u64> {
    let pages = sysconf(SysconfVar::_PHYS_PAGES).ok()??;
    let page = sysconf(SysconfVar::PAGE_SIZE).ok()??;
    u64::try_from(pages).ok()?.checked_mul(u64::try_from(page).ok()?)
}

/// Private zeroed memory from the system, aligned to pages. A page takes memory once it is touched.
#[derive(Debug)]
pub struct Mapping {
    start: NonNull<u8>,
    size: NonZeroUsize,
}

// SAFETY: the mapping is owned, as a Box<[u8]> owns its bytes.
unsafe impl Send for Mapping {}

impl Mapping {
    /// Maps `size` bytes.
    ///
    /// # Errors
    /// When the system refuses, as it does for no bytes and for more than it has.
    pub fn anonymous(size: usize) -> io::Result<Self> {
        let size = NonZeroUsize::new(size).ok_or(io::ErrorKind::InvalidInput)?;
        let protection = ProtFlags::PROT_READ | ProtFlags::PROT_WRITE;
        // SAFETY: a new private mapping at an address of the system's choice aliases nothing.
        let start = unsafe { mmap_anonymous(None, size, protection, MapFlags::MAP_PRIVATE) }?;
        Ok(Mapping { start: start.cast(), size })
    }

    /// Its size in bytes.
    #[must_use]
    pub fn size(&self) -> usize {
        self.size.get()
    }

    /// Its bytes.
    #[must_use]
    pub fn as_mut_slice(&mut self) -> &mut [u8] {
        // SAFETY: the mapping is readable and writable, initialized (zeroed) by the system, and borrowed mutably.
        unsafe { std::slice::from_raw_parts_mut(self.start.as_ptr(), self.size.get()) }
    }
}

impl Drop for Mapping {
    fn drop(&mut self) {
        // SAFETY: the address and size are those of a mapping that this value owns. It can't fail for such.
        let _ = unsafe { munmap(self.start.cast(), self.size.get()) };
    }
}
