//! A server that is only asked to send bytes back: what the pipes cost by themselves.

use std::io::{self, Read, Write};
use std::path::Path;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use crate::Error;
use crate::lu::zeros;
use crate::protocol::{ANSWER_HEAD_BYTES, FRAME_HEAD_BYTES, FrameCommand};

/// The server and its pipes.
pub(super) struct Echo {
    child: Child,
    /// `None` once the server has been asked to end.
    stdin: Option<ChildStdin>,
    stdout: ChildStdout,
}

/// A request, and memory for its answer.
pub(super) struct Ping {
    request: Vec<u8>,
    answer: Vec<u8>,
}

impl Ping {
    /// With a payload of this many bytes.
    ///
    /// # Errors
    /// If the system refuses the memory.
    pub(super) fn new(bytes: usize) -> Result<Self, Error> {
        let (mut request, answer) = (zeros(FRAME_HEAD_BYTES + bytes)?, zeros(ANSWER_HEAD_BYTES + bytes)?);
        request[..FRAME_HEAD_BYTES].copy_from_slice(&FrameCommand::Ping.head(bytes));
        Ok(Ping { request, answer })
    }
}

impl Echo {
    /// Starts a server.
    pub(super) fn start(program: &Path) -> io::Result<Self> {
        let mut child = Command::new(program).arg("serve").stdin(Stdio::piped()).stdout(Stdio::piped()).spawn()?;
        let stdin = child.stdin.take();
        let stdout = child.stdout.take().expect("stdout is piped");
        Ok(Echo { child, stdin, stdout })
    }

    /// Sends a request and waits for its answer.
    pub(super) fn exchange(&mut self, ping: &mut Ping) -> io::Result<()> {
        let stdin = self.stdin.as_mut().expect("the server has not been asked to end");
        // The server reads the whole request before it answers.
        stdin.write_all(&ping.request)?;
        self.stdout.read_exact(&mut ping.answer)
    }
}

impl Drop for Echo {
    fn drop(&mut self) {
        self.stdin = None;
        // How it ends says nothing about what was measured.
        let _ = self.child.wait();
    }
}
