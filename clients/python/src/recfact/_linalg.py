"""The functions that users call, with the arguments, results, errors and warnings of SciPy, through any backend."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.linalg import LinAlgError
from numpy.typing import ArrayLike

from ._arrays import as_array, checked, common_type, numpy_linalg_type, real_type, reordered, validated
from ._backend import PLAIN_TYPES, Array
from ._checks import (
    are_well_conditioned,
    lapack_indices,
    require_general,
    require_regular,
    require_square,
    thread_count,
    warn_of_ill_conditioned,
    warn_of_invalid,
    warn_of_singular,
)
from ._determinant import Determinant, SlogdetResult, as_number, diagonal, parity, slogdet_of
from ._engine import norms, permuted_rows, rconds_of
from ._systems import Systems

if TYPE_CHECKING:
    from typing_extensions import TypeGuard


class Functions(Systems):
    """The functions of the package. A subclass says which backend computes."""

    def lu_factor(
        self,
        a: ArrayLike,
        *,
        overwrite_a: bool = False,
        check_finite: bool = True,
        pivot: bool = True,
        threads: int | None = None,
    ) -> tuple[Array, Array]:
        """Computes P A = L U, as `scipy.linalg.lu_factor` does.

        Returns `(lu, piv)`: U on and above the diagonal of `lu`, and below it L without the ones on its diagonal; row i
        was swapped with row `piv[i]`, counted from 0. `a` may be a stack of matrices, (..., m, n). Warns with
        `LinAlgWarning` if U is exactly singular. With `overwrite_a` a Fortran-contiguous float32 or float64 array
        becomes `lu`.

        `pivot=False` takes the pivots from the diagonal. `threads` is the largest number of threads that the call may
        use (default: one for each processor); it never changes the result.
        """
        if _is_plain(a) and not overwrite_a:
            threads = thread_count(threads)
            backend = self._backend(threads)
            found = backend.lu_factor(a, pivot=pivot, check_finite=check_finite, threads=threads)
            if found is not None:
                if np.any(found[2]):
                    warn_of_singular(np.asarray(found[2]))
                return found[:2]
        a1 = checked(a, check_finite)
        if a1.ndim > 2 and 0 in a1.shape[:-2]:
            raise ValueError("`lu_factor` does not support zero-size batches.")
        if a1.size == 0:
            return np.empty_like(a1), np.empty((*a1.shape[:-2], 0), np.int32)
        shape = a1.shape
        if a1.ndim < 2:
            a1 = a1.reshape(-1, 1)
        lu, ipiv, info = self._factor(a1, real_type(a1), overwrite_a, threads, pivot=pivot)
        warn_of_singular(info)
        # SciPy's indices have 32 bits, which are too few for the longest column that fits in memory.
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
        """Solves A x = b (`trans` 0) or A^T x = b (1 or 2), as `scipy.linalg.lu_solve` does.

        `lu_and_piv` is what `lu_factor` returned. `b` is a vector, or a matrix with a right-hand side in each column.
        Stacks are broadcast.
        """
        lu, piv, b1 = as_array(lu_and_piv[0]), as_array(lu_and_piv[1]), checked(b, check_finite)
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
        ipiv = lapack_indices(piv, core[0])
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
        """Computes A = P L U, as `scipy.linalg.lu` does.

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
        np.put_along_axis(p, permuted_rows(m, ipiv), np.arange(m, dtype=np.int32), -1)
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
        assume_a: str | None = None,
        transposed: bool = False,
        refine: bool = False,
        threads: int | None = None,
    ) -> Array:
        """Solves a x = b, or a.T x = b with `transposed`, as `scipy.linalg.solve(a, b, assume_a="general")` does.

        Stacks of matrices are broadcast. Raises `LinAlgError` if `a` is exactly singular, and warns with
        `LinAlgWarning` if its estimated reciprocal condition number is below the precision. `assume_a` may be None,
        "gen" or "general", which all mean the same.

        With `refine` x is corrected until it is about as good as one that was computed in twice the precision and then
        rounded, and the warning says that there is no bound of its error: see `solution`, which returns the bound.
        """
        require_general(assume_a, "solve")
        if refine:
            return self._solution(a, b, True, check_finite, transposed, threads, rcond=False).x
        if _is_plain(a) and _is_right_hand_side(b, a) and not (overwrite_a or overwrite_b):
            threads = thread_count(threads)
            found = self._backend(threads).gesv(a, b, transposed=transposed, check_finite=check_finite, threads=threads)
            if found is not None:
                if not are_well_conditioned(found.rcond, a.dtype):
                    require_regular(found.info)
                    warn_of_ill_conditioned(found.rcond, a.dtype)
                return found.x
        a1, b1 = np.atleast_2d(validated(a, check_finite)), np.atleast_1d(validated(b, check_finite))
        require_square(a1)
        dtype = common_type(a1, b1)
        vector = b1.ndim == 1
        b1 = b1[:, None] if vector else b1
        if a1.size == 1:
            x = _divided(b1, a1, dtype)
            return x[..., 0] if vector else x
        if b1.shape[-2] != a1.shape[-1]:
            raise ValueError(f"incompatible shapes: {a1.shape=} and {b1.shape=}")
        batch = np.broadcast_shapes(a1.shape[:-2], b1.shape[:-2])
        if a1.size == 0 or b1.size == 0:
            x = np.empty((*batch, *b1.shape[-2:]), dtype)
            return x[..., 0] if vector else x
        if not (overwrite_a or overwrite_b):
            found = self._solved(a1, b1, batch, dtype, transposed, threads)
            if found is not None:
                require_regular(found.info)
                warn_of_ill_conditioned(found.rcond, dtype)
                return found.x[..., 0] if vector else found.x
        a_norms = norms(a1)
        lu, ipiv, info = self._factor(a1, dtype, overwrite_a, threads)
        require_regular(info)
        x = self._solve(lu, ipiv, b1, dtype, transposed, overwrite_b, threads)
        backend = self._backend(thread_count(threads))
        rconds = [backend.rcond(lu[at], ipiv[at], float(a_norms[at])) for at in np.ndindex(*a1.shape[:-2])]
        warn_of_ill_conditioned(np.array(rconds), dtype)
        return x[..., 0] if vector else x

    def inv(
        self,
        a: ArrayLike,
        *,
        overwrite_a: bool = False,
        check_finite: bool = True,
        assume_a: str | None = None,
        threads: int | None = None,
    ) -> Array:
        """Computes the inverse of a matrix, or of each matrix of a stack, as `scipy.linalg.inv` does.

        Raises `LinAlgError` if a matrix is exactly singular, and warns with `LinAlgWarning` if its reciprocal condition
        number is below the precision. With `overwrite_a` the inverse of a Fortran-contiguous float32 or float64 array
        takes its place. `assume_a` may be None, "gen" or "general", which all mean the same.
        """
        require_general(assume_a, "inv")
        if _is_plain(a) and a.shape[-1] == a.shape[-2] and not overwrite_a:
            threads = thread_count(threads)
            found = self._backend(threads).inverse(a, check_finite=check_finite, threads=threads)
            if found is not None:
                if not are_well_conditioned(found.rcond, a.dtype):
                    require_regular(found.info)
                    warn_of_ill_conditioned(found.rcond, a.dtype)
                return found.x
        a1 = validated(a, check_finite)
        if a1.ndim < 2:
            raise ValueError(f"Expected at least ndim=2, got {a1.ndim=}")
        require_square(a1)
        dtype = real_type(a1)
        if a1.size == 0:
            return np.empty(a1.shape, dtype)
        a_norms = norms(a1)
        lu, ipiv, info = self._factor(a1, dtype, overwrite_a, threads)
        require_regular(info)
        identity = np.eye(a1.shape[-1], dtype=dtype, order="F")
        inverse = self._solve(lu, ipiv, identity, dtype, False, True, threads)
        warn_of_ill_conditioned(rconds_of(a_norms, norms(inverse)), dtype)
        if lu is a1:
            a1[...] = inverse
            return a1
        return inverse

    def det(
        self,
        a: ArrayLike,
        *,
        overwrite_a: bool = False,
        check_finite: bool = True,
        threads: int | None = None,
    ) -> Determinant:
        """Computes the determinant, in double precision, as `scipy.linalg.det` does.

        Returns a number for a matrix and an array for a stack of matrices. With `overwrite_a` the memory of a
        contiguous float32 or float64 matrix is used for its factors.
        """
        if _is_plain(a) and a.shape[-1] == a.shape[-2] and not overwrite_a:
            threads = thread_count(threads)
            found = self._backend(threads).determinant(a, check_finite=check_finite, threads=threads)
            if found is not None:
                return as_number(*found)
        a1 = checked(a, check_finite)
        if a1.ndim < 2:
            raise ValueError("The input array must be at least two-dimensional.")
        if a1.shape[-1] != a1.shape[-2]:
            raise ValueError(f"Last 2 dimensions of the array must be square but received shape {a1.shape}.")
        if a1.dtype.kind not in "biufc" or a1.dtype.char == "g":
            raise TypeError(f"The dtype {a1.dtype} cannot be cast to float(32, 64) or complex(64, 128).")
        dtype = real_type(a1)
        if overwrite_a:
            a1 = reordered(a1, dtype)
        return as_number(*self._determinants(a1, dtype, overwrite_a, threads))

    def slogdet(self, a: ArrayLike, *, threads: int | None = None) -> SlogdetResult:
        """Computes the sign and the logarithm of the magnitude of the determinant, as `numpy.linalg.slogdet` does.

        Returns numbers for a matrix and arrays for a stack of matrices.
        """
        a1 = as_array(a)
        if a1.ndim < 2:
            raise LinAlgError(f"{a1.ndim}-dimensional array given. Array must be at least two-dimensional")
        if a1.shape[-1] != a1.shape[-2]:
            raise LinAlgError("Last 2 dimensions of the array must be square")
        dtype = numpy_linalg_type(a1)
        mantissa, exponent = self._determinants(a1, dtype, False, threads)
        # Whether there is a NaN among the pivots, the determinant does not tell if another pivot is zero.
        if (np.abs(mantissa) > 0).all():
            return slogdet_of(mantissa, exponent, dtype)
        lu, ipiv, info = self._factor(a1, dtype, False, threads)
        pivots = diagonal(lu)
        with np.errstate(divide="ignore", invalid="ignore"):
            logarithm = np.where(info == 0, np.log(np.abs(pivots)).sum(-1), -np.inf)
            negative = (pivots < 0).sum(-1)
        sign = np.where(info == 0, parity(ipiv) * (1 - 2 * (negative % 2)), 0)
        warn_of_invalid(pivots, "slogdet")
        return SlogdetResult(sign.astype(dtype)[()], logarithm.astype(dtype)[()])


