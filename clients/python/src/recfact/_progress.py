"""How much of a request is done: lines that a server writes to a pipe, told to a function of the user.

One thread reads the lines, and another one calls the function, so that a function that takes long delays nobody. Both
end with the server. Neither has a reference to the connection, which therefore can be collected.
"""

from __future__ import annotations

import os
import sys
import threading
import weakref
from queue import SimpleQueue
from types import TracebackType
from typing import IO, Callable, Optional

from ._descriptor import above_stderr

Function = Callable[[float], object]

# What has happened: a request, by its number, and how much of it is done. Without a number: the present request is
# over, and was completed (1) or not (0). Nothing: the server has ended.
_Event = Optional[tuple[Optional[int], float]]

# The number of seconds that a call waits for the function to be told that it is complete.
_PATIENCE_SECONDS = 0.1

_pipes: weakref.WeakSet[IO[bytes]] = weakref.WeakSet()


class Progress:
    """The progress of the requests to one server, which is started within the `with` block and inherits `fd`."""

    def __init__(self, tell: weakref.WeakMethod[Function]) -> None:
        reader, writer = map(above_stderr, os.pipe())
        pipe = os.fdopen(reader, "rb", buffering=0)
        _pipes.add(pipe)
        self.fd = writer
        # Whether the server has said something of the present request.
        self.is_reported = False
        self._tell = tell
        self._events: SimpleQueue[_Event] = SimpleQueue()
        self._told = threading.Event()
        for run, arguments in ((self._read, (pipe,)), (self._call, ())):
            threading.Thread(target=run, args=arguments, name="recfact progress", daemon=True).start()

    def __enter__(self) -> Progress:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        # From now on the pipe ends with the server; if none has been started, it ends now.
        os.close(self.fd)

    def end(self, *, completed: bool) -> None:
        """The present request is over. Waits for a moment, so that the function is told before the call returns."""
        self.is_reported = False
        self._told.clear()
        self._events.put((None, float(completed)))
        self._told.wait(_PATIENCE_SECONDS)

    def _read(self, pipe: IO[bytes]) -> None:
        with pipe:
            for line in pipe:
                _, request, done = line.split()
                self._events.put((int(request), float(done)))
                self.is_reported = True
        self._events.put(None)

    def _call(self) -> None:
        # The last request of which something was told, and the last one that is over.
        last = over = 0
        for request, done in iter(self._events.get, None):
            if request is None:
                if done == 1.0 and last > over:
                    self._call_function(done)
                over = last
                self._told.set()
            elif request > over:
                # A line of a request that is over would be late, or say once more that it is complete.
                last = request
                self._call_function(done)
                if done == 1.0:
                    over = request

    def _call_function(self, done: float) -> None:
        tell = self._tell()
        if tell is None:
            return
        try:
            tell(done)
        except BaseException:
            threading.excepthook(threading.ExceptHookArgs((*sys.exc_info(), threading.current_thread())))


def _after_fork_in_child() -> None:
    for pipe in _pipes:
        pipe.close()


os.register_at_fork(after_in_child=_after_fork_in_child)
