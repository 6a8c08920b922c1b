"""Every transport gives the same bits, and the one that is used is the best that the server and the system have."""

from __future__ import annotations

import errno
import os
import signal
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from conftest import Array, children, mapped_of, matrix, pid_of, run_python, same_bits
from hypothesis import given, settings
from hypothesis import strategies as st

import recfact
from recfact import _extended, _find

A = matrix(30, 30)


@pytest.fixture(scope="module")
def servers() -> Any:
    """A server that is used through mapped memory, and one that is not."""
    with pytest.MonkeyPatch.context() as patch:
        patch.delattr(os, "memfd_create")
        pipe = recfact.Server()
    with recfact.Server() as mapped, pipe:
        yield mapped, pipe


LAYOUTS: dict[str, Any] = {
    "C": np.ascontiguousarray,
    "F": np.asfortranarray,
    "rows": lambda a: np.repeat(a, 2, axis=0)[::2],
    "reversed": lambda a: a[::-1, ::-1].copy()[::-1, ::-1],
    "unaligned": lambda a: np.frombuffer(b"x" + a.tobytes(), a.dtype, offset=1).reshape(a.shape),
    "read-only": lambda a: np.frombuffer(a.tobytes(), a.dtype).reshape(a.shape),
}


@settings(max_examples=200, deadline=None)
@given(
    m=st.integers(1, 130),
    n=st.integers(1, 130),
    seed=st.integers(0, 2**32),
    layout=st.sampled_from(sorted(LAYOUTS)),
    dtype=st.sampled_from([np.float32, np.float64]),
    pivot=st.booleans(),
    check_finite=st.booleans(),
    threads=st.sampled_from([None, 1, 2]),
)
def test_every_transport_gives_the_same_bits(
    servers: Any, m: int, n: int, seed: int, layout: str, dtype: Any, pivot: bool, check_finite: bool, threads: Any
) -> None:
    a = LAYOUTS[layout](matrix(m, n, dtype, seed))
    before = a.copy()
    options = {"pivot": pivot, "check_finite": check_finite, "threads": threads}
    results = [functions.lu_factor(a, **options) for functions in (*servers, recfact.inprocess)]
    # An integer takes the long way through the same backends.
    results += (
        [functions.lu_factor(a.astype(object), **options) for functions in servers] if dtype == np.float64 else []
    )
    for lu, piv in results:
        assert same_bits(lu, results[0][0])
        assert same_bits(piv, results[0][1])
        assert lu.flags.f_contiguous
        assert lu.flags.owndata
        assert lu.flags.writeable
        assert piv.flags.owndata
        assert piv.dtype == np.int32
    assert same_bits(np.asarray(a), before)
    assert servers[0].transport == "mapped"
    assert servers[1].transport == "pipe: memfd_create is not available"


@pytest.mark.parametrize("n", [89, 91, 182, 600])
@pytest.mark.parametrize("order", ["C", "F"])
def test_large_matrices_and_the_border_of_the_plans(servers: Any, n: int, order: Any) -> None:
    for m in (n, n + 3):
        a = np.array(matrix(m, n), order=order)
        expected = servers[1].lu_factor(a)
        for functions in (servers[0], recfact.inprocess, recfact):
            for result, want in zip(functions.lu_factor(a), expected):
                assert same_bits(result, want)


def test_other_calls_use_mapped_memory_as_well(servers: Any) -> None:
    stack = np.stack([matrix(7, 7, seed=i) for i in range(5)])
    a = np.asfortranarray(matrix(9, 9))
    calls: list[Any] = [
        lambda f: f.lu_factor(stack),
        lambda f: f.lu(stack),
        lambda f: (f.det(a), f.inv(a), f.solve(a, np.ones(9)), *f.slogdet(a)),
        lambda f: f.lu_factor(a.astype(int) * 3 + np.eye(9, dtype=int), pivot=False),
        lambda f: f.lu_factor(a.copy("F"), overwrite_a=True),
    ]
    number = mapped_of(servers[0])._requests
    for call in calls:
        for mine, theirs in zip(call(servers[0]), call(servers[1])):
            assert same_bits(np.asarray(mine), np.asarray(theirs))
    assert mapped_of(servers[0])._requests == number + 1 + 1 + 4 + 1 + 1


def test_a_matrix_that_may_be_overwritten_is(server: recfact.Server) -> None:
    a = np.asfortranarray(A)
    lu, _ = server.lu_factor(a, overwrite_a=True)
    assert lu is a
    assert same_bits(lu, recfact.inprocess.lu_factor(A)[0])
    assert server.transport == "mapped"


