//! Matrices in memory that the client and the server both see: one segment for each server, grown, kept, and given back.
//!
//! The memory may change at any moment, since a server is another process. So it is reached through pointers only, and
//! nothing in it is used before it has been copied out and checked.

use std::io::IoSlice;
use std::num::NonZeroUsize;
use std::os::fd::AsRawFd;
use std::ptr;
use std::time::Instant;

use super::frame;
use super::pipes::{Break, Pipes};
use super::size;
use super::version1::{checked_info, checked_ipiv};
use crate::matrix::{MatrixMut, MatrixRef};
use crate::options::Options;
use crate::os::{Segment, current_cpu};
use crate::protocol::{
    ANSWER_HEAD_BYTES, FACTORED_BYTES, FactorRequest, Factored, FrameCommand, HELLO_BYTES, MAP_BYTES, MapRequest,
    Owner, PROTOCOL_VERSION, Place, Refusal, SEGMENT_BYTES, Shape, WELCOME_BYTES, Welcome, WireElement,
};
use crate::usage::Usage;

/// The name that the client tells a server.
const NAME: &str = concat!("recfact-rust ", env!("CARGO_PKG_VERSION"));

/// Bytes of the answer to HELLO before its text, and of that to MAP.
const WELCOME_END: usize = ANSWER_HEAD_BYTES + WELCOME_BYTES;
const MAP_END: usize = ANSWER_HEAD_BYTES + SEGMENT_BYTES;
const FACTORED_END: usize = ANSWER_HEAD_BYTES + FACTORED_BYTES;

/// The status with which a server of version 1 answers HELLO, in place of that of a frame: the `info` of a refusal.
const UNKNOWN_COMMAND: i64 = i64::MIN + 1;

/// The alignment of `ipiv` in a segment: a cache line.
const ALIGNMENT: usize = 64;

/// A segment, and the server's side of it.
#[derive(Debug)]
pub(super) struct Mapped {
    segment: Segment,
    owner: Owner,
    /// The number that the server has given it.
    number: u32,
    /// Bytes that both have mapped.
    bytes: usize,
    /// The largest matrix that the server takes, in bytes.
    max_bytes: u64,
    usage: Usage,
    /// A size that was refused, and why. It is not asked for again.
    refused: Option<(usize, String)>,
}

/// A value, or the reason why there is none: the words of a refusal, for example.
type OrReason<R> = Result<R, String>;

/// What a server says to HELLO and MAP.
pub(super) enum Greeting {
    /// It has mapped the segment.
    Mapped(Box<Mapped>, Welcome),
    /// It goes on without, for this reason.
    NotMapped(String, Option<Welcome>),
}

/// Bytes from the matrix to its row swaps, and of both.
fn layout(shape: Shape) -> (usize, usize) {
    let ipiv_at = shape.matrix_bytes().next_multiple_of(ALIGNMENT);
    (ipiv_at, ipiv_at + shape.ipiv_bytes())
}

/// Says HELLO and MAP in one write. `bytes` are those of the first matrix.
///
/// # Errors
/// [`Break::Version1`] if the server does not know these frames.
pub(super) fn greet(
    pipes: &mut Pipes,
    mut segment: Segment,
    owner: Owner,
    bytes: usize,
    deadline: Option<Instant>,
) -> Result<Greeting, Break> {
    let size = size::first(bytes);
    if let Err(refused) = segment.resize(size) {
        return Ok(Greeting::NotMapped(refused.to_string(), None));
    }
    let map = map_request(None, owner, &segment, size);
    let heads = [FrameCommand::Hello.head(HELLO_BYTES + NAME.len()), FrameCommand::Map.head(map.len())];
    let version = PROTOCOL_VERSION.to_le_bytes();
    let request: [&[u8]; 5] = [&heads[0], &version, NAME.as_bytes(), &heads[1], &map];
    let Answers { welcome, number } = exchange_greetings(pipes, &mut request.map(IoSlice::new), deadline)?;
    Ok(match (welcome.map(|bytes| Welcome::parse(&bytes)), number) {
        (Ok(None), _) => return Err(Break::OutOfStep("expected the name of the protocol, got another".into())),
        (Err(reason), _) => Greeting::NotMapped(reason, None),
        (Ok(Some(welcome)), Err(reason)) => Greeting::NotMapped(reason, Some(welcome)),
        (Ok(Some(welcome)), _) if welcome.features & Welcome::FACTOR == 0 => {
            Greeting::NotMapped("expected a server with FACTOR, got one without".into(), Some(welcome))
        }
        (Ok(Some(welcome)), Ok(number)) => {
            let max_bytes = welcome.max_bytes;
            let (number, bytes) = (u32::from_le_bytes(number), size.get());
            let usage = Usage::default();
            let mapped = Mapped { segment, owner, number, bytes, max_bytes, usage, refused: None };
            Greeting::Mapped(Box::new(mapped), welcome)
        }
    })
}

