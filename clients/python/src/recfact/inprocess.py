"""The functions of `recfact` through the shared library, in this process: the same bits without a child process.

Python does not handle signals while the library computes. Ctrl-C has no effect until the call is over; it raises
KeyboardInterrupt then. Where a large matrix must be interruptible, use `recfact.Server` or the functions of `recfact`
itself: there Ctrl-C ends the call at once.
"""

from __future__ import annotations

from . import _fallback
from ._backend import Backend
from ._linalg import Functions

__all__ = ["det", "factorized", "inv", "lu", "lu_factor", "lu_solve", "slogdet", "solution", "solve"]


class InProcess(Functions):
    """Computes with the shared library, which is loaded at the first call."""

    def _backend(self, threads: int | None) -> Backend:
        return _fallback.library()

    def __reduce__(self) -> str:
        return "IN_PROCESS"


IN_PROCESS = InProcess()

lu_factor = IN_PROCESS.lu_factor
lu_solve = IN_PROCESS.lu_solve
lu = IN_PROCESS.lu
factorized = IN_PROCESS.factorized
solve = IN_PROCESS.solve
solution = IN_PROCESS.solution
inv = IN_PROCESS.inv
det = IN_PROCESS.det
slogdet = IN_PROCESS.slogdet