def _is_plain(a: Any) -> TypeGuard[Array]:
    """Returns whether an argument can go to a backend as it is: see `Backend`."""
    return type(a) is np.ndarray and a.dtype in PLAIN_TYPES and a.ndim >= 2 and a.size > 0


def _is_right_hand_side(b: Any, a: Array) -> TypeGuard[Array]:
    """Returns whether there are plain right-hand sides for each of square matrices, which need not be broadcast."""
    if type(b) is not np.ndarray or b.dtype != a.dtype or b.size == 0 or a.size == 1 or a.shape[-1] != a.shape[-2]:
        return False
    return b.shape[:-1] == a.shape[:-1] or (a.ndim == 2 and b.shape == a.shape[:1])


def _divided(b: Array, a: Array, dtype: np.dtype[Any]) -> Array:
    """Solves a x = b for a matrix of one element, which SciPy takes for a scalar."""
    if not a.any():
        raise LinAlgError("A singular matrix detected.")
    return np.asarray(b.astype(dtype) / a.astype(dtype))


def _name_for_messages() -> None:
    """Has Python's messages about arguments say `lu_factor()` and not `Functions.lu_factor()`, which no user knows."""
    for name, function in [*vars(Systems).items(), *vars(Functions).items()]:
        if not name.startswith("_"):
            function.__qualname__ = name


_name_for_messages()
