//! The bytes between a client and its server. One loop waits for all three pipes, so that a refusal is read while a request is
//! still being written, stderr never fills up, and a time-out covers every wait.

use std::fs::File;
use std::io::{self, ErrorKind, IoSlice, IoSliceMut, Read, Write};
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};
use std::time::Instant;

use nix::errno::Errno;
use nix::fcntl::{FcntlArg, OFlag, fcntl};
use nix::poll::{PollFd, PollFlags, ppoll};
use nix::sys::time::TimeSpec;

use super::sigpipe::NoSigpipe;
use crate::os::above_stderr;
use crate::protocol::EXIT;

/// How much of the end of stderr is kept, in bytes.
const STDERR_TAIL_BYTES: usize = 4096;

/// What an older server may lack.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Feature {
    /// Batches.
    Batches,
    /// Kept factors, and what is computed with them.
    Systems,
}

/// Why an exchange failed. The server cannot be used after it, unless it says so in the words of a refusal.
#[derive(Debug)]
pub enum Break {
    /// The request was refused.
    Refused {
        /// The code of the refusal.
        code: i64,
        /// What was expected and what came, if the server lives on; a refusal of version 1 has no words.
        message: Option<String>,
    },
    /// The server knows no frames but those of version 1, and has ended.
    Version1,
    /// The server is older than this client, and does not know what the request needs.
    Lacks {
        /// What that is.
        feature: Feature,
        /// Whether it has ended, since it knows version 1 only.
        has_ended: bool,
    },
    /// stdout was closed.
    Ended,
    /// The time is up.
    TimedOut,
    /// The bytes that came are not what the protocol says; this is how they differ.
    OutOfStep(String),
    /// The system failed this operation.
    Io(&'static str, io::Error),
}

/// This process's ends of the three pipes. They are nonblocking; the server's ends are not affected by that.
#[derive(Debug)]
pub(super) struct Pipes {
    stdin: Option<File>,
    stdout: Option<File>,
    stderr: Option<File>,
    /// The last bytes of stderr.
    tail: Vec<u8>,
}

/// How far an exchange has come when the beginning of the answer is there.
pub(super) struct Asked {
    /// Bytes of the answer.
    pub(super) got: usize,
    /// Whether the whole request was written before.
    pub(super) written_whole: bool,
}

/// Which pipes may be ready.
struct Ready {
    stdin: bool,
    stdout: bool,
}

impl Pipes {
    /// Takes the ends of the pipes and makes them nonblocking. Descriptors 0 to 2, which a pipe may get if the program has
    /// closed them, are replaced by others: the program may still print to them.
    pub(super) fn new(stdin: OwnedFd, stdout: OwnedFd, stderr: Option<OwnedFd>) -> io::Result<Self> {
        let file = |fd: OwnedFd| -> io::Result<Option<File>> {
            let fd = if fd.as_raw_fd() > 2 { fd } else { above_stderr(&fd)? };
            let flags = OFlag::from_bits_retain(fcntl(&fd, FcntlArg::F_GETFL)?);
            fcntl(&fd, FcntlArg::F_SETFL(flags | OFlag::O_NONBLOCK))?;
            Ok(Some(fd.into()))
        };
        let stderr = stderr.map_or(Ok(None), file)?;
        Ok(Pipes { stdin: file(stdin)?, stdout: file(stdout)?, stderr, tail: Vec::new() })
    }

    /// Checks that the server runs and has written nothing, as must be the case between requests.
    pub(super) fn check_silence(&mut self) -> Result<(), Break> {
        match self.read(&mut [IoSliceMut::new(&mut [0])])? {
            None => Ok(()),
            Some(_) => Err(Break::OutOfStep("expected silence between requests, got bytes".into())),
        }
    }

