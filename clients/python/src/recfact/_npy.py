"""The .npy files of a job: matrices that are described before it, and results that are mapped after it."""

from __future__ import annotations

import errno
import glob
import os
import secrets
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import Any, Union

import numpy as np

Name = Union[str, bytes, "os.PathLike[str]", "os.PathLike[bytes]"]
Memmap = np.memmap[Any, np.dtype[Any]]

# The number of seconds after which a new file must be visible. A network file system may remember for a minute that
# there was none of this name (nfs(5): acdirmax).
_VISIBLE_SECONDS = 60.0

# The number of seconds between two looks.
_LOOK_SECONDS = 0.1

_TYPES = (np.dtype("<f8"), np.dtype("<f4"))

# The longest name that Linux has for a file, without the zero at its end.
_MAX_NAME_BYTES = 4095


def absolute(name: Name, argument: str) -> str:
    """Returns the absolute name of a file that the caller gave as an argument.

    Raises:
        TypeError: It is no name.
        ValueError: It is empty, ends with a slash, or is too long.
    """
    try:
        text = os.fsdecode(name)
    except TypeError:
        kind = type(name).__name__
        raise TypeError(
            f"expected {argument} to be the name of a .npy file, got {kind}; numpy.save makes one"
        ) from None
    path = os.path.abspath(text)
    if not os.path.basename(text) or len(os.fsencode(path)) > _MAX_NAME_BYTES:
        raise ValueError(
            f"expected {argument} to be the name of a file, of at most {_MAX_NAME_BYTES} bytes, got {text!r}"
        )
    return path


def described(path: str, argument: str) -> Memmap:
    """Returns the array in a file, of which nothing has been read but its shape and its type.

    Raises:
        OSError: The file cannot be opened.
        TypeError: The elements are of a type that the ranks do not compute with.
        ValueError: It is no .npy file, or shorter than its header says.
    """
    try:
        array = np.lib.format.open_memmap(path, mode="r")
    except ValueError as error:
        raise ValueError(f"expected {argument} to be the name of a .npy file, got {path!r} ({error})") from None
    if array.dtype not in _TYPES:
        raise TypeError(
            f"expected {argument} to have elements of type '<f8' or '<f4', got {array.dtype.str!r} in {path}; "
            f"numpy.save(name, {argument}.astype('<f8')) makes such a file"
        )
    return array


@contextmanager
def results(output: str | None, folder: str, endings: Sequence[str]) -> Iterator[str]:
    """The beginning of the names of results, to which the endings are added; `output`, or a new name in a folder.

    Files with a new name are deleted at the end of the block, also those that are not complete.

    Raises:
        OSError: They cannot be created there.
    """
    if output is not None:
        _require_writable(os.path.dirname(output), "")
        for ending in endings:
            if os.path.isdir(output + ending):
                raise IsADirectoryError(errno.EISDIR, "expected the name of a file, got a folder", output + ending)
        yield output
        return
    _require_writable(folder, "; `output` names another place")
    start = os.path.join(folder, f".recfact-{secrets.token_hex(8)}")
    try:
        yield start
    finally:
        for file in glob.glob(f"{glob.escape(start)}*"):
            with suppress(FileNotFoundError):
                os.unlink(file)


def _require_writable(folder: str, advice: str) -> None:
    expected = f"expected a folder in which a result can be created{advice}"
    if not os.path.isdir(folder):
        raise FileNotFoundError(errno.ENOENT, expected, folder)
    if not os.access(folder, os.W_OK | os.X_OK):
        raise PermissionError(errno.EACCES, expected, folder)


def mapped(path: str) -> Memmap:
    """Maps a file that the ranks have written, as soon as it is visible here."""
    end = time.monotonic() + _VISIBLE_SECONDS
    while True:
        try:
            return np.lib.format.open_memmap(path, mode="r")
        except FileNotFoundError:
            if time.monotonic() > end:
                raise
        time.sleep(_LOOK_SECONDS)
