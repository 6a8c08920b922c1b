"""What happens if the executable, the shared library or SciPy is missing, and where each is looked for."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from conftest import run_python

import recfact
from recfact import _find

PROGRAM = """
import os, sys, warnings
if "no-scipy" in sys.argv:
    sys.modules["scipy"] = sys.modules["scipy.linalg"] = None
if "pipe" in sys.argv:
    del os.memfd_create
import numpy as np
import recfact
with warnings.catch_warnings(record=True) as caught:
    warnings.simplefilter("always")
    try:
        for _ in range(2):
            a = np.array([[4.0, 3.0], [6.0, 3.0]], dtype=sys.argv[1])
            lu, piv = recfact.lu_factor(a)
            assert piv.tolist() == [1, 1]
            assert abs(recfact.lu_solve((lu, piv), a @ [1, 2]) - [1, 2]).max() < 1e-5
            assert abs(recfact.lu_solve((lu, piv), a.T @ [1, 2], trans=1) - [1, 2]).max() < 1e-5
            assert abs(recfact.inv(a) @ a - np.eye(2)).max() < 1e-5
            assert abs(recfact.det(a) + 6) < 1e-5
            kept = recfact.factorized(a)
            assert abs(kept.solve(a @ [1, 2]) - [1, 2]).max() < 1e-5
            assert abs(kept.inv() @ a - np.eye(2)).max() < 1e-5
            assert abs(kept.det() + 6) < 1e-5
            assert abs(kept.rcond - 1 / 15) < 1e-5
        print(recfact.backend())
    except ImportError as error:
        print(type(error).__name__, error)
for warning in caught:
    print(warning.category.__name__, warning.message)
"""

NO_SERVER = {"RECFACT_SERVER": "/nowhere/recfact_server"}
NO_LIBRARY = {"RECFACT_LIBRARY": "/nowhere/librecfact.so"}


def run(dtype: str, *arguments: str, **missing: str) -> list[str]:
    return run_python(PROGRAM, dtype, *arguments, env=missing).stdout.splitlines()


def test_there_is_no_warning_if_nothing_is_missing() -> None:
    assert run("d") == ["server"]


def test_the_library_replaces_the_server_with_one_warning() -> None:
    backend, warning = run("d", **NO_SERVER)
    assert backend == "inprocess"
    assert warning.startswith("RuntimeWarning recfact_server cannot be used (RECFACT_SERVER names /nowhere/")
    assert warning.endswith("recfact uses librecfact.so in this process")


@pytest.mark.parametrize("dtype", ["f", "d"])
def test_scipy_replaces_both_with_one_warning(dtype: str) -> None:
    backend, warning = run(dtype, **NO_SERVER, **NO_LIBRARY)
    assert backend == "scipy"
    assert "recfact_server cannot be used" in warning
    assert warning.endswith("recfact uses SciPy")


def test_a_server_needs_no_library() -> None:
    assert run("d", "no-scipy", **NO_LIBRARY) == ["server"]


def test_scipy_solves_for_a_server_behind_pipes_without_a_library() -> None:
    backend, warning = run("d", "pipe", **NO_LIBRARY)
    assert backend == "server"
    assert "librecfact.so cannot be used (RECFACT_LIBRARY names /nowhere/librecfact.so" in warning
    assert warning.endswith("recfact uses SciPy")


def test_if_all_are_missing_the_error_says_so() -> None:
    (error,) = run("d", "no-scipy", **NO_SERVER, **NO_LIBRARY)
    assert error.startswith("BackendError recfact_server cannot be used (RECFACT_SERVER names")
    assert error.endswith("SciPy is not installed; reinstall recfact")


def test_scipy_cannot_factor_without_pivoting_or_refine() -> None:
    program = """
import recfact, warnings
warnings.simplefilter("ignore")
for call in (lambda: recfact.lu_factor([[1.0]], pivot=False), lambda: recfact.solution([[1.0]], [1.0])):
    try:
        call()
    except NotImplementedError as error:
        print(error)
try:
    recfact.lu_solve(([[1.0]], [1]), [1.0])
except ValueError as error:
    print(error)
