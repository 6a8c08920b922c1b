"""Matrices in files and the ranks of a launcher: real ones if MPI is there, and scripts that say what ranks say."""

from __future__ import annotations

import ctypes.util
import glob
import os
import re
import shutil
import signal
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any
from urllib.parse import unquote_to_bytes

import numpy as np
import pytest
import scipy.linalg
from conftest import Array, has_ended, matrix, run_python, same_bits, script, wait_until
from numpy.linalg import LinAlgError

import recfact
import recfact.distributed
from recfact import _extended, _find, _npy, _ranks

FOLDER = Path(__file__).parent.parent

# The program that real launchers start twice, on the machine of the test.
LAUNCHER = "mpirun.openmpi -n 2"
MPI_ENVIRONMENT = {
    "OMPI_ALLOW_RUN_AS_ROOT": "1",
    "OMPI_ALLOW_RUN_AS_ROOT_CONFIRM": "1",
    "OMPI_MCA_rmaps_base_oversubscribe": "1",
}

# The sizes of the system that scripts pretend to solve.
N, NRHS = 3, 2


def has_scalapack() -> bool:
    found = ctypes.util.find_library("scalapack-openmpi")
    return found is not None or any(
        map(glob.glob, ("/usr/lib/*/libscalapack-openmpi.so*", "/usr/lib64/libscalapack-*"))
    )


def has_rank() -> bool:
    """Returns whether the program of the ranks is where it is looked for."""
    server = _find.executable()
    beside = Path(os.path.realpath(server)).with_name(_find.RANK)
    return bool(os.environ.get("RECFACT_RANK")) or beside.is_file() or _find.rank(server) is not None


@pytest.fixture
def launcher(monkeypatch: pytest.MonkeyPatch) -> str:
    """A real launcher of two ranks."""
    if shutil.which("mpirun.openmpi") is None:
        pytest.skip("OpenMPI is not installed: there is no mpirun.openmpi")
    if not has_scalapack():
        pytest.skip("ScaLAPACK for OpenMPI is not installed: there is no libscalapack-openmpi")
    if not has_rank():
        pytest.skip("recfact_rank is not built: cargo build --release --package recfact-rank")
    for name, value in MPI_ENVIRONMENT.items():
        monkeypatch.setenv(name, value)
    return LAUNCHER


def result(**figures: Any) -> str:
    """The line in which the first rank says that the job is done."""
    usual = {"info": 0, "m": N, "n": N, "nrhs": NRHS, "bits": 64, "grid": "2x3", "block": 32, "steps": 0}
    times = {"seconds": 1.5, "factor_seconds": 0.75, "gflops": 2.5, "rcond": 0.125, "backward_error": 1e-16}
    fields = {**usual, **times, **figures}
    return "recfact_rank: result " + " ".join(f"{name}={value}" for name, value in fields.items())


ALIVE = "echo recfact_rank: alive 0 1"


class Fake:
    """A folder with a system in files, and a launcher that is a shell script.

    The script gets `$out`, the name of the result, and the folder as its current one.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.x = matrix(N, NRHS, seed=1)
        for name, array in (("a", matrix(N, N)), ("b", matrix(N, NRHS)), ("prepared", np.asfortranarray(self.x))):
            np.save(folder / f"{name}.npy", array)
        np.save(folder / "ipiv.npy", np.array([2, 3, 3], np.int64))
        self.a, self.b = folder / "a.npy", folder / "b.npy"
        self.before = self.names()

    def names(self) -> set[str]:
        """The files of the folder, without those that scripts write for the test."""
        return set(os.listdir(self.folder)) - {"launcher", "pid", "arguments"}

    def launcher(self, *lines: str) -> str:
        """Returns a command that runs these lines."""
        path = self.folder / "launcher"
        head = [
            "for argument; do case $argument in --out=*) out=${argument#--out=};; esac; done",
            # A name has %XX for each byte that could mean anything to a shell.
            f"out=$('{sys.executable}' -c 'import sys, urllib.parse as p; print(p.unquote(sys.argv[1]))' \"$out\")",
            f"cd '{self.folder}'",
        ]
        path.write_text("\n".join(["#!/bin/sh", *head, *lines, ""]))
        path.chmod(0o755)
        return f"'{path}' -n 6"

    def solving(self, *lines: str, **figures: Any) -> str:
        """Returns a launcher that writes x and says so."""
        return self.launcher(*lines, ALIVE, 'cp prepared.npy "$out"', f"echo {result(**figures)}")

    def factoring(self, **figures: Any) -> str:
        copies = 'cp a.npy "$out-lu.npy"', 'cp ipiv.npy "$out-ipiv.npy"'
        return self.launcher(ALIVE, *copies, f"echo {result(nrhs=0, **figures)}")

    def hanging(self, *lines: str) -> str:
        """Returns a launcher that begins a result, writes its process id to a file, and does nothing more."""
        return self.launcher(
            *lines, ALIVE, 'echo x >"$out.unfinished-1"', "echo $$ >began", "mv began pid", "exec sleep 60"
        )

    def pid(self) -> int:
        """The process id of the launcher, when it hangs."""
        wait_until((self.folder / "pid").exists)
        return int((self.folder / "pid").read_text())

    def arguments(self) -> list[str]:
        """What the launcher got, if `RECORD` is among its lines."""
        return (self.folder / "arguments").read_text().splitlines()


RECORD = 'printf "%s\\n" "$0" "$@" >arguments'


@pytest.fixture
def fake(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Fake:
    # Scripts do not run it, but the server looks for it.
    monkeypatch.setenv("RECFACT_RANK", "/bin/sh")
    folder = tmp_path / "a folder"
    folder.mkdir()
    return Fake(folder)


def test_the_module_is_imported_when_it_is_used_first() -> None:
    program = """
