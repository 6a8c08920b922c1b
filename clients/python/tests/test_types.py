"""What a type checker says about results. The mypy run of the package checks this file; pytest checks the values."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Union

import numpy as np
import pytest
from numpy.typing import NDArray

import recfact

if TYPE_CHECKING:
    from typing_extensions import assert_type

    Determinant = Union[np.float64, NDArray[np.float64]]
    Real = Union[np.float32, np.float64, NDArray[np.float32], NDArray[np.float64]]

    assert_type(recfact.det([[1.0]]), Determinant)
    assert_type(recfact.inprocess.det([[1.0]]), Determinant)
    assert_type(recfact.Server().det([[1.0]]), Determinant)
    assert_type(recfact.slogdet([[1.0]]).sign, Real)
    assert_type(recfact.slogdet([[1.0]]).logabsdet, Real)
    assert_type(recfact.inv([[1.0]]), NDArray[Any])
    assert_type(recfact.__version__, str)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_a_matrix_has_a_number_and_a_stack_has_an_array(functions: Any, dtype: Any) -> None:
    matrix, stack = np.eye(2, dtype=dtype), np.stack([np.eye(2, dtype=dtype)] * 3)
    assert type(functions.det(matrix)) is np.float64
    assert type(functions.det(stack)) is np.ndarray
    assert functions.det(stack).dtype == np.float64
    for number, numbers in zip(functions.slogdet(matrix), functions.slogdet(stack)):
        assert type(number) is dtype
        assert type(numbers) is np.ndarray
        assert numbers.dtype == dtype


def test_a_determinant_can_be_computed_with() -> None:
    assert float(recfact.det(np.eye(2)) + 1) == 2.0
    result = recfact.slogdet(np.eye(2))
    assert float(result.sign * np.exp(result.logabsdet)) == 1.0
