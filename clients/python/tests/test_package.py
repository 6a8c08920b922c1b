"""The package as it is installed: its version, and how its build ends when it cannot succeed."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from importlib import metadata
from pathlib import Path

import pytest
from conftest import run_python

import recfact
from recfact import _find

FOLDER = Path(__file__).parent.parent

# pip runs the build backend in an environment that has maturin. This replaces it.
MATURIN = """
def hook(*arguments):
    print("maturin was called")
    return []
get_requires_for_build_editable = get_requires_for_build_wheel = hook
prepare_metadata_for_build_editable = prepare_metadata_for_build_wheel = build_editable = build_wheel = hook
"""


def test_the_version_is_that_of_the_installed_package_and_of_the_executable() -> None:
    assert recfact.__version__ == metadata.version("recfact")
    assert "__version__" in recfact.__all__
    said = subprocess.run([_find.executable(), "--version"], capture_output=True, text=True, check=True).stdout
    assert said.split()[1] == recfact.__version__


def test_a_source_tree_that_nothing_has_installed_can_be_imported() -> None:
    program = """
import importlib.metadata
def missing(name):
    raise importlib.metadata.PackageNotFoundError(name)
importlib.metadata.version = missing
import recfact
print(recfact.__version__)
"""
    assert run_python(program).stdout == "0+unknown\n"


def build(tmp_path: Path, hook: str, cargo: str | None) -> subprocess.CompletedProcess[str]:
    """Calls a hook of the build backend with a replacement for maturin, and with a script as cargo or without one."""
    (tmp_path / "maturin.py").write_text(MATURIN)
    programs = tmp_path / "bin"
    programs.mkdir()
    if cargo is not None:
        (programs / "cargo").write_text(f"#!/bin/sh\n{cargo}\n")
        (programs / "cargo").chmod(0o755)
    program = f"import build_backend; build_backend.{hook}"
    environment = {**os.environ, "PATH": str(programs), "PYTHONPATH": f"{tmp_path}:{FOLDER}"}
    return subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, env=environment)


REQUIREMENTS = [f"get_requires_for_build_{kind}()" for kind in ("wheel", "editable")]


@pytest.mark.parametrize("hook", [*REQUIREMENTS, "build_wheel('.')"])
@pytest.mark.parametrize(
    ("cargo", "found"),
    [
        (None, "cargo is not in PATH"),
        ("echo 'cargo 1.88.0 (873a06493 2025-05-10)'", "cargo 1.88.0 is in PATH"),
        ("echo 'cargo 0.99.0'", "cargo 0.99.0 is in PATH"),
        ("echo 'rustup could not choose a version of cargo' >&2; exit 1", "cargo does not run: rustup could not"),
    ],
)
def test_a_build_without_a_new_enough_rust_ends_in_a_sentence(
    tmp_path: Path, hook: str, cargo: str | None, found: str
) -> None:
    done = build(tmp_path, hook, cargo)
    assert done.returncode == 1
    assert done.stdout == ""
    (sentence,) = done.stderr.splitlines()
    assert sentence.startswith("recfact is built with Rust 1.89 or newer, but " + found)
    assert sentence.endswith("; install or update it with rustup (https://rustup.rs), then run pip again")


@pytest.mark.parametrize("hook", REQUIREMENTS)
@pytest.mark.parametrize("version", ["1.89.0", "1.90.0-nightly", "1.100.3", "2.0.0"])
def test_a_new_enough_rust_is_left_to_maturin(tmp_path: Path, hook: str, version: str) -> None:
    done = build(tmp_path, hook, f"echo 'cargo {version} (abcdef 2026-01-01)'")
    assert (done.returncode, done.stdout, done.stderr) == (0, "maturin was called\n", "")


def test_a_build_that_fails_keeps_what_the_compiler_said(tmp_path: Path) -> None:
    cargo = (
        'if [ "$1" = --version ]; then echo cargo 1.99.0; else echo "error[E0308]: mismatched types" >&2; exit 101; fi'
    )
    done = build(tmp_path, "build_wheel('.')", cargo)
    assert done.returncode == 1
    compiler, sentence = done.stderr.splitlines()
    assert compiler == "error[E0308]: mismatched types"
    assert sentence.startswith("recfact could not be built: `cargo build --release ")
    assert sentence.endswith("ended with exit status 101; what it said is above")


def test_the_examples_of_the_readme_run() -> None:
    examples = re.findall(r"^```python\n(.*?)^```", (FOLDER / "README.md").read_text(), re.MULTILINE | re.DOTALL)
    assert len(examples) == 5
    printed = run_python("".join(examples) + "print(np.allclose(a @ x, [10.0, 12.0]))").stdout.split()
    assert printed[-1] == "True"
    assert set(printed[:-1]) <= {"cancelled", *(f"{done}%" for done in range(101))}
