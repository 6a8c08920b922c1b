//! The exchange of one computation with a server.

use std::iter::once;
use std::time::Instant;

use super::call::{AccuracyMemory, SystemCall};
use crate::client::connection::{Connection, refused};
use crate::client::exchange::{self, Input, Output};
use crate::client::frame::{self, threads};
use crate::client::mapped::Mapped;
use crate::client::operands::{Matrices, Offsets};
use crate::client::pipes::{Break, Feature, Pipes};
use crate::matrix::Layout;
use crate::options::Options;
use crate::os::current_cpu;
use crate::pivoting::Pivoting;
use crate::protocol::{
    ANSWER_BYTES, ANSWER_HEAD_BYTES, Factors, FrameCommand, Place, Refusal, Shape, SystemAnswer, SystemOperand,
    SystemRequest, WireElement, info_range,
};

const ANSWER_END: usize = ANSWER_HEAD_BYTES + ANSWER_BYTES;
const OPERANDS: usize = SystemOperand::ALL.len();

/// A request that has been computed, and whose results are to be received.
pub(in crate::client) struct Computed {
    pub(in crate::client) answer: SystemAnswer,
    /// The request with all operands in the payload.
    request: SystemRequest,
    offsets: Offsets<OPERANDS>,
    is_mapped: bool,
}

impl<T: WireElement> SystemCall<'_, T> {
    /// Sends the request, and waits until it has been computed.
    pub(in crate::client) fn send(
        &self,
        connection: &mut Connection,
        options: &Options,
        deadline: Option<Instant>,
    ) -> Result<Computed, Break> {
        let max_bytes = connection.max_bytes_with(Feature::Systems, deadline)?;
        let request = self.request(options, max_bytes).map_err(|refusal| refused(&refusal))?;
        let offsets = offsets(&request);
        let (pipes, mapped) = connection.with_room(offsets.bytes, deadline)?;
        let (is_mapped, answer) = match mapped {
            Some(mapped) => (true, self.send_mapped(pipes, mapped, &request, &offsets, deadline)?),
            None => (false, self.send_inline(pipes, &request, deadline)?),
        };
        let answer = self.checked(SystemAnswer::parse(answer.last_chunk().expect("the payload")), &request)?;
        Ok(Computed { answer, request, offsets, is_mapped })
    }

    /// The request with all operands in the payload.
    ///
    /// # Errors
    /// A refusal that a server with this limit would give.
    fn request(&self, options: &Options, max_bytes: u64) -> Result<SystemRequest, Refusal> {
        let (n, nrhs) = (self.n as i64, self.b().map_or(0, |b| b.geometry.ncols()));
        let bad_shape = || Refusal::BatchShape { sizes: [1, n, n, nrhs as i64] };
        let (max_steps, bounds) =
            self.refinement.map_or((0, false), |refinement| (refinement.max_steps, refinement.bounds));
        let is_there = |operand| match operand {
            SystemOperand::A => self.a.is_some(),
            SystemOperand::B => self.b().is_some(),
            SystemOperand::X => self.x.is_some(),
            SystemOperand::Accuracy => self.refinement.is_some(),
        };
        let request = SystemRequest {
            kind: self.kind,
            shape: Shape::new(n, n, T::TYPE).ok_or_else(bad_shape)?,
            nrhs,
            factors: self.factors,
            pivoting: if self.a.is_some() { options.pivoting } else { Pivoting::Partial },
            layout: Layout::ColumnMajor,
            layout_of_x: Layout::ColumnMajor,
            must_be_finite: false,
            transposed: self.transposed,
            bounds,
            norm: self.norm,
            threads: threads(options),
            cpu: current_cpu(),
            max_steps,
            places: SystemOperand::ALL.map(|operand| is_there(operand).then_some(Place::Payload)),
        };
        // What the server would refuse is not sent: a payload may be longer than it reads.
        SystemRequest::parse(self.kind, &request.to_bytes(), max_bytes)
    }

    fn send_mapped(
        &self,
        pipes: &mut Pipes,
        mapped: &Mapped,
        request: &SystemRequest,
        offsets: &Offsets<OPERANDS>,
        deadline: Option<Instant>,
    ) -> Result<[u8; ANSWER_END], Break> {
        for (operand, matrices) in [(SystemOperand::A, self.a), (SystemOperand::B, self.b())] {
            if let Some(matrices) = matrices {
                exchange::store(mapped, offsets.of(operand as usize), matrices);
            }
        }
        let request = in_segment(request, offsets, mapped.number()).to_bytes();
        frame::ask(pipes, FrameCommand::System(self.kind), &request, deadline)
    }

    fn send_inline(
        &self,
        pipes: &mut Pipes,
        request: &SystemRequest,
        deadline: Option<Instant>,
    ) -> Result<[u8; ANSWER_END], Break> {
        let inputs = self.a.into_iter().chain(self.b()).flat_map(Matrices::slices).map(Input::Elements);
        let (command, fixed) = (FrameCommand::System(self.kind), request.to_bytes());
        exchange::ask(pipes, command, &fixed, inputs, answered_bytes(request), deadline)
    }

    /// The fixed part of an answer, if a computation can have it.
    fn checked(&self, answer: SystemAnswer, request: &SystemRequest) -> Result<SystemAnswer, Break> {
        let range = self.known_info.map_or(info_range(request.shape, request.pivoting), |info| info..=info);
        let out_of_step = |expected: String| Err(Break::OutOfStep(expected));
        if !range.contains(&answer.info) {
            return out_of_step(format!("expected info in {range:?}, got {}", answer.info));
        }
        let (keeps, handle) = (matches!(self.factors, Factors::Keep { .. }), answer.handle);
        if handle.is_some() != keeps {
            let expected = if keeps { "the handle of the factors" } else { "no handle" };
            return out_of_step(format!("expected {expected}, got {}", handle.unwrap_or(0)));
        }
        match answer.mixed_steps {
            Some(steps) if self.factors != Factors::Mixed => {
                out_of_step(format!("expected no steps in mixed precision, got {steps}"))
            }
            _ => Ok(answer),
        }
    }

    /// Receives the results. If A is singular there are none, and the memory of the caller stays as it is.
    pub(in crate::client) fn receive(
        self,
        connection: &mut Connection,
        computed: &Computed,
        accuracy: &mut AccuracyMemory,
        deadline: Option<Instant>,
    ) -> Result<(), Break> {
        if computed.answer.info != 0 {
            accuracy.read_unknown();
            let bytes = if computed.is_mapped { 0 } else { answered_bytes(&computed.request) };
            return frame::skip(&mut connection.pipes, bytes, deadline);
        }
        match connection.mapped().filter(|_| computed.is_mapped) {
            Some(mapped) => {
                let offset = |operand: SystemOperand| computed.offsets.of(operand as usize);
                if let Some(x) = self.x {
                    // SAFETY: X is a mutable view, and belongs to this call.
                    unsafe { exchange::load(mapped, offset(SystemOperand::X), x) };
                }
                exchange::load_bytes(mapped, offset(SystemOperand::Accuracy), accuracy.bytes());
            }
            None => {
                // SAFETY: X is a mutable view, and belongs to this call.
                let x = self.x.into_iter().flat_map(|x| unsafe { x.slices_mut() }).map(Output::Elements);
                let accuracy = once(Output::Bytes(accuracy.bytes()));
                exchange::receive(&mut connection.pipes, x.chain(accuracy), deadline)?;
            }
        }
        let out_of_step = |steps| Break::OutOfStep(format!("expected a number of steps below 2^32, got {steps}"));
        accuracy.read().map_err(out_of_step)
    }
}

