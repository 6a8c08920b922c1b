//! Where the operands of a request are in segments.

use std::ops::Range;

use super::{BAD_OPERAND, Session, Stop};
use crate::frames::Operand;
use crate::image::Image;

pub(super) const PAYLOAD: u32 = 1;
pub(super) const SEGMENT: u32 = 2;

/// How an operand lies in memory: `matrices` times `count` runs of `run` elements of `size` bytes.
#[derive(Debug, Clone, Copy)]
pub(super) struct Extent {
    pub(super) run: u128,
    pub(super) count: u128,
    pub(super) matrices: u128,
    pub(super) size: u128,
}

/// Where an operand is in the memory of a segment.
#[derive(Debug, Clone)]
pub(super) struct Found {
    pub(super) descriptor: i32,
    pub(super) segment: u32,
    pub(super) range: Range<usize>,
    pub(super) ld: usize,
    pub(super) distance: usize,
}

impl Extent {
    pub(super) fn is_empty(self) -> bool {
        self.run == 0 || self.count == 0 || self.matrices == 0
    }

    /// The bytes in which it lies in a segment; none for an operand without elements.
    fn range(self, operand: &Operand, segment_bytes: usize) -> Result<Range<usize>, Stop> {
        let [offset, ld, distance] = [operand.offset, operand.ld, operand.distance].map(|x| u128::from(x as u64));
        if self.is_empty() {
            return Ok(0..0);
        }
        let one = (self.count - 1) * if self.count > 1 { ld } else { 0 } + self.run;
        let all = (self.matrices - 1).saturating_mul(if self.matrices > 1 { distance } else { 0 }).saturating_add(one);
        let end = all.saturating_mul(self.size).saturating_add(offset);
        let apart = (self.count == 1 || ld >= self.run) && (self.matrices == 1 || distance >= one);
        if end > segment_bytes as u128 || !apart || offset % self.size != 0 {
            return Err(BAD_OPERAND);
        }
        Ok(offset as usize..end as usize)
    }

    /// The byte at which each element begins, in the order of the matrices and their runs.
    pub(super) fn elements(self, found: &Found) -> impl Iterator<Item = usize> + use<> {
        let (start, ld, distance) = (found.range.start, found.ld, found.distance);
        let (run, size) = (self.run as usize, self.size as usize);
        // An operand without elements may have more runs than a loop has time for.
        let [matrices, count] = if self.is_empty() { [0; 2] } else { [self.matrices, self.count].map(|n| n as usize) };
        let runs = (0..matrices).flat_map(move |k| (0..count).map(move |j| k * distance + j * ld));
        runs.flat_map(move |at| (0..run).map(move |i| start + (at + i) * size))
    }
}

impl Session {
    /// Finds the operands that are in segments. Number `at` may have the place of an earlier one if `replaces` says so.
    pub(super) fn find<const N: usize>(
        &self,
        operands: &[Operand; N],
        extents: &[Extent; N],
        replaces: impl Fn(usize, usize) -> bool,
    ) -> Result<[Option<Found>; N], Stop> {
        let mut found: [Option<Found>; N] = [const { None }; N];
        let mut is_shared = false;
        for (at, (operand, extent)) in operands.iter().zip(extents).enumerate() {
            if operand.place != SEGMENT {
                continue;
            }
            let segment = self.segments[self.index(operand.segment)?].expect("a segment that is mapped");
            let range = extent.range(operand, segment.size)?;
            for (other, before) in found[..at].iter().enumerate() {
                let Some(before) = before.as_ref().filter(|_| !replaces(other, at)) else { continue };
                if before.range.start < range.end && range.start < before.range.end {
                    if before.segment == operand.segment {
                        return Err(BAD_OPERAND);
                    }
                    is_shared |= before.descriptor == segment.descriptor;
                }
            }
            let (descriptor, segment) = (segment.descriptor, operand.segment);
            let (ld, distance) = (operand.ld as usize, operand.distance as usize);
            found[at] = Some(Found { descriptor, segment, range, ld, distance });
        }
        if is_shared { Err(Stop::Unpredictable) } else { Ok(found) }
    }

    pub(super) fn image(&mut self, found: &Found) -> &mut Image {
        &mut self.files.get_mut(&found.descriptor).expect("a file that is mapped").image
    }
}
