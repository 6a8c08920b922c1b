"""Factors and solves matrices, and stacks of matrices, through a backend."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any

import numpy as np

from . import _condition
from ._arrays import in_place, stack
from ._backend import Array, Backend, Integers
from ._checks import thread_count


class Engine(ABC):
    """What the functions of the package are made of. A subclass says which backend computes."""

    @abstractmethod
    def _backend(self, threads: int | None) -> Backend:
        """Returns the backend for a call that may use up to `threads` threads."""

    def _factor(
        self, a: Array, dtype: np.dtype[Any], overwrite: bool, threads: int | None, *, pivot: bool = True
    ) -> tuple[Array, Integers, Integers]:
        """Computes P A = L U of a matrix, in place if that is allowed and possible, or of each matrix of a stack.

        Returns `lu`, in which each matrix is Fortran-contiguous, and LAPACK's `ipiv` and `info`.
        """
        *batch, m, n = a.shape
        ipiv, info = np.empty((*batch, min(m, n)), np.int64), np.zeros(batch, np.int64)

        def placed() -> Array:
            return stack(a, dtype) if batch else in_place(a, dtype, overwrite)

        if a.size == 0:
            return placed(), ipiv, info
        threads = thread_count(threads)
        lu = self._backend(threads).factor_stack(placed, ipiv, info, pivot=pivot, threads=threads)
        return lu, ipiv, info

    def _solve(
        self,
        lu: Array,
        ipiv: Integers,
        b: Array,
        dtype: np.dtype[Any],
        trans: bool,
        overwrite: bool,
        threads: int | None,
    ) -> Array:
        """Solves A X = B, or A^T X = B, with stacks broadcast; in place of B if that is allowed and possible."""
        batch = np.broadcast_shapes(lu.shape[:-2], ipiv.shape[:-1], b.shape[:-2])
        x = stack(np.broadcast_to(b, batch + b.shape[-2:]), dtype) if batch else in_place(b, dtype, overwrite)
        lu, ipiv = np.broadcast_to(lu, batch + lu.shape[-2:]), np.broadcast_to(ipiv, batch + ipiv.shape[-1:])
        if x.size:
            threads = thread_count(threads)
            backend = self._backend(threads)
            for at in np.ndindex(*batch):
                factors = np.require(lu[at], dtype, ["F", "A"]), np.require(ipiv[at], np.int64, ["C", "A"])
                backend.solve(trans, *factors, x[at], threads=threads)
        return x

    def _inverse_norm(self, lu: Array, ipiv: Integers, threads: int | None) -> float:
        """Returns the 1-norm of A^-1, or an estimate of it, from the factors of A."""
        backend = self._backend(threads)

        def solve(x: Array, trans: bool) -> None:
            backend.solve(trans, lu, ipiv, x, threads=threads)

        return _condition.inverse_norm(solve, lu.shape[0], lu.dtype)


def norms(a: Array) -> Array:
    """Returns the 1-norm of each matrix."""
    with np.errstate(over="ignore", invalid="ignore"):
        return np.asarray(np.abs(a).sum(-2, np.float64).max(-1))


def permuted_rows(m: int, ipiv: Integers) -> list[int]:
    """Returns the rows of A in the order in which P A has them."""
    rows = list(range(m))
    for i, p in enumerate(ipiv.tolist()):
        rows[i], rows[p - 1] = rows[p - 1], rows[i]
    return rows


def parity(ipiv: Integers) -> Array:
    """Returns the determinant of P: -1 for an odd number of swaps, else 1."""
    swaps = (ipiv != np.arange(1, ipiv.shape[-1] + 1)).sum(-1)
    return np.asarray(1 - 2 * (swaps % 2))


def diagonal(lu: Array) -> Array:
    """Returns the diagonal of each matrix."""
    return np.diagonal(lu, axis1=-2, axis2=-1)