/// The fixed part of the answers to HELLO and to MAP.
struct Answers {
    welcome: OrReason<[u8; WELCOME_BYTES]>,
    number: OrReason<[u8; SEGMENT_BYTES]>,
}

/// Says HELLO alone, to a server that is not asked to map memory.
///
/// # Errors
/// [`Break::Version1`] if the server does not know this frame.
pub(super) fn hello(pipes: &mut Pipes, deadline: Option<Instant>) -> Result<Option<Welcome>, Break> {
    let (head, version) = (FrameCommand::Hello.head(HELLO_BYTES + NAME.len()), PROTOCOL_VERSION.to_le_bytes());
    let request: [&[u8]; 3] = [&head, &version, NAME.as_bytes()];
    let answer = ask_welcome(pipes, &mut request.map(IoSlice::new), deadline)?;
    match answer.map(|bytes| Welcome::parse(&bytes)) {
        Ok(None) => Err(Break::OutOfStep("expected the name of the protocol, got another".into())),
        Ok(welcome) => Ok(welcome),
        Err(_) => Ok(None),
    }
}

/// Sends HELLO and MAP, and returns the answers.
fn exchange_greetings(
    pipes: &mut Pipes,
    request: &mut [IoSlice<'_>],
    deadline: Option<Instant>,
) -> Result<Answers, Break> {
    let welcome = ask_welcome(pipes, request, deadline)?;
    let mut number = [0; MAP_END];
    let mapped = unless_refused(frame::complete(pipes, &mut number, 0, deadline))?;
    Ok(Answers { welcome, number: mapped.map(|()| *number.last_chunk().expect("the number")) })
}

/// Sends a request that begins with HELLO, and returns the fixed part of the answer to that.
fn ask_welcome(
    pipes: &mut Pipes,
    request: &mut [IoSlice<'_>],
    deadline: Option<Instant>,
) -> Result<OrReason<[u8; WELCOME_BYTES]>, Break> {
    let mut welcome = [0; WELCOME_END];
    // A server of version 1 answers with the first of these bytes, and ends.
    let (head, least) = (&mut welcome[..ANSWER_HEAD_BYTES], size_of_val(&UNKNOWN_COMMAND));
    let asked = pipes.ask(request, head, least, deadline)?;
    if welcome.starts_with(&UNKNOWN_COMMAND.to_le_bytes()) {
        return Err(Break::Version1);
    }
    frame::check_written(&asked)?;
    let text = frame::begin(pipes, &mut welcome, asked.got, deadline);
    let welcomed = unless_refused(text.and_then(|bytes| frame::skip(pipes, bytes, deadline)))?;
    Ok(welcomed.map(|()| *welcome.last_chunk().expect("the fixed part")))
}

/// The words of a refusal, after which the server goes on, in place of the error.
fn unless_refused<R>(result: Result<R, Break>) -> Result<OrReason<R>, Break> {
    match result {
        Err(Break::Refused { message: Some(message), .. }) => Ok(Err(message)),
        result => result.map(Ok),
    }
}

fn map_request(number: Option<u32>, owner: Owner, segment: &Segment, size: NonZeroUsize) -> [u8; MAP_BYTES] {
    let descriptor = segment.file().as_raw_fd();
    MapRequest { segment: number, owner, descriptor, size: size.get() }.to_bytes()
}

impl Mapped {
    /// The shape of a matrix, if the server takes one of that size. Its limit is asked for once.
    pub(super) fn accept(&self, shape: Shape) -> Result<(), Refusal> {
        Shape::within(shape.m() as i64, shape.n() as i64, shape.element(), self.max_bytes).map(drop)
    }

    /// Bytes that a matrix of this shape needs with its row swaps.
    pub(super) fn bytes_for(shape: Shape) -> usize {
        layout(shape).1
    }

    /// The number of the segment.
    pub(super) fn number(&self) -> u32 {
        self.number
    }

    /// Makes the segment large enough for `bytes` bytes, and smaller if it has been far too large for long. If that is
    /// refused, by the system or by the server, the reason comes back.
    pub(super) fn reserve(
        &mut self,
        pipes: &mut Pipes,
        bytes: usize,
        deadline: Option<Instant>,
    ) -> Result<Result<(), &str>, Break> {
        let size = size::next(&mut self.usage, bytes, self.bytes);
        let is_refused = self.refused.as_ref().is_some_and(|(refused, _)| size.get() >= *refused);
        if size.get() != self.bytes && !is_refused {
            match self.resize(pipes, size, deadline)? {
                Err(reason) if bytes > self.bytes => self.refused = Some((size.get(), reason)),
                _ => {}
            }
        }
        match &self.refused {
            Some((_, reason)) if bytes > self.bytes => Ok(Err(reason)),
            _ => Ok(Ok(())),
        }
    }

    /// Changes the size on both sides. The server never has more than the client: it would fault in pages that were freed.
    fn resize(
        &mut self,
        pipes: &mut Pipes,
        size: NonZeroUsize,
        deadline: Option<Instant>,
    ) -> Result<OrReason<()>, Break> {
        if size.get() > self.bytes
            && let Err(refused) = self.segment.resize(size)
        {
            return Ok(Err(refused.to_string()));
        }
        let request = map_request(Some(self.number), self.owner, &self.segment, size);
        let answer = unless_refused(frame::ask::<MAP_END>(pipes, FrameCommand::Map, &request, deadline))?;
        if answer.is_ok() {
            self.bytes = size.get();
        }
        if let Some(bytes) = NonZeroUsize::new(self.bytes).filter(|bytes| bytes.get() < self.segment.size()) {
            // If this is refused, the memory stays as it is, larger than necessary.
            let _ = self.segment.resize(bytes);
        }
        Ok(answer.map(drop))
    }

    /// Factors a matrix for which there is room, and returns its `info`, checked.
    pub(super) fn send<T: WireElement>(
        &mut self,
        pipes: &mut Pipes,
        a: MatrixRef<'_, T>,
        shape: Shape,
        options: &Options,
        deadline: Option<Instant>,
    ) -> Result<i64, Break> {
        let mut to = self.memory(0, shape);
        for (from, length) in a.runs() {
            // SAFETY: a run of the view, and a part of the segment, which has room for all of them.
            unsafe { ptr::copy_nonoverlapping(from, to, length) };
            to = to.wrapping_add(length);
        }
        let place = |offset: usize, ld| Place::Segment { segment: self.number, offset: offset as u64, ld, distance: 0 };
        let matrix = place(0, shape.m() as u64);
        let request = FactorRequest {
            shape,
            pivoting: options.pivoting,
            row_major: false,
            must_be_finite: false,
            narrow_ipiv: false,
            threads: frame::threads(options),
            cpu: current_cpu(),
            a: matrix,
            lu: matrix,
            ipiv: place(layout(shape).0, 0),
        };
        let answer = frame::ask::<FACTORED_END>(pipes, FrameCommand::Factor, &request.to_bytes(), deadline)?;
        let factored = Factored::parse(answer.last_chunk().expect("the payload"));
        checked_info(factored.info, shape, options)
    }

    /// Copies the factors and the row swaps out, and checks the swaps.
    pub(super) fn receive<T: WireElement>(
        &self,
        a: MatrixMut<'_, T>,
        ipiv: &mut [i64],
        shape: Shape,
    ) -> Result<(), Break> {
        let mut from = self.memory::<T>(0, shape).cast_const();
        for column in a.into_slices() {
            // SAFETY: a part of the segment, which has all of them, and memory of the caller alone.
            unsafe { ptr::copy_nonoverlapping(from, column.as_mut_ptr(), column.len()) };
            from = from.wrapping_add(column.len());
        }
        let swaps = self.memory::<i64>(layout(shape).0, shape);
        // SAFETY: the segment has the swaps after the matrix, aligned; `ipiv` has as many elements.
        unsafe { ptr::copy_nonoverlapping(swaps, ipiv.as_mut_ptr(), ipiv.len()) };
        checked_ipiv(ipiv, shape)
    }

    /// The place of what is at an offset, for a matrix that has been given room.
    fn memory<E>(&self, offset: usize, shape: Shape) -> *mut E {
        self.memory_at(offset, layout(shape).1 - offset).cast()
    }

    /// Memory at an offset.
    ///
    /// # Panics
    /// If there are fewer bytes.
    pub(super) fn memory_at(&self, offset: usize, bytes: usize) -> *mut u8 {
        let left = self.segment.size().checked_sub(offset);
        assert!(left.is_some_and(|left| bytes <= left), "room for what has its place there");
        self.segment.start().wrapping_add(offset)
    }
}