import sys, recfact
assert "recfact.distributed" not in sys.modules
assert recfact.distributed is sys.modules["recfact.distributed"]
try:
    recfact.nothing
except AttributeError as error:
    print(error)
"""
    assert run_python(program).stdout == "module 'recfact' has no attribute 'nothing'\n"
    assert "distributed" in recfact.__all__


def test_a_solution_is_a_read_only_map_of_a_file_that_is_gone(fake: Fake) -> None:
    x = recfact.distributed.solve(fake.a, fake.b, launcher=fake.solving())
    assert isinstance(x, np.memmap)
    assert not x.flags.writeable
    assert x.flags.f_contiguous
    np.testing.assert_array_equal(x, fake.x)
    assert fake.names() == fake.before


def test_a_solution_has_the_figures_of_the_ranks(fake: Fake) -> None:
    found = recfact.distributed.solution(fake.a, fake.b, launcher=fake.solving(steps=1))
    np.testing.assert_array_equal(found.x, fake.x)
    assert (found.ranks, found.grid, found.block, found.steps) == (6, (2, 3), 32, 1)
    assert (found.seconds, found.factor_seconds, found.gflops) == (1.5, 0.75, 2.5)
    assert (found.rcond, found.backward_error) == (0.125, 1e-16)
    with pytest.raises(AttributeError):
        found.steps = 2  # type: ignore[misc]


def test_factors_are_those_of_lu_factor_and_their_files_stay_if_they_are_named(fake: Fake) -> None:
    for output in (None, fake.folder / "F"):
        found = recfact.distributed.factorization(fake.a, launcher=fake.factoring(), output=output)
        lu, piv = recfact.distributed.factor(fake.a, launcher=fake.factoring(), output=output)
        np.testing.assert_array_equal(lu, np.load(fake.a))
        assert isinstance(lu, np.memmap)
        assert piv.tolist() == found.piv.tolist() == [1, 2, 2]
        assert type(piv) is np.ndarray
        assert piv.dtype == np.int32
        assert same_bits(found.lu, lu)
        assert (found.info, found.ranks, found.gflops) == (0, 6, 2.5)
        assert fake.names() - fake.before == (set() if output is None else {"F-lu.npy", "F-ipiv.npy"})


def test_a_named_result_stays_and_replaces_another_file(fake: Fake) -> None:
    output = fake.folder / "x.npy"
    output.write_text("something else")
    x = recfact.distributed.solve(fake.a, fake.b, launcher=fake.solving(), output=output)
    assert fake.names() - fake.before == {"x.npy"}
    np.testing.assert_array_equal(np.load(output), x)


def test_relative_names_and_names_that_are_no_text_reach_the_ranks(fake: Fake, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(fake.folder)
    odd = b"\xff 'a'.npy"
    shutil.copy(fake.a, os.fsdecode(odd))
    recfact.distributed.solve(odd, "./b.npy", launcher=fake.solving(RECORD), output="x.npy")
    folder = os.fsencode(fake.folder)
    recorded = (fake.folder / "arguments").read_text().splitlines()[4:7]
    names = [unquote_to_bytes(argument.partition("=")[2]) for argument in recorded]
    assert names == [folder + b"/" + odd, folder + b"/b.npy", folder + b"/x.npy"]
    assert re.fullmatch("[A-Za-z0-9/._%-]+", recorded[0].partition("=")[2])


def test_the_ranks_get_the_options(fake: Fake) -> None:
    solve = recfact.distributed.solve
    solve(fake.a, fake.b, launcher=fake.solving(RECORD), transposed=True, refine=True, grid=(2, 3), block=32)
    arguments = fake.arguments()
    assert arguments[1:4] == ["-n", "6", "/bin/sh"]
    assert {"--transpose", "--refine", "--grid=2x3", "--block=32"} <= set(arguments)
    solve(fake.a, fake.b, launcher=fake.solving(RECORD))
    assert not {"--transpose", "--refine"} & set(fake.arguments())
    assert not [argument for argument in fake.arguments() if argument.startswith("--factors")]
    solve(fake.a, fake.b, launcher=fake.solving(RECORD), factors=fake.folder / "F;")
    [factors] = [argument for argument in fake.arguments() if argument.startswith("--factors=")]
    assert unquote_to_bytes(factors.partition("=")[2]) == os.fsencode(fake.folder / "F;")
    solve(fake.a, fake.b, launcher=fake.solving(RECORD))
    assert not [argument for argument in fake.arguments() if argument.startswith(("--grid", "--block"))]
    recfact.distributed.factor(fake.a, launcher=fake.factoring(), grid=(1, 1), block=2**32 - 1)


def test_a_launcher_may_be_its_words(fake: Fake) -> None:
    fake.solving(RECORD)
    words = str(fake.folder / "launcher"), "--name=it's a name", "", "#", "\\"
    recfact.distributed.solve(fake.a, fake.b, launcher=words)
    assert tuple(fake.arguments()[: len(words)]) == words


def test_progress_rises_to_one(fake: Fake) -> None:
    told: list[float] = []
    lines = [line for i in (1, 2, 3) for line in (f"echo recfact_rank: progress factoring 0.{i}000", "sleep 0.5")]
    recfact.distributed.solve(fake.a, fake.b, launcher=fake.solving(*lines), progress=told.append)
    assert told == sorted(told)
    assert told[-1] == 1.0
    assert {0.2, 0.3} & set(told)
    wait_until(lambda: not [thread for thread in threading.enumerate() if thread.name == "recfact progress"])


def test_progress_of_a_job_that_fails_does_not_rise_to_one(fake: Fake) -> None:
    told: list[float] = []
    lines = ALIVE, "echo recfact_rank: progress solving 0.5000", "sleep 1.2", "echo recfact_rank: error engine broken"
    with pytest.raises(recfact.ServerError, match="broken"):
        recfact.distributed.solve(fake.a, fake.b, launcher=fake.launcher(*lines), progress=told.append)
    assert told
    assert set(told) == {0.5}


@pytest.mark.parametrize(
    ("fault", "error"),
    [("file", recfact.UnusableFileError), ("memory", recfact.ServerError), ("engine", recfact.ServerError)],
)
def test_what_the_ranks_say_is_the_error_and_nothing_is_left(fake: Fake, fault: str, error: type[Exception]) -> None:
    text = "a.npy: expected a finite number, got NaN"
    begun = ALIVE, 'echo x >"$out.unfinished-1"'
    with pytest.raises(error) as raised:
        recfact.distributed.solve(
            fake.a, fake.b, launcher=fake.launcher(*begun, f"echo recfact_rank: error {fault} {text}")
        )
    assert type(raised.value) is error
    assert str(raised.value) == text
    assert isinstance(raised.value, ValueError) == (fault == "file")
    assert fake.names() == fake.before


def test_a_launcher_that_ends_without_a_result_is_named_with_its_status_and_its_words(fake: Fake) -> None:
    launcher = fake.launcher("echo There are not enough slots >&2", "exit 7")
    with pytest.raises(recfact.ServerError, match=r"launcher ended with exit status 7: There are not enough slots"):
        recfact.distributed.solve(fake.a, fake.b, launcher=launcher)
    with pytest.raises(recfact.ServerError, match="expected to start the launcher no-such-launcher, got: No such file"):
        recfact.distributed.factor(fake.a, launcher="no-such-launcher -n 4")


def test_a_server_that_knows_no_launcher_is_an_error(
    fake: Fake, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    old = script(tmp_path, "echo \"recfact_server: unexpected argument '--launcher' found\" >&2; exit 64")
    monkeypatch.setenv("RECFACT_SERVER", str(old))
    with pytest.raises(recfact.ServerError, match=r"exit status 64: recfact_server: unexpected argument") as raised:
        recfact.distributed.solve(fake.a, fake.b, launcher="mpirun")
    assert raised.value.status == 64


def test_silence_is_an_option_of_the_server(fake: Fake, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    server = script(tmp_path, f'echo "$@" >{tmp_path}/said; exec {_find.executable()} "$@"')
    monkeypatch.setenv("RECFACT_SERVER", str(server))
    recfact.distributed.solve(fake.a, fake.b, launcher=fake.solving(), silence=300)
    assert (tmp_path / "said").read_text().endswith(" --silence=300\n")


def test_a_singular_matrix_is_an_error_of_solve_and_a_warning_of_factor(fake: Fake) -> None:
    launcher = fake.launcher(f"echo {result(info=2, rcond='NaN', backward_error='NaN')}")
    for function in (recfact.distributed.solve, recfact.distributed.solution):
        with pytest.raises(LinAlgError, match="singular matrix detected: diagonal number 2 is exactly zero"):
            function(fake.a, fake.b, launcher=launcher)
    for factor in (recfact.distributed.factor, recfact.distributed.factorization):
        with pytest.warns(recfact.LinAlgWarning, match=r"^Diagonal number 2 is exactly zero") as caught:
            factor(fake.a, launcher=fake.factoring(info=2))
        assert [warning.filename for warning in caught] == [__file__]


@pytest.mark.parametrize("rcond", ["1e-20", "0", "NaN"])
def test_an_ill_conditioned_matrix_is_a_warning_at_the_line_of_the_caller(fake: Fake, rcond: str) -> None:
    for function in (recfact.distributed.solve, recfact.distributed.solution):
        with pytest.warns(recfact.LinAlgWarning, match=r"ill-conditioned .* rcond = ") as caught:
            function(fake.a, fake.b, launcher=fake.solving(rcond=rcond))
        assert [warning.filename for warning in caught] == [__file__]


def test_a_result_that_becomes_visible_late_is_waited_for(fake: Fake, monkeypatch: pytest.MonkeyPatch) -> None:
    # What the launcher leaves behind in its own group would be killed.
    late = """setsid sh -c 'sleep 0.5; cp prepared.npy "$0"' "$out" >/dev/null 2>&1 &"""
    x = recfact.distributed.solve(fake.a, fake.b, launcher=fake.launcher(late, "sleep 0.2", f"echo {result()}"))
    np.testing.assert_array_equal(x, fake.x)
    monkeypatch.setattr(_npy, "_VISIBLE_SECONDS", 0.2)
    with pytest.raises(FileNotFoundError):
        recfact.distributed.solve(fake.a, fake.b, launcher=fake.launcher(f"echo {result()}"))


def test_a_result_of_another_shape_is_not_returned(fake: Fake) -> None:
    with pytest.raises(recfact.ServerError, match=r"expected a result of \(3, 2\) float64, got \(3, 3\) float64"):
        recfact.distributed.solve(fake.a, fake.b, launcher=fake.launcher('cp a.npy "$out"', f"echo {result()}"))


def test_a_call_that_takes_too_long_ends_the_ranks(fake: Fake) -> None:
    with pytest.raises(recfact.ServerTimeoutError, match=r"expected an answer within 0\.7 s, ended the ranks"):
        recfact.distributed.solve(fake.a, fake.b, launcher=fake.hanging(), timeout=0.7)
    assert has_ended(fake.pid())
    assert fake.names() == fake.before


def test_a_call_may_have_any_time(fake: Fake) -> None:
    for timeout in (1e9, float("inf")):
        x = recfact.distributed.solve(fake.a, fake.b, launcher=fake.solving(), timeout=timeout)
        np.testing.assert_array_equal(x, fake.x)


def interrupted(fake: Fake, launcher: str, times: int) -> float:
    """Presses Ctrl-C when the launcher hangs, and perhaps again. Returns the seconds until the call has ended."""
    begin = [0.0]

    def press() -> None:
        fake.pid()
        begin[0] = time.monotonic()
        for _ in range(times):
            os.kill(os.getpid(), signal.SIGINT)
            time.sleep(0.3)

    thread = threading.Thread(target=press)
    thread.start()
    with pytest.raises(KeyboardInterrupt):
        recfact.distributed.solve(fake.a, fake.b, launcher=launcher)
    seconds = time.monotonic() - begin[0]
    thread.join()
    return seconds


def test_ctrl_c_ends_the_ranks_and_leaves_nothing(fake: Fake) -> None:
    assert interrupted(fake, fake.hanging(), 1) < 4
    assert has_ended(fake.pid())
    assert fake.names() == fake.before


def test_a_second_ctrl_c_does_not_wait_for_a_launcher_that_does_not_end(fake: Fake) -> None:
    assert interrupted(fake, fake.hanging("trap '' TERM"), 2) < 3
    assert fake.names() == fake.before
    os.kill(fake.pid(), signal.SIGKILL)


def test_the_end_of_the_program_ends_the_ranks_of_its_threads(fake: Fake) -> None:
    program = """
