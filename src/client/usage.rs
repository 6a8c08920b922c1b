//! How large memory is that is kept from one request to the next.

use std::num::NonZeroUsize;

/// The smallest segment, in bytes; sizes are multiples of it.
const UNIT_BYTES: usize = 1 << 16;
/// The largest first segment: every server takes it, whatever its limit.
const MAX_FIRST_BYTES: usize = 1 << 20;
/// A segment of at most this many bytes does not shrink.
const MAX_KEPT_BYTES: usize = 1 << 20;
/// If this many requests in a row would all have fitted the segment divided by `SHRINK_RATIO`, it shrinks to the largest of
/// them.
const REQUESTS_PER_WINDOW: u32 = 16;
const SHRINK_RATIO: usize = 4;
/// What a segment gets beyond what is needed, as a part of that: matrices that grow little by little have it grow less often.
const SPARE_RATIO: usize = 32;

/// Requests in the present window, and the largest of them in bytes.
#[derive(Debug, Default)]
pub(super) struct Usage {
    requests: u32,
    largest: usize,
}

impl Usage {
    /// The size of the first segment, for a matrix of this size. It may be too small for it.
    pub(super) fn first(bytes: usize) -> NonZeroUsize {
        with_spare(bytes.min(MAX_FIRST_BYTES - MAX_FIRST_BYTES / SPARE_RATIO))
    }

    /// The size that a segment of `size` bytes should have for a request of `bytes` bytes.
    pub(super) fn size_for(&mut self, bytes: usize, size: usize) -> NonZeroUsize {
        self.requests += 1;
        self.largest = self.largest.max(bytes);
        let (largest, at_window) = (self.largest, self.requests >= REQUESTS_PER_WINDOW);
        if at_window {
            *self = Usage::default();
        }
        let is_too_large = at_window && size > MAX_KEPT_BYTES && size / SHRINK_RATIO >= largest;
        match NonZeroUsize::new(size) {
            Some(size) if bytes <= size.get() && !is_too_large => size,
            _ => with_spare(if is_too_large { largest } else { bytes }),
        }
    }
}

fn with_spare(bytes: usize) -> NonZeroUsize {
    let size = bytes.saturating_add(bytes / SPARE_RATIO).max(1).checked_next_multiple_of(UNIT_BYTES);
    NonZeroUsize::new(size.unwrap_or(usize::MAX)).expect("a multiple of at least one")
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The sizes after requests of these bytes.
    fn sizes(requests: impl IntoIterator<Item = usize>) -> Vec<usize> {
        let (mut usage, mut size) = (Usage::default(), Usage::first(0).get());
        let next = |bytes| {
            size = usage.size_for(bytes, size).get();
            assert!(size >= bytes && size.is_multiple_of(UNIT_BYTES));
            size
        };
        requests.into_iter().map(next).collect()
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
            assert!((UNIT_BYTES..=MAX_FIRST_BYTES).contains(&Usage::first(bytes).get()));
        }
        assert!(Usage::first(500_000).get() >= 500_000);
    }

    #[test]
    fn matrices_that_grow_row_by_row_have_it_grow_seldom() {
        let mut sizes = sizes((1..1000).map(|n| 8 * n * n + 8 * n));
        sizes.dedup();
        assert!(sizes.len() < 120, "{}", sizes.len());
    }
}