def test_a_zero_pivot_is_warned_of_at_the_line_of_the_caller(servers: Any) -> None:
    a = matrix(5, 5)
    a[:, 2] = 0
    for functions in (*servers, recfact.inprocess):
        for options in ({}, {"pivot": False}):
            with pytest.warns(recfact.LinAlgWarning, match="Diagonal number 3 is exactly zero") as caught:
                functions.lu_factor(a, **options)
            assert [w.filename for w in caught] == [__file__]


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("order", ["C", "F"])
@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("n", [1, 2, 40, 200])
def test_what_is_not_finite_is_refused_and_the_server_goes_on(
    servers: Any, dtype: Any, order: Any, bad: float, n: int
) -> None:
    a = np.array(matrix(n, n, dtype), order=order)
    good = a.copy(order)
    a[n // 2, -1] = bad
    pid = pid_of(servers[0])
    for functions in (servers[0], recfact.inprocess):
        with pytest.raises(ValueError, match=r"^array must not contain infs or NaNs$"):
            functions.lu_factor(a)
        assert same_bits(functions.lu_factor(good)[0], servers[1].lu_factor(good)[0])
        assert not np.isfinite(functions.lu_factor(a, check_finite=False)[0]).all()
    assert pid_of(servers[0]) == pid


def test_results_that_are_kept_do_not_change(servers: Any) -> None:
    for functions in (servers[0], recfact.inprocess):
        for n in (3, 60, 200):
            kept = [functions.lu_factor(matrix(n, n, seed=seed)) for seed in range(6)]
            copies = [(lu.copy(), piv.copy()) for lu, piv in kept]
            for seed in range(20):
                functions.lu_factor(matrix(n, n, seed=100 + seed))
            for (lu, piv), (lu2, piv2) in zip(kept, copies):
                np.testing.assert_array_equal(lu, lu2)
                np.testing.assert_array_equal(piv, piv2)
            # And what users do to their results changes no later one.
            kept[0][0][...] = 77
            assert same_bits(functions.lu_factor(matrix(n, n, seed=1))[0], kept[1][0])


def fake(folder: Path, then: str) -> Path:
    """Writes a program that is an old server when it is started first, and afterwards what `then` says."""
    path = folder / "recfact_server"
    path.write_text(
        f"""#!/bin/sh
if [ -e {folder}/started ]; then {then}; fi
touch {folder}/started
head -c 1 >/dev/null
printf '\\001\\0\\0\\0\\0\\0\\0\\200'
echo 'recfact_server: request 1 at byte 0: expected a command, 0x00 to 0x07 or 0xff, got 0x10' >&2
exit 1
"""
    )
    path.chmod(0o755)
    return path


def test_a_server_that_knows_version_1_only_is_started_again(tmp_path: Path) -> None:
    with recfact.Server(fake(tmp_path, f'exec {_find.executable()} "$@"')) as server:
        assert server.transport == "pipe: not connected yet"
        for _ in range(3):
            for a in (A, A.astype(int) + 9 * np.eye(30, dtype=int)):
                assert same_bits(server.lu_factor(a)[0], recfact.inprocess.lu_factor(a)[0])
            assert server.transport == "pipe: the server knows version 1 only"
            # It is not asked again.
            os.kill(pid_of(server), signal.SIGKILL)


def answers(folder: Path, *frames: tuple[int, bytes]) -> Path:
    """Writes a program that reads HELLO and MAP, gives these answers, and is a good server when it is started again."""
    reply = b"".join(_extended.ANSWER_HEAD.pack(status, len(payload)) + payload for status, payload in frames)
    (folder / "reply").write_bytes(reply)
    path = folder / "recfact_server"
    path.write_text(
        f"""#!/bin/sh
if [ -e {folder}/started ]; then exec {_find.executable()} "$@"; fi
touch {folder}/started
head -c 60 >/dev/null
cat {folder}/reply
exec sleep 60
"""
    )
    path.chmod(0o755)
    return path


WELCOME = b"RECFACT\0" + (2).to_bytes(4, "little") + (3).to_bytes(8, "little") + (1 << 40).to_bytes(8, "little")
WELCOME += (1).to_bytes(4, "little") + b"version=9\n"


@pytest.mark.parametrize(
    ("frames", "reason"),
    [
        ([(0, WELCOME), (-8, b"expected seals, got none")], "the server cannot map memory: expected seals, got none"),
        ([(0, WELCOME[:12] + b"\1" + WELCOME[13:]), (-1, b"what?")], "the server does not map memory"),
        ([(0, b"SOMEBODY" + WELCOME[8:]), (-1, b"what?")], "the server does not map memory"),
        ([(0, b""), (-1, b"what?")], "the server does not map memory"),
        ([(-1, b"what?"), (-1, b"what?")], "the server does not map memory"),
    ],
)
def test_a_server_that_does_not_map_memory_is_used_by_version_1_frames(
    tmp_path: Path, frames: Any, reason: str
) -> None:
    before = children()
    with recfact.Server(answers(tmp_path, *frames)) as server:
        for _ in range(2):
            assert same_bits(server.lu_factor(A)[0], recfact.inprocess.lu_factor(A)[0])
        assert server.transport == f"pipe: {reason}"
    assert children() == before


def test_an_answer_of_another_protocol_is_an_error(tmp_path: Path) -> None:
    path = answers(tmp_path, (0, b""))
    (tmp_path / "reply").write_bytes(b"\0" * 8 + b"\xff" * 16)
    with recfact.Server(path) as server:
        with pytest.raises(recfact.ServerError, match="expected an answer to an extended frame"):
            server.lu_factor(A)
        assert same_bits(server.lu_factor(A)[0], recfact.inprocess.lu_factor(A)[0])


def test_without_seals_matrices_go_through_pipes(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*arguments: Any) -> int:
        raise OSError(errno.ENOSYS, os.strerror(errno.ENOSYS))

    monkeypatch.setattr(os, "memfd_create", refuse)
    with recfact.Server() as server:
        assert same_bits(server.lu_factor(A)[0], recfact.inprocess.lu_factor(A)[0])
        assert server.transport == "pipe: [Errno 38] Function not implemented"


def test_a_matrix_without_memory_for_its_segment_goes_through_the_pipes(
    server: recfact.Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    server.lu_factor(A)
    with monkeypatch.context() as patch:

        def refuse(*arguments: Any) -> None:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

        patch.setattr(os, "posix_fallocate", refuse)
        large = matrix(400, 400)
        assert same_bits(server.lu_factor(large)[0], recfact.inprocess.lu_factor(large)[0])
        assert same_bits(server.lu_factor(A)[0], recfact.inprocess.lu_factor(A)[0])
    size = mapped_of(server).segment.size
    assert same_bits(server.lu_factor(large)[0], recfact.inprocess.lu_factor(large)[0])
    assert mapped_of(server).segment.size > size
    assert server.transport == "mapped"


def test_without_any_memory_for_a_segment_the_reason_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*arguments: Any) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "posix_fallocate", refuse)
    with recfact.Server() as server:
        assert same_bits(server.lu_factor(A)[0], recfact.inprocess.lu_factor(A)[0])
        assert server.transport.startswith("pipe: there is no memory for a segment ([Errno 28]")


