//! A conversation over pipes with no server behind them, for the fuzz targets in `fuzz/`. It is compiled with the feature
//! `fuzzing` only and is no part of the interface.

use std::io;
use std::os::fd::OwnedFd;
use std::time::Instant;

pub use super::batch::BatchCall;
use super::connection::{Connection, Link};
pub use super::pipes::Break;
use super::pipes::Pipes;
pub use super::system::SystemCall;
use crate::lu::Accuracy;
use crate::matrix::MatrixMut;
use crate::options::Options;
use crate::os::Segment;
use crate::protocol::{Owner, SystemAnswer, WireElement};

/// The client's ends of the pipes to a server.
#[derive(Debug)]
pub struct Conversation(Connection);

impl Conversation {
    /// Takes the ends of the pipes.
    ///
    /// # Errors
    /// If they cannot be made nonblocking.
    pub fn new(stdin: OwnedFd, stdout: OwnedFd, stderr: OwnedFd) -> io::Result<Self> {
        let pipes = Pipes::new(stdin, stdout, Some(stderr))?;
        Ok(Conversation(Connection::new(pipes, Link::Pipes(String::new()))))
    }

    /// The same, but the server is first asked to map memory.
    ///
    /// # Errors
    /// If there is no memory for it, either.
    pub fn mapped(stdin: OwnedFd, stdout: OwnedFd, stderr: OwnedFd) -> io::Result<Self> {
        let link = Link::Offered(Segment::new()?, Owner::Server);
        Ok(Conversation(Connection::new(Pipes::new(stdin, stdout, Some(stderr))?, link)))
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
        let bytes = a.nrows() * a.ncols() * size_of::<T>();
        self.0.decide(bytes, Some(deadline))?;
        let answer = self.0.send(a.as_ref(), options, Some(deadline))?;
        self.0.receive(&answer, a, ipiv, Some(deadline))?;
        Ok(answer.info)
    }

    /// A function of [`Client`](super::Client) on a batch over these pipes.
    ///
    /// # Errors
    /// Why there is no answer.
    pub fn batch<T: WireElement>(
        &mut self,
        call: BatchCall<'_, T>,
        options: &Options,
        deadline: Instant,
    ) -> Result<(), Break> {
        self.0.decide(call.bytes(), Some(deadline))?;
        let computed = call.send(&mut self.0, options, Some(deadline))?;
        call.receive(&mut self.0, &computed, options, Some(deadline))
    }

    /// A function of [`Client`](super::Client) on one matrix over these pipes.
    ///
    /// # Errors
    /// Why there is no answer.
    ///
    /// # Panics
    /// If there is no memory for the accuracy of the columns.
    pub fn system<T: WireElement>(
        &mut self,
        call: SystemCall<'_, T>,
        options: &Options,
        deadline: Instant,
    ) -> Result<(SystemAnswer, Vec<Accuracy>), Break> {
        let mut accuracy = call.accuracy().expect("memory for a few columns");
        self.0.decide(call.bytes(), Some(deadline))?;
        let computed = call.send(&mut self.0, options, Some(deadline))?;
        call.receive(&mut self.0, &computed, &mut accuracy, Some(deadline))?;
        Ok((computed.answer, accuracy.into_read()))
    }

    /// What each call of a client does first: it makes sure that the server is there and has nothing to say.
    ///
    /// # Errors
    /// If it is gone, or has written something.
    pub fn check_silence(&mut self) -> Result<(), Break> {
        self.0.pipes.check_silence()
    }

    /// The last line on stderr, as errors show it.
    pub fn last_line(&mut self) -> Option<String> {
        self.0.pipes.drain_stderr(1);
        self.0.pipes.last_line()
    }
}
