"""What the tests share: the ways to compute, matrices, programs in a fresh interpreter, processes that come and go."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Callable

import numpy as np
import pytest
import scipy.linalg
from numpy.typing import NDArray

import recfact
from recfact import _find

# Where the tests run in the background of a shell SIGINT comes ignored, to Python and to the programs that it starts.
signal.signal(signal.SIGINT, signal.default_int_handler)

Array = NDArray[Any]


@pytest.fixture(params=["server", "inprocess"])
def functions(request: pytest.FixtureRequest) -> Any:
    """The functions of the package, through each transport."""
    return recfact if request.param == "server" else recfact.inprocess


@pytest.fixture
def server() -> Iterator[recfact.Server]:
    with recfact.Server() as server:
        yield server


# What RECFACT_ISA may be, and which of them the tests have met in this run.
INSTRUCTION_SETS = ["portable", "avx2", "avx512"]
_met: dict[str, str] = {}


@pytest.fixture(params=INSTRUCTION_SETS)
def instruction_set(request: pytest.FixtureRequest) -> str:
    """The value of RECFACT_ISA for each instruction set that this CPU has. The others are skipped."""
    name = str(request.param)
    if instruction_set_of_server(name) != name:
        _met[name] = "not on this CPU"
        pytest.skip(f"this CPU does not have {name}")
    _met[name] = "tested"
    return name


def instruction_set_of_server(forced: str) -> str:
    """The instruction set that the executable uses under a RECFACT_ISA; "none" if the CPU does not have it."""
    command = [_find.executable(), "--version"]
    environment = {**os.environ, "RECFACT_ISA": forced}
    said = subprocess.run(command, env=environment, stdout=subprocess.PIPE, text=True, check=True).stdout
    return said.rpartition("(")[2].rstrip(")\n")


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Says which instruction sets were tested and what was skipped, with -q as well."""
    if _met:
        terminalreporter.write_line("instruction sets: " + ", ".join(f"{name} {state}" for name, state in _met.items()))
    for report in terminalreporter.stats.get("skipped", []):
        terminalreporter.write_line(f"skipped {report.nodeid}: {report.longrepr[2]}")


def matrix(m: int, n: int, dtype: Any = np.float64, seed: int = 0) -> Array:
    return np.random.default_rng(seed).uniform(-1, 1, (m, n)).astype(dtype)


def same_bits(a: Array, b: Array) -> bool:
    return a.dtype == b.dtype and a.shape == b.shape and a.tobytes() == b.tobytes()


def outcomes(name: str, *arguments: Any, ours: Any = recfact, theirs: Any = scipy.linalg) -> list[Any]:
    """What a function of the package and its model do with the same arguments."""
    return [outcome(lambda f=f: getattr(f, name)(*arguments)) for f in (ours, theirs)]  # type: ignore[misc]


def outcome(call: Callable[[], Any]) -> tuple[list[tuple[str, str]], str, str]:
    """The warnings of a call and its exception, by name and text."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        try:
            call()
            error = ("", "")
        except Exception as raised:
            error = (type(raised).__name__, str(raised))
    return [(w.category.__name__, str(w.message)) for w in caught], *error


def run_python(
    source: str, *arguments: str, env: dict[str, str] | None = None, status: int = 0
) -> subprocess.CompletedProcess[str]:
    """Runs a program in a fresh interpreter that makes every warning an error; fails unless it ends with `status`."""
    command = [sys.executable, "-X", "dev", "-W", "error", "-c", source, *arguments]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, env={**os.environ, **(env or {})})
    assert done.returncode == status, f"exit status {done.returncode}\n{done.stdout}\n{done.stderr}"
    return done


def has_ended(pid: int) -> bool:
    """Whether a process is gone, or a zombie of somebody else."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text()
    except FileNotFoundError:
        return True
    return stat.rpartition(")")[2].split()[0] == "Z"


def children() -> list[int]:
    """The processes that this one has started and not waited for, zombies too."""
    listed = subprocess.run(["ps", "-o", "pid=,comm=", "--ppid", str(os.getpid())], capture_output=True, text=True)
    return [int(line.split()[0]) for line in listed.stdout.splitlines() if line.split()[1] != "ps"]


def wait_until(condition: Callable[[], bool], seconds: float = 10) -> None:
    """Waits for something that must happen."""
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "it did not happen in time"
        time.sleep(0.002)
