"""The exceptions and warnings of the package, besides NumPy's LinAlgError and the built-in ones."""

from __future__ import annotations

__all__ = [
    "BackendError",
    "CancelledError",
    "FactorsLostError",
    "LinAlgWarning",
    "ServerError",
    "ServerTimeoutError",
    "UnusableFileError",
]


class LinAlgWarning(RuntimeWarning):
    """A matrix is singular, or so close to it that the result may not be accurate.

    It has the name and the messages of SciPy's class, but it is a class of this package: SciPy is not required.
    """


class ServerError(RuntimeError):
    """A recfact_server refused a request, or ended before it answered.

    `status` is its exit status, as in `subprocess.Popen.returncode` (negative for a signal). `stderr` is the last line
    that it wrote to stderr. Each is None if there is none. The next call starts a new server.
    """

    def __init__(self, message: str, status: int | None = None, stderr: str | None = None) -> None:
        details = [] if status is None else [f"exit status {status}"]
        details += [stderr] if stderr else []
        super().__init__(": ".join([message, *details]))
        self.status = status
        self.stderr = stderr

    def __reduce__(self) -> tuple[object, ...]:
        # multiprocessing sends exceptions to other processes. The message is complete already.
        return _rebuild, (type(self), str(self), self.status, self.stderr)


class FactorsLostError(ServerError):
    """The recfact_server that kept the factors of a `Factorization` has ended, and the factors with it.

    `Factorization.refactor` computes them again. So does `factorized`, in a new object.
    """


class ServerTimeoutError(ServerError, TimeoutError):
    """A recfact_server did not answer within the `timeout` of its `Server`, and was killed.

    Or a call of `recfact.distributed` took longer than its `timeout`, and its ranks were ended.
    """


class UnusableFileError(ServerError, ValueError):
    """The ranks of `recfact.distributed` cannot use a file: read it, compute with what it holds, or write it."""


class CancelledError(Exception):
    """A call was cancelled by `Server.cancel`. The server lives on.

    It is not a `ServerError`: nothing has failed, and a program that tries again after those should not do so now.
    """

    def __init__(self, message: str = "the call was cancelled") -> None:
        super().__init__(message)


def _rebuild(kind: type[ServerError], message: str, status: int | None, stderr: str | None) -> ServerError:
    error = kind(message)
    error.status, error.stderr = status, stderr
    return error


class BackendError(ImportError):
    """Neither recfact_server nor librecfact.so nor SciPy could be used."""
