"""Replaces a missing server or library, and warns of it."""

from __future__ import annotations

import warnings

from . import _find
from ._backend import Backend
from ._errors import BackendError
from ._library import Library
from ._process import starting
from ._scipy import Scipy

_library: Library | None = None
_scipy: Scipy | None = None
_warned = False


def library() -> Library:
    """Returns the shared library, which is loaded once. Raises OSError if it is missing or cannot be loaded."""
    global _library
    if _library is not None:
        return _library
    with starting:
        if _library is None:
            _library = Library(_find.library())
        return _library


def library_or_scipy(reason: OSError | None = None) -> Backend:
    """Returns the shared library, or SciPy with a warning. `reason` says why the server cannot be used, if so."""
    try:
        found = library()
    except OSError as error:
        return _scipy_because(reason, error)
    if reason is not None:
        warn_once(f"recfact_server cannot be used ({reason}); recfact uses librecfact.so in this process")
    return found


def _scipy_because(reason: OSError | None, error: OSError) -> Backend:
    global _scipy
    with starting:
        try:
            _scipy = _scipy or Scipy()
        except ImportError:
            problems = [f"recfact_server cannot be used ({reason})"] if reason else []
            problems += [f"librecfact.so cannot be used ({error})", "SciPy is not installed", "reinstall recfact"]
            raise BackendError("; ".join(problems)) from None
    server = f"recfact_server cannot be used ({reason}); " if reason else ""
    warn_once(f"{server}librecfact.so cannot be used ({error}); recfact uses SciPy")
    return _scipy


def warn_once(message: str) -> None:
    """Warns at the first call in this process, and never again."""
    global _warned
    if not _warned:
        _warned = True
        warnings.warn(message, RuntimeWarning, stacklevel=2)
