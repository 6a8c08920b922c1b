"""The interface of what computes: the server, the shared library or SciPy."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any, Callable, NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]
Integers = NDArray[np.int64]

# Bits that mean the same in extended frames and in functions of recfact.h.
NO_PIVOTING, ROW_MAJOR, CHECK_FINITE, X_BY_ROWS, TRANSPOSED = 0x004, 0x100, 0x200, 0x800, 0x1000

# A determinant, there and there.
DETERMINANT = np.dtype([("mantissa", np.float64), ("exponent", np.int64)])

# How good a solution is, there and there: see `Solution`.
ACCURACY = np.dtype([("backward", np.float64), ("forward", np.float64), ("steps", np.int64)])

# The largest number of steps of refinement. None is taken that makes no progress.
MAX_STEPS = 30

# What NumPy's functions say.
NOT_FINITE = "array must not contain infs or NaNs"

# The types of plain matrices, see `Backend.lu_factor`: in the byte order of this machine.
PLAIN_TYPES = frozenset([np.dtype(np.float32), np.dtype(np.float64)])


class Solved(NamedTuple):
    """The solutions for a stack of matrices: new arrays.

    `info` has LAPACK's number for each matrix; where it is not 0 `x` is no solution. `rcond` is the reciprocal
    condition number of each matrix, or a lower bound of it that is above the precision.
    """

    x: Array
    info: Integers
    rcond: Array


class Judged(NamedTuple):
    """The solutions for one matrix: a new array, LAPACK's `info`, `ACCURACY` of each column, and rcond if wanted."""

    x: Array
    info: int
    accuracy: Array
    rcond: float


class System(NamedTuple):
    """A X = B, or A^T X = B with `trans`: A with its factors, B, and solutions X. All arrays are Fortran-contiguous."""

    trans: bool
    a: Array
    lu: Array
    ipiv: Integers
    b: Array
    x: Array


class Factors(ABC):
    """The factors of one matrix, n x n with n > 0, which are kept."""

    # LAPACK's number. If it is not 0, `solve` and `inverse` are not called.
    info: int

    @abstractmethod
    def solve(self, b: Array, *, trans: bool, refine: bool, bounds: bool) -> tuple[Array, Array | None]:
        """Solves A X = B, or A^T X = B with `trans`, for a plain B, n x nrhs.

        Returns a new array, and with `bounds` `ACCURACY` of each column.
        """

    @abstractmethod
    def rcond(self) -> float:
        """Returns the reciprocal condition number in the 1-norm."""

    @abstractmethod
    def determinant(self) -> tuple[Array, Array]:
        """Returns mantissa and exponent."""

    @abstractmethod
    def inverse(self) -> Array:
        """Returns a new array."""

    @abstractmethod
    def release(self) -> None:
        """Forgets the factors. Nothing else is called after it."""


class Backend(Protocol):
    """Factors and solves.

    `lu_factor`, `gesv`, `inverse` and `determinant` take plain matrices: of a type of `PLAIN_TYPES`, with two or more
    dimensions and at least one element; their memory may have any layout, and stays as it is. They return None if the
    backend has no such call for them: then the caller has to check and copy them, and to use the other methods.

    These work in place. Every array is Fortran-contiguous, aligned, writable, float32 or float64, and not empty. `ipiv`
    is LAPACK's: int64, contiguous, counted from 1.
    """

    @property
    def name(self) -> str:
        """The result of `recfact.backend()`: "server", "inprocess" or "scipy"."""

    def lu_factor(
        self, a: Array, *, pivot: bool, check_finite: bool, threads: int | None
    ) -> tuple[Array, Array, int | Integers] | None:
        """Computes P A = L U of a plain matrix, or of each matrix of a stack.

        Returns new arrays `lu`, in which each matrix is Fortran-contiguous, and `piv`, int32 and counted from 0, and
        `info`.

        Raises:
            ValueError: `check_finite` is true, and there is an infinity or a NaN.
        """

    def gesv(self, a: Array, b: Array, *, transposed: bool, check_finite: bool, threads: int | None) -> Solved | None:
        """Solves A X = B, or A^T X = B, for plain matrices (.., n, n) and (.., n, nrhs), or one and a vector.

        Raises:
            ValueError: `check_finite` is true, and there is an infinity or a NaN.
        """
        return None

    def inverse(self, a: Array, *, check_finite: bool, threads: int | None) -> Solved | None:
        """Computes the inverse of each plain matrix (.., n, n).

        Raises:
            ValueError: `check_finite` is true, and there is an infinity or a NaN.
        """
        return None

    def determinant(self, a: Array, *, check_finite: bool, threads: int | None) -> tuple[Array, Array] | None:
        """Computes the determinant of each plain matrix (.., n, n), as mantissa and exponent.

        Raises:
            ValueError: `check_finite` is true, and there is an infinity or a NaN.
        """
        return None

    def keep(self, a: Array, *, pivot: bool, keep_a: bool, threads: int | None) -> Factors | None:
        """Computes P A = L U of a plain matrix n x n, and keeps the factors; with `keep_a` the matrix, too.

        Returns None if the backend keeps nothing: then the caller has to.
        """
        return None

    def judged(
        self, a: Array, b: Array, *, transposed: bool, refine: bool, rcond: bool, threads: int | None
    ) -> Judged | None:
        """Solves A X = B, or A^T X = B, for plain n x n and n x nrhs, and says how good the solutions are.

        Returns None if the backend has no such call.
        """
        return None

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

    def invert(self, lu: Array, ipiv: Integers, *, threads: int | None) -> None:
        """Computes A^-1 in place of the factors of an n x n matrix; U has no zero on its diagonal."""

    def norm(self, a: Array) -> float:
        """Returns the 1-norm of an n x n array."""

    def rcond(self, lu: Array, ipiv: Integers, norm: float) -> float:
        """Returns the reciprocal condition number of an n x n matrix from its factors and its 1-norm."""

    def refine(self, system: System, *, max_steps: int, bounds: bool, threads: int | None) -> Array | None:
        """Makes solutions better, in place.

        Returns `ACCURACY` of each column if there are to be bounds.
        """

    def solve_stack(self, trans: bool, lu: Array, ipiv: Integers, x: Array, *, threads: int | None) -> None:
        """Does the same as `solve` for each matrix of stacks with the same leading dimensions."""
        for at in np.ndindex(x.shape[:-2]):
            self.solve(trans, lu[at], ipiv[at], x[at], threads=threads)
