"""A running recfact_server: its pipes, its end, and what a fork does to it.

Every pipe end is non-blocking, and whoever waits for one listens to the others, so neither side can wait for the other
for ever. The ends are close-on-exec, and a forked child closes them first of all: the server sees the end of its input
when the one process that started it ends, in whatever way.
"""

from __future__ import annotations

import fcntl
import math
import os
import select
import struct
import subprocess
import termios
import threading
import time
from collections.abc import Sequence
from contextlib import suppress
from typing import IO

from ._wire import Request, advance

# Held while a server starts and while the process forks, so that a fork never falls between the pipes of a new server
# and their entry in `_running`. A thread may take it while it holds a server's lock for a request, never the reverse.
starting = threading.RLock()

_running: set[Process] = set()

# How long a server that has been told to end, or has closed its stdout, may take before it is killed.
_GRACE = 1.0

# How much of stderr is kept. The server writes one line.
_TAIL = 4096


class EndedError(Exception):
    """The server closed its end before the answer was complete.

    `idle` says that it had not begun with the request: no byte of the matrix was read. (The header may be gone: the
    kernel hands it to a server that waits for one even when a signal that kills it is already on its way.)
    """

    def __init__(self, idle: bool) -> None:
        super().__init__()
        self.idle = idle


class LateError(Exception):
    """The time for an answer is up."""


class Process:
    """One child process. Not for several threads at once, apart from `kill`."""

    def __init__(self, command: Sequence[str]) -> None:
        with starting:
            # A session of its own, so that Ctrl-C at a terminal is for the program, which then decides.
            self._popen = subprocess.Popen(
                command,
                bufsize=0,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                start_new_session=True,
            )
            self._ends = [_end(self._popen.stdin), _end(self._popen.stdout), _end(self._popen.stderr)]
            _running.add(self)
        self._stdin, self._stdout, self._stderr = (end.fileno() for end in self._ends)
        self._ending = threading.Lock()
        self._deadline: float | None = None
        self._tail = b""
        self._listeners = select.poll()
        self._listeners.register(self._stdout, select.POLLIN)
        self._listeners.register(self._stderr, select.POLLIN)

    @property
    def pid(self) -> int:
        """The process id."""
        return self._popen.pid

    def alive(self) -> bool:
        """Whether it still runs."""
        return self._popen.poll() is None

    def ask(self, request: Request, deadline: float | None) -> None:
        """Sends a request and receives its answer, or its refusal.

        Raises `EndedError` where there is neither, and `LateError` where there is none by `deadline`, in seconds of the
        monotonic clock.

        Nothing but `info` is read before the request is written: the matrix of the answer goes where that of the
        request comes from.
        """
        parts, info, factors = list(request.parts), request.answer[:1], request.answer[1:]
        size, untouched = _size(parts), _size(info)
        self._deadline = deadline
        try:
            self._send(parts, info)
            self._receive(info)
            if request.refusal:
                return
            if parts:
                raise EndedError(idle=False)
            self._receive(factors)
        except EndedError:
            read = size - _size(parts) - self._unread()
            raise EndedError(idle=_size(info) == untouched and read <= len(request.parts[0])) from None

    def _send(self, parts: list[memoryview], info: list[memoryview]) -> None:
        """Writes until all is written, or an answer has come early, or nobody reads any more."""
        while parts and info:
            try:
                advance(parts, os.writev(self._stdin, parts))
            except BlockingIOError:
                if self._wait(writing=True):
                    self._read(info)
            except BrokenPipeError:
                # The request may have been refused; then the answer is in the pipe.
                return

    def _receive(self, buffers: list[memoryview]) -> None:
        """Reads until the buffers are full."""
        while buffers:
            if not self._read(buffers):
                self._wait()

    def _read(self, buffers: list[memoryview]) -> bool:
        """Reads what is there into the buffers. Returns whether there was anything."""
        try:
            got = os.readv(self._stdout, buffers)
        except BlockingIOError:
            return False
        if got == 0:
            raise EndedError(idle=False)
        advance(buffers, got)
        return True

    def _wait(self, writing: bool = False) -> bool:
        """Waits until there is something to read, or room to write. Returns whether there is something to read."""
        if writing:
            self._listeners.register(self._stdin, select.POLLOUT)
        try:
            ready = {fd for fd, _ in self._listeners.poll(self._milliseconds())}
        finally:
            if writing:
                self._listeners.unregister(self._stdin)
        if self._stderr in ready:
            self._listen()
        return self._stdout in ready

    def _milliseconds(self) -> int | None:
        """The time that is left for the answer, if it is limited."""
        if self._deadline is None:
            return None
        left = self._deadline - time.monotonic()
        if left <= 0:
            raise LateError
        return min(math.ceil(left * 1000), 2**31 - 1)

    def _listen(self) -> None:
        """Keeps the end of what has come on stderr."""
        try:
            while said := os.read(self._stderr, _TAIL):
                self._tail = (self._tail + said)[-_TAIL:]
        except BlockingIOError:
            return
        with suppress(KeyError):
            self._listeners.unregister(self._stderr)

    def _unread(self) -> int:
        """How many of the bytes written to stdin nobody has read."""
        return int(struct.unpack("i", fcntl.ioctl(self._stdin, termios.FIONREAD, bytes(4)))[0])

    def last_words(self) -> tuple[int | None, str | None]:
        """Waits for a server that has ended its session. Returns its exit status and the last line of its stderr."""
        self.stop()
        lines = self._tail.decode(errors="replace").splitlines()
        return self._popen.returncode, next((line for line in reversed(lines) if line.strip()), None)

    def stop(self) -> None:
        """Ends its input, waits until it has ended, kills it if it does not, and closes the pipes."""
        if self not in _running:
            return
        self._ends[0].close()
        try:
            with suppress(subprocess.TimeoutExpired):
                self._popen.wait(_GRACE)
        finally:
            self.kill()

    def kill(self) -> None:
        """Ends it at once, waits for it and closes the pipes."""
        with self._ending:
            if self not in _running:
                return
            self.abort()
            self._listen()
            self._close()
            _running.discard(self)

    def abort(self) -> None:
        """Ends it at once and waits for it. The pipes stay, for a thread that still waits for an answer."""
        self._popen.kill()
        self._popen.wait()

    def _close(self) -> None:
        for end in self._ends:
            end.close()

    def disown(self) -> None:
        """In a forked child: closes the pipes of a server that belongs to the parent, and forgets it."""
        self._close()
        # It is not this process's child; without a status Popen would wait for it.
        self._popen.returncode = 0


def _size(buffers: list[memoryview]) -> int:
    return sum(map(len, buffers))


def _end(stream: IO[bytes] | None) -> IO[bytes]:
    """Our end of one of the pipes.

    It is none of the descriptors 0 to 2, also where the program has closed those: something may print to them.
    """
    assert stream is not None
    if stream.fileno() <= 2:
        low, mode = stream, "rb" if stream.readable() else "wb"
        with low:
            stream = os.fdopen(fcntl.fcntl(low, fcntl.F_DUPFD_CLOEXEC, 3), mode, buffering=0)
    os.set_blocking(stream.fileno(), False)
    return stream


def _after_fork_in_child() -> None:
    for process in _running:
        process.disown()
    _running.clear()
    starting.release()


os.register_at_fork(before=starting.acquire, after_in_parent=starting.release, after_in_child=_after_fork_in_child)
