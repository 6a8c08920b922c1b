"""Dense LU factorization, P A = L U, with the interface of scipy.linalg.

The functions send their matrices to a recfact_server process, which starts at the first call and stops at the end of
the program. `Server` starts one more such process, and has the same functions as methods. `recfact.inprocess` has them
through the shared library. The results are the same to the bit. `recfact.distributed` has functions for matrices in
files that no machine can hold.
"""

from typing import TYPE_CHECKING

from numpy.linalg import LinAlgError

from . import inprocess
from ._default import DEFAULT, backend, transport
from ._determinant import SlogdetResult
from ._errors import (
    BackendError,
    CancelledError,
    FactorsLostError,
    LinAlgWarning,
    ServerError,
    ServerTimeoutError,
    UnusableFileError,
)
from ._factorization import Factorization, Solution
from ._server import Server
from ._version import VERSION

if TYPE_CHECKING:
    from . import distributed

__all__ = [
    "BackendError",
    "CancelledError",
    "Factorization",
    "FactorsLostError",
    "LinAlgError",
    "LinAlgWarning",
    "Server",
    "ServerError",
    "ServerTimeoutError",
    "SlogdetResult",
    "Solution",
    "UnusableFileError",
    "__version__",
    "backend",
    "det",
    "distributed",
    "factorized",
    "inprocess",
    "inv",
    "lu",
    "lu_factor",
    "lu_solve",
    "slogdet",
    "solution",
    "solve",
    "transport",
]

__version__ = VERSION

lu_factor = DEFAULT.lu_factor
lu_solve = DEFAULT.lu_solve
lu = DEFAULT.lu
factorized = DEFAULT.factorized
solve = DEFAULT.solve
solution = DEFAULT.solution
inv = DEFAULT.inv
det = DEFAULT.det
slogdet = DEFAULT.slogdet

if not TYPE_CHECKING:

    def __getattr__(name: str) -> object:
        """Imports `recfact.distributed` when it is used first: few programs need it."""
        if name == "distributed":
            import importlib

            return importlib.import_module(".distributed", __name__)
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
