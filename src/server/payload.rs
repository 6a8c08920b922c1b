//! The payload of an extended frame while it is read, and the answer to the frame.

use std::io::{Cursor, Read, Write};

use super::error::Cause;
use super::stream::Streams;
use crate::protocol::{Refusal, answer_head};

/// Bytes of the longest message or text in an answer.
const TEXT_BYTES: usize = 1024;

/// The largest number of parts of an answer: the fixed part and the results of a batch.
const MAX_PARTS: usize = 6;

/// A payload of which `left` bytes have not been read.
pub(super) struct Payload<'s, R, W> {
    streams: &'s mut Streams<R, W>,
    length: u64,
    left: u64,
}

impl<'s, R: Read, W: Write> Payload<'s, R, W> {
    pub(super) fn new(streams: &'s mut Streams<R, W>, length: u64) -> Self {
        Payload { streams, length, left: length }
    }

    /// Bytes that have not been read.
    pub(super) fn left(&self) -> u64 {
        self.left
    }

    /// Bytes of the input and of the output of the session so far.
    pub(super) fn traffic(&self) -> (u64, u64) {
        (self.streams.bytes_taken(), self.streams.bytes_written())
    }

    /// The next N bytes, with which the payload begins.
    ///
    /// # Errors
    /// [`Refusal::Length`] if it is shorter.
    pub(super) fn fixed<const N: usize>(&mut self) -> Result<[u8; N], Cause> {
        if self.left < N as u64 {
            return Err(Refusal::Length { expected: N as u64, got: self.length }.into());
        }
        let mut bytes = [0; N];
        self.fill(&mut bytes)?;
        Ok(bytes)
    }

    /// Checks that as many bytes are left as the fixed part says.
    ///
    /// # Errors
    /// [`Refusal::Length`].
    pub(super) fn expect_left(&self, bytes: u64) -> Result<(), Cause> {
        if self.left == bytes {
            return Ok(());
        }
        let read = self.length - self.left;
        Err(Refusal::Length { expected: read.saturating_add(bytes), got: self.length }.into())
    }

    /// Fills a buffer, which is not longer than what is left.
    pub(super) fn fill(&mut self, buf: &mut [u8]) -> Result<(), Cause> {
        debug_assert!(buf.len() as u64 <= self.left);
        let got = self.streams.fill(buf)?;
        self.left -= got as u64;
        if got < buf.len() { Err(self.ended()) } else { Ok(()) }
    }

    /// Reads to the end of the payload.
    pub(super) fn skip(&mut self) -> Result<(), Cause> {
        let got = self.streams.skip(self.left)?;
        self.left -= got;
        if self.left > 0 { Err(self.ended()) } else { Ok(()) }
    }

    fn ended(&self) -> Cause {
        Cause::EndInPayload { expected: self.length, got: self.length - self.left }
    }

    /// Answers with success and these parts.
    pub(super) fn answer(&mut self, parts: &[&[u8]]) -> Result<(), Cause> {
        debug_assert_eq!(self.left, 0, "the whole request has been read");
        let head = answer_head(0, parts.iter().map(|part| part.len()).sum());
        let mut all = [&[][..]; 1 + MAX_PARTS];
        all[0] = &head;
        all[1..][..parts.len()].copy_from_slice(parts);
        self.streams.write(&all)
    }

    /// Answers with the status and the words of a refusal.
    pub(super) fn refuse(&mut self, refusal: &Refusal) -> Result<(), Cause> {
        let text = Text::of(|text| write!(text, "{refusal}"));
        self.answer_with(refusal.status(), text.bytes())
    }

    /// Answers with a code and words that come from somewhere else; words that are too many are cut off.
    pub(super) fn fail(&mut self, code: u8, text: &str) -> Result<(), Cause> {
        let end = (0..=text.len().min(TEXT_BYTES)).rev().find(|&end| text.is_char_boundary(end));
        self.answer_with(-i64::from(code), &text.as_bytes()[..end.unwrap_or(0)])
    }

    fn answer_with(&mut self, status: i64, text: &[u8]) -> Result<(), Cause> {
        self.streams.write(&[&answer_head(status, text.len()), text])
    }
}

/// A short text, which takes no memory from the system.
pub(super) struct Text(Cursor<[u8; TEXT_BYTES]>);

impl Text {
    /// What a function writes; a text that is too long is cut off.
    pub(super) fn of(write: impl FnOnce(&mut Cursor<[u8; TEXT_BYTES]>) -> std::io::Result<()>) -> Self {
        let mut text = Cursor::new([0; TEXT_BYTES]);
        let _ = write(&mut text);
        Text(text)
    }

    pub(super) fn bytes(&self) -> &[u8] {
        &self.0.get_ref()[..self.0.position() as usize]
    }
}
