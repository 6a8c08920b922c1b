"""Turns arguments into arrays that a backend can work on: SciPy's rules of types, and no copy that can be avoided."""

from __future__ import annotations

import sys
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, DTypeLike

from ._backend import Array

# The dtype characters that SciPy's LAPACK wrappers compute with in single precision; they have no half precision.
_SINGLE = "?bBhHef"

# Scalar types that are not numbers, although NumPy converts some of them to numbers.
_NOT_NUMBERS = (np.void, np.datetime64, np.timedelta64)

# Two blocks of float64 are 256 KiB. 128 and 512 took the least time of 32, 64, .., 512 with n = 1000 and n = 3000
# (AMD EPYC with AVX2, November 2026, numpy 2.4).
_TRANSPOSE_BLOCK = 128


def as_array(a: ArrayLike) -> Array:
    """Converts an argument to an array, without a copy if possible.

    Besides what `numpy.asarray` takes these are objects that only have `__dlpack__`.

    Raises:
        ValueError: The argument is a sparse matrix.
        TypeError: The object has `__dlpack__`, but NumPy cannot read its memory.
    """
    sparse = sys.modules.get("scipy.sparse")
    if sparse is not None and sparse.issparse(a):
        raise ValueError(
            f"expected a dense array, got a sparse {type(a).__name__}; convert it with .toarray(), "
            "or use scipy.sparse.linalg"
        )
    exports_dlpack = hasattr(a, "__dlpack__") and not isinstance(a, np.ndarray)
    try:
        array = np.asarray(a)
    except Exception:
        if not exports_dlpack:
            raise
        return _from_dlpack(a)
    return _from_dlpack(a) if exports_dlpack and array.dtype == object else array


def _from_dlpack(a: Any) -> Array:
    kind = f"an object of type {type(a).__name__}"
    if not hasattr(np, "from_dlpack"):
        raise TypeError(f"reading {kind} needs NumPy 1.23 or newer, got {np.__version__}; convert it to a NumPy array")
    try:
        return np.asarray(np.from_dlpack(a))
    except (BufferError, RuntimeError, TypeError, ValueError) as error:
        message = f"expected an array in the CPU's memory, got {kind} that NumPy cannot read ({error})"
        raise TypeError(f"{message}; copy it to a NumPy array first") from error


def checked(a: ArrayLike, check_finite: bool) -> Array:
    """Does the same as `as_array`. With `check_finite`, raises ValueError if there is an infinity or a NaN."""
    return np.asarray_chkfinite(as_array(a)) if check_finite else as_array(a)


def validated(a: ArrayLike, check_finite: bool) -> Array:
    """Does the same as `checked`, and refuses what SciPy refuses in `solve` and `inv`. Text becomes float64."""
    if np.ma.isMaskedArray(a):
        raise ValueError("masked arrays are not supported")
    a1 = as_array(a)
    if a1.dtype == object:
        raise ValueError("object arrays are not supported")
    a1 = checked(a1.astype(np.float64) if a1.dtype.kind in "SUT" else a1, check_finite)
    real_type(a1)
    return a1


def real_type(*arrays: Array) -> np.dtype[Any]:
    """Returns float32 if every array fits it by SciPy's rules, else float64. Raises TypeError if one is not real."""
    for a in arrays:
        if a.dtype.kind == "c":
            raise TypeError(f"recfact computes with real numbers, got {a.dtype}; scipy.linalg has complex ones")
        if issubclass(a.dtype.type, _NOT_NUMBERS):
            raise _not_numbers(a)
    return np.dtype(np.float32 if all(a.dtype.char in _SINGLE for a in arrays) else np.float64)


def _not_numbers(a: Array) -> TypeError:
    return TypeError(f"expected an array of numbers, got {a.dtype}; convert it to float32 or float64 first")


def common_type(*arrays: Array) -> np.dtype[Any]:
    """Returns the type of the result of `solve`: that of NumPy's arithmetic, in single or double precision."""
    real_type(*arrays)
    dtype = np.result_type(*arrays)
    return np.dtype(np.float32 if dtype.char in "ef" else np.float64)


def numpy_linalg_type(a: Array) -> np.dtype[Any]:
    """Returns the type in which `numpy.linalg` computes with an array. Raises TypeError for the types it refuses."""
    if a.dtype.kind in "biu":
        return np.dtype(np.float64)
    dtype = real_type(a)
    if a.dtype.char not in "fd":
        raise TypeError(f"expected integers, float32 or float64, got {a.dtype}; convert the array to float64 first")
    return dtype


def in_place(a: Array, dtype: DTypeLike, overwrite: bool) -> Array:
    """Returns the matrix itself if it may be overwritten and a backend can work on it, else a copy that it can."""
    if overwrite and a.flags.f_contiguous and _is_writable(a, dtype):
        return a
    return np.array(a, dtype=dtype, order="F", copy=True)


def reordered(a: Array, dtype: DTypeLike) -> Array:
    """Moves the elements of a square C-contiguous matrix so that the same memory holds it by columns.

    Returns the matrix in its new order. Anything that cannot be reordered in its own memory is returned as it is.
    """
    if a.ndim != 2 or not a.flags.c_contiguous or not _is_writable(a, dtype):
        return a
    by_columns = a.T
    for i in range(0, len(a), _TRANSPOSE_BLOCK):
        for j in range(0, i + 1, _TRANSPOSE_BLOCK):
            rows, columns = slice(i, i + _TRANSPOSE_BLOCK), slice(j, j + _TRANSPOSE_BLOCK)
            below, above = by_columns[rows, columns], by_columns[columns, rows]
            below[...], above[...] = above.T.copy(), below.T.copy()
    return by_columns


def _is_writable(a: Array, dtype: DTypeLike) -> bool:
    return a.dtype == dtype and a.flags.writeable and a.flags.aligned


def stack(a: Array, dtype: DTypeLike) -> Array:
    """Copies a stack of matrices into an array in which each matrix is Fortran-contiguous."""
    *batch, m, n = a.shape
    copy = np.empty((*batch, n, m), dtype).swapaxes(-1, -2)
    copy[...] = a
    return copy
