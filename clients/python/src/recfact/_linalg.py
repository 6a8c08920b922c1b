"""The functions that users call, with the arguments, results, errors and warnings of SciPy, over any backend."""

from __future__ import annotations

import operator
import warnings
from abc import ABC, abstractmethod
from collections.abc import Iterable
from typing import Any, NamedTuple

import numpy as np
from numpy.linalg import LinAlgError
from numpy.typing import ArrayLike, DTypeLike

from . import _condition
from ._arrays import checked, common_type, in_place, real_type, stack, validated
from ._backend import Array, Backend, Integers
from ._errors import LinAlgWarning


class SlogdetResult(NamedTuple):
    """The sign of a determinant and the logarithm of its magnitude."""

    sign: Array
    logabsdet: Array


class Functions(ABC):
    """The functions of the package. A subclass says through what they are computed."""

    @abstractmethod
    def _backend(self, threads: int | None) -> Backend:
        """What computes with at most so many threads."""

    def lu_factor(
        self,
        a: ArrayLike,
        *,
        overwrite_a: bool = False,
        check_finite: bool = True,
        pivot: bool = True,
        threads: int | None = None,
    ) -> tuple[Array, Array]:
        """P A = L U, as `scipy.linalg.lu_factor`.

        Returns `(lu, piv)`: U on and above the diagonal of `lu`, L without its ones below it; row i was swapped with
        row `piv[i]`, counted from 0. `a` may be a stack of matrices, (..., m, n). Warns with `LinAlgWarning` where U
        is exactly singular. With `overwrite_a` a Fortran-contiguous float32 or float64 array becomes `lu`.

        `pivot=False` takes the pivots from the diagonal. `threads` is how many threads may be used (default: one for
        each processor); it never changes the result.
        """
        a1 = checked(a, check_finite)
        if a1.ndim > 2 and 0 in a1.shape[:-2]:
            raise ValueError("`lu_factor` does not support zero-size batches.")
        if a1.size == 0:
            return np.empty_like(a1), np.empty((*a1.shape[:-2], 0), np.int32)
        shape = a1.shape
        if a1.ndim < 2:
            a1 = a1.reshape(-1, 1)
        lu, ipiv, info = self._factor(a1, real_type(a1), overwrite_a, threads, pivot=pivot)
        for k in np.abs(info[info != 0]):
            message = f"Diagonal number {k} is exactly zero. Singular matrix."
            warnings.warn(message, LinAlgWarning, stacklevel=2)
        # SciPy's indices are 32 bits wide, which is not enough for every column that fits memory.
        piv = (ipiv - 1).astype(np.int32 if lu.shape[-2] <= 2**31 else np.int64)
        return lu if lu.shape == shape else lu.reshape(shape), piv

    def lu_solve(
        self,
        lu_and_piv: tuple[ArrayLike, ArrayLike],
        b: ArrayLike,
        trans: int = 0,
        *,
        overwrite_b: bool = False,
        check_finite: bool = True,
        threads: int | None = None,
    ) -> Array:
        """Solves A x = b (`trans` 0) or A^T x = b (1 or 2) from what `lu_factor` returned, as `scipy.linalg.lu_solve`.

        `b` is a vector or a matrix of right-hand sides; stacks of each are broadcast.
        """
        lu, piv, b1 = np.asarray(lu_and_piv[0]), np.asarray(lu_and_piv[1]), checked(b, check_finite)
        vector = b1.ndim == 1
        core = b1.shape[-2:]
        if lu.ndim < 2 or b1.ndim < 1 or lu.shape[-2] != core[0] or lu.shape[-1] != core[0]:
            raise ValueError(f"Shapes of lu {lu.shape[-2:]} and b {core} are incompatible")
        if piv.shape[-1:] != core[:1]:
            raise ValueError(f"expected one index in piv for each of {core[0]} rows, got shape {piv.shape}")
        if trans not in (0, 1, 2, None):
            raise ValueError(f"expected trans to be 0, 1 or 2, got {trans!r}")
        b1 = b1[:, None] if vector else b1
        if 0 in np.broadcast_shapes(lu.shape[:-2], piv.shape[:-1], b1.shape[:-2]):
            raise ValueError("`lu_solve` does not support zero-size batches.")
        ipiv = piv.astype(np.int64) + 1
        x = self._solve(lu, ipiv, b1, real_type(lu, b1), bool(trans), overwrite_b, threads)
        return x[..., 0] if vector else x

    def lu(
        self,
        a: ArrayLike,
        permute_l: bool = False,
        *,
        overwrite_a: bool = False,
        check_finite: bool = True,
        p_indices: bool = False,
        threads: int | None = None,
    ) -> tuple[Array, ...]:
        """A = P L U, as `scipy.linalg.lu`.

        Returns `(p, l, u)`, or `(p @ l, u)` with `permute_l`. With `p_indices` `p` is an array of indices such that
        A = l[p] @ u. `a` may be a stack of matrices, (..., m, n).
        """
        a1 = checked(a, check_finite)
        if a1.ndim < 2:
            raise ValueError("The input array must be at least two-dimensional.")
        dtype = real_type(a1)
        *batch, m, n = a1.shape
        k = min(m, n)
        if a1.size == 0:
            lower, upper = np.empty((*batch, m, k), dtype), np.empty((*batch, k, n), dtype)
            p = np.empty((*batch, 0), np.int32) if p_indices else np.empty((*batch, 0, 0), dtype)
            return (lower, upper) if permute_l else (p, lower, upper)
        packed, ipiv, _ = self._factor(a1, dtype, overwrite_a, threads)
        lower, upper = np.tril(packed[..., :k], -1), np.triu(packed[..., :k, :])
        lower[..., np.arange(k), np.arange(k)] = 1
        p = np.empty((*batch, m), np.int32)
        for at in np.ndindex(*batch):
            p[at][_rows(m, ipiv[at])] = np.arange(m)
        if permute_l:
            return np.take_along_axis(lower, p[..., None], -2), upper
        return p if p_indices else np.eye(m, dtype=dtype)[p], lower, upper

    def solve(
        self,
        a: ArrayLike,
        b: ArrayLike,
        *,
        overwrite_a: bool = False,
        overwrite_b: bool = False,
        check_finite: bool = True,
        transposed: bool = False,
        threads: int | None = None,
    ) -> Array:
        """Solves a x = b, or a.T x = b with `transposed`, as `scipy.linalg.solve(a, b, assume_a="general")`.

        Stacks of matrices are broadcast. Raises `LinAlgError` where `a` is exactly singular, and warns with
        `LinAlgWarning` where its estimated reciprocal condition number is below the precision.
        """
        a1, b1 = np.atleast_2d(validated(a, check_finite)), np.atleast_1d(validated(b, check_finite))
        _require_square(a1)
        dtype = common_type(a1, b1)
        vector = b1.ndim == 1
        b1 = b1[:, None] if vector else b1
        n = a1.shape[-1]
        if a1.size == 1:
            # SciPy takes a single element for a scalar.
            if not a1.any():
                raise LinAlgError("A singular matrix detected.")
            x = np.asarray(b1.astype(dtype) / a1.astype(dtype))
            return x[..., 0] if vector else x
        if b1.shape[-2] != n:
            raise ValueError(f"incompatible shapes: {a1.shape=} and {b1.shape=}")
        batch = np.broadcast_shapes(a1.shape[:-2], b1.shape[:-2])
        if a1.size == 0 or b1.size == 0:
            x = np.empty((*batch, *b1.shape[-2:]), dtype)
            return x[..., 0] if vector else x
        norms = _norms(a1)
        lu, ipiv, info = self._factor(a1, dtype, overwrite_a, threads)
        _require_regular(info)
        x = self._solve(lu, ipiv, b1, dtype, transposed, overwrite_b, threads)
        inverse_norms = [self._inverse_norm(lu[at], ipiv[at], threads) for at in np.ndindex(*a1.shape[:-2])]
        _warn_of_ill(norms.flat, inverse_norms, dtype)
        return x[..., 0] if vector else x

    def inv(
        self,
        a: ArrayLike,
        *,
        overwrite_a: bool = False,
        check_finite: bool = True,
        threads: int | None = None,
    ) -> Array:
        """The inverse of a matrix or of each matrix of a stack, as `scipy.linalg.inv`.

        Raises `LinAlgError` where a matrix is exactly singular, and warns with `LinAlgWarning` where its reciprocal
        condition number is below the precision.
        """
        a1 = validated(a, check_finite)
        if a1.ndim < 2:
            raise ValueError(f"Expected at least ndim=2, got {a1.ndim=}")
        _require_square(a1)
        dtype = real_type(a1)
        if a1.size == 0:
            return np.empty(a1.shape, dtype)
        norms = _norms(a1)
        lu, ipiv, info = self._factor(a1, dtype, overwrite_a, threads)
        _require_regular(info)
        inverse = self._solve(lu, ipiv, np.eye(a1.shape[-1], dtype=dtype), dtype, False, True, threads)
        _warn_of_ill(norms.flat, _norms(inverse).flat, dtype)
        return inverse

    def det(
        self,
        a: ArrayLike,
        *,
        overwrite_a: bool = False,
        check_finite: bool = True,
        threads: int | None = None,
    ) -> Array:
        """The determinant, in double precision, of a matrix or of each matrix of a stack, as `scipy.linalg.det`."""
        a1 = checked(a, check_finite)
        if a1.ndim < 2:
            raise ValueError("The input array must be at least two-dimensional.")
        if a1.shape[-1] != a1.shape[-2]:
            raise ValueError(f"Last 2 dimensions of the array must be square but received shape {a1.shape}.")
        if a1.dtype.kind not in "biufc" or a1.dtype.char == "g":
            raise TypeError(f"The dtype {a1.dtype} cannot be cast to float(32, 64) or complex(64, 128).")
        lu, ipiv, info = self._factor(a1, real_type(a1), overwrite_a, threads)
        with np.errstate(over="ignore", under="ignore", invalid="ignore"):
            product = _parity(ipiv) * _diagonal(lu).astype(np.float64).prod(-1)
        return np.where(info == 0, product, 0.0)[()]

    def slogdet(self, a: ArrayLike, *, threads: int | None = None) -> SlogdetResult:
        """The sign and the logarithm of the magnitude of the determinant, as `numpy.linalg.slogdet`."""
        a1 = np.asarray(a)
        if a1.ndim < 2:
            raise LinAlgError(f"{a1.ndim}-dimensional array given. Array must be at least two-dimensional")
        if a1.shape[-1] != a1.shape[-2]:
            raise LinAlgError("Last 2 dimensions of the array must be square")
        dtype = np.dtype(np.float64) if a1.dtype.kind in "biu" else real_type(a1)
        lu, ipiv, _ = self._factor(a1, dtype, False, threads)
        diagonal = _diagonal(lu)
        with np.errstate(divide="ignore"):
            logabsdet = np.log(np.abs(diagonal)).sum(-1)
        sign = _parity(ipiv) * np.sign(diagonal).prod(-1)
        return SlogdetResult(sign.astype(dtype)[()], np.asarray(logabsdet, dtype)[()])

    def _factor(
        self, a: Array, dtype: np.dtype[Any], overwrite: bool, threads: int | None, *, pivot: bool = True
    ) -> tuple[Array, Integers, Integers]:
        """P A = L U of a matrix, in place where that is allowed and possible, or of each matrix of a stack.

        Returns `lu`, in which each matrix is Fortran-contiguous, and `ipiv` and `info` as LAPACK has them.
        """
        *batch, m, n = a.shape
        lu = stack(a, dtype) if batch else in_place(a, dtype, overwrite)
        ipiv, info = np.empty((*batch, min(m, n)), np.int64), np.zeros(batch, np.int64)
        if lu.size:
            backend = self._backend(_checked_threads(threads))
            for at in np.ndindex(*batch):
                info[at] = backend.factor(lu[at], ipiv[at], pivot=pivot, threads=threads)
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
        """X of A X = B, or A^T X = B, with stacks broadcast; in place of B where that is allowed and possible."""
        batch = np.broadcast_shapes(lu.shape[:-2], ipiv.shape[:-1], b.shape[:-2])
        x = stack(np.broadcast_to(b, batch + b.shape[-2:]), dtype) if batch else in_place(b, dtype, overwrite)
        lu, ipiv = np.broadcast_to(lu, batch + lu.shape[-2:]), np.broadcast_to(ipiv, batch + ipiv.shape[-1:])
        if x.size:
            backend = self._backend(_checked_threads(threads))
            for at in np.ndindex(*batch):
                factors = np.require(lu[at], dtype, ["F", "A"]), np.require(ipiv[at], np.int64, ["C", "A"])
                backend.solve(trans, *factors, x[at], threads=threads)
        return x

    def _inverse_norm(self, lu: Array, ipiv: Integers, threads: int | None) -> float:
        backend = self._backend(threads)

        def solve(x: Array, trans: bool) -> None:
            backend.solve(trans, lu, ipiv, x, threads=threads)

        return _condition.inverse_norm(solve, lu.shape[0], lu.dtype)


