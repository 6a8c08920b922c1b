//! How large memory should be that is kept from one request to the next: it is kept while it is used, and becomes smaller
//! when requests have been much smaller for a while.

/// Memory of at most this many bytes does not shrink.
pub(crate) const MAX_KEPT_BYTES: usize = 1 << 20;
/// If this many requests in a row would all have fitted the memory divided by `SHRINK_RATIO`, it shrinks to the largest of them.
pub(crate) const REQUESTS_PER_WINDOW: u32 = 16;
const SHRINK_RATIO: usize = 4;

/// Requests in the present window, and the largest of them in bytes.
#[derive(Debug, Default)]
pub(crate) struct Usage {
    requests: u32,
    largest: usize,
}

impl Usage {
    /// The size that memory of `size` bytes should have for a request of `bytes` bytes: `size` if it is to stay as it is,
    /// else what is needed and no more.
    pub(crate) fn size_for(&mut self, bytes: usize, size: usize) -> usize {
        self.requests += 1;
        self.largest = self.largest.max(bytes);
        let (largest, at_window) = (self.largest, self.requests >= REQUESTS_PER_WINDOW);
        if at_window {
            *self = Usage::default();
        }
        if size < bytes {
            bytes
        } else if at_window && size > MAX_KEPT_BYTES && size / SHRINK_RATIO >= largest {
            largest
        } else {
            size
        }
    }
}
