"""Dense LU factorization, P A = L U, with the interface of scipy.linalg.

The functions send their matrices to a recfact_server process, which starts at the first call and stops at the end of
the program. `Server` starts one more such process, and has the same functions as methods. `recfact.inprocess` has them
through the shared library. The results are the same to the bit.
"""

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
)
from ._factorization import Factorization, Solution
from ._server import Server
from ._version import VERSION

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
    "__version__",
    "backend",
    "det",
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