    /// Writes a request, and reads the beginning of the answer into `answer`: at least `least` bytes. Most answers to a small
    /// request come whole, with one wait and one read. An answer ends the writing of a request that is not written yet.
    pub(super) fn ask(
        &mut self,
        mut request: &mut [IoSlice<'_>],
        answer: &mut [u8],
        least: usize,
        deadline: Option<Instant>,
    ) -> Result<Asked, Break> {
        let _guard = NoSigpipe::new();
        let (mut got, mut written_whole) = (0, true);
        let mut ready = Ready { stdin: true, stdout: false };
        IoSlice::advance_slices(&mut request, 0);
        loop {
            if ready.stdin && !request.is_empty() {
                match self.write(request)? {
                    Some(written) => IoSlice::advance_slices(&mut request, written),
                    // The server has stopped reading: it has answered why, or it has died.
                    None => (request, written_whole) = (&mut [], false),
                }
            }
            if ready.stdout {
                got += self.read(&mut [IoSliceMut::new(&mut answer[got..])])?.unwrap_or(0);
            }
            if got >= least {
                return Ok(Asked { got, written_whole: written_whole && request.is_empty() });
            }
            ready = self.wait(!request.is_empty(), deadline)?;
        }
    }

    /// Fills all of the slices.
    pub(super) fn receive(
        &mut self,
        mut slices: &mut [IoSliceMut<'_>],
        deadline: Option<Instant>,
    ) -> Result<(), Break> {
        IoSliceMut::advance_slices(&mut slices, 0);
        while !slices.is_empty() {
            let got = self.read(slices)?.unwrap_or(0);
            IoSliceMut::advance_slices(&mut slices, got);
            if !slices.is_empty() {
                self.wait(false, deadline)?;
            }
        }
        Ok(())
    }

    /// Asks the server to end, if it can be asked, and closes stdin and stdout.
    pub(super) fn close(&mut self) {
        let _guard = NoSigpipe::new();
        if let Some(mut stdin) = self.stdin.take() {
            // If this fails, the server sees the end of its input, or is killed.
            let _ = stdin.write(&[EXIT]);
        }
        self.stdout = None;
    }

    /// Reads what is in stderr, in up to `reads` reads.
    pub(super) fn drain_stderr(&mut self, reads: usize) {
        for _ in 0..reads {
            let mut buffer = [0; STDERR_TAIL_BYTES];
            match self.stderr.as_mut().map(|stderr| retry(|| stderr.read(&mut buffer))) {
                Some(Ok(Some(got @ 1..))) => {
                    self.tail.extend(&buffer[..got]);
                    self.tail.drain(..self.tail.len().saturating_sub(STDERR_TAIL_BYTES));
                }
                Some(Ok(None)) | None => return,
                // The end of it, or it cannot be read.
                Some(Ok(Some(0)) | Err(_)) => self.stderr = None,
            }
        }
    }

    /// The last line of stderr so far that is not empty.
    pub(super) fn last_line(&self) -> Option<String> {
        let text = String::from_utf8_lossy(&self.tail);
        text.lines().rev().map(str::trim_end).find(|line| !line.is_empty()).map(str::to_owned)
    }

    /// Writes as much as the pipe has room for; `None` if the server has closed its end.
    fn write(&mut self, slices: &[IoSlice<'_>]) -> Result<Option<usize>, Break> {
        let Some(stdin) = &mut self.stdin else { return Ok(None) };
        match retry(|| stdin.write_vectored(slices)) {
            Ok(written) => Ok(Some(written.unwrap_or(0))),
            Err(error) if error.kind() == ErrorKind::BrokenPipe => Ok(None),
            Err(error) => Err(Break::Io("write to the server", error)),
        }
    }

    /// Reads what is there, at least one byte; `None` if there is nothing yet.
    fn read(&mut self, slices: &mut [IoSliceMut<'_>]) -> Result<Option<usize>, Break> {
        let stdout = self.stdout.as_mut().ok_or(Break::Ended)?;
        match retry(|| stdout.read_vectored(slices)) {
            Ok(Some(0)) => Err(Break::Ended),
            Ok(got) => Ok(got),
            Err(error) => Err(Break::Io("read from the server", error)),
        }
    }

    /// Waits until a pipe is ready: stdout, or with `writing` stdin. Meanwhile stderr is read.
    fn wait(&mut self, writing: bool, deadline: Option<Instant>) -> Result<Ready, Break> {
        let (stdin, stdout, stderr) = match (&self.stdin, &self.stdout, &self.stderr) {
            (Some(stdin), Some(stdout), stderr) => (stdin.as_fd(), stdout.as_fd(), stderr.as_ref().map(File::as_fd)),
            _ => return Err(Break::Ended),
        };
        let none: (BorrowedFd<'_>, PollFlags) = (stdout, PollFlags::empty());
        let (input, errors) =
            (if writing { (stdin, PollFlags::POLLOUT) } else { none }, stderr.map(|fd| (fd, PollFlags::POLLIN)));
        let mut fds =
            [(stdout, PollFlags::POLLIN), input, errors.unwrap_or(none)].map(|(fd, events)| PollFd::new(fd, events));
        loop {
            match ppoll(&mut fds, remaining(deadline)?, None) {
                Ok(0) | Err(Errno::EINTR) => {}
                Ok(_) => break,
                Err(error) => return Err(Break::Io("wait for the server", error.into())),
            }
        }
        let [stdout, stdin, errors] = fds.map(|fd| fd.any().unwrap_or(true));
        if errors && stderr.is_some() {
            self.drain_stderr(1);
        }
        Ok(Ready { stdin, stdout })
    }
}

/// The time until the deadline, if there is one.
fn remaining(deadline: Option<Instant>) -> Result<Option<TimeSpec>, Break> {
    let Some(deadline) = deadline else { return Ok(None) };
    match deadline.saturating_duration_since(Instant::now()) {
        left if left.is_zero() => Err(Break::TimedOut),
        left => Ok(Some(left.into())),
    }
}

/// Repeats a call that a signal interrupts; `None` if it would block.
fn retry(mut call: impl FnMut() -> io::Result<usize>) -> io::Result<Option<usize>> {
    loop {
        match call() {
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(None),
            result => return result.map(Some),
        }
    }
}
