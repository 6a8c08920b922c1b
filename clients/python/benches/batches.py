"""Measures stacks of small systems: recfact in process and by a server beside NumPy, SciPy and PyTorch.

    python benches/batches.py --count 1000 --csv numpy.csv 2 4 8 16 32 64

All take turns of a few calls, the best of many times counts, and the answers are checked. PyTorch is left out if it is
not installed.
"""

from __future__ import annotations

import argparse
import importlib
import os
from pathlib import Path
from typing import Any

from turns import Contestants, best_times, description  # isort: skip

import numpy as np
import scipy.linalg
from numpy.typing import NDArray

import recfact

Array = NDArray[Any]

SIZES = [2, 4, 8, 12, 16, 24, 32, 64]


def main() -> None:
    """Prints a table for each operation."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("sizes", type=int, nargs="*", default=SIZES, metavar="N")
    parser.add_argument("--count", type=int, default=1000, help="matrices of a stack; 0 for a single one")
    parser.add_argument("--single", action="store_true", help="float32")
    parser.add_argument("--csv", type=Path, metavar="FILE", help="save the times of the others that solve a system")
    arguments = parser.parse_args()
    torch = _torch()
    os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
    print(_description(torch, arguments))
    saved: dict[int, dict[str, float]] = {}
    with recfact.Server(threads=1) as server:
        for operation in (_solve, _lu_factor, _inv, _det):
            print(f"\n{(operation.__doc__ or '').rstrip('.')}: microseconds, and how often ours in process")
            for n in arguments.sizes:
                a, b = _systems(arguments.count, n, np.float32 if arguments.single else np.float64)
                contestants = operation(server, torch, a, b)
                times = best_times(contestants)
                ours = times["in process"]
                cells = (f"{name} {1e6 * t:.1f} ({t / ours:.2f})" for name, t in times.items())
                print(f"{n:4}  " + "   ".join(cells), flush=True)
                if operation is _solve:
                    saved[n] = {name: t for name, t in times.items() if name not in ("in process", "server")}
    if arguments.csv is not None:
        _save(arguments.csv, saved, max(1, arguments.count))


def _systems(count: int, n: int, dtype: Any) -> tuple[Array, Array]:
    random = np.random.default_rng(n)
    shape = (count,) if count else ()
    return random.uniform(-1, 1, (*shape, n, n)).astype(dtype), random.uniform(-1, 1, (*shape, n, 1)).astype(dtype)


def _solve(server: recfact.Server, torch: Any, a: Array, b: Array) -> Contestants:
    """Solve a system with each."""
    contestants: Contestants = {
        "in process": lambda: recfact.inprocess.solve(a, b, threads=1),
        "server": lambda: server.solve(a, b),
        "numpy": lambda: np.linalg.solve(a, b),
        "scipy": lambda: scipy.linalg.solve(a, b, assume_a="gen"),
    }
    if torch is not None:
        ta, tb = torch.from_numpy(a), torch.from_numpy(b)
        contestants["torch"] = lambda: torch.linalg.solve(ta, tb)
    for solve in contestants.values():
        np.testing.assert_allclose(a @ np.asarray(solve()), b, atol=_tolerance(a))
    return contestants


def _lu_factor(server: recfact.Server, torch: Any, a: Array, b: Array) -> Contestants:
    """Factor."""
    contestants: Contestants = {
        "in process": lambda: recfact.inprocess.lu_factor(a, threads=1),
        "server": lambda: server.lu_factor(a),
        "scipy": lambda: scipy.linalg.lu_factor(a),
    }
    if torch is not None:
        ta = torch.from_numpy(a)
        contestants["torch"] = lambda: torch.linalg.lu_factor(ta)
    expected = scipy.linalg.lu_factor(a)[0]
    for factor in contestants.values():
        np.testing.assert_allclose(np.asarray(factor()[0]), expected, atol=_tolerance(a))
    return contestants


def _inv(server: recfact.Server, torch: Any, a: Array, b: Array) -> Contestants:
    """Invert."""
    contestants: Contestants = {
        "in process": lambda: recfact.inprocess.inv(a, threads=1),
        "server": lambda: server.inv(a),
        "numpy": lambda: np.linalg.inv(a),
    }
    if torch is not None:
        ta = torch.from_numpy(a)
        contestants["torch"] = lambda: torch.linalg.inv(ta)
    for invert in contestants.values():
        product = a @ np.asarray(invert())
        np.testing.assert_allclose(product, np.broadcast_to(np.eye(a.shape[-1]), a.shape), atol=_tolerance(a))
    return contestants


def _det(server: recfact.Server, torch: Any, a: Array, b: Array) -> Contestants:
    """Determinants."""
    contestants: Contestants = {
        "in process": lambda: recfact.inprocess.det(a, threads=1),
        "server": lambda: server.det(a),
        "numpy": lambda: np.linalg.det(a),
    }
    if torch is not None:
        ta = torch.from_numpy(a)
        contestants["torch"] = lambda: torch.linalg.det(ta)
    expected = np.linalg.det(a.astype(np.float64))
    for det in contestants.values():
        np.testing.assert_allclose(np.asarray(det()), expected, atol=_tolerance(a) * np.abs(expected).max())
    return contestants


def _tolerance(a: Array) -> float:
    # Some of thousands of random matrices are ill-conditioned.
    return 1e-7 if a.dtype == np.float64 else 3e-1


def _torch() -> Any:
    try:
        torch = importlib.import_module("torch")
    except ImportError:
        return None
    torch.set_num_threads(1)
    return torch


def _description(torch: Any, arguments: argparse.Namespace) -> str:
    matrices = f"{arguments.count} matrices" if arguments.count else "one matrix"
    libraries = [] if torch is None else [f"PyTorch {torch.__version__}"]
    return description(*libraries, matrices, "float32" if arguments.single else "float64")


def _save(file: Path, saved: dict[int, dict[str, float]], count: int) -> None:
    """Saves nanoseconds for each matrix, as `recfact-peers --lines` reads them."""
    names = list(next(iter(saved.values())))
    rows = [f"{n}," + ",".join(f"{1e9 * times[name] / count:.2f}" for name in names) for n, times in saved.items()]
    file.write_text("\n".join(["n," + ",".join(f"{name} solve" for name in names), *rows]) + "\n")


if __name__ == "__main__":
    main()
