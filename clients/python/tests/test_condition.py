"""The estimate of the norm of an inverse against the norm of the inverse."""

from __future__ import annotations

import numpy as np
import pytest
import scipy.linalg
from conftest import Array, matrix

from recfact import _condition


def estimate(a: Array) -> float:
    def solve(x: Array, transposed: bool) -> None:
        x[...] = np.linalg.solve(a.T if transposed else a, x)

    return _condition.inverse_norm(solve, len(a), np.float64)


@pytest.mark.parametrize("n", [1, 2, 3, 10, 40])
def test_it_is_a_lower_bound_and_close(n: int) -> None:
    for seed in range(50):
        a = matrix(n, n, seed=seed)
        exact = np.linalg.norm(np.linalg.inv(a), 1)
        assert exact / 3 <= estimate(a) <= exact * (1 + 1e-9)


def test_it_sees_that_hilbert_matrices_are_ill() -> None:
    # 1e-16 is passed between the orders 11 and 12.
    for n in range(2, 16):
        hilbert = scipy.linalg.hilbert(n)
        rcond = _condition.reciprocal(float(np.linalg.norm(hilbert, 1)), estimate(hilbert))
        assert _condition.is_ill(rcond, np.float64) == (n >= 12)


def test_infinities_and_nan_are_ill() -> None:
    for norms in ((1.0, np.inf), (np.nan, 1.0), (1e300, 1e300), (1.0, np.nan)):
        assert _condition.is_ill(_condition.reciprocal(*norms), np.float32)
    assert not _condition.is_ill(_condition.reciprocal(2.0, 0.5), np.float64)
