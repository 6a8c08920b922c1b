"""Determinants from factors: products of pivots, which often leave the range of numbers."""

from __future__ import annotations

import numpy as np

from ._backend import Array, Integers

# Magnitudes of mantissas are at least 0.5, so a product of this number of them is a normal number.
_FACTORS_AT_ONCE = 512


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
