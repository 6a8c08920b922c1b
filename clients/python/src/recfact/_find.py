"""Where the executable and the shared library are."""

from __future__ import annotations

import os
import shutil
from importlib import metadata
from pathlib import Path

EXECUTABLE = "recfact_server"
LIBRARY = "librecfact.so"


def executable() -> str:
    """The path of recfact_server: `$RECFACT_SERVER`, else the one installed with the package, else from `PATH`."""
    named = os.environ.get("RECFACT_SERVER")
    if named:
        return existing(named, "RECFACT_SERVER")
    found = _installed() or shutil.which(EXECUTABLE)
    if found is None:
        raise FileNotFoundError(f"no {EXECUTABLE} was installed with the package, and there is none on PATH")
    return found


def library() -> str:
    """The path of the shared library: `$RECFACT_LIBRARY`, else the one in the package."""
    named = os.environ.get("RECFACT_LIBRARY")
    if named:
        return existing(named, "RECFACT_LIBRARY")
    path = Path(__file__).with_name(LIBRARY)
    if not path.exists():
        raise FileNotFoundError(f"there is no {LIBRARY} in {path.parent}")
    return str(path)


def existing(path: str, named_by: str) -> str:
    """A path that a user has named, made absolute."""
    if not os.path.isfile(path):
        raise FileNotFoundError(f"{named_by} names {path}, which is no file")
    return os.path.abspath(path)


def _installed() -> str | None:
    """The executable of the installed package: its installer has recorded where it put it."""
    try:
        files = metadata.files("recfact") or []
    except metadata.PackageNotFoundError:
        return None
    paths = (str(file.locate()) for file in files if file.name == EXECUTABLE)
    return next((os.path.abspath(path) for path in paths if os.access(path, os.X_OK)), None)
