"""The functions of the package itself: through a server that starts by itself, or what stands in for it."""

from __future__ import annotations

import errno

from . import _fallback
from ._backend import Backend
from ._connection import Connection
from ._linalg import Functions
from ._process import starting
from ._server import connect

# Errors of starting a program that another try would meet again; an OSError of our own has no number.
_UNUSABLE = (None, errno.ENOENT, errno.EACCES, errno.ENOEXEC)


class Default(Functions):
    """Chooses at the first call, for good. Every thread of the process uses the same servers."""

    def __init__(self) -> None:
        self._chosen: Backend | None = None
        self._narrow: dict[int, Connection] = {}

    def choose(self) -> Backend:
        """The backend of calls that leave the number of threads to the server."""
        if self._chosen is None:
            with starting:
                if self._chosen is None:
                    self._chosen = _server_or_fallback()
        return self._chosen

    def _backend(self, threads: int | None) -> Backend:
        """One server has threads for every processor. A number between one and that needs a server of its own."""
        chosen = self.choose()
        if not isinstance(chosen, Connection) or threads is None or threads == 1 or threads >= chosen.threads:
            return chosen
        with starting:
            if threads not in self._narrow:
                self._narrow[threads] = connect(threads=threads)
            return self._narrow[threads]

    def __reduce__(self) -> str:
        # Pickled by name, so that `recfact.lu_factor` can be sent to the processes of a pool.
        return "DEFAULT"


def _server_or_fallback() -> Backend:
    try:
        return connect()
    except OSError as reason:
        if reason.errno not in _UNUSABLE:
            raise
        return _fallback.library_or_scipy(reason)


DEFAULT = Default()


def backend() -> str:
    """What the functions of the package use: "server", "inprocess" or "scipy"."""
    return DEFAULT.choose().name
