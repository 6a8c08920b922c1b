"""`Server`: the functions of the package through a recfact_server of one's own."""

from __future__ import annotations

import os
from types import TracebackType

from . import _find
from ._backend import Backend
from ._checks import integer, thread_count
from ._connection import Connection
from ._linalg import Functions


class Server(Functions):
    """A recfact_server process, and the functions of the package as methods that use it.

        with recfact.Server(threads=1) as server:
            lu, piv = server.lu_factor(a)

    `path` names the executable; without it that of the package is used. `threads` is how many threads the server
    has (default: one for each processor), `max_bytes` the largest matrix that it accepts (default: half of the
    physical memory). A call that asks for fewer threads than the server has gets one. `timeout` is how many seconds a
    request may take (default: any number), from its first byte to the last one of the answer; after that the server is
    killed and the call raises `ServerTimeoutError`.

    Any number of threads may share a `Server`; it serves one request after the other. If its process is killed, or a
    call is interrupted, the next call starts a new process. After a fork the child has a process of its own as soon
    as it calls. `close`, the end of the `with` block or the end of the program stops the process.
    """

    def __init__(
        self,
        path: str | os.PathLike[str] | None = None,
        *,
        threads: int | None = None,
        max_bytes: int | None = None,
        timeout: float | None = None,
    ) -> None:
        self._connection = connect(path, threads, max_bytes, timeout)

    @property
    def pid(self) -> int | None:
        """The process id of the server, or None where none runs."""
        return self._connection.pid

    def close(self) -> None:
        """Stops the process once the request in progress is answered. Calls after that raise `ServerError`."""
        self._connection.close()

    def __enter__(self) -> Server:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    def _backend(self, threads: int | None) -> Backend:
        return self._connection


def connect(
    path: str | os.PathLike[str] | None = None,
    threads: int | None = None,
    max_bytes: int | None = None,
    timeout: float | None = None,
) -> Connection:
    """Starts a server. The arguments are those of `Server`."""
    threads = thread_count(threads)
    if max_bytes is not None:
        max_bytes = integer(max_bytes, "max_bytes", 0)
    if timeout is not None and not timeout > 0:
        raise ValueError(f"expected a time-out of more than zero seconds, got {timeout=}")
    command = [_find.executable(path)]
    command += [] if threads is None else ["--threads", str(threads)]
    command += [] if max_bytes is None else ["--max-bytes", str(max_bytes)]
    return Connection(command, threads or len(os.sched_getaffinity(0)), timeout)
