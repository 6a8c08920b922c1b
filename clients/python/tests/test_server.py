"""The server as a child process: starts, deaths, threads, refusals, interrupts, and no growth over many requests.

The shell scripts in place of a server speak version 1. Mapped memory has tests of its own in test_mapped.py.
"""

from __future__ import annotations

import gc
import os
import pickle
import signal
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from conftest import (
    children,
    has_ended,
    killed_at_work,
    matrix,
    pid_of,
    run_python,
    same_bits,
    script,
    user_seconds,
    wait_until,
)

import recfact
from recfact import _default, _remote, _wire

A = matrix(30, 30)


def test_a_server_lives_as_long_as_its_block() -> None:
    with recfact.Server() as server:
        pid = pid_of(server)
        assert same_bits(server.lu_factor(A)[0], recfact.lu_factor(A)[0])
        assert server.pid == pid
    assert server.pid is None
    assert pid not in children()
    with pytest.raises(recfact.ServerError, match="closed"):
        server.lu_factor(A)
    server.close()


def test_a_server_that_is_forgotten_ends() -> None:
    pid = pid_of(server := recfact.Server())
    del server
    gc.collect()
    assert pid not in children()


@pytest.mark.usefixtures("transport")
def test_a_server_that_died_while_idle_is_replaced_silently(server: recfact.Server) -> None:
    for kill in (signal.SIGKILL, signal.SIGTERM, signal.SIGINT):
        for pause in (0.0, 0.05):
            pid = pid_of(server)
            os.kill(pid, kill)
            time.sleep(pause)
            assert same_bits(server.lu_factor(A)[0], recfact.lu_factor(A)[0])
            assert server.pid != pid
            assert pid not in children()


@pytest.mark.usefixtures("transport")
def test_a_server_killed_during_a_request_is_an_error_and_is_replaced(server: recfact.Server) -> None:
    a = matrix(3500, 3500)
    pid = pid_of(server)
    with killed_at_work(pid), pytest.raises(recfact.ServerError, match="exit status -9") as raised:
        server.lu_factor(a, threads=1)
    assert raised.value.status == -signal.SIGKILL
    assert pid not in children()
    lu, _ = server.lu_factor(A)
    assert same_bits(lu, recfact.lu_factor(A)[0])


@pytest.mark.usefixtures("pipe")
def test_a_matrix_is_untouched_by_a_call_that_fails(tmp_path: Path) -> None:
    # It answers with an info of zero and half a matrix.
    path = script(tmp_path, "head -c 7217 >/dev/null; head -c 3000 /dev/zero; echo tired >&2; exit 9")
    a = np.asfortranarray(A)
    before = a.copy()
    with recfact.Server(path) as server:
        with pytest.raises(recfact.ServerError, match="exit status 9: tired") as raised:
            server.lu_factor(a)
        assert (raised.value.status, raised.value.stderr) == (9, "tired")
        np.testing.assert_array_equal(a, before)
        # The next call starts it again.
        with pytest.raises(recfact.ServerError, match="tired"):
            server.lu_factor(a, overwrite_a=True)
    assert not np.array_equal(a, before)


@pytest.mark.usefixtures("pipe")
@pytest.mark.parametrize(
    ("n", "source", "message"),
    [
        (1, "exit 3", "exit status 3"),
        (600, "exit 3", "exit status 3"),
        (1, "head -c 20 >/dev/null; kill -9 $$", "exit status -9"),
        (600, "head -c 100 >/dev/null; kill -9 $$", "exit status -9"),
        (600, "head -c 17 >/dev/null; printf 'one\\ntwo\\n\\n' >&2; exit 7", "exit status 7: two"),
        (600, "head -c 8 /dev/zero; exec cat >/dev/null", "before it had answered: exit status 0"),
        (600, "printf '\\004\\0\\0\\0\\0\\0\\0\\200'; exec sleep 60", "refused the request, out of memory"),
        (1, "exec <&- >&-; exec sleep 60", "exit status -9"),
        (600, "exec <&- >&-; exec sleep 60", "exit status -9"),
    ],
)
def test_a_program_that_does_not_serve_is_an_error(tmp_path: Path, n: int, source: str, message: str) -> None:
    before = children()
    with recfact.Server(script(tmp_path, source)) as server, pytest.raises(recfact.ServerError, match=message):
        server.lu_factor(np.ones((n, n)) + np.eye(n))
    assert children() == before


@pytest.mark.usefixtures("pipe")
def test_a_chatty_program_cannot_block(tmp_path: Path) -> None:
    # It writes more to stderr than a pipe holds, before it reads and again before it answers.
    chat = "head -c 300000 /dev/zero | tr '\\0' x >&2"
    path = script(tmp_path, f"{chat}; head -c 798865 >/dev/null; {chat}; head -c 801384 /dev/zero")
    with recfact.Server(path) as server:
        lu, _ = server.lu_factor(np.ones((316, 316)))
        assert not lu.any()