/// Gives each operand its place in the segment; X has that of B.
fn offsets(request: &SystemRequest) -> Offsets<OPERANDS> {
    let mut offsets = Offsets::new();
    for operand in SystemOperand::ALL.into_iter().filter(|&operand| request.place(operand).is_some()) {
        if operand == SystemOperand::X && request.replaces_b() {
            offsets.replace(operand as usize, SystemOperand::B as usize);
        } else {
            offsets.append(operand as usize, request.extent(operand).bytes());
        }
    }
    offsets
}

/// The request with all operands in a segment, without padding.
fn in_segment(request: &SystemRequest, offsets: &Offsets<OPERANDS>, segment: u32) -> SystemRequest {
    let place = |operand: SystemOperand| {
        request.place(operand)?;
        let ld = if operand == SystemOperand::Accuracy { 0 } else { request.shape.n() as u64 };
        Some(Place::Segment { segment, offset: offsets.of(operand as usize) as u64, ld, distance: 0 })
    };
    SystemRequest { places: SystemOperand::ALL.map(place), ..*request }
}

/// Bytes of the results in the payload of the answer.
fn answered_bytes(request: &SystemRequest) -> usize {
    let results = [SystemOperand::X, SystemOperand::Accuracy].into_iter();
    let answered = results.filter(|&operand| request.place(operand).is_some());
    answered.map(|operand| request.extent(operand).bytes()).sum()
}
