"""SciPy's LAPACK as a backend, for installations with neither the executable nor the shared library."""

from __future__ import annotations

from typing import Any

import numpy as np

from . import _condition
from ._backend import Array, Backend, Integers, System


class Scipy(Backend):
    """Calls ?getrf and ?getrs. The bits of the results and the number of threads depend on SciPy's BLAS."""

    name = "scipy"

    def __init__(self) -> None:
        from scipy.linalg import lapack

        self._lapack: Any = lapack

    def lu_factor(
        self, a: Array, *, pivot: bool, check_finite: bool, threads: int | None
    ) -> tuple[Array, Array, int | Integers] | None:
        """See `recfact._backend`."""
        return None

    def factor(self, a: Array, ipiv: Integers, *, pivot: bool, threads: int | None) -> int:
        """See `recfact._backend`."""
        if not pivot:
            raise NotImplementedError(
                "SciPy has no factorization without pivoting; recfact_server and librecfact.so have: reinstall recfact"
            )
        getrf = self._lapack.sgetrf if a.dtype == np.float32 else self._lapack.dgetrf
        lu, piv, info = getrf(a, overwrite_a=True)
        a[...] = lu
        ipiv[...] = piv + 1
        return int(info)

    def solve(self, trans: bool, lu: Array, ipiv: Integers, b: Array, *, threads: int | None) -> None:
        """See `recfact._backend`."""
        getrs = self._lapack.sgetrs if lu.dtype == np.float32 else self._lapack.dgetrs
        b[...], _ = getrs(lu, ipiv - 1, b, trans=trans, overwrite_b=True)

    def invert(self, lu: Array, ipiv: Integers, *, threads: int | None) -> None:
        """See `recfact._backend`."""
        x = np.eye(len(lu), dtype=lu.dtype, order="F")
        self.solve(False, lu, ipiv, x, threads=threads)
        lu[...] = x

    def norm(self, a: Array) -> float:
        """See `recfact._backend`."""
        return float(np.abs(a).sum(0, np.float64).max())

    def rcond(self, lu: Array, ipiv: Integers, norm: float) -> float:
        """See `recfact._backend`."""

        def solve(x: Array, trans: bool) -> None:
            self.solve(trans, lu, ipiv, x, threads=None)

        return _condition.reciprocal(norm, _condition.inverse_norm(solve, len(lu), lu.dtype))

    def refine(self, system: System, *, max_steps: int, bounds: bool, threads: int | None) -> Array | None:
        """See `recfact._backend`."""
        raise NotImplementedError(
            "SciPy has no refinement of solutions; recfact_server and librecfact.so have: reinstall recfact"
        )
