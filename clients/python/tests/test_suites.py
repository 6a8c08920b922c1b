"""SciPy's and NumPy's own tests, run on the functions of the package. suites.md has those that fail, and why."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

HERE = Path(__file__).parent

# For each suite the calls of functions of the package that it makes at least: about nine tenths of those that it makes
# in SciPy 1.17 and NumPy 2.4.
SUITES = {
    "scipy.linalg.tests.test_basic": {"solve": 1700, "inv": 100, "det": 80},
    "scipy.linalg.tests.test_decomp_lu": {"lu": 34, "lu_factor": 26, "lu_solve": 27},
    "numpy.linalg.tests.test_linalg": {"solve": 5200, "inv": 10000, "det": 370, "slogdet": 370},
}


@pytest.mark.parametrize("functions", ["server", "inprocess"])
@pytest.mark.parametrize("suite", SUITES)
def test_only_the_tests_in_the_table_fail(suite: str, functions: str, tmp_path: Path) -> None:
    results = run(suite, functions, tmp_path)
    assert functions == "inprocess" or results["backend"] == "server"
    for name, calls in SUITES[suite].items():
        assert results["ours"].get(name, 0) >= calls, results["ours"]

    expected, failures = expected_failures(suite), results["failures"]
    others = {test: text for test, text in failures.items() if expected.get(test, "\0") not in text}
    assert not others, "\n\n".join(f"{test}\n{text}" for test, text in others.items())
    passed = [test for test in expected if results["outcomes"].get(test) == "passed"]
    assert not passed, "these tests pass; take them out of suites.md"


def run(suite: str, functions: str, folder: Path) -> dict[str, Any]:
    """Runs a suite in a new interpreter and returns what `suite_adapter` has written."""
    results = folder / "results.json"
    command = [sys.executable, "-m", "pytest", "-q", "--tb=short", "-p", "no:cacheprovider", "-p", "suite_adapter"]
    command += ["--replace", suite.partition(".tests")[0], "--functions", functions, "--results", str(results)]
    path = os.pathsep.join(filter(None, [str(HERE), os.environ.get("PYTHONPATH")]))
    # With two threads, SciPy's least squares take half a minute on two busy cores; with one they take a second.
    environment = {**os.environ, "PYTHONPATH": path, "OPENBLAS_NUM_THREADS": "1"}
    done = subprocess.run(
        [*command, "--pyargs", suite], cwd=folder, env=environment, capture_output=True, text=True, timeout=90
    )
    # Statuses 0 and 1: all tests have run.
    assert done.returncode in (0, 1), done.stdout + done.stderr
    results_of_run: dict[str, Any] = json.loads(results.read_text())
    return results_of_run


def expected_failures(suite: str) -> dict[str, str]:
    """Returns the tests of a suite that are in its table in suites.md, each with a part of its message."""
    section = (HERE / "suites.md").read_text().partition(f"## {suite}\n")[2].partition("\n## ")[0]
    rows = [line.split(" | ") for line in section.splitlines() if line.startswith("| `")]
    patterns = [(pattern, row[1].strip("`")) for row in rows for pattern in re.findall("`([^`]+)`", row[0])]
    assert patterns, f"suites.md has no table of {suite}"
    return {test: message for pattern, message in patterns for test in expanded(pattern)}


def expanded(pattern: str) -> list[str]:
    """Replaces {a,b} by a and by b, as a shell does."""
    before, brace, rest = pattern.partition("{")
    choices, _, after = rest.partition("}")
    return [before + choice + end for choice in choices.split(",") for end in expanded(after)] if brace else [pattern]
