//! A conversation with one server: the pipes, and the memory that both see, if there is any.

use std::mem;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

use super::frame;
use super::mapped::{Greeting, Mapped, greet, hello};
use super::pipes::{Break, Feature, Pipes};
use super::transport::Transport;
use super::version1;
use crate::matrix::{MatrixMut, MatrixRef};
use crate::options::Options;
use crate::os::Segment;
use crate::protocol::{ANSWER_HEAD_BYTES, FrameCommand, Owner, Refusal, Shape, Welcome, WireElement};

/// The number of the next connection. A forked child goes on from that of its parent, so that no connection that it makes has
/// the number of one that it has inherited.
static NEXT: AtomicU64 = AtomicU64::new(0);

/// Where matrices are.
#[derive(Debug)]
pub(super) enum Link {
    /// Not decided: the server will be asked whether it maps this segment, whose descriptor it knows in this way.
    Offered(Segment, Owner),
    /// In a segment.
    Mapped(Box<Mapped>),
    /// In the pipes, for this reason.
    Pipes(String),
}

/// The client's side of a conversation.
#[derive(Debug)]
pub(super) struct Connection {
    /// No other connection of this process has it.
    number: u64,
    pub(super) pipes: Pipes,
    link: Link,
    /// How the last request went.
    transport: Transport,
    /// What the server said to HELLO; `Some(None)` if it does not know that.
    welcome: Option<Option<Welcome>>,
}

/// An answer of which `info` has been read, and the rest is to be received.
pub(super) struct Answer {
    pub(super) info: i64,
    shape: Shape,
}

impl Connection {
    pub(super) fn new(pipes: Pipes, link: Link) -> Self {
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        Connection { number, pipes, link, transport: Transport::Undecided, welcome: None }
    }

    /// A number that no other connection of this process has, or had.
    pub(super) fn number(&self) -> u64 {
        self.number
    }

    /// How the last request went.
    pub(super) fn transport(&self) -> &Transport {
        &self.transport
    }

    /// Asks the server what it can do, before the first request; `bytes` are those of its matrix.
    ///
    /// # Errors
    /// [`Break::Version1`] if the server knows version 1 only, and has ended.
    pub(super) fn decide(&mut self, bytes: usize, deadline: Option<Instant>) -> Result<(), Break> {
        self.link = match mem::replace(&mut self.link, Link::Pipes(String::new())) {
            Link::Offered(segment, owner) => match greet(&mut self.pipes, segment, owner, bytes, deadline)? {
                Greeting::Mapped(mapped, welcome) => {
                    self.welcome = Some(Some(welcome));
                    Link::Mapped(mapped)
                }
                Greeting::NotMapped(reason, welcome) => {
                    self.welcome = welcome.map(Some);
                    Link::Pipes(reason)
                }
            },
            decided => decided,
        };
        Ok(())
    }

    /// Sends a request and waits for the `info` that answers it.
    pub(super) fn send<T: WireElement>(
        &mut self,
        a: MatrixRef<'_, T>,
        options: &Options,
        deadline: Option<Instant>,
    ) -> Result<Answer, Break> {
        let shape = shape(a)?;
        if let Link::Mapped(mapped) = &self.link {
            mapped.accept(shape).map_err(|refusal| refused(&refusal))?;
        }
        let info = match self.with_room(Mapped::bytes_for(shape), deadline)? {
            (pipes, Some(mapped)) => mapped.send(pipes, a, shape, options, deadline),
            (pipes, None) => version1::send(pipes, a, shape, options, deadline),
        }?;
        Ok(Answer { info, shape })
    }

    /// The pipes, and the segment with room for a request of `bytes` bytes, unless that has to go through the pipes.
    pub(super) fn with_room(
        &mut self,
        bytes: usize,
        deadline: Option<Instant>,
    ) -> Result<(&mut Pipes, Option<&mut Mapped>), Break> {
        let Connection { pipes, link, transport, .. } = self;
        let reason = match link {
            Link::Mapped(mapped) => mapped.reserve(pipes, bytes, deadline)?,
            Link::Pipes(reason) => Err(&reason[..]),
            Link::Offered(..) => Err("the server has not been asked"),
        };
        *transport = reason.map_or_else(|reason| Transport::Pipes { reason: reason.into() }, |()| Transport::Mapped);
        Ok(match link {
            Link::Mapped(mapped) if *transport == Transport::Mapped => (pipes, Some(mapped)),
            _ => (pipes, None),
        })
    }

    /// The segment, if there is one.
    pub(super) fn mapped(&self) -> Option<&Mapped> {
        if let Link::Mapped(mapped) = &self.link { Some(mapped) } else { None }
    }

    /// The server is known to know version 1 only: it is not asked what it can do.
    pub(super) fn knows_version1_only(&mut self) {
        self.welcome = Some(None);
    }

    /// The limit of the server on the bytes of a request that needs this. A server that was not asked what it can do is asked
    /// now.
    ///
    /// # Errors
    /// [`Break::Lacks`].
    pub(super) fn max_bytes_with(&mut self, feature: Feature, deadline: Option<Instant>) -> Result<u64, Break> {
        let welcome = match self.welcome {
            Some(welcome) => welcome,
            None => match hello(&mut self.pipes, deadline) {
                Err(Break::Version1) => return Err(Break::Lacks { feature, has_ended: true }),
                welcome => *self.welcome.insert(welcome?),
            },
        };
        let bit = match feature {
            Feature::Batches => Welcome::BATCH,
            Feature::Systems => Welcome::SYSTEM,
        };
        let welcome = welcome.filter(|welcome| welcome.features & bit != 0);
        welcome.map(|welcome| welcome.max_bytes).ok_or(Break::Lacks { feature, has_ended: false })
    }

    /// Has the server forget the factors that it keeps under a handle. If it knows none, that is as good.
    pub(super) fn release(&mut self, handle: u32, deadline: Option<Instant>) -> Result<(), Break> {
        let payload = handle.to_le_bytes();
        let answer = frame::ask::<ANSWER_HEAD_BYTES>(&mut self.pipes, FrameCommand::Release, &payload, deadline);
        match answer {
            Ok(_) | Err(Break::Refused { message: Some(_), .. }) => Ok(()),
            Err(broken) => Err(broken),
        }
    }

    /// Receives what follows an `info`: the factors, and the row swaps, checked.
    pub(super) fn receive<T: WireElement>(
        &mut self,
        answer: &Answer,
        a: MatrixMut<'_, T>,
        ipiv: &mut [i64],
        deadline: Option<Instant>,
    ) -> Result<(), Break> {
        match &self.link {
            Link::Mapped(mapped) if self.transport == Transport::Mapped => mapped.receive(a, ipiv, answer.shape),
            _ => version1::receive(&mut self.pipes, a, ipiv, answer.shape, deadline),
        }
    }
}

/// The shape of a matrix. (One without elements may have a side that no request can name.)
fn shape<T: WireElement>(a: MatrixRef<'_, T>) -> Result<Shape, Break> {
    let (m, n) = (a.nrows() as i64, a.ncols() as i64);
    Shape::new(m, n, T::TYPE).ok_or_else(|| refused(&Refusal::BadShape { m, n, element: T::TYPE }))
}

/// A request that was not sent, since the server would refuse it.
pub(super) fn refused(refusal: &Refusal) -> Break {
    Break::Refused { code: refusal.code().into(), message: Some(refusal.to_string()) }
}