def _checked_threads(threads: int | None) -> int | None:
    if threads is not None and operator.index(threads) < 1:
        raise ValueError(f"expected at least one thread, got {threads=}")
    return threads


def _require_square(a: Array) -> None:
    if a.shape[-1] != a.shape[-2]:
        raise ValueError(f"Expected square matrix, got a1.shape={a.shape}")


def _require_regular(info: Integers) -> None:
    singular = np.flatnonzero(info).tolist()
    if singular:
        raise LinAlgError(f"A singular matrix detected: slice(s) {singular} are singular.")


def _warn_of_ill(norms: Iterable[float], inverse_norms: Iterable[float], dtype: DTypeLike) -> None:
    """Warns of matrices with these 1-norms, and of their inverses, in the name of the caller's caller."""
    rconds = [_condition.reciprocal(a, inverse) for a, inverse in zip(norms, inverse_norms)]
    ill = [f"slice {i} has rcond = {rcond}" for i, rcond in enumerate(rconds) if _condition.is_ill(rcond, dtype)]
    if ill:
        warnings.warn(f"An ill-conditioned matrix detected: {','.join(ill)}.", LinAlgWarning, stacklevel=3)


def _norms(a: Array) -> Array:
    """The 1-norm of each matrix."""
    with np.errstate(over="ignore", invalid="ignore"):
        return np.asarray(np.abs(a).sum(-2, np.float64).max(-1))


def _rows(m: int, ipiv: Integers) -> list[int]:
    """The rows of A in the order of P A."""
    rows = list(range(m))
    for i, p in enumerate(ipiv.tolist()):
        rows[i], rows[p - 1] = rows[p - 1], rows[i]
    return rows


def _parity(ipiv: Integers) -> Array:
    """The determinant of P: -1 for an odd number of swaps."""
    swaps = (ipiv != np.arange(1, ipiv.shape[-1] + 1)).sum(-1)
    return np.asarray(1 - 2 * (swaps % 2))


def _diagonal(lu: Array) -> Array:
    return np.diagonal(lu, axis1=-2, axis2=-1)
