"""Factors that are kept in this process."""

from __future__ import annotations

import numpy as np

from . import _determinant
from ._backend import MAX_STEPS, Array, Backend, Factors, System


class LocalFactors(Factors):
    """Factors that a backend computes and gives away. With `keep_a` there is a copy of the matrix, too."""

    def __init__(self, backend: Backend, a: Array, *, pivot: bool, keep_a: bool, threads: int | None) -> None:
        self._backend, self._threads = backend, threads
        by_columns = np.array(a, order="F")
        self._a = by_columns if keep_a else None
        self._norm = backend.norm(by_columns)
        self._ipiv, info = np.empty(len(a), np.int64), np.zeros((), np.int64)

        def place() -> Array:
            return by_columns.copy("F") if keep_a else by_columns

        self._lu = backend.factor_stack(place, self._ipiv, info, pivot=pivot, threads=threads)
        self.info = int(info)

    def solve(self, b: Array, *, trans: bool, refine: bool, bounds: bool) -> tuple[Array, Array | None]:
        """See `recfact._backend`."""
        x = np.array(b, order="F")
        self._backend.solve(trans, self._lu, self._ipiv, x, threads=self._threads)
        if not (refine or bounds):
            return x, None
        assert self._a is not None
        system = System(trans, self._a, self._lu, self._ipiv, np.asfortranarray(b), x)
        steps = MAX_STEPS if refine else 0
        return x, self._backend.refine(system, max_steps=steps, bounds=bounds, threads=self._threads)

    def rcond(self) -> float:
        """See `recfact._backend`."""
        return self._backend.rcond(self._lu, self._ipiv, self._norm)

    def determinant(self) -> tuple[Array, Array]:
        """See `recfact._backend`."""
        return _determinant.of_factors(self._lu, self._ipiv)

    def inverse(self) -> Array:
        """See `recfact._backend`."""
        x = self._lu.copy("F")
        self._backend.invert(x, self._ipiv, threads=self._threads)
        return x

    def release(self) -> None:
        """See `recfact._backend`."""
        del self._lu, self._a
