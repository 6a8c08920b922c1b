"""Calls that are cancelled: at any moment, with both transports, and never the wrong call."""

from __future__ import annotations

import os
import pickle
import random
import signal
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest
from conftest import Array, has_ended, matrix, pid_of, run_python, same_bits, script, wait_until

import recfact

A = matrix(30, 30)


@pytest.fixture(scope="module")
def factors() -> Array:
    """The factors of A."""
    return recfact.lu_factor(A)[0]


# The environment is for the servers of the test alone: what `recfact` itself needs of it has been read before.
@pytest.fixture
def slow(
    monkeypatch: pytest.MonkeyPatch, long: tuple[Array, Array], factors: Array, transport: str
) -> Iterator[recfact.Server]:
    """A server that takes long for a matrix of order `conftest.N`, through both transports."""
    monkeypatch.setenv("RECFACT_ISA", "portable")
    with recfact.Server(threads=1) as server:
        yield server


def cancel_at_once(server: recfact.Server) -> None:
    """Waits until a call is under way, and cancels it at its very beginning."""
    wait_until(server.cancel)


@contextmanager
def stopped(pid: int) -> Iterator[None]:
    """Stops a process that waits for a request. It has stopped before the block begins."""
    os.kill(pid, signal.SIGSTOP)
    try:
        wait_until(lambda: Path(f"/proc/{pid}/stat").read_text().rpartition(") ")[2].startswith("T"))
        yield
    finally:
        os.kill(pid, signal.SIGCONT)


def is_asked(server: recfact.Server) -> bool:
    """Returns whether a server that is stopped has got a request."""
    process = server._connection._process
    return process is not None and process._unread() > 0


def test_a_call_that_is_cancelled_at_any_moment_changes_nothing_and_the_next_one_is_right(
    slow: recfact.Server, long: tuple[Array, Array], factors: Array
) -> None:
    a, expected = long
    moments = random.Random(1)
    slow.lu_factor(A)
    pid, transport = slow.pid, slow.transport
    cancelled = 0
    for _ in range(8):
        place = a.copy("F")
        timer = threading.Timer(moments.uniform(0, 0.4), slow.cancel)
        timer.start()
        try:
            lu, _ = slow.lu_factor(place, overwrite_a=True)
        except recfact.CancelledError:
            assert same_bits(place, a)
            cancelled += 1
        else:
            assert same_bits(lu, expected)
        timer.join()
        assert same_bits(slow.lu_factor(A)[0], factors)
    assert cancelled >= 2
    assert (slow.pid, slow.transport) == (pid, transport)
    assert same_bits(slow.lu_factor(a)[0], expected)


@pytest.mark.parametrize("overwrite", [False, True])
def test_a_call_is_cancelled_while_its_matrix_is_copied_and_its_server_has_just_been_started(
    slow: recfact.Server, long: tuple[Array, Array], factors: Array, overwrite: bool
) -> None:
    for _ in range(4):
        with recfact.Server(threads=1) as server, ThreadPoolExecutor(1) as pool:
            pid = server.pid
            cancelled = pool.submit(cancel_at_once, server)
            with pytest.raises(recfact.CancelledError, match="was cancelled"):
                server.lu_factor(long[0].copy("F"), overwrite_a=overwrite)
            cancelled.result()
            assert same_bits(server.lu_factor(A)[0], factors)
            assert server.pid == pid


def test_without_a_call_nothing_is_cancelled(slow: recfact.Server, factors: Array) -> None:
    for _ in range(3):
        assert not slow.cancel()
        assert same_bits(slow.lu_factor(A)[0], factors)
    os.kill(pid_of(slow), signal.SIGKILL)
    assert not slow.cancel()
    assert same_bits(slow.lu_factor(A)[0], factors)
    slow.close()
    assert not slow.cancel()


def test_many_threads_cancel_one_call_and_not_the_next_one(
    slow: recfact.Server, long: tuple[Array, Array], factors: Array
) -> None:
    medium = np.array(matrix(500, 500))
    expected = slow.lu_factor(medium)[0]
    pid = pid_of(slow)

    def call() -> Array:
        with pytest.raises(recfact.CancelledError):
            slow.lu_factor(long[0])
        return slow.lu_factor(medium)[0]

    for _ in range(3):
        with ThreadPoolExecutor(9) as pool:
            # The call does not end before all threads have seen it.
            with stopped(pid):
                called = pool.submit(call)
                wait_until(lambda: is_asked(slow))
                cancelled = [pool.submit(cancel_at_once, slow) for _ in range(8)]
                for each in cancelled:
                    each.result()
            assert same_bits(called.result(), expected)
        assert slow.pid == pid


def test_calls_that_wait_for_the_cancelled_one_are_right(
    slow: recfact.Server, long: tuple[Array, Array], factors: Array
) -> None:
    slow.lu_factor(A)
    with ThreadPoolExecutor(5) as pool:
        with stopped(pid_of(slow)):
            called = pool.submit(slow.lu_factor, long[0])
            wait_until(lambda: is_asked(slow))
            waiting = [pool.submit(slow.lu_factor, A) for _ in range(4)]
            cancel_at_once(slow)
        assert isinstance(called.exception(), recfact.CancelledError)
        assert all(same_bits(call.result()[0], factors) for call in waiting)


