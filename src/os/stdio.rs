//! stdin and stdout as a session needs them: reads and writes that block, whatever flags the descriptors have.

use std::fs::File;
use std::io::{self, IoSlice, Read, Write};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use nix::fcntl::{FcntlArg, OFlag, fcntl};
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::unistd::dup2_stdout;

use super::signals;

/// The input of a session. Reads block, even if another process sets `O_NONBLOCK`.
///
/// After [`end_on_signals`](super::end_on_signals) a signal ends the process while a read waits.
#[derive(Debug)]
pub(crate) struct Input(Pipe);

/// The output of a session. Writes block, even if another process sets `O_NONBLOCK`.
#[derive(Debug)]
pub(crate) struct Output(Pipe);

/// A descriptor that is probably a pipe.
#[derive(Debug)]
struct Pipe {
    file: File,
    /// Whether it is as large as it will be.
    is_grown: bool,
}

/// What is read or written at once if the pipe is to be grown. Smaller matrices gain little, and the system grants each user
/// 64 MiB of pipes in all.
const LARGE_BYTES: usize = 256 << 10;
/// How much a grown pipe holds, so that fewer switches between the two processes move a matrix.
const GROWN_BYTES: i32 = 1 << 20;

impl Pipe {
    /// Takes a descriptor and clears its `O_NONBLOCK`.
    fn new(fd: OwnedFd) -> Self {
        clear_nonblocking(fd.as_fd());
        Pipe { file: fd.into(), is_grown: false }
    }

    /// Makes room for this many bytes. If the system refuses, or if it is no pipe, it stays as it is.
    fn expect(&mut self, bytes: usize) {
        if bytes >= LARGE_BYTES && !self.is_grown {
            let _ = fcntl(&self.file, FcntlArg::F_SETPIPE_SZ(GROWN_BYTES));
            self.is_grown = true;
        }
    }
}

impl Input {
    /// Takes a descriptor and clears its `O_NONBLOCK`.
    #[must_use]
    pub(crate) fn new(fd: OwnedFd) -> Self {
        Input(Pipe::new(fd))
    }

    /// The process's standard input.
    ///
    /// # Errors
    /// If the descriptor cannot be duplicated.
    pub(crate) fn stdin() -> io::Result<Self> {
        Ok(Input::new(io::stdin().as_fd().try_clone_to_owned()?))
    }
}

impl Output {
    /// Takes a descriptor and clears its `O_NONBLOCK`.
    #[must_use]
    pub(crate) fn new(fd: OwnedFd) -> Self {
        Output(Pipe::new(fd))
    }

    /// Takes the process's standard output. Anything else that writes to descriptor 1 from now on writes to stderr, and
    /// cannot reach the client.
    ///
    /// # Errors
    /// If the descriptors cannot be duplicated.
    pub(crate) fn take_stdout() -> io::Result<Self> {
        let private = io::stdout().as_fd().try_clone_to_owned()?;
        dup2_stdout(io::stderr())?;
        Ok(Output::new(private))
    }
}

impl Read for Input {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        self.0.expect(buf.len());
        signals::while_waiting(|| blocking(PollFlags::POLLIN, &mut self.0.file, |file| file.read(buf)))
    }
}

impl Write for Output {
    fn write(&mut self, buf: &[u8]) -> io::Result<usize> {
        blocking(PollFlags::POLLOUT, &mut self.0.file, |file| file.write(buf))
    }

    fn write_vectored(&mut self, bufs: &[IoSlice<'_>]) -> io::Result<usize> {
        self.0.expect(bufs.iter().map(|buf| buf.len()).sum());
        blocking(PollFlags::POLLOUT, &mut self.0.file, |file| file.write_vectored(bufs))
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Clears `O_NONBLOCK`, which the parent's event loop may have set. A failure is not reported: the first read or write of
/// such a descriptor fails as well, and that error says more.
fn clear_nonblocking(fd: BorrowedFd<'_>) {
    if let Ok(flags) = fcntl(fd, FcntlArg::F_GETFL) {
        let flags = OFlag::from_bits_retain(flags);
        if flags.contains(OFlag::O_NONBLOCK) {
            let _ = fcntl(fd, FcntlArg::F_SETFL(flags - OFlag::O_NONBLOCK));
        }
    }
}

/// Repeats an operation until it is neither interrupted nor would block; sleeps in `poll` in between.
fn blocking<T>(ready: PollFlags, file: &mut File, mut try_it: impl FnMut(&mut File) -> io::Result<T>) -> io::Result<T> {
    loop {
        match try_it(file) {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                // The result is not needed: the next try meets an error or a hangup as well.
                let _ = poll(&mut [PollFd::new(file.as_fd(), ready)], PollTimeout::NONE);
            }
            result => return result,
        }
    }
}
