"""What users get who ask for more than x: factors to solve with, and solutions with bounds of their errors."""

from __future__ import annotations

import math
from types import TracebackType
from typing import Any, Callable, NamedTuple, Union

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ._arrays import real_type, validated
from ._backend import ACCURACY, Array, Factors
from ._checks import require_regular, require_square
from ._determinant import SlogdetResult, as_number, slogdet_of

# One number for a right-hand side that is a vector, an array of them for the columns of a matrix.
Numbers = Union[float, NDArray[np.float64]]
Counts = Union[int, NDArray[np.int64]]


class Solution(NamedTuple):
    """A solution x of a x = b, and how good it is; for a matrix b arrays, with an element for each column.

    `backward` is the componentwise backward error: the smallest number such that x solves a system exactly whose
    elements differ from those of `a` and `b` by at most as much, relative to each (LAPACK: BERR). `forward` bounds the
    largest error of an element of x, divided by the largest magnitude in x (LAPACK: FERR); it is infinite if `a` is so
    ill-conditioned that nothing is known. It is computed, not proved: from n = 33 on a part of it is an estimate.
    `steps` is the number of steps of refinement that changed x, `rcond` the reciprocal condition number of `a` in the
    1-norm.
    """

    x: Array
    backward: Numbers
    forward: Numbers
    steps: Counts
    rcond: Numbers


