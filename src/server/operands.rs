//! Where the operands of a request are: in segments of the client's memory, or in the workspace.

use std::ops::Range;

use super::segments::Segments;
use crate::protocol::{Extent, Place, Problem, Refusal};

/// The alignment of each part of the workspace: a cache line.
pub(super) const ALIGNMENT: usize = 64;

/// Memory of an operand in a segment. It may change at any moment, so it is reached through the pointer only.
#[derive(Debug, Clone, Copy)]
pub(super) struct Shared {
    pub(super) start: *mut u8,
    pub(super) ld: usize,
    /// Elements from one matrix of a batch to the next.
    pub(super) distance: usize,
}

/// Finds the operands that are in segments, and checks that they lie there and do not overlap, except that operand number
/// `at` has the place of an earlier one if `replaces(earlier, at)`.
///
/// # Errors
/// [`Refusal::NoSegment`], [`Refusal::Operand`].
pub(super) fn find<const N: usize>(
    operands: &[(Extent, Option<Place>); N],
    segments: &Segments,
    replaces: impl Fn(usize, usize) -> bool,
) -> Result<[Option<Shared>; N], Refusal> {
    let mut found = [None; N];
    let mut taken: [Option<(u32, Range<usize>)>; N] = [const { None }; N];
    for (at, (extent, place)) in operands.iter().enumerate() {
        let Some(Place::Segment { segment, offset, ld, distance }) = *place else { continue };
        let memory = segments.find(segment)?;
        let range = extent.range(offset, ld, distance, memory.size())?;
        for (other, before) in taken[..at].iter().enumerate() {
            if !replaces(other, at) && before.as_ref().is_some_and(|(s, r)| *s == segment && overlap(r, &range)) {
                let problem = Problem::Overlap(operands[other].0.name);
                return Err(Refusal::Operand { name: extent.name, problem });
            }
        }
        let start = memory.start().wrapping_add(range.start);
        found[at] = Some(Shared { start, ld: used(ld, extent.run), distance: used(distance, 0) });
        taken[at] = Some((segment, range));
    }
    Ok(found)
}

fn overlap(a: &Range<usize>, b: &Range<usize>) -> bool {
    a.start < b.end && b.start < a.end
}

/// The leading dimension or the distance of a view: for a single column or matrix, or none, the request may have given any.
fn used(elements: u64, least: usize) -> usize {
    usize::try_from(elements).unwrap_or(usize::MAX).max(least)
}

/// Cuts the workspace into parts, each of which is a range of bytes.
#[derive(Debug, Default)]
pub(super) struct Cutter {
    end: usize,
}

impl Cutter {
    /// The next part.
    pub(super) fn part(&mut self, bytes: usize) -> Range<usize> {
        let part = self.end..self.end.saturating_add(bytes);
        self.end = part.end.checked_next_multiple_of(ALIGNMENT).unwrap_or(usize::MAX);
        part
    }

    /// Bytes of the workspace.
    pub(super) fn bytes(&self) -> usize {
        self.end
    }
}