@pytest.mark.usefixtures("pipe")
@pytest.mark.parametrize("n", [40, 1500])
def test_a_refusal_says_why(n: int) -> None:
    with recfact.Server(max_bytes=1000) as server:
        pid = pid_of(server)
        for _ in range(2):
            with pytest.raises(recfact.ServerError, match="larger than its limit: exit status 3: recfact_server: req"):
                server.lu_factor(matrix(n, n))
        assert pid not in children()
        server.lu_factor(matrix(5, 5))


def test_errors_can_be_pickled() -> None:
    for kind in (recfact.ServerError, recfact.ServerTimeoutError):
        error = pickle.loads(pickle.dumps(kind("it ended", 3, "said")))
        assert (type(error), error.args) == (kind, ("it ended: exit status 3: said",))
        assert (str(error), error.status, error.stderr) == ("it ended: exit status 3: said", 3, "said")


@pytest.mark.usefixtures("pipe")
@pytest.mark.parametrize(
    ("n", "source"),
    [
        (300, "exec sleep 60"),  # nothing is read
        (1, "echo help >&2; exec sleep 60"),
        (40, "head -c 17 >/dev/null; while printf '\\0'; do sleep 0.01; done"),  # bytes keep coming, slowly
    ],
)
def test_a_late_answer_is_an_error(tmp_path: Path, n: int, source: str) -> None:
    a = np.asfortranarray(matrix(n, n))
    before = a.copy()
    with recfact.Server(script(tmp_path, source), timeout=1) as server:
        pid = server.pid
        with pytest.raises(recfact.ServerTimeoutError, match=r"within 1 s, killed the server") as raised:
            server.lu_factor(a)
        assert isinstance(raised.value, TimeoutError)
        assert isinstance(raised.value, recfact.ServerError)
        assert raised.value.stderr == ("help" if "help" in source else None)
        assert server.pid is None
        assert pid not in children()
    np.testing.assert_array_equal(a, before)


@pytest.mark.usefixtures("transport")
def test_after_a_timeout_the_next_call_starts_a_new_server() -> None:
    with recfact.Server(timeout=2) as server:
        pid = pid_of(server)
        os.kill(pid, signal.SIGSTOP)
        with pytest.raises(TimeoutError):
            server.lu_factor(A)
        assert same_bits(server.lu_factor(A)[0], recfact.lu_factor(A)[0])
        assert server.pid != pid


@pytest.mark.parametrize("timeout", [0, -1, float("nan")])
def test_a_timeout_is_more_than_zero(timeout: float) -> None:
    with pytest.raises(ValueError, match="more than zero seconds"):
        recfact.Server(timeout=timeout)
    with recfact.Server(timeout=1e300) as server:
        server.lu_factor(A)


@pytest.mark.usefixtures("transport")
@pytest.mark.parametrize("writing", [True, False])
def test_an_interrupt_leaves_the_server_usable(server: recfact.Server, writing: bool) -> None:
    a = matrix(3500, 3500)
    pid = pid_of(server)
    process = server._connection._process
    assert process is not None
    if writing:
        # The server does not read, so the pipe fills up, or a frame stays in it.
        os.kill(pid, signal.SIGSTOP)

    def interrupt() -> None:
        if writing:
            wait_until(lambda: process._unread() > 50)
        else:
            wait_until(lambda: user_seconds(pid) > 0.2)
            os.kill(pid, signal.SIGSTOP)
        os.kill(os.getpid(), signal.SIGINT)

    thread = threading.Thread(target=interrupt)
    thread.start()
    with pytest.raises(KeyboardInterrupt):
        server.lu_factor(a, threads=1)
    thread.join()
    assert pid not in children()
    assert same_bits(server.lu_factor(A)[0], recfact.lu_factor(A)[0])


def test_eight_threads_at_once(functions: Any) -> None:
    matrices = [matrix(5 + 20 * i, 90, [np.float32, np.float64][i % 2], i) for i in range(8)]
    expected = [recfact.inprocess.lu_factor(a)[0] for a in matrices]

    def work(i: int) -> None:
        for _ in range(40):
            assert same_bits(functions.lu_factor(matrices[i])[0], expected[i])

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(work, range(8)))


