"""What the tests share: both transports, matrices, programs in a fresh interpreter, and a look at processes."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Callable

import numpy as np
import pytest
import scipy.linalg
from numpy.typing import NDArray

import recfact
from recfact import _find, _mapped

# A shell that runs the tests in the background makes them ignore SIGINT, and the programs that they start as well.
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


@pytest.fixture
def pipe(monkeypatch: pytest.MonkeyPatch) -> None:
    """Servers that the test starts get version 1 frames, as on systems without memfd_create."""
    monkeypatch.delattr(os, "memfd_create")


@pytest.fixture(params=["mapped", "pipe"])
def transport(request: pytest.FixtureRequest) -> str:
    """The ways that matrices may take to the servers that the test starts."""
    if request.param == "pipe":
        request.getfixturevalue("pipe")
    return str(request.param)


# The order of a matrix that takes about a second without vectors, on one thread.
N = 1200


@pytest.fixture(scope="module")
def long() -> tuple[Array, Array]:
    """A matrix of order N, and its factors."""
    a = np.asfortranarray(matrix(N, N))
    return a, recfact.lu_factor(a)[0]


# The values of RECFACT_ISA, and for each one that a test of this run asked for, whether it was tested.
INSTRUCTION_SETS = ["portable", "avx2", "avx512"]
_instruction_sets: dict[str, str] = {}


@pytest.fixture(params=INSTRUCTION_SETS)
def instruction_set(request: pytest.FixtureRequest) -> str:
    """The value of RECFACT_ISA for each instruction set that this CPU has. The others are skipped."""
    name = str(request.param)
    if instruction_set_of_server(name) != name:
        _instruction_sets[name] = "not on this CPU"
        pytest.skip(f"this CPU does not have {name}")
    _instruction_sets[name] = "tested"
    return name


def instruction_set_of_server(forced: str) -> str:
    """The instruction set that the executable uses under a RECFACT_ISA; "none" if the CPU does not have it."""
    command = [_find.executable(), "--version"]
    environment = {**os.environ, "RECFACT_ISA": forced}
    said = subprocess.run(command, env=environment, stdout=subprocess.PIPE, text=True, check=True).stdout
    return said.rpartition("(")[2].rstrip(")\n")


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Says which instruction sets were tested and what was skipped, with -q as well."""
    if _instruction_sets:
        terminalreporter.write_line(
            "instruction sets: " + ", ".join(f"{name} {state}" for name, state in _instruction_sets.items())
        )
    for report in terminalreporter.stats.get("skipped", []):
        terminalreporter.write_line(f"skipped {report.nodeid}: {report.longrepr[2]}")


def matrix(m: int, n: int, dtype: Any = np.float64, seed: int = 0) -> Array:
    return np.random.default_rng(seed).uniform(-1, 1, (m, n)).astype(dtype)


def same_bits(a: Array, b: Array) -> bool:
    return a.dtype == b.dtype and a.shape == b.shape and a.tobytes() == b.tobytes()


def outcomes(name: str, *arguments: Any, ours: Any = recfact, theirs: Any = scipy.linalg) -> list[Any]:
    """Returns the outcome of a function of the package, and of the function it replaces, for the same arguments."""
    return [outcome(lambda f=f: getattr(f, name)(*arguments)) for f in (ours, theirs)]  # type: ignore[misc]


def outcome(call: Callable[[], Any]) -> tuple[list[tuple[str, str]], str, str]:
    """Returns the warnings and the exception of a call, by name and text."""
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


def script(folder: Path, source: str) -> Path:
    """Writes a shell script that does, in place of recfact_server, what that never does."""
    path = folder / "recfact_server"
    path.write_text(f"#!/bin/sh\n{source}\n")
    path.chmod(0o755)
    return path


def has_ended(pid: int) -> bool:
    """Returns whether a process has ended. It may still be a zombie that another process has to wait for."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text()
    except FileNotFoundError:
        return True
    return stat.rpartition(")")[2].split()[0] == "Z"


def children() -> list[int]:
    """Returns the processes that this one has started and not waited for, including zombies."""
    listed = subprocess.run(["ps", "-o", "pid=,comm=", "--ppid", str(os.getpid())], capture_output=True, text=True)
    return [int(line.split()[0]) for line in listed.stdout.splitlines() if line.split()[1] != "ps"]


def pid_of(server: recfact.Server) -> int:
    assert server.pid is not None
    return server.pid


def mapped_of(server: recfact.Server) -> _mapped.Mapped:
    """Returns the part of a server's connection that uses mapped memory."""
    mapped = server._connection._mapped
    assert mapped is not None
    return mapped


def user_seconds(pid: int) -> float:
    """Returns how long a process has computed."""
    stat = Path(f"/proc/{pid}/stat").read_text()
    return int(stat.rpartition(")")[2].split()[11]) / os.sysconf("SC_CLK_TCK")


def wait_until(condition: Callable[[], bool], seconds: float = 10) -> None:
    """Waits until a condition holds; fails if it does not hold in time."""
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "it did not happen in time"
        time.sleep(0.002)


@contextmanager
def killed_at_work(pid: int) -> Iterator[None]:
    """Kills a process when it has computed for a while. Waits at the end until that has happened."""

    def kill() -> None:
        wait_until(lambda: user_seconds(pid) > 0.2)
        os.kill(pid, signal.SIGKILL)

    killer = threading.Thread(target=kill)
    killer.start()
    yield
    killer.join()
