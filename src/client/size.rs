//! How large a segment is: what its matrices need, and some to spare.

use std::num::NonZeroUsize;

use crate::usage::Usage;

/// The smallest segment, in bytes; sizes are multiples of it.
const UNIT_BYTES: usize = 1 << 16;
/// The largest first segment: every server takes it, whatever its limit.
const MAX_FIRST_BYTES: usize = 1 << 20;
/// What a segment gets beyond what is needed, as a part of that: matrices that grow little by little have it grow less often.
const SPARE_RATIO: usize = 32;

/// The size of the first segment, for a matrix of this size. It may be too small for it.
pub(super) fn first(bytes: usize) -> NonZeroUsize {
    with_spare(bytes.min(MAX_FIRST_BYTES - MAX_FIRST_BYTES / SPARE_RATIO))
}

/// The size that a segment of `size` bytes should have for a request of `bytes` bytes.
pub(super) fn next(usage: &mut Usage, bytes: usize, size: usize) -> NonZeroUsize {
    let needed = usage.size_for(bytes, size);
    NonZeroUsize::new(size).filter(|size| size.get() == needed).unwrap_or_else(|| with_spare(needed))
}

fn with_spare(bytes: usize) -> NonZeroUsize {
    let size = bytes.saturating_add(bytes / SPARE_RATIO).max(1).checked_next_multiple_of(UNIT_BYTES);
    NonZeroUsize::new(size.unwrap_or(usize::MAX)).expect("a multiple of at least one")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::usage::MAX_KEPT_BYTES;

    /// The sizes after requests of these bytes.
    fn sizes(requests: impl IntoIterator<Item = usize>) -> Vec<usize> {
        let (mut usage, mut size) = (Usage::default(), first(0).get());
        let step = |bytes| {
            size = next(&mut usage, bytes, size).get();
            assert!(size >= bytes && size.is_multiple_of(UNIT_BYTES));
            size
        };
        requests.into_iter().map(step).collect()
    }

    #[test]
    fn memory_is_kept_while_it_is_used_and_given_back_when_smaller_requests_follow() {
        let large = 64 << 20;
        let used = sizes((0..100).map(|at| if at % 15 == 0 { large } else { 100 }));
        assert!(used.iter().all(|&size| size == used[0]) && used[0] < large + large / 16);
        let idle = sizes(std::iter::once(large).chain([5000; 32]));
        assert_eq!((idle[14], idle[31]), (idle[0], UNIT_BYTES));
        let half = sizes(std::iter::once(large).chain([large / 2; 100]));
        assert_eq!(half[100], half[0]);
        let small = sizes(std::iter::once(MAX_KEPT_BYTES / 2).chain([1; 100]));
        assert_eq!(small[100], small[0], "it is not worth a request");
    }

    #[test]
    fn the_first_size_is_one_that_every_server_takes() {
        for bytes in [0, 1, UNIT_BYTES, MAX_FIRST_BYTES, usize::MAX] {
            assert!((UNIT_BYTES..=MAX_FIRST_BYTES).contains(&first(bytes).get()));
        }
        assert!(first(500_000).get() >= 500_000);
    }

    #[test]
    fn matrices_that_grow_row_by_row_have_it_grow_seldom() {
        let mut sizes = sizes((1..1000).map(|n| 8 * n * n + 8 * n));
        sizes.dedup();
        assert!(sizes.len() < 120, "{}", sizes.len());
    }
}
