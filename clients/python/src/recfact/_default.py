"""The functions of the package itself, through a server that they start, or through what replaces it."""

from __future__ import annotations

import errno

from . import _fallback
from ._backend import Backend
from ._linalg import Functions
from ._process import starting
from ._remote import Remote
from ._server import connect

# Errors at the start of a program that would come again at another try. FileNotFoundErrors of `_find` have no errno.
_UNUSABLE = (None, errno.ENOENT, errno.EACCES, errno.ENOEXEC)


class Default(Functions):
    """Chooses a backend at the first call and keeps it. All threads of the process use the same servers."""

    def __init__(self) -> None:
        self._chosen: Backend | None = None
        self._limited: dict[int, Remote] = {}

    def choose(self) -> Backend:
        """Returns the backend for calls that do not limit the number of threads."""
        if self._chosen is None:
            with starting:
                if self._chosen is None:
                    self._chosen = _server_or_fallback()
        return self._chosen

    def _backend(self, threads: int | None) -> Backend:
        """Returns the main server, which has a thread for each processor, or one with exactly `threads` threads."""
        chosen = self._chosen or self.choose()
        if not isinstance(chosen, Remote) or threads is None or threads == 1 or threads >= chosen.threads:
            return chosen
        with starting:
            if threads not in self._limited:
                self._limited[threads] = connect(threads=threads)
            return self._limited[threads]

    def __reduce__(self) -> str:
        # Pickle by name, so that `recfact.lu_factor` can be sent to the processes of a pool.
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
    """Returns what the functions of the package use: "server", "inprocess" or "scipy"."""
    return DEFAULT.choose().name


def transport() -> str:
    """Returns how matrices get to the server, as `Server.transport` does, or that there is none.

    It starts with "none: " if the functions use the shared library or SciPy.
    """
    chosen = DEFAULT.choose()
    return chosen.transport if isinstance(chosen, Remote) else f"none: there is no server ({chosen.name})"
