"""Builds a wheel with the executable and the shared library inside.

maturin packs the executable, but no shared library beside it. So this PEP 517 backend has cargo build both, as the
project's README does, lays the library into the package, where maturin includes it, and leaves the rest to maturin.
Cargo uses its ordinary target folder: what has been built there is not built again.
"""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NoReturn

import maturin
from maturin import (
    get_requires_for_build_editable,
    get_requires_for_build_wheel,
    prepare_metadata_for_build_editable,
    prepare_metadata_for_build_wheel,
)

__all__ = [
    "build_editable",
    "build_sdist",
    "build_wheel",
    "get_requires_for_build_editable",
    "get_requires_for_build_wheel",
    "prepare_metadata_for_build_editable",
    "prepare_metadata_for_build_wheel",
]

_LIBRARY = "librecfact.so"
_HERE = Path(__file__).parent
_ROOT = _HERE.parent.parent

Settings = Mapping[str, Any]


def build_wheel(directory: str, settings: Settings | None = None, metadata: str | None = None) -> str:
    """The wheel that pip installs."""
    _place_library()
    return str(maturin.build_wheel(directory, settings, metadata))


def build_editable(directory: str, settings: Settings | None = None, metadata: str | None = None) -> str:
    """The wheel of `pip install -e`."""
    _place_library()
    return str(maturin.build_editable(directory, settings, metadata))


def build_sdist(directory: str, settings: Settings | None = None) -> NoReturn:
    """There is none: the sources of the server are outside of this folder."""
    raise SystemExit("recfact has no source distribution: install it from a checkout (pip install ./clients/python)")


def _place_library() -> None:
    """Builds the project and copies its shared library into the package."""
    command = ["cargo", "build", "--release", "--message-format=json-render-diagnostics"]
    output = subprocess.run(command, cwd=_ROOT, stdout=subprocess.PIPE, check=True).stdout
    messages = [json.loads(line) for line in output.splitlines()]
    files = [Path(name) for message in messages for name in message.get("filenames", [])]
    built = next(file for file in files if file.name == _LIBRARY)
    shutil.copyfile(built, _HERE / "src" / "recfact" / _LIBRARY)
