#!/usr/bin/env python3
"""Measures the ranks of this machine, and fits a model of larger ones.

    python3 distributed/benches/measure.py [--launcher "mpirun --bind-to none -n {}"] [--repeats 5] [--large]

It prints, for one rank and for two: the time of ScaLAPACK's p?getrf alone and of the whole command, in turns; CPU
seconds and peak memory of each rank; and, fitted to the times of the factorization, a table of what larger matrices on
more ranks would take. It needs numpy, the executables in target/release (`cargo build --release`, and with `--package
recfact-rank`), OpenMPI and ScaLAPACK.
"""

import argparse
import ctypes
import json
import os
import re
import resource
import shlex
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

RELEASE = Path(__file__).resolve().parents[2] / "target/release"
BLOCK = 64
SCALAPACK = "libscalapack-openmpi.so.2.2"


def usage_of_a_rank() -> None:
    """Stands for recfact_rank: runs it, and notes what it used."""
    code = subprocess.run([RELEASE / "recfact_rank", *sys.argv[1:]], check=False).returncode
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    figures = {"cpu": used.ru_utime + used.ru_stime, "peak": used.ru_maxrss / 1024}
    Path(os.environ["MEASURED"], f"{os.getpid()}.json").write_text(json.dumps(figures))
    sys.exit(code)


def pdgetrf_alone(n: int) -> None:
    """One rank of p?getrf on random numbers; the first rank prints the seconds of each of three runs."""
    library = ctypes.CDLL(SCALAPACK, mode=ctypes.RTLD_GLOBAL)
    integers = ctypes.c_int * 1
    rank, ranks, context, p, q = (integers() for _ in range(5))
    library.blacs_pinfo_(rank, ranks)
    library.blacs_get_(integers(-1), integers(0), context)
    library.blacs_gridinit_(context, b"R", integers(1), ranks, 1)
    library.blacs_gridinfo_(context, integers(), integers(), p, q)
    columns = sum(min(BLOCK, n - j) for j in range(q[0] * BLOCK, n, BLOCK * ranks[0]))
    descriptor = (ctypes.c_int * 9)(1, context[0], n, n, BLOCK, BLOCK, 0, 0, n)
    ipiv, info = (ctypes.c_int * (n + BLOCK))(), integers()
    random = np.random.default_rng(rank[0])
    for _ in range(3):
        a = random.random((columns, n))
        library.blacs_barrier_(context, b"A", 1)
        start = time.perf_counter()
        size, one, address = integers(n), integers(1), a.ctypes.data_as(ctypes.c_void_p)
        library.pdgetrf_(size, size, address, one, one, descriptor, ipiv, info)
        library.blacs_barrier_(context, b"A", 1)
        if rank[0] == 0:
            print(f"seconds {time.perf_counter() - start}", flush=True)
    library.blacs_exit_(integers(0))


def run(command: list, **environment: str) -> str:
    """What a command says, which must end well."""
    variables = {**os.environ, "OPENBLAS_NUM_THREADS": "1", **environment}
    done = subprocess.run(command, env=variables, capture_output=True, text=True, check=False)
    if done.returncode:
        sys.exit(f"{shlex.join(map(str, command))}: {done.stderr}")
    return done.stdout + done.stderr


class Machine:
    """What is measured here."""

    def __init__(self, launcher: str, folder: Path):
        """`launcher` has {} for the number of ranks; `folder` is for matrices."""
        self.launcher = launcher
        self.folder = folder

    def files(self, n: int) -> None:
        """Writes a matrix and a right-hand side."""
        random = np.random.default_rng(n)
        a = random.random((n, n)).T  # Fortran order
        np.save(self.folder / "a.npy", a)
        np.save(self.folder / "b.npy", random.random(n))

    def alone(self, n: int, ranks: int) -> float:
        """The fastest p?getrf of a run."""
        launcher = shlex.split(self.launcher.format(ranks))
        said = run([*launcher, sys.executable, __file__, "--pdgetrf", str(n)])
        return min(float(seconds) for seconds in re.findall(r"seconds (\S+)", said))

    def whole(self, ranks: int, *options: str) -> dict:
        """A whole command: its seconds, what it says, CPU seconds and peaks of its ranks."""
        with tempfile.TemporaryDirectory() as measured:
            start = time.perf_counter()
            a, b, x = (self.folder / f"{name}.npy" for name in "abx")
            command = [RELEASE / "recfact_server", "solve", "--launcher", self.launcher.format(ranks), a, b, "-o", x]
            said = run([*command, *options], RECFACT_RANK=str(self.folder / "recfact_rank"), MEASURED=measured)
            seconds = time.perf_counter() - start
            usage = [json.loads(file.read_text()) for file in Path(measured).iterdir()]
        gflops = float(re.search(r"at (\S+) GFLOP/s", said)[1])

        def number(name: str) -> float:
            return float(re.search(name + r" (?:about )?([0-9.e+-]+)", said)[1])

        return {
            "seconds": seconds,
            "gflops": gflops,
            "rcond": number("condition number"),
            "backward": number("backward error"),
            "cpu": max(rank["cpu"] for rank in usage),
            "peak": max(rank["peak"] for rank in usage),
        }


def flops(n: float) -> float:
    """Floating-point operations of a factorization."""
    return 2 / 3 * n**3


