"""Measures `lu_factor` through every transport beside that of SciPy: medians, in turns, with the answers checked.

    OPENBLAS_NUM_THREADS=1 python benches/lu_factor.py --placement same --sizes 2 64 256 1000

Run it on a machine that does nothing else, and say the placement with every figure: where the server runs decides about
calls of a few microseconds.
"""

from __future__ import annotations

import argparse
import os
import platform
import statistics
import sys
import time
from collections import deque
from pathlib import Path
from typing import Any, Callable

# OpenBLAS reads it when it is loaded.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import numpy as np
import scipy
import scipy.linalg
from numpy.typing import NDArray

import recfact

Array = NDArray[Any]
Call = Callable[[Array], Any]

SIZES = [2, 10, 16, 32, 64, 100, 128, 256, 512, 1000, 2000]

# For each size all contestants together get about this time.
SECONDS = 2.0
MIN_ROUNDS, MAX_ROUNDS = 5, 400


def main() -> None:
    """Prints the table."""
    arguments = parsed()
    cpus = sorted(os.sched_getaffinity(0))
    contestants = started(arguments.placement, cpus)
    of_scipy = []
    print(description(arguments, cpus))
    print(f"{'n':>5} {'order':5} {'SciPy':>10}" + "".join(f"{name:>20}" for name in list(contestants)[1:]))
    for n in arguments.sizes:
        for order in ("F", "C"):
            a = np.array(np.random.default_rng(n).uniform(-1, 1, (n, n)), order=order)
            check(contestants, a)
            medians = measured(list(contestants.values()), a, arguments.keep, arguments.isolated)
            scipy_time = medians[0]
            if order == "F":
                of_scipy.append(f"{n},{1e6 * scipy_time:.3f}\n")
            cells = "".join(f"{1e6 * t:13.1f} ({t / scipy_time:4.2f})" for t in medians[1:])
            print(f"{n:5} {order:5} {1e6 * scipy_time:10.1f}{cells}", flush=True)
    if arguments.scipy is not None:
        arguments.scipy.write_text("# n,microseconds\n" + "".join(of_scipy))


def parsed() -> argparse.Namespace:
    """Reads the command line."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--sizes", type=int, nargs="+", default=SIZES, metavar="N")
    parser.add_argument(
        "--placement",
        choices=["unpinned", "same", "other"],
        default="unpinned",
        help="the CPU of the servers: that of this process, another one, or what the system and the server choose",
    )
    parser.add_argument("--keep", action="store_true", help="the caller keeps the last six results")
    parser.add_argument("--isolated", action="store_true", help="1 ms of other work before each call")
    parser.add_argument(
        "--scipy",
        type=Path,
        metavar="FILE",
        help="save the medians of SciPy, F order, for `recfact_server bench --line SciPy=FILE`",
    )
    return parser.parse_args()


def started(placement: str, cpus: list[int]) -> dict[str, Call]:
    """Pins this process and starts the servers. Returns SciPy's function and ours, by name."""
    if placement == "other" and len(cpus) < 2:
        sys.exit("expected at least two CPUs for --placement other, got one")
    if placement != "unpinned":
        os.sched_setaffinity(0, {cpus[0] if placement == "same" else cpus[1]})
    mapped = recfact.Server(threads=1)
    # Without memfd_create a server gets version 1 frames.
    memfd_create = os.memfd_create
    del os.memfd_create
    pipe = recfact.Server(threads=1)
    os.memfd_create = memfd_create
    if placement == "other":
        os.sched_setaffinity(0, {cpus[0]})
    eye = np.eye(2)
    mapped.lu_factor(eye)
    pipe.lu_factor(eye)
    if mapped.transport != "mapped" or not pipe.transport.startswith("pipe"):
        sys.exit(f"expected one server of each kind, got {mapped.transport!r} and {pipe.transport!r}")
    return {
        "SciPy": scipy.linalg.lu_factor,
        "mapped server": mapped.lu_factor,
        "version 1 server": pipe.lu_factor,
        "in process": lambda a: recfact.inprocess.lu_factor(a, threads=1),
    }


def description(arguments: argparse.Namespace, cpus: list[int]) -> str:
    """Says what was measured where."""
    lines = Path("/proc/cpuinfo").read_text().splitlines()
    cpu = next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), platform.machine())
    versions = f"recfact {recfact.__version__}, SciPy {scipy.__version__}, NumPy {np.__version__}"
    threads = f"1 thread (OPENBLAS_NUM_THREADS={os.environ['OPENBLAS_NUM_THREADS']})"
    load = "load average {:.1f}, {:.1f}, {:.1f}".format(*os.getloadavg())
    options = [f"placement {arguments.placement}"]
    options += ["six results kept"] if arguments.keep else []
    options += ["isolated calls"] if arguments.isolated else []
    system = f"{cpu}, {len(cpus)} CPUs, Linux {platform.release()}, Python {platform.python_version()}"
    return f"{system}; {load}\n{versions}; {threads}\n{', '.join(options)}; medians in us, in brackets times SciPy's"


def check(contestants: dict[str, Call], a: Array) -> None:
    """Ends the program unless all answers are right: P A = L U, and ours have the same bits."""
    lu, piv = contestants["mapped server"](a)
    for name, call in contestants.items():
        lu2, piv2 = call(a)
        if name != "SciPy" and not (np.array_equal(lu, lu2) and np.array_equal(piv, piv2)):
            sys.exit(f"{name}: other bits than by the mapped server, n = {len(a)}")
        pa = a.copy()
        for i, p in enumerate(piv2):
            pa[[i, p]] = pa[[p, i]]
        residual = np.abs((np.tril(lu2, -1) + np.eye(len(a))) @ np.triu(lu2) - pa).max()
        if not residual <= 20 * len(a) * np.finfo(float).eps:
            sys.exit(f"{name}: P A differs from L U by {residual}, n = {len(a)}")


def measured(calls: list[Call], a: Array, keep: bool, isolated: bool) -> list[float]:
    """Returns the median time of each call, in seconds. They take turns, several calls each."""
    clock = time.perf_counter
    kept: list[deque[Any]] = [deque(maxlen=6 if keep else 1) for _ in calls]
    times: list[list[float]] = [[] for _ in calls]
    began = clock()
    for call, results in zip(calls, kept):
        for _ in range(2):
            results.append(call(a))
    # Several calls in a row find warm caches; too many, and one contestant would have the quiet moments alone.
    in_a_row = 1 if isolated else max(1, min(50, int(1e-3 * len(calls) / (clock() - began))))
    rounds = 0
    while rounds < MIN_ROUNDS or (rounds < MAX_ROUNDS and clock() - began < SECONDS):
        rounds += 1
        for call, results, mine in zip(calls, kept, times):
            for _ in range(in_a_row):
                if isolated:
                    work(1e-3)
                start = clock()
                result = call(a)
                mine.append(clock() - start)
                # What is dropped here is freed outside of the measured time, as the results of a real caller are.
                results.append(result)
    return [statistics.median(mine) for mine in times]


def work(seconds: float) -> None:
    """Computes something else."""
    end = time.perf_counter() + seconds
    block = np.ones(1000)
    while time.perf_counter() < end:
        block = block * 1.0000001


if __name__ == "__main__":
    main()
