"""A server that is started when it is needed, and replaced when it has died.

Threads share it. A forked child never does.
"""

from __future__ import annotations

import os
import threading
import time
import weakref
from typing import Any

from . import _fallback, _process
from ._backend import Array, Integers
from ._errors import ServerError, ServerTimeoutError
from ._wire import Request

_connections: weakref.WeakSet[Connection] = weakref.WeakSet()


class Connection:
    """Sends one request at a time to a process that runs `command`, a server with `threads` threads.

    A request without an answer after `timeout` seconds fails, and the process is killed.
    """

    name = "server"

    def __init__(self, command: list[str], threads: int, timeout: float | None = None) -> None:
        self._command = command
        self._timeout = timeout
        self.threads = threads
        self._closed = False
        self._lock = threading.Lock()
        self._process: _process.Process | None = None
        self._stopper: weakref.finalize[..., Any] = weakref.finalize(self, bool)
        with _process.starting:
            _connections.add(self)
            self._start()

    @property
    def pid(self) -> int | None:
        """The process id of the server, or None if it is not running."""
        process = self._process
        return process.pid if process is not None and process.alive() else None

    def lu_factor(
        self, a: Array, *, pivot: bool, check_finite: bool, threads: int | None
    ) -> tuple[Array, Array, int] | None:
        """See `recfact._backend`."""
        return None

    def factor(self, a: Array, ipiv: Integers, *, pivot: bool, threads: int | None) -> int:
        """See `recfact._backend`. A call that asks for fewer threads than the server has gets one thread."""
        request = Request(a, ipiv, pivot=pivot, threaded=threads is None or threads >= self.threads > 1)
        with self._lock:
            try:
                self._ask(request)
            except _process.EndedError:
                raise self._failure("the server ended before it had answered") from None
            except _process.LateError:
                raise self._late() from None
            except BaseException:
                self._kill()
                raise
            if request.refusal:
                raise self._failure(f"the server refused the request, {request.refusal}")
        return request.info

    def solve(self, trans: bool, lu: Array, ipiv: Integers, b: Array, *, threads: int | None) -> None:
        """See `recfact._backend`. The protocol has no solves, so the shared library computes them, or SciPy."""
        _fallback.library_or_scipy().solve(trans, lu, ipiv, b, threads=threads)

    def close(self) -> None:
        """Stops the process after the current request. Later calls raise `ServerError`."""
        with self._lock:
            self._closed = True
            if self._process is not None:
                self._process.stop()

    def _start(self) -> _process.Process:
        process = _process.Process(self._command)
        self._stopper.detach()
        self._stopper = weakref.finalize(self, _stop, process, self._lock)
        self._process = process
        return process

    def _ask(self, request: Request) -> None:
        """Asks the running server, or a new one. A server that died while it was idle is replaced once."""
        deadline = None if self._timeout is None else time.monotonic() + self._timeout
        process = self._living()
        try:
            process.ask(request, deadline)
        except _process.EndedError as end:
            if not end.idle:
                raise
            self._kill()
            self._living().ask(request, deadline)

    def _living(self) -> _process.Process:
        if self._closed:
            raise ServerError("this server is closed")
        if self._process is not None and self._process.alive():
            return self._process
        self._kill()
        return self._start()

    def _failure(self, message: str) -> ServerError:
        process, self._process = self._process, None
        assert process is not None
        return ServerError(message, *process.last_words())

    def _late(self) -> ServerTimeoutError:
        process = self._process
        assert process is not None
        self._kill()
        message = f"expected an answer within {self._timeout} s, killed the server"
        return ServerTimeoutError(message, None, process.last_words()[1])

    def _kill(self) -> None:
        # Forget it first: if this is interrupted as well, no later call uses a server in the middle of a request.
        process, self._process = self._process, None
        if process is not None:
            process.kill()

    def _forked(self) -> None:
        """Forgets the parent's process in a forked child. The thread that held the lock does not exist there."""
        self._lock = threading.Lock()
        self._process = None


def _stop(process: _process.Process, lock: threading.Lock) -> None:
    """Runs when a connection is collected or the program ends. A daemon thread may be in the middle of a request."""
    if lock.acquire(blocking=False):
        process.stop()
        lock.release()
    else:
        process.abort()


def _after_fork_in_child() -> None:
    for connection in _connections:
        connection._forked()


os.register_at_fork(after_in_child=_after_fork_in_child)