"""
    said = run_python(program, env={**NO_SERVER, **NO_LIBRARY}).stdout.splitlines()
    assert said == [
        "SciPy has no factorization without pivoting; recfact_server and librecfact.so have: reinstall recfact",
        "SciPy has no refinement of solutions; recfact_server and librecfact.so have: reinstall recfact",
        "expected each entry of piv to be a row from 0 to 0, got piv[0] = 1; pass piv as lu_factor returned it",
    ]


def test_a_file_that_is_not_executable_counts_as_missing(tmp_path: Path) -> None:
    for content, mode in (("", 0o644), ("\x7fELF", 0o755)):
        path = tmp_path / "recfact_server"
        path.write_text(content)
        path.chmod(mode)
        assert run("d", RECFACT_SERVER=str(path))[0] == "inprocess"


def test_a_file_that_is_not_a_library_counts_as_missing(tmp_path: Path) -> None:
    path = tmp_path / "librecfact.so"
    path.write_text("no library")
    assert "recfact uses SciPy" in run("d", "pipe", RECFACT_LIBRARY=str(path))[1]


def test_the_executable_is_found_where_it_was_installed(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv("RECFACT_SERVER", raising=False)
    monkeypatch.setenv("PATH", str(tmp_path))
    installed = _find.executable()
    assert installed.endswith("/bin/recfact_server")

    # A package without an executable uses the one in PATH. The variable comes before both.
    monkeypatch.setattr(_find, "_installed", lambda: None)
    with pytest.raises(FileNotFoundError, match="PATH"):
        _find.executable()
    other = tmp_path / "recfact_server"
    other.symlink_to(installed)
    assert _find.executable() == str(other)
    monkeypatch.setenv("RECFACT_SERVER", installed)
    assert _find.executable() == installed


def test_a_path_that_leads_nowhere_is_an_error() -> None:
    with pytest.raises(FileNotFoundError, match="path names /nowhere"):
        recfact.Server("/nowhere")


def test_a_name_without_a_slash_is_looked_up_in_path(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    renamed = tmp_path / "lu-server"
    renamed.symlink_to(_find.executable())
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    monkeypatch.setenv("RECFACT_SERVER", "lu-server")
    assert _find.executable() == str(renamed)
    monkeypatch.setenv("RECFACT_SERVER", "/nowhere/else")
    for name in ("lu-server", Path("lu-server")):
        with recfact.Server(name) as server:
            assert server.lu_factor([[2.0]])[0] == 2.0


def test_a_name_with_a_slash_is_a_path(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "lu-server").symlink_to(_find.executable())
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("RECFACT_SERVER", "./lu-server")
    assert _find.executable() == str(tmp_path / "lu-server")
    # A file in the working directory is not in PATH.
    monkeypatch.setenv("RECFACT_SERVER", "lu-server")
    with pytest.raises(FileNotFoundError, match="not a program in PATH"):
        _find.executable()


def test_an_empty_name_counts_as_unset(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("RECFACT_SERVER", raising=False)
    installed = _find.executable()
    monkeypatch.setenv("RECFACT_SERVER", "")
    assert _find.executable() == installed
    assert _find.executable("") == installed
    recfact.Server("").close()


def test_the_error_says_what_was_looked_for_where_and_what_to_do(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setenv("RECFACT_SERVER", "lu-server")
    message = rf"RECFACT_SERVER names lu-server, .* PATH \({tmp_path}\); .* such as \./lu-server"
    with pytest.raises(FileNotFoundError, match=message):
        _find.executable()
    with pytest.raises(FileNotFoundError, match=r"^path names other-server, "):
        recfact.Server("other-server")
    monkeypatch.delenv("RECFACT_SERVER")
    monkeypatch.setattr(_find, "_installed", lambda: None)
    with pytest.raises(FileNotFoundError, match=rf"recfact_server .* PATH \({tmp_path}\).*set RECFACT_SERVER"):
        _find.executable()
    monkeypatch.setattr(_find, "__file__", str(tmp_path / "_find.py"))
    monkeypatch.delenv("RECFACT_LIBRARY", raising=False)
    with pytest.raises(FileNotFoundError, match=rf"expected librecfact\.so in {tmp_path}, .*set RECFACT_LIBRARY"):
        _find.library()


def test_an_instruction_set_that_the_cpu_lacks_is_an_error_that_names_it() -> None:
    program = """
import recfact
for functions in (recfact.inprocess, recfact):
    try:
        functions.lu_factor([[1.0, 2.0], [3.0, 4.0]])
    except RuntimeError as error:
        print(type(error).__name__, error)
"""
    library, server = run_python(program, env={"RECFACT_ISA": "avx9"}).stdout.splitlines()
    assert library == (
        "RuntimeError expected the environment variable RECFACT_ISA to name an instruction set of this CPU (portable, "
        "avx2 or avx512), got 'avx9'; unset it, or set it to portable, and start the program again"
    )
    assert server.startswith("ServerError ")
    assert "RECFACT_ISA" in server
    assert "avx9" in server
