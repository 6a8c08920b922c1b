"""How much of a request is done, as a function is told it."""

from __future__ import annotations

import gc
import os
import signal
import threading
import weakref
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import pytest
from conftest import Array, has_ended, matrix, pid_of, run_python, same_bits, wait_until

import recfact

A = matrix(30, 30)


@pytest.fixture(autouse=True)
def slow(monkeypatch: pytest.MonkeyPatch, long: tuple[Array, Array]) -> None:
    """Servers that the test starts take long for a matrix of order `conftest.N`."""
    monkeypatch.setenv("RECFACT_ISA", "portable")


@pytest.fixture
def told() -> list[float]:
    return []


@pytest.fixture
def server(told: list[float]) -> Iterator[recfact.Server]:
    """A server that tells its progress to a list."""
    with recfact.Server(threads=1, progress=told.append) as server:
        yield server


def threads() -> list[threading.Thread]:
    return [thread for thread in threading.enumerate() if thread.name == "recfact progress"]


def is_progress(told: list[float]) -> bool:
    """Returns whether numbers rise from less than 1 to 1."""
    return len(told) >= 2 and told == sorted(told) and 0 < told[0] < 1 and told[-1] == 1.0 and told.count(1.0) == 1


@pytest.mark.usefixtures("transport")
def test_the_progress_of_a_long_request_rises_to_one_and_a_short_one_has_none(
    server: recfact.Server, told: list[float], long: tuple[Array, Array]
) -> None:
    a, expected = long
    for _ in range(2):
        for _ in range(3):
            server.lu_factor(A)
        assert told == []
        assert same_bits(server.lu_factor(a)[0], expected)
        wait_until(lambda: is_progress(told))
        told.clear()
    # Nothing comes later, from the server itself for example.
    server.close()
    wait_until(lambda: not threads())
    assert told == []


def test_each_matrix_of_a_stack_is_a_request(server: recfact.Server, told: list[float]) -> None:
    # The server may notice the second one a little later.
    server.lu_factor(np.stack([matrix(1500, 1500)] * 2))
    wait_until(lambda: told.count(1.0) == 2)
    middle = told.index(1.0) + 1
    assert is_progress(told[:middle])
    assert is_progress(told[middle:])


def test_the_function_is_called_in_a_thread_that_keeps_nothing_alive(long: tuple[Array, Array]) -> None:
    callers: set[threading.Thread] = set()
    before = len(os.listdir("/proc/self/fd"))
    for _ in range(5):
        with recfact.Server(threads=1, progress=lambda _: callers.add(threading.current_thread())) as server:
            if not callers:
                server.lu_factor(long[0])
                wait_until(lambda: bool(callers))
            assert all(thread.daemon for thread in threads())
        wait_until(lambda: not threads())
    assert callers
    assert threading.current_thread() not in callers
    assert len(os.listdir("/proc/self/fd")) == before


def test_an_exception_of_the_function_changes_nothing(
    monkeypatch: pytest.MonkeyPatch, long: tuple[Array, Array]
) -> None:
    caught: list[Any] = []
    monkeypatch.setattr(threading, "excepthook", caught.append)

    def fail(done: float) -> None:
        raise ValueError(done)

    with recfact.Server(threads=1, progress=fail) as server:
        pid = server.pid
        assert same_bits(server.lu_factor(long[0])[0], long[1])
        assert server.pid == pid
        wait_until(lambda: is_progress([hook.exc_value.args[0] for hook in caught]))
    assert {hook.exc_type for hook in caught} == {ValueError}


def test_the_function_may_cancel_the_call(long: tuple[Array, Array]) -> None:
    told: list[float] = []

    def progress(done: float) -> None:
        told.append(done)
        own.cancel()

    with recfact.Server(threads=1, progress=progress) as own:
        pid = own.pid
        for _ in range(2):
            with pytest.raises(recfact.CancelledError):
                own.lu_factor(long[0])
            assert own.pid == pid
            # On a busy machine the server may say more before it has given up.
            assert told
            assert max(told) < 1
            told.clear()
            own.lu_factor(A)


def test_the_function_may_close_the_server_and_take_its_time(long: tuple[Array, Array]) -> None:
    closed = threading.Event()

    def progress(_: float) -> None:
        own.close()
        closed.set()

    own = recfact.Server(threads=1, progress=progress)
    assert same_bits(own.lu_factor(long[0])[0], long[1])
    assert closed.wait(60)
    wait_until(lambda: not threads())


def test_a_new_server_tells_its_progress_too(
    server: recfact.Server, told: list[float], long: tuple[Array, Array]
) -> None:
    for _ in range(2):
        os.kill(pid_of(server), signal.SIGKILL)
        server.lu_factor(A)
        server.lu_factor(long[0])
        wait_until(lambda: is_progress(told))
        told.clear()
        assert len(threads()) == 2


def test_a_server_that_dies_ends_its_threads(server: recfact.Server) -> None:
    assert len(threads()) == 2
    os.kill(pid_of(server), signal.SIGKILL)
    wait_until(lambda: not threads())


def test_a_forgotten_server_ends_although_its_function_refers_to_it() -> None:
    class Owner:
        def __init__(self) -> None:
            self.server = recfact.Server(progress=self.tell)

        def tell(self, _: float) -> None: ...

    owner = Owner()
    pid, forgotten = pid_of(owner.server), weakref.ref(owner)
    del owner
    gc.collect()
    assert forgotten() is None
    wait_until(lambda: has_ended(pid) and not threads())


def test_a_forked_child_has_progress_of_its_own() -> None:
    program = """
import os, warnings, numpy as np, recfact
warnings.simplefilter("ignore")
a = np.random.default_rng(0).random((1200, 1200))
told = []
server = recfact.Server(threads=1, progress=told.append)
server.lu_factor(np.eye(3))
descriptors = len(os.listdir("/proc/self/fd"))
child = os.fork()
if child == 0:
    assert len(os.listdir("/proc/self/fd")) == descriptors - 5, "the pipes and the segment are closed"
    server.lu_factor(a)
    assert told and told[-1] == 1.0, told
    assert len(os.listdir("/proc/self/fd")) == descriptors
    server.close()
    os._exit(7)
assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 7
assert told == []
server.lu_factor(a)
assert told and told[-1] == 1.0, told
print("done")
"""
    assert run_python(program, env={"RECFACT_ISA": "portable"}).stdout == "done\n"


def test_the_interpreter_does_not_wait_for_the_function() -> None:
    program = """
import threading, time, numpy as np, recfact
begun = threading.Event()
def progress(_):
    begun.set()
    time.sleep(600)
server = recfact.Server(threads=1, progress=progress)
call = lambda: server.lu_factor(np.random.default_rng(0).random((1200, 1200)))
threading.Thread(target=call, daemon=True).start()
begun.wait()
print("done", flush=True)
"""
    assert run_python(program, env={"RECFACT_ISA": "portable"}).stdout == "done\n"


def test_several_threads_share_a_server_that_tells_its_progress(server: recfact.Server, told: list[float]) -> None:
    a = matrix(1500, 1500)
    with ThreadPoolExecutor(2) as pool:
        (first, _), (second, _) = pool.map(server.lu_factor, [a] * 2)
    assert same_bits(first, second)
    wait_until(lambda: told.count(1.0) == 2)


def test_the_function_must_be_one() -> None:
    with pytest.raises(TypeError, match=r"expected progress to be a function of one number, got 3"):
        recfact.Server(progress=3)  # type: ignore[arg-type]
