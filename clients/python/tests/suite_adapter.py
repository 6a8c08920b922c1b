"""A pytest plugin that has SciPy's and NumPy's own tests call the functions of the package: see suites.md.

It puts them in the place of `scipy.linalg.solve`, `numpy.linalg.inv` and so on before pytest imports a suite. What the
package does not compute goes to the function that was there: complex input, and matrices that `assume_a` calls
symmetric. The results are written to a file, with the number of calls that went each way.
"""

from __future__ import annotations

import importlib
import json
from collections import Counter
from functools import wraps
from pathlib import Path
from typing import Any, Callable

import numpy as np
import pytest
import scipy.linalg

import recfact

Function = Callable[..., Any]

REPLACED = {
    "scipy.linalg": ("solve", "inv", "det", "lu_factor", "lu_solve", "lu"),
    "numpy.linalg": ("solve", "inv", "det", "slogdet"),
}

SYMMETRIC = {"sym", "symmetric", "her", "hermitian", "pos", "positive definite"}

# What SciPy reads of a matrix of a structure that `solve` and `inv` of the package do not know.
READ: dict[Any, Function] = {
    "upper triangular": np.triu,
    "lower triangular": np.tril,
    "diagonal": lambda a: np.triu(np.tril(a)),
    "tridiagonal": lambda a: np.triu(np.tril(a, 1), -1),
    "banded": np.asarray,
}

ours: Counter[str] = Counter()
elsewhere: Counter[str] = Counter()
outcomes: dict[str, str] = {}
failures: dict[str, str] = {}


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--replace", choices=sorted(REPLACED))
    parser.addoption("--functions", choices=["server", "inprocess"])
    parser.addoption("--results", type=Path)


def pytest_configure(config: pytest.Config) -> None:
    module = importlib.import_module(config.getoption("--replace"))
    functions = recfact if config.getoption("--functions") == "server" else recfact.inprocess
    for name in REPLACED[module.__name__]:
        setattr(module, name, adapted(getattr(functions, name), getattr(module, name)))
    # The package has a class of its own, which its users can name without SciPy.
    scipy.linalg.LinAlgWarning = (scipy.linalg.LinAlgWarning, recfact.LinAlgWarning)


def adapted(our: Function, their: Function) -> Function:
    """Returns a function that calls ours, or theirs for what ours is not made for."""

    @wraps(their)
    def function(*arguments: Any, **keywords: Any) -> Any:
        if keywords.get("assume_a") in SYMMETRIC or is_complex((*arguments, *keywords.values())):
            elsewhere[their.__name__] += 1
            return their(*arguments, **keywords)
        ours[their.__name__] += 1
        if keywords.get("assume_a") in READ:
            read = READ[keywords.pop("assume_a")]
            return our(read(arguments[0]), *arguments[1:], **keywords)
        return our(*arguments, **keywords)

    return function


def is_complex(argument: Any) -> bool:
    if isinstance(argument, tuple):
        return any(map(is_complex, argument))
    try:
        return np.asarray(argument).dtype.kind == "c"
    except ValueError:  # Rows of different lengths
        return False


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    # Outside of the folder that pytest runs in, the file has no name.
    test = report.nodeid.partition("::")[2]
    if report.failed:
        failures[test] = report.longreprtext
    elif report.when == "call" or report.skipped:
        outcomes[test] = report.outcome


def pytest_sessionfinish(session: pytest.Session) -> None:
    results = {
        "backend": recfact.backend(),
        "ours": ours,
        "elsewhere": elsewhere,
        "outcomes": {**outcomes, **dict.fromkeys(failures, "failed")},
        "failures": failures,
    }
    session.config.getoption("--results").write_text(json.dumps(results))