@pytest.mark.usefixtures("transport")
def test_a_server_killed_under_eight_threads_comes_back(server: recfact.Server) -> None:
    done = [0] * 8
    errors: list[recfact.ServerError] = []
    stop = threading.Event()

    def work(i: int) -> None:
        while not stop.is_set():
            try:
                assert same_bits(server.lu_factor(A)[0], expected)
                done[i] += 1
            except recfact.ServerError as error:
                errors.append(error)

    expected = recfact.lu_factor(A)[0]
    with ThreadPoolExecutor(8) as pool:
        tasks = [pool.submit(work, i) for i in range(8)]
        for _ in range(10):
            wait_until(lambda: server.pid is not None)
            os.kill(pid_of(server), signal.SIGKILL)
            before = sum(done)
            wait_until(lambda before=before: sum(done) > before + 20)  # type: ignore[misc]
        stop.set()
        for task in tasks:
            task.result()
    assert len(errors) <= 10
    assert all(error.status == -signal.SIGKILL for error in errors)


def test_a_first_call_of_many_threads_starts_one_server() -> None:
    program = """
import threading, time, numpy as np, recfact, subprocess, os
connect = recfact._default.connect
calls = []
recfact._default.connect = lambda: (calls.append(1), time.sleep(0.2), connect())[2]
barrier = threading.Barrier(8)
def call():
    barrier.wait()
    recfact.lu_factor(np.eye(3))
threads = [threading.Thread(target=call) for _ in range(8)]
[thread.start() for thread in threads]
[thread.join() for thread in threads]
listed = subprocess.run(["ps", "-o", "comm=", "--ppid", str(os.getpid())], capture_output=True, text=True).stdout
print(len(calls), listed.split().count("recfact_server"))
"""
    assert run_python(program).stdout == "1 1\n"


@pytest.mark.usefixtures("pipe")
def test_threads_bound_what_is_used(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[int] = []
    original = _wire.Request

    def spy(*arguments: Any, **named: Any) -> Any:
        request = original(*arguments, **named)
        asked.append(request.parts[0][0])
        return request

    monkeypatch.setattr(_remote, "Request", spy)
    with recfact.Server(threads=4) as server:
        for threads in (None, 1, 2, 4, 5):
            server.lu_factor(A, threads=threads)
    assert asked == [0x02, 0x00, 0x00, 0x02, 0x02]
    with pytest.raises(ValueError, match="thread"):
        recfact.Server(threads=0)


def test_a_number_of_threads_has_a_server_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    default = _default.Default()
    main = default.choose()
    assert isinstance(main, _remote.Remote)
    monkeypatch.setattr(main, "threads", 8)
    for threads in (None, 1, 8, 9):
        assert default._backend(threads) is main
    narrow = default._backend(3)
    assert isinstance(narrow, _remote.Remote)
    assert narrow.threads == 3
    assert default._backend(3) is narrow
    command = Path(f"/proc/{narrow.pid}/cmdline")
    wait_until(lambda: command.read_bytes().split(b"\0")[1:3] == [b"--threads", b"3"])
    narrow.close()
    main.close()


def resident(pid: int) -> int:
    return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


def test_two_thousand_requests_leak_no_descriptor_and_no_memory(server: recfact.Server) -> None:
    def requests(count: int) -> None:
        for i in range(count):
            server.lu_factor(matrix(20 + i % 60, 50, [np.float32, np.float64][i % 2]), threads=1 + i % 2)

    def used() -> tuple[int, int, int]:
        gc.collect()
        return len(os.listdir("/proc/self/fd")), resident(os.getpid()), resident(pid_of(server))

    requests(300)
    before = used()
    requests(2000)
    after = used()
    assert after[0] == before[0]
    assert after[1] - before[1] < 2 << 20
    assert after[2] - before[2] < 1 << 20


@pytest.mark.usefixtures("transport")
def test_fifty_deaths_leak_no_descriptor_and_leave_no_zombie(server: recfact.Server) -> None:
    descriptors, started = len(os.listdir("/proc/self/fd")), len(children())
    for _ in range(50):
        os.kill(pid_of(server), signal.SIGKILL)
        server.lu_factor(A)
    assert len(os.listdir("/proc/self/fd")) == descriptors
    assert len(children()) == started


def test_a_matrix_much_larger_than_a_pipe(functions: Any) -> None:
    a = matrix(3000, 2000, np.float32)
    lu, piv = functions.lu_factor(a)
    rows = np.arange(3000)
    for i, p in enumerate(piv):
        rows[[i, p]] = rows[[p, i]]
    lower = np.tril(lu, -1) + np.eye(3000, 2000, dtype=np.float32)
    assert np.abs(lower @ np.triu(lu[:2000]) - a[rows]).max() < 1e-2


def test_pids_of_the_dead_are_seen() -> None:
    # The tests above rely on this.
    with recfact.Server() as server:
        pid = pid_of(server)
        assert pid in children()
        assert not has_ended(pid)
    assert has_ended(pid)
