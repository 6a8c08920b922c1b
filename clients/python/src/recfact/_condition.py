"""Tells how ill-conditioned a matrix is: exactly if it is small, else by an estimate from its factors.

N. J. Higham, FORTRAN codes for estimating the one-norm of a real or complex matrix, ACM TOMS 14 (1988), algorithm 4.1;
LAPACK's xLACN2.
"""

from __future__ import annotations

from typing import Any, Callable

import numpy as np
from numpy.typing import DTypeLike

from ._backend import Array

# Computes X <- A^-1 X, or X <- A^-T X if the flag is set, for an array of n rows.
Solve = Callable[[Array, bool], None]

# Up to this order, one solve for the whole inverse takes less time than the several solves of an estimate.
_MAX_EXACT_ORDER = 32


def reciprocal(norm: float, inverse_norm: float) -> float:
    """Computes the reciprocal condition number from the 1-norms of A and its inverse."""
    with np.errstate(over="ignore", divide="ignore", invalid="ignore"):
        return float(1 / (np.float64(norm) * np.float64(inverse_norm)))


_SMALLEST_WELL = {np.dtype(t): float(np.finfo(t).eps / 2) for t in (np.float32, np.float64)}


def smallest_well(dtype: np.dtype[Any]) -> float:
    """Returns the least rcond with which a result of this precision has a correct digit."""
    return _SMALLEST_WELL[dtype]


def inverse_norm(solve: Solve, n: int, dtype: DTypeLike) -> float:
    """Computes the 1-norm of A^-1.

    Above order 32 the result is a lower bound, which is rarely too small by more than a factor of three.
    """
    if n <= _MAX_EXACT_ORDER:
        inverse = np.eye(n, dtype=dtype, order="F")
        solve(inverse, False)
        with np.errstate(over="ignore", invalid="ignore"):
            return float(np.abs(inverse).sum(0).max())

    def solved(x: Array, transposed: bool = False) -> Array:
        x = np.array(x, dtype)[:, None]
        solve(x, transposed)
        return x[:, 0]

    x = solved(np.full(n, 1 / n))
    estimate, signs, row = float(np.abs(x).sum()), np.copysign(1, x), -1
    for _ in range(4):
        z = np.abs(solved(signs, True))
        if z[row] == z.max() and row >= 0:
            break
        row = int(z.argmax())
        x = solved(np.arange(n) == row)
        last, estimate = estimate, max(estimate, float(np.abs(x).sum()))
        if estimate <= last or np.array_equal(signs, np.copysign(1, x)):
            break
        signs = np.copysign(1, x)
    steps = np.arange(n)
    x = solved((1 - 2 * (steps % 2)) * (1 + steps / max(n - 1, 1)))
    return max(estimate, 2 * float(np.abs(x).sum()) / (3 * n))
