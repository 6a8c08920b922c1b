"""Builds a wheel with the executable, the shared library and the program of the ranks inside.

maturin packs the executable, but nothing else with it. So this PEP 517 backend lets cargo build them all, as the
project's README does, copies the library and the program of the ranks into the package, where maturin includes them,
and leaves the rest to maturin. Cargo uses its usual target folder: what has been built there is not built again.

It also asks for Rust before anything else: without cargo in PATH maturin would download a Rust of its own.
"""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NoReturn

import maturin
from maturin import prepare_metadata_for_build_editable, prepare_metadata_for_build_wheel

__all__ = [
    "build_editable",
    "build_sdist",
    "build_wheel",
    "get_requires_for_build_editable",
    "get_requires_for_build_wheel",
    "prepare_metadata_for_build_editable",
    "prepare_metadata_for_build_wheel",
]

# What cargo builds for the package, and how. They are two builds: in one, the features of the crates that both programs
# depend on would be those of both.
_BUILDS = {
    "librecfact.so": ["cargo", "build", "--release"],
    "recfact_rank": ["cargo", "build", "--release", "--package", "recfact-rank"],
}
_HERE = Path(__file__).parent
_ROOT = _HERE.parent.parent

Settings = Mapping[str, Any]


def get_requires_for_build_wheel(settings: Settings | None = None) -> list[str]:
    """The first question of `pip install`."""
    _require_rust()
    return list(maturin.get_requires_for_build_wheel(settings))


def get_requires_for_build_editable(settings: Settings | None = None) -> list[str]:
    """The first question of `pip install -e`."""
    _require_rust()
    return list(maturin.get_requires_for_build_editable(settings))


def build_wheel(directory: str, settings: Settings | None = None, metadata: str | None = None) -> str:
    """The wheel that pip installs."""
    _place_files()
    return str(maturin.build_wheel(directory, settings, metadata))


def build_editable(directory: str, settings: Settings | None = None, metadata: str | None = None) -> str:
    """The wheel of `pip install -e`."""
    _place_files()
    return str(maturin.build_editable(directory, settings, metadata))


def build_sdist(directory: str, settings: Settings | None = None) -> NoReturn:
    """Refuses: the sources of the server are outside this folder."""
    raise SystemExit("recfact has no source distribution: install it from a checkout (pip install ./clients/python)")


def _place_files() -> None:
    """Builds the project and copies what maturin does not pack into the package."""
    _require_rust()
    for name, command in _BUILDS.items():
        placed = _HERE / "src" / "recfact" / name
        built = _built(name, [*command, "--message-format=json-render-diagnostics"])
        # A process may still run the old one.
        placed.unlink(missing_ok=True)
        shutil.copy(built, placed)


def _built(name: str, command: list[str]) -> Path:
    """Runs cargo. Returns where it has put the file of a name."""
    # The compiler's messages go to stderr, which pip shows when a build fails.
    done = subprocess.run(command, cwd=_ROOT, stdout=subprocess.PIPE)
    if done.returncode != 0:
        raise SystemExit(
            f"recfact could not be built: `{' '.join(command)}` ended with exit status {done.returncode}; "
            "what it said is above"
        )
    messages = [json.loads(line) for line in done.stdout.splitlines()]
    files = [Path(file) for message in messages for file in message.get("filenames", [])]
    return next(file for file in files if file.name == name)


def _require_rust() -> None:
    """Ends the build with one sentence if there is no cargo, or one that is older than the project allows."""
    manifest = (_ROOT / "Cargo.toml").read_text()
    required = re.findall(r'^rust-version = "(.*)"', manifest, re.MULTILINE)[0]
    problem = _problem_with_cargo(required)
    if problem is not None:
        raise SystemExit(
            f"recfact is built with Rust {required} or newer, but {problem}; "
            "install or update it with rustup (https://rustup.rs), then run pip again"
        )


def _problem_with_cargo(required: str) -> str | None:
    """Says why cargo cannot build the project. Returns None if it can, or if its version cannot be told."""
    if shutil.which("cargo") is None:
        return "cargo is not in PATH"
    # Run where the project is: a rust-toolchain file or rustup's overrides may choose another version there.
    said = subprocess.run(["cargo", "--version"], cwd=_ROOT, capture_output=True, text=True)
    if said.returncode != 0:
        return f"cargo does not run: {' '.join(said.stderr.split())}"
    version = re.match(r"cargo (\d+)\.(\d+)\.(\d+)", said.stdout)
    if version is None or tuple(map(int, version.groups())) >= tuple(map(int, required.split("."))):
        return None
    return f"{version[0]} is in PATH"
