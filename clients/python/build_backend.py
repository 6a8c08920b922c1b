"""Builds a wheel with both artefacts inside: maturin packs the executable, but no shared library beside it.

So this PEP 517 backend has cargo build both, lays the library into the package, where maturin includes it, and leaves
the rest to maturin. Cargo uses its ordinary target folder: what has been built there is not built again.
"""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import maturin
from maturin import (
    build_sdist,
    get_requires_for_build_editable,
    get_requires_for_build_sdist,
    get_requires_for_build_wheel,
    prepare_metadata_for_build_editable,
    prepare_metadata_for_build_wheel,
)

__all__ = [
    "build_editable",
    "build_sdist",
    "build_wheel",
    "get_requires_for_build_editable",
    "get_requires_for_build_sdist",
    "get_requires_for_build_wheel",
    "prepare_metadata_for_build_editable",
    "prepare_metadata_for_build_wheel",
]

_LIBRARY = "librecfact.so"
_HERE = Path(__file__).parent

Settings = Mapping[str, Any]


def build_wheel(directory: str, settings: Settings | None = None, metadata: str | None = None) -> str:
    """The wheel that pip installs."""
    _place_library()
    return maturin.build_wheel(directory, settings, metadata)


def build_editable(directory: str, settings: Settings | None = None, metadata: str | None = None) -> str:
    """The wheel of `pip install -e`."""
    _place_library()
    return maturin.build_editable(directory, settings, metadata)


def _place_library() -> None:
    """Builds the crate and copies its shared library into the package."""
    # The manifest's path is maturin's setting. An sdist has another one, which maturin writes.
    settings = (_HERE / "pyproject.toml").read_text()
    manifest = re.search(r'^manifest-path = "(.*)"$', settings, re.MULTILINE)
    assert manifest is not None
    command = ["cargo", "build", "--release", "--lib", "--bins", "--message-format=json-render-diagnostics"]
    command += ["--manifest-path", str(_HERE / manifest[1])]
    output = subprocess.run(command, stdout=subprocess.PIPE, check=True).stdout
    messages = [json.loads(line) for line in output.splitlines()]
    files = [Path(name) for message in messages for name in message.get("filenames", [])]
    built = next(file for file in files if file.name == _LIBRARY)
    shutil.copyfile(built, _HERE / "src" / "recfact" / _LIBRARY)
