"""A server that is started when it is needed, and replaced when it has died.

Threads share it. A forked child never does.
"""

from __future__ import annotations

import os
import threading
import time
import weakref
from contextlib import suppress
from typing import Any, Callable, TypeVar

from . import _extended, _mapped, _process, _requests
from ._backend import NOT_FINITE, Array
from ._errors import CancelledError, FactorsLostError, ServerError, ServerTimeoutError
from ._kept import KeptFactors
from ._progress import Function, Progress
from ._version import VERSION

_connections: weakref.WeakSet[Connection] = weakref.WeakSet()

# What is said of factors that are lost.
LOST = "the server that kept the factors has ended, factor the matrix again"

_HELLO = _extended.hello(VERSION)

# The number of seconds between two signals that cancel a call. One is not enough: the server ignores those that come
# before it computes.
_PAUSE_SECONDS = 0.002

# The number of seconds that a server may have no handler for the signal. One that has just been started needs a
# millisecond or so.
_START_SECONDS = 1.0

_Answer = TypeVar("_Answer")
_Result = TypeVar("_Result")


class Connection:
    """Sends one request at a time to a process that runs `command`, a server with `threads` threads.

    Matrices are in memory that both sides see, if that is possible; else they go through the pipes in version 1 frames.
    A request without an answer after `timeout` seconds fails, and the process is killed. `progress` is told how much of
    a request is done.
    """

    def __init__(
        self, command: list[str], threads: int, timeout: float | None = None, progress: Function | None = None
    ) -> None:
        self._command = command
        self._timeout = timeout
        self.threads = threads
        self._closed = False
        self._lock = threading.Lock()
        self._process: _process.Process | None = None
        # Whether a call has its turn, and whether that one is cancelled; else what has been left of an earlier one.
        self._is_under_way = self._is_cancelled = False
        # Held by whoever sends a signal, or changes `_is_cancelled`. A signal handler may interrupt the thread that
        # holds it, and call `cancel`.
        self._signals = threading.RLock()
        self._function = progress
        self._progress: Progress | None = None
        # Either the segment, or the reason why there is none. Both are missing in a forked child before its first call.
        self._mapped: _mapped.Mapped | None = None
        self._reason: str | None = None
        # What the server keeps for nobody. Any thread may add to it at any time.
        self._forgotten: list[tuple[_process.Process, int]] = []
        self._stopper: weakref.finalize[..., Any] = weakref.finalize(self, bool)
        with _process.starting:
            _connections.add(self)
            self._start()

    @property
    def transport(self) -> str:
        """See `Server.transport`."""
        if self._closed:
            return "none: this server is closed"
        if self._reason is not None:
            return f"pipe: {self._reason}"
        return "mapped" if self._mapped is not None and self._mapped.joined else "pipe: not connected yet"

    @property
    def pid(self) -> int | None:
        """The process id of the server, or None if it is not running."""
        process = self._process
        return process.pid if process is not None and process.alive() else None

    def forget(self, process: _process.Process, handle: int) -> None:
        """Has the server forget factors: now if no call uses it, else before the next call that keeps or uses some.

        It may be called at any time, also while this thread is in a call.
        """
        self._forgotten.append((process, handle))
        if self._lock.acquire(blocking=False):
            try:
                self._release_forgotten()
            finally:
                self._lock.release()

    def _release_forgotten(self) -> None:
        while self._forgotten:
            process, handle = self._forgotten.pop()
            if process is self._process:
                with suppress(ServerError):
                    self._ask(_process.Process.order, _extended.release(handle), kept=True)

    def _in_turn(self, call: Callable[..., _Result], *arguments: Any) -> _Result:
        """Calls a function when no other call uses the server."""
        with self._lock:
            try:
                if self._is_cancelled:
                    self._renew()
                self._is_under_way = True
                return call(*arguments)
            finally:
                self._is_under_way = False

    def cancel(self) -> bool:
        """See `Server.cancel`."""
        with self._signals:
            was_cancelled, self._is_cancelled = self._is_cancelled, True
            # Only now: a call that begins later than this sees that it has to `_renew`.
            self._is_cancelled = self._has_turn()
            if self._is_cancelled and not was_cancelled:
                threading.Thread(target=self._interrupt, name="recfact cancel", daemon=True).start()
            return self._is_cancelled

    def _interrupt(self) -> None:
        """Sends signals to the server until the call is over that is cancelled."""
        end = time.monotonic() + _START_SECONDS
        while True:
            with self._signals:
                if not (self._is_cancelled and self._has_turn()):
                    return
                if self._process is not None:
                    self._process.interrupt(patient=time.monotonic() < end)
            time.sleep(_PAUSE_SECONDS)

    def _has_turn(self) -> bool:
        # An exception in the wrong moment, by Ctrl-C, may have left the first one true.
        return self._is_under_way and self._lock.locked()

    def _is_given_up(self) -> bool:
        """Returns whether the call that has its turn is cancelled."""
        with self._signals:
            return self._is_cancelled

    def _check(self) -> None:
        if self._is_given_up():
            raise CancelledError

    def _renew(self) -> None:
        """A new call begins after one that was cancelled. No more signals are on their way after this."""
        with self._signals:
            self._is_cancelled = False

    def _joined(self) -> _mapped.Mapped | None:
        """Returns the segment, when a server has mapped it, or None if matrices have to go through the pipes."""
        if self._mapped is None and self._reason is None:
            self._running()
        mapped = self._mapped
        if mapped is not None and not mapped.joined:
            try:
                self._ask(mapped.join)
            except _mapped.PipeError as reason:
                self._leave(mapped, reason)
                return None
        return mapped

    def _leave(self, mapped: _mapped.Mapped, reason: _mapped.PipeError) -> None:
        self._mapped, self._reason = None, str(reason)
        mapped.close()

    def _by_segment(
        self,
        request: _requests.Request,
        inputs: tuple[Array, ...],
        flags: int,
        threads: int | None,
        kept: KeptFactors | None = None,
    ) -> tuple[_mapped.Plan, bytes] | None:
        """Has a request computed in the segment.

        Returns its plan and what was answered, or None if it has to go by the pipes.
        """
        mapped = self._joined()
        plan = None if mapped is None else mapped.plan(request, inputs, flags, threads)
        if mapped is None or plan is None:
            return None
        try:
            if kept is not None:
                _extended.put_handle(plan.data, plan.cpu_at + 4, kept.handle)
            answer = self._ask(mapped.ask, plan, inputs, kept=kept is not None)
        except _mapped.PipeError as reason:
            self._leave(mapped, reason)
            return None
        if answer[0] == _extended.NOT_FINITE:
            raise ValueError(NOT_FINITE)
        return plan, _extended.accepted(answer)

    def close(self) -> None:
        """Stops the process after the current request. Later calls raise `ServerError`."""
        with self._lock:
            self._closed = True
            process, self._process = self._process, None
            if process is not None:
                process.stop()
            self._forget_segment()

    def _start(self) -> _process.Process:
        with _process.starting:
            if self._mapped is None and self._reason is None:
                try:
                    self._mapped = _mapped.Mapped(_HELLO, self.threads)
                except OSError as error:
                    self._reason = str(error)
            command, inherited = self._command, [] if self._mapped is None else [self._mapped.segment.fd]
            if self._function is None:
                process = _process.Process(command, inherited, self._signals)
            else:
                with Progress(weakref.WeakMethod(self._tell)) as progress:
                    command, inherited = [*command, "--progress-fd", str(progress.fd)], [*inherited, progress.fd]
                    process = _process.Process(command, inherited, self._signals)
                self._progress = progress
        self._stopper.detach()
        self._stopper = weakref.finalize(self, _stop, process, self._lock)
        self._process = process
        return process

    def _ask(self, ask: Callable[..., _Answer], *arguments: Any, kept: bool = False) -> _Answer:
        """Has the running server asked, or a new one. A server that died while it was idle is replaced once.

        Not so if the request is about what the server has `kept`: then FactorsLostError is raised.

        `ask` gets the process, the deadline and the arguments. If it fails, the process is not used again: it may be in
        the middle of a request.
        """
        deadline = None if self._timeout is None else time.monotonic() + self._timeout
        try:
            try:
                answer = ask(self._process or self._running(), deadline, *arguments)
            except _process.EndedError as end:
                if not end.idle or kept or self._is_given_up():
                    raise
                self._kill()
                answer = ask(self._running(), deadline, *arguments)
        except CancelledError:
            self._tell_end(completed=False)
            raise
        except _process.EndedError:
            failure = self._failure("the server ended before it had answered")
            if kept:
                failure = FactorsLostError(LOST, failure.status, failure.stderr)
            raise (CancelledError() if self._is_given_up() else failure) from None
        except _process.LateError:
            raise self._late() from None
        except BaseException:
            self._kill()
            raise
        if self._progress is not None:
            self._tell_end(completed=True)
        return answer

    def _tell(self, done: float) -> None:
        if self._function is not None:
            self._function(done)

    def _tell_end(self, completed: bool) -> None:
        if self._progress is not None and self._progress.is_reported:
            self._progress.end(completed=completed)

    def _running(self) -> _process.Process:
        if self._closed:
            raise ServerError("this server is closed")
        return self._process or self._start()

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
        """Forgets the parent's process and segment in a forked child.

        The thread that held the lock does not exist there.
        """
        self._lock = threading.Lock()
        self._signals = threading.RLock()
        self._process = self._progress = None
        self._is_under_way = self._is_cancelled = False
        self._forget_segment()

    def _forget_segment(self) -> None:
        mapped, self._mapped = self._mapped, None
        if mapped is not None:
            mapped.close()


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
