"""A running recfact_server: its pipes, its end, and what happens to it in a fork.

In an exchange of version 1 the pipes are watched together, so the two sides cannot wait for each other forever: writes
to stdin and reads of stderr never block, and stdout is read when something is in it. An extended frame fits any pipe,
and so does its answer: there a write is followed by a read that blocks.

The pipes are close-on-exec, and a forked child closes them at once. So the server sees the end of its input when the
process that started it ends, however that happens.
"""

from __future__ import annotations

import fcntl
import math
import os
import select
import signal
import struct
import subprocess
import termios
import threading
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import IO

from . import _extended
from ._errors import CancelledError, ServerError
from ._signals import catches_sigusr1
from ._wire import REFUSED_BELOW, Request, advance, total_size

# Held while a server starts and while the process forks, so that a fork cannot happen after the pipes of a new server
# are open and before the server is in `_running`. A thread may acquire it while it holds the lock of a connection, but
# not the other way round.
starting = threading.RLock()

_running: set[Process] = set()

# The number of seconds that a server has to end before it is killed.
_GRACE_SECONDS = 1.0

# The number of seconds between two signals to a server that is to give up a long request and to end.
_GIVE_UP_PAUSE_SECONDS = 0.02

# The number of bytes of stderr that are kept. The server writes one line.
_STDERR_BYTES = 4096

# If a server ends within this time after a request was written, it counts as idle: a signal that kills it may have been
# on its way already (the kernel still delivers the bytes then), and little work is lost if a new server does it again.
_IDLE_SECONDS = 0.1

# The number of bytes that are read at once: more than any answer to an extended frame has.
_ANSWER_BYTES = 4096

# No answer to an extended frame of this package has a payload of more bytes.
_MAX_PAYLOAD_BYTES = 1 << 16


class EndedError(Exception):
    """The server closed its stdout before the answer was complete.

    If `idle` is true, it had hardly begun to work: it had not read any byte of the matrix, or it ended as soon as it
    had got the request.
    """

    def __init__(self, idle: bool) -> None:
        super().__init__()
        self.idle = idle


class LateError(Exception):
    """There was no answer in time."""


