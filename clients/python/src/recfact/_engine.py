"""Factors and solves matrices, and stacks of matrices, through a backend."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any

import numpy as np

from . import _condition, _determinant
from ._arrays import in_place, stack
from ._backend import ACCURACY, Array, Backend, Factors, Integers, Judged, Solved
from ._checks import thread_count
from ._factors import LocalFactors


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
        backend = self._backend(threads)
        if batch:
            plain = a.astype(dtype, copy=False)
            found = backend.lu_factor(plain, pivot=pivot, check_finite=False, threads=threads)
            if found is not None:
                return found[0], found[1].astype(np.int64) + 1, np.asarray(found[2])
        return backend.factor_stack(placed, ipiv, info, pivot=pivot, threads=threads), ipiv, info

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
        if not x.size:
            return x
        threads = thread_count(threads)
        backend = self._backend(threads)
        if not batch:
            factors = np.require(lu, dtype, ["F", "A"]), np.require(ipiv, np.int64, ["C", "A"])
            backend.solve(trans, *factors, x, threads=threads)
            return x
        rows = np.broadcast_to(ipiv, batch + ipiv.shape[-1:])
        lu = _packed_by_columns(np.broadcast_to(lu, batch + lu.shape[-2:]), dtype)
        backend.solve_stack(trans, lu, np.require(rows, np.int64, ["C", "A"]), x, threads=threads)
        return x

    def _solved(
        self,
        a: Array,
        b: Array,
        batch: tuple[int, ...],
        dtype: np.dtype[Any],
        transposed: bool,
        threads: int | None,
    ) -> Solved | None:
        """Solves A X = B, or A^T X = B, for a matrix or a stack, and right-hand sides that are broadcast to it."""
        threads = thread_count(threads)
        # Matrices that are broadcast themselves would be factored several times.
        if a.shape[:-2] not in ((), batch):
            return None
        a, backend, checks = a.astype(dtype, copy=False), self._backend(threads), {"check_finite": False}
        if a.shape[:-2] == batch:
            b = np.broadcast_to(b, batch + b.shape[-2:]).astype(dtype, copy=False)
            return backend.gesv(a, b, transposed=transposed, threads=threads, **checks)
        # The right-hand sides of the whole stack belong to one matrix.
        columns = np.moveaxis(b, -2, 0).astype(dtype, copy=False)
        found = backend.gesv(a, columns.reshape(len(a), -1), transposed=transposed, threads=threads, **checks)
        return None if found is None else found._replace(x=np.moveaxis(found.x.reshape(columns.shape), 0, -2))

    def _determinants(
        self, a: Array, dtype: np.dtype[Any], overwrite: bool, threads: int | None
    ) -> tuple[Array, Array]:
        """Computes the determinant of a matrix, or of each matrix of a stack, as mantissa and exponent."""
        threads = thread_count(threads)
        if a.size and not overwrite:
            plain = a.astype(dtype, copy=False)
            found = self._backend(threads).determinant(plain, check_finite=False, threads=threads)
            if found is not None:
                return found
        lu, ipiv, _ = self._factor(a, dtype, overwrite, threads)
        return _determinant.of_factors(lu, ipiv)

    def _keep(self, a: Array, pivot: bool, keep_a: bool, threads: int | None) -> Factors:
        """Computes P A = L U of a plain matrix n x n, and keeps the factors where they were computed."""
        threads = thread_count(threads)
        backend = self._backend(threads)
        kept = backend.keep(a, pivot=pivot, keep_a=keep_a, threads=threads)
        return kept or LocalFactors(backend, a, pivot=pivot, keep_a=keep_a, threads=threads)

    def _judged(
        self, a: Array, b: Array, *, transposed: bool, refine: bool, rcond: bool, threads: int | None
    ) -> Judged:
        """Solves A X = B, or A^T X = B, for plain n x n and n x nrhs, and says how good the solutions are.

        If A is singular, they are not.
        """
        threads = thread_count(threads)
        backend = self._backend(threads)
        found = backend.judged(a, b, transposed=transposed, refine=refine, rcond=rcond, threads=threads)
        if found is not None:
            return found
        factors = LocalFactors(backend, a, pivot=True, keep_a=True, threads=threads)
        if factors.info:
            return Judged(b, factors.info, np.empty(b.shape[1], ACCURACY), 0.0)
        x, accuracy = factors.solve(b, trans=transposed, refine=refine, bounds=True)
        assert accuracy is not None
        return Judged(x, 0, accuracy, factors.rcond() if rcond else np.nan)


def rconds_of(norms_of_a: Array, inverse_norms: Any) -> Array:
    """Computes the reciprocal condition numbers, from the 1-norms of the matrices and of their inverses."""
    pairs = zip(norms_of_a.flat, np.asarray(inverse_norms).flat)
    return np.array([_condition.reciprocal(a, inverse) for a, inverse in pairs])


def _packed_by_columns(a: Array, dtype: np.dtype[Any]) -> Array:
    """Returns a stack itself if its matrices are packed and Fortran-contiguous, else a copy that is."""
    is_packed = a.dtype == dtype and a.swapaxes(-1, -2).flags.c_contiguous and a.flags.aligned
    return a if is_packed else stack(a, dtype)


def norms(a: Array) -> Array:
    """Returns the 1-norm of each matrix."""
    with np.errstate(over="ignore", invalid="ignore"):
        return np.asarray(np.abs(a).sum(-2, np.float64).max(-1))


def permuted_rows(m: int, ipiv: Integers) -> Array:
    """Returns the rows of A in the order in which P A has them, for a matrix or a stack."""
    *batch, k = ipiv.shape
    rows = np.empty((*batch, m), np.int64)
    rows[...] = np.arange(m)
    for i in range(k):
        swapped = ipiv[..., i : i + 1] - 1
        other = np.take_along_axis(rows, swapped, -1)
        np.put_along_axis(rows, swapped, rows[..., i : i + 1].copy(), -1)
        rows[..., i : i + 1] = other
    return rows
