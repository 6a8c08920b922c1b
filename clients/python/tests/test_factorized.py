"""Factors that are kept: what is solved with them, their end by a crash, a fork or a release, and their limit."""

from __future__ import annotations

import gc
import os
import pickle
import signal
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Callable

import numpy as np
import pytest
import scipy.linalg
import scipy.sparse.linalg
from conftest import Array, mapped_of, matrix, pid_of, run_python, same_bits

import recfact
from recfact import _extended, _kept, _process

SIZES = (1, 2, 7, 32, 33, 100)


@pytest.fixture
def kept(server: recfact.Server) -> Iterator[recfact.Factorization]:
    with server.factorized(matrix(5, 5)) as factorization:
        yield factorization


def answers(functions: Any, a: Array, b: Array, **options: Any) -> list[Any]:
    lu = functions.factorized(a, **options)
    found = [lu.solve(b, trans, refine=refine) for trans in (0, 1) for refine in (False, True)]
    found += [x for trans in (0, 2) for refine in (False, True) for x in lu.solution(b, trans, refine=refine)]
    return [*found, lu.inv(), lu.rcond, lu.det(), *lu.slogdet(), lu.info]


def same(ours: list[Any], theirs: list[Any]) -> bool:
    return all(same_bits(np.asarray(x), np.asarray(y)) for x, y in zip(ours, theirs)) and len(ours) == len(theirs)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("n", SIZES)
@pytest.mark.usefixtures("transport")
def test_every_door_gives_the_same_bits(server: recfact.Server, n: int, dtype: Any) -> None:
    a, b = matrix(n, n, dtype, n), matrix(n, 3, dtype, 1)
    for matrices in (a, np.asfortranarray(a), a[::-1]):
        for columns in (b, b[:, 0], np.asfortranarray(b), b[:, ::2]):
            assert same(answers(server, matrices, columns), answers(recfact.inprocess, matrices, columns))
    assert same(answers(server, a, b, pivot=False), answers(recfact.inprocess, a, b, pivot=False))


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_the_answers_are_those_of_the_functions(functions: Any, dtype: Any) -> None:
    for n in SIZES:
        a, b = matrix(n, n, dtype, n), matrix(n, 3, dtype, 1)
        lu = functions.factorized(a)
        factors = functions.lu_factor(a)
        assert (lu.shape, lu.dtype, lu.info) == ((n, n), dtype, 0)
        for trans in (0, 1, 2):
            assert same_bits(lu.solve(b, trans), functions.lu_solve(factors, b, trans))
        assert same_bits(lu.inv(), functions.inv(a))
        assert (lu.det(), *lu.slogdet()) == (functions.det(a), *functions.slogdet(a))
        inverse_norm = np.abs(np.linalg.inv(a.astype(float))).sum(0).max()
        assert lu.rcond * np.abs(a).sum(0).max() * inverse_norm == pytest.approx(1, rel=0.01 if n <= 32 else 2)
        one = functions.solution(a, b, transposed=True)
        assert same(list(lu.solution(b, 1)), list(one))
        assert same_bits(functions.solve(a, b, transposed=True, refine=True), one.x)


def test_a_refined_solution_is_inside_its_bound(functions: Any) -> None:
    # The Hilbert matrix: its elements, and those of its inverse times a vector of integers, are exact in float64.
    n = 8
    a = 360360.0 * scipy.linalg.hilbert(n)
    b = np.arange(1.0, n + 1)
    assert (a == np.rint(a)).all()
    exact = scipy.linalg.invhilbert(n, exact=True).astype(object).dot(b.astype(int)) / 360360
    plain, refined = functions.solution(a, b, refine=False), functions.solution(a, b)
    errors = [float(abs(found.x - exact.astype(float)).max() / abs(exact).max()) for found in (plain, refined)]
    assert plain.steps == 0
    assert refined.steps >= 1
    assert errors[0] > 1e-12
    assert errors[1] <= refined.forward < 1e-15
    assert errors[0] <= plain.forward < 1e-3
    assert refined.backward <= 2.0**-52
    assert 1e-11 < refined.rcond < 1e-9
    assert same_bits(functions.solve(a, b, refine=False), plain.x)


