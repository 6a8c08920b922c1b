"""The interface of what computes: the server, the shared library or SciPy."""

from __future__ import annotations

from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]
Integers = NDArray[np.int64]


class Backend(Protocol):
    """Factors and solves in place.

    Every array is Fortran-contiguous, aligned, writable, float32 or float64, and not empty. `ipiv` is LAPACK's: int64,
    contiguous, counted from 1.
    """

    @property
    def name(self) -> str:
        """The result of `recfact.backend()`: "server", "inprocess" or "scipy"."""

    def factor(self, a: Array, ipiv: Integers, *, pivot: bool, threads: int | None) -> int:
        """Computes P A = L U of an m x n array, fills `ipiv` and returns `info`. No `threads` means no limit."""

    def solve(self, trans: bool, lu: Array, ipiv: Integers, b: Array, *, threads: int | None) -> None:
        """Computes B <- A^-1 B, or B <- A^-T B with `trans`, from the factors of an n x n matrix; B is n x nrhs."""
