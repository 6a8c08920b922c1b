"""Memory that the package and its server both see, over time: growth, deaths, interrupts, forks, threads."""

from __future__ import annotations

import gc
import mmap
import os
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
    killed_at_work,
    mapped_of,
    matrix,
    pid_of,
    run_python,
    same_bits,
    wait_until,
)

import recfact
from recfact import _calls, _mapped, _segment

A = matrix(30, 30)


def resident(pid: int | str) -> int:
    return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * mmap.PAGESIZE


def allocated(server: recfact.Server) -> int:
    """Returns how many bytes of memory the segment has."""
    return os.fstat(mapped_of(server).segment.fd).st_blocks * 512


def test_nothing_grows_in_three_thousand_requests(server: recfact.Server) -> None:
    sizes = [(1, 1), (2, 2), (10, 10), (64, 64), (7, 200), (200, 7), (100, 100), (190, 160), (300, 300)]
    cases = [(m, n, order, dtype) for m, n in sizes for order in "CF" for dtype in "fd"]
    matrices = [np.array(matrix(m, n), dtype, order=order) for m, n, order, dtype in cases]  # type: ignore[call-overload]
    matrices += [matrix(n, n) for n in range(20, 120)]

    def requests(count: int) -> None:
        for i in range(count):
            server.lu_factor(matrices[i % len(matrices)], threads=1 + i % 2)

    def used() -> tuple[int, int, int, int]:
        gc.collect()
        pid = pid_of(server)
        descriptors = len(os.listdir("/proc/self/fd")), len(os.listdir(f"/proc/{pid}/fd"))
        return *descriptors, resident("self"), resident(pid)

    requests(len(matrices))
    before = used()
    requests(3000)
    after = used()
    assert after[:2] == before[:2]
    assert after[2] - before[2] < 2 << 20
    assert after[3] - before[3] < 2 << 20
    assert len(mapped_of(server)._plans) <= _mapped._MAX_PLANS


def test_the_plans_of_the_library_are_few() -> None:
    library = recfact._fallback.library()
    for n in range(1, 150):
        assert same_bits(recfact.inprocess.lu_factor(matrix(n, 2))[0], recfact.lu_factor(matrix(n, 2))[0])
    assert len(library._plans._idle) <= _calls._MAX_PLANS
    for plans in library._plans._idle.values():
        for plan in plans:
            assert plan.inputs[0].nbytes <= _calls.MAX_PLAN_BYTES


