//! Memory for packed blocks, kept by each thread from call to call: in a steady state nothing is allocated.
//!
//! The system may refuse memory. So every caller has a second, slower way that needs no scratch memory.

use std::cell::{Cell, RefCell};

use bytemuck::Pod;

use crate::team::may_use_local;

/// A cache line; it gives scratch memory its alignment.
#[derive(Clone, Copy)]
#[repr(C, align(64))]
struct Line([u64; 8]);

thread_local! {
    /// A stack of buffers: a use inside another use has a buffer of its own, and each gets the same one next time.
    static BUFFERS: RefCell<Vec<Vec<Line>>> = const { RefCell::new(Vec::new()) };
    /// Whether `BUFFERS` was used.
    static USED: Cell<bool> = const { Cell::new(false) };
}

/// A leading dimension for at least `rows` rows: an odd number of cache lines, so that neighbouring columns do not fall
/// into the same sets of the cache.
pub(crate) const fn leading_dimension<T>(rows: usize) -> usize {
    let line = size_of::<Line>() / size_of::<T>();
    (rows.div_ceil(line) | 1) * line
}

/// Calls `f` with `len` elements of memory, aligned to cache lines, with arbitrary contents. `None` if the system refuses the
/// memory; then `f` is not called.
pub(crate) fn with<T: Pod, R>(len: usize, f: impl FnOnce(&mut [T]) -> R) -> Option<R> {
    let mut lines = take(lines_for::<T>(len))?;
    let result = f(&mut elements(&mut lines)[..len]);
    give_back(lines);
    Some(result)
}

fn lines_for<T>(len: usize) -> usize {
    len.saturating_mul(size_of::<T>()).div_ceil(size_of::<Line>())
}

/// The memory of cache lines as elements.
fn elements<T: Pod>(lines: &mut [Line]) -> &mut [T] {
    const { assert!(align_of::<T>() <= align_of::<Line>() && size_of::<Line>().is_multiple_of(size_of::<T>())) };
    let len = size_of_val(lines) / size_of::<T>();
    // SAFETY: the memory is initialized, aligned for T, and has this length. Any bits are a valid T, and any T leaves bits
    // that are valid in a line.
    unsafe { std::slice::from_raw_parts_mut(lines.as_mut_ptr().cast::<T>(), len) }
}

/// A buffer of at least `needed` lines, unless the system refuses the memory.
#[inline(never)] // one copy for all callers
fn take(needed: usize) -> Option<Vec<Line>> {
    if !may_use_local(&USED) {
        return None;
    }
    // A thread that is about to end has already dropped its buffers but may still call this.
    let mut lines = BUFFERS.try_with(|buffers| buffers.borrow_mut().pop()).ok().flatten().unwrap_or_default();
    let more = needed.saturating_sub(lines.len());
    if more > 0 {
        if lines.try_reserve_exact(more).is_err() {
            give_back(lines);
            return None;
        }
        lines.resize(lines.len() + more, Line([0; 8]));
    }
    Some(lines)
}

/// Keeps a buffer for the next use.
#[inline(never)] // one copy for all callers
fn give_back(lines: Vec<Line>) {
    let _ = BUFFERS.try_with(|buffers| {
        let mut buffers = buffers.borrow_mut();
        if buffers.len() < buffers.capacity() || buffers.try_reserve(1).is_ok() {
            buffers.push(lines);
        }
    });
}

/// Frees this thread's buffers.
pub(crate) fn release() {
    if USED.get() {
        // A thread that is about to end has already dropped its buffers.
        let _ = BUFFERS.try_with(RefCell::take);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_use_inside_of_another_has_its_own_memory_and_finds_it_again() {
        let address = |len: usize, inner: &mut dyn FnMut()| {
            let use_it = |memory: &mut [f64]| {
                memory.fill(1.0);
                inner();
                assert!(memory.len() == len && memory.iter().all(|&x| x == 1.0));
                memory.as_ptr() as usize
            };
            with(len, use_it).unwrap()
        };
        let mut inner = 0;
        let outer = address(100, &mut || inner = address(10, &mut || ()));
        assert_ne!(outer, inner);
        assert_eq!((outer % align_of::<Line>(), inner % align_of::<Line>()), (0, 0));
        let mut again = 0;
        assert_eq!(address(50, &mut || again = address(8, &mut || ())), outer);
        assert_eq!(again, inner);
        assert_eq!(with(usize::MAX, |_: &mut [u8]| ()), None);
        assert_eq!(with(8, |memory: &mut [f64]| memory.as_ptr() as usize), Some(outer));
        release();
        BUFFERS.with_borrow(|buffers| assert!(buffers.is_empty()));
    }
}
