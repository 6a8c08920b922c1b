"""Forks, pools of processes, and ends of the interpreter: no server is shared, and none is left behind."""

from __future__ import annotations

import multiprocessing
import os
import signal
import subprocess
import sys
import threading
import time

import numpy as np
import pytest
from conftest import has_ended, matrix, run_python, same_bits, wait_until

import recfact

A = matrix(25, 25)


def test_a_fork_shares_no_server() -> None:
    program = """
import os, threading, numpy as np, recfact
a = np.random.default_rng(0).random((40, 40))
expected = recfact.lu_factor(a)[0]
own = recfact.Server()
default = recfact._default.DEFAULT.choose()
before = default.pid, own.pid
descriptors = len(os.listdir("/proc/self/fd"))
child = os.fork()
if child == 0:
    assert default.pid is None and own.pid is None
    assert len(os.listdir("/proc/self/fd")) == descriptors - 8, "the parent's pipes and segments are closed"
    for functions in (recfact, own):
        assert np.array_equal(functions.lu_factor(a)[0], expected)
    assert not {default.pid, own.pid} & set(before)
    print("child done", flush=True)
    raise SystemExit(7)
assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 7
for functions in (recfact, own):
    assert np.array_equal(functions.lu_factor(a)[0], expected)
assert (default.pid, own.pid) == before
print("parent done")
"""
    done = run_python(program)
    assert done.stdout.splitlines() == ["child done", "parent done"]
    assert done.stderr == ""


def test_the_pipes_are_not_what_the_program_prints_to() -> None:
    program = """
import os, numpy as np, recfact
a = np.random.default_rng(0).random((40, 40))
expected = recfact.inprocess.lu_factor(a)[0]
out = os.dup(1)
for fd in range(3):
    os.close(fd)
same = np.array_equal(recfact.lu_factor(a)[0], expected)
free = []
for fd in range(3):
    try:
        os.write(fd, b"noise")
    except OSError:
        free.append(fd)
same = same and np.array_equal(recfact.lu_factor(a)[0], expected)
os.write(out, repr((recfact._default.DEFAULT.choose().name, same, free)).encode())
os._exit(0)
"""
    assert run_python(program).stdout == "('server', True, [0, 1, 2])"


def test_a_fork_while_other_threads_call() -> None:
    program = """
import os, threading, numpy as np, recfact
a = np.random.default_rng(0).random((300, 300))
expected = recfact.lu_factor(a)[0]
stop = threading.Event()
def work():
    while not stop.is_set():
        assert np.array_equal(recfact.lu_factor(a)[0], expected)
threads = [threading.Thread(target=work) for _ in range(3)]
[thread.start() for thread in threads]
children = []
for _ in range(20):
    child = os.fork()
    if child == 0:
        good = np.array_equal(recfact.lu_factor(a)[0], expected)
        recfact._default.DEFAULT.choose().close()
        os._exit(0 if good else 1)
    children.append(child)
assert [os.waitpid(child, 0)[1] for child in children] == [0] * 20
stop.set()
[thread.join() for thread in threads]
print("done")
"""
    # Python 3.12 and newer warn of a fork while there are threads.
    assert run_python("import warnings; warnings.simplefilter('ignore')\n" + program).stdout == "done\n"


@pytest.mark.parametrize("method", ["fork", "spawn"])
def test_a_pool_of_processes(method: str) -> None:
    recfact.lu_factor(A)
    matrices = [matrix(n, n) for n in range(10, 30)]
    with multiprocessing.get_context(method).Pool(3) as pool:
        for functions in (recfact, recfact.inprocess):
            for (lu, piv), a in zip(pool.map(functions.lu_factor, matrices), matrices):
                expected = recfact.lu_factor(a)
                assert same_bits(lu, expected[0])
                assert same_bits(piv, expected[1])
        pool.close()
        pool.join()


START = """
import os, signal, sys, threading, time, numpy as np, recfact
recfact.lu_factor(np.eye(3))
own = recfact.Server()
print(recfact._default.DEFAULT.choose().pid, own.pid, flush=True)
"""


