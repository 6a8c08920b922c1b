"""Finds the executable and the shared library."""

from __future__ import annotations

import os
import shutil
from importlib import metadata
from pathlib import Path

EXECUTABLE = "recfact_server"
LIBRARY = "librecfact.so"
RANK = "recfact_rank"


def executable(path: str | os.PathLike[str] | None = None) -> str:
    """The absolute path of recfact_server.

    It is `path`, else `$RECFACT_SERVER`, else the executable that was installed with the package, else the one in
    `PATH`. A `path` or a variable without a slash names a program in `PATH`; an empty one is ignored.

    Raises:
        FileNotFoundError: There is no such file.
    """
    for named_by, value in (("path", os.fspath(path or "")), ("RECFACT_SERVER", os.environ.get("RECFACT_SERVER"))):
        if value:
            return existing(value, named_by) if "/" in value else _in_path(value, named_by)
    found = _installed() or shutil.which(EXECUTABLE)
    if found is None:
        raise FileNotFoundError(
            f"expected {EXECUTABLE} among the files of the installed package or in PATH ({os.environ.get('PATH')}), "
            "found none; reinstall recfact, or set RECFACT_SERVER to the path of the executable"
        )
    return os.path.abspath(found)


def library() -> str:
    """The absolute path of the shared library: `$RECFACT_LIBRARY`, else the one in the package.

    Raises:
        FileNotFoundError: There is no such file.
    """
    named = os.environ.get("RECFACT_LIBRARY")
    if named:
        return existing(named, "RECFACT_LIBRARY")
    path = Path(__file__).with_name(LIBRARY)
    if not path.exists():
        raise FileNotFoundError(
            f"expected {LIBRARY} in {path.parent}, found none; "
            "reinstall recfact, or set RECFACT_LIBRARY to the path of the library"
        )
    return str(path)


def rank(server: str) -> str | None:
    """The absolute path of the recfact_rank in the package, or None if the server at a path does not need it.

    It does not if `$RECFACT_RANK` names a program for the ranks, or if there is one beside the server. If the package
    has none either, the result is None as well, and the server says where it looked.
    """
    beside = Path(os.path.realpath(server)).with_name(RANK)
    path = Path(__file__).with_name(RANK)
    return None if os.environ.get("RECFACT_RANK") or beside.is_file() or not path.is_file() else str(path)


def existing(path: str, named_by: str) -> str:
    """Makes a path absolute that the user gave as `named_by`. Raises FileNotFoundError if it is not a file."""
    if not os.path.isfile(path):
        raise FileNotFoundError(f"{named_by} names {path}, which is not a file; correct the path, or leave it out")
    return os.path.abspath(path)


def _in_path(name: str, named_by: str) -> str:
    """Looks up a program that the user gave as `named_by`."""
    found = shutil.which(name)
    if found is None:
        raise FileNotFoundError(
            f"{named_by} names {name}, which is not a program in PATH ({os.environ.get('PATH')}); "
            f"a file in another folder needs a path with a slash, such as ./{name}"
        )
    return os.path.abspath(found)


def _installed() -> str | None:
    """The executable of the installed package, from the list of files that its installer left."""
    try:
        files = metadata.files("recfact") or []
    except metadata.PackageNotFoundError:
        return None
    paths = (str(file.locate()) for file in files if file.name == EXECUTABLE)
    return next((path for path in paths if os.access(path, os.X_OK)), None)