import os, sys, threading, time, recfact.distributed
folder, launcher = sys.argv[1:]
os.chdir(folder)
call = lambda: recfact.distributed.solve("a.npy", "b.npy", launcher=launcher)
threading.Thread(target=call, daemon=True).start()
while not os.path.exists("pid"):
    time.sleep(0.01)
"""
    run_python(program, str(fake.folder), fake.hanging())
    wait_until(lambda: has_ended(fake.pid()))


def test_threads_have_ranks_of_their_own(fake: Fake) -> None:
    launcher = fake.solving("sleep 0.2")
    with ThreadPoolExecutor(4) as pool:
        calls = [pool.submit(recfact.distributed.solve, fake.a, fake.b, launcher=launcher) for _ in range(8)]
    assert all(np.array_equal(call.result(), fake.x) for call in calls)
    assert fake.names() == fake.before


def test_nothing_is_left_of_a_call(fake: Fake) -> None:
    def call() -> None:
        recfact.distributed.solve(fake.a, fake.b, launcher=fake.solving(), progress=lambda _: None)

    call()
    descriptors = len(os.listdir("/proc/self/fd"))
    for _ in range(3):
        call()
    wait_until(lambda: len(os.listdir("/proc/self/fd")) <= descriptors)


def test_the_program_of_the_ranks_is_beside_the_server_or_named_or_in_the_package(
    fake: Fake, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def used() -> str:
        recfact.distributed.solve(fake.a, fake.b, launcher=fake.solving(RECORD))
        return fake.arguments()[3]

    server, package, beside = tmp_path / "server", tmp_path / "package" / "recfact_rank", tmp_path / "recfact_rank"
    shutil.copy(_find.executable(), server)
    package.parent.mkdir()
    monkeypatch.setenv("RECFACT_SERVER", str(server))
    monkeypatch.setattr(_find, "__file__", str(package.parent / "_find.py"))
    assert used() == "/bin/sh"
    monkeypatch.setenv("RECFACT_RANK", "")
    with pytest.raises(recfact.ServerError, match=rf"expected the program of the ranks, {re.escape(str(beside))}"):
        used()
    package.touch()
    assert used() == str(package)
    beside.touch()
    assert used() == str(beside)


def test_the_bytes_of_a_request_and_of_an_answer_are_those_of_the_protocol() -> None:
    frame = _extended.files((b"/a", b"/bc", b"/def", b"/ghij"), flags=1 << 12, grid=(2, 3), block=64, steps=1)
    fields = [1 << 12, 2, 3, 64, 2, 3, 4, 5, 1]
    numbers = b"".join(number.to_bytes(4, "little") for number in fields)
    assert frame == b"\x51" + (36 + 14).to_bytes(8, "little") + numbers + b"/a/bc/def/ghij"
    assert _extended.files((b"/a", b"", b"/b", b""))[0] == 0x50
    answer = b"".join(
        [
            (-1).to_bytes(8, "little", signed=True),
            *[number.to_bytes(8, "little") for number in (4, 5, 6)],
            *[number.to_bytes(4, "little") for number in (64, 2, 3, 32, 1)],
            bytes(4),
            np.array([0.5, 1.5, 2.5, 3.5, 4.5], "<f8").tobytes(),
        ]
    )
    assert len(answer) == 96
    assert tuple(_extended.files_answer(answer)) == (-1, 4, 5, 6, 64, 2, 3, 32, 1, 0.5, 1.5, 2.5, 3.5, 4.5)


def test_names_that_do_not_fit_a_pipe_at_once_are_sent(fake: Fake, monkeypatch: pytest.MonkeyPatch) -> None:
    deep = fake.folder.joinpath(*["d" * 200] * 19)
    deep.mkdir(parents=True)
    for name in ("a.npy", "b.npy"):
        shutil.copy(fake.folder / name, deep / name)
    x = recfact.distributed.solve(deep / "a.npy", deep / "b.npy", launcher=fake.solving(), output=deep / "x.npy")
    np.testing.assert_array_equal(x, fake.x)


@pytest.fixture
def files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with files that do not fit together. Nothing can be started."""
    monkeypatch.setattr(_ranks.Ranks, "do", lambda *_: pytest.fail("something was started"))
    arrays = {
        "a": matrix(3, 3),
        "wide": matrix(3, 4),
        "vector": np.ones(3),
        "long": np.ones(4),
        "stack": np.ones((3, 3, 3)),
        "single": matrix(3, 3, np.float32),
        "swapped": matrix(3, 3).astype(">f8"),
        "complex": matrix(3, 3) + 0j,
        "number": np.array(1.0),
    }
    for name, array in arrays.items():
        np.save(tmp_path / f"{name}.npy", array)
    (tmp_path / "text.npy").write_text("1 2\n3 4\n")
    (tmp_path / "short.npy").write_bytes((tmp_path / "a.npy").read_bytes()[:-8])
    return tmp_path


