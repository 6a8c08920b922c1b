"""A server for one job of many ranks: it starts their launcher and watches them, and ends with the job."""

from __future__ import annotations

import os
import shlex
import threading
import time
import weakref
from collections.abc import Sequence
from typing import NamedTuple

from . import _extended, _find, _process
from ._checks import integer, progress_function, time_limit
from ._errors import ServerError, ServerTimeoutError, UnusableFileError
from ._progress import Function, Progress

# The number of seconds that the server has to end the ranks. It asks their launcher, and kills it after five seconds.
_GIVE_UP_SECONDS = 15.0


class Launch(NamedTuple):
    """How the ranks of a job are started, how long they may take, and who is told how far they are."""

    launcher: str
    silence: int | None
    timeout: float | None
    progress: Function | None


def launch(
    launcher: str | Sequence[str], silence: int | None, timeout: float | None, progress: Function | None
) -> Launch:
    """Returns the arguments of the same names, checked."""
    silence = None if silence is None else integer(silence, "silence", 1, bits=32)
    return Launch(_command(launcher), silence, time_limit(timeout), progress_function(progress))


def _command(launcher: str | Sequence[str]) -> str:
    """Returns a launcher as one line, from which a shell would get its words."""
    expected = "expected launcher to be a command that starts the ranks, such as 'mpirun -n 4' or ['mpirun', '-n', '4']"
    if not isinstance(launcher, str):
        try:
            launcher = shlex.join(launcher)
        except TypeError:
            raise TypeError(f"{expected}, got {launcher!r}") from None
    try:
        words = shlex.split(launcher)
    except ValueError as error:
        raise ValueError(f"{expected}, got {launcher!r} ({error})") from None
    if not words or not words[0]:
        raise ValueError(f"{expected}, got {launcher!r}")
    return launcher


class Ranks:
    """The ranks of one job."""

    def __init__(self, how: Launch) -> None:
        self._how = how

    def do(self, frame: bytes) -> _extended.FilesAnswer:
        """Has the ranks do the job of a frame, and waits until they have.

        If this is interrupted, by Ctrl-C for example, they are ended before the exception goes on. A second
        interruption does not wait for that.

        Raises:
            UnusableFileError: A file cannot be used.
            ServerError: The ranks could not be started, or failed, or have too little memory.
            ServerTimeoutError: They took too long. They have ended.
            CancelledError: Somebody else has cancelled the job.
        """
        status, payload = self._answer(frame)
        if status < 0:
            kind = UnusableFileError if status == _extended.UNUSABLE_FILE else ServerError
            raise kind(payload.decode(errors="replace"))
        return _extended.files_answer(payload)

    def _answer(self, frame: bytes) -> _extended.Answer:
        timeout = self._how.timeout
        deadline = None if timeout is None else time.monotonic() + timeout
        process, progress = self._start()
        # A daemon thread may be in this call when the program ends.
        stopper = weakref.finalize(self, process.give_up, _GIVE_UP_SECONDS)
        is_completed = False
        try:
            answer = self._asked(process, frame, deadline)
            is_completed = answer[0] >= 0
            return answer
        finally:
            stopper.detach()
            try:
                if progress is not None and progress.is_reported:
                    progress.end(completed=is_completed)
            finally:
                process.stop()

    def _asked(self, process: _process.Process, frame: bytes, deadline: float | None) -> _extended.Answer:
        try:
            return process.exchange_long(frame, deadline)
        except _process.EndedError:
            raise ServerError("the server ended before it had answered", *process.last_words()) from None
        except _process.LateError:
            process.give_up(_GIVE_UP_SECONDS)
            raise ServerTimeoutError(f"expected an answer within {self._how.timeout} s, ended the ranks") from None
        except BaseException:
            process.give_up(_GIVE_UP_SECONDS)
            raise

    def _start(self) -> tuple[_process.Process, Progress | None]:
        server = _find.executable()
        command = [server, "serve", f"--launcher={self._how.launcher}"]
        command += [] if self._how.silence is None else [f"--silence={self._how.silence}"]
        rank = _find.rank(server)
        environment = None if rank is None else {**os.environ, "RECFACT_RANK": rank}
        if self._how.progress is None:
            return _process.Process(command, [], threading.RLock(), environment), None
        with Progress(weakref.WeakMethod(self._tell)) as progress:
            command += ["--progress-fd", str(progress.fd)]
            return _process.Process(command, [progress.fd], threading.RLock(), environment), progress

    def _tell(self, done: float) -> None:
        if self._how.progress is not None:
            self._how.progress(done)