def terms(n: float, ranks: float) -> list:
    """The terms of the model of the ScaLAPACK Users' Guide for LU.

    Their constants are seconds for a floating-point operation, for an element that is sent, for a message.
    """
    return [flops(n) / ranks, (3 + np.log2(ranks) / 4) * n**2 / np.sqrt(ranks), n * (6 + np.log2(ranks))]


def measure(machine: Machine, sizes: list, repeats: int) -> None:
    """Measures in turns, and prints a row for each order and number of ranks."""
    measured = {}
    columns = ["n", "ranks", "p?getrf alone, s", "whole command, s", "factoring in it, s", "CPU s of a rank"]
    columns += ["peak MiB of a rank", "its share of A, MiB", "rcond", "backward error / (n eps)"]
    print(f"| {' | '.join(columns)} |\n|{' --- |' * len(columns)}")
    for n in sizes:
        machine.files(n)
        alone, whole = {1: [], 2: []}, {1: [], 2: []}
        for _ in range(repeats):
            for ranks in (1, 2):
                alone[ranks].append(machine.alone(n, ranks))
                whole[ranks].append(machine.whole(ranks))
        for ranks in (1, 2):
            best = min(whole[ranks], key=lambda run: run["seconds"])
            factoring = flops(n) / max(run["gflops"] for run in whole[ranks]) / 1e9
            measured[n, ranks] = factoring
            fastest, cpu = min(alone[ranks]), min(run["cpu"] for run in whole[ranks])
            peak = max(run["peak"] for run in whole[ranks])
            backward = best["backward"] / (n * np.finfo(float).eps)
            cells = [f"{n}", f"{ranks}", f"{fastest:.2f}", f"{best['seconds']:.2f}", f"{factoring:.2f}", f"{cpu:.2f}"]
            cells += [f"{peak:.0f}", f"{n * n * 8 / ranks / 2**20:.0f}", f"{best['rcond']:.3g}", f"{backward:.2g}"]
            print(f"| {' | '.join(cells)} |", flush=True)
    fit(measured)


def fit(measured: dict) -> None:
    """Fits the model to seconds by order and number of ranks. Relative errors count. One rank sends nothing."""
    rows = np.array([terms(n, ranks) for n, ranks in measured])
    seconds = np.array(list(measured.values()))
    alone = [ranks == 1 for _, ranks in measured]
    rate = np.linalg.lstsq((rows[alone, :1].T / seconds[alone]).T, np.ones(sum(alone)), rcond=None)[0][0]
    together = ~np.array(alone)
    rest = seconds[together] - rows[together, 0] * rate
    weighted = (rows[together, 1:].T / seconds[together]).T
    constants, *_ = np.linalg.lstsq(weighted, rest / seconds[together], rcond=None)
    if (constants < 0).any():
        # With two constants a negative one is noise.
        keep = int(np.argmax(constants))
        single = np.linalg.lstsq(weighted[:, [keep]], rest / seconds[together], rcond=None)[0][0]
        constants = np.where(np.arange(2) == keep, max(single, 0), 0)
    constants = np.array([rate, *constants])
    element, message = constants[1] * 1e9, constants[2] * 1e6
    print(
        f"\nfitted: {1 / rate / 1e9:.1f} GFLOP/s of a rank, {element:.2f} ns for an element, {message:.2f} us for a message"
    )
    error = rows @ constants / seconds - 1
    print(f"the model is {100 * error.min():+.0f} to {100 * error.max():+.0f}% off the measured times\n")
    table(constants)


def table(constants: np.ndarray) -> None:
    """What the model says of larger matrices."""
    many = [1, 16, 100, 1024, 10_000]
    print("| n | A | " + " | ".join("1 rank" if ranks == 1 else f"{ranks:,} ranks" for ranks in many) + " |")
    print("| --- | --- |" + " --- |" * len(many))
    for n in (10_000, 50_000, 100_000, 200_000, 500_000, 1_000_000):
        cells = []
        for ranks in many:
            share, seconds = 8 * n * n / ranks, float(np.dot(terms(n, ranks), constants))
            too_large = share / 8 >= 2**31
            cells.append(
                "more than a rank can count" if too_large else f"{duration(seconds)}, {size(1.01 * share + 150e6)}"
            )
        print(f"| {n:,} | {size(8 * n * n)} | " + " | ".join(cells) + " |")


def duration(seconds: float) -> str:
    """A time with its unit."""
    for limit, name, unit in ((100, "s", 1), (6000, "min", 60), (2e5, "h", 3600)):
        if seconds < limit:
            return f"{seconds / unit:.2g} {name}"
    return f"{seconds / 86400:.2g} days"


def size(bytes: float) -> str:
    """Bytes with their unit."""
    return f"{bytes / 1e9:.2g} GB" if bytes < 1e12 else f"{bytes / 1e12:.2g} TB"


def main() -> None:
    """Does what the arguments say; under the name of recfact_rank it stands for that."""
    if Path(sys.argv[0]).name == "recfact_rank":
        usage_of_a_rank()
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--launcher", default="mpirun --bind-to none -n {}", help="{} is the number of ranks")
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--large", action="store_true", help="matrices of up to 8000 columns")
    parser.add_argument("--pdgetrf", type=int, metavar="N", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.pdgetrf:
        pdgetrf_alone(options.pdgetrf)
        return
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "recfact_rank").symlink_to(Path(__file__).resolve())
        sizes = [1000, 2000, 4000, *([6000, 8000] if options.large else [])]
        measure(Machine(options.launcher, Path(folder)), sizes, options.repeats)


if __name__ == "__main__":
    main()
