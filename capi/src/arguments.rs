//! Sizes and pointers from C, checked and turned into views.

use library::{Element, MatrixMut, MatrixRef, default_threads};

use crate::status::Status;

/// The number of elements from the first to the last of an `m` by `n` matrix with leading dimension `lda`.
///
/// # Errors
/// A negative size, `lda < m`, or more bytes than the address space has.
fn span<T>(m: i64, n: i64, lda: i64) -> Result<usize, Status> {
    if m < 0 || n < 0 {
        return Err(Status::NegativeSize);
    }
    if lda < m {
        return Err(Status::LeadingDimension);
    }
    if m == 0 || n == 0 {
        return Ok(0);
    }
    let elements = lda.checked_mul(n - 1).and_then(|before| before.checked_add(m));
    let bytes = elements.and_then(|elements| elements.checked_mul(size_of::<T>() as i64));
    match (elements, bytes.map(isize::try_from)) {
        (Some(elements), Some(Ok(_))) => Ok(elements as usize),
        _ => Err(Status::Overflow),
    }
}

/// Checks a pointer to `elements` elements. A pointer to no elements may have any value.
pub(crate) fn pointer<T>(pointer: *const T, elements: usize) -> Result<*const T, Status> {
    match elements {
        0 => Ok(std::ptr::NonNull::dangling().as_ptr()),
        _ if pointer.is_null() => Err(Status::NullPointer),
        _ if !pointer.is_aligned() => Err(Status::Misaligned),
        _ => Ok(pointer),
    }
}

/// Checks a pointer to one number that is written.
pub(crate) fn output<T>(number: *mut T) -> Result<*mut T, Status> {
    pointer(number, 1).map(<*const T>::cast_mut)
}

/// An `m` by `n` matrix that is written.
///
/// # Safety
/// If `a` is not NULL, its elements are valid for reads and writes, and nothing else uses them while the view lives.
pub(crate) unsafe fn matrix_mut<'a, T: Element>(
    m: i64,
    n: i64,
    a: *mut T,
    lda: i64,
) -> Result<MatrixMut<'a, T>, Status> {
    let a = pointer(a, span::<T>(m, n, lda)?)?.cast_mut();
    // SAFETY: the caller's promise; the sizes are not negative, and the span fits the address space.
    Ok(unsafe { MatrixMut::from_raw_parts(a, m as usize, n as usize, lda as usize) })
}

/// An `m` by `n` matrix that is read.
///
/// # Safety
/// If `a` is not NULL, its elements are valid for reads, and nothing writes them while the view lives.
pub(crate) unsafe fn matrix<'a, T: Element>(m: i64, n: i64, a: *const T, lda: i64) -> Result<MatrixRef<'a, T>, Status> {
    let a = pointer(a, span::<T>(m, n, lda)?)?;
    // SAFETY: the caller vouches for the elements; the sizes are not negative, and the span fits the address space.
    Ok(unsafe { MatrixRef::from_raw_parts(a, m as usize, n as usize, lda as usize) })
}

/// An array that is written.
///
/// # Safety
/// As for [`matrix_mut`].
pub(crate) unsafe fn slice_mut<'a, T>(len: i64, start: *mut T) -> Result<&'a mut [T], Status> {
    let len = span::<T>(len, 1, len)?;
    // SAFETY: the caller's promise; the pointer is aligned and not NULL.
    Ok(unsafe { std::slice::from_raw_parts_mut(pointer(start, len)?.cast_mut(), len) })
}

/// An array that is written, or `None` if the pointer is NULL.
///
/// # Safety
/// As for [`matrix_mut`].
pub(crate) unsafe fn optional_mut<'a, T>(len: i64, start: *mut T) -> Result<Option<&'a mut [T]>, Status> {
    // SAFETY: the caller's promise.
    if start.is_null() { Ok(None) } else { unsafe { slice_mut(len, start) }.map(Some) }
}

/// An array that is read.
///
/// # Safety
/// As for [`matrix`].
pub(crate) unsafe fn slice<'a, T>(len: i64, start: *const T) -> Result<&'a [T], Status> {
    let len = span::<T>(len, 1, len)?;
    // SAFETY: the caller vouches for the elements; the pointer is aligned and not NULL.
    Ok(unsafe { std::slice::from_raw_parts(pointer(start, len)?, len) })
}

/// The upper bound for the threads of a call; 0 leaves it to the library.
pub(crate) fn threads(threads: i64) -> Result<usize, Status> {
    match threads {
        0 => Ok(default_threads()),
        _ => usize::try_from(threads).map_err(|_| Status::NegativeSize),
    }
}