def test_what_has_no_bound_is_warned_of(functions: Any) -> None:
    a = scipy.linalg.hilbert(20)
    with pytest.warns(recfact.LinAlgWarning, match=r"the error of slice\(s\) \[0\] has no bound"):
        found = functions.solution(a, np.ones(20))
    assert np.isinf(found.forward)
    with pytest.warns(recfact.LinAlgWarning, match="has no bound") as caught:
        functions.solve(np.stack([np.eye(20), a]), np.ones((2, 20, 1)), refine=True)
    assert caught[0].filename == __file__
    assert "[1]" in str(caught[0].message)


def test_stacks_are_judged_one_by_one(functions: Any) -> None:
    a, b = np.stack([matrix(6, 6, seed=k) for k in range(4)]).reshape(2, 2, 6, 6), matrix(6, 2)
    found = functions.solution(a, b)
    assert (found.x.shape, found.forward.shape, found.rcond.shape) == ((2, 2, 6, 2), (2, 2, 2), (2, 2))
    for at in np.ndindex(2, 2):
        assert same([x[at] for x in found], [np.asarray(x) for x in functions.solution(a[at], b)])
    assert same_bits(functions.solve(a, b, refine=True), found.x)
    with pytest.raises(ValueError, match="incompatible shapes"):
        functions.solution(a, matrix(5, 2))


def test_a_singular_matrix_has_a_determinant_and_no_solution(functions: Any) -> None:
    lu = functions.factorized([[1, 2], [2, 4]])
    assert (lu.info, lu.rcond, lu.det(), *lu.slogdet()) == (2, 0.0, 0.0, 0.0, -np.inf)
    calls: list[Any] = [lambda: lu.solve([1, 2]), lambda: lu.solution([1, 2]), lu.inv]
    for call in calls:
        with pytest.raises(recfact.LinAlgError, match="singular"):
            call()
    with pytest.raises(recfact.LinAlgError, match=r"slice\(s\) \[1\] are singular"):
        functions.solution(np.stack([np.eye(2), np.ones((2, 2))]), [1, 2])


def test_arguments(functions: Any) -> None:
    lu = functions.factorized(np.eye(3, dtype=np.float32))
    assert (lu.solve([1, 2, 3]).dtype, lu.solve([1.0, 2, 3]).tolist()) == (np.float32, [1, 2, 3])
    assert functions.factorized(np.eye(3, dtype=int)).dtype == np.float64
    cases: list[tuple[Callable[[], Any], str]] = [
        (lambda: lu.solve([1, 2]), "expected b to have 3 rows"),
        (lambda: lu.solve(np.ones((1, 3, 3))), "expected b to have 3 rows"),
        (lambda: lu.solve([1, 2, 3], "T"), "expected trans to be 0, 1 or 2, got 'T'"),
        (lambda: lu.solve([1, 2, np.nan]), "infs or NaNs"),
        (lambda: functions.factorized([[1, np.inf], [0, 1]]), "infs or NaNs"),
        (lambda: functions.factorized(np.ones((2, 3))), "square"),
        (lambda: functions.factorized(np.ones((4, 3, 3))), "expected one matrix"),
        (lambda: functions.factorized(np.eye(2), keep_a=False).solve([1, 2], refine=True), "keep_a"),
        (lambda: functions.solution(np.eye(2), [1, 2], assume_a="pos"), r"scipy\.linalg\.solve"),
        (lambda: functions.factorized(np.eye(2), threads=0), "threads"),
    ]
    for bad, message in cases:
        with pytest.raises(ValueError, match=message):
            bad()
    for bad in (lambda: functions.factorized(1j * np.eye(2)), lambda: lu.solve([1j, 2, 3])):
        with pytest.raises(TypeError, match="real numbers"):
            bad()
    assert functions.factorized(np.eye(2), keep_a=False).solve([1, 2]).tolist() == [1, 2]
    assert np.isnan(functions.factorized([[np.nan]], check_finite=False).det())


def test_empty_matrices(functions: Any) -> None:
    lu = functions.factorized(np.empty((0, 0)))
    assert (lu.shape, lu.info, lu.rcond, lu.det(), *lu.slogdet()) == ((0, 0), 0, 1.0, 1.0, 1.0, 0.0)
    assert (lu.solve(np.empty(0)).shape, lu.solve(np.empty((0, 3))).shape, lu.inv().shape) == ((0,), (0, 3), (0, 0))
    assert functions.factorized(np.eye(3)).solve(np.empty((3, 0))).shape == (3, 0)
    assert lu.solution(np.empty((0, 2))).backward.tolist() == [0, 0]
    found = functions.solution(np.eye(3), np.empty((3, 0)))
    assert (found.x.shape, found.forward.shape) == ((3, 0), (0,))