@pytest.mark.parametrize(
    ("end", "status"),
    [
        ("", 0),
        ("sys.exit(3)", 3),
        ("recfact.lu_factor(np.zeros(0), threads=2)", 0),
        ("os._exit(4)", 4),
        ("os.kill(os.getpid(), signal.SIGKILL)", -signal.SIGKILL),
        ("os.kill(os.getpid(), signal.SIGTERM)", -signal.SIGTERM),
        ("os.abort()", -signal.SIGABRT),
        ("own.close()", 0),
        ("del own", 0),
        ("own._connection._process._popen.kill()", 0),
    ],
)
def test_no_way_to_end_leaves_a_server(end: str, status: int) -> None:
    done = run_python(START + end, status=status)
    if status in (0, 3):
        assert done.stderr == ""
    for pid in map(int, done.stdout.split()):
        wait_until(lambda pid=pid: has_ended(pid))  # type: ignore[misc]


def test_an_error_ends_the_servers_too() -> None:
    done = run_python(START + "raise ValueError", status=1)
    assert done.stderr.endswith("ValueError\n")
    assert all(has_ended(int(pid)) for pid in done.stdout.split())


def test_a_thread_in_the_middle_of_a_request_does_not_delay_the_end() -> None:
    program = """
pid = recfact._default.DEFAULT.choose().pid
os.kill(pid, signal.SIGSTOP)
def call():
    try:
        recfact.lu_factor(np.ones((500, 500)))
    except BaseException:
        pass
threading.Thread(target=call, daemon=True).start()
time.sleep(0.2)
"""
    started = time.monotonic()
    done = run_python(START + program)
    assert time.monotonic() - started < 10
    assert all(has_ended(int(pid)) for pid in done.stdout.split())


def test_a_server_ends_with_its_parent_while_a_forked_child_lives() -> None:
    program = START + "\nif os.fork() == 0:\n    time.sleep(60)\nelse:\n    print(flush=True)\n    time.sleep(60)\n"
    command = [sys.executable, "-c", program]
    parent = subprocess.Popen(command, stdout=subprocess.PIPE, start_new_session=True)
    assert parent.stdout is not None
    try:
        pids = [int(pid) for pid in parent.stdout.readline().split()]
        parent.stdout.readline()
        assert len(pids) == 2
        assert not any(map(has_ended, pids))
        parent.kill()
        parent.wait()
        for pid in pids:
            wait_until(lambda pid=pid: has_ended(pid))  # type: ignore[misc]
    finally:
        os.killpg(parent.pid, signal.SIGKILL)
        parent.stdout.close()
        parent.wait()


def test_ctrl_c_is_for_the_program_alone() -> None:
    program = START + "sys.stdin.readline()\n" + "print(np.array_equal(recfact.lu_factor(np.eye(2))[0], np.eye(2)))\n"
    program += "print(recfact._default.DEFAULT.choose().pid)"
    command = [sys.executable, "-c", "import signal; signal.signal(signal.SIGINT, lambda *_: None)\n" + program]
    started = subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, start_new_session=True
    )
    assert started.stdout is not None
    pid = started.stdout.readline().split()[0]
    os.killpg(started.pid, signal.SIGINT)
    said, _ = started.communicate("\n", timeout=30)
    assert said.splitlines() == ["True", pid]


def test_a_child_does_not_overwrite_the_array_of_its_parent() -> None:
    # A process of a pool computes in its own memory, so the array of the parent does not change.
    a = np.asfortranarray(matrix(6, 6))
    before = a.copy()
    with multiprocessing.get_context("fork").Pool(1) as pool:
        pool.apply(recfact.lu_factor, (a,), {"overwrite_a": True})
        pool.close()
        pool.join()
    np.testing.assert_array_equal(a, before)


def test_ctrl_c_in_process_waits_until_the_library_has_finished() -> None:
    a = np.asfortranarray(matrix(2000, 2000))
    expected = recfact.inprocess.lu_factor(a)[0]
    first_row = a[0].copy()

    def interrupt() -> None:
        # The factorization has begun, and takes about half a second.
        wait_until(lambda: not np.array_equal(a[0], first_row))
        os.kill(os.getpid(), signal.SIGINT)

    thread = threading.Thread(target=interrupt)
    thread.start()
    with pytest.raises(KeyboardInterrupt):
        recfact.inprocess.lu_factor(a, overwrite_a=True, threads=1)
    thread.join()
    np.testing.assert_array_equal(a, expected)
