//! Where the operands of a batch are: all in the payload, or all in the segment.

use super::call::BatchCall;
use super::vectors::Ipiv;
use crate::client::frame::threads;
use crate::client::operands::Offsets;
use crate::lu::Swaps;
use crate::matrix::Layout;
use crate::options::Options;
use crate::os::current_cpu;
use crate::pivoting::Pivoting;
use crate::protocol::{BatchKind, BatchOperand, BatchRequest, Place, Refusal, Shape, WireElement};

/// A request, and where its operands are in the segment, if they are there.
pub(super) struct Plan {
    /// The request with all operands in the payload.
    pub(super) request: BatchRequest,
    pub(super) offsets: Offsets<{ BatchOperand::ALL.len() }>,
}

impl Plan {
    /// # Errors
    /// A refusal that a server with this limit would give.
    pub(super) fn new<T: WireElement>(
        call: &BatchCall<'_, T>,
        options: &Options,
        max_bytes: u64,
    ) -> Result<Self, Refusal> {
        let geometry = call.a.geometry;
        let [count, m, n] = [geometry.count(), geometry.nrows(), geometry.ncols()];
        let x = call.x.map(|x| x.geometry);
        let nrhs = x.filter(|_| call.kind != BatchKind::Inverse).map_or(0, |x| x.ncols());
        let bad_shape = || Refusal::BatchShape { sizes: [count, m, n, nrhs].map(|size| size as i64) };
        let is_there = |operand| match operand {
            BatchOperand::A => true,
            BatchOperand::Lu => call.lu.is_some(),
            BatchOperand::Ipiv => !matches!(call.vectors.ipiv, Ipiv::Wanted(Swaps::Nowhere)),
            BatchOperand::B => call.x.is_some() && call.kind != BatchKind::Inverse,
            BatchOperand::X => call.x.is_some(),
            BatchOperand::Info => !matches!(call.kind, BatchKind::Solve | BatchKind::Det),
            BatchOperand::Rcond => false,
            BatchOperand::Det => call.kind == BatchKind::Det,
        };
        let request = BatchRequest {
            kind: call.kind,
            count,
            shape: Shape::new(m as i64, n as i64, T::TYPE).ok_or_else(bad_shape)?,
            nrhs,
            pivoting: if call.kind == BatchKind::Solve { Pivoting::Partial } else { options.pivoting },
            layouts: [Some(geometry), call.lu.map(|lu| lu.geometry), x]
                .map(|geometry| geometry.map_or(Layout::ColumnMajor, |geometry| geometry.layout())),
            must_be_finite: false,
            narrow_ipiv: matches!(call.vectors.ipiv, Ipiv::Wanted(Swaps::ZeroBased(_))),
            transposed: call.transposed,
            threads: threads(options),
            cpu: current_cpu(),
            places: BatchOperand::ALL.map(|operand| is_there(operand).then_some(Place::Payload)),
        };
        // What the server would refuse is not sent: a payload may be longer than it reads.
        let request = BatchRequest::parse(call.kind, &request.to_bytes(), max_bytes)?;
        Ok(Plan::of(request))
    }

    /// Gives each operand its place; a result has that of its input, if both have the same order.
    fn of(request: BatchRequest) -> Self {
        let mut plan = Plan { request, offsets: Offsets::new() };
        for operand in BatchOperand::ALL.into_iter().filter(|&operand| request.place(operand).is_some()) {
            match plan.replaced(operand) {
                Some(input) => plan.offsets.replace(operand as usize, input as usize),
                None => plan.offsets.append(operand as usize, request.extent(operand).bytes()),
            }
        }
        plan
    }

    /// The input whose place a result takes.
    fn replaced(&self, result: BatchOperand) -> Option<BatchOperand> {
        let input = result.may_replace().filter(|&input| self.request.place(input).is_some())?;
        (self.request.layout(input) == self.request.layout(result)).then_some(input)
    }

    /// Where an operand is in the segment, in bytes.
    pub(super) fn offset(&self, operand: BatchOperand) -> usize {
        self.offsets.of(operand as usize)
    }

    /// The request with all operands in a segment, without padding.
    pub(super) fn in_segment(&self, segment: u32) -> BatchRequest {
        let place = |operand: BatchOperand| {
            self.request.place(operand)?;
            let (extent, offset) = (self.request.extent(operand), self.offset(operand) as u64);
            let (ld, distance) =
                if operand.is_vector() { (0, 0) } else { (extent.run as u64, extent.run as u64 * extent.count as u64) };
            Some(Place::Segment { segment, offset, ld, distance })
        };
        BatchRequest { places: BatchOperand::ALL.map(place), ..self.request }
    }

    /// Bytes of the results in the payload of the answer.
    pub(super) fn answered_bytes(&self) -> usize {
        let answered = BatchOperand::ALL.into_iter().filter(|&operand| self.request.is_answered(operand));
        answered.map(|operand| self.request.extent(operand).bytes()).sum()
    }
}
