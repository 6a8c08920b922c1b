//! What a session keeps in memory from one request to the next.
//!
//! That is the workspace, the segments that the client has mapped, and factors. A matrix is read into the workspace, factored in it, and
//! written from it. The workspace shrinks if requests become much smaller.

use super::kept::Kept;
use super::segments::Segments;
use crate::lu::release;
use crate::os::Mapping;
use crate::protocol::{Refusal, Shape};
use crate::usage::Usage;

/// The smallest mapping, in bytes.
const MIN_MAPPING_BYTES: usize = 1 << 16;

/// The memory of a session.
#[derive(Debug, Default)]
pub(super) struct Store {
    pub(super) workspace: Workspace,
    pub(super) segments: Segments,
    pub(super) kept: Kept,
}

/// Memory for one request at a time.
#[derive(Debug, Default)]
pub(super) struct Workspace {
    mapping: Option<Mapping>,
    usage: Usage,
}

impl Workspace {
    /// Memory for a matrix and for its row swaps, with arbitrary contents.
    ///
    /// # Errors
    /// [`Refusal::OutOfMemory`] if the system refuses; then all memory has been given back.
    pub(super) fn matrix(&mut self, shape: Shape) -> Result<(&mut [u8], &mut [i64]), Refusal> {
        // The swaps follow the matrix at the next multiple of 8 bytes.
        let ipiv_at = shape.matrix_bytes().next_multiple_of(8);
        let (matrix, ipiv) = self.reserve(ipiv_at + shape.ipiv_bytes())?.split_at_mut(ipiv_at);
        Ok((&mut matrix[..shape.matrix_bytes()], bytemuck::cast_slice_mut(ipiv)))
    }

    /// `bytes` bytes, aligned to pages, with arbitrary contents.
    ///
    /// # Errors
    /// [`Refusal::OutOfMemory`] if the system refuses; then all memory has been given back.
    pub(super) fn reserve(&mut self, bytes: usize) -> Result<&mut [u8], Refusal> {
        let capacity = self.mapping.as_ref().map_or(0, Mapping::size);
        let size = self.usage.size_for(bytes, capacity);
        let mapping = match self.mapping.take() {
            Some(mapping) if size == capacity => mapping,
            old => {
                // The old memory is freed first, so that the two never exist at the same time.
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
    use crate::usage::REQUESTS_PER_WINDOW;

    fn size(workspace: &Workspace) -> usize {
        workspace.mapping.as_ref().map_or(0, Mapping::size)
    }

    #[test]
    fn memory_is_kept_while_it_is_used_and_given_back_when_a_smaller_working_set_follows() {
        let mut workspace = Workspace::default();
        assert!(workspace.reserve(0).unwrap().is_empty());
        let large = 64 << 20;
        workspace.reserve(large).unwrap()[large - 1] = 1;
        for _ in 0..3 * REQUESTS_PER_WINDOW {
            assert_eq!(workspace.reserve(100).unwrap().len(), 100);
            workspace.reserve(large / 2).unwrap();
        }
        assert_eq!(size(&workspace), large, "half of the memory is still in use");
        for _ in 0..2 * REQUESTS_PER_WINDOW {
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
