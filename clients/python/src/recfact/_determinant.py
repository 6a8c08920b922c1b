"""Determinants from factors: products of pivots, which often leave the range of numbers."""

from __future__ import annotations

import math
from typing import Any, NamedTuple, Union

import numpy as np
from numpy.typing import NDArray

from ._backend import Array, Integers

_LOG_2 = math.log(2)

# One number for a matrix, an array of them for a stack of matrices.
Determinant = Union[np.float64, NDArray[np.float64]]
Real = Union[np.float32, np.float64, NDArray[np.float32], NDArray[np.float64]]

# Magnitudes of mantissas are at least 0.5, so a product of this number of them is a normal number.
_FACTORS_AT_ONCE = 512


class SlogdetResult(NamedTuple):
    """The sign of a determinant and the logarithm of its magnitude; arrays of them for a stack of matrices."""

    sign: Real
    logabsdet: Real


def as_number(mantissa: Array, exponent: Array) -> Determinant:
    """Returns determinants as numbers: infinite or zero if they are out of range."""
    with np.errstate(over="ignore", under="ignore"):
        # With 64-bit exponents, which no matrix in memory needs, NumPy takes eight times as long.
        determinant: Determinant = np.ldexp(mantissa, exponent.astype(np.int32))[()]
    return determinant


def slogdet_of(mantissa: Array, exponent: Array, dtype: np.dtype[Any]) -> SlogdetResult:
    """Returns the sign and the logarithm of the magnitude of determinants."""
    with np.errstate(divide="ignore", invalid="ignore"):
        logarithm = np.log(np.abs(mantissa)) + exponent * _LOG_2
    return SlogdetResult(np.sign(mantissa).astype(dtype)[()], logarithm.astype(dtype)[()])


def of_factors(lu: Array, ipiv: Integers) -> tuple[Array, Array]:
    """Computes the determinant of a matrix, or of each matrix of a stack, to the bit as `recfact_det_batch` does.

    Returns a mantissa, whose magnitude is at least 0.5 and less than 1, and an exponent of two; or the determinant, if
    it is zero, infinite or NaN, and 0.
    """
    pivots = diagonal(lu).astype(np.float64)
    mantissas, exponents = np.frexp(pivots)
    product, exponent = parity(ipiv) * 0.5, exponents.sum(-1, dtype=np.int64) + 1
    with np.errstate(invalid="ignore"):
        for first in range(0, lu.shape[-1], _FACTORS_AT_ONCE):
            factors = mantissas[..., first : first + _FACTORS_AT_ONCE].copy()
            factors[..., 0] *= product
            product, shift = np.frexp(np.multiply.accumulate(factors, -1)[..., -1])
            exponent = exponent + shift
    # One zero makes the product zero, also beside a NaN.
    product = np.where((pivots == 0).any(-1), 0.0, product)
    return product, np.where(np.isfinite(product) & (product != 0), exponent, 0)


def parity(ipiv: Integers) -> Array:
    """Returns the determinant of P: -1 for an odd number of swaps, else 1."""
    swaps = (ipiv != np.arange(1, ipiv.shape[-1] + 1)).sum(-1)
    return np.asarray(1 - 2 * (swaps % 2))


def diagonal(lu: Array) -> Array:
    """Returns the diagonal of each matrix."""
    return np.diagonal(lu, axis1=-2, axis2=-1)
