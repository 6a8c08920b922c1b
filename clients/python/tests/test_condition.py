"""The norm of an inverse, computed or estimated, is compared with NumPy's."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import scipy.linalg
from conftest import Array, matrix

from recfact import _condition


def is_ill(rcond: float, dtype: Any) -> bool:
    return not rcond >= _condition.smallest_well(np.dtype(dtype))


def estimate(a: Array) -> float:
    def solve(x: Array, transposed: bool) -> None:
        x[...] = np.linalg.solve(a.T if transposed else a, x)

    return _condition.inverse_norm(solve, len(a), np.float64)


@pytest.mark.parametrize("n", [1, 2, 3, 10, 32, 33, 40, 100])
def test_the_estimate_is_a_lower_bound_and_close(n: int) -> None:
    for seed in range(50):
        a = matrix(n, n, seed=seed)
        exact = np.linalg.norm(np.linalg.inv(a), 1)
        lowest = exact / 3 if n > 32 else exact * (1 - 1e-9)
        assert lowest <= estimate(a) <= exact * (1 + 1e-9)


@pytest.mark.parametrize("n", [20, 33, 60])
def test_ill_conditioned_matrices_are_seen_at_any_order(n: int) -> None:
    for decades, ill in ((15.5, False), (16.5, True)):
        rotated = np.linalg.qr(matrix(n, n))[0] * np.logspace(0, -decades, n)
        rcond = _condition.reciprocal(float(np.linalg.norm(rotated.T, 1)), estimate(rotated.T))
        assert is_ill(rcond, np.float64) == ill


def test_hilbert_matrices_are_ill_conditioned_from_order_12() -> None:
    # The reciprocal condition number is above 1.1e-16 at order 11, and below it at order 12.
    for n in range(2, 16):
        hilbert = scipy.linalg.hilbert(n)
        rcond = _condition.reciprocal(float(np.linalg.norm(hilbert, 1)), estimate(hilbert))
        assert is_ill(rcond, np.float64) == (n >= 12)


def test_infinities_and_nan_count_as_ill_conditioned() -> None:
    for norms in ((1.0, np.inf), (np.nan, 1.0), (1e300, 1e300), (1.0, np.nan)):
        assert is_ill(_condition.reciprocal(*norms), np.float32)
    assert not is_ill(_condition.reciprocal(2.0, 0.5), np.float64)
