//! Memory for packed blocks, kept by each thread from call to call: nothing is allocated in a steady state.
//!
//! What is kept is at most 8 MiB or 4% of the largest matrix that the thread has factored (see `lu::blocked`), and less
//! than 1 MiB in each helper.

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
    with_lines(take(needed::<T>(len)), len, f)
}

/// The same, but `None` where the system refuses the memory; `f` has not been called then.
pub(crate) fn try_with<T: Pod, R>(len: usize, f: impl FnOnce(&mut [T]) -> R) -> Option<R> {
    Some(with_lines(try_take(needed::<T>(len))?, len, f))
}

fn needed<T>(len: usize) -> usize {
    const { assert!(align_of::<T>() <= align_of::<Line>()) };
    len.saturating_mul(size_of::<T>()).div_ceil(size_of::<Line>())
}

fn with_lines<T: Pod, R>(mut lines: Vec<Line>, len: usize, f: impl FnOnce(&mut [T]) -> R) -> R {
    assert!(needed::<T>(len) <= lines.len());
    // SAFETY: the memory is initialized, aligned, and long enough; any bits are a T.
    let result = f(unsafe { std::slice::from_raw_parts_mut(lines.as_mut_ptr().cast::<T>(), len) });
    give_back(lines);
    result
}

/// A buffer of at least so many lines.
#[inline(never)] // one copy is enough, as for the two below
fn take(needed: usize) -> Vec<Line> {
    let mut lines = any();
    if lines.len() < needed {
        lines.resize(needed, Line([0; 8]));
    }
    lines
}

/// The same, unless the system refuses the memory.
#[inline(never)]
fn try_take(needed: usize) -> Option<Vec<Line>> {
    let mut lines = any();
    let more = needed.saturating_sub(lines.len());
    if lines.try_reserve_exact(more).is_err() {
        give_back(lines);
        return None;
    }
    lines.resize(lines.len() + more, Line([0; 8]));
    Some(lines)
}

/// A buffer; a thread that is about to end has none any more, and may still call.
fn any() -> Vec<Line> {
    BUFFERS.try_with(|buffers| buffers.borrow_mut().pop()).ok().flatten().unwrap_or_default()
}

#[inline(never)]
fn give_back(lines: Vec<Line>) {
    let _ = BUFFERS.try_with(|buffers| buffers.borrow_mut().push(lines));
}

/// Gives this thread's memory back.
pub(crate) fn release() {
    // A thread that is about to end may have none any more.
    let _ = BUFFERS.try_with(RefCell::take);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_use_inside_of_another_has_its_own_memory_and_finds_it_again() {
        let address = |len: usize, inner: &mut dyn FnMut()| {
            with(len, |memory: &mut [f64]| {
                memory.fill(1.0);
                inner();
                assert!(memory.iter().all(|&x| x == 1.0));
                memory.as_ptr() as usize
            })
        };
        let mut inner = 0;
        let outer = address(100, &mut || inner = address(10, &mut || ()));
        assert_ne!(outer, inner);
        assert_eq!((outer % align_of::<Line>(), inner % align_of::<Line>()), (0, 0));
        let mut again = 0;
        assert_eq!(address(50, &mut || again = address(8, &mut || ())), outer);
        assert_eq!(again, inner);
        assert_eq!(try_with(usize::MAX, |_: &mut [u8]| ()), None);
        assert_eq!(try_with(8, |memory: &mut [f64]| memory.as_ptr() as usize), Some(outer));
        release();
        BUFFERS.with_borrow(|buffers| assert!(buffers.is_empty()));
    }
}