class Process:
    """One child process. Only one thread may use it at a time, except for `kill` and `interrupt`.

    `signals` is held while the process gets a signal or is waited for: after that another process may have its number.
    `environment` is that of the process; without one it is that of this process.
    """

    def __init__(
        self,
        command: Sequence[str],
        inherited: Sequence[int],
        signals: threading.RLock,
        environment: Mapping[str, str] | None = None,
    ) -> None:
        self._signals = signals
        self._is_ending = False
        with starting:
            # In a session of its own it gets no SIGINT from Ctrl-C at a terminal: that is for the program to handle.
            self._popen = subprocess.Popen(
                command,
                bufsize=0,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                start_new_session=True,
                pass_fds=inherited,
                env=environment,
            )
            self._ends = [_end(self._popen.stdin), _end(self._popen.stdout), _end(self._popen.stderr)]
            for end in (self._ends[0], self._ends[2]):
                os.set_blocking(end.fileno(), False)
            _running.add(self)
        self._stdin, self._stdout, self._stderr = (end.fileno() for end in self._ends)
        self._ending = threading.Lock()
        self._deadline: float | None = None
        self._sent_at = 0.0
        # The number of bytes of the segment that it has mapped.
        self.mapped = 0
        self._tail = b""
        self._listeners = select.poll()
        self._listeners.register(self._stdout, select.POLLIN)
        self._listeners.register(self._stderr, select.POLLIN)

    @property
    def pid(self) -> int:
        """The process id."""
        return self._popen.pid

    def alive(self) -> bool:
        """Returns whether it is still running."""
        with self._signals:
            return self._popen.poll() is None

    def interrupt(self, patient: bool) -> None:
        """Has it cancel its request. If it has no handler for the signal, kills it, unless `patient` is true."""
        with self._signals:
            if self._is_ending:
                return
            # Both do nothing if it has ended.
            if catches_sigusr1(self.pid):
                self._popen.send_signal(signal.SIGUSR1)
            elif not patient:
                self._popen.kill()

    def ask(self, deadline: float | None, request: Request) -> None:
        """Sends a request and receives the answer or the refusal.

        Only `info` is read before the whole request is written, because the matrix of the answer replaces that of the
        request in memory. `deadline` is a time of `time.monotonic()`.

        Raises:
            EndedError: The server ended without either.
            LateError: Neither came before the deadline.
            CancelledError: The request was cancelled. The server waits for the next one.
        """
        parts, info, factors = list(request.parts), request.answer[:1], request.answer[1:]
        size, untouched = total_size(parts), total_size(info)
        self._deadline, self._sent_at = deadline, time.monotonic()
        try:
            self._send(parts, info)
            self._receive(info)
            if request.is_cancelled and not parts:
                raise CancelledError
            if request.refusal:
                return
            if parts:
                raise EndedError(idle=False)
            self._receive(factors)
        except EndedError:
            read = size - total_size(parts) - self._unread()
            idle = read <= len(request.parts[0]) or self._has_just_sent()
            raise EndedError(idle=total_size(info) == untouched and idle) from None

    def exchange(self, frame: bytes | bytearray, deadline: float | None) -> _extended.Answer:
        """Sends an extended frame that is written at once, and receives the answer.

        Raises:
            EndedError: The server ended before it had answered.
            LateError: The answer did not come before the deadline.
            CancelledError: The request was cancelled. The server waits for the next one.
        """
        self.send(frame, deadline)
        if deadline is not None:
            self._wait_for_stdout()
        answer = os.read(self._stdout, _ANSWER_BYTES)
        if answer.startswith(_extended.REGULAR_START) and len(answer) == _extended.FACTORED_BYTES:
            return _extended.REGULAR
        if not answer:
            raise self._ended(len(frame))
        return self.receive_answer(answer)

    def order(self, deadline: float | None, frame: bytes) -> None:
        """Sends an extended frame whose answer says nothing, and receives that."""
        self.exchange(frame, deadline)

    def exchange_long(self, frame: bytes, deadline: float | None) -> _extended.Answer:
        """Does the same as `exchange` for a frame that may not fit the pipe, with an answer that may take hours."""
        self._deadline, self._sent_at = deadline, time.monotonic()
        parts = [memoryview(frame)]
        while parts:
            try:
                advance(parts, os.writev(self._stdin, parts))
            except BlockingIOError:
                self._wait(writing=True)
            except BrokenPipeError:
                raise EndedError(idle=True) from None
        return self.receive_answer()

    def send(self, frame: bytes | bytearray, deadline: float | None) -> None:
        """Sends extended frames that are no longer than PIPE_BUF together. The pipe is empty, so they fit."""
        self._deadline = deadline
        self._sent_at = time.monotonic()
        try:
            os.write(self._stdin, frame)
        except BrokenPipeError:
            raise EndedError(idle=True) from None

    def receive_answer(self, received: bytes = b"") -> _extended.Answer:
        """Receives an answer of which some bytes may have been received already.

        One that refuses a command as version 1 does has no payload.
        """
        answer = bytearray(received)
        self._extend(answer, 8)
        status = int.from_bytes(answer[:8], "little", signed=True)
        if status < REFUSED_BELOW:
            return status, b""
        self._extend(answer, _extended.ANSWER_HEAD.size)
        _, length = _extended.ANSWER_HEAD.unpack_from(answer)
        if not 0 <= length <= _MAX_PAYLOAD_BYTES:
            raise ServerError(f"expected an answer to an extended frame, got one with a payload of {length} bytes")
        self._extend(answer, _extended.ANSWER_HEAD.size + length)
        if status == _extended.CANCELLED:
            raise CancelledError
        return status, bytes(answer[_extended.ANSWER_HEAD.size :])

    def _extend(self, answer: bytearray, size: int) -> None:
        """Reads until an answer has `size` bytes."""
        while len(answer) < size:
            self._wait_for_stdout()
            received = os.read(self._stdout, size - len(answer))
            if not received:
                raise self._ended() if not answer else EndedError(idle=False)
            answer += received

    def _wait_for_stdout(self) -> None:
        while not self._wait():
            pass

    def _ended(self, unread: int = 1) -> EndedError:
        """The server has ended without an answer. It was idle if `unread` bytes of the request are in the pipe."""
        return EndedError(idle=self._unread() >= unread or self._has_just_sent())

    def _has_just_sent(self) -> bool:
        return time.monotonic() - self._sent_at < _IDLE_SECONDS

    def _send(self, parts: list[memoryview], info: list[memoryview]) -> None:
        """Writes until the request is complete, an early answer has arrived, or the server has closed its stdin."""
        while parts and info:
            try:
                advance(parts, os.writev(self._stdin, parts))
            except BlockingIOError:
                if self._wait(writing=True):
                    self._read(info)
            except BrokenPipeError:
                # If the request was refused, the answer is in the pipe.
                return

    def _receive(self, buffers: list[memoryview]) -> None:
        """Reads until the buffers are full."""
        while buffers:
            if self._wait():
                self._read(buffers)

    def _read(self, buffers: list[memoryview]) -> None:
        """Reads what has arrived into the buffers, or waits until something has."""
        got = os.readv(self._stdout, buffers)
        if got == 0:
            raise EndedError(idle=False)
        advance(buffers, got)

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
        """Returns how many milliseconds are left until the deadline, if there is one."""
        if self._deadline is None:
            return None
        left = self._deadline - time.monotonic()
        if left <= 0:
            raise LateError
        return math.ceil(min(left * 1000, 2**31 - 1))

    def _listen(self) -> None:
        """Reads stderr and keeps the end of it."""
        try:
            while received := os.read(self._stderr, _STDERR_BYTES):
                self._tail = (self._tail + received)[-_STDERR_BYTES:]
        except BlockingIOError:
            return
        with suppress(KeyError):
            self._listeners.unregister(self._stderr)

    def _unread(self) -> int:
        """Returns how many of the bytes written to stdin the server has not read."""
        return int(struct.unpack("i", fcntl.ioctl(self._stdin, termios.FIONREAD, bytes(4)))[0])

    def last_words(self) -> tuple[int | None, str | None]:
        """Waits until the server has ended. Returns its exit status and the last line of its stderr."""
        self.stop()
        lines = self._tail.decode(errors="replace").splitlines()
        return self._popen.returncode, next((line for line in reversed(lines) if line.strip()), None)

    def stop(self) -> None:
        """Closes its stdin, waits until it has ended, kills it if it does not end, and closes the pipes."""
        if self not in _running:
            return
        self._ends[0].close()
        self._end_signals()
        try:
            with suppress(subprocess.TimeoutExpired):
                self._popen.wait(_GRACE_SECONDS)
        finally:
            self.kill()

    def give_up(self, seconds: float) -> None:
        """Has it cancel its request and end. If it has not ended after some time, kills it. The pipes stay open."""
        end = time.monotonic() + seconds
        self._ends[0].close()
        try:
            # One signal is not enough: it may come before the server computes.
            while self.alive() and time.monotonic() < end:
                self.interrupt(patient=True)
                time.sleep(_GIVE_UP_PAUSE_SECONDS)
        finally:
            self.abort()

    def kill(self) -> None:
        """Kills it, waits for it and closes the pipes."""
        with self._ending:
            if self not in _running:
                return
            self.abort()
            self._listen()
            self._close()
            _running.discard(self)

    def abort(self) -> None:
        """Kills it and waits for it. The pipes stay open for a thread that still waits for an answer."""
        self._end_signals()
        self._popen.kill()
        self._popen.wait()

    def _end_signals(self) -> None:
        """From now on `interrupt` does nothing, so that the process can be waited for."""
        with self._signals:
            self._is_ending = True

    def _close(self) -> None:
        # No later read or write of a thread that still has this object meets another file.
        self._stdin = self._stdout = self._stderr = -1
        for end in self._ends:
            end.close()

    def disown(self) -> None:
        """Closes the pipes of a server of the parent, in a forked child, and forgets the server."""
        # The thread that held the other one may not exist here.
        self._signals = threading.RLock()
        self._close()
        # It is not a child of this process. With a status, Popen does not try to wait for it.
        self._popen.returncode = 0


def _end(stream: IO[bytes] | None) -> IO[bytes]:
    """Returns our end of a pipe.

    If the program has closed some of the descriptors 0 to 2, the pipe may have got one of these, and other code may
    print to it. Then it is moved to another descriptor.
    """
    assert stream is not None
    if stream.fileno() <= 2:
        low, mode = stream, "rb" if stream.readable() else "wb"
        with low:
            stream = os.fdopen(fcntl.fcntl(low, fcntl.F_DUPFD_CLOEXEC, 3), mode, buffering=0)
    return stream


def _after_fork_in_child() -> None:
    for process in _running:
        process.disown()
    _running.clear()
    starting.release()


os.register_at_fork(before=starting.acquire, after_in_parent=starting.release, after_in_child=_after_fork_in_child)
