//! A conversation over pipes with no server behind them, for the fuzz targets in `fuzz/`. It is compiled with the feature
//! `fuzzing` only and is no part of the interface.

use std::io;
use std::os::fd::OwnedFd;
use std::time::Instant;

use super::exchange;
pub use super::pipes::Break;
use super::pipes::Pipes;
use crate::matrix::MatrixMut;
use crate::options::Options;
use crate::protocol::WireElement;

/// The client's ends of the pipes to a server.
#[derive(Debug)]
pub struct Conversation(Pipes);

impl Conversation {
    /// Takes the ends of the pipes.
    ///
    /// # Errors
    /// If they cannot be made nonblocking.
    pub fn new(stdin: OwnedFd, stdout: OwnedFd, stderr: OwnedFd) -> io::Result<Self> {
        Pipes::new(stdin, stdout, Some(stderr)).map(Conversation)
    }

    /// [`Client::lu_in_place`](super::Client::lu_in_place) over these pipes; `ipiv` must have min(m, n) elements.
    ///
    /// # Errors
    /// Why there is no answer.
    pub fn lu_in_place<T: WireElement>(
        &mut self,
        a: MatrixMut<'_, T>,
        ipiv: &mut [i64],
        options: &Options,
        deadline: Instant,
    ) -> Result<i64, Break> {
        let (info, shape) = exchange::send(&mut self.0, a.as_ref(), options, Some(deadline))?;
        exchange::receive(&mut self.0, a, ipiv, shape, Some(deadline))?;
        Ok(info)
    }

    /// What each call of a client does first: it makes sure that the server is there and has nothing to say.
    ///
    /// # Errors
    /// If it is gone, or has written something.
    pub fn check_silence(&mut self) -> Result<(), Break> {
        self.0.check_silence()
    }

    /// The last line on stderr, as errors show it.
    pub fn last_line(&mut self) -> Option<String> {
        self.0.drain_stderr(1);
        self.0.last_line()
    }
}
