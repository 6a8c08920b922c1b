"""Checks of arguments, and of results that deserve an error or a warning."""

from __future__ import annotations

import operator
import warnings
from typing import Any, Callable

import numpy as np
from numpy.linalg import LinAlgError

from . import _condition
from ._backend import Array, Integers
from ._errors import LinAlgWarning


def integer(value: int, name: str, minimum: int, bits: int = 63) -> int:
    """Returns an argument as an int. Raises TypeError if it is not an integer, ValueError if it is out of range.

    `bits` is how many bits the library or the server has for its magnitude.
    """
    try:
        number = operator.index(value)
    except TypeError:
        raise TypeError(f"expected {name} to be an integer, got {value!r}") from None
    if not minimum <= number < 2**bits:
        raise ValueError(f"expected {name} to be at least {minimum} and less than 2**{bits}, got {number}")
    return number


def thread_count(threads: int | None) -> int | None:
    """Returns the argument `threads`, checked."""
    return None if threads is None else integer(threads, "threads", 1)


def time_limit(timeout: float | None) -> float | None:
    """Returns the argument `timeout`, checked."""
    if timeout is not None and not timeout > 0:
        raise ValueError(f"expected a timeout of more than zero seconds, got {timeout=}")
    return timeout


def progress_function(progress: Callable[[float], object] | None) -> Callable[[float], object] | None:
    """Returns the argument `progress`, checked."""
    if progress is not None and not callable(progress):
        raise TypeError(f"expected progress to be a function of one number, got {progress!r}")
    return progress


def lapack_indices(piv: Array, n: int) -> Integers:
    """Converts `piv`, which counts rows from 0, to LAPACK's `ipiv`, which counts them from 1.

    Raises:
        TypeError: `piv` does not hold numbers.
        ValueError: An entry is not a row of an n x n matrix.
    """
    if piv.dtype.kind not in "biuf":
        raise TypeError(f"expected integers in piv, got {piv.dtype}; pass piv as lu_factor returned it")
    if piv.dtype.kind == "f":
        with np.errstate(invalid="ignore"):
            rows = piv.astype(np.int64)
        whole = bool((rows == piv).all())
    else:
        # Integers above 2^63 become negative.
        rows, whole = piv.astype(np.int64), True
    if rows.size and not (whole and rows.min() >= 0 and rows.max() < n):
        at = tuple(np.argwhere((rows != piv) | (rows < 0) | (rows >= n))[0].tolist())
        entry = f"piv[{', '.join(map(str, at))}] = {piv[at]}"
        raise ValueError(
            f"expected each entry of piv to be a row from 0 to {n - 1}, got {entry}; pass piv as lu_factor returned it"
        )
    return rows + 1


def require_general(assume_a: str | None, function: str) -> None:
    """Raises ValueError if `assume_a` asks for anything but a general factorization."""
    if assume_a not in (None, "gen", "general"):
        raise ValueError(
            f"expected assume_a to be None, 'gen' or 'general', got {assume_a!r}; recfact factors every matrix as a "
            f"general one: leave assume_a out, or use scipy.linalg.{function}"
        )


def require_square(a: Array) -> None:
    """Raises ValueError, with SciPy's message, if the matrices are not square."""
    if a.shape[-1] != a.shape[-2]:
        raise ValueError(f"Expected square matrix, got a1.shape={a.shape}")


def require_regular(info: Integers) -> None:
    """Raises LinAlgError, with SciPy's message, if a factorization has met a zero pivot."""
    singular = np.flatnonzero(info).tolist()
    if singular:
        raise LinAlgError(f"A singular matrix detected: slice(s) {singular} are singular.")


def warn_of_singular(info: Integers) -> None:
    """Warns of each factorization that has met a zero pivot, at the line that called the caller."""
    for k in np.abs(info[info != 0]):
        message = f"Diagonal number {k} is exactly zero. Singular matrix."
        warnings.warn(message, LinAlgWarning, stacklevel=3)


def are_well_conditioned(rconds: Array, dtype: np.dtype[Any]) -> bool:
    """Returns whether all matrices with these rcond are well-conditioned. Singular ones are not."""
    return bool((rconds >= _condition.smallest_well(dtype)).all())


def warn_of_ill_conditioned(rconds: Array, dtype: np.dtype[Any]) -> None:
    """Warns of ill-conditioned matrices, given their rcond, at the line that called the caller."""
    if are_well_conditioned(rconds, dtype):
        return
    is_well = rconds >= _condition.smallest_well(dtype)
    ill = [f"slice {i} has rcond = {float(rconds.flat[i])}" for i in np.flatnonzero(~is_well).tolist()]
    warnings.warn(f"An ill-conditioned matrix detected: {','.join(ill)}.", LinAlgWarning, stacklevel=3)


def warn_of_unbounded(bounds: Array) -> None:
    """Warns of solutions without a bound of their error, given the bounds, at the line that called the caller."""
    unbounded = np.flatnonzero(np.isinf(bounds)).tolist()
    if unbounded:
        message = f"An ill-conditioned matrix detected: the error of slice(s) {unbounded} has no bound."
        warnings.warn(message, LinAlgWarning, stacklevel=4)


def warn_of_invalid(pivots: Array, function: str) -> None:
    """Reports a NaN among the pivots as NumPy's function does: a warning, or what `numpy.errstate` asks for.

    The warning names the line that called the caller.
    """
    handling = np.geterr()["invalid"]
    if handling == "ignore" or not np.isnan(pivots).any():
        return
    message = f"invalid value encountered in {function}"
    if handling == "raise":
        raise FloatingPointError(message)
    warnings.warn(message, RuntimeWarning, stacklevel=3)
