"""What a server computes in mapped memory: how many requests a call takes, long stacks in pieces, limits, deaths."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from typing import Any, Callable

import numpy as np
import pytest
from conftest import Array, mapped_of, pid_of, same_bits

import recfact
from recfact import _extended, _mapped


def stack(*shape: int, dtype: Any = np.float64) -> Array:
    return np.random.default_rng(sum(shape)).uniform(-1, 1, shape).astype(dtype)


CALLS: dict[str, Callable[[Any, Array, Array], Any]] = {
    "lu_factor": lambda f, a, b: f.lu_factor(a),
    "lu_factor without pivoting": lambda f, a, b: f.lu_factor(a, pivot=False),
    "lu": lambda f, a, b: f.lu(a),
    "lu of integers": lambda f, a, b: f.lu((9 * a).astype(int)),
    "solve": lambda f, a, b: (f.solve(a, b),),
    "solve transposed": lambda f, a, b: (f.solve(a, b, transposed=True),),
    "solve for one right-hand side": lambda f, a, b: (f.solve(a, b[..., :1]),),
    "inv": lambda f, a, b: (f.inv(a),),
    "det": lambda f, a, b: (f.det(a),),
    "slogdet": lambda f, a, b: f.slogdet(a),
}


@pytest.fixture
def one_thread() -> Iterator[recfact.Server]:
    with recfact.Server(threads=1) as server:
        server.lu_factor(np.eye(3))
        yield server


@pytest.fixture
def small_pieces(monkeypatch: pytest.MonkeyPatch) -> None:
    """Requests have a few matrices each."""
    monkeypatch.setattr(_mapped, "_PIECE_BYTES", 3000)
    monkeypatch.setattr(_mapped, "_THREADED_PIECE_BYTES", 3000)


def requests(server: recfact.Server) -> int:
    return mapped_of(server)._requests


def same(ours: Any, theirs: Any) -> bool:
    assert len(ours) == len(theirs)
    return all(same_bits(np.asarray(x), np.asarray(y)) for x, y in zip(ours, theirs))


@pytest.mark.parametrize("call", CALLS)
@pytest.mark.parametrize("shape", [(7, 7), (50, 7, 7), (2, 3, 40, 40)])
def test_a_call_is_one_request(one_thread: recfact.Server, call: str, shape: tuple[int, ...]) -> None:
    a, b = stack(*shape), stack(*shape)[..., :2]
    before = requests(one_thread)
    assert same(CALLS[call](one_thread, a, b), CALLS[call](recfact.inprocess, a, b))
    assert requests(one_thread) == before + 1


@pytest.mark.usefixtures("small_pieces")
@pytest.mark.parametrize("call", CALLS)
@pytest.mark.parametrize("batch", [(47,), (3, 16)])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_a_long_stack_goes_in_pieces(server: recfact.Server, call: str, batch: tuple[int, ...], dtype: Any) -> None:
    server.lu_factor(np.eye(3))
    by_rows, b = stack(*batch, 7, 7, dtype=dtype), stack(*batch, 7, 2, dtype=dtype)
    by_columns = np.ascontiguousarray(by_rows.swapaxes(-1, -2)).swapaxes(-1, -2)
    for a in (by_rows, by_columns, by_rows[::-1]):
        before = requests(server)
        assert same(CALLS[call](server, a, b), CALLS[call](recfact.inprocess, a, b))
        pieces = 3000 // (49 * a.itemsize if "integers" not in call else 49 * 8)
        assert requests(server) == before - (-(len(b.reshape(-1, 14))) // pieces)


@pytest.mark.usefixtures("small_pieces")
def test_a_matrix_that_is_larger_than_a_piece_is_one(server: recfact.Server) -> None:
    a = stack(3, 40, 40)
    server.det(np.eye(3))
    before = requests(server)
    assert same(server.lu_factor(a), recfact.inprocess.lu_factor(a))
    assert requests(server) == before + 3


@pytest.mark.usefixtures("small_pieces")
def test_singular_slices_of_all_pieces_are_named(server: recfact.Server) -> None:
    a = stack(2, 20, 5, 5)
    a[0, 3] = a[1, 19] = 0
    with pytest.raises(recfact.LinAlgError, match=r"slice\(s\) \[3, 39\] are singular"):
        server.inv(a)
    with pytest.warns(recfact.LinAlgWarning, match="Diagonal number 1 is exactly zero"):
        server.lu_factor(a)
    a[1, 19, 0, 0] = np.nan
    with pytest.raises(ValueError, match="infs or NaNs"):
        server.det(a)


@pytest.mark.parametrize("call", CALLS)
def test_a_stack_may_exceed_the_limit_of_its_server(call: str) -> None:
    a = stack(30, 10, 10)
    with recfact.Server(max_bytes=2 * a[0].nbytes) as server:
        assert same(CALLS[call](server, a, a), CALLS[call](recfact.inprocess, a, a))
        assert server.transport == "mapped"


@pytest.mark.parametrize("call", CALLS)
@pytest.mark.parametrize("batch", [(), (4,)])
def test_a_matrix_of_the_size_of_the_limit_is_computed(call: str, batch: tuple[int, ...]) -> None:
    # The server has room for the matrix, but not for its inverse beside it.
    a = stack(*batch, 30, 30)
    with recfact.Server(max_bytes=30 * 30 * 8) as server:
        assert same(CALLS[call](server, a, a), CALLS[call](recfact.inprocess, a, a))
        with pytest.raises(recfact.ServerError, match="at most 7200 bytes, got 31 x 31 of 7688 bytes"):
            CALLS[call](server, stack(*batch, 31, 31), stack(*batch, 31, 31))


@pytest.mark.parametrize("call", CALLS)
def test_a_server_that_has_no_batches_factors_one_matrix_after_the_other(
    server: recfact.Server, call: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(_extended, "CAN_BATCH", 0)
    a, b = stack(5, 9, 9), stack(5, 9, 2)
    server.lu_factor(a[0])
    before = requests(server)
    assert same(CALLS[call](server, a, b), CALLS[call](recfact.inprocess, a, b))
    assert requests(server) == before + 5


@pytest.mark.usefixtures("pipe")
@pytest.mark.parametrize("call", CALLS)
def test_the_pipes_give_the_same(server: recfact.Server, call: str) -> None:
    for batch in ((), (5,)):
        a, b = stack(*batch, 9, 9), stack(*batch, 9, 2)
        assert same(CALLS[call](server, a, b), CALLS[call](recfact.inprocess, a, b))
    assert server.transport.startswith("pipe")


@pytest.mark.usefixtures("small_pieces")
def test_a_server_that_dies_between_two_pieces_is_replaced(
    server: recfact.Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    a = stack(40, 7, 7)
    expected = recfact.inprocess.lu_factor(a)
    server.lu_factor(a)
    ask, count = _mapped.Mapped.ask, 0

    def asked(self: Any, process: Any, *arguments: Any) -> Any:
        nonlocal count
        count += 1
        if count == 3:
            os.kill(process.pid, signal.SIGKILL)
            process._popen.wait()
        return ask(self, process, *arguments)

    monkeypatch.setattr(_mapped.Mapped, "ask", asked)
    pid = pid_of(server)
    assert same(server.lu_factor(a), expected)
    assert pid_of(server) != pid


def test_results_are_the_callers_own(server: recfact.Server) -> None:
    a, b = stack(6, 5, 5), stack(6, 5, 1)
    for call in CALLS.values():
        results = [np.asarray(result) for result in call(server, a, b)]
        copies = [result.copy() for result in results]
        call(server, -2 * a, b + 1)
        assert same(results, copies)
        assert all(result.flags.writeable or result.ndim == 0 for result in results)


def test_the_conditions_are_those_of_the_library(server: recfact.Server) -> None:
    """Both warn of the same slices with the same numbers."""
    for n in (4, 20, 40):
        q = np.linalg.qr(stack(n, n))[0]
        a = np.stack([(q * np.logspace(0, -e, n)) @ q.T for e in (1, 17, 5, 18)])
        messages = []
        for functions in (server, recfact.inprocess):
            with pytest.warns(recfact.LinAlgWarning) as caught:
                functions.inv(a)
            messages.append([str(warning.message) for warning in caught])
        assert messages[0] == messages[1]