class Factorization:
    """The factors P A = L U of a square matrix, kept to solve with: what `factorized` returns.

        lu = recfact.factorized(a)
        x = lu.solve(b)

    A server keeps the factors, and with `keep_a` the matrix, until this object is collected or closed; the end of a
    `with` block closes it. If the server ends before, or the process forks, each method raises `FactorsLostError`
    (in the child, after a fork), and `refactor` computes the factors again.

    It is the inverse as an operator: it may be called, has `matvec`, `rmatvec`, `matmat`, `rmatmat`, `shape` and
    `dtype`, and is taken by `scipy.sparse.linalg.aslinearoperator` and as the preconditioner of an iterative solver.

    Results have the type of the factors. A right-hand side of another type is converted to it. Any number of threads
    may use one object.
    """

    def __init__(self, keep: Callable[[Array], Factors], a: ArrayLike, check_finite: bool, keep_a: bool) -> None:
        self._keep, self._keep_a = keep, keep_a
        self._factors: Factors | None = None
        self.refactor(a, check_finite=check_finite)

    def refactor(self, a: ArrayLike, *, check_finite: bool = True) -> None:
        """Replaces the factors by those of another matrix, of any order. What was kept before is forgotten."""
        a1 = validated(a, check_finite)
        if a1.ndim != 2:
            raise ValueError(f"expected one matrix, got an array of shape {a1.shape}")
        require_square(a1)
        a1 = a1.astype(real_type(a1), copy=False)
        self.close()
        self._shape, self._dtype, self._rcond = a1.shape, a1.dtype, math.nan
        self._factors = self._keep(a1)

    @property
    def shape(self) -> tuple[int, int]:
        """The shape of the matrix."""
        return self._shape[0], self._shape[1]

    @property
    def dtype(self) -> np.dtype[Any]:
        """The type of the factors and of all solutions: float32 or float64."""
        return self._dtype

    @property
    def info(self) -> int:
        """LAPACK's number: 0, or i > 0 if U[i-1, i-1] is the first zero on the diagonal. Then A is singular."""
        return self._kept().info

    @property
    def rcond(self) -> float:
        """The reciprocal condition number in the 1-norm: exact up to n = 32, above an estimate. 0 if A is singular."""
        if math.isnan(self._rcond):
            self._rcond = self._kept().rcond()
        return self._rcond

    def solve(self, b: ArrayLike, trans: int = 0, *, refine: bool = False, check_finite: bool = True) -> Array:
        """Solves A x = b (`trans` 0) or A^T x = b (1 or 2), for a vector or the columns of a matrix.

        With `refine` the residual is computed in twice the precision, and x corrected by it until that makes no
        progress.

        Raises:
            LinAlgError: A is exactly singular.
            ValueError: `refine` needs the matrix, and `factorized` got `keep_a=False`.
        """
        return self._solved(b, trans, refine, False, check_finite)[0]

    def solution(self, b: ArrayLike, trans: int = 0, *, refine: bool = True, check_finite: bool = True) -> Solution:
        """Does the same as `solve`, and says how good the solution is. With `refine=False` it is that of `solve`."""
        x, accuracy = self._solved(b, trans, refine, True, check_finite)
        assert accuracy is not None
        return Solution(x, *judgement(accuracy, x.ndim == 1), self.rcond)

    def det(self) -> float:
        """Computes the determinant: infinite or zero if it is out of range."""
        return float(as_number(*self._kept().determinant()))

    def slogdet(self) -> SlogdetResult:
        """Computes the sign and the logarithm of the magnitude of the determinant, as `numpy.linalg.slogdet` does."""
        return slogdet_of(*self._kept().determinant(), self._dtype)

    def inv(self) -> Array:
        """Computes the inverse. Raises `LinAlgError` if A is exactly singular."""
        factors = self._regular()
        return factors.inverse() if self._shape[0] else np.empty(self._shape, self._dtype)

    def matvec(self, x: ArrayLike) -> Array:
        """Solves A y = x for a vector or a matrix of one column."""
        return self.solve(x)

    def rmatvec(self, x: ArrayLike) -> Array:
        """Solves A^T y = x."""
        return self.solve(x, 1)

    def close(self) -> None:
        """Has the factors forgotten. After that the object is of no use, unless `refactor` is called."""
        factors, self._factors = self._factors, None
        if factors is not None:
            factors.release()

    __call__ = solve
    matmat = matvec
    rmatmat = rmatvec

    def __enter__(self) -> Factorization:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"<recfact.Factorization of {self._shape[0]} x {self._shape[1]} {self._dtype}>"

    def __reduce__(self) -> str:
        raise TypeError("factors that are kept by a server cannot be pickled: send the matrix, and factor it there")

    def _kept(self) -> Factors:
        if self._factors is None:
            raise ValueError("this factorization is closed; refactor(a) opens it again")
        return self._factors

    def _regular(self) -> Factors:
        factors = self._kept()
        if factors.info:
            require_regular(np.array([factors.info]))
        return factors

    def _solved(
        self, b: ArrayLike, trans: int, refine: bool, bounds: bool, check_finite: bool
    ) -> tuple[Array, Array | None]:
        if trans not in (0, 1, 2):
            raise ValueError(f"expected trans to be 0, 1 or 2, got {trans!r}")
        if (refine or bounds) and not self._keep_a:
            raise ValueError("to refine a solution, or to judge it, needs the matrix: leave keep_a=False out")
        if type(b) is np.ndarray and b.dtype == self._dtype and (not check_finite or np.isfinite(b).all()):
            b1 = b
        else:
            b1 = validated(b, check_finite)
        if b1.ndim not in (1, 2) or len(b1) != self._shape[0]:
            raise ValueError(f"expected b to have {self._shape[0]} rows, got an array of shape {b1.shape}")
        factors = self._regular()
        columns = (b1[:, None] if b1.ndim == 1 else b1).astype(self._dtype, copy=False)
        if columns.size == 0:
            return np.empty(b1.shape, self._dtype), np.zeros(columns.shape[1], ACCURACY)
        x, accuracy = factors.solve(columns, trans=bool(trans), refine=refine, bounds=bounds)
        return x[:, 0] if b1.ndim == 1 else x, accuracy


def judgement(accuracy: Array, vector: bool) -> tuple[Numbers, Numbers, Counts]:
    """Returns the backward errors, the bounds and the steps of columns, or of the one vector."""
    if vector:
        accuracy = accuracy[..., 0]
    return accuracy["backward"][()], accuracy["forward"][()], accuracy["steps"][()]
