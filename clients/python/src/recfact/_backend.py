"""What can factor and solve: the server, the shared library, SciPy. The functions in `_linalg` need no more of them."""

from __future__ import annotations

from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]
Integers = NDArray[np.int64]


class Backend(Protocol):
    """Works in place on Fortran-contiguous, aligned, writable float32 or float64 arrays that are not empty.

    `ipiv` is LAPACK's: int64, contiguous, counted from 1.
    """

    @property
    def name(self) -> str:
        """What `recfact.backend()` says: "server", "inprocess" or "scipy"."""

    def factor(self, a: Array, ipiv: Integers, *, pivot: bool, threads: int | None) -> int:
        """P A = L U of an m x n array; fills `ipiv` and returns `info`. `threads` is an upper bound, None no bound."""

    def solve(self, trans: bool, lu: Array, ipiv: Integers, b: Array, *, threads: int | None) -> None:
        """B <- A^-1 B, or A^-T B, for an n x n factorization and an n x nrhs array."""