def test_it_is_a_linear_operator(functions: Any) -> None:
    a, b = matrix(40, 40) + 8 * np.eye(40), matrix(40, 2)
    lu = functions.factorized(a)
    inverse = scipy.sparse.linalg.aslinearoperator(lu)
    assert np.allclose(inverse @ b, np.linalg.solve(a, b))
    assert np.allclose(inverse.H @ b[:, 0], np.linalg.solve(a.T, b[:, 0]))
    _, failed = scipy.sparse.linalg.gmres(a + 0.01 * matrix(40, 40, seed=1), b[:, 0], M=lu, maxiter=5)
    assert not failed
    assert same_bits(lu(b), lu.solve(b))


def test_factors_are_released(server: recfact.Server, monkeypatch: pytest.MonkeyPatch) -> None:
    released = []
    release = _extended.release

    def watched(handle: int) -> bytes:
        released.append(handle)
        return release(handle)

    monkeypatch.setattr(_extended, "release", watched)
    a = matrix(9, 9)
    with server.factorized(a) as lu:
        assert "9 x 9 float64" in repr(lu)
    assert released == [1]
    with pytest.raises(ValueError, match="closed"):
        lu.solve(a)
    lu.close()
    lu.refactor(a)
    lu.refactor(2 * a)
    assert released == [1, 2]
    assert same_bits(lu.solve(a), recfact.inprocess.solve(2 * a, a))
    del lu
    gc.collect()
    assert released == [1, 2, 3]
    server.solution(a, a)
    server.solve(a, a, refine=True)
    assert released == [1, 2, 3, 4]


def test_factors_that_are_collected_during_a_call_are_released_later(server: recfact.Server) -> None:
    a, factors = matrix(9, 9), [server.factorized(matrix(3, 3))]
    connection = server._connection
    with connection._lock:
        factors.clear()
        gc.collect()
        assert len(connection._forgotten) == 1
    server.factorized(a)
    gc.collect()
    assert connection._forgotten == []


def test_thousands_of_factors_in_turn_and_at_a_time() -> None:
    with recfact.Server(keep_bytes=64 << 20) as server:
        for k in range(3000):
            assert server.factorized([[k + 1.0]]).solve([1.0])[0] == 1 / (k + 1)
        kept = [server.factorized([[k + 1.0]]) for k in range(3000)]
        assert [lu.solve([1.0])[0] for lu in kept] == [1 / (k + 1) for k in range(3000)]


def test_the_limit_refuses_and_nothing_is_forgotten() -> None:
    a = matrix(100, 100)
    with recfact.Server(keep_bytes=300_000) as server:
        first = server.factorized(a)
        with pytest.raises(recfact.ServerError, match=r"300000.*Factorization\.close"):
            server.factorized(a)
        slim = server.factorized(a, keep_a=False)
        assert same_bits(first.solve(a), slim.solve(a))
        first.close()
        assert same_bits(server.factorized(a).solve(a), slim.solve(a))
    with pytest.raises(recfact.ServerError, match="this server is closed"):
        slim.solve(a)
    with pytest.raises(ValueError, match="keep_bytes"):
        recfact.Server(keep_bytes=-1)


@pytest.mark.parametrize("work", [lambda lu: lu.solve(np.ones(5)), lambda lu: lu.inv(), lambda lu: lu.rcond])
def test_factors_that_died_with_their_server_say_so(
    server: recfact.Server, kept: recfact.Factorization, work: Any
) -> None:
    os.kill(pid_of(server), signal.SIGKILL)
    with pytest.raises(recfact.FactorsLostError, match="the server that kept the factors has ended") as caught:
        work(kept)
    assert caught.value.status == -signal.SIGKILL
    # A new server has another matrix under the same handle.
    other = server.factorized(2 * matrix(5, 5))
    with pytest.raises(recfact.FactorsLostError):
        work(kept)
    kept.refactor(matrix(5, 5))
    assert same_bits(kept.solve(np.ones(5)), 2 * other.solve(np.ones(5)))
    assert isinstance(pickle.loads(pickle.dumps(caught.value)), recfact.FactorsLostError)


