"""Which arguments are refused and what the errors say, and which kinds of arrays are accepted."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import scipy.linalg
import scipy.sparse
from conftest import Array, matrix, outcomes, same_bits

import recfact

EYE = np.eye(3)
FUNCTIONS = ["lu_factor", "lu", "inv", "det", "slogdet"]


class Exporter:
    """An object with DLPack's two methods and nothing else that NumPy can read."""

    def __init__(self, a: Array, error: str = "") -> None:
        self._a = a
        self._error = error

    def __dlpack__(self, **arguments: Any) -> Any:
        if self._error:
            raise BufferError(self._error)
        return self._a.__dlpack__(**arguments)

    def __dlpack_device__(self) -> Any:
        return self._a.__dlpack_device__()


def calls_with(functions: Any, a: Any) -> list[Any]:
    """Calls that each have `a` as one of their matrices."""
    lu, piv = np.eye(3), np.arange(3)
    unary: list[Any] = [lambda name=name: getattr(functions, name)(a) for name in FUNCTIONS]
    return [
        *unary,
        lambda: functions.solve(a, np.ones(3)),
        lambda: functions.solve(EYE, a),
        lambda: functions.lu_solve((lu, piv), a),
        lambda: functions.lu_solve((a, piv), np.ones(3)),
    ]


@pytest.mark.parametrize(
    ("piv", "entry"),
    [
        ([0, 3, 2], r"piv\[1\] = 3"),
        ([0, 1, -1], r"piv\[2\] = -1"),
        ([0.5, 1, 2], r"piv\[0\] = 0\.5"),
        ([[0, 1, 2], [0, 1, 7]], r"piv\[1, 2\] = 7"),
        (np.array([0, 2**63, 2], np.uint64), rf"piv\[1\] = {2**63}"),
        ([0, np.nan, 2], r"piv\[1\] = nan"),
    ],
)
def test_an_index_outside_the_matrix_is_named_counted_from_0(functions: Any, piv: Any, entry: str) -> None:
    with pytest.raises(ValueError, match=rf"a row from 0 to 2, got {entry}; pass piv as lu_factor returned it"):
        functions.lu_solve((EYE, piv), np.ones(3))


def test_indices_are_numbers(functions: Any) -> None:
    with pytest.raises(TypeError, match="expected integers in piv, got <U1"):
        functions.lu_solve((EYE, ["a", "b", "c"]), np.ones(3))
    for kind in "bBhHiIlLqQfd":
        assert functions.lu_solve((EYE, np.arange(3).astype(kind)), np.ones(3)).tolist() == [1, 1, 1]


@pytest.mark.parametrize("name", ["threads", "max_bytes"])
def test_a_server_checks_its_limits_before_it_starts(name: str) -> None:
    for number in (-1, 2**63, 2**64):
        with pytest.raises(ValueError, match=rf"expected {name} to be at least \d and less than 2\*\*63, got {number}"):
            recfact.Server(**{name: number})  # type: ignore[arg-type]
    for value in (1.5, "8GiB"):
        with pytest.raises(TypeError, match=rf"expected {name} to be an integer, got {value!r}"):
            recfact.Server(**{name: value})  # type: ignore[arg-type]


@pytest.mark.parametrize("name", [*FUNCTIONS, "solve", "lu_solve"])
def test_an_unknown_keyword_names_the_function_that_was_called(name: str, server: recfact.Server) -> None:
    for functions in (recfact, recfact.inprocess, server):
        with pytest.raises(TypeError, match=rf"^{name}\(\) got an unexpected keyword argument 'colour'"):
            getattr(functions, name)(colour=1)


@pytest.mark.parametrize("kind", ["O", "S8", "U8", "g", "e", "V8", "M8[s]", "m8[s]", "struct"])
def test_slogdet_refuses_the_types_that_numpy_refuses(functions: Any, kind: str) -> None:
    a = np.zeros((3, 3), [("x", float)]) if kind == "struct" else np.zeros((3, 3), kind)
    with pytest.raises(TypeError):
        np.linalg.slogdet(a)
    with pytest.raises(TypeError, match=r"expected .*, got .*; convert"):
        functions.slogdet(a)


@pytest.mark.parametrize("kind", ["V8", "M8[s]", "m8[s]", "struct"])
def test_arrays_that_hold_no_numbers_are_refused_by_solve_and_inv(functions: Any, kind: str) -> None:
    a = np.zeros((3, 3), [("x", float)]) if kind == "struct" else np.zeros((3, 3), kind)
    for name, arguments in (("inv", (a,)), ("solve", (a, EYE)), ("solve", (EYE, a))):
        with pytest.raises(TypeError, match=r"expected an array of numbers, got .*; convert it to float32 or float64"):
            getattr(functions, name)(*arguments)


@pytest.mark.parametrize("kind", ["V8", "M8[s]", "m8[s]"])
def test_dates_and_raw_bytes_are_refused_by_every_function(functions: Any, kind: str) -> None:
    for call in calls_with(functions, np.zeros((3, 3), kind)):
        with pytest.raises(TypeError):
            call()


@pytest.mark.parametrize("name", ["csr_matrix", "coo_matrix", "csr_array", "csc_array"])
def test_sparse_matrices_are_refused_as_what_they_are(functions: Any, name: str) -> None:
    sparse = getattr(scipy.sparse, name)(EYE)
    for call in calls_with(functions, sparse):
        with pytest.raises(ValueError, match=rf"expected a dense array, got a sparse {name}; .*\.toarray\(\)"):
            call()


