"""Measures single systems: recfact in process and by a server, at once and with kept factors, beside SciPy.

    python benches/systems.py 10 100 1000

All take turns of a few calls, the best of many times counts, and the answers are checked. The last column of the second
table is what a request costs that computes nothing: a solution with a matrix of one element.
"""

from __future__ import annotations

import argparse
import os
from typing import Any

from turns import Contestants, best_times, description  # isort: skip

import numpy as np
import scipy.linalg

import recfact

SIZES = [2, 4, 10, 16, 32, 64, 100, 256, 512, 1000, 2000]


def main() -> None:
    """Prints a table for solutions and one for solutions with kept factors."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("sizes", type=int, nargs="*", default=SIZES, metavar="N")
    parser.add_argument("--rhs", type=int, default=0, metavar="K", help="right-hand sides; 0, the default, is a vector")
    parser.add_argument("--single", action="store_true", help="float32")
    parser.add_argument("--two-cpus", action="store_true", help="do not pin the processes to one CPU")
    arguments = parser.parse_args()
    if not arguments.two_cpus:
        os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
    print(
        description(
            "float32" if arguments.single else "float64",
            f"{arguments.rhs} right-hand sides" if arguments.rhs else "one right-hand side",
        )
    )
    with recfact.Server(threads=1) as server:
        for contest in (_solve, _solve_kept, _invert):
            print(f"\n{(contest.__doc__ or '').rstrip('.')}: microseconds, and as multiples of SciPy's")
            for n in arguments.sizes:
                a, b = _system(n, arguments.rhs, np.float32 if arguments.single else np.float64)
                times = best_times(contest(server, a, b))
                cells = (f"{name} {1e6 * t:.1f} ({t / times['SciPy']:.2f})" for name, t in times.items())
                print(f"{n:5}  " + "   ".join(cells), flush=True)


def _system(n: int, rhs: int, dtype: Any) -> tuple[Any, Any]:
    random = np.random.default_rng(n)
    a, b = random.uniform(-1, 1, (n, n)), random.uniform(-1, 1, (n, rhs) if rhs else n)
    return np.asfortranarray(a, dtype), np.asfortranarray(b, dtype)


def _solve(server: recfact.Server, a: Any, b: Any) -> Contestants:
    """Solve."""
    return _checked(
        {
            "SciPy": lambda: scipy.linalg.solve(a, b, assume_a="gen"),
            "server": lambda: server.solve(a, b),
            "in process": lambda: recfact.inprocess.solve(a, b, threads=1),
        },
        a,
        b,
    )


def _solve_kept(server: recfact.Server, a: Any, b: Any) -> Contestants:
    """Solve with factors."""
    factors, kept, local = scipy.linalg.lu_factor(a), server.factorized(a), recfact.inprocess.factorized(a, threads=1)
    tiny, one = server.factorized(a[:1, :1]), b[:1]
    contestants = {
        "SciPy": lambda: scipy.linalg.lu_solve(factors, b),
        "server": lambda: kept.solve(b),
        "in process": lambda: local.solve(b),
    }
    return {**_checked(contestants, a, b), "round trip": lambda: tiny.solve(one)}


def _invert(server: recfact.Server, a: Any, b: Any) -> Contestants:
    """Invert."""
    contestants: Contestants = {
        "SciPy": lambda: scipy.linalg.inv(a, assume_a="gen"),
        "server": lambda: server.inv(a),
        "in process": lambda: recfact.inprocess.inv(a, threads=1),
    }
    return _checked(contestants, a, np.eye(len(a)))


def _checked(contestants: Contestants, a: Any, b: Any) -> Contestants:
    """Fails unless all of them solve a x = b."""
    for call in contestants.values():
        np.testing.assert_allclose(a @ call(), b, atol=1e-8 if a.dtype == np.float64 else 0.3)
    return contestants


if __name__ == "__main__":
    main()