def test_memory_is_given_back_when_matrices_become_smaller(
    server: recfact.Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(_mapped, "_REQUESTS_BETWEEN_LOOKS", 50)
    large = np.asfortranarray(matrix(1200, 1200))
    expected = recfact.inprocess.lu_factor(large)[0]
    for _ in range(3):
        assert same_bits(server.lu_factor(large)[0], expected)
        assert allocated(server) >= large.nbytes
        for i in range(100):
            # As long as some of the requests are large, all memory is kept.
            server.lu_factor(A if i % 25 else large)
        assert allocated(server) >= large.nbytes
        for _ in range(100):
            server.lu_factor(A)
        assert allocated(server) <= _segment.MIN_BYTES
        assert same_bits(server.lu_factor(A)[0], recfact.inprocess.lu_factor(A)[0])


def test_a_segment_that_grows_gives_the_right_bits(server: recfact.Server) -> None:
    pid = None
    sizes = []
    for n in (5, 120, 60, 200, 400, 5, 900, 300):
        a = matrix(n, n)
        for x in (a, np.asfortranarray(a), a.astype(np.float32)):
            assert same_bits(server.lu_factor(x)[0], recfact.inprocess.lu_factor(x)[0])
        assert pid in (None, pid := pid_of(server))
        sizes.append(mapped_of(server).segment.size)
    assert sizes == sorted(sizes)
    assert sizes[-1] < 1.3 * 2 * 8 * 900**2


def test_a_segment_cannot_shrink(server: recfact.Server) -> None:
    server.lu_factor(A)
    fd = mapped_of(server).segment.fd
    with pytest.raises(PermissionError):
        os.ftruncate(fd, 0)
    assert not os.get_inheritable(fd)


def test_a_server_that_died_between_calls_is_replaced_silently(server: recfact.Server) -> None:
    expected = recfact.inprocess.lu_factor(A)[0]
    server.lu_factor(A)
    for round in range(20):
        pid = pid_of(server)
        os.kill(pid, signal.SIGKILL)
        if round % 2:
            time.sleep(0.02)
        assert same_bits(server.lu_factor(A)[0], expected)
        assert server.pid != pid
        assert server.transport == "mapped"


def test_a_stopped_server_that_is_killed_before_it_reads_is_replaced(server: recfact.Server) -> None:
    server.lu_factor(A)
    pid = pid_of(server)
    process = server._connection._process
    assert process is not None
    os.kill(pid, signal.SIGSTOP)

    def kill() -> None:
        wait_until(lambda: process._unread() > 50)
        time.sleep(0.2)
        os.kill(pid, signal.SIGKILL)

    thread = threading.Thread(target=kill)
    thread.start()
    assert same_bits(server.lu_factor(A)[0], recfact.inprocess.lu_factor(A)[0])
    thread.join()
    assert server.pid != pid


def test_a_server_killed_in_a_mapped_request_is_an_error(server: recfact.Server) -> None:
    a = np.asfortranarray(matrix(3500, 3500))
    before = a.copy()
    server.lu_factor(A)
    pid = pid_of(server)
    error = "before it had answered: exit status -9"
    with killed_at_work(pid), pytest.raises(recfact.ServerError, match=error):
        server.lu_factor(a, threads=1)
    np.testing.assert_array_equal(a, before)
    assert pid not in children()
    assert same_bits(server.lu_factor(A)[0], recfact.inprocess.lu_factor(A)[0])
    assert server.transport == "mapped"


def test_an_interrupt_in_a_mapped_exchange_kills_the_server(server: recfact.Server) -> None:
    server.lu_factor(A)
    for _ in range(5):
        pid = pid_of(server)
        process = server._connection._process
        assert process is not None
        os.kill(pid, signal.SIGSTOP)

        def interrupt(process: Any = process) -> None:
            wait_until(lambda: process._unread() > 50)
            os.kill(os.getpid(), signal.SIGINT)

        thread = threading.Thread(target=interrupt)
        thread.start()
        with pytest.raises(KeyboardInterrupt):
            server.lu_factor(A)
        thread.join()
        assert pid not in children()
        assert same_bits(server.lu_factor(A)[0], recfact.inprocess.lu_factor(A)[0])


def test_interrupts_at_any_moment_leave_right_results() -> None:
    program = """
import signal, numpy as np, recfact
a = [np.random.default_rng(n).random((n, n)) for n in (3, 40, 120)]
expected = [recfact.inprocess.lu_factor(x)[0] for x in a]
server, interrupts, calls = recfact.Server(), 0, 0
for x in a:
    server.lu_factor(x)
def interrupt(*_):
    raise KeyboardInterrupt
signal.signal(signal.SIGALRM, interrupt)
while interrupts < 60:
    try:
        # Python drops an interrupt that hits a finalizer, so it is repeated.
        signal.setitimer(signal.ITIMER_REAL, 0.0005 + interrupts * 3e-5, 0.5)
        while True:
            calls += 1
            for x, y in zip(a, expected):
                assert np.array_equal(server.lu_factor(x)[0], y)
    except KeyboardInterrupt:
        interrupts += 1
        signal.setitimer(signal.ITIMER_REAL, 0)
assert server.transport == "mapped"
print("done")
"""
    # An interrupt may also hit the moment in which a server starts.
    done = run_python("import warnings; warnings.simplefilter('ignore')\n" + program)
    assert done.stdout == "done\n"


def test_a_time_limit_holds_in_a_mapped_exchange() -> None:
    with recfact.Server(timeout=0.5) as server:
        for _ in range(3):
            assert same_bits(server.lu_factor(A)[0], recfact.inprocess.lu_factor(A)[0])
        pid = pid_of(server)
        os.kill(pid, signal.SIGSTOP)
        with pytest.raises(recfact.ServerTimeoutError, match=r"within 0\.5 s, killed the server"):
            server.lu_factor(A)
        assert pid not in children()
        assert same_bits(server.lu_factor(A)[0], recfact.inprocess.lu_factor(A)[0])


def test_a_forked_child_does_not_touch_the_segment_of_its_parent() -> None:
    program = """
import gc, os, numpy as np, recfact
a = [np.random.default_rng(n).random((n, n)) for n in (5, 300)]
expected = [recfact.inprocess.lu_factor(x)[0] for x in a]
server = recfact.Server()
def check():
    for functions in (server, recfact, recfact.inprocess):
        for x, y in zip(a, expected):
            assert np.array_equal(functions.lu_factor(x)[0], y)
check()
for _ in range(10):
    child = os.fork()
    if child == 0:
        assert server._connection._mapped is None
        assert "memfd:recfact" not in open("/proc/self/maps").read()
        links = [f"/proc/self/fd/{fd}" for fd in os.listdir("/proc/self/fd")]
        assert not any("memfd" in os.readlink(link) for link in links if os.path.islink(link))
        # What is allocated now may get the addresses that the segment has in the parent.
        blocks = [np.full(1 << 20, i) for i in range(20)]
        check()
        gc.collect()
        assert all((block == i).all() for i, block in enumerate(blocks))
        assert server.transport == "mapped"
        server.close()
        os._exit(0)
    check()
    assert os.waitpid(child, 0)[1] == 0
print("done")
"""
    assert run_python(program).stdout == "done\n"


def test_the_threads_of_a_call_are_in_its_frame() -> None:
    in_frames = {}
    with recfact.Server(threads=4) as server:
        for threads in (None, 1, 2, 4, 5):
            mapped_of(server)._plans.clear()
            server.lu_factor(A, threads=threads)
            (plan,) = mapped_of(server)._plans.values()
            in_frames[threads] = int.from_bytes(plan.data[13:17], "little")
    assert in_frames == {None: 0, 1: 1, 2: 1, 4: 0, 5: 0}


def test_a_process_that_has_closed_its_standard_streams_has_a_segment() -> None:
    program = """
import os, numpy as np, recfact
out = os.dup(1)
for fd in range(3):
    os.close(fd)
a = np.random.default_rng(0).random((40, 40))
with recfact.Server() as server:
    same = np.array_equal(server.lu_factor(a)[0], recfact.inprocess.lu_factor(a)[0])
    os.write(out, repr((same, server.transport, server._connection._mapped.segment.fd > 2)).encode())
os._exit(0)
"""
    assert run_python(program).stdout == "(True, 'mapped', True)"


def test_eight_threads_use_the_plans_of_the_library_at_once() -> None:
    matrices = [matrix(6, 6, seed=i) for i in range(8)]
    expected = [recfact.inprocess.lu_factor(a) for a in matrices]

    def work(i: int) -> None:
        for _ in range(3000):
            lu, piv = recfact.inprocess.lu_factor(matrices[i])
            assert same_bits(lu, expected[i][0])
            assert same_bits(piv, expected[i][1])

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(work, range(8)))
