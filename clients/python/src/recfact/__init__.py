"""Dense LU factorization, P A = L U, by a recfact_server that starts by itself; with the interface of scipy.linalg.

The functions use one server for the whole process, from the first call on to the end of the program. `Server` is for
who wants one of their own, `recfact.inprocess` has the same functions through the shared library. The results are the
same to the bit.
"""

from numpy.linalg import LinAlgError

from . import inprocess
from ._default import DEFAULT, backend
from ._errors import BackendError, LinAlgWarning, ServerError, ServerTimeoutError
from ._linalg import SlogdetResult
from ._server import Server

__all__ = [
    "BackendError",
    "LinAlgError",
    "LinAlgWarning",
    "Server",
    "ServerError",
    "ServerTimeoutError",
    "SlogdetResult",
    "backend",
    "det",
    "inprocess",
    "inv",
    "lu",
    "lu_factor",
    "lu_solve",
    "slogdet",
    "solve",
]

lu_factor = DEFAULT.lu_factor
lu_solve = DEFAULT.lu_solve
lu = DEFAULT.lu
solve = DEFAULT.solve
inv = DEFAULT.inv
det = DEFAULT.det
slogdet = DEFAULT.slogdet