@pytest.mark.parametrize(
    ("a", "b", "error", "message"),
    [
        ("wide", "vector", ValueError, r"Expected square matrix, got a1\.shape=\(3, 4\)"),
        ("vector", "vector", ValueError, r"expected a matrix in .*vector\.npy, got an array of shape \(3,\)"),
        ("stack", "vector", ValueError, r"expected a matrix in .*stack\.npy, got an array of shape \(3, 3, 3\)"),
        ("a", "long", ValueError, r"incompatible shapes: a\.shape=\(3, 3\) and b\.shape=\(4,\)"),
        ("a", "stack", ValueError, r"incompatible shapes: a\.shape=\(3, 3\) and b\.shape=\(3, 3, 3\)"),
        ("a", "number", ValueError, r"incompatible shapes: a\.shape=\(3, 3\) and b\.shape=\(\)"),
        ("a", "single", TypeError, r"expected b to have elements of type '<f8' as a has, got '<f4' in .*single\.npy"),
        ("swapped", "vector", TypeError, r"expected a to have elements of type '<f8' or '<f4', got '>f8' in .*swapped"),
        ("a", "complex", TypeError, r"expected b to have elements of type '<f8' or '<f4', got '<c16'"),
        ("text", "vector", ValueError, r"expected a to be the name of a \.npy file, got '.*text\.npy' \(the magic"),
        ("a", "short", ValueError, r"expected b to be the name of a \.npy file, got '.*short\.npy' \(mmap length"),
        ("missing", "vector", FileNotFoundError, r"No such file or directory: '.*missing\.npy'"),
    ],
)
def test_files_are_checked_before_anything_is_started(
    files: Path, a: str, b: str, error: type[Exception], message: str
) -> None:
    with pytest.raises(error, match=message):
        recfact.distributed.solve(files / f"{a}.npy", files / f"{b}.npy", launcher="mpirun")


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ({"launcher": ""}, ValueError, "expected launcher to be a command that starts the ranks, such as .*, got ''"),
        ({"launcher": []}, ValueError, "expected launcher to be a command"),
        ({"launcher": "mpirun 'a"}, ValueError, r"got \"mpirun 'a\" \(No closing quotation\)"),
        ({"launcher": 4}, TypeError, "expected launcher to be a command that starts the ranks, .*, got 4"),
        ({"launcher": ["mpirun", "-n", 4]}, TypeError, r"expected launcher .*, got \['mpirun', '-n', 4\]"),
        ({"grid": 4}, TypeError, r"expected grid to be rows and columns of ranks, such as \(2, 3\), got 4"),
        ({"grid": (1, 2, 3)}, TypeError, r"expected grid to be rows and columns of ranks, .* got \(1, 2, 3\)"),
        ({"grid": (0, 2)}, ValueError, r"expected the rows of grid to be at least 1 and less than 2\*\*32, got 0"),
        ({"grid": (2, 1.5)}, TypeError, r"expected the columns of grid to be an integer, got 1\.5"),
        ({"block": 0}, ValueError, "expected block to be at least 1"),
        ({"block": 2**32}, ValueError, r"expected block to be at least 1 and less than 2\*\*32, got 4294967296"),
        ({"block": "64"}, TypeError, "expected block to be an integer, got '64'"),
        ({"silence": 0}, ValueError, "expected silence to be at least 1"),
        ({"timeout": 0}, ValueError, "expected a timeout of more than zero seconds, got timeout=0"),
        ({"timeout": float("nan")}, ValueError, "expected a timeout of more than zero seconds, got timeout=nan"),
        ({"progress": 3}, TypeError, "expected progress to be a function of one number, got 3"),
        ({"output": 3}, TypeError, "expected output to be the name of a .npy file, got int"),
        ({"output": ""}, ValueError, "expected output to be the name of a file, .*, got ''"),
        ({"output": "folder/"}, ValueError, "expected output to be the name of a file, .*, got 'folder/'"),
        ({"output": "x" * 5000}, ValueError, "expected output to be the name of a file, of at most 4095 bytes"),
        ({"output": "no-folder/x.npy"}, FileNotFoundError, "expected a folder in which a result can be created"),
        ({"a": np.eye(3)}, TypeError, r"expected a to be the name of a \.npy file, got ndarray; numpy\.save makes one"),
    ],
)
def test_arguments_are_checked_before_anything_is_started(
    files: Path, arguments: dict[str, Any], error: type[Exception], message: str
) -> None:
    usual: dict[str, Any] = {"a": files / "a.npy", "b": files / "vector.npy", "launcher": "mpirun"}
    given = {**usual, **arguments}
    with pytest.raises(error, match=message):
        recfact.distributed.solve(**given)
    del given["b"]
    with pytest.raises(error, match=message):
        recfact.distributed.factorization(**given)


