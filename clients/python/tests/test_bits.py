"""Every way to factor gives the same bits as an exchange with the executable without the package.

That holds for every number of threads and on every instruction set of this CPU; the end of the run names those.
"""

from __future__ import annotations

import functools
import struct
import subprocess
from typing import Any

import numpy as np
import pytest
from conftest import Array, matrix, run_python, same_bits

import recfact
from recfact import _find

SHAPES = [(1, 1), (2, 2), (3, 7), (7, 3), (65, 64), (300, 120), (120, 300), (700, 700)]


def by_hand(a: Array, pivot: bool, threaded: bool) -> tuple[Array, Array, int]:
    """Sends the bytes of protocol.md, without the package. Returns the factors and LAPACK's ipiv and info."""
    m, n = a.shape
    k = min(m, n)
    command = (a.dtype == np.float32) | threaded << 1 | (not pivot) << 2
    request = struct.pack("<Bqq", command, m, n) + a.tobytes(order="F")
    answer = subprocess.run([_find.executable()], input=request, stdout=subprocess.PIPE, check=True).stdout
    assert len(answer) == 8 + a.nbytes + 8 * k
    lu = np.frombuffer(answer[8 : 8 + a.nbytes], a.dtype).reshape((m, n), order="F")
    return lu, np.frombuffer(answer[-8 * k :], np.int64), int.from_bytes(answer[:8], "little", signed=True)


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("pivot", [True, False])
def test_every_way_gives_the_same_bits(shape: tuple[int, int], dtype: Any, pivot: bool) -> None:
    a = matrix(*shape, dtype, seed=sum(shape))
    lu, ipiv, info = by_hand(a, pivot, threaded=False)
    assert info == 0
    assert same_bits(by_hand(a, pivot, threaded=True)[0], lu)
    with recfact.Server(threads=1) as narrow, recfact.Server(threads=3) as wide:
        for functions in (recfact, recfact.inprocess, narrow, wide):
            for threads in (None, 1, 2, 3):
                lu2, piv = functions.lu_factor(a, pivot=pivot, threads=threads)
                assert same_bits(lu2, lu)
                assert piv.tolist() == (ipiv - 1).tolist()


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_a_stack_has_the_bits_of_its_matrices(functions: Any, dtype: Any) -> None:
    a = np.stack([matrix(20, 30, dtype, seed) for seed in range(6)]).reshape(2, 3, 20, 30)
    lu, piv = functions.lu_factor(a)
    for at in np.ndindex(2, 3):
        expected = functions.lu_factor(a[at])
        assert same_bits(np.asfortranarray(lu[at]), expected[0])
        assert same_bits(piv[at], expected[1])


def test_solutions_have_the_same_bits() -> None:
    a, b = matrix(150, 150), matrix(150, 3)
    x = recfact.solve(a, b)
    assert same_bits(recfact.inprocess.solve(a, b, threads=1), x)
    with recfact.Server() as server:
        assert same_bits(server.solve(a, b), x)
        assert same_bits(server.lu_solve(recfact.lu_factor(a), b), x)


def test_the_library_and_the_executable_agree_on_zero_pivots() -> None:
    a = matrix(9, 9)
    a[:, 4] = 0
    for pivot, sign in ((True, 1), (False, -1)):
        lu, _, info = by_hand(a, pivot, threaded=False)
        assert info == 5 * sign
        for functions in (recfact, recfact.inprocess):
            with pytest.warns(recfact.LinAlgWarning, match="Diagonal number 5 is exactly zero"):
                assert same_bits(functions.lu_factor(a, pivot=pivot)[0], lu)


# Prints the instruction set in use, then a line for each result: what it is of, and a digest of its bits.
RESULTS = """
import ctypes, hashlib, itertools, subprocess, sys
import numpy as np
import recfact
from recfact import _find

library = ctypes.CDLL(_find.library())
library.recfact_isa.restype = ctypes.c_char_p
print(library.recfact_isa().decode())

def say(name, *results):
    print(name, hashlib.sha256(b"".join(np.asarray(r).tobytes("F") for r in results)).hexdigest())

def same(name, call):
    server, library = call(recfact), call(recfact.inprocess)
    assert all(np.array_equal(x, y) for x, y in zip(server, library)), name
    say("server " + name, *server)
    say("library " + name, *library)

shapes = [(1, 1), (2, 2), (3, 7), (7, 3), (17, 16), (65, 64), (129, 200), (300, 120), (120, 300), (300, 300)]
for shape, dtype, pivot, threads in itertools.product(shapes, "fd", (True, False), (1, None)):
    a = np.random.default_rng(sum(shape)).uniform(-1, 1, shape).astype(dtype)
    same(f"lu_factor {shape} {dtype} {pivot} {threads}", lambda f: f.lu_factor(a, pivot=pivot, threads=threads))
for n, dtype, nrhs in itertools.product((1, 5, 64, 150, 260), "fd", (1, 2, 5, 40)):
    random = np.random.default_rng(n)
    a, b = random.uniform(-1, 1, (n, n)).astype(dtype), random.uniform(-1, 1, (n, nrhs)).astype(dtype)
    for trans in (0, 1):
        same(f"lu_solve {n} {dtype} {nrhs} {trans}", lambda f: (f.lu_solve(f.lu_factor(a), b, trans),))
    same(f"det and inv {n} {dtype}", lambda f: (f.det(a), f.inv(a)))
"""


@functools.lru_cache(maxsize=1)
def results_by_default() -> list[str]:
    """What `RESULTS` prints of results on the instruction set that these tests run with."""
    return run_python(RESULTS).stdout.splitlines()[1:]


def test_every_instruction_set_gives_the_same_bits(instruction_set: str) -> None:
    used, *results = run_python(RESULTS, env={"RECFACT_ISA": instruction_set}).stdout.splitlines()
    assert used == instruction_set
    assert len(results) == 400
    assert results == results_by_default()
