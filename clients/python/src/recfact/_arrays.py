"""From what a caller passes to arrays that a backend can work on: SciPy's rules of types, as few copies as can be."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, DTypeLike

from ._backend import Array

# Types that SciPy's LAPACK wrappers compute in single precision; it has no half precision.
_SINGLE = "?bBhHef"


def checked(a: ArrayLike, check_finite: bool) -> Array:
    """An array, without a copy where it is one. Raises ValueError where infinities and NaN are asked for and there."""
    return np.asarray_chkfinite(a) if check_finite else np.asarray(a)


def validated(a: ArrayLike, check_finite: bool) -> Array:
    """The same for functions in which SciPy refuses what has no plain numbers."""
    if np.ma.isMaskedArray(a):
        raise ValueError("masked arrays are not supported")
    a1 = checked(a, check_finite)
    if a1.dtype == object:
        raise ValueError("object arrays are not supported")
    return a1


def real_type(*arrays: Array) -> np.dtype[Any]:
    """float32 where every array fits it by SciPy's rules, else float64."""
    for a in arrays:
        if a.dtype.kind == "c":
            raise TypeError(f"recfact computes with real numbers, got {a.dtype}; scipy.linalg has complex ones")
    return np.dtype(np.float32 if all(a.dtype.char in _SINGLE for a in arrays) else np.float64)


def common_type(*arrays: Array) -> np.dtype[Any]:
    """The type of `solve`: that of numpy's arithmetic, in single or double precision."""
    real_type(*arrays)
    dtype = np.result_type(*arrays)
    return np.dtype(np.float32 if dtype.char in "ef" else np.float64)


def in_place(a: Array, dtype: DTypeLike, overwrite: bool) -> Array:
    """A matrix itself where it may be overwritten and can be worked on in place, else a Fortran-contiguous copy."""
    flags = a.flags
    if overwrite and a.dtype == dtype and flags.f_contiguous and flags.writeable and flags.aligned:
        return a
    return np.array(a, dtype=dtype, order="F", copy=True)


def stack(a: Array, dtype: DTypeLike) -> Array:
    """A copy of a stack of matrices in which each matrix is Fortran-contiguous."""
    *batch, m, n = a.shape
    copy = np.empty((*batch, n, m), dtype).swapaxes(-1, -2)
    copy[...] = a
    return copy
