"""What the package raises and warns with, apart from numpy's LinAlgError and the built-in exceptions."""

from __future__ import annotations

__all__ = ["BackendError", "LinAlgWarning", "ServerError", "ServerTimeoutError"]


class LinAlgWarning(RuntimeWarning):
    """A matrix is singular, or so close to it that the result may not be accurate.

    It has the name and the messages of SciPy's class; it is one of its own, so that SciPy need not be there.
    """


class ServerError(RuntimeError):
    """A recfact_server refused a request, or ended before it had answered it.

    `status` is its exit status as `subprocess.Popen.returncode` has it (negative for a signal), `stderr` the last line
    that it wrote there; each is None where there is none. The next call starts a new server.
    """

    def __init__(self, message: str, status: int | None = None, stderr: str | None = None) -> None:
        details = [] if status is None else [f"exit status {status}"]
        details += [stderr] if stderr else []
        super().__init__(": ".join([message, *details]))
        self.status = status
        self.stderr = stderr

    def __reduce__(self) -> tuple[object, ...]:
        # Exceptions cross process boundaries (multiprocessing); the message is complete already.
        return _rebuild, (type(self), str(self), self.status, self.stderr)


class ServerTimeoutError(ServerError, TimeoutError):
    """A recfact_server had not answered within the `timeout` of its `Server`, and was killed."""


def _rebuild(kind: type[ServerError], message: str, status: int | None, stderr: str | None) -> ServerError:
    error = kind(message)
    error.status, error.stderr = status, stderr
    return error


class BackendError(ImportError):
    """Neither recfact_server nor librecfact.so nor SciPy could be used."""