@pytest.mark.parametrize(
    ("factors", "error", "message"),
    [
        ((np.eye(3), np.arange(3)), TypeError, "expected factors to be the name that `factor` was given .*, got tuple"),
        ("", ValueError, "expected factors to be the name of a file, .*, got ''"),
        ("x" * 5000, ValueError, "expected factors to be the name of a file, of at most 4095 bytes"),
    ],
)
def test_the_name_of_factors_is_checked(files: Path, factors: Any, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        recfact.distributed.solve(files / "a.npy", files / "vector.npy", launcher="mpirun", factors=factors)


def test_a_result_cannot_replace_a_folder(files: Path) -> None:
    (files / "x").mkdir()
    (files / "x-ipiv.npy").mkdir()
    with pytest.raises(IsADirectoryError, match=r"expected the name of a file, got a folder: .*/x'"):
        recfact.distributed.solve(files / "a.npy", files / "vector.npy", launcher="mpirun", output=files / "x")
    with pytest.raises(IsADirectoryError, match=r"expected the name of a file, got a folder: .*/x-ipiv\.npy'"):
        recfact.distributed.factor(files / "a.npy", launcher="mpirun", output=files / "x")


def test_a_folder_that_cannot_be_written_to_is_an_error_that_says_what_to_do(
    files: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # For root the system says that every folder can be written to.
    monkeypatch.setattr(os, "access", lambda *_: False)
    with pytest.raises(PermissionError, match="in which a result can be created; `output` names another place"):
        recfact.distributed.factor(files / "a.npy", launcher="mpirun")


# Each of the following runs real ranks.


def saved(folder: Path, order: Any = "C", dtype: Any = np.float64, n: int = 150, nrhs: int = 0) -> tuple[Array, Array]:
    """Writes a system to a.npy and b.npy. Without `nrhs` b is a vector."""
    a = np.array(matrix(n, n, dtype), order=order)
    b = matrix(n, max(nrhs, 1), dtype, seed=1)
    b = np.array(b, order=order) if nrhs else b[:, 0]
    np.save(folder / "a.npy", a)
    np.save(folder / "b.npy", b)
    return a, b


def require_solved(a: Array, b: Array, x: Array) -> None:
    """Compares a residual with its bound: N. J. Higham, Accuracy and Stability of Numerical Algorithms, theorem 9.4."""
    a, b, x1 = (array.astype(np.float64) for array in (a, b, np.asarray(x)))
    p, lower, upper = scipy.linalg.lu(a)
    bound = 3 * len(a) * float(np.finfo(x.dtype).eps) * (p @ np.abs(lower) @ np.abs(upper) @ np.abs(x1))
    assert (np.abs(b - a @ x1) <= bound).all()


@pytest.mark.parametrize("nrhs", [0, 1, 5])
@pytest.mark.parametrize("order", ["C", "F"])
@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_ranks_solve_systems(tmp_path: Path, launcher: str, order: str, dtype: Any, nrhs: int) -> None:
    a, b = saved(tmp_path, order, dtype, nrhs=nrhs)
    x = recfact.distributed.solve(tmp_path / "a.npy", tmp_path / "b.npy", launcher=launcher)
    assert (x.shape, x.dtype) == (b.shape, b.dtype)
    assert isinstance(x, np.memmap)
    require_solved(a, b, x)
    assert sorted(os.listdir(tmp_path)) == ["a.npy", "b.npy"]


def test_ranks_solve_with_the_transpose_and_refine(tmp_path: Path, launcher: str) -> None:
    a, b = saved(tmp_path, nrhs=2)
    found = recfact.distributed.solution(
        *(tmp_path / "a.npy", tmp_path / "b.npy"),
        launcher=launcher,
        transposed=True,
        refine=True,
        grid=(2, 1),
        block=16,
    )
    require_solved(a.T, b, found.x)
    assert (found.ranks, found.grid, found.block, found.steps) == (2, (2, 1), 16, 1)
    assert 0 <= found.backward_error <= 4 * np.finfo(np.float64).eps
    assert found.rcond == pytest.approx(recfact.factorized(a).rcond, rel=2)
    assert 0 < found.factor_seconds <= found.seconds
    assert found.gflops > 0


@pytest.mark.parametrize(("m", "n"), [(150, 150), (170, 90), (90, 170)])
def test_ranks_factor_matrices(tmp_path: Path, launcher: str, m: int, n: int) -> None:
    a = matrix(m, n)
    np.save(tmp_path / "a.npy", a)
    lu, piv = recfact.distributed.factor(tmp_path / "a.npy", launcher=launcher, output=tmp_path / "F")
    assert sorted(os.listdir(tmp_path)) == ["F-ipiv.npy", "F-lu.npy", "a.npy"]
    assert np.load(tmp_path / "F-ipiv.npy").tolist() == (piv + 1).tolist()
    k = min(m, n)
    rows = np.arange(m)
    for i, row in enumerate(piv):
        rows[[i, row]] = rows[[row, i]]
    lower, upper = np.tril(lu[:, :k], -1) + np.eye(m, k), np.triu(lu[:k])
    # The same book, theorem 9.3.
    bound = k * float(np.finfo(np.float64).eps) * (np.abs(lower) @ np.abs(upper))
    assert (np.abs(a[rows] - lower @ upper) <= bound).all()


def test_factors_of_ranks_are_solved_with(tmp_path: Path, launcher: str) -> None:
    a, b = saved(tmp_path)
    factors = recfact.distributed.factor(tmp_path / "a.npy", launcher=launcher.split())
    for functions in (recfact, recfact.inprocess):
        require_solved(a, b, functions.lu_solve(factors, b))
        require_solved(a.T, b, functions.lu_solve(factors, b, trans=1))


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_factors_in_files_are_solved_with_by_ranks(tmp_path: Path, launcher: str, dtype: Any) -> None:
    a, b = saved(tmp_path, dtype=dtype, nrhs=2)
    files, prefix = (tmp_path / "a.npy", tmp_path / "b.npy"), tmp_path / "F"
    recfact.distributed.factor(files[0], launcher=launcher, output=prefix, block=16)
    x = recfact.distributed.solve(*files, launcher=launcher, factors=prefix)
    require_solved(a, b, x)
    found = recfact.distributed.solution(*files, launcher=launcher, factors=prefix, transposed=True, refine=True)
    require_solved(a.T, b, found.x)
    assert (found.factor_seconds, found.gflops, found.steps) == (0, 0, 1)
    assert found.rcond == pytest.approx(recfact.factorized(a).rcond, rel=2)
    with pytest.raises(recfact.UnusableFileError, match=r"G-lu\.npy: No such file"):
        recfact.distributed.solve(*files, launcher=launcher, factors=tmp_path / "G")
    np.save(files[0], a + np.eye(len(a), dtype=dtype))
    with pytest.raises(recfact.UnusableFileError, match=r"F-lu\.npy: expected the factors of .*a\.npy, got others"):
        recfact.distributed.solve(*files, launcher=launcher, factors=prefix)


def test_ranks_find_a_singular_matrix(tmp_path: Path, launcher: str) -> None:
    np.save(tmp_path / "a.npy", np.diag([1.0, 2, 0, 4]))
    np.save(tmp_path / "b.npy", np.ones(4))
    with pytest.raises(LinAlgError, match="diagonal number 3 is exactly zero"):
        recfact.distributed.solve(tmp_path / "a.npy", tmp_path / "b.npy", launcher=launcher)
    with pytest.warns(recfact.LinAlgWarning, match="Diagonal number 3 is exactly zero"):
        found = recfact.distributed.factorization(tmp_path / "a.npy", launcher=launcher)
    assert found.info == 3
    assert sorted(os.listdir(tmp_path)) == ["a.npy", "b.npy"]


def test_ranks_find_an_ill_conditioned_matrix(tmp_path: Path, launcher: str) -> None:
    np.save(tmp_path / "a.npy", scipy.linalg.hilbert(20))
    np.save(tmp_path / "b.npy", np.ones(20))
    with pytest.warns(recfact.LinAlgWarning, match=r"An ill-conditioned matrix detected: slice 0 has rcond = .*e-"):
        recfact.distributed.solve(tmp_path / "a.npy", tmp_path / "b.npy", launcher=launcher)


@pytest.mark.parametrize("shape", [(0,), (0, 2)])
def test_ranks_solve_empty_systems(tmp_path: Path, launcher: str, shape: tuple[int, ...]) -> None:
    np.save(tmp_path / "a.npy", np.empty((0, 0)))
    np.save(tmp_path / "b.npy", np.empty(shape))
    x = recfact.distributed.solve(tmp_path / "a.npy", tmp_path / "b.npy", launcher=launcher)
    assert x.shape == shape


def test_ranks_refuse_what_is_not_finite_and_say_where(tmp_path: Path, launcher: str) -> None:
    a, _ = saved(tmp_path)
    a[3, 4] = np.nan
    np.save(tmp_path / "a.npy", a)
    with pytest.raises(recfact.UnusableFileError, match=r"a\.npy.*NaN"):
        recfact.distributed.solve(tmp_path / "a.npy", tmp_path / "b.npy", launcher=launcher)


def test_ranks_say_that_a_grid_is_not_theirs(tmp_path: Path, launcher: str) -> None:
    saved(tmp_path)
    with pytest.raises(recfact.ServerError, match="expected a grid of the 2 ranks that there are, got 2x3"):
        recfact.distributed.factor(tmp_path / "a.npy", launcher=launcher, grid=(2, 3))


def test_ranks_without_scalapack_say_what_to_do(tmp_path: Path, launcher: str, monkeypatch: pytest.MonkeyPatch) -> None:
    saved(tmp_path)
    monkeypatch.setenv("RECFACT_SCALAPACK", "libnone.so")
    with pytest.raises(recfact.ServerError, match=r"expected the library libnone\.so of RECFACT_SCALAPACK"):
        recfact.distributed.factor(tmp_path / "a.npy", launcher=launcher)


@pytest.fixture
def slow(tmp_path: Path) -> dict[str, Any]:
    """Arguments of a call that takes seconds: with blocks of one row the ranks send messages for each."""
    np.save(tmp_path / "a.npy", matrix(3000, 3000))
    return {"a": tmp_path / "a.npy", "output": tmp_path / "F", "block": 1}


def ranks_of(folder: Path) -> list[int]:
    """The processes that have the folder in their arguments."""
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit() and int(entry.name) != os.getpid():
            try:
                arguments = (entry / "cmdline").read_bytes()
            except OSError:
                continue
            if os.fsencode(folder) in arguments:
                found.append(int(entry.name))
    return found


def test_ctrl_c_ends_real_ranks(tmp_path: Path, launcher: str, slow: dict[str, Any]) -> None:
    pressed: list[float] = []

    def press(done: float) -> None:
        if not pressed:
            pressed.append(done)
            os.kill(os.getpid(), signal.SIGINT)

    with pytest.raises(KeyboardInterrupt):
        recfact.distributed.factor(**slow, launcher=launcher, progress=press)
    assert 0 <= pressed[0] < 1
    assert os.listdir(tmp_path) == ["a.npy"]
    wait_until(lambda: not ranks_of(tmp_path))


def test_real_ranks_end_when_their_time_is_over(tmp_path: Path, launcher: str, slow: dict[str, Any]) -> None:
    with pytest.raises(recfact.ServerTimeoutError, match="expected an answer within 1 s"):
        recfact.distributed.factor(**slow, launcher=launcher, timeout=1)
    assert os.listdir(tmp_path) == ["a.npy"]
    wait_until(lambda: not ranks_of(tmp_path))


def test_the_example_of_the_readme_runs(tmp_path: Path, launcher: str) -> None:
    text = (FOLDER / "README.md").read_text()
    (example,) = re.findall(r"^```python no_run\n(.*?)^```", text, re.MULTILINE | re.DOTALL)
    assert "mpirun -n 4" in example
    program = f"import os\nos.chdir({str(tmp_path)!r})\n" + example.replace("mpirun -n 4", launcher)
    assert run_python(program).stdout
    assert sorted(os.listdir(tmp_path)) == ["a-ipiv.npy", "a-lu.npy", "a.npy", "b.npy"]
