//! Responses as they stand in a stream: found by their labels, read, and held in no more memory than they need.

use std::fmt::Display;
use std::io::{ErrorKind, Read};

use bytemuck::Pod;
use byteorder::{ByteOrder, LittleEndian};

use super::Failure;
use crate::files::{Elements, Grid, Order, fill};
use crate::protocol::label::{self, Label};
use crate::protocol::{
    ANSWER_HEAD_BYTES, FACTORED_BYTES, Factored, INFO_BYTES, Shape, describe_refusal, parse_answer_head, refusal_code,
};

/// The most bytes of a server's message that are shown.
const MAX_MESSAGE_BYTES: usize = 4096;

/// What a response holds.
#[derive(Debug, Clone, Copy)]
pub(super) struct Announced {
    /// The number of matrices, if they are a stack.
    pub(super) count: Option<usize>,
    /// Each of them.
    pub(super) shape: Shape,
    /// The factors, as they are sent.
    pub(super) grid: Grid,
}

impl Announced {
    /// The response to a request of version 1.
    pub(super) fn matrix(shape: Shape) -> Option<Self> {
        let grid = Grid::new(&[shape.m(), shape.n()], Order::Wire)?;
        Some(Announced { count: None, shape, grid })
    }

    /// The answer to BATCH_FACTOR with L and U, `ipiv` and `info`. Both are `None` if their bytes cannot be counted.
    pub(super) fn stack(count: usize, shape: Shape) -> Option<Self> {
        let grid = Grid::new(&[count, shape.m(), shape.n()], Order::Wire)?;
        let each = shape.matrix_bytes().checked_add(shape.ipiv_bytes())?.checked_add(INFO_BYTES)?;
        each.checked_mul(count)?.checked_add(FACTORED_BYTES)?;
        Some(Announced { count: Some(count), shape, grid })
    }

    /// Bytes of the payload of the answer for a stack of `count` matrices.
    fn payload_bytes(&self, count: usize) -> usize {
        FACTORED_BYTES + count * (self.shape.matrix_bytes() + self.shape.ipiv_bytes() + INFO_BYTES)
    }
}

/// A stream of responses.
pub(super) struct Responses<R> {
    input: R,
    /// The response that is being read, counted from 1; labels do not count.
    pub(super) number: usize,
}

impl<R: Read> Responses<R> {
    pub(super) fn new(input: R) -> Self {
        Responses { input, number: 0 }
    }

    /// Goes to the next response: what it holds, and its first number, which is `info` or a status; `None` at the end of the
    /// input. Unless it is given what the response holds, a label must come first. A refusal is an error.
    pub(super) fn next(&mut self, given: Option<Announced>) -> Result<Option<(Announced, i64)>, Failure> {
        self.number += 1;
        let Some(first) = self.first_number()? else {
            // A stream without any response is the trace of a request that failed earlier in the pipeline.
            return if self.number > 1 { Ok(None) } else { Err(self.fail("expected a response, got end of input")) };
        };
        if let Some(given) = given {
            return Ok(Some((given, first)));
        }
        let announced = match self.label()? {
            Label::Matrix(shape) => Announced::matrix(shape),
            Label::Stack(count) => match self.first_number_after_label().and_then(|_| self.label())? {
                Label::Matrix(shape) => Announced::stack(count, shape),
                Label::Stack(_) => None,
            },
        };
        let announced =
            announced.ok_or_else(|| self.fail("expected the label of a response, got an impossible one"))?;
        Ok(Some((announced, self.first_number_after_label()?)))
    }

