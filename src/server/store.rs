//! What a session keeps in memory from one request to the next.
//!
//! Today that is the workspace, in which a request is read, factored and written from. It is given back when a much smaller
//! working set follows.

use crate::lu::release;
use crate::os::Mapping;
use crate::protocol::{Refusal, Shape};

/// The least memory that is asked for, and memory that is not worth giving back, in bytes.
const MIN_MAPPING_BYTES: usize = 1 << 16;
const MIN_RETURNED_BYTES: usize = 1 << 20;
/// After this many requests that all would have fitted a `SHRINK`-th of the memory, the rest is given back.
const WINDOW: u32 = 16;
const SHRINK: usize = 4;

/// The memory of a session.
#[derive(Debug, Default)]
pub(super) struct Store {
    workspace: Workspace,
}

impl Store {
    /// Memory for a matrix and for its row swaps; their contents are whatever the last request left.
    ///
    /// # Errors
    /// [`Refusal::OutOfMemory`] when the system refuses; all memory has been given back then.
    pub(super) fn workspace(&mut self, shape: Shape) -> Result<(&mut [u8], &mut [i64]), Refusal> {
        // The swaps follow the matrix at the next multiple of 8 bytes.
        let ipiv_at = shape.matrix_bytes().next_multiple_of(8);
        let (matrix, ipiv) = self.workspace.reserve(ipiv_at + shape.ipiv_bytes())?.split_at_mut(ipiv_at);
        Ok((&mut matrix[..shape.matrix_bytes()], bytemuck::cast_slice_mut(ipiv)))
    }
}

/// Memory for one request at a time.
#[derive(Debug, Default)]
struct Workspace {
    mapping: Option<Mapping>,
    /// Requests since the last look at the working set, and the largest of them in bytes.
    requests: u32,
    largest: usize,
}

impl Workspace {
    /// `bytes` bytes, aligned to pages; their contents are whatever the last request left.
    ///
    /// # Errors
    /// [`Refusal::OutOfMemory`] when the system refuses; all memory has been given back then.
    fn reserve(&mut self, bytes: usize) -> Result<&mut [u8], Refusal> {
        self.requests += 1;
        self.largest = self.largest.max(bytes);
        let capacity = self.mapping.as_ref().map_or(0, Mapping::size);
        let at_window = self.requests >= WINDOW;
        let size = if capacity < bytes {
            bytes
        } else if at_window && capacity > MIN_RETURNED_BYTES && capacity / SHRINK >= self.largest {
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
                release();
                Mapping::anonymous(size.max(MIN_MAPPING_BYTES)).map_err(|_| Refusal::OutOfMemory { bytes })?
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
        assert_eq!(size(&workspace), MIN_MAPPING_BYTES);
    }

    #[test]
    fn refused_memory_is_an_error_and_the_next_request_is_served() {
        let mut workspace = Workspace::default();
        let bytes = isize::MAX as usize;
        assert!(matches!(workspace.reserve(bytes), Err(Refusal::OutOfMemory { bytes: b }) if b == bytes));
        assert_eq!(workspace.reserve(10).unwrap().len(), 10);
    }
}