def test_a_server_that_dies_at_work_is_no_answer(
    server: recfact.Server, kept: recfact.Factorization, monkeypatch: pytest.MonkeyPatch
) -> None:
    exchange = _process.Process.exchange

    def killed(self: Any, frame: Any, deadline: Any) -> Any:
        os.kill(self.pid, signal.SIGSTOP)
        self.send(frame, deadline)
        os.kill(self.pid, signal.SIGKILL)
        return self.receive_answer()

    monkeypatch.setattr(_process.Process, "exchange", killed)
    with pytest.raises(recfact.FactorsLostError):
        kept.solve(np.ones(5))
    monkeypatch.setattr(_process.Process, "exchange", exchange)
    kept.refactor(matrix(5, 5))
    assert kept.solve(np.ones(5)).shape == (5,)


def test_a_forked_child_has_no_factors_and_leaves_those_of_its_parent() -> None:
    program = """
import os, numpy as np, recfact
a = np.array([[4.0, 3.0], [6.0, 3.0]])
lu = recfact.factorized(a)
child = os.fork()
if child == 0:
    try:
        lu.solve([10, 12])
    except recfact.FactorsLostError:
        lu.refactor(a)
    assert np.allclose(lu.solve([10, 12]), [1, 2])
    del lu
    os._exit(0)
assert os.waitpid(child, 0)[1] == 0
assert np.allclose(lu.solve([10, 12]), [1, 2])
print("done")
"""
    assert run_python(program).stdout == "done\n"


def test_cancelled_calls_leave_the_factors(server: recfact.Server) -> None:
    a, large = matrix(60, 60), matrix(300, 300)
    lu = server.factorized(a)
    expected, cancelled, stop = lu.solve(a), 0, threading.Event()

    def cancel() -> None:
        while not stop.wait(0.001):
            server.cancel()

    thread = threading.Thread(target=cancel)
    thread.start()
    while cancelled < 20:
        try:
            assert same_bits(lu.solve(a), expected)
            assert server.factorized(large).inv().shape == (300, 300)
        except recfact.CancelledError:
            cancelled += 1
    stop.set()
    thread.join()
    assert same_bits(lu.solve(a), expected)


def test_threads_share_factors(server: recfact.Server) -> None:
    a = matrix(30, 30)
    lu, expected = server.factorized(a), recfact.inprocess.solve(a, a)

    def is_right(_: int) -> bool:
        return same_bits(lu.solve(a), expected) and same_bits(server.factorized(a).solve(a), expected)

    with ThreadPoolExecutor(4) as pool:
        assert all(pool.map(is_right, range(200)))


def test_a_server_that_keeps_nothing_factors_and_the_library_keeps(
    server: recfact.Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    a, b = matrix(20, 20), matrix(20, 2)
    monkeypatch.setattr(_extended, "CAN_KEEP", 0)
    monkeypatch.setattr(_kept, "KeptFactors", None)
    assert same(answers(server, a, b), answers(recfact.inprocess, a, b))
    assert same(list(server.solution(a, b)), list(recfact.inprocess.solution(a, b)))


def test_requests_are_small(server: recfact.Server) -> None:
    a, b = matrix(200, 200), matrix(200, 1)
    lu = server.factorized(a)
    before = mapped_of(server)._requests
    lu.solve(b)
    assert mapped_of(server)._requests == before + 1
    server.solve(a, b, refine=True)
    assert mapped_of(server)._requests == before + 2
    recfact_lu = server.lu_factor(a)
    server.lu_solve(recfact_lu, b)
    assert mapped_of(server)._requests == before + 4


def test_a_result_without_room_is_refused_by_name() -> None:
    a = matrix(30, 30)
    with recfact.Server(max_bytes=a.nbytes, keep_bytes=1 << 20) as server:
        lu = server.factorized(a)
        assert lu.solve(a).shape == (30, 30)
        with pytest.raises(recfact.ServerError, match="larger than its limit"):
            lu.solve(np.ones((30, 31)))
        assert lu.solve(a[0]).shape == (30,)


def test_kept_factors_cannot_be_pickled(kept: recfact.Factorization) -> None:
    with pytest.raises(TypeError, match="cannot be pickled"):
        pickle.dumps(kept)
