//! The memory in which a request is read, factored and written from: kept from one request to the next, and given
//! back when a much smaller working set follows.

use crate::blas::scratch;
use crate::os::Mapping;
use crate::protocol::Fault;

/// The least memory that is asked for, and memory that is not worth giving back, in bytes.
const LEAST: usize = 1 << 16;
const KEEP: usize = 1 << 20;
/// After this many requests that all would have fitted a `SHRINK`-th of the memory, the rest is given back.
const WINDOW: u32 = 16;
const SHRINK: usize = 4;

/// Memory for one request at a time.
#[derive(Debug, Default)]
pub(super) struct Workspace {
    mapping: Option<Mapping>,
    /// Requests since the last look at the working set, and the largest of them in bytes.
    requests: u32,
    largest: usize,
}

impl Workspace {
    /// `bytes` bytes, aligned to pages; their contents are whatever the last request left.
    ///
    /// # Errors
    /// [`Fault::OutOfMemory`] when the system refuses; all memory has been given back then.
    pub(super) fn reserve(&mut self, bytes: usize) -> Result<&mut [u8], Fault> {
        self.requests += 1;
        self.largest = self.largest.max(bytes);
        let capacity = self.mapping.as_ref().map_or(0, Mapping::size);
        let at_window = self.requests >= WINDOW;
        let size = if capacity < bytes {
            bytes
        } else if at_window && capacity > KEEP && capacity / SHRINK >= self.largest {
            self.largest
        } else {
            capacity
        };
        if at_window {
            (self.requests, self.largest) = (0, 0);
        }
        let mapping = match self.mapping.take() {
            Some(mapping) if size == capacity => mapping,
            old => {
                // The old memory goes first, so that both never count at once.
                drop(old);
                scratch::release();
                Mapping::anonymous(size.max(LEAST)).map_err(|_| Fault::OutOfMemory { bytes })?
            }
        };
        Ok(&mut self.mapping.insert(mapping).as_mut_slice()[..bytes])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn size(workspace: &Workspace) -> usize {
        workspace.mapping.as_ref().map_or(0, Mapping::size)
    }

    #[test]
    fn memory_is_kept_while_it_is_used_and_given_back_when_a_smaller_working_set_follows() {
        let mut workspace = Workspace::default();
        assert!(workspace.reserve(0).unwrap().is_empty());
        let large = 64 << 20;
        workspace.reserve(large).unwrap()[large - 1] = 1;
        for _ in 0..3 * WINDOW {
            assert_eq!(workspace.reserve(100).unwrap().len(), 100);
            workspace.reserve(large / 2).unwrap();
        }
        assert_eq!(size(&workspace), large, "half of the memory is still in use");
        for _ in 0..2 * WINDOW {
            workspace.reserve(1000).unwrap();
        }
        assert_eq!(size(&workspace), LEAST);
    }

    #[test]
    fn refused_memory_is_an_error_and_the_next_request_is_served() {
        let mut workspace = Workspace::default();
        let bytes = isize::MAX as usize;
        assert!(matches!(workspace.reserve(bytes), Err(Fault::OutOfMemory { bytes: b }) if b == bytes));
        assert_eq!(workspace.reserve(10).unwrap().len(), 10);
    }
}
