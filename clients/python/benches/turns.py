"""What the benchmarks of single and many systems share: contestants that take turns, and what a table says of itself.

Import it before NumPy: it has every library use one thread.
"""

from __future__ import annotations

import os
import platform
import time
from pathlib import Path
from typing import Any, Callable

# OpenBLAS and MKL read them when they are loaded.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
os.environ.setdefault("MKL_NUM_THREADS", "1")
os.environ.setdefault("OMP_NUM_THREADS", "1")

import numpy as np
import scipy

import recfact

Contestants = dict[str, Callable[[], Any]]

# All contestants together get about this time.
SECONDS = 1.0
MIN_ROUNDS, MAX_ROUNDS = 5, 500

# The first call of a turn finds the caches, and the vector registers of a CPU that powers them down, as the others left
# them. A program that solves many systems makes the later calls.
CALLS_IN_A_TURN = 4


def best_times(contestants: Contestants) -> dict[str, float]:
    """Returns the best time of each, in seconds. All take turns, and make some calls in each."""
    times = dict.fromkeys(contestants, float("inf"))
    begin, rounds = time.perf_counter(), 0
    while rounds < MIN_ROUNDS or (rounds < MAX_ROUNDS and time.perf_counter() - begin < SECONDS):
        for name, call in contestants.items():
            for _ in range(CALLS_IN_A_TURN):
                start = time.perf_counter()
                call()
                times[name] = min(times[name], time.perf_counter() - start)
        rounds += 1
    return times


def description(*more: str) -> str:
    """Says what is measured where."""
    lines = Path("/proc/cpuinfo").read_text().splitlines()
    cpu = next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), platform.machine())
    versions = f"recfact {recfact.__version__}, NumPy {np.__version__}, SciPy {scipy.__version__}"
    return ", ".join([cpu, versions, *more, "1 thread, one CPU"])