@pytest.mark.skipif(not hasattr(np, "from_dlpack"), reason="NumPy older than 1.23 reads no DLPack objects")
@pytest.mark.parametrize("order", ["C", "F"])
def test_objects_with_dlpack_are_read(functions: Any, order: Any) -> None:
    a = np.array(matrix(3, 3), order=order)
    for ours, theirs in zip(calls_with(functions, Exporter(a)), calls_with(functions, a)):
        results, expected = ours(), theirs()
        for i in range(len(results) if isinstance(results, tuple) else 1):
            np.testing.assert_array_equal(*((r[i] if isinstance(r, tuple) else r) for r in (results, expected)))
    piv = functions.lu_factor(a)[1]
    np.testing.assert_array_equal(
        functions.lu_solve((EYE, Exporter(piv)), np.ones(3)), functions.lu_solve((EYE, piv), np.ones(3))
    )


@pytest.mark.skipif(not hasattr(np, "from_dlpack"), reason="NumPy older than 1.23 reads no DLPack objects")
def test_memory_that_numpy_cannot_read_is_a_clear_error(functions: Any) -> None:
    for call in calls_with(functions, Exporter(EYE, "it is on a GPU")):
        with pytest.raises(
            TypeError, match=r"got an object of type Exporter that NumPy cannot read \(it is on a GPU\); copy it"
        ):
            call()


def test_without_dlpack_in_numpy_the_error_says_so(functions: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(np, "from_dlpack", raising=False)
    with pytest.raises(TypeError, match=r"reading an object of type Exporter needs NumPy 1\.23 or newer"):
        functions.lu_factor(Exporter(EYE))


@pytest.mark.parametrize("name", ["solve", "inv"])
def test_solve_and_inv_take_matrices_for_general_ones(functions: Any, name: str) -> None:
    arguments = [matrix(3, 3), np.ones(3)][: 2 if name == "solve" else 1]
    expected = getattr(functions, name)(*arguments)
    for general in (None, "gen", "general"):
        assert same_bits(getattr(functions, name)(*arguments, assume_a=general), expected)
    for other in ("sym", "pos", "her", "diagonal", "banded", "upper triangular", "no such thing", 5):
        with pytest.raises(ValueError, match=rf"got {other!r}; .*leave assume_a out, or use scipy\.linalg\.{name}"):
            getattr(functions, name)(*arguments, assume_a=other)


NOT_FINITE = [
    np.full((2, 2), np.nan),
    np.full((2, 2), np.nan, np.float32),
    np.diag([1, np.nan]),
    np.array([[np.nan, 1], [0, 1]]),
    np.array([[0, 1], [np.nan, 1]]),
    np.diag([np.inf, 1.0]),
    np.diag([0.0, np.inf]),
    np.array([[np.inf, np.inf], [1, 1]]),
    np.array([[0.0, 1], [np.inf, 1]]),
    np.stack([np.eye(2), np.full((2, 2), np.nan)]),
    np.zeros((2, 2)),
]


@pytest.mark.parametrize("a", NOT_FINITE, ids=lambda a: str(a.tolist()))
def test_slogdet_of_matrices_that_are_not_finite_is_that_of_numpy(functions: Any, a: Array) -> None:
    ours, theirs = outcomes("slogdet", a, ours=functions, theirs=np.linalg)
    assert ours == theirs
    with np.errstate(invalid="ignore"):
        np.testing.assert_array_equal(functions.slogdet(a), np.linalg.slogdet(a))
    with np.errstate(invalid="raise"):
        ours, theirs = outcomes("slogdet", a, ours=functions, theirs=np.linalg)
        assert ours == theirs


def test_the_warning_of_slogdet_names_the_line_of_the_caller(functions: Any) -> None:
    with pytest.warns(RuntimeWarning, match="slogdet") as caught:
        functions.slogdet(NOT_FINITE[0])
    assert [w.filename for w in caught] == [__file__]


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("n", [1, 5, 300])
def test_inv_reuses_columns_and_det_reuses_rows_and_columns(functions: Any, dtype: Any, n: int) -> None:
    original = matrix(n, n, dtype, seed=n)
    expected_inverse, expected_determinant = functions.inv(original), functions.det(original)
    a = original.copy(order="F")
    inverse = functions.inv(a, overwrite_a=True)
    assert np.shares_memory(inverse, a)
    assert same_bits(inverse, expected_inverse)
    for order in ("C", "F"):
        a = np.array(original, order=order)
        assert functions.det(a, overwrite_a=True) == expected_determinant
        assert n == 1 or not np.array_equal(a, original)


def test_what_cannot_be_overwritten_stays_as_it_is(functions: Any) -> None:
    read_only = matrix(5, 5)
    read_only.flags.writeable = False
    unaligned = np.frombuffer(bytearray(b"x" + matrix(5, 5).tobytes()), np.float64, offset=1).reshape(5, 5)
    for unusable in (
        read_only,
        unaligned,
        matrix(5, 5).astype(">f8"),
        matrix(5, 5).astype("f2"),
        matrix(10, 10)[::2, ::2],
    ):
        before = unusable.copy()
        determinant, inverse = functions.det(unusable), functions.inv(unusable)
        assert functions.det(unusable, overwrite_a=True) == determinant
        assert same_bits(functions.inv(unusable, overwrite_a=True), inverse)
        np.testing.assert_array_equal(unusable, before)