def test_a_stack_is_one_call(slow: recfact.Server, factors: Array) -> None:
    # Each matrix takes far less time than there is between two signals.
    stack = np.broadcast_to(A, (20_000, 30, 30))
    with ThreadPoolExecutor(1) as pool:
        for function in (slow.lu_factor, slow.det, slow.inv):
            called = pool.submit(function, stack)
            cancel_at_once(slow)
            assert isinstance(called.exception(), recfact.CancelledError)
    assert same_bits(slow.lu_factor(A)[0], factors)


def test_a_signal_handler_cancels_the_call_of_its_own_thread(slow: recfact.Server, long: tuple[Array, Array]) -> None:
    before = signal.signal(signal.SIGALRM, lambda *_: slow.cancel())
    try:
        for delay in (0.001, 0.3):
            pid = slow.pid
            # Again and again: the first one may come before the call.
            signal.setitimer(signal.ITIMER_REAL, delay, 0.01)
            with pytest.raises(recfact.CancelledError):
                slow.lu_factor(long[0])
            signal.setitimer(signal.ITIMER_REAL, 0)
            assert slow.pid == pid
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


@pytest.mark.usefixtures("pipe")
def test_a_server_that_does_not_know_the_signal_is_killed(tmp_path: Path) -> None:
    # The first one never answers.
    mark = tmp_path / "started"
    server = recfact._find.executable()
    path = script(tmp_path, f"[ -e {mark} ] && exec {server}; : >{mark}; head -c 17 >/dev/null; exec sleep 60")
    a = np.asfortranarray(A)
    with recfact.Server(path) as old, ThreadPoolExecutor(1) as pool:
        pid = pid_of(old)
        cancelled = pool.submit(cancel_at_once, old)
        with pytest.raises(recfact.CancelledError):
            old.lu_factor(a, overwrite_a=True)
        cancelled.result()
        assert same_bits(a, np.asfortranarray(A))
        assert has_ended(pid)
        assert same_bits(old.lu_factor(A)[0], recfact.lu_factor(A)[0])


def test_a_forked_child_cancels_no_call_of_its_parent() -> None:
    program = """
import os, threading, time, warnings, numpy as np, recfact
warnings.simplefilter("ignore")
a = np.random.default_rng(0).random((1200, 1200))
with recfact.Server(threads=1) as server:
    results = []
    thread = threading.Thread(target=lambda: results.append(server.lu_factor(a)))
    thread.start()
    while not server._connection._lock.locked():
        time.sleep(0.001)
    child = os.fork()
    if child == 0:
        good = not server.cancel() and np.array_equal(server.lu_factor(np.eye(3))[0], np.eye(3))
        server.close()
        os._exit(0 if good else 1)
    assert os.waitpid(child, 0)[1] == 0
    thread.join()
    assert len(results) == 1
print("done")
"""
    assert run_python(program, env={"RECFACT_ISA": "portable"}).stdout == "done\n"


def test_calls_and_interrupts_and_cancels_at_any_moment_give_right_results() -> None:
    program = """
import signal, threading, numpy as np, recfact
a = [np.random.default_rng(n).random((n, n)) for n in (3, 40, 300)]
expected = [recfact.inprocess.lu_factor(x)[0] for x in a]
server, stop, ends = recfact.Server(threads=1), threading.Event(), []
def cancel():
    while not stop.wait(0.0007):
        server.cancel()
threads = [threading.Thread(target=cancel) for _ in range(2)]
[thread.start() for thread in threads]
def interrupt(*_):
    raise KeyboardInterrupt
signal.signal(signal.SIGALRM, interrupt)
while len(ends) < 60:
    try:
        # Python drops an interrupt that hits a finalizer, so it is repeated.
        signal.setitimer(signal.ITIMER_REAL, 0.002 + len(ends) * 3e-5, 0.5)
        while True:
            for x, y in zip(a, expected):
                try:
                    assert np.array_equal(server.lu_factor(x)[0], y)
                except recfact.CancelledError:
                    pass
    except KeyboardInterrupt:
        ends.append(1)
signal.setitimer(signal.ITIMER_REAL, 0)
stop.set()
[thread.join() for thread in threads]
for x, y in zip(a, expected):
    assert np.array_equal(server.lu_factor(x)[0], y)
print("done")
"""
    # An interrupt may also hit the moment in which a server starts.
    done = run_python("import warnings; warnings.simplefilter('ignore')\n" + program)
    assert done.stdout == "done\n"


def test_a_cancelled_call_is_no_failure_of_the_server() -> None:
    error = recfact.CancelledError()
    assert not isinstance(error, recfact.ServerError)
    copy = pickle.loads(pickle.dumps(error))
    assert (type(copy), str(copy)) == (recfact.CancelledError, "the call was cancelled")


def test_the_threads_that_cancel_end(slow: recfact.Server, long: tuple[Array, Array]) -> None:
    timer = threading.Timer(0.1, cancel_at_once, (slow,))
    timer.start()
    with pytest.raises(recfact.CancelledError):
        slow.lu_factor(long[0])
    timer.join()
    wait_until(lambda: not any(thread.name == "recfact cancel" for thread in threading.enumerate()))
