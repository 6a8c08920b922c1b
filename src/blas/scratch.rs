//! Memory for packed blocks, one for each thread, kept from call to call.

use std::cell::RefCell;

use crate::real::Real;

/// A cache line; it gives scratch memory its alignment.
#[derive(Clone, Copy)]
#[repr(C, align(64))]
struct Line([u64; 8]);

thread_local! {
    static LINES: RefCell<Vec<Line>> = const { RefCell::new(Vec::new()) };
}

/// Calls `f` with `len` elements of memory, aligned to cache lines; their contents are whatever was left there.
///
/// # Panics
/// If `f` asks for scratch memory itself.
pub(crate) fn with<T: Real, R>(len: usize, f: impl FnOnce(&mut [T]) -> R) -> R {
    LINES.with_borrow_mut(|lines| {
        let needed = (len * size_of::<T>()).div_ceil(size_of::<Line>());
        if lines.len() < needed {
            lines.resize(needed, Line([0; 8]));
        }
        // SAFETY: the memory is initialized, aligned to more than T needs, and long enough; any bits are a T.
        f(unsafe { std::slice::from_raw_parts_mut(lines.as_mut_ptr().cast::<T>(), len) })
    })
}
