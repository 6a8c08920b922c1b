"""`Server`: the functions of the package through a recfact_server that the caller starts and stops."""

from __future__ import annotations

import os
from types import TracebackType
from typing import Callable

from . import _find
from ._backend import Backend
from ._checks import integer, progress_function, thread_count, time_limit
from ._linalg import Functions
from ._remote import Remote


class Server(Functions):
    """A recfact_server process. The functions of the package are methods that use it.

        with recfact.Server(threads=1) as server:
            lu, piv = server.lu_factor(a)

    `path` is the executable (default: that of the package); a name without a slash is looked up in `PATH`. `threads` is
    the number of threads of the server (default: one for each processor). A call that asks for fewer threads gets one
    thread. `max_bytes` is the size of the largest matrix that the server accepts (default: half of the physical
    memory), and `keep_bytes` that of all that it keeps for `factorized` (default: the same); a matrix beyond it is
    refused with `ServerError`. `timeout` is the number of seconds that a request may take, from its first byte to the
    last byte of the answer (default: no limit). After that time the server is killed and the call raises
    `ServerTimeoutError`.

    `progress` is a function that is called a few times a second while a request takes longer than half a second, with
    the part of it that is done: a number that rises from 0 to 1. The last number is 1.0 if the request is completed. A
    call is one request, but a long stack of matrices goes in pieces, which are requests each. The function is called in
    a background thread. A call waits for the last number to be told, but no longer than a tenth of a second. An
    exception of the function is given to `threading.excepthook` and changes nothing else. The function may call
    `cancel`.

    Any number of threads may share a `Server`, which handles one call at a time. If its process dies, or a call is
    interrupted, the next call starts a new process. A forked child starts a process of its own at its first call.
    `close`, the end of the `with` block or the end of the program stops the process.
    """

    def __init__(
        self,
        path: str | os.PathLike[str] | None = None,
        *,
        threads: int | None = None,
        max_bytes: int | None = None,
        keep_bytes: int | None = None,
        timeout: float | None = None,
        progress: Callable[[float], object] | None = None,
    ) -> None:
        self._connection = connect(path, threads, max_bytes, timeout, progress, keep_bytes)

    @property
    def pid(self) -> int | None:
        """The process id of the server, or None if it is not running."""
        return self._connection.pid

    @property
    def transport(self) -> str:
        """How matrices get to the server and back: "mapped", or "pipe: " and the reason.

        "mapped" means memory that both processes see. If that is not possible, matrices go through pipes, which takes
        longer. It is decided at the first call that needs the server; before, it is "pipe: not connected yet".
        """
        return self._connection.transport

    def cancel(self) -> bool:
        """Cancels the call that another thread is making. That call raises `CancelledError`, and the server lives on.

        If no call is under way, nothing happens. Returns whether one was. It does not wait until the call is over.

        A call is under way from the time when its arguments have been checked, also while its matrices are copied. If
        its result comes first, it returns that. Calls that wait for their turn are not cancelled.

        `cancel` may be called by a signal handler, also in the thread of the call, and by the `progress` function.

        The server gets SIGUSR1. One of version 0.1.0 has no handler for that signal, and neither has a shell script
        that runs a server without `exec`. Such a process is killed after one second, which cancels the call as well,
        and the next call starts a new one.
        """
        return self._connection.cancel()

    def close(self) -> None:
        """Stops the process after the current request. Later calls raise `ServerError`."""
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
    progress: Callable[[float], object] | None = None,
    keep_bytes: int | None = None,
) -> Remote:
    """Starts a server. The arguments are those of `Server`."""
    threads = thread_count(threads)
    if max_bytes is not None:
        max_bytes = integer(max_bytes, "max_bytes", 0)
    if keep_bytes is not None:
        keep_bytes = integer(keep_bytes, "keep_bytes", 0)
    timeout, progress = time_limit(timeout), progress_function(progress)
    command = [_find.executable(path)]
    command += [] if threads is None else ["--threads", str(threads)]
    command += [] if max_bytes is None else ["--max-bytes", str(max_bytes)]
    command += [] if keep_bytes is None else ["--keep-bytes", str(keep_bytes)]
    return Remote(command, threads or len(os.sched_getaffinity(0)), timeout, progress)
