"""Factors that a server keeps under a handle."""

from __future__ import annotations

import weakref
from typing import TYPE_CHECKING

import numpy as np

from . import _requests
from ._backend import TRANSPOSED, Array, Factors
from ._extended import BOUNDS, SystemAnswer
from ._process import Process

if TYPE_CHECKING:
    from ._remote import Remote


class KeptFactors(Factors):
    """The factors of a matrix like `a` in one process, until they are released or collected, or the process ends.

    Every method raises `FactorsLostError` if the process has ended.
    """

    def __init__(self, connection: Remote, process: Process, answer: SystemAnswer, a: Array) -> None:
        self.process, self.handle, self.info = process, answer.handle, answer.info
        self._connection = connection
        # Only its shape and its type matter: it has one element.
        self._like = np.broadcast_to(np.zeros((), a.dtype), a.shape)
        self._release = weakref.finalize(self, connection.forget, process, answer.handle)
        self._release.atexit = False

    def solve(self, b: Array, *, trans: bool, refine: bool, bounds: bool) -> tuple[Array, Array | None]:
        """See `recfact._backend`."""
        flags = (TRANSPOSED if trans else 0) | (BOUNDS if bounds else 0)
        results, _ = self._connection.ask_kept(self, _requests.SOLVE_KEPT[refine, bounds], b, flags)
        return results[0], results[1] if len(results) > 1 else None

    def rcond(self) -> float:
        """See `recfact._backend`."""
        return self._connection.ask_kept(self, _requests.condition_kept, self._like)[1].rcond

    def determinant(self) -> tuple[Array, Array]:
        """See `recfact._backend`."""
        _, answer = self._connection.ask_kept(self, _requests.determinant_kept, self._like)
        return np.asarray(answer.mantissa), np.asarray(answer.exponent)

    def inverse(self) -> Array:
        """See `recfact._backend`."""
        (x,), _ = self._connection.ask_kept(self, _requests.inverse_kept, self._like)
        return x

    def release(self) -> None:
        """See `recfact._backend`."""
        self._release()