@pytest.mark.parametrize("limit", [0, 1000, 8 * 200 * 200])
def test_a_matrix_above_the_limit_is_refused_and_the_server_goes_on(limit: int) -> None:
    with recfact.Server(max_bytes=limit) as server:
        pid = pid_of(server)
        n = int((limit / 8) ** 0.5)
        for order in ("C", "F"):
            if n:
                a = np.array(matrix(n, n), order=order)
                assert same_bits(server.lu_factor(a)[0], recfact.inprocess.lu_factor(a)[0])
            for larger in (n + 1, 1500):
                message = rf"at most {limit} bytes, got {larger} x {larger} of {8 * larger**2} bytes; `max_bytes` sets"
                with pytest.raises(recfact.ServerError, match=message):
                    server.lu_factor(np.array(matrix(larger, larger), order=order))
        assert pid_of(server) == pid
        assert server.transport == "mapped"


def test_the_transport_of_the_default_server() -> None:
    program = (
        "import numpy as np, recfact; print(recfact.transport()); recfact.det(np.eye(3)); print(recfact.transport())"
    )
    assert run_python(program).stdout.splitlines() == ["pipe: not connected yet", "mapped"]
    ignore = "import warnings; warnings.simplefilter('ignore'); "
    for missing, name in (({}, "inprocess"), ({"RECFACT_LIBRARY": "/nowhere"}, "scipy")):
        said = run_python(ignore + program, env={"RECFACT_SERVER": "/nowhere/recfact_server", **missing}).stdout
        assert said.splitlines() == [f"none: there is no server ({name})"] * 2
    server = recfact.Server()
    server.close()
    assert server.transport == "none: this server is closed"


def test_a_result_has_the_byte_order_of_the_machine(servers: Any) -> None:
    other: Array = A.astype(A.dtype.newbyteorder(">"))
    for functions in (*servers, recfact.inprocess):
        assert same_bits(functions.lu_factor(other)[0], recfact.lu_factor(A)[0])
