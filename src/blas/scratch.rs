//! Memory for packed blocks, kept by each thread from call to call.

use std::cell::RefCell;

use bytemuck::Pod;

/// A cache line; it gives scratch memory its alignment.
#[derive(Clone, Copy)]
#[repr(C, align(64))]
struct Line([u64; 8]);

thread_local! {
    /// A stack: what is used inside of another use has a buffer of its own, and each finds its own again.
    static BUFFERS: RefCell<Vec<Vec<Line>>> = const { RefCell::new(Vec::new()) };
}

/// Calls `f` with `len` elements of memory, aligned to cache lines; their contents are whatever was left there.
pub(crate) fn with<T: Pod, R>(len: usize, f: impl FnOnce(&mut [T]) -> R) -> R {
    let mut lines = BUFFERS.with_borrow_mut(Vec::pop).unwrap_or_default();
    const { assert!(align_of::<T>() <= align_of::<Line>()) };
    let needed = (len * size_of::<T>()).div_ceil(size_of::<Line>());
    if lines.len() < needed {
        lines.resize(needed, Line([0; 8]));
    }
    // SAFETY: the memory is initialized, aligned, and long enough; any bits are a T.
    let result = f(unsafe { std::slice::from_raw_parts_mut(lines.as_mut_ptr().cast::<T>(), len) });
    BUFFERS.with_borrow_mut(|buffers| buffers.push(lines));
    result
}
