//! The exchange of a batch with a server.

use std::iter::once;
use std::time::Instant;

use super::call::BatchCall;
use super::plan::Plan;
use super::vectors::Ipiv;
use crate::client::connection::{Connection, refused};
use crate::client::exchange::{self, Input, Output};
use crate::client::frame;
use crate::client::mapped::Mapped;
use crate::client::operands::Matrices;
use crate::client::pipes::{Break, Feature, Pipes};
use crate::lu::{Swaps, zeros};
use crate::options::Options;
use crate::protocol::{
    ANSWER_HEAD_BYTES, BatchKind, BatchOperand, FACTORED_BYTES, Factored, FrameCommand, Shape, WireElement, check_ipiv,
    info_range,
};

const FACTORED_END: usize = ANSWER_HEAD_BYTES + FACTORED_BYTES;

/// A request that has been computed, and whose results are to be received.
pub(in crate::client) struct Computed {
    plan: Plan,
    /// The number of matrices whose `info` is not 0.
    singular: usize,
    is_mapped: bool,
}

impl<T: WireElement> BatchCall<'_, T> {
    /// Sends the request, and waits until it has been computed.
    pub(in crate::client) fn send(
        &self,
        connection: &mut Connection,
        options: &Options,
        deadline: Option<Instant>,
    ) -> Result<Computed, Break> {
        let max_bytes = connection.max_bytes_with(Feature::Batches, deadline)?;
        let plan = Plan::new(self, options, max_bytes).map_err(|refusal| refused(&refusal))?;
        let (pipes, mapped) = connection.with_room(plan.offsets.bytes, deadline)?;
        let (is_mapped, singular) = match mapped {
            Some(mapped) => (true, self.send_mapped(pipes, mapped, &plan, deadline)?),
            None => (false, self.send_inline(pipes, &plan, deadline)?),
        };
        Ok(Computed { plan, singular, is_mapped })
    }

    /// The right-hand sides.
    fn b(&self) -> Option<Matrices<'_, T>> {
        self.x.filter(|_| self.kind != BatchKind::Inverse)
    }

    fn send_mapped(
        &self,
        pipes: &mut Pipes,
        mapped: &Mapped,
        plan: &Plan,
        deadline: Option<Instant>,
    ) -> Result<usize, Break> {
        for (operand, matrices) in [(BatchOperand::A, Some(self.a)), (BatchOperand::B, self.b())] {
            if let Some(matrices) = matrices {
                exchange::store(mapped, plan.offset(operand), matrices);
            }
        }
        let ipiv = bytemuck::cast_slice(self.vectors.sent());
        exchange::store_bytes(mapped, plan.offset(BatchOperand::Ipiv), ipiv);
        let request = plan.in_segment(mapped.number()).to_bytes();
        let answer = frame::ask::<FACTORED_END>(pipes, FrameCommand::Batch(self.kind), &request, deadline)?;
        self.checked_count(&answer)
    }

    fn send_inline(&self, pipes: &mut Pipes, plan: &Plan, deadline: Option<Instant>) -> Result<usize, Break> {
        let (a, b) = (self.a.slices(), self.b().into_iter().flat_map(Matrices::slices));
        let swaps = once(Input::Swaps(self.vectors.sent()));
        let inputs = a.map(Input::Elements).chain(swaps).chain(b.map(Input::Elements));
        let (command, fixed) = (FrameCommand::Batch(self.kind), plan.request.to_bytes());
        let answer = exchange::ask(pipes, command, &fixed, inputs, plan.answered_bytes(), deadline)?;
        self.checked_count(&answer)
    }

    /// The number of singular matrices in an answer, if the batch can have it.
    fn checked_count(&self, answer: &[u8; FACTORED_END]) -> Result<usize, Break> {
        let (count, got) = (self.vectors.info.len(), Factored::parse(answer.last_chunk().expect("the payload")).info);
        let singular = usize::try_from(got).ok().filter(|&singular| singular <= count);
        singular.ok_or_else(|| Break::OutOfStep(format!("expected 0 to {count} singular matrices, got {got}")))
    }

    /// Receives the results, and checks each `info` and each row swap.
    pub(in crate::client) fn receive(
        mut self,
        connection: &mut Connection,
        computed: &Computed,
        options: &Options,
        deadline: Option<Instant>,
    ) -> Result<(), Break> {
        if let Some(mapped) = connection.mapped().filter(|_| computed.is_mapped) {
            self.receive_mapped(mapped, &computed.plan);
        } else if self.kind == BatchKind::Inverse && computed.singular > 0 {
            self.receive_some_inverses(&mut connection.pipes, deadline)?;
        } else {
            self.receive_inline(&mut connection.pipes, deadline)?;
        }
        self.check_info(computed, options)?;
        self.check_ipiv(computed.plan.request.shape)
    }

    fn receive_mapped(&mut self, mapped: &Mapped, plan: &Plan) {
        let x = self.b().map(|x| (BatchOperand::X, x));
        for (operand, matrices) in x.into_iter().chain(self.lu.map(|lu| (BatchOperand::Lu, lu))) {
            // SAFETY: the views of results are mutable, and belong to this call.
            unsafe { exchange::load(mapped, plan.offset(operand), matrices) };
        }
        for (operand, bytes) in self.vectors.results() {
            exchange::load_bytes(mapped, plan.offset(operand), bytes);
        }
        if self.kind == BatchKind::Inverse {
            let at = plan.offset(BatchOperand::X);
            self.store_inverses(|k, bytes| mapped.memory_at(at + k * bytes, bytes).cast_const());
        }
    }

    fn receive_inline(&mut self, pipes: &mut Pipes, deadline: Option<Instant>) -> Result<(), Break> {
        // SAFETY: the views of results are mutable.
        let lu = self.lu.into_iter().flat_map(|lu| unsafe { lu.slices_mut() }).map(Output::Elements);
        // SAFETY: the same; this is different memory.
        let x = self.x.into_iter().flat_map(|x| unsafe { x.slices_mut() }).map(Output::Elements);
        let [ipiv, info, det] = self.vectors.results().map(|(_, bytes)| Output::Bytes(bytes));
        exchange::receive(pipes, lu.chain(once(ipiv)).chain(x).chain([info, det]), deadline)?;
        self.vectors.wire_order();
        Ok(())
    }

    /// The inverses, of which those of singular matrices are not stored.
    fn receive_some_inverses(&mut self, pipes: &mut Pipes, deadline: Option<Instant>) -> Result<(), Break> {
        let elements = self.x.map_or(0, |x| x.bytes() / size_of::<T>());
        let refused = |_| Break::Io("reserve memory for the inverses", std::io::ErrorKind::OutOfMemory.into());
        let mut inverses: Vec<T> = zeros(elements).map_err(refused)?;
        let [_, (_, info), _] = self.vectors.results();
        let results = [Output::Elements(&mut inverses[..]), Output::Bytes(info)];
        exchange::receive(pipes, results.into_iter(), deadline)?;
        self.vectors.wire_order();
        let bytes: &[u8] = bytemuck::cast_slice(&inverses);
        self.store_inverses(|k, count| bytes[k * count..][..count].as_ptr());
        Ok(())
    }

    /// Stores the inverses of the matrices that have one. They come from memory of this matrix, with this number of bytes.
    fn store_inverses(&self, from: impl Fn(usize, usize) -> *const u8) {
        let Some(x) = self.x else { return };
        for (k, _) in self.vectors.info.iter().enumerate().filter(|&(_, &info)| info == 0) {
            let inverse = x.one(k);
            // SAFETY: the caller has as many bytes; the view of the inverses is mutable.
            unsafe { inverse.copy_from(from(k, inverse.bytes())) };
        }
    }

    fn check_info(&self, computed: &Computed, options: &Options) -> Result<(), Break> {
        let (range, singular) = (info_range(computed.plan.request.shape, options.pivoting), computed.singular);
        if let Some(info) = self.vectors.info.iter().find(|info| !range.contains(info)) {
            return Err(Break::OutOfStep(format!("expected info in {range:?}, got {info}")));
        }
        let found = self.vectors.info.iter().filter(|&&info| info != 0).count();
        if found == singular {
            return Ok(());
        }
        Err(Break::OutOfStep(format!("expected info of {singular} singular matrices, got {found}")))
    }

    fn check_ipiv(&self, shape: Shape) -> Result<(), Break> {
        let pivots = shape.pivots().max(1);
        let check = |ipiv: &[i64]| check_ipiv(ipiv, shape);
        let checked = match &self.vectors.ipiv {
            Ipiv::Wanted(Swaps::Lapack(ipiv)) => ipiv.chunks(pivots).try_for_each(check),
            Ipiv::Wanted(Swaps::ZeroBased(ipiv)) => ipiv.iter().enumerate().try_for_each(|(at, &row)| {
                let (index, row, m) = (at % pivots + 1, i64::from(row) + 1, shape.m());
                let is_good = (index as i64..=m as i64).contains(&row);
                if is_good { Ok(()) } else { Err(crate::Error::Pivot { index, row, m }) }
            }),
            _ => Ok(()),
        };
        checked.map_err(|error| Break::OutOfStep(error.to_string()))
    }
}
