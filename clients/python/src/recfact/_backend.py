"""The interface of what computes: the server, the shared library or SciPy."""

from __future__ import annotations

from typing import Any, Callable, Protocol

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]
Integers = NDArray[np.int64]

# Bits that mean the same in extended frames and in `recfact_lu_f64` of recfact.h.
NO_PIVOTING, ROW_MAJOR, CHECK_FINITE = 0x004, 0x100, 0x200

# What NumPy's functions say.
NOT_FINITE = "array must not contain infs or NaNs"

# The types of plain matrices, see `Backend.lu_factor`: in the byte order of this machine.
PLAIN_TYPES = frozenset([np.dtype(np.float32), np.dtype(np.float64)])


class Backend(Protocol):
    """Factors and solves in place.

    Every array is Fortran-contiguous, aligned, writable, float32 or float64, and not empty, except for that of
    `lu_factor`. `ipiv` is LAPACK's: int64, contiguous, counted from 1.
    """

    @property
    def name(self) -> str:
        """The result of `recfact.backend()`: "server", "inprocess" or "scipy"."""

    def lu_factor(
        self, a: Array, *, pivot: bool, check_finite: bool, threads: int | None
    ) -> tuple[Array, Array, int] | None:
        """Computes P A = L U of a plain matrix, which stays as it is: the most frequent call, without detours.

        A plain matrix has a type of `PLAIN_TYPES`, two dimensions and at least one element; its memory may have any
        layout. Returns new arrays `lu`, Fortran-contiguous, and `piv`, int32 and counted from 0, and `info`; or None if
        the caller has to copy the matrix, check it and use `factor_stack`.

        Raises:
            ValueError: `check_finite` is true, and there is an infinity or a NaN.
        """

    def factor_stack(
        self, place: Callable[[], Array], ipiv: Integers, info: Integers, *, pivot: bool, threads: int | None
    ) -> Array:
        """Computes P A = L U of one matrix, or of each matrix of a stack, in the array that `place` returns.

        Fills `ipiv` and `info`, and returns the array.
        """
        a = place()
        if a.ndim == 2:
            info[()] = self.factor(a, ipiv, pivot=pivot, threads=threads)
            return a
        for at in np.ndindex(info.shape):
            info[at] = self.factor(a[at], ipiv[at], pivot=pivot, threads=threads)
        return a

    def factor(self, a: Array, ipiv: Integers, *, pivot: bool, threads: int | None) -> int:
        """Computes P A = L U of an m x n array, fills `ipiv` and returns `info`. No `threads` means no limit."""

    def solve(self, trans: bool, lu: Array, ipiv: Integers, b: Array, *, threads: int | None) -> None:
        """Computes B <- A^-1 B, or B <- A^-T B with `trans`, from the factors of an n x n matrix; B is n x nrhs."""
