//! Memory that the client and the server both see.

use std::num::NonZeroUsize;

use crate::os::{SharedMemory, Unmappable, inherited, of_process};
use crate::protocol::{MapRequest, Owner, Refusal};

/// The largest number of segments.
const MAX_SEGMENTS: usize = 16;

/// What all segments together may have beyond twice the limit on matrices: a matrix of the limit in two orders, and its
/// row swaps.
const MARGIN_BYTES: u64 = 1 << 20;

/// The segments of a session. Their numbers begin with 1.
#[derive(Debug, Default)]
pub(super) struct Segments {
    mapped: [Option<SharedMemory>; MAX_SEGMENTS],
}

impl Segments {
    /// The number of segments.
    pub(super) fn count(&self) -> usize {
        self.mapped.iter().flatten().count()
    }

    /// Bytes of all segments.
    pub(super) fn bytes(&self) -> u64 {
        self.mapped.iter().flatten().map(|memory| memory.size() as u64).sum()
    }

    /// The memory of a segment.
    ///
    /// # Errors
    /// [`Refusal::NoSegment`].
    pub(super) fn find(&self, segment: u32) -> Result<&SharedMemory, Refusal> {
        self.index(segment).and_then(|at| self.mapped[at].as_ref()).ok_or(Refusal::NoSegment(segment))
    }

    fn index(&self, segment: u32) -> Option<usize> {
        let at = usize::try_from(segment).ok()?.checked_sub(1)?;
        self.mapped.get(at)?.is_some().then_some(at)
    }

    /// Maps memory.
    ///
    /// # Errors
    /// [`Refusal::NoSegment`], [`Refusal::TooManySegments`], [`Refusal::SegmentsTooLarge`], [`Refusal::Unmappable`]; then
    /// nothing has changed.
    pub(super) fn map(&mut self, request: &MapRequest, max_bytes: u64) -> Result<u32, Refusal> {
        let at = match request.segment {
            Some(segment) => self.index(segment).ok_or(Refusal::NoSegment(segment))?,
            None => {
                let free = self.mapped.iter().position(Option::is_none);
                free.ok_or(Refusal::TooManySegments { max: MAX_SEGMENTS })?
            }
        };
        let replaced = self.mapped[at].as_ref().map_or(0, |memory| memory.size() as u64);
        let bytes = (self.bytes() - replaced).saturating_add(request.size as u64);
        let max = max_bytes.saturating_mul(2).saturating_add(MARGIN_BYTES);
        if bytes > max {
            return Err(Refusal::SegmentsTooLarge { bytes, max });
        }
        let size = NonZeroUsize::new(request.size).expect("a size that was checked");
        let memory = open(request).and_then(|file| SharedMemory::map(&file, size)).map_err(refusal)?;
        self.mapped[at] = Some(memory);
        Ok(at as u32 + 1)
    }

    /// Forgets a segment.
    ///
    /// # Errors
    /// [`Refusal::NoSegment`].
    pub(super) fn unmap(&mut self, segment: u32) -> Result<(), Refusal> {
        let at = self.index(segment).ok_or(Refusal::NoSegment(segment))?;
        self.mapped[at] = None;
        Ok(())
    }
}

fn open(request: &MapRequest) -> Result<std::os::fd::OwnedFd, Unmappable> {
    match request.owner {
        Owner::Server => inherited(request.descriptor),
        Owner::Process(process) => of_process(process, request.descriptor),
    }
}

fn refusal(Unmappable { expected, error }: Unmappable) -> Refusal {
    Refusal::Unmappable { expected, os_error: error.map(|error| error as i32) }
}