    /// Reads what stands before the factors of a stack of `count` matrices: the rest of the answer's head after the status, and
    /// the fixed part of its payload. Returns the number of matrices whose `info` is not 0.
    pub(super) fn start_of_stack(
        &mut self,
        announced: &Announced,
        count: usize,
        status: i64,
    ) -> Result<usize, Failure> {
        let mut head = [0; ANSWER_HEAD_BYTES];
        LittleEndian::write_i64(&mut head, status);
        self.fill(&mut head[INFO_BYTES..], "length")?;
        if label::begins(&head[INFO_BYTES..]) {
            return Err(self.labelled());
        }
        let (status, length) = parse_answer_head(&head);
        if status < 0 {
            return Err(self.refusal(status, length));
        }
        let expected = announced.payload_bytes(count);
        if (status, length) != (0, expected as u64) {
            let message = format!("expected status 0 and {expected} bytes, got status {status} and {length} bytes");
            return Err(self.fail(message));
        }
        let mut fixed = [0; FACTORED_BYTES];
        self.fill(&mut fixed, "the fixed part")?;
        let singular = Factored::parse(&fixed).info;
        usize::try_from(singular).ok().filter(|&singular| singular <= count).ok_or_else(|| {
            self.fail(format_args!("expected a number of singular matrices in 0..={count}, got {singular}"))
        })
    }

    /// What the server said as it refused a request for a stack.
    fn refusal(&mut self, status: i64, length: u64) -> Failure {
        let mut message = [0; MAX_MESSAGE_BYTES];
        let shown = usize::try_from(length).map_or(MAX_MESSAGE_BYTES, |length| length.min(MAX_MESSAGE_BYTES));
        let got = fill(&mut self.input, &mut message[..shown]).unwrap_or(0);
        let message = String::from_utf8_lossy(&message[..got]).replace(char::is_control, " ");
        let code = describe_refusal(status.saturating_neg());
        self.fail(format_args!("the server refused the request: {code}: {message}"))
    }

    /// Reads a label after its `info`.
    fn label(&mut self) -> Result<Label, Failure> {
        let mut row = [0; label::ROW_BYTES];
        self.fill(&mut row, "label")?;
        label::parse(&row).ok_or_else(|| self.fail("expected a label; for requests made without one say --shape"))
    }

    /// Reads the first number of a response, or of a label's; `None` at the end of the input.
    fn first_number(&mut self) -> Result<Option<i64>, Failure> {
        let mut bytes = [0; INFO_BYTES];
        let got = fill(&mut self.input, &mut bytes).map_err(|error| Failure::io("stdin", &error))?;
        if got == 0 {
            return Ok(None);
        }
        self.complete(INFO_BYTES, got, "info")?;
        let info = LittleEndian::read_i64(&bytes);
        match refusal_code(info) {
            None => Ok(Some(info)),
            Some(code) => Err(self.fail(format_args!("the server refused the request: {}", describe_refusal(code)))),
        }
    }

    fn first_number_after_label(&mut self) -> Result<i64, Failure> {
        self.first_number()?.ok_or_else(|| self.fail("expected a response after its label, got end of input"))
    }

    /// Reads `count` elements; `what` they are, in an error.
    pub(super) fn elements<T: Pod>(&mut self, count: usize, what: &str) -> Result<Elements<T>, Failure> {
        let bytes = count * size_of::<T>();
        let (elements, got) = Elements::read(&mut self.input, count).map_err(|error| match error.kind() {
            ErrorKind::OutOfMemory => self.refused(bytes, &format!("the {what}")),
            _ => Failure::io("stdin", &error),
        })?;
        self.complete(bytes, got, what)?;
        Ok(elements)
    }

    /// Fills a buffer, for which the input must have enough.
    pub(super) fn fill(&mut self, buf: &mut [u8], what: &str) -> Result<(), Failure> {
        let got = fill(&mut self.input, buf).map_err(|error| Failure::io("stdin", &error))?;
        self.complete(buf.len(), got, what)
    }

    /// Fails unless as many bytes came as were expected.
    fn complete(&self, bytes: usize, got: usize, what: &str) -> Result<(), Failure> {
        if got == bytes {
            return Ok(());
        }
        Err(self.fail(format_args!("expected {bytes} bytes of {what}, got end of input after {got}")))
    }

    pub(super) fn fail(&self, message: impl Display) -> Failure {
        Failure::data(self.place(), message)
    }

    /// A label where a response was expected.
    pub(super) fn labelled(&self) -> Failure {
        self.fail("got a label: this stream says its shapes itself, leave out --shape")
    }

    /// Memory that the system refused.
    pub(super) fn refused(&self, bytes: usize, purpose: &str) -> Failure {
        Failure::out_of_memory(self.place(), bytes, purpose)
    }

    fn place(&self) -> String {
        format!("response {}", self.number)
    }
}
